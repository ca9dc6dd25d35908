from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from passbridge import Code
from passbridge.protocol.conversation import Exchange, Instant, Pause, Policy
from passbridge.protocol.flow import converse
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse
from tests.protocol.scripted import START, Peer, prepared

Outcomes = Mapping[Code, OutcomeRow]

DONE = Verdict(code=Code.APPLIED)
LOST = NoReply("read timeout", sent=True)
UNSENT = NoReply("connection refused", sent=False)
LIMITED = Verdict(code=Code.RATE_LIMITED, slow=True)
UNSURE = Verdict(code=Code.PROVIDER_ERROR)
PATIENT = Policy(attempts=10, deadline=10_000.0)


def waiting(seconds: float) -> Verdict:
    return Verdict(code=Code.NO_ANSWER, retry_after=seconds)


def test_an_update_that_is_done_is_sent_once(outcomes: Outcomes) -> None:
    peer = Peer([DONE, DONE], outcomes)
    assert peer.talk().code is Code.APPLIED
    assert len(peer.exchanges) == 1
    assert not peer.between()


@pytest.mark.parametrize("first", [LOST, UNSENT, LIMITED, UNSURE], ids=["lost", "unsent", "limited", "unsure"])
@pytest.mark.parametrize("action", ["redeem", "close", "revise"])
def test_an_update_is_tried_again_until_something_is_known(action: str, first: Verdict | NoReply, outcomes: Outcomes) -> None:
    peer = Peer([first, first, DONE], outcomes)
    outcome = peer.talk(prepared(action))
    assert outcome.code is Code.APPLIED
    assert [attempt.n for attempt in outcome.attempts] == [1, 2, 3]


@pytest.mark.parametrize("attempts", [1, 2, 3, 5])
def test_no_more_attempts_are_made_than_allowed(attempts: int, outcomes: Outcomes) -> None:
    peer = Peer([LOST] * 9, outcomes)
    outcome = peer.talk(policy=Policy(attempts=attempts))
    assert len(peer.exchanges) == len(outcome.attempts) == attempts
    assert outcome.code is Code.NO_ANSWER


@pytest.mark.parametrize("code", ["BAD_ANSWER", "UNTRUSTED_ANSWER", "UNMAPPED", "REFUSED", "STATE_CONFLICT", "ALREADY_IN_STATE", "APPLIED"])
def test_after_anything_else_nothing_is_tried_by_itself(code: str, outcomes: Outcomes) -> None:
    peer = Peer([Verdict(code=Code(code)), DONE], outcomes)
    assert peer.talk().code.value == code
    assert len(peer.exchanges) == 1


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ([UNSENT, LIMITED, DONE], 3),
        ([LOST, DONE], 1),
        ([UNSURE, DONE], 1),
        ([UNSENT, LOST, DONE], 2),
        ([LIMITED, UNSURE, DONE], 2),
    ],
)
def test_a_refund_is_tried_again_only_while_no_attempt_is_in_doubt(script: list[Verdict | NoReply], sent: int, outcomes: Outcomes) -> None:
    peer = Peer(script, outcomes)
    peer.talk(prepared("refund"))
    assert len(peer.exchanges) == sent


def test_each_attempt_signs_the_same_update_at_a_fresh_time(outcomes: Outcomes) -> None:
    peer, what = Peer([LOST, UNSENT, DONE], outcomes), prepared("revise")
    peer.talk(what, jitter=1.0)
    assert [sealed for sealed, _ in peer.sealed] == [what] * 3
    starts = [0.0, 0.25 + 0.2, 0.25 + 0.2 + 0.25 + 0.4]
    assert [now for _, now in peer.sealed] == [START + timedelta(seconds=seconds) for seconds in starts]
    assert [exchange.request.body for exchange in peer.exchanges] == [b"1", b"2", b"3"]


def test_an_answer_is_judged_beside_its_request_at_the_time_it_came(outcomes: Outcomes) -> None:
    peer, what = Peer([DONE], outcomes), prepared()
    peer.talk(what)
    assert peer.judged == [(what, peer.exchanges[0].request, WireResponse(200, Headers(), b"1"), START + timedelta(seconds=0.25))]


