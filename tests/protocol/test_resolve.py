from __future__ import annotations

import itertools
from collections.abc import Mapping

import pytest

from passbridge import Code, Next, Who
from passbridge.protocol.mapping import OutcomeRow, Profile
from passbridge.protocol.resolve import ALARM, Known, may_resend, resolve
from passbridge.protocol.tables import Tables
from passbridge.protocol.verdict import Verdict

ACTIONS = ("redeem", "close", "revise", "refund")
HK, CN = "hk.ticket", "mainland.pass"
DOUBTS = ("UNTRUSTED_ANSWER", "BAD_ANSWER", "UNMAPPED", "NO_ANSWER", "PROVIDER_ERROR")
"""The most alarming first."""

# After this verdict, may it be sent again by itself: with no attempt in doubt, and with one (redeem close revise refund).
NEVER = """
APPLIED APPLIED_PRESUMED ALREADY_IN_STATE STATE_CONFLICT PASS_NOT_FOUND HOLDER_NOT_FOUND MALFORMED_REQUEST MISSING_FIELD
INVALID_VALUE UNENCODABLE_TEXT REFUSED UNSUPPORTED ACCESS_DENIED INVALID_UPDATE
"""
AGAIN = {
    "NOT_SENT": ("yes yes yes yes", "yes yes yes no"),
    "RATE_LIMITED": ("yes yes yes yes", "yes yes yes no"),
    "PROVIDER_ERROR": (None, "yes yes yes no"),
    "NO_ANSWER": (None, "yes yes yes no"),
    "BAD_ANSWER": (None, "no no no no"),
    "UNTRUSTED_ANSWER": (None, "no no no no"),
    "UNMAPPED": (None, "no no no no"),
    **dict.fromkeys(NEVER.split(), ("no no no no", "no no no no")),
}

# What a later verified answer settles when an earlier attempt is in doubt, by action (redeem close revise refund); the
# mainland has no refund.
SETTLED = {
    (HK, "SUCCESS"): "APPLIED APPLIED APPLIED APPLIED",
    (CN, "10000"): "APPLIED APPLIED APPLIED -",
    (HK, "PASS_USED_OCCUPIED"): "APPLIED_PRESUMED doubt doubt doubt",
    (HK, "PASS_HAS_NOT_EXIST"): "doubt doubt PASS_NOT_FOUND doubt",
    (CN, "KP.AE_ALIPASS_NOTEXIST"): "doubt doubt PASS_NOT_FOUND -",
    (HK, "USER_NOT_EXIST"): "HOLDER_NOT_FOUND HOLDER_NOT_FOUND HOLDER_NOT_FOUND HOLDER_NOT_FOUND",
    (HK, "BIZ_NOT_SUPPORT"): "UNSUPPORTED UNSUPPORTED UNSUPPORTED UNSUPPORTED",
    (CN, "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"): "MALFORMED_REQUEST MALFORMED_REQUEST MALFORMED_REQUEST -",
    (CN, "KP.AE_ALIPASS_PARAME_IS_NULL"): "MISSING_FIELD MISSING_FIELD MISSING_FIELD -",
    (CN, "KP.AE_ALIPASS_CHAR_NOT_GBK"): "UNENCODABLE_TEXT UNENCODABLE_TEXT UNENCODABLE_TEXT -",
    (HK, "PARAM_ILLEGAL"): "doubt doubt doubt doubt",
    (HK, "PASS_STATUS_ILLEGAL"): "doubt doubt doubt doubt",
    (HK, "PASS_UPDATE_FAIL"): "doubt doubt doubt doubt",
    (HK, "PASS_HAS_NOT_USED"): "doubt doubt doubt doubt",
    (HK, "INVALID_SIGNATURE"): "doubt doubt doubt doubt",
    (HK, "ACCESS_DENIED"): "doubt doubt doubt doubt",
    (HK, "PROCESS_FAIL"): "doubt doubt doubt doubt",
    (CN, "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"): "doubt doubt doubt -",
    (CN, "KP.AE_ALIPASS_UPDATE_ERROR"): "doubt doubt doubt -",
    (CN, "isv.invalid-signature"): "doubt doubt doubt -",
    (CN, "isv.missing-method"): "doubt doubt doubt -",
}
CASES = [(*key, *pair) for key, row in SETTLED.items() for pair in zip(ACTIONS, row.split(), strict=True) if pair[1] != "-"]

Outcomes = Mapping[Code, OutcomeRow]


def verdict(code: str, **more: str) -> Verdict:
    return Verdict(code=Code(code), **more)  # type: ignore[arg-type]


def read(profile: Profile, name: str, action: str) -> Verdict:
    """The verdict of the tables' own row."""
    row = profile.codes.get(name) or profile.sub_codes[name]
    return Verdict(code=row.read(action, row.status[:1]), settles=row.settles, rule=name)


