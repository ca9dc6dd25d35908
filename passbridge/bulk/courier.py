"""Sending one group: each row by the client's own conversation, as many at once as the account bears.

Owns when a marked row really leaves (its permit, the account's gate, the lease) and what an answer says about the
gateway. It must not decide whether an update may be sent again: the conversation says so.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from passbridge.bulk.outcomes import Verdict, Words, invalid, killed, moment
from passbridge.bulk.pace import Breaker, Gate, Sign, Window
from passbridge.bulk.turns import Claim, Result, Taken, Turn
from passbridge.domain import Code, Effect, Next, Outcome, kept_update
from passbridge.errors import InvalidUpdate

if TYPE_CHECKING:
    from passbridge.bulk.shapes import Options
    from passbridge.client import AsyncClient
    from passbridge.domain import PassUpdate

__all__ = ["Courier", "elapsed", "sign"]

_MARGIN: Final = 4.0
_OVERRUN: Final = 0.5
"""Seconds: what a lease has beyond the longest conversation, at least; and by how much that may be overrun."""

_LATE: Final = 0.01
"""Seconds beyond the lease at which whoever waits for a later slot looks, so that it is over by then."""

_BAD: Final = frozenset({Code.NOT_SENT, Code.NO_ANSWER, Code.BAD_ANSWER, Code.UNTRUSTED_ANSWER, Code.UNMAPPED, Code.PROVIDER_ERROR})


_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed() -> float:
    """Seconds that passed, those for which the machine was suspended too: leases are over by then, and `time.monotonic` may stand still."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def sign(outcome: Outcome) -> Sign:
    """What an outcome says about the gateway: by its last attempt, whose code may be another than the outcome's."""
    last = outcome.attempts[-1].code if outcome.attempts else outcome.code
    if outcome.next is Next.FIX_CONFIG or last in _BAD:  # a wrong key or an expired contract refuses every row alike
        return Sign.BAD
    return Sign.SLOW if last is Code.RATE_LIMITED else Sign.GOOD


@dataclass(slots=True)
class Courier:
    """Carries groups, for one process.

    Attributes:
        client: whose conversations they are.
        words: what each code means.
        options: how many at once, how patient.
        deadlines: by account, the longest that a conversation may take.
    """

    client: AsyncClient
    words: Words
    options: Options
    deadlines: Mapping[str, float]
    stopping: bool = False
    _gates: dict[str, Gate] = field(default_factory=dict)
    _waiting: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)

    def gate(self, account: str) -> Gate:
        """The account as this process sees it."""
        if account not in self._gates:
            self._gates[account] = Gate(Window(self.options.concurrency), Breaker(self.options.patience))
        return self._gates[account]

    def paused(self, now: float) -> list[str]:
        """Accounts that take no group now: in a pause, and no probe is due."""
        return [name for name, gate in self._gates.items() if not gate.breaker.closed and not gate.probing(now)]

    @property
    def given_up(self) -> list[str]:
        """Accounts whose answers didn't come back."""
        return [name for name, gate in self._gates.items() if gate.breaker.given_up]

    def lease(self) -> float:
        """Seconds for which a lane must be ours: the longest conversation, begun within the margin."""
        longest = max(self.deadlines.values(), default=10.0)
        return longest + max(_MARGIN, longest / 2)

    def recovered(self, claim: Claim) -> list[Result]:
        """What is known of rows whose sender was killed: the attempt in flight stands as unanswered."""
        results = []
        for row in claim.killed:
            update, after = self._read(claim.account, row)
            outcome = killed(update, after, claim.account, claim.marked, self.words)
            results.append(Result(row.line, Verdict.of(outcome, self.words)))
        return results

    async def carry(self, account: str, turn: Turn, asked: float) -> list[Result]:
        """Send a group; every row has a result, also those that were not tried.

        Args:
            account: its account.
            turn: the group.
            asked: when it was asked for (`elapsed`): the lease may have begun then, however long the process slept since.
        """
        until = asked + turn.lease - self.deadlines.get(account, 10.0) - _OVERRUN
        if not turn.spacing:
            return await asyncio.gather(*(self._one(account, row, None, until) for row in turn.rows))
        slots = self.gate(account).slots.plan(time.monotonic() + turn.start, turn.spacing, len(turn.rows))
        return await asyncio.gather(*(self._one(account, row, slot, until) for row, slot in zip(turn.rows, slots, strict=True)))

    def stop(self) -> None:
        """Let nothing more begin; what is in flight is finished."""
        self.stopping = True
        for account in self._waiting:
            self._wake(account)

    async def _one(self, account: str, row: Taken, slot: float | None, until: float) -> Result:
        gate = self.gate(account)
        if not await self._admitted(account, gate, slot, until):
            self._wake(account)  # it may have been woken for room that it doesn't take: another's, who would wait for ever
            return Result(row.line, None)
        gate.flying += 1
        try:
            return await self._send(account, gate, row)
        finally:
            gate.flying -= 1
            self._wake(account)

    async def _admitted(self, account: str, gate: Gate, slot: float | None, until: float) -> bool:
        """Wait for the slot and for room; false where the row must not leave any more."""
        while True:
            now, left = time.monotonic(), until - elapsed()
            if self.stopping or left < 0 or (not gate.breaker.closed and not gate.probing(now)):
                return False
            if slot is not None and (delay := gate.slots.wait(slot, now)) > 0:
                await asyncio.sleep(min(delay, left + _LATE))
                continue
            if gate.open(now):
                if slot is not None:
                    gate.slots.leave(slot, now)
                return True
            turn = asyncio.get_running_loop().create_future()
            self._waiting.setdefault(account, deque()).append(turn)
            await turn

    def _wake(self, account: str) -> None:
        """As many of those who wait as there is room for look again; all of them where there is none to be had."""
        gate, waiting = self._gates[account], self._waiting.get(account, deque())
        room = int(gate.window.size) - gate.flying if gate.breaker.closed and not self.stopping else len(waiting)
        for _ in range(min(room, len(waiting))):
            turn = waiting.popleft()
            if not turn.done():
                turn.set_result(None)

    async def _send(self, account: str, gate: Gate, row: Taken) -> Result:
        update, after = self._read(account, row)
        try:
            outcome = await self.client.apply(update, after=after)
        except InvalidUpdate as error:
            return Result(row.line, Verdict.of(self._refused(update, account, after, error), self.words))
        gate.note(sign(outcome), time.monotonic())
        requests = len(outcome.attempts) - (len(after.attempts) if after else 0)
        limited = any(attempt.code is Code.RATE_LIMITED for attempt in outcome.attempts[-requests:]) if requests else False
        return Result(row.line, Verdict.of(outcome, self.words), max(1, requests), limited)

    def _refused(self, update: PassUpdate, account: str, after: Outcome | None, error: InvalidUpdate) -> Outcome:
        """The account can't carry it: invalid, unless an earlier attempt is in doubt, which this doesn't end."""
        if after is not None and after.effect is Effect.UNKNOWN:
            notes = tuple(dict.fromkeys((*after.notes, *map(str, error.problems))))
            return after.model_copy(update={"notes": notes, "next": Next.INVESTIGATE, "who": self.words[Code.UNMAPPED].who})
        return invalid(update, account, error.problems, self.words)

    @staticmethod
    def _read(account: str, row: Taken) -> tuple[PassUpdate, Outcome | None]:
        update = kept_update(row.text)
        changes = {name: value for name, value in (("to", None if update.to else account), ("at", row.at and moment(row.at))) if value}
        update = update.model_copy(update=changes) if changes else update
        return update, Outcome.model_validate_json(row.body) if row.body else None
