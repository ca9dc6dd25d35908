"""One row of a job's input.

Owns what a reader of input hands on: the update, or every reason why there is none. Knows no file format and no ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from passbridge.domain import PassUpdate, write_json

if TYPE_CHECKING:
    from passbridge.errors import Problem

__all__ = ["Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a job's input. Lines only ever rise; they needn't follow one another.

    Attributes:
        line: where it stands, from 1: the line in which it begins, or its number where the input has no lines.
        update: the update; None where the row isn't one.
        problems: why it isn't.
        text: the update as JSON on one line, as it is kept and sent from; of a row that is none, what stood there,
            cut to a sensible length.
    """

    line: int
    update: PassUpdate | None
    problems: tuple[Problem, ...]
    text: str

    @classmethod
    def of(cls, line: int, update: PassUpdate) -> Row:
        """The row of an update."""
        return cls(line, update, (), write_json(update.as_json()))

    @classmethod
    def bad(cls, line: int, problems: tuple[Problem, ...], text: str = "") -> Row:
        """The row of something that is no update."""
        return cls(line, None, problems, text)
