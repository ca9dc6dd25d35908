"""The three rules of pace, without a clock; and a whole job's rate by the gateway's own log."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import datetime
from itertools import pairwise, product

import pytest

from passbridge import AsyncClient, Client, Code
from passbridge.bulk import End, Options, State, Status, Stop, run, run_bulk, status
from passbridge.bulk.courier import Courier, elapsed, sign
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.outcomes import Verdict as Kept
from passbridge.bulk.pace import Breaker, Gate, Pace, Sign, Slots, Window
from passbridge.bulk.turns import Claim, Result, Taken, Turn
from passbridge.client import accounts_of
from passbridge.protocol.resolve import may_resend, resolve
from passbridge.protocol.verdict import Verdict
from passbridge.shipped import shipped_tables
from tests.bulk.jobs import Desk, redeem, revise, rows


def test_permits_follow_one_another_at_the_rate() -> None:
    pace = Pace(10.0)
    starts = []
    for _ in range(5):
        starts.append(pace.start(100.0))
        pace = pace.reserved(100.0, 3)

    assert starts == pytest.approx([100.0, 100.3, 100.6, 100.9, 101.2])


def test_unused_time_is_not_saved_up() -> None:
    pace = Pace(10.0).reserved(100.0, 1)

    assert pace.start(200.0) == 200.0


def test_a_clock_set_back_does_not_stop_the_job() -> None:
    pace = Pace(10.0).reserved(10_000.0, 5)

    assert pace.start(100.0) == 100.0


@pytest.mark.parametrize("rate", [1 / 3600, 0.01, 0.5, 1.0, 50.0])
def test_a_slow_rate_is_kept_also_when_slowed(rate: float) -> None:
    pace, now, starts = Pace(rate), 1e9, []
    for second in range(12):
        pace = pace.told(now + 2 * second, limited=True)  # down to a 64th
    for _ in range(4):
        starts.append(pace.start(now))
        pace = pace.reserved(now, 1)

    assert [later - earlier for earlier, later in pairwise(starts)] == pytest.approx([64 / rate] * 3)


def test_a_refusal_for_the_rate_halves_it_and_time_wins_it_back() -> None:
    slow = Pace(100.0).told(50.0, limited=True)
    assert slow.spacing == pytest.approx(1 / 50)
    assert slow.told(50.5, limited=True) == slow  # of the same moment
    assert slow.told(50.5, limited=False) == slow
    assert slow.told(52.0, limited=False).factor == pytest.approx(0.7)
    assert slow.told(90.0, limited=False).factor == 1.0


def test_without_a_rate_there_is_no_wait() -> None:
    pace = Pace(None)

    assert (pace.start(7.0), pace.spacing, pace.reserved(7.0, 50)) == (7.0, 0.0, pace)


def test_slots_follow_one_another_across_groups() -> None:
    slots = Slots()

    assert slots.plan(100.0, 0.1, 3) == pytest.approx([100.0, 100.1, 100.2])
    assert slots.plan(100.1, 0.1, 2) == pytest.approx([100.3, 100.4])  # told late: the permits are the same
    assert slots.plan(200.0, 0.1, 1) == [200.0]


def test_after_a_stall_what_is_overdue_leaves_at_its_distance() -> None:
    slots = Slots()
    planned = slots.plan(100.0, 0.1, 30)
    left: list[float] = []
    for slot in planned[:5]:
        now = 100.0 + 0.1 * len(left) + 0.004  # a timer's own lateness is no stall
        assert slots.wait(slot, now) <= 0
        slots.leave(slot, now)
        left.append(now)
    now = 102.5  # stood still for two seconds
    for slot in (*planned[5:], *slots.plan(now, 0.1, 5)):
        now = max(now, now + slots.wait(slot, now))
        slots.leave(slot, now)
        left.append(now)

    assert left[5] == 102.5
    assert min(later - earlier for earlier, later in pairwise(left)) >= 0.1 - 0.0101
    assert slots.plan(200.0, 0.1, 1)[0] + slots.stood == pytest.approx(200.0)


def test_the_window_grows_fast_at_first_and_slowly_after_trouble() -> None:
    window = Window(64)
    for _ in range(10):
        window.note(Sign.GOOD, 0.0)
    assert window.size == 14
    window.note(Sign.SLOW, 1.0)
    window.note(Sign.SLOW, 1.5)  # of the same moment
    assert window.size == 7
    for _ in range(7):
        window.note(Sign.GOOD, 2.0)
    assert 7.5 < window.size < 8.1
    for _ in range(10_000):
        window.note(Sign.GOOD, 2.0)
    assert window.size == 64


def test_the_window_is_never_wider_than_was_asked_for() -> None:
    gate = Gate(Window(1), Breaker(patience=60.0))
    assert gate.open(0.0)
    gate.flying = 1
    assert not gate.open(0.0)


def _carried(desk: Desk, *turns: Turn) -> list[Result]:
    """Groups sent by one process, one request at a time; the results of the last."""

    async def carried() -> list[Result]:
        async with AsyncClient.from_config(desk.config) as client:
            accounts = accounts_of(client)
            courier = Courier(client, accounts.tables.outcomes, Options(concurrency=1), accounts.deadlines())
            results: list[Result] = []
            for turn in turns:
                results = await asyncio.wait_for(courier.carry("hk-tickets", turn, elapsed()), 20.0)
            return results

    return asyncio.run(carried())


def _taken(desk: Desk, count: int) -> tuple[Taken, ...]:
    return tuple(Taken(row.line, None, row.text, "") for row in rows([redeem(id_) for id_ in desk.passes(count)]))


def test_rows_that_waited_for_room_beyond_the_lease_are_all_given_back(desk: Desk) -> None:
    desk.box.add_fault({"fault": "delay:0.9"})

    results = _carried(desk, Turn(_taken(desk, 5), lease=4.0))  # half a second beyond the deadline and its margin

    assert [bool(result.verdict) for result in results] == [True, False, False, False, False]
    assert len(desk.log()) == 1


def test_a_rate_that_is_raised_is_the_rate_from_then_on(desk: Desk) -> None:
    """The ledger forgets permits that lie too far ahead; a process that has been at work before must, too."""
    first, *more = _taken(desk, 4)

    results = _carried(desk, Turn((first,), spacing=3600.0, lease=15.0), Turn(tuple(more), spacing=0.01, lease=15.0))

    assert all(result.verdict for result in results)


def test_a_slot_beyond_the_lease_is_not_waited_for(desk: Desk) -> None:
    results = _carried(desk, Turn(_taken(desk, 3), start=60.0, spacing=60.0, lease=4.0))

    assert [result.verdict for result in results] == [None, None, None]
    assert desk.log() == []


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock here that is known to go on while the machine is suspended")
def test_after_a_suspension_nothing_more_leaves(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the operating system goes on by an hour, its monotonic one doesn't: as on a machine that was suspended."""
    awake, ahead = time.clock_gettime, [0.0]
    monkeypatch.setattr(time, "clock_gettime", lambda clock: awake(clock) + (ahead[0] if clock == time.CLOCK_BOOTTIME else 0.0))

    def suspend() -> None:
        while not desk.log():
            time.sleep(0.02)
        ahead[0] = 3600.0

    suspending = threading.Thread(target=suspend, daemon=True)
    suspending.start()
    results = _carried(desk, Turn(_taken(desk, 3), spacing=2.0, lease=60.0))
    suspending.join()

    assert [bool(result.verdict) for result in results] == [True, False, False]
    assert len(desk.log()) == 1


