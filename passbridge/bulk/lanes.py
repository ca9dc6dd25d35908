"""The lanes of a job: claimed, worked group by group, given back.

Owns the transaction that everything rests on: a group's results, the lease and the mark of the next group are saved as
one. A row is marked as in doubt, on the disk, before it is handed out; who lost a lane is told so before anything else.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.database import refused
from passbridge.bulk.loading import text_crc
from passbridge.bulk.order import Pending, Queue, Why
from passbridge.bulk.outcomes import Verdict, Words, superseded
from passbridge.bulk.pace import Pace
from passbridge.bulk.schema import LINE_BITS, NEVER, OUTCOMES, PENDING, PROGRESS, id_of
from passbridge.bulk.shapes import State
from passbridge.bulk.turns import Claim, Idle, Result, Taken, Turn
from passbridge.domain import load_update

if TYPE_CHECKING:
    from passbridge.bulk.ledger import Ledger

__all__ = ["REFUNDS", "Lanes"]

REFUNDS: Final = 4
"""Refunds in a group, which holds nothing else: what is in flight at a crash stays in doubt, and is never sent again."""

_AHEAD: Final = 2.0
"""Seconds: rows are not marked earlier than that before they may leave."""
_MASK: Final = (1 << LINE_BITS) - 1
_OPEN: Final = frozenset({State.UNKNOWN, State.UNSENT})
_ASK_AGAIN: Final = 0.2
_LONGEST_WAIT: Final = 2.0

Told = Callable[[Sequence[tuple[int, str]]], object]
"""Is given the line and the outcome's JSON of each row that needs nothing more from a runner."""


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


@dataclass(slots=True)
class _Lane:
    """A lane that this process holds."""

    lane: int
    account: str
    epoch: int
    done: int
    last: int
    queue: Queue
    flight: dict[int, Pending] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)

    def start(self, row: Pending) -> None:
        """The row goes into flight; what it was is remembered, in case it isn't tried."""
        self.flight[row.line] = row
        self.queue.put(replace(row, why=Why.FLIGHT))


@dataclass(slots=True)
class _Saved:
    """What one transaction adds and takes away."""

    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    pending: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    told: list[tuple[int, str]] = field(default_factory=list)


