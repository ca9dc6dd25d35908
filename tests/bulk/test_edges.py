"""What unlucky surroundings do to a job: odd bytes, odd paths, clocks that jump, runners that die at the wrong moment."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from passbridge import Client
from passbridge.bulk import Options, State, Status, export, run, settle, status
from passbridge.bulk.input import Input, Reading
from passbridge.bulk.jobs import book
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.bulk.order import MOST_WAITING
from passbridge.bulk.outcomes import Verdict
from passbridge.bulk.schema import PENDING
from passbridge.bulk.store import LocalStore
from passbridge.bulk.turns import Claim, Idle, Result
from passbridge.bulk.views import retried, settle_row
from passbridge.client import accounts_of
from passbridge.errors import ConfigError, LedgerError
from passbridge.shipped import shipped_tables
from tests.bulk.jobs import Desk, redeem, revise, rows
from tests.bulk.test_refusals import codes


def test_a_key_with_other_content_is_listed_whatever_else_its_lane_holds(desk: Desk, ledger: str) -> None:
    ids = desk.passes(40)
    updates = [revise(ids[0], "k")] + [revise(id_, "k") for id_ in ids[1:]]

    told = desk.run(updates, ledger)

    entries = desk.entries(ledger)
    assert told.rows == len(entries) == 40
    assert [entry.state for _, entry in sorted(entries.items())] == [State.APPLIED] + [State.INVALID] * 39


def test_bytes_that_no_text_column_holds_are_a_bad_row_and_no_more(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    lines = [
        b'\x00{"action"',
        b'{"action": "redeem", "x\\u0000": 1}',
        b'{"action": "\\ud800"}',
        b"\xff\xfe\xed\xa0\x80",
        rows([redeem(id_)])[0].text.encode(),
    ]
    with Input("standard input", Reading(format="jsonl"), io.BytesIO(b"\n".join(lines))) as given:
        told = run(desk.config, given, ledger, Options(workers=1))

    assert dict(told.states) == {State.APPLIED: 1, State.INVALID: 4}
    assert len(list(export(ledger))) == 5


def test_an_answer_that_holds_what_no_encoding_can_carry(desk: Desk, ledger: str) -> None:
    ids = desk.passes(3)
    desk.box.add_fault({"fault": "lone-surrogate", "match": {"pass": ids[0]}})

    told = desk.run([redeem(id_) for id_ in ids], ledger)

    assert dict(told.states) == {State.UNKNOWN: 1, State.APPLIED: 2}


def test_an_unsent_row_that_is_in_flight_again_shows_its_doubt(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    desk.write([redeem(id_)], ledger)
    away = desk.config | {"retry": {"attempts": 1}}
    away["accounts"] = {"hk-tickets": away["accounts"]["hk-tickets"] | {"gateway": "http://127.0.0.1:9"}}
    with Client.from_config(away) as client:
        outcome = client.apply(redeem(id_))
    words = shipped_tables().outcomes
    with closing(Ledger(ledger)) as opened:
        lanes = Lanes(opened, words, lease=10.0)
        claim = lanes.claim("one")
        assert isinstance(claim, Claim)
        assert [row.line for row in lanes.turn((claim.lane, claim.epoch), (), 5).rows] == [1]
        assert not lanes.turn((claim.lane, claim.epoch), [Result(1, Verdict.of(outcome, words), 1)], 0).rows
        assert [entry.state for entry in export(ledger)] == [State.UNSENT]
        opened.begin(None, anew=True)
        claim = lanes.claim("one that will be killed")
        assert isinstance(claim, Claim)
        assert [row.line for row in lanes.turn((claim.lane, claim.epoch), (), 5).rows] == [1]

    assert [entry.state for entry in export(ledger)] == [State.UNKNOWN]
    assert [entry.outcome.effect.value for entry in export(ledger, [State.UNKNOWN]) if entry.outcome] == ["unknown"]
    assert list(export(ledger, [State.UNSENT])) == []
    assert status(ledger).exit == 5
    shared = ledger.startswith("postgresql:")
    assert codes(lambda: settle(ledger, 1, applied=True, reason="seen")) == (["locked"] if shared else ["not_in_doubt"])


def test_no_word_is_kept_while_a_worker_holds_the_lane(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    desk.box.add_fault({"fault": "bad-signature"})
    assert dict(desk.run([redeem(id_)], ledger).states) == {State.UNKNOWN: 1}
    words = shipped_tables().outcomes
    with closing(Ledger(ledger)) as operators, closing(Ledger(ledger)) as workers:  # who both found that nobody was at work
        workers.begin(None, anew=True)
        assert isinstance(Lanes(workers, words, lease=10.0).claim("one"), Claim)

        assert codes(lambda: settle_row(operators, 1, words, applied=False, reason="seen")) == ["locked"]

    assert [entry.state for entry in export(ledger)] == [State.UNKNOWN]


def test_one_ledger_by_two_names_is_one_ledger(desk: Desk) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(1)])
    other = desk.folder / "other.db"
    other.symlink_to(desk.ledger)

    with closing(Ledger(desk.ledger, alone=True)):
        assert codes(lambda: desk.run(None, str(other))) == ["locked"]


def test_a_ledger_is_a_file_whatever_its_name(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    desk.run([redeem(id_) for id_ in desk.passes(1)], ":memory:")

    assert status(":memory:").rows == 1


@pytest.mark.parametrize(
    "place", ["postgresql+psycopg://me:secret@127.0.0.1/db", "POSTGRESQL://me:secret@127.0.0.1/db", "mysql://me:secret@h/db"]
)
def test_another_kind_of_address_is_no_file_and_is_not_shown(place: str) -> None:
    with pytest.raises(LedgerError) as caught:
        status(place)

    assert [problem.code for problem in caught.value.problems] == ["unknown_address"]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("place", ["postgresql://[::1/db", "postgresql://127.0.0.1:1/db?no_such_word=1"])
def test_an_address_that_cannot_be_read(place: str) -> None:
    assert codes(lambda: status(place)) == ["bad_address"]


def test_a_lane_full_of_rows_that_wait_is_left_until_they_may_go(desk: Desk) -> None:
    desk.write([revise("31", gate=str(number)) for number in range(MOST_WAITING + 10)])
    words = shipped_tables().outcomes
    with closing(Ledger(desk.ledger)) as opened:
        lanes = Lanes(opened, words, lease=10.0)
        claim = lanes.claim("one")
        assert isinstance(claim, Claim)
        held = (claim.lane, claim.epoch)
        assert [row.line for row in lanes.turn(held, (), 1000).rows] == [1]
        unsent = Result(1, Verdict(State.UNSENT, "NOT_SENT", 6, again=True, body="{}"), 1)
        turn = lanes.turn(held, [unsent], 1000)
        assert not turn.rows

        idle = lanes.claim("one")

        assert isinstance(idle, Idle)
        assert idle.wait is not None
        assert 0.1 < idle.wait < 1.9


def test_a_clock_that_is_set_frees_no_lane(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write([redeem("31")])
    words = shipped_tables().outcomes
    with closing(Ledger(desk.ledger)) as opened:
        lanes = Lanes(opened, words, lease=10.0)
        assert isinstance(lanes.claim("one"), Claim)
        today = time.time()
        monkeypatch.setattr(time, "time", lambda: today + 3600)

        assert isinstance(lanes.claim("another"), Idle)


def test_after_a_failure_of_its_file_a_ledger_marks_nothing_more(desk: Desk) -> None:
    desk.write([redeem("31"), redeem("32"), redeem("33")])
    words = shipped_tables().outcomes

    async def asked() -> None:
        with closing(Ledger(desk.ledger)) as opened:
            store = LocalStore(opened, words, lease=10.0)
            opened.db.run("ALTER TABLE lane RENAME TO elsewhere")
            with pytest.raises(LedgerError, match="can't be used"):
                await store.claim("one", [])
            opened.db.run("ALTER TABLE elsewhere RENAME TO lane")
            with pytest.raises(LedgerError, match="can't be used"):
                await store.claim("one", [])
            await store.aclose()

    asyncio.run(asked())
    assert status(desk.ledger).in_flight == 0


def _workers() -> list[int]:
    """The worker processes of jobs that run in this process."""
    tasks = Path(f"/proc/{os.getpid()}/task")
    children = {int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text(encoding="ascii").split()}
    return [pid for pid in children if b"passbridge.bulk.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()]


class _Killer(threading.Thread):
    """Kills workers of a job, one after another, once the gateway has been asked."""

    def __init__(self, desk: Desk, most: int) -> None:
        super().__init__(daemon=True)
        self._desk, self._most, self._asked, self.ended = desk, most, len(desk.log()), threading.Event()

    def run(self) -> None:
        killed: set[int] = set()
        while len(killed) < self._most and not self.ended.wait(0.05):
            for pid in set(_workers()[:1]) - killed if len(self._desk.log()) > self._asked else ():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed.add(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="finds its workers by /proc")
def test_workers_that_keep_dying_end_the_job_resumably(desk: Desk) -> None:
    updates = [redeem(id_) for id_ in desk.passes(300)]
    config = desk.write(updates)
    killer = _Killer(desk, 50)
    killer.start()

    found = codes(lambda: run(config, None, desk.ledger, Options(workers=2, rate=20.0)))
    killer.ended.set()
    killer.join()

    assert found == ["workers_died"]
    assert dict(run(config, None, desk.ledger, Options(workers=1)).states) == {State.APPLIED: 300}


@pytest.mark.skipif(sys.platform != "linux", reason="finds its workers by /proc")
def test_a_worker_that_begins_late_takes_no_other_configuration(desk: Desk) -> None:
    updates = [redeem(id_) for id_ in desk.passes(300)]
    config = desk.write(updates)
    first = threading.Event()

    def report(_status: Status) -> None:
        if not first.is_set():
            first.set()
            text = config.read_text(encoding="utf-8")
            config.write_text(re.sub('merchant_id = "[^"]*"', 'merchant_id = "another"', text), encoding="utf-8")
            killer.start()

    killer = _Killer(desk, 1)
    with pytest.raises(ConfigError) as caught:
        run(config, None, desk.ledger, Options(workers=2, rate=20.0), report=report)
    killer.join()

    assert "accounts.hk-tickets: was changed while the job ran" in str(caught.value)
    assert status(desk.ledger).states[State.OPEN] > 100


def test_nothing_is_superseded_across_another_action(desk: Desk, ledger: str) -> None:
    used, revised = desk.passes(2)
    updates = [revise(used, gate="1"), redeem(used), revise(used, gate="2"), revise(revised, "k", gate="1"), revise(revised, "k", gate="1")]

    desk.run([*updates, revise(revised, gate="2")], ledger, supersede=True)

    assert desk.sent(used) == ["UPDATE", "USED", "UPDATE"]
    states = [entry.state for _, entry in sorted(desk.entries(ledger).items())]
    assert states[:2] == [State.APPLIED, State.APPLIED]
    assert states[3:] == [State.SUPERSEDED, State.REPEATED, State.APPLIED]


def test_large_updates_are_written_few_at_a_time(desk: Desk) -> None:
    large = [revise(f"31{number}", gate="B" * 1_000_000) for number in range(20)]
    stops: list[int] = []
    with Client.from_config(desk.config) as client, closing(Ledger(desk.ledger, create=True)) as opened:

        def between() -> bool:
            found = opened.job()
            stops.append(found.loaded if found else 0)
            return False

        load(opened, iter(rows(large)), book(accounts_of(client), supersede=False), between=between)

    assert stops == [5, 10, 15, 20]


@pytest.mark.parametrize("act", [lambda opened: opened.begin(None, anew=True), lambda opened: retried(opened, [State.UNSENT])])
def test_what_begins_beside_a_worker_waits_for_it_and_is_not_waited_for(desk: Desk, server: str, act: Callable[[Ledger], object]) -> None:
    desk.write([redeem("31")], server)
    with closing(Ledger(server)) as worker, closing(Ledger(server)) as other:
        ((lane,),) = worker.db.rows("SELECT lane FROM lane")
        worker.db.run("UPDATE lane SET due = 5")
        worker.db.put(PENDING, [(1, lane, 1, "unsent", 0, 1, 1, 5.0)])
        acting = threading.Thread(target=act, args=(other,))
        with worker.db.transaction():
            worker.db.rows(worker.db.locked("SELECT epoch FROM lane WHERE lane = ?"), (lane,))
            acting.start()
            query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            while not worker.db.rows(query)[0][0]:
                time.sleep(0.02)
            worker.db.run("UPDATE pending SET takes = 2 WHERE id = 1")
        acting.join()

        assert worker.db.rows("SELECT takes, due FROM pending") == [(0, 0.0)]
