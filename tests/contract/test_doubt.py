"""Answers that are lost, forged or nobody's: what is sent again, what never, and what is said at the end."""

from __future__ import annotations

import pytest

from passbridge import Code, Next, Who
from passbridge.sandbox import Sandbox
from tests.contract.asking import ACTIONS, Ask, state, update

UNKNOWN = [(account, action) for account, actions in ACTIONS.items() for action in actions]
RESENT = [pair for pair in UNKNOWN if pair[1] != "refund"]


@pytest.mark.parametrize("account", ["hk-cards", "hk-tickets"])
def test_a_redeem_whose_answer_is_lost_is_presumed_applied_by_the_second_answer(account: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": "lose-answer"})
    outcome = ask.apply(update(account, "redeem"))
    assert (outcome.code, outcome.ok, outcome.certain) == (Code.APPLIED_PRESUMED, True, False)
    assert [attempt.code for attempt in outcome.attempts] == [Code.NO_ANSWER, Code.ALREADY_IN_STATE]
    assert [request["applied"] for request in box.requests()] == [True, False]
    assert state(box, account) == ("USED", {})


@pytest.mark.parametrize("fault", ["lose-answer", "drop-request", "http-502", "http-502-after", "code:UNKNOWN_EXCEPTION"])
def test_a_refund_in_doubt_is_never_sent_again(fault: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": fault})
    outcome = ask.apply(update("hk-tickets", "refund"))
    assert outcome.code is (Code.PROVIDER_ERROR if fault.startswith("code") else Code.NO_ANSWER)
    assert (outcome.next, outcome.who, outcome.ok) == (Next.INVESTIGATE, Who.OPERATOR, False)
    assert len(outcome.attempts) == len(box.requests()) == 1


@pytest.mark.parametrize(("account", "action"), RESENT)
def test_what_was_dropped_or_met_a_proxy_s_page_is_sent_again(account: str, action: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": "drop-request"})
    box.add_fault({"fault": "http-502"})
    outcome = ask.apply(update(account, action))
    assert outcome.code is Code.APPLIED
    assert [attempt.code for attempt in outcome.attempts] == [Code.NO_ANSWER, Code.NO_ANSWER, Code.APPLIED]
    assert outcome.attempts[1].reason == "HTTP status 502"
    assert [request["applied"] for request in box.requests()] == [False, False, True]


@pytest.mark.parametrize(("account", "action"), RESENT)
def test_three_pages_are_no_answer(account: str, action: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": "http-502", "count": 9})
    outcome = ask.apply(update(account, action))
    assert (outcome.code, outcome.next, outcome.native) == (Code.NO_ANSWER, Next.RESOLVE, None)
    assert len(outcome.attempts) == len(box.requests()) == 3
    assert state(box, account) == ("ACTIVE", {})


@pytest.mark.parametrize("fault", ["unsigned", "bad-signature"])
@pytest.mark.parametrize(("account", "action"), UNKNOWN)
def test_an_answer_that_nobody_vouches_for_ends_the_attempts_and_decides_nothing(
    account: str, action: str, fault: str, ask: Ask, box: Sandbox
) -> None:
    box.add_fault({"fault": fault})
    outcome = ask.apply(update(account, action))
    assert (outcome.code, outcome.ok, outcome.next, outcome.who) == (Code.UNTRUSTED_ANSWER, False, Next.INVESTIGATE, Who.OPERATOR)
    assert outcome.finding is not None
    assert outcome.finding.code == {"unsigned": "SIG-MISSING", "bad-signature": "SIG-MISMATCH"}[fault]
    assert outcome.native is not None
    assert (outcome.native.code, outcome.native.verified) == ("10000" if account == "cn" else "SUCCESS", False)
    assert len(outcome.attempts) == len(box.requests()) == 1


@pytest.mark.parametrize(
    ("account", "action", "code"),
    [
        ("hk-cards", "close", Code.NO_ANSWER),
        ("hk-members", "close", Code.NO_ANSWER),
        ("hk-tickets", "close", Code.NO_ANSWER),
        ("cn", "redeem", Code.NO_ANSWER),
        ("cn", "close", Code.NO_ANSWER),
        ("hk-tickets", "revise", Code.APPLIED),
        ("cn", "revise", Code.APPLIED),
    ],
)
def test_a_later_refusal_leaves_the_doubt_standing_and_a_later_success_ends_it(
    account: str, action: str, code: Code, ask: Ask, box: Sandbox
) -> None:
    box.add_fault({"fault": "lose-answer"})
    outcome = ask.apply(update(account, action))
    assert outcome.code is code
    assert len(outcome.attempts) == len(box.requests()) == 2
    if code is Code.NO_ANSWER:
        assert (outcome.next, outcome.who) == (Next.INVESTIGATE, Who.OPERATOR)


@pytest.mark.parametrize("account", ["hk-tickets", "cn"])
def test_a_later_call_settles_the_doubt_of_an_earlier_one(account: str, ask: Ask, ask_once: Ask, box: Sandbox) -> None:
    box.guess({"mainland.used_again": "success"})
    box.add_fault({"fault": "lose-answer"})
    first = ask_once.apply(update(account, "redeem"))
    assert (first.code, len(first.attempts)) == (Code.NO_ANSWER, 1)
    second = ask.apply(update(account, "redeem"), first)
    assert second.code is (Code.APPLIED if account == "cn" else Code.APPLIED_PRESUMED)
    assert [attempt.n for attempt in second.attempts] == [1, 2]
    assert len(box.requests()) == 2


@pytest.mark.parametrize("account", ["hk-tickets", "cn"])
def test_what_is_known_to_be_applied_is_not_sent_again(account: str, ask: Ask, box: Sandbox) -> None:
    first = ask.apply(update(account, "redeem"))
    again = ask.apply(update(account, "redeem"), first)
    assert (again.code, again.attempts) == (Code.APPLIED, first.attempts)
    assert again.notes == ("settled by an earlier call; nothing was sent",)
    assert len(box.requests()) == 1