class Lanes:
    """The lanes of one ledger that this process, or its children, hold. For one thread.

    Args:
        ledger: the ledger, completely written.
        words: what each code means.
        lease: seconds for which a claim holds without being renewed.
        force: whether later updates pass one that won't be tried again by itself.
        told: is given what needs nothing more from a runner.
    """

    def __init__(self, ledger: Ledger, words: Words, *, lease: float, force: bool = False, told: Told | None = None) -> None:
        self._ledger, self._db, self._words, self._lease, self._force = ledger, ledger.db, words, lease, force
        self._told = told
        self._held: dict[tuple[int, int], _Lane] = {}
        job = ledger.job()
        self._latest = bool(job and job.latest)

    def claim(self, owner: str, without: Sequence[str] = (), lane: int | None = None) -> Claim | Idle:
        """Claim a lane that has something to do.

        Args:
            owner: who claims it.
            without: accounts whose lanes are not wanted now.
            lane: this lane alone.
        """
        others = f"AND account NOT IN ({', '.join('?' * len(without))})" if without else ""
        this = "AND lane = ?" if lane is not None else ""
        values = [*without, *([] if lane is None else [lane])]
        columns = "lane, account, epoch, done, last, flight"
        query = f"SELECT {columns} FROM lane WHERE due <= ? AND until < ? {others} {this} ORDER BY due, lane LIMIT 1"  # noqa: S608 - marks alone
        with self._db.transaction():
            now = self._db.now()
            found = self._db.rows(self._db.locked(query, skip=True), (now, now, *values))
            if not found:
                return self._idle(now, f"{others} {this}", values)
            number, account, epoch, done, last, flight = found[0]
            held = _Lane(number, account, epoch + 1, done, last, Queue(force=self._force))
            self._db.run(
                "UPDATE lane SET owner = ?, epoch = ?, until = ?, due = 0 WHERE lane = ?", (owner, held.epoch, now + self._lease, number)
            )
            self._recall(held)
            killed, marked = self._killed(held, flight)
        self._held[number, held.epoch] = held
        return Claim(account, number, held.epoch, killed, marked)

    def turn(self, claim: tuple[int, int], results: Sequence[Result], limit: int) -> Turn:
        """Keep a group's results; take and mark the next group.

        Args:
            claim: the lane and its epoch.
            results: of every row of the last group.
            limit: rows of the next group, at most; 0 gives the lane back.
        """
        lane, saved = self._held[claim], _Saved()
        with self._db.transaction():
            found = self._db.rows(self._db.locked("SELECT epoch FROM lane WHERE lane = ?"), (lane.lane,))
            now = self._db.now()
            if not found or found[0][0] != lane.epoch:
                self._facts(lane, results, saved)
                turn = Turn(lost=True)
            else:
                for result in results:
                    self._settle(lane, result, saved, now)
                self._save(lane, saved)  # what is chosen next may go on from it
                turn = self._next(lane, results, limit, saved, now)
            self._save(lane, saved)
        if turn.lost or not (turn.rows or turn.wait):
            del self._held[claim]
        if self._told and saved.told:
            self._told(saved.told)
        return turn

    def abandon(self, claims: Collection[tuple[int, int]]) -> None:
        """Give up lanes whose holder is gone, with what it had in flight."""
        with self._db.transaction():
            for claim in claims:
                self._held.pop(claim, None)
                self._db.run("UPDATE lane SET until = 0, due = 0 WHERE lane = ? AND epoch = ?", claim)

    def _idle(self, now: float, others: str, values: Sequence[Any]) -> Idle:
        ((due, until),) = self._db.rows(f"SELECT min(due), max(until) FROM lane WHERE due < ? {others}", (NEVER, *values))  # noqa: S608 - marks alone
        if due is None:
            return Idle(None)
        wait = due - now if due > now else min(until - now, _ASK_AGAIN)
        return Idle(min(max(wait, 0.02), _LONGEST_WAIT))

    def _recall(self, lane: _Lane) -> None:
        """What an earlier holder left: rows that wait, or are in doubt."""
        query = "SELECT id, pass, why, refund, again, takes, due FROM pending WHERE lane = ? ORDER BY id"
        for row, pass_, why, refund, again, takes, due in self._db.rows(query, (lane.lane,)):
            lane.queue.put(Pending(row & _MASK, pass_, Why(why), bool(refund), bool(again), takes, due))
            lane.kept.add(row & _MASK)

    def _killed(self, lane: _Lane, flight: str) -> tuple[tuple[Taken, ...], float]:
        """The rows that were in flight when the earlier holder was gone, but for those whose outcome it saved even so."""
        if not flight:
            return (), 0.0
        mark = json.loads(flight)
        items = self._items(lane, mark["lines"])
        known = self._outcomes(items)
        taken = []
        for item in items:
            state, body = known.get(item.id, (State.OPEN, ""))
            if state in _OPEN or state is State.OPEN:
                row = lane.queue.rows.get(item.line) or Pending(item.line, item.pass_, Why.WAITING, item.refund)
                lane.start(row)
                taken.append(Taken(item.line, item.at, item.text, body))
        return tuple(taken), mark["at"]

    def _settle(self, lane: _Lane, result: Result, saved: _Saved, now: float) -> None:
        row = lane.flight.pop(result.line)
        row_id = id_of(lane.lane, result.line)
        verdict = result.verdict
        if verdict is None:
            self._wait(lane, row, saved)
            return
        before = self._before(row_id) if result.line in lane.kept or result.requests == 0 else None
        if before and before[0] not in _OPEN:  # the one who held the lane before told it, late
            self._finish(lane, row, saved)
            return
        saved.counts[verdict.state, verdict.code, verdict.exit] += 1
        if before:
            saved.counts[before] -= 1
        saved.outcomes.append((row_id, verdict.state, verdict.code, verdict.exit, verdict.body))
        if verdict.state not in _OPEN:
            self._finish(lane, row, saved)
            saved.told.append((result.line, verdict.body))
            return
        takes = row.takes + (result.requests > 0)
        due = now + 2 ** (takes - 1) if result.requests else now
        why = Why.UNKNOWN if verdict.state is State.UNKNOWN else Why.UNSENT
        row = replace(row, why=why, again=verdict.again, takes=takes, due=due)
        self._wait(lane, row, saved, changed=True)
        if not row.live:
            saved.told.append((result.line, verdict.body))

    @staticmethod
    def _wait(lane: _Lane, row: Pending, saved: _Saved, *, changed: bool = False) -> None:
        lane.queue.put(row)
        if changed or row.line not in lane.kept:
            lane.kept.add(row.line)
            saved.pending.append(
                (id_of(lane.lane, row.line), lane.lane, row.pass_, row.why, int(row.refund), int(row.again), row.takes, row.due)
            )

    @staticmethod
    def _finish(lane: _Lane, row: Pending, saved: _Saved) -> None:
        lane.queue.drop(row.line)
        if row.line in lane.kept:
            lane.kept.discard(row.line)
            saved.gone.append(id_of(lane.lane, row.line))

    def _facts(self, lane: _Lane, results: Sequence[Result], saved: _Saved) -> None:
        """The lane is another's. What is certain is kept all the same; what is in doubt the other knows already."""
        for result in results:
            row_id = id_of(lane.lane, result.line)
            before = self._before(row_id)
            verdict = result.verdict
            if verdict and verdict.state not in _OPEN and not (before and before[0] not in _OPEN):
                saved.outcomes.append((row_id, verdict.state, verdict.code, verdict.exit, verdict.body))
                saved.counts[verdict.state, verdict.code, verdict.exit] += 1
                saved.counts.subtract([before] if before else [])
                saved.gone.append(row_id)
                saved.told.append((result.line, verdict.body))

    def _before(self, row_id: int) -> tuple[str, str, int] | None:
        found = self._db.rows("SELECT state, code, exit FROM outcome WHERE id = ?", (row_id,))
        return (found[0][0], found[0][1], found[0][2]) if found else None

    def _save(self, lane: _Lane, saved: _Saved) -> None:
        self._db.put(OUTCOMES, saved.outcomes)
        self._db.put(PENDING, saved.pending)
        for row_id in saved.gone:
            self._db.run("DELETE FROM pending WHERE id = ?", (row_id,))
        self._db.put(PROGRESS, [(lane.lane, *what, n) for what, n in saved.counts.items() if n])
        saved.outcomes, saved.pending, saved.gone = [], [], []
        saved.counts.clear()

    def _next(self, lane: _Lane, results: Sequence[Result], limit: int, saved: _Saved, now: float) -> Turn:
        pace, wait, room = self._permits(lane.account, results, now) if results or limit else (None, None, limit)
        rows = self._choose(lane, min(limit, room), saved, now) if not wait else []
        if limit and wait:
            self._mark(lane, (), now)
            return Turn(wait=wait)
        if not rows:
            self._release(lane, now)
            return Turn()
        start, spacing = now, 0.0
        if pace:
            start, spacing = pace.start(now), pace.spacing
            self._keep_pace(lane.account, pace.reserved(now, len(rows)))
        self._mark(lane, [row.line for row in rows], now)
        return Turn(tuple(rows), start - now, spacing, self._lease)

    def _permits(self, account: str, results: Sequence[Result], now: float) -> tuple[Pace | None, float | None, int]:
        """The account's pace after these results; how long to wait where no permit is near; rows that a group may have."""
        if not self._db.rows("SELECT 1 FROM pace WHERE account = ? AND rate IS NOT NULL", (account,)):
            return None, None, 1 << 30  # nobody waits for a row that says nothing
        found = self._db.rows(self._db.locked("SELECT rate, tat, factor, changed FROM pace WHERE account = ?"), (account,))
        before = Pace(*found[0])
        more = sum(max(0, result.requests - 1) for result in results)  # attempts beyond the first take permits too
        pace = before.told(now, limited=any(result.limited for result in results)).reserved(now, more)
        if pace != before:
            self._keep_pace(account, pace)
        ahead = pace.start(now) - now
        return pace, ahead - _AHEAD / 2 if ahead > _AHEAD else None, max(1, int(_AHEAD / 4 / pace.spacing))

    def _keep_pace(self, account: str, pace: Pace) -> None:
        self._db.run("UPDATE pace SET tat = ?, factor = ?, changed = ? WHERE account = ?", (pace.next, pace.factor, pace.changed, account))

    def _choose(self, lane: _Lane, limit: int, saved: _Saved, now: float) -> list[Taken]:
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

    def _read_on(self, lane: _Lane, group: list[_Item], limit: int, saved: _Saved) -> bool:
        """Read the lane's next rows; false where the group is to go as it is."""
        query = "SELECT id, pass, shape, refund, at, crc, text FROM item WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
        top = id_of(lane.lane, lane.last)
        items = self._checked(self._db.rows(query, (id_of(lane.lane, lane.done), top, limit)))
        if not items:
            lane.done = lane.last
            return False
        done = {row for (row,) in self._db.rows("SELECT id FROM outcome WHERE id >= ? AND id <= ?", (items[0].id, items[-1].id))}
        late = self._superseded(items)
        for item in items:
            pending = Pending(item.line, item.pass_, Why.WAITING, item.refund)
            if item.id in done:
                pass
            elif item.line in late:
                self._supersede(lane, item, late[item.line], saved)
            elif lane.queue.blocked(item.pass_):
                self._wait(lane, pending, saved)
            elif len(group) >= (REFUNDS if item.refund else limit) or (group and group[0].refund != item.refund):
                return False
            else:
                lane.start(pending)
                group.append(item)
            lane.done = item.line
        return True

    def _items(self, lane: _Lane, lines: Sequence[int]) -> list[_Item]:
        if not lines:
            return []
        ids = [id_of(lane.lane, line) for line in lines]
        query = f"SELECT id, pass, shape, refund, at, crc, text FROM item WHERE id IN ({', '.join('?' * len(ids))}) ORDER BY id"  # noqa: S608 - marks alone
        return self._checked(self._db.rows(query, ids))

    def _checked(self, rows: Sequence[tuple[Any, ...]]) -> list[_Item]:
        """Refuse what isn't as it was written: nothing is sent that nobody asked for."""
        items = []
        for row, pass_, shape, refund, at, crc, text in rows:
            if text_crc(row, at, text) != crc:
                raise refused(
                    f"{self._db.name}: line {row & _MASK}", "damaged", "isn't as it was written", "restore the ledger from a copy"
                )
            items.append(_Item(row, pass_, shape, bool(refund), at, text))
        return items

    def _outcomes(self, items: Sequence[_Item]) -> dict[int, tuple[State, str]]:
        if not items:
            return {}
        query = f"SELECT id, state, body FROM outcome WHERE id IN ({', '.join('?' * len(items))})"  # noqa: S608 - marks alone
        return {row: (State(state), body) for row, state, body in self._db.rows(query, [item.id for item in items])}

    def _superseded(self, items: Sequence[_Item]) -> dict[int, int]:
        """By line, the later line that takes its place."""
        shapes = sorted({item.shape for item in items if item.shape is not None}) if self._latest else []
        if not shapes:
            return {}
        query = f"SELECT shape, line FROM latest WHERE shape IN ({', '.join('?' * len(shapes))})"  # noqa: S608 - marks alone
        last = dict(self._db.rows(query, shapes))
        return {item.line: last[item.shape] for item in items if item.shape is not None and last[item.shape] > item.line}

    def _supersede(self, lane: _Lane, item: _Item, line: int, saved: _Saved) -> None:
        outcome = superseded(load_update(item.text), lane.account, line, self._words)
        verdict = replace(Verdict.of(outcome, self._words), state=State.SUPERSEDED, exit=0)
        saved.outcomes.append((item.id, verdict.state, verdict.code, verdict.exit, verdict.body))
        saved.counts[verdict.state, verdict.code, verdict.exit] += 1
        saved.told.append((item.line, verdict.body))
        lane.flight.pop(item.line, None)
        self._finish(lane, Pending(item.line, item.pass_, Why.WAITING), saved)

    def _mark(self, lane: _Lane, lines: Sequence[int], now: float) -> None:
        """From here on these rows are in doubt: durably so when the transaction ends, which is before anything is sent."""
        flight = json.dumps({"at": now, "lines": list(lines)}) if lines else ""
        self._db.run("UPDATE lane SET until = ?, done = ?, flight = ? WHERE lane = ?", (now + self._lease, lane.done, flight, lane.lane))

    def _release(self, lane: _Lane, now: float) -> None:
        due = lane.queue.due()
        due = now if lane.done < lane.last else NEVER if due is None else due
        self._db.run("UPDATE lane SET until = 0, owner = NULL, due = ?, done = ?, flight = '' WHERE lane = ?", (due, lane.done, lane.lane))
