"""A fleet over a real PostgreSQL server and DBOS: machines die, freeze and thaw, and the gateway's own log is the truth."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from passbridge.bulk import Options, State, Stop, status
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.machine import join
from passbridge.bulk.postgresql import address_of
from passbridge.bulk.shapes import End, Status
from passbridge.errors import ConfigError, LedgerError
from tests.bulk.crashing import judge, prepare, updates_of
from tests.bulk.jobs import Desk, redeem
from tests.bulk.machines import Machines

_PASSES = 110


def _children(process: subprocess.Popen[bytes]) -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii").split()]


def _alive(pid: int) -> bool:
    """Whether it runs; one that ended and that nobody has asked for doesn't."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False


def _sql(ledger: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(address_of(ledger)[0], autocommit=True) as connection:
        found = connection.execute(query)
        return found.fetchall() if found.description else []


def _owners(ledger: str) -> set[str]:
    """Who holds lanes now."""
    with closing(Ledger(ledger)) as opened:
        return {owner for (owner,) in opened.db.rows("SELECT owner FROM lane WHERE until > ?", (opened.db.now(),))}


def _in_flight(ledger: str, pids: list[int]) -> int:
    """How many rows these processes have in flight."""
    marks = "length(flight) - length(replace(flight, ',', ''))"
    with closing(Ledger(ledger)) as opened:
        found = opened.db.rows(f"SELECT owner, {marks} FROM lane WHERE flight <> '' AND owner IS NOT NULL")  # noqa: S608 - our own words
    return sum(commas for owner, commas in found if any(owner.endswith(f"-{pid}") for pid in pids))


def test_of_three_machines_one_is_killed_and_one_frozen_and_thawed(desk: Desk, server: str) -> None:
    updates = updates_of(desk.passes(_PASSES))
    config = prepare(desk, updates, share=0.03)
    config.write_text(config.read_text(encoding="utf-8").replace("deadline = 3.0", "deadline = 1.0"), encoding="utf-8")
    with Machines(desk, server) as machines:
        machines.write(updates, rate=45.0)
        machines.start(3)
        machines.until(lambda: len(_owners(server)) == 3)
        machines.until(lambda: len(desk.log()) > 15)

        machines.signal(1, signal.SIGSTOP)
        time.sleep(0.1)  # the server has what it was sent before
        flying = _in_flight(server, _children(machines.running[1]))
        machines.signal(0, signal.SIGKILL)
        machines.until(lambda: not machines.left())
        before = len(desk.log())
        machines.signal(1, signal.SIGCONT)
        machines.lost(0)
        machines.finish()

    judge(desk, updates, desk.entries(server))
    assert len(desk.log()) - before <= flying, "a frozen machine sends no more than its group in flight"
    _nobody_waits_for_the_dead(desk, server)


def _nobody_waits_for_the_dead(desk: Desk, ledger: str) -> None:
    """Of the machine that was killed a task is left over, which belongs to nobody: whoever sweeps ends it, once it is old."""
    tasks = f"pb_dbos_{ledger.rpartition('=')[2]}.workflow_status"
    _sql(ledger, f"UPDATE {tasks} SET started_at_epoch_ms = started_at_epoch_ms - 3600000 WHERE status = 'PENDING'")  # noqa: S608 - our own words
    assert _sql(ledger, f"SELECT 1 FROM {tasks} WHERE status = 'PENDING'")  # noqa: S608 - likewise

    told = join(desk.folder / "passbridge.toml", ledger, Options(workers=1), until_done=True)

    assert told.end is End.DONE
    assert not _sql(ledger, f"SELECT 1 FROM {tasks} WHERE status = 'PENDING'")  # noqa: S608 - likewise
    versions = _sql(ledger, f"SELECT DISTINCT application_version, serialization FROM {tasks}")  # noqa: S608 - likewise
    assert versions == [("lanes-1", "portable_json")], "a new release must find what an old one queued, and unpickle nothing"


class _Joined:
    """A machine in a thread of this process; its workers are processes of their own."""

    def __init__(self, config: object, ledger: str, **options: float) -> None:
        self.stop, self.seen, self.ended = Stop(), list[Status](), list[Status]()
        chosen = Options(**({"workers": 1, "patience": 5.0} | options))  # type: ignore[arg-type]  # as given
        self._thread = threading.Thread(
            target=lambda: self.ended.append(
                join(config, ledger, chosen, stop=self.stop, report=self.seen.append)  # type: ignore[arg-type]  # a path
            )
        )
        self._thread.start()

    def end(self) -> Status:
        self._thread.join(60)
        assert self.ended, "the machine does not end"
        return self.ended[0]


def _until(ready: Callable[[], object]) -> None:
    until = time.monotonic() + 60
    while not ready():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.02)