def test_an_exchange_carries_the_whole_conversations_deadline_and_policy(outcomes: Outcomes) -> None:
    peer, policy = Peer([LOST, LOST, DONE], outcomes), Policy(deadline=8.0, connect_timeout=1.0, read_timeout=2.0)
    peer.talk(policy=policy, jitter=1.0)
    assert [(exchange.deadline, exchange.policy) for exchange in peer.exchanges] == [(1008.0, policy)] * 3


@pytest.mark.parametrize(
    ("step", "waits"),
    [
        (LOST, [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0, 5.0]),
        (LIMITED, [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0, 30.0]),
    ],
    ids=["plain", "after a rate limit"],
)
def test_the_longest_waits_double_up_to_their_bound(step: Verdict | NoReply, waits: list[float], outcomes: Outcomes) -> None:
    full, half, none = (Peer([step] * 10, outcomes) for _ in range(3))
    full.talk(policy=PATIENT, jitter=1.0)
    half.talk(policy=PATIENT, jitter=0.5)
    none.talk(policy=PATIENT, jitter=0.0)
    assert full.between() == pytest.approx(waits)
    assert half.between() == pytest.approx([wait / 2 for wait in waits])
    assert none.between() == []
    assert len(none.exchanges) == 10


def test_the_last_verdict_alone_says_how_slowly_to_go_on(outcomes: Outcomes) -> None:
    peer = Peer([LIMITED, LOST, LIMITED, DONE], outcomes)
    peer.talk(policy=PATIENT, jitter=1.0)
    assert peer.between() == pytest.approx([1.0, 0.4, 4.0])


@pytest.mark.parametrize(("asked", "jitter", "wait"), [(3.0, 1.0, 3.0), (0.1, 1.0, 0.2), (0.1, 0.0, 0.1), (0.2, 1.0, 0.2)])
def test_retry_after_is_honoured_where_it_asks_for_more(asked: float, jitter: float, wait: float, outcomes: Outcomes) -> None:
    peer = Peer([waiting(asked), DONE], outcomes)
    peer.talk(jitter=jitter)
    assert peer.between() == [wait]


@pytest.mark.parametrize(("asked", "attempts"), [(9.74, 2), (9.75, 1), (9.76, 1), (3600.0, 1)])
def test_no_wait_begins_that_would_end_past_the_deadline(asked: float, attempts: int, outcomes: Outcomes) -> None:
    peer = Peer([waiting(asked), DONE], outcomes)
    outcome = peer.talk()
    assert len(outcome.attempts) == attempts
    assert outcome.code is (Code.APPLIED if attempts == 2 else Code.NO_ANSWER)
    assert peer.between() == ([asked] if attempts == 2 else [])


def test_no_attempt_begins_where_the_last_one_used_the_time_up(outcomes: Outcomes) -> None:
    peer = Peer([LOST, DONE], outcomes, took=10.0)
    assert peer.talk(jitter=0.0).code is Code.NO_ANSWER
    assert len(peer.exchanges) == 1


@pytest.mark.parametrize(
    ("deadline", "codes"),
    [
        (9.5, ["NO_ANSWER", "APPLIED"]),
        (9.0, ["NO_ANSWER", "NOT_SENT"]),
        (8.5, ["NO_ANSWER", "NOT_SENT"]),
        (8.0, ["NO_ANSWER"]),
        (7.5, ["NO_ANSWER"]),
    ],
)
def test_nothing_is_sent_where_a_wait_or_the_signing_ended_at_the_deadline_or_past_it(
    deadline: float, codes: list[str], outcomes: Outcomes
) -> None:
    """Each look at the clock takes a second: the wait ends after eight, the second signing after nine."""
    peer = Peer([waiting(0.5), DONE], outcomes, took=2.5, late=1.0)
    outcome = peer.talk(policy=Policy(deadline=deadline))
    assert [attempt.code.value for attempt in outcome.attempts] == codes
    assert peer.between() == [0.5]
    assert len(peer.exchanges) == (2 if deadline == 9.5 else 1)


@pytest.mark.parametrize("late", [5.0, 6.0])
def test_where_the_deadline_came_while_signing_nothing_was_sent(late: float, outcomes: Outcomes) -> None:
    peer = Peer([DONE], outcomes, late=late)
    outcome = peer.talk()
    (attempt,) = outcome.attempts
    assert (outcome.code, attempt.sent, attempt.reason) == (Code.NOT_SENT, False, "the deadline came before the request left")
    assert not peer.exchanges


