"""Several processes on one PostgreSQL ledger: one killed, one frozen and thawed; and lanes run by some engine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from passbridge.bulk import LaneWorker, Options, State, export, run, status, sweep, work
from passbridge.errors import LedgerError
from tests.bulk.jobs import Desk, redeem, revise

_WORKER = """
import sys
from passbridge.bulk import Options, work
work(sys.argv[1], sys.argv[2], Options(workers=1, patience=5.0))
"""

_PASSES = 120


@contextmanager
def _worker(desk: Desk, ledger: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", _WORKER, str(desk.folder / "passbridge.toml"), ledger]
    with (desk.folder / "errors").open("ab") as errors:
        worker = subprocess.Popen(command, stderr=errors)  # noqa: S603 - our own command
        try:
            yield worker
        finally:
            worker.kill()
            worker.wait()


def _until(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)


def _written(desk: Desk, ledger: str) -> list[str]:
    """A job that is written and not begun: two updates of each pass."""
    ids = desk.passes(_PASSES)
    desk.write([*(revise(id_) for id_ in ids), *(redeem(id_) for id_ in ids)], ledger)
    return ids


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_one_worker_killed_or_frozen_and_thawed_the_other_takes_its_lanes(desk: Desk, server: str, number: signal.Signals) -> None:
    ids = _written(desk, server)
    with _worker(desk, server) as lost, _worker(desk, server) as other:
        _until(lambda: len(desk.log()) > 20 or other.poll() is not None)
        lost.send_signal(number)
        _until(lambda: other.poll() is not None)
        before = len(desk.log())
        assert other.returncode == 0, (desk.folder / "errors").read_text()
        if number is signal.SIGSTOP:
            lost.send_signal(signal.SIGCONT)
            _until(lambda: lost.poll() is not None)
            # Frozen in the middle of a transaction it has lost its connection, and says so.
            assert lost.returncode == 0 or "LedgerError" in (desk.folder / "errors").read_text()

    entries = {entry.line: entry for entry in export(server)}
    assert sorted(entries) == list(range(1, 2 * _PASSES + 1))
    assert Counter(entry.state for entry in entries.values()) == {State.APPLIED: 2 * _PASSES}
    assert len(desk.log()) - before <= 64, "a frozen worker sends no more than its group in flight"
    asked = Counter((request["pass"], request["action"]) for request in desk.log())
    for line, entry in entries.items():
        assert entry.outcome
        name = (entry.outcome.pass_id, "UPDATE" if line <= _PASSES else "USED")
        slack = number is signal.SIGSTOP  # what it had in flight may reach the gateway when it thaws, told by nobody
        assert asked[name] <= len(entry.outcome.attempts) + slack, entry
    if number is signal.SIGKILL:
        for id_ in ids:
            assert desk.sent(id_) == sorted(desk.sent(id_)), "a later update overtook an earlier one"


def test_an_engine_needs_to_know_lanes_alone(desk: Desk, server: str) -> None:
    _written(desk, server)
    config = str(desk.folder / "passbridge.toml")
    dispatched: list[tuple[str, int]] = []

    with LaneWorker(config, server, Options(patience=1.0)) as worker:
        while sweep(server, lambda account, lane: dispatched.append((account, lane))):
            for account, lane in (*dispatched, *dispatched[:2]):  # twice, as an engine may
                worker.run_lane(account, lane, groups=1)
            dispatched.clear()
        assert not worker.run_lane("hk-tickets", 64)

    told = status(server)
    assert dict(told.states) == {State.APPLIED: 2 * _PASSES}
    assert len(desk.log()) == 2 * _PASSES


def test_helping_needs_a_job_that_is_written(desk: Desk, server: str) -> None:
    with pytest.raises(LedgerError, match="no such job"):
        work(desk.config, server)
    with pytest.raises(LedgerError, match="no such job"):
        LaneWorker(desk.config, server)
    with pytest.raises(LedgerError, match="several workers can't share"):
        LaneWorker(desk.config, desk.ledger)
    desk.run([redeem(id_) for id_ in desk.passes(1)], server)
    assert work(desk.config, server).as_json()["codes"] == {"APPLIED": 1}
    assert run(desk.config, None, server).exit == 0
