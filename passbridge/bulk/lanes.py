"""The lanes of a job: claimed, worked group by group, given back.

Owns the transaction that everything rests on: a group's results, the lease and the mark of the next group are saved as
one. A row is marked as in doubt, on the disk, before it is handed out; who lost a lane is told so before anything else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.choice import Chooser
from passbridge.bulk.keeping import Keeper, Lane, Saved, Tried
from passbridge.bulk.ledger import set_back
from passbridge.bulk.order import Queue
from passbridge.bulk.outcomes import Words
from passbridge.bulk.pace import Pace
from passbridge.bulk.schema import NEVER
from passbridge.bulk.sums import mark_sum, require_mark
from passbridge.bulk.turns import Claim, Idle, Result, Turn
from passbridge.errors import LedgerError

if TYPE_CHECKING:
    from passbridge.bulk.ledger import Ledger

__all__ = ["Lanes"]

_AHEAD: Final = 2.0
"""Seconds: rows are not marked earlier than that before they may leave."""
_ASK_AGAIN: Final = 0.2
_LONGEST_WAIT: Final = 2.0

Told = Callable[[Sequence[tuple[int, str]]], object]
"""Is given the line and the outcome's JSON of each row that needs nothing more from a runner."""


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
        self._ledger, self._db, self._lease, self._force = ledger, ledger.db, lease, force
        self._told = told
        self._held: dict[tuple[int, int], Lane] = {}
        self._claiming: tuple[int, int, str] | None = None  # what a transaction that failed may have claimed all the same
        job = ledger.job()
        self._keeper = Keeper(self._db)
        self._chooser = Chooser(self._db, self._keeper, words, latest=bool(job and job.latest))

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
        columns = "lane, account, epoch, done, last, flight, crc"
        query = f"SELECT {columns} FROM lane WHERE due <= ? AND until < ? {others} {this} ORDER BY due, lane LIMIT 1"  # noqa: S608 - marks alone
        with self._db.transaction():
            if self._claiming:
                self._db.run("UPDATE lane SET until = 0 WHERE lane = ? AND epoch = ? AND owner = ?", self._claiming)
            now = self._db.now()
            found = self._db.rows(self._db.locked(query, skip=True), (now, now, *values))
            claim = self._claimed(owner, now, *found[0]) if found else self._idle(now, f"{others} {this}", values)
        self._claiming = None
        return claim

    def _claimed(self, owner: str, now: float, *row: Any) -> Claim:  # noqa: ANN401 - a lane's columns
        number, account, epoch, done, last, flight, crc = row
        require_mark(self._db.name, number, done, flight, crc)
        held = Lane(number, account, epoch + 1, done, last, Queue(force=self._force))
        values = owner, held.epoch, now + self._lease, number
        self._db.run("UPDATE lane SET owner = ?, epoch = ?, until = ?, due = 0 WHERE lane = ?", values)
        self._chooser.recall(held)
        killed, marked = self._chooser.killed(held, flight)
        self._held[number, held.epoch] = held
        self._claiming = number, held.epoch, owner
        return Claim(account, number, held.epoch, killed, marked)

    def turn(self, claim: tuple[int, int], results: Sequence[Result], limit: int) -> Turn:
        """Keep a group's results; take and mark the next group. After a failure it may be asked again for the same.

        Args:
            claim: the lane and its epoch.
            results: of every row of the last group.
            limit: rows of the next group, at most; 0 gives the lane back.
        """
        lane, saved = self._held[claim], Saved()
        try:
            with self._db.transaction():
                turn = self._turned(lane, results, limit, saved)
        except LedgerError:
            lane.torn = True
            raise
        lane.torn, lane.tried = False, None
        if turn.lost or not (turn.rows or turn.wait):
            del self._held[claim]
        if self._told and saved.told:
            self._told(saved.told)
        return turn

    def _turned(self, lane: Lane, results: Sequence[Result], limit: int, saved: Saved) -> Turn:
        found = self._db.rows(self._db.locked("SELECT epoch, until, done, last, flight, crc FROM lane WHERE lane = ?"), (lane.lane,))
        now = self._db.now()
        if not found or found[0][0] != lane.epoch:
            self._keeper.facts(lane, results, saved)
            self._keeper.save(lane, saved)
            return Turn(lost=True)
        if lane.torn:
            _, until, done, last, flight, crc = found[0]
            if lane.tried and lane.tried.wrote == (flight, until):  # it had ended, and only the word of it was lost
                saved.told = lane.tried.told
                return lane.tried.turn
            require_mark(self._db.name, lane.lane, done, flight, crc)
            results = self._recalled(lane, done, last, flight, results)
        for result in results:
            self._keeper.settle(lane, result, saved, now)
        self._keeper.save(lane, saved)  # what is chosen next may go on from it
        turn = self._next(lane, results, limit, saved, now)
        self._keeper.save(lane, saved)
        lane.tried = Tried(lane.wrote, turn, saved.told)
        return turn

    def _recalled(self, lane: Lane, done: int, last: int, flight: str, results: Sequence[Result]) -> list[Result]:
        """The failed transaction left nothing: the lane as the ledger holds it, and the results of what is in flight there."""
        lane.done, lane.last, lane.queue, lane.tried = done, last, Queue(force=self._force), None
        lane.flight, lane.kept = {}, set()
        self._chooser.recall(lane)
        self._chooser.killed(lane, flight)
        return [result for result in results if result.line in lane.flight]

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
        if set_back(now, due, until):
            self._ledger.set_right(now, self._lease)
        wait = due - now if due > now else min(until - now, _ASK_AGAIN)
        return Idle(min(max(wait, 0.02), _LONGEST_WAIT))

    def _next(self, lane: Lane, results: Sequence[Result], limit: int, saved: Saved, now: float) -> Turn:
        pace, wait, room = self._permits(lane.account, results, now) if results or limit else (None, None, limit)
        rows = self._chooser.choose(lane, min(limit, room), saved, now) if not wait else []
        if limit and wait:
            self._mark(lane, (), now)
            return Turn(wait=min(wait, _LONGEST_WAIT))  # so that the lane stays ours, and a rate that is raised is noticed
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

    def _mark(self, lane: Lane, lines: Sequence[int], now: float) -> None:
        """From here on these rows are in doubt: durably so when the transaction ends, which is before anything is sent."""
        flight = json.dumps({"at": now, "lines": list(lines)}) if lines else ""
        lane.wrote = flight, now + self._lease
        mark = *lane.wrote, lane.done, mark_sum(lane.lane, lane.done, flight)
        self._db.run("UPDATE lane SET flight = ?, until = ?, done = ?, crc = ? WHERE lane = ?", (*mark, lane.lane))

    def _release(self, lane: Lane, now: float) -> None:
        due = lane.queue.due()
        reads_on = lane.done < lane.last and not lane.queue.full
        due = now if reads_on else NEVER if due is None else due
        lane.wrote = "", 0.0
        mark = due, lane.done, mark_sum(lane.lane, lane.done, "")
        self._db.run("UPDATE lane SET until = 0, owner = NULL, due = ?, done = ?, flight = '', crc = ? WHERE lane = ?", (*mark, lane.lane))