@pytest.mark.parametrize("late", [10.0, 11.0])
def test_where_the_deadline_came_before_any_try_nothing_was_sent(late: float, outcomes: Outcomes) -> None:
    peer = Peer([DONE], outcomes, late=late)
    outcome = peer.talk()
    assert (outcome.code, outcome.attempts, outcome.native) == (Code.NOT_SENT, (), None)
    assert (outcome.ok, outcome.certain, outcome.next.value) == (False, True, "resend")
    assert not peer.sealed


def test_a_signer_that_raises_sends_nothing_and_is_asked_again(outcomes: Outcomes) -> None:
    peer = Peer([ValueError("sesame"), DONE], outcomes)
    outcome = peer.talk(prepared("refund"))
    assert outcome.code is Code.APPLIED
    first = outcome.attempts[0]
    assert (first.code, first.sent, first.reason) == (Code.NOT_SENT, False, "signing failed: ValueError")
    assert len(peer.exchanges) == 1


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_the_interpreters_own_exceptions_pass_through(stop: type[BaseException], outcomes: Outcomes) -> None:
    with pytest.raises(stop):
        Peer([stop()], outcomes).talk()


def test_a_pause_is_answered_by_an_instant_and_by_nothing_else(outcomes: Outcomes) -> None:
    peer = Peer([DONE], outcomes)
    for reply in (LOST, WireResponse(200, Headers(), b"")):
        flow = converse(peer.about())
        assert next(flow) == Pause(0.0)
        with pytest.raises(TypeError, match=r"^a pause is answered by an instant$"):
            flow.send(reply)


def test_an_exchange_is_answered_by_a_response_or_its_absence(outcomes: Outcomes) -> None:
    peer = Peer([DONE], outcomes)
    flow = converse(peer.about())
    assert (next(flow), flow.send(peer.now())) == (Pause(0.0), Pause(0.0))
    request = WireRequest("POST", "https://gateway.example", Headers(), b"1")
    assert flow.send(peer.now()) == Pause(0.0)
    assert flow.send(peer.now()) == Exchange(request, 1010.0, Policy())
    with pytest.raises(TypeError, match=r"^an exchange is answered by a response or its absence$"):
        flow.send(Instant(START, 1000.0))


def test_trying_again_draws_on_the_budget_and_a_decision_puts_back(outcomes: Outcomes) -> None:
    peer = Peer([LOST, UNSENT, DONE], outcomes)
    peer.talk()
    assert peer.drawn == ["spend", "spend", "earn"]


@pytest.mark.parametrize("code", Code)
def test_only_an_answer_that_decides_puts_back(code: Code, outcomes: Outcomes) -> None:
    peer = Peer([Verdict(code=code)], outcomes)
    peer.talk(policy=Policy(attempts=1))
    decides = outcomes[code].effect.value in {"applied", "in_state", "not_applied"} and code.value != "RATE_LIMITED"
    assert peer.drawn == (["earn"] if decides else [])


@pytest.mark.parametrize(
    ("script", "action", "attempts"),
    [([LOST], "redeem", 1), ([LOST], "refund", 3), ([waiting(3600.0)], "redeem", 3), ([Verdict(code=Code.BAD_ANSWER)], "redeem", 3)],
    ids=["no attempt left", "a refund in doubt", "no time left", "never tried again"],
)
def test_what_is_not_tried_again_draws_nothing(script: list[Verdict | NoReply], action: str, attempts: int, outcomes: Outcomes) -> None:
    peer = Peer(script, outcomes)
    assert peer.talk(prepared(action), policy=Policy(attempts=attempts)).notes == ()
    assert peer.drawn == []


def test_where_the_budget_is_used_up_the_last_verdict_stands_and_the_outcome_says_why(outcomes: Outcomes) -> None:
    remarked = Verdict(code=Code.PROVIDER_ERROR, note="a remark")
    peer = Peer([LOST, remarked, DONE], outcomes, left=1)
    outcome = peer.talk(prepared(notes=("left out",)))
    assert outcome.code is Code.NO_ANSWER
    assert len(outcome.attempts) == 2
    assert outcome.notes == ("left out", "a remark", "not tried again: too many attempts of this client failed lately")
    assert peer.drawn == ["spend", "spend"]
