"""Which rows of a lane may start: updates of one pass go one after another, in input order.

Owns the rows that are neither untouched nor final, and what waits for them. Pure: no clock, no database.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heappop, heappush
from typing import Final

__all__ = ["MOST_WAITING", "Pending", "Queue", "Why"]

MOST_WAITING: Final = 5000
"""Rows of a lane that wait for others before it reads no further: memory stays bounded, whatever the order of the input."""

_TAKES: Final = 5
"""How often a row is taken up in one run before it is left."""


class Why(StrEnum):
    """Why a row is neither untouched nor final."""

    WAITING = "waiting"
    """Never sent: an earlier update of its pass comes first, or its turn ended before it was sent."""
    UNSENT = "unsent"
    """Tried, and refused for the rate or not sent at all."""
    UNKNOWN = "unknown"
    """In doubt."""
    FLIGHT = "flight"
    """Under way now."""


@dataclass(frozen=True, slots=True)
class Pending:
    """A row that is neither untouched nor final.

    Attributes:
        line: its line.
        pass_: what tells its pass from any other.
        why: what it waits for.
        refund: whether it is a Refund.
        again: whether the tables let it be sent again by itself.
        takes: how often it was taken up in this run.
        due: when it may be taken up, seconds since 1970.
    """

    line: int
    pass_: int
    why: Why
    refund: bool = False
    again: bool = True
    takes: int = 0
    due: float = 0.0

    @property
    def live(self) -> bool:
        """Whether it will be taken up by itself, or is under way."""
        return self.why in {Why.WAITING, Why.FLIGHT} or (self.again and self.takes < _TAKES)


@dataclass(slots=True)
class Queue:
    """The rows of one lane that are neither untouched nor final.

    Attributes:
        force: whether what won't be tried again by itself lets later updates of its pass go on.
    """

    force: bool = False
    rows: dict[int, Pending] = field(default_factory=dict)
    _lines: dict[int, list[int]] = field(default_factory=dict)
    _due: list[tuple[float, int]] = field(default_factory=list)

    def put(self, row: Pending) -> None:
        """Add a row, or say what has become of it."""
        if row.line not in self.rows:
            insort(self._lines.setdefault(row.pass_, []), row.line)
        self.rows[row.line] = row
        self._offer(row.pass_)

    def drop(self, line: int) -> None:
        """A row is final: the next of its pass may go on."""
        row = self.rows.pop(line, None)
        if row:
            lines = self._lines[row.pass_]
            lines.remove(line)
            if not lines:
                del self._lines[row.pass_]
            self._offer(row.pass_)

    def blocked(self, pass_: int) -> bool:
        """Whether a row of this pass comes first."""
        return self._first(pass_) is not None

    def take(self, now: float) -> Pending | None:
        """The next row that may start now; it is under way from here on."""
        while self._due and self._due[0][0] <= now:
            _, line = heappop(self._due)
            row = self.rows.get(line)
            if row and row.why is not Why.FLIGHT and row.due <= now and self._first(row.pass_) is row and row.live:
                return row
        return None

    def due(self) -> float | None:
        """When the next row may start; None where none will by itself."""
        while self._due:
            due, line = self._due[0]
            row = self.rows.get(line)
            if row and row.why is not Why.FLIGHT and row.due == due and self._first(row.pass_) is row and row.live:
                return due
            heappop(self._due)
        return None

    @property
    def full(self) -> bool:
        """Whether enough rows wait, and some of them will go on by themselves."""
        return len(self.rows) >= MOST_WAITING and (self.due() is not None or any(row.why is Why.FLIGHT for row in self.rows.values()))

    def _first(self, pass_: int) -> Pending | None:
        """The row of this pass that comes first."""
        for line in self._lines.get(pass_, ()):
            row = self.rows[line]
            if row.live or not self.force:
                return row
        return None

    def _offer(self, pass_: int) -> None:
        first = self._first(pass_)
        if first and first.live and first.why is not Why.FLIGHT:
            heappush(self._due, (first.due, first.line))
