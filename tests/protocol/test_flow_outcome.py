from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

import pytest

from passbridge import Attempt, Code, Effect, Finding, Native, Next, Outcome, Who
from passbridge.protocol.conversation import GATEWAY_ZONE, Policy
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import NoReply
from tests.protocol.scripted import Peer, prepared

Outcomes = Mapping[Code, OutcomeRow]

LOST = NoReply("read timeout", sent=True)
UNSENT = NoReply("connection refused", sent=False)
HELD = Verdict(
    code=Code.ALREADY_IN_STATE,
    native=Native(code="PASS_USED_OCCUPIED", verified=True),
    rule="hk.ticket#codes.PASS_USED_OCCUPIED",
    trace_id="t2",
)
REFUSED = Verdict(code=Code.STATE_CONFLICT, rule="hk.ticket#codes.PASS_STATUS_ILLEGAL")
HERE = datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=GATEWAY_ZONE)


def test_the_gateways_time_is_eight_hours_ahead() -> None:
    assert GATEWAY_ZONE.utcoffset(None) == timedelta(hours=8)


def test_the_policy_is_the_documented_one_by_default() -> None:
    assert Policy() == Policy(attempts=3, deadline=10.0, connect_timeout=3.0, read_timeout=5.0)


def test_an_outcome_says_everything_that_is_known(outcomes: Outcomes) -> None:
    at = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=1)))
    finding = Finding(code="SIG", message="m")
    verdict = Verdict(
        code=Code.ACCESS_DENIED,
        native=Native(code="INVALID_SIGNATURE", status="F", verified=True),
        rule="hk.ticket#codes.INVALID_SIGNATURE",
        reason="seen",
        trace_id="t1",
        finding=finding,
        mapped=False,
        note="a remark",
    )
    outcome = Peer([verdict], outcomes, took=0.25049).talk(prepared("revise", at=at, notes=("left out",)))
    assert outcome == Outcome(
        code=Code.ACCESS_DENIED,
        effect=Effect.NOT_APPLIED,
        next=Next.FIX_CONFIG,
        who=Who.OPERATOR,
        ok=False,
        certain=True,
        mapped=False,
        account="hk-tickets",
        action="revise",
        pass_id="2995",  # noqa: S106 - a travel document, not a password
        key="order-77",
        at=at,
        notes=("left out", "a remark"),
        finding=finding,
        native=Native(code="INVALID_SIGNATURE", status="F", verified=True),
        trace_id="t1",
        rule="hk.ticket#codes.INVALID_SIGNATURE",
        text="The gateway denied access: a key, a contract, a permission or a token.",
        started=HERE,
        elapsed=0.25,
        attempts=(Attempt(n=1, code=Code.ACCESS_DENIED, sent=True, reason="seen", at=HERE, trace_id="t1", elapsed=0.25),),
    )


def test_times_are_the_gateways_cut_to_the_millisecond(outcomes: Outcomes) -> None:
    outcome = Peer([Verdict(code=Code.APPLIED)], outcomes).talk()
    assert outcome.started.isoformat() == outcome.attempts[0].at.isoformat() == "2026-11-22T10:00:00.123000+08:00"


@pytest.mark.parametrize("beyond", [0.875544, 0.876543])
def test_a_millisecond_that_is_not_over_is_not_counted(beyond: float, outcomes: Outcomes) -> None:
    outcome = Peer([Verdict(code=Code.APPLIED)], outcomes, seconds=1000.0 + beyond).talk()
    assert outcome.started == outcome.attempts[0].at == HERE.replace(microsecond=999000)


def test_elapsed_includes_the_waits_and_each_attempt_its_own_time(outcomes: Outcomes) -> None:
    outcome = Peer([LOST, Verdict(code=Code.APPLIED)], outcomes).talk(jitter=1.0)
    assert outcome.elapsed == 0.7
    assert [attempt.elapsed for attempt in outcome.attempts] == [0.25, 0.25]
    assert outcome.attempts[1].at - outcome.attempts[0].at == timedelta(milliseconds=450)


def test_each_attempt_keeps_its_own_verdict(outcomes: Outcomes) -> None:
    outcome = Peer([UNSENT, LOST, HELD], outcomes).talk()
    assert [(row.n, row.code.value, row.sent, row.reason, row.trace_id) for row in outcome.attempts] == [
        (1, "NOT_SENT", False, "connection refused", None),
        (2, "NO_ANSWER", True, "read timeout", None),
        (3, "ALREADY_IN_STATE", True, None, "t2"),
    ]


def test_the_wanted_state_after_a_doubt_is_presumed_to_be_ours(outcomes: Outcomes) -> None:
    outcome = Peer([LOST, HELD], outcomes).talk()
    assert (outcome.code, outcome.effect, outcome.ok, outcome.certain) == (Code.APPLIED_PRESUMED, Effect.IN_STATE, True, False)
    assert (outcome.native, outcome.rule, outcome.trace_id) == (HELD.native, HELD.rule, "t2")
    assert outcome.text == "The pass is in the wanted state, and an earlier attempt of this update may have put it there."


@pytest.mark.parametrize("first", [UNSENT, Verdict(code=Code.RATE_LIMITED)], ids=["unsent", "limited"])
def test_the_wanted_state_without_a_doubt_is_somebody_elses(first: Verdict | NoReply, outcomes: Outcomes) -> None:
    outcome = Peer([first, HELD], outcomes).talk()
    assert (outcome.code, outcome.ok, outcome.next) == (Code.ALREADY_IN_STATE, False, Next.INVESTIGATE)