def test_a_rate_that_is_slowed_moves_no_permit_that_was_given() -> None:
    slots = Slots()

    assert slots.plan(100.0, 60.0, 1) == [100.0]
    assert slots.plan(160.0, 120.0, 1) == [160.0]
    assert slots.plan(280.0, 60.0, 1) == [280.0]


def test_a_lane_that_waits_for_its_permit_stays_held(desk: Desk, ledger: str) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(4)], ledger)
    with closing(Ledger(ledger)) as opened:
        opened.begin(1 / 3600, anew=True)
        lanes = Lanes(opened, shipped_tables().outcomes, lease=10.0)
        waits = []
        for _ in range(3):
            claim = lanes.claim("one")
            assert isinstance(claim, Claim)
            waits.append(lanes.turn((claim.lane, claim.epoch), (), 5).wait)

    assert waits[0] is None
    assert all(wait and wait < 10.0 for wait in waits[1:])


def test_the_breaker_pauses_probes_and_goes_on() -> None:
    breaker = Breaker(patience=60.0)
    for _ in range(4):
        breaker.note(Sign.BAD, 0.0)
    assert breaker.closed
    breaker.note(Sign.BAD, 0.0)
    assert not breaker.closed
    assert breaker.probe == 1.0
    breaker.note(Sign.BAD, 1.0)
    assert breaker.probe == 3.0
    assert breaker.note(Sign.GOOD, 3.0)
    assert breaker.closed


def test_a_good_answer_between_keeps_it_closed() -> None:
    breaker = Breaker(patience=60.0)
    for _ in range(20):
        breaker.note(Sign.BAD, 0.0)
        breaker.note(Sign.BAD, 0.0)
        breaker.note(Sign.GOOD, 0.0)
    assert breaker.closed


