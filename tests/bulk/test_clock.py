"""A clock that is set back: between two runs, and while one is under way. Nothing waits for it to come round again."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import pytest

from passbridge.bulk import End, Options, State, Status, Stop, run, status, sweep
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.pace import Pace
from passbridge.bulk.schema import NEVER
from passbridge.bulk.turns import Claim, Idle
from passbridge.shipped import shipped_tables
from tests.bulk.jobs import Desk, redeem

_BACK = 3 * 3600.0


def _set_back(ledger: str) -> None:
    """What setting back a server's clock comes to: all that it has written lies so much further ahead."""
    with closing(Ledger(ledger)) as opened, opened.db.transaction():
        opened.db.run("UPDATE lane SET due = due + ? WHERE due > 0 AND due < ?", (_BACK, NEVER))
        opened.db.run("UPDATE lane SET until = until + ? WHERE until > 0", (_BACK,))
        opened.db.run("UPDATE pending SET due = due + ? WHERE due > 0", (_BACK,))
        opened.db.run("UPDATE pace SET tat = tat + ?, changed = changed + ?", (_BACK, _BACK))


def _begun(desk: Desk, ledger: str, rows: int) -> None:
    """A job of which a part is sent, a lane is held by nobody alive, and some lanes are due at some moment."""
    desk.write([redeem(id_) for id_ in desk.passes(rows)], ledger)
    with closing(Ledger(ledger)) as opened:
        opened.begin(200.0, anew=True)
        lanes = Lanes(opened, shipped_tables().outcomes, lease=10.0)
        for _ in range(3):
            claim = lanes.claim("one that is killed")
            assert isinstance(claim, Claim)
            assert lanes.turn((claim.lane, claim.epoch), (), 1).rows
        opened.db.run("UPDATE lane SET due = ? WHERE due = 0 AND until = 0", (opened.db.now(),))


def _run(desk: Desk, ledger: str, rate: float = 200.0) -> Status:
    """Go on with a job; one that would wait for the clock is ended, and seen to have waited."""
    stop = Stop()
    ending = threading.Timer(60.0, stop.request)
    ending.start()
    told = run(desk.folder / "passbridge.toml", None, ledger, Options(workers=1, rate=rate), stop=stop)
    ending.cancel()
    return told


def test_between_two_runs_on_a_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    today = time.time()
    with monkeypatch.context() as tomorrow:
        tomorrow.setattr(time, "time", lambda: today + _BACK)
        _begun(desk, desk.ledger, 40)

    told = _run(desk, desk.ledger)

    assert (told.end, dict(told.states)) == (End.DONE, {State.APPLIED: 40})


def test_between_two_runs_on_a_server(desk: Desk, server: str) -> None:
    _begun(desk, server, 40)
    _set_back(server)

    told = _run(desk, server)

    assert (told.end, dict(told.states)) == (End.DONE, {State.APPLIED: 40})


def test_an_engine_finds_the_lanes_of_a_server_that_was_set_back(desk: Desk, server: str) -> None:
    _begun(desk, server, 40)
    _set_back(server)
    sweep(server, lambda _account, _lane: None)
    found: list[int] = []
    sweep(server, lambda _account, lane: found.append(lane))

    with closing(Ledger(server)) as opened:
        assert len(found) == opened.db.rows("SELECT count(*) FROM lane")[0][0]


def test_while_a_job_runs_on_a_server(desk: Desk, server: str) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(120)], server)
    desk.box.add_fault({"fault": "code:REQUEST_TRAFFIC_EXCEED_LIMIT", "count": 3})  # rows that are due at some moment

    def meanwhile() -> None:
        while len(desk.log()) < 30:
            time.sleep(0.02)
        _set_back(server)

    setting = threading.Thread(target=meanwhile, daemon=True)
    setting.start()
    told = _run(desk, server, rate=80.0)
    setting.join()

    assert (told.end, dict(told.states)) == (End.DONE, {State.APPLIED: 120})


def test_while_a_job_runs_on_a_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its clock is read once, when it is opened."""
    with closing(Ledger(desk.ledger, create=True)) as opened:
        before, today = opened.db.now(), time.time()
        monkeypatch.setattr(time, "time", lambda: today - _BACK)
        assert 0 <= opened.db.now() - before < 60


def test_a_rate_that_was_slowed_is_won_back() -> None:
    slowed = Pace(100.0, factor=0.5, changed=_BACK)

    now = slowed.told(10.0, limited=False)
    assert (now.factor, now.changed) == (0.5, 10.0)
    assert now.told(12.0, limited=False).factor == pytest.approx(0.7)


def test_a_lane_that_is_being_sent_stays_with_its_holder(desk: Desk, server: str) -> None:
    desk.write([redeem("31")], server)
    words = shipped_tables().outcomes
    with closing(Ledger(server)) as opened, closing(Ledger(server)) as another:
        holder, other = Lanes(opened, words, lease=10.0), Lanes(another, words, lease=10.0)
        claim = holder.claim("one that is sending")
        assert isinstance(claim, Claim)
        assert holder.turn((claim.lane, claim.epoch), (), 5).rows
        _set_back(server)

        sweep(server, lambda _account, _lane: None)
        for lane in (None, claim.lane, None):
            assert isinstance(other.claim("another", lane=lane), Idle)

        ((until,),) = opened.db.rows("SELECT until FROM lane")
        assert 0 < until - opened.db.now() <= 10.0
        assert not holder.turn((claim.lane, claim.epoch), (), 0).lost


def test_a_live_lane_is_nobody_elses_after_all_that(desk: Desk, server: str) -> None:
    _begun(desk, server, 3)
    with closing(Ledger(server)) as opened:
        held = opened.db.rows("SELECT lane, until FROM lane ORDER BY lane")
        opened.set_right(opened.db.now())
        assert opened.db.rows("SELECT lane, until FROM lane ORDER BY lane") == held
    assert status(server).in_flight == 3
