"""Jobs as generators: each outcome is yielded as it becomes final, or is left in doubt.

Owns the thread in which a job runs beside its reader, and how the two end each other. What a job is, `jobs` knows.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import TYPE_CHECKING

from passbridge.bulk.jobs import Job, Source
from passbridge.bulk.rows import Row
from passbridge.bulk.shapes import Options, Stop
from passbridge.bulk.store import Feed
from passbridge.domain import Outcome

if TYPE_CHECKING:
    import os

    from passbridge.accounts import Given
    from passbridge.client import AsyncClient
    from passbridge.domain import PassUpdate

__all__ = ["arun_bulk", "run_bulk"]


def run_bulk(
    client_or_config: AsyncClient | Given,
    updates: Iterable[PassUpdate] | None,
    *,
    ledger: str | os.PathLike[str],
    options: Options | None = None,
    stop: Stop | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Carry out many updates, and yield each outcome with its line (from 1) as it becomes final or is left in doubt.

    A ledger that already holds these updates is gone on with: outcomes of an earlier run are not yielded again
    (`export` gives them).

    Args:
        client_or_config: what `Client.from_config` takes; or an `AsyncClient`, which is then used in this process alone.
        updates: the updates, in their order; None to go on with what the ledger holds.
        ledger: a file's path or a PostgreSQL URL.
        options: pace, order and processes.
        stop: asks for a clean end; leaving the generator does, too.

    Raises:
        LedgerError: the ledger can't be used.
        ConfigError: the configuration can't work.
    """
    return _Reader(client_or_config, updates, ledger, options or Options(), stop or Stop()).read()


async def arun_bulk(
    client_or_config: AsyncClient | Given,
    updates: Iterable[PassUpdate] | None,
    *,
    ledger: str | os.PathLike[str],
    options: Options | None = None,
    stop: Stop | None = None,
) -> AsyncIterator[tuple[int, Outcome]]:
    """The same, awaiting."""
    feed, asked = Feed(), stop or Stop()
    job = Job(Source.of(client_or_config), ledger, options or Options(), asked, feed=feed)
    task = asyncio.ensure_future(job.run(_rows(updates)))
    try:
        while told := await feed.take():
            for line, body in told:
                yield line, Outcome.model_validate_json(body)
    finally:
        asked.request()
        await feed.end()
        await task


class _Reader:
    """A run in a thread of its own, so that requests in flight never wait for whoever reads their outcomes."""

    def __init__(
        self,
        given: AsyncClient | Given,
        updates: Iterable[PassUpdate] | None,
        ledger: str | os.PathLike[str],
        options: Options,
        stop: Stop,
    ) -> None:
        self._given, self._updates, self._ledger, self._options, self._stop = given, updates, ledger, options, stop
        self._told: queue.Queue[tuple[int, Outcome] | BaseException | None] = queue.Queue(1000)
        self._left = threading.Event()

    def read(self) -> Iterator[tuple[int, Outcome]]:
        thread = threading.Thread(target=self._run, name="passbridge-bulk", daemon=True)
        thread.start()
        try:
            while (told := self._told.get()) is not None:
                if isinstance(told, BaseException):
                    raise told
                yield told
        finally:
            self._stop.request()
            self._left.set()
            while thread.is_alive():  # it may wait for room to say what nobody reads any more
                self._drain()
                thread.join(0.05)

    def _run(self) -> None:
        try:
            asyncio.run(self._pass_on())
        except BaseException as error:  # noqa: BLE001 - raised where it is read
            self._told.put(error)
        else:
            self._told.put(None)

    async def _pass_on(self) -> None:
        outcomes = arun_bulk(self._given, self._updates, ledger=self._ledger, options=self._options, stop=self._stop)
        async for told in outcomes:
            if not self._left.is_set():
                await asyncio.to_thread(self._told.put, told) if self._told.full() else self._told.put_nowait(told)

    def _drain(self) -> None:
        while not self._told.empty():
            self._told.get_nowait()


def _rows(updates: Iterable[PassUpdate] | None) -> Iterator[Row] | None:
    return None if updates is None else (Row.of(line, update) for line, update in enumerate(updates, 1))