def test_the_breaker_gives_up_after_its_patience() -> None:
    breaker = Breaker(patience=10.0)
    now = 0.0
    for _ in range(5):
        breaker.note(Sign.BAD, now)
    probes = 0
    while not breaker.given_up:
        now = breaker.probe
        breaker.note(Sign.BAD, now)
        probes += 1
    assert (probes, now) == (3, 7.0)


def test_a_pause_lets_one_probe_go_at_a_time() -> None:
    gate = Gate(Window(64), Breaker(patience=60.0))
    for _ in range(5):
        gate.note(Sign.BAD, 0.0)
    assert not gate.open(0.5)
    assert gate.open(1.0)
    gate.flying = 1
    assert not gate.open(1.0)
    gate.note(Sign.GOOD, 1.1)
    gate.flying = 0
    assert gate.open(1.1)
    assert gate.window.size == 1.0


def test_a_row_is_taken_again_only_where_the_conversation_would_send_again(desk: Desk) -> None:
    """The ledger keeps what `who` and `next` say; the conversation asks `may_resend`: they agree for each code and action."""
    with Client.from_config(desk.config) as client:
        words = accounts_of(client).tables.outcomes
        example = client.apply(redeem("404"))
    for code, action in product(Code, ("redeem", "close", "revise", "refund")):
        verdict = Verdict(code=code, sent=True)
        known = resolve(action, (), [verdict], words)
        row = words[known.code]
        changes = {"code": known.code, "who": known.who, "next": known.next, "effect": row.effect, "ok": row.ok}
        kept = Kept.of(example.model_copy(update=changes), words)
        again = kept.again and kept.state in {State.UNKNOWN, State.UNSENT}
        assert again == may_resend(action, verdict, doubt=kept.state is State.UNKNOWN), (code, action)


def test_the_rate_is_kept_over_all_lanes_and_workers(desk: Desk, ledger: str) -> None:
    ids = desk.passes(50)

    desk.run([redeem(id_) for id_ in ids], ledger, rate=20.0, workers=2)

    at = sorted(datetime.fromisoformat(request["at"]).timestamp() for request in desk.log())
    assert len(at) == 50
    # 50 permits are 49 spaces. None is used early; on a busy machine the first may be used late, by some of them.
    assert at[-1] - at[0] >= 35 / 20


_JOB = """
import sys
from passbridge.bulk import Options, run
run(sys.argv[1], None, sys.argv[2], Options(workers=1, rate=float(sys.argv[3])))
"""


