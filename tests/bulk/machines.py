"""Machines of a fleet, each `passbridge bulk worker` in a process group of its own, to be killed and frozen as a whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from types import TracebackType
from typing import Self

from passbridge import Client, PassUpdate
from passbridge.bulk import sweep
from passbridge.bulk.jobs import book
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.client import accounts_of
from tests.bulk.jobs import Desk, rows

_HANGS = 90.0
"""Seconds after which something doesn't come about at all."""


class Machines:
    """The machines of one job.

    Args:
        desk: whose configuration's file they read.
        ledger: the job, on a server.
        workers: processes of each machine.
        options: for each of them.
    """

    def __init__(self, desk: Desk, ledger: str, workers: int = 1, *options: str) -> None:
        self.desk, self.ledger = desk, ledger
        self._workers, self._options = workers, options
        self.running: list[subprocess.Popen[bytes]] = []
        self._gone: list[subprocess.Popen[bytes]] = []

    def write(self, updates: Sequence[PassUpdate], rate: float | None = None) -> None:
        """The job's rows, and nothing begun."""
        with Client.from_config(self.desk.folder / "passbridge.toml") as client, closing(Ledger(self.ledger, create=True)) as opened:
            load(opened, rows(updates), book(accounts_of(client), supersede=False))
            opened.begin(rate, anew=True)

    def start(self, count: int) -> None:
        """So many more machines."""
        config = ("--config", str(self.desk.folder / "passbridge.toml"), "--workers", str(self._workers), "--patience", "5")
        command = [sys.executable, "-m", "passbridge", "bulk", "worker", "--ledger", self.ledger, *config, *self._options]
        with (self.desk.folder / "errors").open("ab") as errors:
            for _ in range(count):
                machine = subprocess.Popen(command, stdout=errors, stderr=errors, start_new_session=True)  # noqa: S603 - our own command
                self.running.append(machine)

    def signal(self, machine: int, number: signal.Signals) -> None:
        """Send a signal to all of a machine's processes."""
        os.killpg(self.running[machine].pid, number)

    def kill(self, machine: int) -> None:
        """Pull the plug of one, and put another in its place."""
        self.signal(machine, signal.SIGKILL)
        self.lost(machine)
        self.start(1)

    def lost(self, machine: int) -> None:
        """One that was killed counts no more."""
        self._gone.append(self.running.pop(machine))

    def freeze(self, machine: int) -> None:
        """Freeze one until the others have whatever it held, then thaw it."""
        self.signal(machine, signal.SIGSTOP)
        held = self.held()
        self.until(lambda: not self._still(held))
        self.signal(machine, signal.SIGCONT)

    def held(self) -> dict[int, tuple[int, int]]:
        """The lanes that are held now: the epoch of each, and how many of its rows are in flight."""
        query = "SELECT lane, epoch, length(flight) - length(replace(flight, ',', '')) FROM lane WHERE until > 0"
        with closing(Ledger(self.ledger)) as opened:
            return {lane: (epoch, commas) for lane, epoch, commas in opened.db.rows(query)}

    def _still(self, held: dict[int, tuple[int, int]]) -> bool:
        """Whether any lane is still with who held it then, its lease not over."""
        with closing(Ledger(self.ledger)) as opened:
            now = opened.db.now()
            lanes: dict[int, int] = dict(opened.db.rows("SELECT lane, epoch FROM lane WHERE until > ?", (now,)))
        return any(lanes.get(lane) == epoch for lane, (epoch, _) in held.items())

    def left(self) -> bool:
        """Whether anything is left to do."""
        return bool(sweep(self.ledger, lambda _account, _lane: None))

    def more(self, requests: int) -> bool:
        """Wait for so many more requests; false where nothing is left to do."""
        seen = len(self.desk.log())
        self.until(lambda: len(self.desk.log()) >= seen + requests or not self.left())
        return self.left()

    def until(self, ready: Callable[[], bool]) -> None:
        """Wait until something has come about; the gateway's log is read meanwhile."""
        until = time.monotonic() + _HANGS
        while not ready():
            self.desk.log()
            assert time.monotonic() < until, f"it did not come about: {(self.desk.folder / 'errors').read_text()[-3000:]}"
            time.sleep(0.02)

    def finish(self) -> None:
        """Wait until nothing is left to do; then a SIGTERM ends every machine as it should."""
        self.until(lambda: not self.left())
        for machine in self.running:
            machine.send_signal(signal.SIGTERM)
        ends = [machine.wait(30) for machine in self.running]
        assert set(ends) == {143}, (ends, (self.desk.folder / "errors").read_text()[-3000:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for machine in self.running:
            with suppress(ProcessLookupError):
                os.killpg(machine.pid, signal.SIGKILL)
        for machine in (*self.running, *self._gone):
            machine.wait()
