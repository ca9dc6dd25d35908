"""One machine of a fleet: a process a core, kept alive until it is asked to stop or the work is done.

Owns the processes' lives. What they do, and the engine that hands them lanes, is theirs: this process neither sends
nor holds the ledger open.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk import frames
from passbridge.bulk.api import status
from passbridge.bulk.database import refused
from passbridge.bulk.ledger import shared
from passbridge.bulk.shapes import End, Options, Status, Stop
from passbridge.errors import ConfigError, LedgerError, Problem

if TYPE_CHECKING:
    from passbridge.accounts import Given

__all__ = ["join"]

_EVERY: Final = 2.0
"""Seconds between two looks at the progress."""
_PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before a process that died, or lost its server, is replaced: so many times one after another."""
_LIVED: Final = 60.0
"""Seconds after which a process's end is not one of several in a row."""


def join(  # noqa: PLR0913 - the last three are named and rarely given
    config: Given,
    ledger: str,
    options: Options | None = None,
    *,
    until_done: bool = False,
    stop: Stop | None = None,
    report: Callable[[Status], object] | None = None,
) -> Status:
    """Let this machine take part in a job, which `run` has written, or is writing, to a PostgreSQL ledger.

    Args:
        config: as for `Client.from_config`; its accounts must be the job's.
        ledger: `postgresql://…` without a password; `?job=NAME` chooses among several jobs of a database.
        options: processes, concurrency, patience, order. The rate is the ledger's.
        until_done: whether to end when nothing is left to do; else only when asked to, and what is added later is taken up.
        stop: asks for a clean end.
        report: is given the progress every other second.

    Returns:
        The progress at the end, with `end`; `PAUSED` where what is left is of accounts whose answers stopped.

    Raises:
        LedgerError: there is no such job, it can't be used any more, or the extra `[fleet]` is missing.
        ConfigError: the configuration can't work.
        RuntimeError: processes keep dying.
    """
    if find_spec("dbos") is None:
        raise refused("[fleet]", "missing_extra", "a fleet's workers need DBOS", "pip install 'passbridge[fleet]'")
    if not shared(ledger):
        raise refused(ledger, "not_shared", "is a file, which several machines can't share", "give a postgresql:// address")
    machine = _Machine(config, ledger, options or Options(), until_done, stop or Stop(), report)
    return asyncio.run(machine.run())


@dataclass(slots=True)
class _Machine:
    """The processes of one machine.

    Attributes:
        config: what each of them opens.
        ledger: the job.
        options: how each works.
        until_done: whether they end when nothing is left to do.
        stop: asks for a clean end.
        report: takes the progress.
    """

    config: Given
    ledger: str
    options: Options
    until_done: bool
    stop: Stop
    report: Callable[[Status], object] | None
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _members: set[Process] = field(default_factory=set)

    async def run(self) -> Status:
        """Wait until the job is written; then keep the processes going until they end."""
        loop = asyncio.get_running_loop()
        self.stop.tell(lambda: None if loop.is_closed() else loop.call_soon_threadsafe(self._end))
        while (await self._look()).loading and not self._over.is_set():
            await self._pause(_EVERY)
        ends = [] if self._over.is_set() else await self._worked()
        end = End.STOPPED if self.stop.requested else End.PAUSED if End.PAUSED in ends else End.DONE
        return replace(await self._look(), end=end)

    async def _worked(self) -> list[End]:
        watch = asyncio.ensure_future(self._watch())
        members = [asyncio.ensure_future(self._kept()) for _ in range(self.options.workers or _cores())]
        try:
            return await asyncio.gather(*members)
        finally:
            self._end()  # one that failed fails all: the others finish what is in flight
            await asyncio.gather(*members, return_exceptions=True)
            watch.cancel()

    async def _kept(self) -> End:
        """One process, replaced when it dies or loses its server."""
        loop, died = asyncio.get_running_loop(), 0
        while True:
            began = loop.time()
            told = await self._member()
            if "end" in told:
                return End(told["end"])
            if self._over.is_set():
                return End.STOPPED
            died = 0 if loop.time() - began > _LIVED else died
            if (told and not _passing(told)) or died == len(_PAUSES):
                raise _failure(told)
            await self._pause(_PAUSES[died])
            died += 1

    async def _member(self) -> dict[str, Any]:
        """Run one process; what it says at its end, which is nothing where it died."""
        hello = {"config": self.config, "ledger": self.ledger, "options": asdict(self.options), "until_done": self.until_done}
        member = await asyncio.create_subprocess_exec(sys.executable, "-m", "passbridge.bulk.member", stdin=PIPE, stdout=PIPE)
        self._members.add(member)
        try:
            _say(member, frames.pack(hello))
            if self._over.is_set():
                _hush(member)
            told = await frames.read(member.stdout or asyncio.StreamReader())
            await member.wait()
        finally:
            self._members.discard(member)
            if member.returncode is None:
                member.kill()
        return told or {}

    async def _watch(self) -> None:
        while self.report:
            with contextlib.suppress(LedgerError):  # a server that is away for a moment: the processes say so, if it stays away
                await self._look()
            await asyncio.sleep(_EVERY)

    async def _look(self) -> Status:
        found = await asyncio.to_thread(status, self.ledger)
        if self.report:
            self.report(found)
        return found

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), seconds)

    def _end(self) -> None:
        self._over.set()
        for member in self._members:
            _hush(member)


def _say(member: Process, data: bytes) -> None:
    if member.stdin is not None:
        member.stdin.write(data)


def _hush(member: Process) -> None:
    """The end of its input asks for a clean end; that of this process does, too."""
    if member.stdin is not None:
        member.stdin.close()


def _passing(told: dict[str, Any]) -> bool:
    """Whether a failure may go away by itself: the server was away, or ended a frozen process's transaction."""
    return told["error"] == "ledger" and all(problem["code"] == "unusable" for problem in told["problems"])


def _failure(told: dict[str, Any]) -> Exception:
    if not told:
        return RuntimeError("worker processes keep dying; what they had in flight is in doubt, and whoever works on takes it up")
    kind = ConfigError if told["error"] == "config" else LedgerError
    return kind(Problem(**problem) for problem in told["problems"])


def _cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
