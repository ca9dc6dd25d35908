"""One run of one job: the input written, the workers chosen, the end told.

Owns the order of these steps, and what is made sure before anything is sent. How rows are kept and carried is others'.
"""

from __future__ import annotations

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from passbridge.bulk.courier import Courier
from passbridge.bulk.crew import Crew
from passbridge.bulk.items import Book
from passbridge.bulk.ledger import Ledger, shared
from passbridge.bulk.loading import load
from passbridge.bulk.runner import Runner
from passbridge.bulk.shapes import End, Options, State, Status, Stop
from passbridge.bulk.store import Feed, LocalStore
from passbridge.bulk.views import progress
from passbridge.client import AsyncClient, Client, accounts_of

if TYPE_CHECKING:
    from passbridge.accounts import Accounts, Given
    from passbridge.bulk.rows import Row

__all__ = ["Job", "Source", "checked"]

_WORTH: Final = 2000
"""Rows that are worth a process of their own: it takes half a second to start."""
_EVERY: Final = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the accounts come from: a configuration, or a client that is open already.

    Attributes:
        config: what `Client.from_config` takes.
        client: a client, used in this process alone.
    """

    config: Given = field(default=None, repr=False)  # a mapping may hold keys
    client: AsyncClient | None = None

    @classmethod
    def of(cls, given: AsyncClient | Given) -> Source:
        """Of what a caller gave."""
        return cls(client=given) if isinstance(given, AsyncClient) else cls(config=given)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncClient]:
        """The client; one of our own is closed at the end."""
        if self.client is not None:
            yield self.client
        else:
            async with AsyncClient.from_config(self.config) as client:
                yield client


def checked(client: Client, row: Row) -> Row:
    """The row; one that its account can't carry with its problems and no update."""
    problems = client.check(row.update) if row.update else ()
    return replace(row, update=None, problems=problems) if problems else row


def book(accounts: Accounts, *, supersede: bool) -> Book:
    """What loading needs of a configuration."""
    identities = accounts.identities()
    timed = frozenset(name for name in identities if "at" in accounts.capabilities(name).members)
    return Book(accounts.default, identities, timed, accounts.tables.outcomes, accounts.check if supersede else None)


@dataclass(slots=True)
class Job:
    """One run.

    Attributes:
        source: where the accounts come from.
        place: the ledger.
        options: pace, order and processes.
        stop: asks for a clean end.
        report: takes the progress.
        feed: takes the outcomes.
        helping: whether another process has written the job.
    """

    source: Source
    place: str | os.PathLike[str]
    options: Options
    stop: Stop
    report: Callable[[Status], object] | None = None
    feed: Feed | None = None
    helping: bool = False

    async def run(self, rows: Iterable[Row] | None, fingerprint: str | None = None) -> Status:
        """Write what isn't written, carry it out, and say how it ended."""
        try:
            async with self.source.open() as client:
                accounts = accounts_of(client)
                ledger = await asyncio.to_thread(Ledger, self.place, create=rows is not None, alone=not shared(self.place))
                try:
                    end = await self._carried_out(ledger, client, accounts, rows, fingerprint)
                    status = replace(progress(ledger), end=end)
                finally:
                    ledger.close()
        finally:
            if self.feed:
                await self.feed.end()
        if self.report:
            self.report(status)
        return status

    async def _carried_out(
        self, ledger: Ledger, client: AsyncClient, accounts: Accounts, rows: Iterable[Row] | None, fingerprint: str | None
    ) -> End:
        await asyncio.to_thread(self._written, ledger, accounts, rows, fingerprint)
        if self.stop.requested:
            return End.STOPPED
        courier = Courier(client, accounts.tables.outcomes, self.options, accounts.deadlines())
        words = accounts.tables.outcomes
        store = LocalStore(ledger, words, lease=courier.lease(), force=self.options.force, feed=self.feed, report=self.report)
        try:
            workers = self._workers(ledger)
            if workers > 1:
                lock = ledger.lock.file if ledger.lock else None
                return await Crew(store, self.source.config, self.options, self.stop, lock, ledger.identities()).run(workers)
            return await Runner(store, courier, str(os.getpid()), self.stop).run()
        finally:
            await store.aclose()

    def _written(self, ledger: Ledger, accounts: Accounts, rows: Iterable[Row] | None, fingerprint: str | None) -> None:
        """Everything that must hold before the first request: the input is there, whole, and the configuration is its own."""
        ledger.require_same(accounts.identities())
        if rows is not None:
            load(ledger, rows, book(accounts, supersede=self.options.supersede), fingerprint, self._between(ledger))
        if not self.stop.requested:
            ledger.require_complete()
            ledger.begin(self.options.rate, anew=not self.helping)

    def _between(self, ledger: Ledger) -> Callable[[], bool]:
        """Between two batches of the input: tell the progress, and look whether to stop."""
        told = time.monotonic()

        def between() -> bool:
            nonlocal told
            if self.report and time.monotonic() - told >= _EVERY:
                told = time.monotonic()
                self.report(progress(ledger))
            return self.stop.requested

        return between

    def _workers(self, ledger: Ledger) -> int:
        """Processes: as many as asked for; else one a core, but no more than the open rows are worth."""
        if self.source.client is not None:
            return 1
        states = progress(ledger).states
        left = sum(states.get(state, 0) for state in (State.OPEN, State.UNSENT, State.UNKNOWN))
        return max(1, min(self.options.workers or _cores(), left if self.options.workers else math.ceil(left / _WORTH)))


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