def test_the_table_speaks_of_every_code() -> None:
    assert set(AGAIN) == {code.value for code in Code}


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", AGAIN)
def test_an_update_is_sent_again_by_itself_only_where_the_table_says_so(code: str, action: str) -> None:
    for doubt, column in enumerate(AGAIN[code]):
        if column is not None:
            allowed = column.split()[ACTIONS.index(action)] == "yes"
            assert may_resend(action, verdict(code), doubt=bool(doubt)) is allowed


@pytest.mark.parametrize("doubt", DOUBTS)
@pytest.mark.parametrize("case", CASES, ids="-".join)
def test_a_later_answer_settles_exactly_what_the_table_says(case: tuple[str, ...], doubt: str, tables: Tables) -> None:
    (profile, name, action, expected), outcomes = case, tables.outcomes
    last, first = read(tables.profiles[profile], name, action), verdict(doubt)
    for earlier, verdicts, naming in (((), (first, last), first), ((Code(doubt),), (last,), None)):
        known = resolve(action, earlier, verdicts, outcomes)
        if expected == "doubt":
            note = f"a later attempt was refused ({last.code}), which does not say whether an earlier one took effect"
            assert known == Known(Code(doubt), naming, Next.INVESTIGATE, Who.OPERATOR, note)
        else:
            row = outcomes[Code(expected)]
            assert known == Known(Code(expected), last, row.next, row.who)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", Code)
def test_alone_an_answer_says_what_its_row_says(code: Code, action: str, outcomes: Outcomes) -> None:
    only, row = Verdict(code=code), outcomes[code]
    known = resolve(action, (), (only,), outcomes)
    assert (known.code, known.verdict, known.note) == (code, only, None)
    if action == "refund" and code.value in DOUBTS:
        assert (known.next, known.who) == (Next.INVESTIGATE, Who.OPERATOR)
    else:
        assert (known.next, known.who) == (row.next, row.who)


@pytest.mark.parametrize("last", ["NOT_SENT", "RATE_LIMITED"])
@pytest.mark.parametrize("doubt", DOUBTS)
def test_what_settles_nothing_leaves_the_doubt_as_it_was(last: str, doubt: str, outcomes: Outcomes) -> None:
    first, row = verdict(doubt), outcomes[Code(doubt)]
    for action in ("redeem", "close", "revise"):
        assert resolve(action, (), (first, verdict(last)), outcomes) == Known(Code(doubt), first, row.next, row.who)
        assert resolve(action, (Code(doubt),), (verdict(last),), outcomes) == Known(Code(doubt), None, row.next, row.who)
    assert resolve("refund", (), (first, verdict(last)), outcomes) == Known(Code(doubt), first, Next.INVESTIGATE, Who.OPERATOR)


@pytest.mark.parametrize(("worse", "better"), [*itertools.combinations(DOUBTS, 2)])
def test_of_several_doubts_the_most_alarming_names_the_outcome(worse: str, better: str, outcomes: Outcomes) -> None:
    one, two = verdict(worse), verdict(better)
    for verdicts in ((one, two), (two, one)):
        known = resolve("close", (), verdicts, outcomes)
        assert (known.code, known.verdict) == (Code(worse), one)
    assert resolve("close", (Code(worse),), (two,), outcomes).verdict is None
    assert resolve("close", (Code(better),), (one,), outcomes).verdict is one


def test_of_two_doubts_alike_the_last_is_named(outcomes: Outcomes) -> None:
    first, second = verdict("NO_ANSWER", reason="read timeout"), verdict("NO_ANSWER", reason="HTTP status 502")
    assert resolve("close", (), (first, second), outcomes).verdict is second
    assert resolve("close", (Code.NO_ANSWER,), (first, verdict("NOT_SENT")), outcomes).verdict is first


def test_the_alarm_speaks_of_every_doubt_there_is(outcomes: Outcomes) -> None:
    assert tuple(code.value for code in ALARM) == DOUBTS
    assert {code.value for code, row in outcomes.items() if row.effect == "unknown"} == set(DOUBTS)


def test_what_came_before_and_left_no_doubt_settles_nothing(outcomes: Outcomes) -> None:
    for before in ("NOT_SENT", "RATE_LIMITED", "REFUSED"):
        assert resolve("redeem", (Code(before),), (verdict("ALREADY_IN_STATE"),), outcomes).code is Code.ALREADY_IN_STATE


def test_a_refusal_settles_a_doubt_for_its_own_actions_alone(outcomes: Outcomes) -> None:
    refusal = Verdict(code=Code.REFUSED, settles=("close",))
    assert resolve("close", (), (verdict("NO_ANSWER"), refusal), outcomes).code is Code.REFUSED
    assert resolve("revise", (), (verdict("NO_ANSWER"), refusal), outcomes).code is Code.NO_ANSWER
    unknown = Verdict(code=Code.PROVIDER_ERROR, settles=("close",))
    assert resolve("close", (), (verdict("NO_ANSWER"), unknown), outcomes).code is Code.NO_ANSWER
