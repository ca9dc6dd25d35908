"""What AlipayHK's codes mean: code by letter by action, as the promise has it."""

from __future__ import annotations

from typing import Final

import pytest

from passbridge import Code, Finding
from passbridge.protocol.verdict import Verdict
from tests.backends.hk.desk import UPDATES, account, judged, native, opened, reply, result

ACTIONS: Final = tuple(UPDATES)
NEVER: Final = ()
ALWAYS: Final = ACTIONS

# code: its letter, what it means, and the actions for which it settles an earlier doubt
MEANINGS: Final[dict[str, tuple[str, Code, tuple[str, ...]]]] = {
    "SUCCESS": ("S", Code.APPLIED, NEVER),
    "PARAM_ILLEGAL": ("F", Code.INVALID_VALUE, NEVER),
    "USER_NOT_EXIST": ("F", Code.HOLDER_NOT_FOUND, ALWAYS),
    "USER_NOT_EXSITS": ("F", Code.HOLDER_NOT_FOUND, ALWAYS),
    "PASS_HAS_NOT_EXIST": ("F", Code.PASS_NOT_FOUND, ("revise",)),
    "PASS_USED_OCCUPIED": ("F", Code.STATE_CONFLICT, NEVER),
    "PASS_STATUS_ILLEGAL": ("F", Code.STATE_CONFLICT, NEVER),
    "PASS_UPDATE_FAIL": ("F", Code.STATE_CONFLICT, NEVER),
    "PASS_HAS_NOT_USED": ("F", Code.STATE_CONFLICT, NEVER),
    "BIZ_NOT_SUPPORT": ("F", Code.UNSUPPORTED, ALWAYS),
    "UNKNOWN_EXCEPTION": ("U", Code.PROVIDER_ERROR, NEVER),
    "SYSTEM_ERROR": ("U", Code.PROVIDER_ERROR, NEVER),
    "REQUEST_TRAFFIC_EXCEED_LIMIT": ("FU", Code.RATE_LIMITED, NEVER),
    "PASS_HAS_EXIT": ("F", Code.STATE_CONFLICT, NEVER),
    "PASS_TEMPLATE_HAS_NOT_EXIT": ("F", Code.INVALID_VALUE, NEVER),
    "PASS_TYPE_NOT_MATCH": ("F", Code.UNSUPPORTED, NEVER),
    "PASS_PRODUCT_TYPE_NOT_MATCH": ("F", Code.UNSUPPORTED, NEVER),
    "PASS_IS_NULL": ("F", Code.MISSING_FIELD, NEVER),
    "INVALID_SIGNATURE": ("F", Code.ACCESS_DENIED, NEVER),
    "SIGNATURE_INVALID": ("F", Code.ACCESS_DENIED, NEVER),
    "KEY_NOT_FOUND": ("F", Code.ACCESS_DENIED, NEVER),
    "INVALID_CLIENT": ("F", Code.ACCESS_DENIED, NEVER),
    "CLIENT_VALIDATE_FAILED": ("F", Code.ACCESS_DENIED, NEVER),
    "ACCESS_DENIED": ("F", Code.ACCESS_DENIED, NEVER),
    "INVALID_CONTRACT": ("F", Code.ACCESS_DENIED, NEVER),
    "INVALID_API": ("F", Code.UNSUPPORTED, NEVER),
    "NO_INTERFACE_DEF": ("F", Code.UNSUPPORTED, NEVER),
    "METHOD_NOT_SUPPORTED": ("F", Code.UNSUPPORTED, NEVER),
    "MEDIA_TYPE_NOT_ACCEPTABLE": ("F", Code.MALFORMED_REQUEST, NEVER),
    "PARAM_MISSING": ("F", Code.MISSING_FIELD, NEVER),
    "MSG_PARSE_ERROR": ("F", Code.MALFORMED_REQUEST, NEVER),
    "PROCESS_FAIL": ("F", Code.REFUSED, NEVER),
}
OTHERWISE: Final = {
    ("PASS_USED_OCCUPIED", "F", "redeem"): Code.ALREADY_IN_STATE,
    **{("REQUEST_TRAFFIC_EXCEED_LIMIT", "U", action): Code.PROVIDER_ERROR for action in ACTIONS},
}
SIGNATURE_CODES: Final = {"INVALID_SIGNATURE", "SIGNATURE_INVALID", "KEY_NOT_FOUND"}
SLOW_CODES: Final = {"REQUEST_TRAFFIC_EXCEED_LIMIT"}


