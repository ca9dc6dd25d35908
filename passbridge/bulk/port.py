"""The port for engines: lanes that are due are dispatched, and a lane that was dispatched is run.

Owns the smallest thing that DBOS, Celery or any other engine has to know: `sweep(dispatch)` and `run_lane(account,
lane)`. The guarantees are the ledger's: a lane may be dispatched twice, late or never, and run on any machine.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from passbridge.bulk.courier import Courier
from passbridge.bulk.database import refused
from passbridge.bulk.ledger import Ledger, set_back, shared
from passbridge.bulk.runner import Runner
from passbridge.bulk.schema import NEVER
from passbridge.bulk.shapes import Options, Stop
from passbridge.bulk.store import LocalStore
from passbridge.client import AsyncClient, accounts_of

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from passbridge.accounts import Given

__all__ = ["Dispatch", "LaneWorker", "sweep", "swept"]

_T = TypeVar("_T")

_GROUPS: Final = 50
"""Groups of one dispatch: some three thousand rows, so that an engine's own cost doesn't count."""

Dispatch = Callable[[str, int], object]
"""Hands a lane of an account to some worker, sometime."""


def sweep(ledger: str, dispatch: Dispatch) -> frozenset[str]:
    """Dispatch every lane that has something to do and that nobody holds. Harmless from several places at once.

    Done every second or so, this is also how a job is resumed, and how a dead worker's lanes are taken up.

    Args:
        ledger: a PostgreSQL URL.
        dispatch: called with account and lane.

    Returns:
        The accounts that have anything left to do, now or later.

    Raises:
        LedgerError: the ledger can't be used.
    """
    with closing(Ledger(ledger)) as opened:
        return swept(opened, dispatch)


def swept(ledger: Ledger, dispatch: Dispatch) -> frozenset[str]:
    """The same over a ledger that stays open between one sweep and the next."""
    now = ledger.db.now()
    lanes = ledger.db.rows("SELECT account, lane, due, until FROM lane WHERE due < ? ORDER BY due, lane", (NEVER,))
    wrong = {lane for _, lane, due, until in lanes if set_back(now, due, until)}
    if wrong:
        ledger.set_right(now)
    for account, lane, due, until in lanes:
        if lane in wrong or (due <= now and until < now):  # whoever runs it knows how long it is to stay with its holder
            dispatch(account, lane)
    return frozenset(account for account, *_ in lanes)


class LaneWorker:
    """One process that runs lanes as an engine dispatches them. May be shared between the engine's threads.

    Args:
        config: as for `Client.from_config`.
        ledger: a PostgreSQL URL, with a job completely written.
        options: concurrency, patience and order; the rate is the ledger's.

    Raises:
        LedgerError: the ledger can't be used, or holds no complete job.
        ConfigError: the configuration can't work.
    """

    def __init__(self, config: Given, ledger: str, options: Options | None = None) -> None:
        if not shared(ledger):
            raise refused(ledger, "not_shared", "is a file, which several workers can't share", "give a postgresql:// address")
        self._stop = Stop()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="passbridge-lanes", daemon=True)
        self._thread.start()
        try:
            self._work = self._wait(_opened(config, ledger, options or Options(), self._stop))
        except BaseException:
            self._end()
            raise

    def run_lane(self, account: str, lane: int, groups: int = _GROUPS) -> bool:
        """Run a lane until it has nothing to do, or for so many groups; whether it had anything to do, and was free.

        Args:
            account: the lane's account.
            lane: its number, as `sweep` gave it.
            groups: groups at most: then whatever else the engine has gets its turn.

        Raises:
            LedgerError: the ledger can't be used.
        """
        if account in self._work.runner.courier.given_up:
            return False
        return self._wait(self._work.runner.run_lane(lane, groups))

    def resting(self) -> frozenset[str]:
        """Accounts whose lanes this process doesn't take now: their answers stopped arriving, or being trustworthy."""
        return self._wait(self._work.resting())

    @property
    def given_up(self) -> frozenset[str]:
        """Accounts that this process won't take again: their answers didn't come back while it was patient."""
        return frozenset(self._work.runner.courier.given_up)

    def stop(self) -> None:
        """Let nothing new begin; what is in flight is finished."""
        self._stop.request()

    def close(self) -> None:
        """Finish what is in flight and let go of everything."""
        self.stop()
        self._wait(self._work.aclose())
        self._end()

    def _wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class _Work:
    """What a worker holds open."""

    client: AsyncClient
    ledger: Ledger
    store: LocalStore
    runner: Runner

    async def resting(self) -> frozenset[str]:
        return frozenset(self.runner.courier.paused(time.monotonic()))

    async def aclose(self) -> None:
        await self.store.aclose()
        self.ledger.close()
        await self.client.aclose()


async def _opened(config: Given, place: str, options: Options, stop: Stop) -> _Work:
    client = AsyncClient.from_config(config)
    try:
        accounts = accounts_of(client)
        ledger = await asyncio.to_thread(_complete, place, accounts.identities())
    except BaseException:
        await client.aclose()
        raise
    courier = Courier(client, accounts.tables.outcomes, options, accounts.deadlines())
    store = LocalStore(ledger, accounts.tables.outcomes, lease=courier.lease(), force=options.force)
    owner = f"{socket.gethostname()}-{os.getpid()}"
    return _Work(client, ledger, store, Runner(store, courier, owner, stop))


def _complete(place: str, identities: Mapping[str, str]) -> Ledger:
    """The ledger, if it holds a whole job of this configuration."""
    ledger = Ledger(place)
    try:
        ledger.require_same(identities)
        ledger.require_complete()
    except BaseException:
        ledger.close()
        raise
    return ledger