def test_a_machine_waits_for_the_job_replaces_a_process_that_dies_and_waits_for_more(desk: Desk, server: str) -> None:
    config = desk.write([redeem(id_) for id_ in desk.passes(90)], server)
    with closing(Ledger(server)) as opened:
        opened.begin(40.0, anew=True)
        opened.db.run("UPDATE job SET ready = 0")
    machine = _Joined(config, server)
    _until(lambda: machine.seen)
    assert machine.seen[0].loading
    assert not _owners(server)

    with closing(Ledger(server)) as opened:
        opened.db.run("UPDATE job SET ready = 1")
    _until(lambda: len(desk.log()) > 5)
    (owner,) = _owners(server)
    os.kill(int(owner.rpartition("-")[2]), signal.SIGKILL)
    _until(lambda: status(server).states.get(State.APPLIED) == 90)
    assert len({request["pass"] for request in desk.log()}) == 90
    assert not machine.ended

    machine.stop.request()
    told = machine.end()
    assert (told.end, told.exit) == (End.STOPPED, 0)


def test_a_machine_whose_first_process_is_killed_ends_with_what_is_in_flight(desk: Desk, server: str) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(120)], server)
    with closing(Ledger(server)) as opened:
        opened.begin(30.0, anew=True)
    with Machines(desk, server) as machines:
        machines.start(1)
        machines.until(lambda: len(desk.log()) > 5)
        (child,) = _children(machines.running[0])
        machines.running[0].kill()
        machines.running[0].wait()
        machines.until(lambda: not _alive(child))
        machines.lost(0)

    told = status(server)
    assert (told.in_flight, told.states.get(State.UNKNOWN, 0)) == (0, 0)
    assert 5 < told.states[State.APPLIED] == len(desk.log()) < 120
    assert "Traceback" not in (desk.folder / "errors").read_text(encoding="utf-8")


def test_a_machine_whose_account_is_given_up_says_so(desk: Desk, server: str) -> None:
    config = desk.write([redeem(id_) for id_ in desk.passes(80)], server)
    desk.box.add_fault({"fault": "http-502", "count": 1000})

    told = _Joined(config, server, patience=0.5).end()

    assert told.end is End.PAUSED
    assert 0 < len(desk.log()) < 80


def test_another_configuration_is_refused_and_so_is_what_no_fleet_can_share(desk: Desk, server: str) -> None:
    config = desk.write([redeem(id_) for id_ in desk.passes(1)], server)
    text = config.read_text(encoding="utf-8")
    other = desk.folder / "other.toml"
    other.write_text(text.replace("[accounts.hk-tickets]", "[accounts.hk-trains]").replace('"hk-tickets"', '"hk-trains"'), encoding="utf-8")

    with pytest.raises(LedgerError, match="not in this configuration"):
        join(other, server, Options(workers=1))
    with pytest.raises(ConfigError):
        join(desk.folder / "none.toml", server, Options(workers=1))
    with pytest.raises(LedgerError, match="no such job"):
        join(config, f"{server}_other", Options(workers=1))
    with pytest.raises(LedgerError, match="several machines can't share"):
        join(config, desk.ledger, Options(workers=1))
    assert not desk.log()
