"""One process at work: lanes claimed, carried group by group, given back, until nothing is left.

Owns the loops and how a run ends. Reaches the ledger through a `Store` alone, so that it runs the same beside the
ledger, at the other end of a pipe, and on another machine.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from passbridge.bulk.courier import elapsed
from passbridge.bulk.shapes import End, Stop
from passbridge.bulk.turns import Claim, Idle, Result, Turn

if TYPE_CHECKING:
    from passbridge.bulk.courier import Courier
    from passbridge.bulk.turns import Store

__all__ = ["Runner"]

_GROUP: Final = 64
"""Rows in a group, at most: what is marked at once, and saved in one transaction."""
_LANES: Final = 4
"""Lanes that a process works at once: while one waits for its slowest answer, the others go on."""
_LOOK: Final = 0.25
"""Seconds between looks at an account that is paused."""


@dataclass(slots=True)
class Runner:
    """Works a job's lanes.

    Attributes:
        store: the ledger.
        courier: sends groups.
        owner: this process's name, for the ledger.
        stop: asks for a clean end.
    """

    store: Store
    courier: Courier
    owner: str
    stop: Stop
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _listens: bool = False

    async def run(self) -> End:
        """Work until nothing is left to do, or it is asked to stop.

        Raises:
            LedgerError: the ledger can't be used any more; what is in flight is finished, nothing more is sent.
        """
        self._listen()
        loops = [asyncio.ensure_future(self._loop()) for _ in range(_LANES)]
        try:
            await asyncio.wait(loops, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self._end()
            told = await asyncio.gather(*loops, return_exceptions=True)
        for error in told:
            if isinstance(error, BaseException):
                raise error
        return End.STOPPED if self.stop.requested else End.PAUSED if self.courier.given_up else End.DONE

    async def run_lane(self, lane: int, groups: int) -> bool:
        """Work one lane for a number of groups, as an engine dispatched it; whether anything was to do."""
        self._listen()
        claim = await self.store.claim(self.owner, self.courier.paused(time.monotonic()), lane)
        if isinstance(claim, Claim):
            await self._work(claim, groups)
        return isinstance(claim, Claim)

    def _listen(self) -> None:
        if self._listens:  # a dispatched lane is one of very many
            return
        self._listens, loop = True, asyncio.get_running_loop()
        self.stop.tell(lambda: None if loop.is_closed() else loop.call_soon_threadsafe(self._end))

    def _end(self) -> None:
        self._over.set()
        self.courier.stop()

    async def _loop(self) -> None:
        while not self._over.is_set():
            paused = self.courier.paused(time.monotonic())
            claim = await self.store.claim(self.owner, paused)
            if isinstance(claim, Claim):
                await self._work(claim)
            elif not await self._idle(claim, paused):
                return

    async def _idle(self, idle: Idle, paused: list[str]) -> bool:
        """Wait until there may be something to do; false where there won't be."""
        probed = set(paused) - set(self.courier.given_up)
        if idle.wait is None and not probed:
            return False
        wait = _LOOK if idle.wait is None else min(idle.wait, _LOOK) if probed else idle.wait
        await self._pause(wait)
        return True

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._over.wait(), seconds)
        except TimeoutError:
            return

    async def _work(self, claim: Claim, groups: int | None = None) -> None:
        results: list[Result] = self.courier.recovered(claim)
        while True:
            limit = 0 if groups == 0 else self._limit(claim.account)
            asked = elapsed()
            turn: Turn = await self.store.turn((claim.lane, claim.epoch), results, limit)
            results = []
            if turn.wait is not None:
                await self._pause(turn.wait)
            elif not turn.rows:
                return
            else:
                results = await self.courier.carry(claim.account, turn, asked)
            groups = None if groups is None else groups - 1

    def _limit(self, account: str) -> int:
        """Rows of the next group: no more than the account bears, one for a probe, none where nothing may begin."""
        gate = self.courier.gate(account)
        if self._over.is_set():
            return 0
        if not gate.breaker.closed:
            return int(gate.probing(time.monotonic()))
        return min(_GROUP, max(1, int(gate.window.size)))
