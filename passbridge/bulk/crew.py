"""Several worker processes over one ledger: this process keeps it, they send.

Owns the workers' lives: started, served, replaced if they die, stopped. A dead worker's lanes are taken up by the
others; what it had in flight is in doubt.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk import frames
from passbridge.bulk.database import refused
from passbridge.bulk.shapes import End, Options, Stop
from passbridge.bulk.turns import Claim
from passbridge.errors import ConfigError, Problem

if TYPE_CHECKING:
    from passbridge.accounts import Given
    from passbridge.bulk.store import LocalStore

__all__ = ["Crew"]

_REPLACED: Final = 5
"""Workers that may die in one run, before it is given up."""


@dataclass(slots=True)
class Crew:
    """The workers of one run.

    Attributes:
        store: the ledger.
        config: what each worker opens.
        options: how each works.
        stop: asks for a clean end.
        lock: the ledger's lock, held by each worker too.
        identities: what tells the job's accounts from any others; a worker that finds others ends the job.
    """

    store: LocalStore
    config: Given = field(repr=False)  # a mapping may hold keys
    options: Options
    stop: Stop
    lock: int | None
    identities: Mapping[str, str]
    _died: int = 0
    _workers: set[Process] = field(default_factory=set)

    async def run(self, workers: int) -> End:
        """Work with so many processes until nothing is left to do, or it is asked to stop.

        Raises:
            LedgerError: the ledger can't be used any more, or workers keep dying.
            ConfigError: a worker can't open the configuration, or it was changed since the job was begun.
        """
        loop = asyncio.get_running_loop()
        self.stop.tell(lambda: None if loop.is_closed() else loop.call_soon_threadsafe(self._tell))
        tasks = [asyncio.ensure_future(self._kept(f"{os.getpid()}-{number}")) for number in range(workers)]
        try:
            ends = await asyncio.gather(*tasks)
        except BaseException:
            for worker in self._workers:
                worker.kill()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise
        return End.STOPPED if self.stop.requested or End.STOPPED in ends else End.PAUSED if End.PAUSED in ends else End.DONE

    async def _kept(self, owner: str) -> End:
        """One worker, replaced while it dies."""
        while True:
            end = await self._worker(owner)
            if end is not None or self.stop.requested:
                return end or End.STOPPED
            self._died += 1
            if self._died > _REPLACED:
                message = "keep dying; what they had in flight is in doubt"
                raise refused("worker processes", "workers_died", message, "see to the machine's memory, then run again")

    async def _worker(self, owner: str) -> End | None:
        command = (sys.executable, "-m", "passbridge.bulk.worker")
        held = (self.lock,) if self.lock is not None and os.name == "posix" else ()
        # A session of its own: Ctrl-C is this process's to take, which then asks for a clean end.
        worker = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, pass_fds=held, start_new_session=True, limit=1 << 26
        )
        self._workers.add(worker)
        try:
            return await self._served(worker, owner)
        finally:
            self._workers.discard(worker)
            if worker.returncode is None and not await _ended(worker):
                worker.kill()
                await worker.wait()

    async def _served(self, worker: Process, owner: str) -> End | None:
        """Answer a worker until it says how it ended; None where it died."""
        held: set[tuple[int, int]] = set()
        end: End | None = None
        _say(worker, {"config": self.config, "options": asdict(self.options), "owner": owner, "identities": self.identities})
        if self.stop.requested:
            _say(worker, (None, "stop"))
        tasks: set[asyncio.Task[None]] = set()
        reader = worker.stdout or asyncio.StreamReader()
        failed: list[BaseException] = []
        while (message := await frames.read(reader)) is not None:
            number, kind, *values = message
            if failed:
                break
            if kind == "end":
                end = End(values[0])
                break
            if kind == "error":
                raise ConfigError(Problem(**problem) for problem in values[0])
            task = asyncio.ensure_future(self._answer(worker, held, number, kind, values))
            tasks.add(task)
            task.add_done_callback(_collect(tasks, failed, worker))
        await asyncio.gather(*tasks, return_exceptions=True)
        if failed:
            raise failed[0]
        if end is None:
            await self.store.abandon(held)
        return end

    async def _answer(self, worker: Process, held: set[tuple[int, int]], number: int, kind: str, values: list[Any]) -> None:
        if kind == "claim":
            claim = await self.store.claim(*values)
            if isinstance(claim, Claim):
                held.add((claim.lane, claim.epoch))
            _say(worker, (number, frames.plain(claim)))
            return
        (lane, epoch), results, limit = values
        turn = await self.store.turn((lane, epoch), frames.results_of(results), limit)
        if not turn.rows and turn.wait is None:
            held.discard((lane, epoch))
        _say(worker, (number, frames.plain(turn)))

    def _tell(self) -> None:
        for worker in self._workers:
            _say(worker, (None, "stop"))


def _collect(tasks: set[asyncio.Task[None]], failed: list[BaseException], worker: Process) -> Callable[[asyncio.Task[None]], None]:
    """Remember a failure of the ledger, and end the worker: it would wait for an answer for ever."""

    def collect(task: asyncio.Task[None]) -> None:
        tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            failed.append(error)
            if worker.returncode is None:
                worker.kill()

    return collect


def _say(worker: Process, message: object) -> None:
    if worker.stdin is not None and not worker.stdin.is_closing():
        worker.stdin.write(frames.pack(message))


async def _ended(worker: Process) -> bool:
    """Whether it ended by itself, given a moment."""
    try:
        await asyncio.wait_for(worker.wait(), 5)
    except TimeoutError:
        return False
    return True