def test_a_refusal_after_a_doubt_leaves_it_standing_and_says_so_once(outcomes: Outcomes) -> None:
    remarked = Verdict(code=Code.PROVIDER_ERROR, note="a remark", native=Native(code="U", verified=True))
    outcome = Peer([remarked, remarked, REFUSED], outcomes).talk(prepared("close", notes=("left out",)))
    assert (outcome.code, outcome.next, outcome.who) == (Code.PROVIDER_ERROR, Next.INVESTIGATE, Who.OPERATOR)
    assert outcome.notes == (
        "left out",
        "a later attempt was refused (STATE_CONFLICT), which does not say whether an earlier one took effect",
        "a remark",
    )
    assert outcome.native == remarked.native
    assert outcome.rule is None


def earlier(outcomes: Outcomes, *script: Verdict | NoReply, action: str = "redeem") -> Outcome:
    return Peer(script, outcomes).talk(prepared(action), policy=Policy(attempts=len(script)))


def test_an_earlier_outcomes_attempts_count_and_numbering_goes_on(outcomes: Outcomes) -> None:
    before = earlier(outcomes, UNSENT, LOST)
    outcome = Peer([LOST, Verdict(code=Code.APPLIED)], outcomes).talk(after=before)
    assert outcome.attempts[:2] == before.attempts
    assert [attempt.n for attempt in outcome.attempts] == [1, 2, 3, 4]
    assert outcome.elapsed == 0.5


def test_an_earlier_outcomes_doubt_makes_the_wanted_state_presumed(outcomes: Outcomes) -> None:
    assert Peer([HELD], outcomes).talk(after=earlier(outcomes, LOST)).code is Code.APPLIED_PRESUMED
    assert Peer([HELD], outcomes).talk(after=earlier(outcomes, UNSENT)).code is Code.ALREADY_IN_STATE


def test_an_earlier_doubt_that_was_settled_is_no_doubt(outcomes: Outcomes) -> None:
    settled = earlier(outcomes, LOST, Verdict(code=Code.PASS_NOT_FOUND, settles=("revise",)), action="revise")
    assert settled.code is Code.PASS_NOT_FOUND
    outcome = Peer([REFUSED], outcomes).talk(prepared("revise"), after=settled)
    assert outcome.code is Code.STATE_CONFLICT
    assert len(outcome.attempts) == 3


def test_an_earlier_doubt_that_was_settled_names_no_later_outcome(outcomes: Outcomes) -> None:
    untrusted = Verdict(code=Code.UNTRUSTED_ANSWER, finding=Finding(code="SIG", message="m"))
    doubted = earlier(outcomes, untrusted, action="revise")
    settled = Peer([Verdict(code=Code.PASS_NOT_FOUND, settles=("revise",))], outcomes).talk(prepared("revise"), after=doubted)
    lost = Peer([LOST], outcomes).talk(prepared("revise"), policy=Policy(attempts=1), after=settled)
    assert (settled.code, lost.code) == (Code.PASS_NOT_FOUND, Code.NO_ANSWER)
    again = Peer([UNSENT], outcomes).talk(prepared("revise"), policy=Policy(attempts=1), after=lost)
    assert again.code is Code.NO_ANSWER


def test_an_earlier_doubt_keeps_its_own_words_where_nothing_new_is_known(outcomes: Outcomes) -> None:
    claim = Native(code="SUCCESS", verified=False)
    untrusted = Verdict(
        code=Code.UNTRUSTED_ANSWER, finding=Finding(code="SIG", message="m"), native=claim, trace_id="t1", rule="r", mapped=False
    )
    before = earlier(outcomes, untrusted)
    for script in ([LOST], [UNSENT], [REFUSED]):
        outcome = Peer(script, outcomes).talk(policy=Policy(attempts=1), after=before)
        assert outcome.code is Code.UNTRUSTED_ANSWER
        assert (outcome.native, outcome.finding, outcome.trace_id) == (claim, untrusted.finding, "t1")
        assert (outcome.rule, outcome.mapped) == ("r", False)


def test_a_refund_in_doubt_is_tried_once_when_asked_and_never_by_itself(outcomes: Outcomes) -> None:
    before = earlier(outcomes, LOST, action="refund")
    assert (before.code, before.next, before.who) == (Code.NO_ANSWER, Next.INVESTIGATE, Who.OPERATOR)
    peer = Peer([UNSENT, Verdict(code=Code.APPLIED)], outcomes)
    outcome = peer.talk(prepared("refund"), after=before)
    assert len(peer.exchanges) == 1
    assert (outcome.code, outcome.next, outcome.who) == (Code.NO_ANSWER, Next.INVESTIGATE, Who.OPERATOR)


def test_a_deadline_that_came_before_any_try_leaves_an_earlier_doubt(outcomes: Outcomes) -> None:
    before = earlier(outcomes, LOST)
    outcome = Peer([HELD], outcomes, late=10.0).talk(after=before)
    assert (outcome.code, outcome.attempts) == (Code.NO_ANSWER, before.attempts)


def test_a_call_gives_its_last_verified_answer_beside_the_outcome(outcomes: Outcomes) -> None:
    answer = {"code": "10000"}
    outcome, given = Peer([Verdict(code=Code.APPLIED, answer=answer)], outcomes).asked(prepared("alipay.pass.instance.add"))
    assert (outcome.code, outcome.action) == (Code.APPLIED, "alipay.pass.instance.add")
    assert given is answer
    _, nothing = Peer([Verdict(code=Code.REFUSED)], outcomes).asked(prepared())
    assert nothing is None
