"""The ledger for senders of this process: its lanes, worked in a thread of their own.

Owns that thread, the stream of outcomes to whoever wants them, and the progress told once a second. An event loop
never waits for a disk.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, TypeVar

from passbridge.bulk.database import Passing
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.views import progress
from passbridge.errors import LedgerError

if TYPE_CHECKING:
    from passbridge.bulk.ledger import Ledger
    from passbridge.bulk.outcomes import Words
    from passbridge.bulk.shapes import Status
    from passbridge.bulk.turns import Claim, Idle, Result, Turn

__all__ = ["Feed", "LocalStore"]

_T = TypeVar("_T")

_EVERY: Final = 1.0
_PAUSE: Final = 0.2
"""Seconds between two attempts at a server that is away."""


class Feed:
    """Outcomes on their way to a reader: a bounded number of them, so that a slow reader slows the job, not the memory.

    Args:
        most: how many may wait to be read; beyond that no further group is taken.
    """

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._told: list[tuple[int, str]] = []
        self._ended = False
        self._changed = asyncio.Condition()

    @property
    def full(self) -> bool:
        """Whether the reader is far behind."""
        return not self._ended and len(self._told) > self._most

    async def room(self) -> None:
        """Wait while the reader is far behind."""
        async with self._changed:
            await self._changed.wait_for(lambda: not self.full)

    async def add(self, told: Sequence[tuple[int, str]]) -> None:
        """Hand on what was saved."""
        async with self._changed:
            self._told += told
            self._changed.notify_all()

    async def end(self) -> None:
        """There will be no more, or nobody reads any more."""
        async with self._changed:
            self._ended = True
            self._changed.notify_all()

    async def take(self) -> list[tuple[int, str]]:
        """What has come; empty when there will be no more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._told or self._ended)
            told, self._told = self._told, []
            self._changed.notify_all()
            return told


class LocalStore:
    """The lanes of an open ledger, for an event loop.

    Args:
        ledger: the ledger, completely written. Used by this store's thread alone until `aclose`.
        words: what each code means.
        lease: seconds for which a claim holds without being renewed.
        force: whether later updates pass one that won't be tried again by itself.
        feed: takes the outcomes; None where nobody wants them.
        report: takes the progress.
    """

    def __init__(  # noqa: PLR0913 - a ledger, how it is worked, and who is told
        self,
        ledger: Ledger,
        words: Words,
        *,
        lease: float,
        force: bool = False,
        feed: Feed | None = None,
        report: Callable[[Status], object] | None = None,
    ) -> None:
        self._ledger, self._feed, self._report, self._lease = ledger, feed, report, lease
        self._told: list[tuple[int, str]] = []
        self._failed: LedgerError | None = None
        self._raised: Exception | None = None
        self._away: float | None = None
        self._reported = time.monotonic()
        self._thread = ThreadPoolExecutor(1, "passbridge-ledger")
        self._lanes = Lanes(ledger, words, lease=lease, force=force, told=self._told.extend if feed else None)

    async def claim(self, owner: str, without: Sequence[str], lane: int | None = None) -> Claim | Idle:
        """Claim a lane that has something to do; while the reader of outcomes is far behind, none."""
        if self._feed:
            await self._feed.room()
        return await self._do(lambda: self._lanes.claim(owner, without, lane))

    async def turn(self, claim: tuple[int, int], results: Sequence[Result], limit: int) -> Turn:
        """Keep a group's results; take and mark the next one.

        While the reader of outcomes is far behind the lane is given back: what is marked must leave within its lease.
        """
        most = 0 if self._feed and self._feed.full else limit
        return await self._do(lambda: self._lanes.turn(claim, results, most))

    async def abandon(self, claims: Collection[tuple[int, int]]) -> None:
        """Give up lanes whose holder is gone."""
        await self._do(lambda: self._lanes.abandon(claims))

    async def aclose(self) -> None:
        """End the thread.

        Raises:
            Exception: what the report raised; it wasn't called again.
        """
        await asyncio.get_running_loop().run_in_executor(None, self._thread.shutdown)
        if self._raised:
            raise self._raised

    async def _do(self, act: Callable[[], _T]) -> _T:
        result = await asyncio.get_running_loop().run_in_executor(self._thread, self._act, act)
        if self._feed and self._told:
            told, self._told[:] = list(self._told), []
            await self._feed.add(told)
        return result

    def _act(self, act: Callable[[], _T]) -> _T:
        if self._failed and not self._ledger.shared:  # after a disk's failure nothing is marked any more, and so nothing sent
            raise self._failed
        try:
            result = self._borne(act)
        except LedgerError as error:
            self._failed = error
            raise
        if self._report and time.monotonic() - self._reported >= _EVERY:
            self._tell(self._report)
        return result

    def _tell(self, report: Callable[[Status], object]) -> None:
        """What was done is done, whatever becomes of telling it: a group that was marked and isn't sent would be a doubt."""
        self._reported = time.monotonic()
        try:
            report(progress(self._ledger))
        except LedgerError:
            return  # noticed by what comes next
        except Exception as error:  # noqa: BLE001 - a caller's own; raised when nothing is in flight any more
            self._report, self._raised = None, error

    def _borne(self, act: Callable[[], _T]) -> _T:
        """Do it; again where a failure may pass, for as long as a lease lasts: results are known here alone, and one lost is a doubt."""
        while True:
            try:
                result = act()
            except Passing:
                self._away = self._away or time.monotonic()
                if time.monotonic() - self._away >= self._lease:
                    raise
                time.sleep(_PAUSE)
            else:
                self._away = None
                return result
