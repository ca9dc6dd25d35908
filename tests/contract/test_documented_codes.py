"""Every documented code of every profile, answered by the simulated gateway, comes out as the tables say."""

from __future__ import annotations

import tomllib
from typing import Any, Final, NamedTuple

import pytest

from passbridge import Code
from passbridge.resources import mapping_texts
from passbridge.sandbox import Sandbox
from tests.contract.asking import ACTIONS, Ask, state, update

TEXTS: Final = {name: tomllib.loads(text) for name, text in mapping_texts().items()}
ACCOUNTS: Final = {"hk.card": "hk-cards", "hk.membership": "hk-members", "hk.ticket": "hk-tickets", "mainland.pass": "cn"}

UNSIGNED: Final = {
    "METHOD_NOT_SUPPORTED",
    "INVALID_API",
    "NO_INTERFACE_DEF",
    "MEDIA_TYPE_NOT_ACCEPTABLE",
    "INVALID_CLIENT",
    "CLIENT_VALIDATE_FAILED",
    "KEY_NOT_FOUND",
    "INVALID_SIGNATURE",
    "SIGNATURE_INVALID",
    "isv.missing-method",
    "isv.missing-app-id",
    "isv.invalid-app-id",
    "isv.missing-signature-config",
    "isv.missing-signature",
}
"""What a gateway refuses before or at its signature check, and therefore doesn't sign: it comes as a claim."""


class Case(NamedTuple):
    """One documented code at one account: the fault that produces it, and the row that reads it."""

    account: str
    code: str
    letter: str
    fault: str
    row: dict[str, Any]

    def expected(self, action: str) -> str:
        """The outcome that the row names."""
        named: str = self.row.get("by_status", {}).get(self.letter) or self.row.get("on", {}).get(action) or self.row["outcome"]
        return "UNTRUSTED_ANSWER" if self.code in UNSIGNED else named


def _case(profile: str, documented: dict[str, Any]) -> Case:
    code = documented["code"]
    if profile.startswith("hk."):
        letter = documented.get("status") or ("U" if documented["verdict"] == "unknown" else "F")
        return Case(ACCOUNTS[profile], code, letter, f"code:{code}:{letter}", TEXTS["hk/base.toml"]["codes"][code])
    table = TEXTS["mainland/pass.toml"]
    if documented["layer"] == "code":
        return Case("cn", code, "", f"code:{code}", table["codes"][code])
    gateway_code = documented.get("gateway_code")
    row = table["codes"]["20000"] if gateway_code == "20000" else table["sub_codes"][code]
    return Case("cn", code, "", f"code:{code}:{gateway_code}" if gateway_code else f"code:{code}", row)


CASES: Final = {
    f"{profile} {case.fault}": case
    for name, page in TEXTS.items()
    if name.startswith("documented/")
    for profile in page["profiles"]
    for documented in page["codes"]
    for case in [_case(profile, documented)]
}


def test_there_are_cases_of_every_profile() -> None:
    assert {case.account for case in CASES.values()} == set(ACTIONS)
    assert len(CASES) > 140


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_documented_code_comes_out_as_the_tables_say(case: Case, ask_once: Ask, box: Sandbox) -> None:
    for action in ACTIONS[case.account]:
        box.add_fault({"fault": case.fault})
        outcome = ask_once.apply(update(case.account, action))
        assert (action, outcome.code) == (action, case.expected(action))
        assert outcome.mapped
        assert outcome.native is not None
        assert outcome.native.verified == (case.code not in UNSIGNED)
        assert case.code in {outcome.native.code, outcome.native.sub_code}
        assert outcome.native.verified == (outcome.rule is not None)
    assert state(box, case.account) == ("ACTIVE", {})
    assert len(box.requests()) == len(ACTIONS[case.account])


@pytest.mark.parametrize(
    ("account", "fault", "codes"),
    [
        ("hk-tickets", "code:UNKNOWN_EXCEPTION", [Code.PROVIDER_ERROR, Code.APPLIED]),
        ("hk-tickets", "code:PASS_STATUS_ILLEGAL", [Code.STATE_CONFLICT]),
        ("hk-tickets", "code:PROCESS_FAIL", [Code.REFUSED]),
        ("cn", "code:20000", [Code.PROVIDER_ERROR, Code.APPLIED]),
        ("cn", "code:KP.AE_SYSTEM_ERROR", [Code.PROVIDER_ERROR, Code.APPLIED]),
        ("cn", "code:KP.AE_ALIPASS_UPDATE_ERROR", [Code.REFUSED]),
    ],
)
def test_only_what_may_help_is_tried_again(account: str, fault: str, codes: list[Code], ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": fault})
    outcome = ask.apply(update(account, "close"))
    assert [attempt.code for attempt in outcome.attempts] == codes
    assert outcome.code is codes[-1]
    assert len(box.requests()) == len(codes)


@pytest.mark.parametrize(
    ("account", "fault"), [("hk-cards", "code:REQUEST_TRAFFIC_EXCEED_LIMIT:F"), ("cn", "code:isv.app-call-limited"), ("cn", "code:40005")]
)
def test_what_is_too_much_is_sent_again_later(account: str, fault: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": fault})
    outcome = ask.apply(update(account, "redeem"))
    assert [attempt.code for attempt in outcome.attempts] == [Code.RATE_LIMITED, Code.APPLIED]


@pytest.mark.parametrize("account", ["hk-cards", "hk-tickets"])
def test_a_redeem_that_the_gateway_was_unsure_of_is_presumed_applied_by_the_second_answer(account: str, ask: Ask, box: Sandbox) -> None:
    box.add_fault({"fault": "code-after:UNKNOWN_EXCEPTION"})
    outcome = ask.apply(update(account, "redeem"))
    assert [attempt.code for attempt in outcome.attempts] == [Code.PROVIDER_ERROR, Code.ALREADY_IN_STATE]
    assert (outcome.code, state(box, account)) == (Code.APPLIED_PRESUMED, ("USED", {}))