def test_a_process_that_stood_still_does_not_burst(desk: Desk) -> None:
    ids = desk.passes(130)
    config = desk.write([redeem(id_) for id_ in ids])
    config.write_text(config.read_text(encoding="utf-8").replace("deadline = 1.0", "deadline = 5.0"), encoding="utf-8")
    process = subprocess.Popen([sys.executable, "-c", _JOB, str(config), desk.ledger, "40"])  # noqa: S603 - our own command
    try:
        for requests in (25, 60):
            while len(desk.log()) < requests:
                assert process.poll() is None
                time.sleep(0.02)
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            process.send_signal(signal.SIGCONT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()

    assert len(desk.log()) >= 130
    outcomes = [entry.outcome for entry in desk.entries().values()]
    left = sorted(attempt.at.timestamp() for outcome in outcomes if outcome for attempt in outcome.attempts)
    assert len(left) >= 130
    # By the process's own clock as each request leaves: what a busy gateway's log says of it comes later.
    most = {window: max(sum(1 for other in left if at <= other < at + window) for at in left) for window in (1.0, 0.25)}
    assert most[1.0] <= 40 + 4
    assert most[0.25] <= 10 + 4


def test_attempts_beyond_the_first_take_permits_too(desk: Desk) -> None:
    ids = desk.passes(10)
    desk.box.add_fault({"fault": "http-502", "count": 3, "match": {"pass": ids[0]}})

    told = desk.run([redeem(id_) for id_ in ids], rate=20.0)

    assert told.rate == 20.0
    at = sorted(datetime.fromisoformat(request["at"]).timestamp() for request in desk.log())
    assert at[-1] - at[0] >= (len(at) - 3) / 20


def test_a_refusal_for_the_rate_is_tried_again(desk: Desk, ledger: str) -> None:
    ids = desk.passes(6)
    desk.box.add_fault({"fault": "code:REQUEST_TRAFFIC_EXCEED_LIMIT", "count": 3})

    told = desk.run([redeem(id_) for id_ in ids], ledger, rate=50.0)

    assert dict(told.states) == {State.APPLIED: 6}


@pytest.mark.parametrize("fault", ["bad-signature", "drop-request"])
def test_a_job_pauses_after_a_few_untrusted_or_missing_answers(desk: Desk, ledger: str, fault: str) -> None:
    ids = desk.passes(80)
    desk.box.add_fault({"fault": fault, "count": 100_000})

    told = desk.run([revise(id_) for id_ in ids], ledger, patience=1.0)

    assert told.end is End.PAUSED
    assert told.states[State.OPEN] >= 55
    assert told.in_flight == 0
    desk.box.clear_faults()
    if fault == "drop-request":
        told = desk.run(None, ledger)
        assert dict(told.states) == {State.APPLIED: 80}


def test_a_paused_job_goes_on_when_answers_come_again(desk: Desk) -> None:
    ids = desk.passes(30)
    desk.box.add_fault({"fault": "drop-request", "count": 12})

    told = desk.run([revise(id_) for id_ in ids], patience=30.0)

    assert (told.end, dict(told.states)) == (End.DONE, {State.APPLIED: 30})


def test_one_accounts_pause_is_not_anothers(desk: Desk) -> None:
    ids = desk.passes(40)
    desk.box.add_fault({"fault": "bad-signature", "count": 100_000, "match": {"account": "hk-tickets"}})
    coupons = [f"77{number:08d}" for number in range(40)]
    desk.box.add_passes([{"account": "cn", "id": id_, "channel": "2088918273"} for id_ in coupons])
    mainland = [redeem(id_).model_copy(update={"to": "cn"}) for id_ in coupons]

    told = desk.run([*(revise(id_) for id_ in ids), *mainland], patience=1.0)

    assert told.end is End.PAUSED
    assert told.states[State.APPLIED] == 40
    assert told.states[State.OPEN] > 20


def test_a_gateway_that_is_not_there_leaves_rows_unsent(desk: Desk) -> None:
    ids = desk.passes(20)
    away = _moved(desk.config, "http://127.0.0.1:9")
    told = run(away, rows([redeem(id_) for id_ in ids]), desk.ledger, Options(workers=1, patience=0.5))
    assert (told.end, told.exit) == (End.PAUSED, 6)
    assert set(told.states) <= {State.OPEN, State.UNSENT}


def _moved(config: dict[str, object], url: str) -> dict[str, object]:
    accounts = config["accounts"]
    assert isinstance(accounts, dict)
    return config | {"accounts": {**accounts, "hk-tickets": accounts["hk-tickets"] | {"gateway": url}}}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_finishes_what_is_in_flight_and_a_further_run_goes_on(desk: Desk, workers: int) -> None:
    updates = [redeem(id_) for id_ in desk.passes(250)]
    stop = Stop()
    told: list[Status] = []

    def report(progress: Status) -> None:
        told.append(progress)
        if progress.states.get(State.APPLIED):
            stop.request()

    first = run(desk.config, rows(updates), desk.ledger, Options(workers=workers, rate=60.0), stop=stop, report=report)

    assert first.end is End.STOPPED
    assert told
    assert 0 < first.states[State.APPLIED] < 250
    assert first.in_flight == 0
    assert first.states[State.APPLIED] == len(desk.log())
    second = desk.run(updates, workers=workers)
    assert dict(second.states) == {State.APPLIED: 250}
    assert len(desk.log()) == 250


def test_leaving_the_outcomes_stops_the_job(desk: Desk) -> None:
    updates = [redeem(id_) for id_ in desk.passes(100)]
    for _line, outcome in run_bulk(desk.config, updates, ledger=desk.ledger, options=Options(workers=1, rate=50.0)):
        assert outcome.ok
        break

    told = status(desk.ledger)
    assert 0 < told.states[State.APPLIED] < 100
    assert told.in_flight == 0


def test_what_an_answer_says_about_the_gateway(desk: Desk) -> None:
    with Client.from_config(desk.config) as client:
        refused = client.apply(redeem("404"))
    assert sign(refused) is Sign.GOOD
    limited = refused.attempts[0].model_copy(update={"code": Code.RATE_LIMITED})
    assert sign(refused.model_copy(update={"attempts": (limited,)})) is Sign.SLOW
    silent = refused.attempts[0].model_copy(update={"code": Code.NO_ANSWER})
    assert sign(refused.model_copy(update={"attempts": (silent,)})) is Sign.BAD


def test_options_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Options(workers=0)
    with pytest.raises(ValueError, match="above 0"):
        Options(rate=0)
    for patience in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="0 or more"):
            Options(patience=patience)
