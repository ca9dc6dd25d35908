"""A ledger's server that ends a worker's session, loses it, or is away for a while: what is certain is kept, nothing is sent unmarked."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Self

import psycopg
import pytest

from passbridge import Client, load_update
from passbridge.bulk import End, LaneWorker, Options, State, Status, run, status, sweep
from passbridge.bulk.database import Passing
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.outcomes import Verdict
from passbridge.bulk.store import LocalStore
from passbridge.bulk.turns import Claim, Idle, Result
from passbridge.errors import LedgerError
from passbridge.shipped import shipped_tables
from tests.bulk import postgres
from tests.bulk.cutting import line
from tests.bulk.jobs import Desk, redeem, refund, revise

_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'passbridge' AND pid <> pg_backend_pid()"


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    binaries = postgres.programs()
    if binaries is None:
        pytest.skip("PostgreSQL isn't installed: NOTHING about a server that is away is proved here")
    with postgres.cluster(binaries) as running:
        yield running


class _Meanwhile(threading.Thread):
    """Does something to a job under way, again and again, each time some more requests have come."""

    def __init__(self, desk: Desk, act: Callable[[], object], times: int, every: int) -> None:
        super().__init__(daemon=True)
        self._desk, self._act, self._times, self._every = desk, act, times, every
        self.done, self._over = 0, threading.Event()

    def run(self) -> None:
        seen = len(self._desk.log())
        while self.done < self._times and not self._over.wait(0.02):
            if len(self._desk.log()) >= seen + self._every:
                self._act()
                self.done, seen = self.done + 1, len(self._desk.log())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()


def _all_applied(desk: Desk, ledger: str, told: Status, ids: list[str]) -> None:
    """Each row was sent once, is applied, and counts once."""
    assert (told.end, dict(told.states), told.in_flight) == (End.DONE, {State.APPLIED: len(ids)}, 0)
    assert Counter(str(request["pass"]) for request in desk.log()) == Counter(ids)
    entries = desk.entries(ledger)
    assert [len(entry.outcome.attempts) for entry in entries.values() if entry.outcome] == [1] * len(ids)


@pytest.mark.parametrize("workers", [1, 2])
def test_sessions_that_an_administrator_ends_cost_nothing(desk: Desk, server: str, workers: int) -> None:
    ids = desk.passes(120)

    def ends() -> None:
        with psycopg.connect(server.partition("?")[0], autocommit=True) as administrator:
            administrator.execute(_SESSIONS)

    with _Meanwhile(desk, ends, times=4, every=15) as ended:
        told = desk.run([redeem(id_) for id_ in ids], server, rate=60.0, workers=workers)

    assert ended.done == 4
    _all_applied(desk, server, told, ids)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_is_restarted_costs_nothing(desk: Desk, cluster: postgres.Cluster, mode: str) -> None:
    ids = desk.passes(100)

    def restarts() -> None:
        cluster.stop(mode)
        time.sleep(0.5)
        cluster.start()

    with _Meanwhile(desk, restarts, times=1, every=15) as restarted:
        told = desk.run([refund(id_) if n % 3 == 0 else redeem(id_) for n, id_ in enumerate(ids)], cluster.url, rate=60.0)

    assert restarted.done == 1
    _all_applied(desk, cluster.url, told, ids)


def test_an_engines_worker_goes_on_with_a_server_that_is_back(desk: Desk, cluster: postgres.Cluster) -> None:
    ids = desk.passes(60)
    config = desk.write([redeem(id_) for id_ in ids], cluster.url)
    with LaneWorker(config, cluster.url) as worker:
        lanes: list[tuple[str, int]] = []
        sweep(cluster.url, lambda account, lane: lanes.append((account, lane)))
        for number, lane in enumerate(lanes):
            if number == len(lanes) // 2:
                cluster.stop()
                cluster.start()
            worker.run_lane(*lane)

    assert dict(status(cluster.url).states) == {State.APPLIED: 60}
    assert Counter(str(request["pass"]) for request in desk.log()) == Counter(ids)


def test_a_server_that_stays_away_ends_the_job_with_nothing_sent_unmarked(desk: Desk, cluster: postgres.Cluster) -> None:
    ids = desk.passes(120)
    config = desk.write([redeem(id_) for id_ in ids], cluster.url)  # a deadline of one second, so a lease of five

    with _Meanwhile(desk, cluster.stop, times=1, every=15), pytest.raises(LedgerError, match="can't be reached") as caught:
        run(config, None, cluster.url, Options(workers=1, rate=60.0))
    assert [problem.code for problem in caught.value.problems] == ["unusable"]
    cluster.start()

    reached = {str(request["pass"]) for request in desk.log()}
    known = {entry.outcome.pass_id for entry in desk.entries(cluster.url).values() if entry.outcome}
    assert 15 <= len(reached) < 120
    assert reached <= known, "a request left though its mark is not on the server"
    _freed(cluster.url)
    assert dict(run(config, None, cluster.url, Options(workers=1)).states) == {State.APPLIED: 120}


def _freed(ledger: str) -> None:
    """The lease of who is gone is over."""
    with closing(Ledger(ledger)) as opened:
        opened.db.run("UPDATE lane SET until = 0")


def _until_somebody_waits(ledger: Ledger) -> None:
    while not ledger.db.rows("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")[0][0]:
        time.sleep(0.02)


def test_a_transaction_that_the_server_ends_for_anothers_sake_is_tried_again(desk: Desk, server: str) -> None:
    """A real deadlock: the other has the pace and wants the lane, the worker has the lane and wants the pace."""
    desk.write([redeem("31")], server)
    with closing(Ledger(server)) as opened:
        opened.begin(50.0, anew=True)

    async def asked() -> int:
        with closing(Ledger(server)) as opened, closing(Ledger(server)) as other:
            store = LocalStore(opened, shipped_tables().outcomes, lease=10.0)
            claim = await store.claim("one", [])
            assert isinstance(claim, Claim)
            with other.db.transaction():
                other.db.rows(other.db.locked("SELECT 1 FROM pace"))
                turning = asyncio.ensure_future(store.turn((claim.lane, claim.epoch), (), 5))
                await asyncio.to_thread(_until_somebody_waits, other)
                await asyncio.to_thread(other.db.rows, other.db.locked("SELECT 1 FROM lane WHERE lane = ?"), (claim.lane,))
            turn = await turning
            await store.aclose()
            return len(turn.rows)

    assert asyncio.run(asked()) == 1
    assert status(server).in_flight == 1


@pytest.mark.parametrize("how", ["before", "after"])
def test_a_line_that_is_cut_at_a_commit(desk: Desk, server: str, how: str) -> None:
    """Whether the transaction ended or not: nothing is sent twice, nothing is counted twice, nothing is in doubt."""
    ids = desk.passes(30)
    desk.write([*(revise(id_) for id_ in ids), *(redeem(id_) for id_ in ids)], server)
    plan = dict.fromkeys(range(4, 160, 9), how)
    config = desk.config | {"retry": {"attempts": 1, "deadline": 0.2}}
    with line(server, plan) as (cut, place):
        told = run(config, None, place, Options(workers=1))

    assert cut.cut >= 5
    assert (told.end, dict(told.states), dict(told.codes)) == (End.DONE, {State.APPLIED: 60}, {"APPLIED": 60})
    assert Counter(str(request["pass"]) for request in desk.log()) == Counter(ids * 2)
    assert all(desk.sent(id_) == ["UPDATE", "USED"] for id_ in ids)


def test_a_claim_whose_answer_was_lost_is_not_held_by_nobody(desk: Desk, server: str) -> None:
    desk.write([redeem("31")], server)

    async def asked(place: str) -> Claim | Idle:
        with closing(Ledger(place)) as opened:
            store = LocalStore(opened, shipped_tables().outcomes, lease=60.0)
            claim = await store.claim("one", [])
            await store.aclose()
            return claim

    with line(server, {1: "after"}) as (cut, place):
        claim = asyncio.run(asked(place))

    assert cut.cut == 1
    assert isinstance(claim, Claim)
    assert claim.epoch == 2


def test_what_was_kept_is_told_also_where_the_lane_was_lost_with_the_answer(desk: Desk, server: str) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(1)], server)
    words = shipped_tables().outcomes
    told: list[tuple[int, str]] = []
    with line(server, {3: "after"}) as (cut, place), closing(Ledger(place)) as opened, closing(Ledger(server)) as other:
        lanes = Lanes(opened, words, lease=10.0, told=told.extend)
        claim = lanes.claim("one")
        assert isinstance(claim, Claim)
        (row,) = lanes.turn((claim.lane, claim.epoch), (), 5).rows
        with Client.from_config(desk.config) as client:
            results = [Result(row.line, Verdict.of(client.apply(load_update(row.text)), words), 1)]
        with pytest.raises(Passing):
            lanes.turn((claim.lane, claim.epoch), results, 5)
        assert (cut.cut, told) == (1, [])
        other.db.run("UPDATE lane SET epoch = epoch + 1")

        assert lanes.turn((claim.lane, claim.epoch), results, 5).lost

    assert [line_ for line_, _ in told] == [row.line]
    assert dict(status(server).states) == {State.APPLIED: 1}


def test_a_transaction_that_stood_still_is_ended_by_the_server_and_may_be_tried_again(server: str) -> None:
    with closing(Ledger(server, create=True)) as opened:

        def freezes() -> None:
            with opened.db.transaction():
                opened.db.run("SET LOCAL idle_in_transaction_session_timeout = 50")
                time.sleep(0.4)
                opened.db.rows("SELECT 1")

        with pytest.raises(Passing):
            freezes()

        assert opened.db.rows("SHOW idle_in_transaction_session_timeout") == [("5s",)]
        assert opened.job() is None
