"""Checksums: what tells that the ledger still holds what was written.

Owns what each sum covers, and the refusal of what doesn't match its own. A disk, a copy or a hand may change any byte;
a final row that isn't as it was written must never be read as something else.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from passbridge.bulk.database import refused
from passbridge.bulk.schema import LINE_BITS

if TYPE_CHECKING:
    from passbridge.errors import LedgerError

__all__ = ["damaged", "item_sum", "known", "mark_sum", "outcome_sum", "require_mark", "require_outcome"]

_MASK = (1 << LINE_BITS) - 1
_E = TypeVar("_E", bound=StrEnum)


def item_sum(row: int, at: int | None, text: str) -> int:
    """Of a row of the input: its key, its moment, its text."""
    return zlib.crc32(f"{row} {at} {text}".encode())


def outcome_sum(row: int, state: str, code: str, exit_: int, body: str) -> int:
    """Of an outcome: whose it is, what it says."""
    return zlib.crc32(f"{row} {state} {code} {exit_} {body}".encode())


def mark_sum(lane: int, done: int, flight: str) -> int:
    """Of a lane's mark: how far it was read, and what is in flight. Rows between the two would be lost unnoticed."""
    return zlib.crc32(f"{lane} {done} {flight}".encode())


def damaged(name: str, place: str) -> LedgerError:
    """The refusal of a ledger one part of which isn't as it was written."""
    return refused(f"{name}: {place}", "damaged", "isn't as it was written", "restore the ledger from a copy")


def require_outcome(name: str, row: int, outcome: tuple[str, str, int, str], crc: int) -> None:
    """Refuse an outcome (state, code, exit, body) that isn't as it was written.

    Raises:
        LedgerError: `damaged`, with the line.
    """
    if outcome_sum(row, *outcome) != crc:
        raise damaged(name, f"line {row & _MASK}")


def require_mark(name: str, lane: int, done: int, flight: str, crc: int) -> None:
    """Refuse a lane's mark that isn't as it was written.

    Raises:
        LedgerError: `damaged`, with the lane.
    """
    if mark_sum(lane, done, flight) != crc:
        raise damaged(name, f"lane {lane}")


def known(kind: type[_E], value: str, name: str, place: str) -> _E:
    """A word of ours, read back.

    Raises:
        LedgerError: `damaged`: there is no such word.
    """
    try:
        return kind(value)
    except ValueError:
        raise damaged(name, place) from None
