"""When a conversation asks what became of its update, and what an answer changes: against a scripted gateway."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passbridge import Code, Finding, Native, Outcome
from passbridge.protocol.conversation import Policy
from passbridge.protocol.gateway import AnswersQueries
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.resolve import may_ask
from passbridge.protocol.tables import load_tables
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import NoReply
from passbridge.resources import mapping_texts
from tests.protocol.asking import AskedPeer, Desk
from tests.protocol.scripted import Peer, prepared

Outcomes = Mapping[Code, OutcomeRow]
TABLES = load_tables(mapping_texts())
Script = Sequence[Verdict | NoReply | BaseException]

DONE = Verdict(code=Code.APPLIED)
LOST = NoReply("read timeout", sent=True)
UNSENT = NoReply("connection refused", sent=False)
LIMITED = Verdict(code=Code.RATE_LIMITED, slow=True)
UNSURE = Verdict(code=Code.PROVIDER_ERROR)
BAD = Verdict(code=Code.BAD_ANSWER)
UNTRUSTED = Verdict(code=Code.UNTRUSTED_ANSWER)
UNMAPPED = Verdict(code=Code.UNMAPPED)
REFUSED = Verdict(code=Code.REFUSED)
MALFORMED = Verdict(code=Code.MALFORMED_REQUEST, settles=("redeem", "close", "revise"))

NATIVE = Native(code="10000", result={"status": "USED"}, verified=True)
THERE = Verdict(
    code=Code.ALREADY_IN_STATE, native=NATIVE, rule="cn#query.redeem", trace_id="t-q", reason="it is used", note="n", answer=["pass"]
)
NOT_YET = Verdict(code=Code.PROVIDER_ERROR, reason="it is unused", answer=["pass"])


def asked(outcomes: Outcomes, script: Script, says: Script = (NOT_YET,), **more: float) -> AskedPeer:
    return AskedPeer(script, outcomes, desk=Desk(says), **more)  # type: ignore[arg-type]


def earlier(outcomes: Outcomes, *script: Verdict | NoReply) -> Outcome:
    """The outcome of an earlier call that was not asked about."""
    return Peer(script, outcomes).talk(policy=Policy(attempts=len(script)))


# What the update's attempts come to, what the query says, the order of what is sent, and the outcome.
CASES: dict[str, tuple[Script, Script, str, str]] = {
    "a success": ([DONE], [THERE], "u", "APPLIED"),
    "a refusal": ([REFUSED], [THERE], "u", "REFUSED"),
    "the state, without a doubt": ([Verdict(code=Code.ALREADY_IN_STATE)], [THERE], "u", "ALREADY_IN_STATE"),
    "never sent": ([UNSENT, UNSENT, UNSENT], [THERE], "uuu", "NOT_SENT"),
    "limited, then done": ([LIMITED, DONE], [THERE], "uu", "APPLIED"),
    "lost, and there": ([LOST, DONE], [THERE], "uq", "APPLIED_PRESUMED"),
    "unsure, and there": ([UNSURE, DONE], [THERE], "uq", "APPLIED_PRESUMED"),
    "lost, not there, done": ([LOST, DONE], [NOT_YET], "uqu", "APPLIED"),
    "lost, not there, lost, there": ([LOST, LOST, DONE], [NOT_YET, THERE], "uquq", "APPLIED_PRESUMED"),
    "unsent, lost, there": ([UNSENT, LOST, DONE], [THERE], "uuq", "APPLIED_PRESUMED"),
    "lost, unsent, there": ([LOST, UNSENT, DONE], [NOT_YET, THERE], "uquq", "APPLIED_PRESUMED"),
    "every attempt lost, never there": ([LOST] * 3, [NOT_YET], "uququq", "NO_ANSWER"),
    "every attempt lost, there at last": ([LOST] * 3, [NOT_YET, NOT_YET, THERE], "uququq", "APPLIED_PRESUMED"),
    "bad, and there": ([BAD, DONE], [THERE], "uq", "APPLIED_PRESUMED"),
    "bad, not there": ([BAD, DONE], [NOT_YET], "uq", "BAD_ANSWER"),
    "untrusted, and there": ([UNTRUSTED, DONE], [THERE], "uq", "APPLIED_PRESUMED"),
    "untrusted, not there": ([UNTRUSTED, DONE], [NOT_YET], "uq", "UNTRUSTED_ANSWER"),
    "unmapped, and there": ([UNMAPPED, DONE], [THERE], "uq", "APPLIED_PRESUMED"),
    "lost, refused for any reason, there": ([LOST, REFUSED], [NOT_YET, THERE], "uquq", "APPLIED_PRESUMED"),
    "lost, refused for any reason, not there": ([LOST, REFUSED], [NOT_YET], "uquq", "NO_ANSWER"),
    "lost, refused for what it is": ([LOST, MALFORMED], [NOT_YET, THERE], "uqu", "MALFORMED_REQUEST"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("action", ["redeem", "close", "revise"])
def test_the_query_is_asked_exactly_while_a_doubt_stands(action: str, case: tuple[Script, Script, str, str], outcomes: Outcomes) -> None:
    script, says, order, code = case
    peer = asked(outcomes, script, says)
    outcome = peer.talk(prepared(action))
    assert (peer.order(), outcome.code.value) == (order, code)
    assert [attempt.n for attempt in outcome.attempts] == list(range(1, len(order) + 1))
    queries = ["q" if (attempt.reason or "").startswith("query: ") else "u" for attempt in outcome.attempts]
    assert "".join(queries) == order


@pytest.mark.parametrize("script", [script for script, _, _, _ in CASES.values()], ids=CASES)
def test_a_gateway_that_has_no_answer_is_talked_to_as_ever(script: Script, outcomes: Outcomes) -> None:
    plain, silent = Peer(script, outcomes), AskedPeer(script, outcomes)
    assert not isinstance(plain, AnswersQueries)
    assert isinstance(silent, AnswersQueries)
    assert silent.talk(jitter=0.5) == plain.talk(jitter=0.5)
    assert (silent.waits, silent.exchanges, silent.drawn) == (plain.waits, plain.exchanges, plain.drawn)


@pytest.mark.parametrize("script", [[LOST], [LIMITED, LOST], [BAD], [LOST, REFUSED]], ids=str)
def test_a_refund_is_never_asked_about(script: Script, outcomes: Outcomes) -> None:
    plain, peer = Peer(script, outcomes), asked(outcomes, script, [THERE])
    assert peer.talk(prepared("refund")) == plain.talk(prepared("refund"))
    assert "q" not in peer.order()
    assert [may_ask(action) for action in ("redeem", "close", "revise", "refund")] == [True, True, True, False]


def test_the_wanted_state_speaks_in_the_querys_words(outcomes: Outcomes) -> None:
    outcome = asked(outcomes, [LOST, DONE], [THERE]).talk()
    assert (outcome.ok, outcome.certain, outcome.next) == (True, False, "none")
    assert (outcome.native, outcome.rule, outcome.trace_id, outcome.notes) == (NATIVE, "cn#query.redeem", "t-q", ("n",))
    lost, query = outcome.attempts
    assert (lost.code, lost.sent, lost.reason) == (Code.NO_ANSWER, True, "read timeout")
    assert (query.code, query.sent, query.reason, query.trace_id) == (Code.ALREADY_IN_STATE, False, "query: it is used", "t-q")


FAILURES: dict[str, tuple[Verdict | NoReply | BaseException, str, str]] = {
    "not there": (NOT_YET, "PROVIDER_ERROR", "query: it is unused"),
    "unreachable": (UNSENT, "NOT_SENT", "query: connection refused"),
    "unanswered": (LOST, "NO_ANSWER", "query: read timeout"),
    "unsigned": (
        Verdict(code=Code.UNTRUSTED_ANSWER, finding=Finding(code="SIG-MISSING", message="m"), reason="m"),
        "UNTRUSTED_ANSWER",
        "query: m",
    ),
    "unreadable": (Verdict(code=Code.BAD_ANSWER, reason="unreadable"), "BAD_ANSWER", "query: unreadable"),
    "refused": (Verdict(code=Code.ACCESS_DENIED, settles=("redeem",)), "ACCESS_DENIED", "query: ACCESS_DENIED"),
    "not found": (Verdict(code=Code.PASS_NOT_FOUND, settles=("redeem",)), "PASS_NOT_FOUND", "query: PASS_NOT_FOUND"),
    "confirmed, which a query can't": (Verdict(code=Code.APPLIED), "APPLIED", "query: APPLIED"),
    "the signer fails": (RuntimeError("the KMS is away"), "NOT_SENT", "query: signing failed: RuntimeError"),
}


@pytest.mark.parametrize(("says", "code", "reason"), FAILURES.values(), ids=FAILURES)
def test_whatever_else_a_query_says_changes_nothing_but_the_list(
    says: Verdict | NoReply | BaseException, code: str, reason: str, outcomes: Outcomes
) -> None:
    plain, peer = Peer([LOST] * 3, outcomes).talk(), asked(outcomes, [LOST] * 3, [says])
    outcome = peer.talk()
    same = {"code", "effect", "next", "who", "ok", "certain", "native", "finding", "rule", "trace_id", "text", "mapped"}
    assert outcome.model_dump(include=same) == plain.model_dump(include=same)
    queries = outcome.attempts[1::2]
    assert [(query.code.value, query.sent, query.reason) for query in queries] == [(code, False, reason)] * 3


@pytest.mark.parametrize(("says", "order", "code"), [(THERE, "q", "APPLIED_PRESUMED"), (NOT_YET, "qu", "APPLIED")])
def test_an_earlier_calls_doubt_is_asked_about_before_anything_is_sent(says: Verdict, order: str, code: str, outcomes: Outcomes) -> None:
    after = earlier(outcomes, LOST)
    peer = asked(outcomes, [DONE], [says])
    outcome = peer.talk(after=after)
    assert (peer.order(), outcome.code.value) == (order, code)
    assert outcome.attempts[0] == after.attempts[0]
    assert [attempt.n for attempt in outcome.attempts] == list(range(1, len(order) + 2))


def test_an_earlier_outcome_without_a_doubt_is_not_asked_about(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [DONE], [THERE])
    assert peer.talk(after=earlier(outcomes, LIMITED)).code is Code.APPLIED
    assert peer.order() == "u"


def test_queries_are_not_counted_as_attempts(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST] * 4, [NOT_YET])
    outcome = peer.talk(policy=Policy(attempts=4))
    assert (peer.order(), sum(attempt.sent for attempt in outcome.attempts)) == ("uquququq", 4)


def test_a_query_comes_after_the_wait_and_carries_a_fresh_time(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST, LOST, LOST], [NOT_YET])
    peer.talk(jitter=1.0)
    assert peer.desk is not None
    assert peer.between() == pytest.approx([0.2, 0.4, 0.8])
    starts = [(moment - peer.desk.asked[0]).total_seconds() for moment in peer.desk.asked]
    assert starts == pytest.approx([0.0, 0.25 * 2 + 0.4, 0.25 * 4 + 0.4 + 0.8])


def test_a_query_before_an_attempt_leaves_it_half_of_what_is_left(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST, LOST], [NOT_YET], took=1.0)
    peer.talk(policy=Policy(attempts=2, deadline=9.0))
    # From 1000 on: the attempt until 1009; at 1001 a query until 1005; at 1002 the attempt; at 1003 the last query.
    assert peer.order() == "uquq"
    assert [exchange.deadline for exchange in peer.exchanges] == [1009.0, 1005.0, 1009.0, 1009.0]


def test_no_attempt_begins_where_the_query_used_the_time_up(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST, DONE], [NOT_YET], took=5.0)
    outcome = peer.talk()
    assert (peer.order(), outcome.code) == ("uq", Code.NO_ANSWER)


@pytest.mark.parametrize(("took", "order"), [(9.9, "uq"), (10.0, "u")])
def test_nothing_is_asked_after_the_deadline(took: float, order: str, outcomes: Outcomes) -> None:
    peer = asked(outcomes, [BAD], [NOT_YET], took=took)
    assert peer.talk().code is Code.BAD_ANSWER
    assert peer.order() == order


@pytest.mark.parametrize(("retry_after", "order"), [(9.0, "uq"), (9.75, "u"), (60.0, "u")])
def test_the_last_query_waits_as_an_attempt_would_or_is_not_made(retry_after: float, order: str, outcomes: Outcomes) -> None:
    peer = asked(outcomes, [Verdict(code=Code.NO_ANSWER, retry_after=retry_after)], [THERE])
    outcome = peer.talk(policy=Policy(attempts=1))
    assert (peer.order(), outcome.code.value) == (order, "APPLIED_PRESUMED" if order == "uq" else "NO_ANSWER")
    assert peer.between() == ([retry_after] if order == "uq" else [])


def test_a_late_driver_makes_no_query_after_the_deadline(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [Verdict(code=Code.BAD_ANSWER, retry_after=8.7)], [THERE], late=0.2)
    outcome = peer.talk()
    assert (peer.order(), outcome.code, len(outcome.attempts)) == ("u", Code.BAD_ANSWER, 1)


def test_an_earlier_doubt_is_not_asked_about_after_the_deadline(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [DONE], [THERE], late=10.0)
    outcome = peer.talk(after=earlier(outcomes, LOST))
    assert (peer.order(), outcome.code, len(outcome.attempts)) == ("", Code.NO_ANSWER, 1)


def test_a_query_draws_on_the_budget_and_what_it_reads_puts_it_back(outcomes: Outcomes) -> None:
    for says, drawn in (
        (NOT_YET, ["spend", "spend", "earn", "earn"]),
        (THERE, ["spend", "spend", "earn"]),
        (LOST, ["spend", "spend", "earn"]),
        (LIMITED, ["spend", "spend", "earn"]),
        (Verdict(code=Code.ACCESS_DENIED), ["spend", "spend", "earn", "earn"]),
    ):
        peer = asked(outcomes, [LOST, DONE], [says])
        peer.talk()
        assert peer.drawn == drawn, says


def test_an_empty_budget_asks_nothing_and_says_so(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST, DONE], [THERE], left=0)
    outcome = peer.talk()
    assert (peer.order(), outcome.code) == ("u", Code.NO_ANSWER)
    assert outcome.notes == (
        "not tried again: too many attempts of this client failed lately",
        "not asked what became of it: too many attempts of this client failed lately",
    )


def test_an_attempt_that_was_granted_is_made_without_the_query(outcomes: Outcomes) -> None:
    peer = asked(outcomes, [LOST, DONE], [THERE], left=1)
    assert (peer.talk().code, peer.order()) == (Code.APPLIED, "uu")


def test_a_call_of_another_kind_is_not_asked_about(outcomes: Outcomes) -> None:
    peer = Peer([LOST], outcomes)
    outcome, answer = peer.asked(prepared("alipay.pass.template.add"))
    assert (outcome.code, answer) == (Code.NO_ANSWER, None)


STEPS = [DONE, LOST, UNSENT, LIMITED, UNSURE, BAD, UNTRUSTED, UNMAPPED, REFUSED, MALFORMED, Verdict(code=Code.ALREADY_IN_STATE)]


@settings(max_examples=150)
@given(
    script=st.lists(st.sampled_from(STEPS), min_size=5, max_size=5),
    says=st.lists(st.sampled_from([says for says, _, _ in FAILURES.values()]), min_size=1, max_size=5),
    action=st.sampled_from(["redeem", "close", "revise", "refund"]),
    attempts=st.integers(1, 5),
)
def test_without_the_wanted_state_a_query_changes_neither_what_is_sent_nor_what_is_known(
    script: Script, says: Script, action: str, attempts: int
) -> None:
    plain, peer = Peer(script, TABLES.outcomes), asked(TABLES.outcomes, script, says)
    policy = Policy(attempts=attempts)
    without, outcome = plain.talk(prepared(action), policy=policy), peer.talk(prepared(action), policy=policy)
    left_out = {"attempts", "elapsed", "started"}
    assert outcome.model_dump(exclude=left_out) == without.model_dump(exclude=left_out)
    assert peer.order().replace("q", "") == plain_order(plain)
    updates = [attempt for attempt in outcome.attempts if not (attempt.reason or "").startswith("query: ")]
    assert [(one.code, one.sent, one.reason) for one in updates] == [(one.code, one.sent, one.reason) for one in without.attempts]


@settings(max_examples=150)
@given(script=st.lists(st.sampled_from(STEPS), min_size=3, max_size=3), action=st.sampled_from(["redeem", "close", "revise"]))
def test_the_wanted_state_is_presumed_exactly_where_something_was_in_doubt(script: Script, action: str) -> None:
    peer = asked(TABLES.outcomes, script, [THERE])
    outcome = peer.talk(prepared(action))
    doubts = [attempt for attempt in outcome.attempts if TABLES.outcomes[attempt.code].effect == "unknown"]
    assert (outcome.code is Code.APPLIED_PRESUMED) is bool(doubts) is (peer.order().count("q") == 1)
    assert peer.order().endswith("q") or "q" not in peer.order()


def plain_order(peer: Peer) -> str:
    return "u" * len(peer.exchanges)