def test_the_table_names_every_code_of_every_profile() -> None:
    for profile in ("card", "membership", "ticket"):
        assert set(account(profile).profile.codes) == set(MEANINGS)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", MEANINGS)
def test_a_known_code_under_its_own_letter_means_what_the_promise_says(code: str, action: str) -> None:
    letters, meaning, settles = MEANINGS[code]
    for letter in letters:
        refused = Finding(
            code="SIG-REFUSED",
            message=f"the gateway refused our signature: {code}",
            mend="compare the public key registered at the gateway with the public half of this account's private key",
        )
        assert judged(reply(result(code, letter)), action=action) == Verdict(
            code=OTHERWISE.get((code, letter, action), meaning),
            native=native(code, letter),
            rule=f"hk.ticket#codes.{code}",
            trace_id="t-1",
            settles=settles,
            slow=code in SLOW_CODES,
            finding=refused if code in SIGNATURE_CODES else None,
        )


@pytest.mark.parametrize("letter", ["S", "F", "U", None])
@pytest.mark.parametrize("code", MEANINGS)
def test_a_known_code_under_another_letter_or_none_contradicts_itself(code: str, letter: str | None) -> None:
    if letter and letter in MEANINGS[code][0]:
        return
    assert judged(reply(result(code, letter))) == Verdict(
        code=Code.BAD_ANSWER,
        reason=f"{code} does not go with resultStatus {letter}",
        native=native(code, letter),
        trace_id="t-1",
    )


@pytest.mark.parametrize("letter", ["A", "s", "SUCCESS", "SF", " S", ""])
@pytest.mark.parametrize("code", ["SUCCESS", "PASS_USED_OCCUPIED", "NEVER_HEARD_OF"])
def test_a_letter_that_no_page_knows_says_nothing(code: str, letter: str) -> None:
    assert judged(reply(result(code, letter))) == Verdict(
        code=Code.UNMAPPED, native=native(code, letter), trace_id="t-1", mapped=False, reason="an unknown resultStatus"
    )


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    ("letter", "meaning", "rule"),
    [("F", Code.REFUSED, "hk.ticket#fallback.F"), ("U", Code.PROVIDER_ERROR, "hk.ticket#fallback.U"), (None, Code.UNMAPPED, None)],
    ids=["refused", "unknown", "no letter"],
)
def test_an_undocumented_code_means_what_its_letter_says(letter: str | None, meaning: Code, rule: str | None, action: str) -> None:
    assert judged(reply(result("NEVER_HEARD_OF", letter)), action=action) == Verdict(
        code=meaning, native=native("NEVER_HEARD_OF", letter), trace_id="t-1", mapped=False, rule=rule
    )


@pytest.mark.parametrize("code", ["NEVER_HEARD_OF", "success", "SUCCESS "])
def test_no_other_code_than_success_is_a_success(code: str) -> None:
    assert judged(reply(result(code, "S"))) == Verdict(
        code=Code.BAD_ANSWER,
        reason="resultStatus S with another code than SUCCESS",
        native=native(code, "S"),
        trace_id="t-1",
    )


@pytest.mark.parametrize("code", [None, ""])
@pytest.mark.parametrize("letter", ["S", "F", "U", "A"])
def test_a_letter_without_a_code_is_no_answer_to_go_by(code: str | None, letter: str) -> None:
    verdict = judged(reply(result(code, letter)))
    assert verdict == Verdict(code=Code.BAD_ANSWER, reason="the answer has no resultCode", native=native(code, letter), trace_id="t-1")


@pytest.mark.parametrize("profile", ["card", "membership", "ticket"])
def test_the_rule_names_the_profile(profile: str) -> None:
    assert judged(reply(), account(profile), "close").rule == f"hk.{profile}#codes.SUCCESS"
    assert judged(reply(result("NEW", "F")), account(profile), "close").rule == f"hk.{profile}#fallback.F"


def test_a_row_of_an_overlay_says_in_the_outcome_why_it_reads_the_code_so() -> None:
    overlay = """schema = 1
        [hk.ticket.codes.PASS_ALREADY_GONE]
        outcome = "PASS_NOT_FOUND"
        status = "F"
        source = ["a letter from AlipayHK"]
        confidence = "observed"
        accept_risk = "they said so"
    """
    verdict = judged(reply(result("PASS_ALREADY_GONE", "F")), opened(overlay))
    assert (verdict.code, verdict.mapped, verdict.note) == (Code.PASS_NOT_FOUND, True, "read by an overlay: they said so")
