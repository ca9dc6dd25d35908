"""What a lane's results make of its rows: final, in doubt, or waiting.

Owns what one transaction adds to outcomes, waiting rows and progress. What is final stays; what is certain is kept
even by one who has lost the lane. Which rows go next is `choice`'s to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.order import Pending, Queue, Why
from passbridge.bulk.outcomes import Verdict
from passbridge.bulk.schema import OUTCOMES, PENDING, PROGRESS, id_of
from passbridge.bulk.shapes import State
from passbridge.bulk.sums import outcome_sum, require_outcome
from passbridge.bulk.turns import Result, Turn

if TYPE_CHECKING:
    from passbridge.bulk.database import Database

__all__ = ["OPEN", "Keeper", "Lane", "Saved", "Tried", "outcome_row"]

OPEN: Final = frozenset({State.UNKNOWN, State.UNSENT})
"""States of rows that have an outcome and are not final."""


def outcome_row(row_id: int, verdict: Verdict) -> tuple[Any, ...]:
    """An outcome as a row of its table."""
    state, code, exit_, body = verdict.state, verdict.code, verdict.exit, verdict.body
    return row_id, state, code, exit_, body, outcome_sum(row_id, state, code, exit_, body)


@dataclass(frozen=True, slots=True)
class Tried:
    """What a transaction was about to end with.

    Attributes:
        wrote: what it made of the lane's mark and lease, which no other transaction writes.
        turn: what the sender was to be told.
        told: what the reader of outcomes was to be told.
    """

    wrote: tuple[str, float]
    turn: Turn
    told: list[tuple[int, str]]


@dataclass(slots=True)
class Lane:
    """A lane that this process holds.

    Attributes:
        torn: whether its last transaction failed: what is here may be ahead of the ledger.
        wrote: the mark and the lease's end, as written last.
        tried: how that transaction was to end; it may have.
    """

    lane: int
    account: str
    epoch: int
    done: int
    last: int
    queue: Queue
    flight: dict[int, Pending] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    torn: bool = False
    wrote: tuple[str, float] = ("", 0.0)
    tried: Tried | None = None

    def start(self, row: Pending) -> None:
        """The row goes into flight; what it was is remembered, in case it isn't tried."""
        self.flight[row.line] = row
        self.queue.put(replace(row, why=Why.FLIGHT))


@dataclass(slots=True)
class Saved:
    """What one transaction adds and takes away."""

    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    pending: list[tuple[Any, ...]] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    told: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Keeper:
    """Keeps results, within a transaction of the caller's.

    Attributes:
        db: the ledger's database.
    """

    db: Database

    def settle(self, lane: Lane, result: Result, saved: Saved, now: float) -> None:
        """One result of a lane that is still ours."""
        row = lane.flight.pop(result.line)
        row_id = id_of(lane.lane, result.line)
        verdict = result.verdict
        if verdict is None:
            self.wait(lane, row, saved)
            return
        before = self._before(row_id) if result.line in lane.kept or result.requests == 0 else None
        if before and before[0] not in OPEN:  # the one who held the lane before told it, late
            self.finish(lane, row, saved)
            return
        saved.counts[verdict.state, verdict.code, verdict.exit] += 1
        if before:
            saved.counts[before[:3]] -= 1
        saved.outcomes.append(outcome_row(row_id, verdict))
        if verdict.state not in OPEN:
            self.finish(lane, row, saved)
            saved.told.append((result.line, verdict.body))
            return
        takes = row.takes + (result.requests > 0)
        due = now + 2 ** (takes - 1) if result.requests else now
        why = Why.UNKNOWN if verdict.state is State.UNKNOWN else Why.UNSENT
        row = replace(row, why=why, again=verdict.again, takes=takes, due=due)
        self.wait(lane, row, saved, changed=True)
        if not row.live:
            saved.told.append((result.line, verdict.body))

    def facts(self, lane: Lane, results: Sequence[Result], saved: Saved) -> None:
        """The lane is another's. What is certain is kept all the same; what is in doubt the other knows already."""
        for result in results:
            row_id = id_of(lane.lane, result.line)
            before = self._before(row_id)
            verdict = result.verdict
            if verdict is None or verdict.state in OPEN:
                continue
            if before and before[0] not in OPEN:
                if lane.torn and before[3] == verdict.body:  # our own word: it was kept, and only the answer to that was lost
                    saved.told.append((result.line, verdict.body))
                continue
            saved.outcomes.append(outcome_row(row_id, verdict))
            saved.counts[verdict.state, verdict.code, verdict.exit] += 1
            saved.counts.subtract([before[:3]] if before else [])
            saved.gone.append(row_id)
            saved.told.append((result.line, verdict.body))

    @staticmethod
    def finish(lane: Lane, row: Pending, saved: Saved) -> None:
        """The row is final: what waits for it may go on."""
        lane.queue.drop(row.line)
        if row.line in lane.kept:
            lane.kept.discard(row.line)
            saved.gone.append(id_of(lane.lane, row.line))

    @staticmethod
    def wait(lane: Lane, row: Pending, saved: Saved, *, changed: bool = False) -> None:
        """The row is not final: it waits, from here on durably."""
        lane.queue.put(row)
        if changed or row.line not in lane.kept:
            lane.kept.add(row.line)
            saved.pending.append(
                (id_of(lane.lane, row.line), lane.lane, row.pass_, row.why, int(row.refund), int(row.again), row.takes, row.due)
            )

    def supersede(self, lane: Lane, row: Pending, verdict: Verdict, saved: Saved) -> None:
        """A later row took its place."""
        saved.outcomes.append(outcome_row(id_of(lane.lane, row.line), verdict))
        saved.counts[verdict.state, verdict.code, verdict.exit] += 1
        saved.told.append((row.line, verdict.body))
        lane.flight.pop(row.line, None)
        self.finish(lane, row, saved)

    def save(self, lane: Lane, saved: Saved) -> None:
        """Write what was gathered."""
        self.db.put(OUTCOMES, saved.outcomes)
        self.db.put(PENDING, saved.pending)
        for row_id in saved.gone:
            self.db.run("DELETE FROM pending WHERE id = ?", (row_id,))
        self.db.put(PROGRESS, [(lane.lane, *what, n) for what, n in saved.counts.items() if n])
        saved.outcomes, saved.pending, saved.gone = [], [], []
        saved.counts.clear()

    def _before(self, row_id: int) -> tuple[str, str, int, str] | None:
        found = self.db.rows("SELECT state, code, exit, body, crc FROM outcome WHERE id = ?", (row_id,))
        if not found:
            return None
        state, code, exit_, body, crc = found[0]
        require_outcome(self.db.name, row_id, (state, code, exit_, body), crc)
        return state, code, exit_, body
