"""Which rows of a lane go next: those that waited and may go now, then those never looked at.

Owns reading rows, each held against how it was written, and a group's make-up: one row of a pass at a time, Refunds
apart from all else, superseded rows left out. What is to be kept of them is `keeping`'s.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.keeping import OPEN, Keeper, Lane, Saved
from passbridge.bulk.order import Pending, Why
from passbridge.bulk.outcomes import Verdict, Words, superseded
from passbridge.bulk.schema import LINE_BITS, id_of
from passbridge.bulk.shapes import State
from passbridge.bulk.sums import damaged, item_sum, known, require_outcome
from passbridge.bulk.turns import Taken
from passbridge.domain import kept_update

if TYPE_CHECKING:
    from passbridge.bulk.database import Database

__all__ = ["REFUNDS", "Chooser"]

REFUNDS: Final = 4
"""Refunds in a group, which holds nothing else: what is in flight at a crash stays in doubt, and is never sent again."""

_MASK: Final = (1 << LINE_BITS) - 1
_COLUMNS: Final = "id, pass, shape, refund, at, crc, text"


@dataclass(frozen=True, slots=True)
class _Item:
    """A row as it is read."""

    id: int
    pass_: int
    shape: int | None
    refund: bool
    at: int | None
    text: str

    @property
    def line(self) -> int:
        return self.id & _MASK


@dataclass(frozen=True, slots=True)
class Chooser:
    """Chooses groups, within a transaction of the caller's.

    Attributes:
        db: the ledger's database.
        keeper: keeps what the choice says of rows that don't go.
        words: what each code means.
        latest: whether rows may take another's place.
    """

    db: Database
    keeper: Keeper
    words: Words
    latest: bool

    def recall(self, lane: Lane) -> None:
        """What an earlier holder left: rows that wait, or are in doubt."""
        query = "SELECT id, pass, why, refund, again, takes, due FROM pending WHERE lane = ? ORDER BY id"
        for row, pass_, why, refund, again, takes, due in self.db.rows(query, (lane.lane,)):
            lane.queue.put(
                Pending(row & _MASK, pass_, known(Why, why, self.db.name, f"line {row & _MASK}"), bool(refund), bool(again), takes, due)
            )
            lane.kept.add(row & _MASK)

    def killed(self, lane: Lane, flight: str) -> tuple[tuple[Taken, ...], float]:
        """The rows that were in flight when the earlier holder was gone, but for those whose outcome it saved even so."""
        if not flight:
            return (), 0.0
        mark = json.loads(flight)
        items = self._items(lane, mark["lines"])
        known = self._outcomes(items)
        taken = []
        for item in items:
            state, body = known.get(item.id, (State.OPEN, ""))
            if state in OPEN or state is State.OPEN:
                row = lane.queue.rows.get(item.line) or Pending(item.line, item.pass_, Why.WAITING, item.refund)
                lane.start(row)
                taken.append(Taken(item.line, item.at, item.text, body))
        return tuple(taken), mark["at"]

    def choose(self, lane: Lane, limit: int, saved: Saved, now: float) -> list[Taken]:
        """Rows that wait and may go now, then rows never looked at; Refunds apart from all else."""
        group: list[_Item] = []
        refunds: bool | None = None
        waited: list[int] = []
        while len(waited) < limit and (row := lane.queue.take(now)):
            if refunds is not None and row.refund != refunds:
                lane.queue.put(row)
                break
            refunds, limit = row.refund, min(limit, REFUNDS) if row.refund else limit
            lane.start(row)
            waited.append(row.line)
        items = self._items(lane, waited)
        after = self._outcomes(items)
        for item in items:  # what says that it may go again bears no checksum; the row and its outcome do
            if after.get(item.id, (State.OPEN, ""))[0] is State.UNKNOWN and kept_update(item.text).action == "refund":
                raise damaged(self.db.name, f"line {item.line}")
        late = self._superseded([item for item in items if item.id not in after])
        for item in items:
            if item.line in late:
                self._supersede(lane, item, late[item.line], saved)
            else:
                group.append(item)
        while len(group) < limit and lane.done < lane.last and not lane.queue.full:
            if not self._read_on(lane, group, limit, saved):
                break
        return [Taken(item.line, item.at, item.text, after.get(item.id, ("", ""))[1]) for item in group]

    def _read_on(self, lane: Lane, group: list[_Item], limit: int, saved: Saved) -> bool:
        """Read the lane's next rows; false where the group is to go as it is."""
        query = f"SELECT {_COLUMNS} FROM item WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"  # noqa: S608 - our own names
        top = id_of(lane.lane, lane.last)
        items = self._checked(self.db.rows(query, (id_of(lane.lane, lane.done), top, limit)))
        if not items:
            lane.done = lane.last
            return False
        done = {row for (row,) in self.db.rows("SELECT id FROM outcome WHERE id >= ? AND id <= ?", (items[0].id, items[-1].id))}
        late = self._superseded(items)
        for item in items:
            pending = Pending(item.line, item.pass_, Why.WAITING, item.refund)
            if item.id in done:
                pass
            elif item.line in late:
                self._supersede(lane, item, late[item.line], saved)
            elif lane.queue.blocked(item.pass_):
                self.keeper.wait(lane, pending, saved)
            elif len(group) >= (REFUNDS if item.refund else limit) or (group and group[0].refund != item.refund):
                return False
            else:
                lane.start(pending)
                group.append(item)
            lane.done = item.line
        return True

    def _items(self, lane: Lane, lines: Sequence[int]) -> list[_Item]:
        if not lines:
            return []
        ids = [id_of(lane.lane, line) for line in lines]
        query = f"SELECT {_COLUMNS} FROM item WHERE id IN ({', '.join('?' * len(ids))}) ORDER BY id"  # noqa: S608 - marks alone
        return self._checked(self.db.rows(query, ids))

    def _checked(self, rows: Sequence[tuple[Any, ...]]) -> list[_Item]:
        """Refuse what isn't as it was written: nothing is sent that nobody asked for."""
        items = []
        for row, pass_, shape, refund, at, crc, text in rows:
            if item_sum(row, at, text) != crc:
                raise damaged(self.db.name, f"line {row & _MASK}")
            items.append(_Item(row, pass_, shape, bool(refund), at, text))
        return items

    def _outcomes(self, items: Sequence[_Item]) -> dict[int, tuple[State, str]]:
        if not items:
            return {}
        marks = ", ".join("?" * len(items))
        query = f"SELECT id, state, code, exit, body, crc FROM outcome WHERE id IN ({marks})"  # noqa: S608 - marks alone
        found = {}
        for row, state, code, exit_, body, crc in self.db.rows(query, [item.id for item in items]):
            require_outcome(self.db.name, row, (state, code, exit_, body), crc)
            found[row] = State(state), body
        return found

    def _superseded(self, items: Sequence[_Item]) -> dict[int, int]:
        """By line, the later line that takes its place."""
        shapes = sorted({item.shape for item in items if item.shape is not None}) if self.latest else []
        if not shapes:
            return {}
        query = f"SELECT shape, line FROM latest WHERE shape IN ({', '.join('?' * len(shapes))})"  # noqa: S608 - marks alone
        last = dict(self.db.rows(query, shapes))
        return {item.line: last[item.shape] for item in items if last.get(item.shape, 0) > item.line}

    def _supersede(self, lane: Lane, item: _Item, line: int, saved: Saved) -> None:
        outcome = superseded(kept_update(item.text), lane.account, line, self.words)
        verdict = replace(Verdict.of(outcome, self.words), state=State.SUPERSEDED, exit=0)
        self.keeper.supersede(lane, Pending(item.line, item.pass_, Why.WAITING), verdict, saved)
