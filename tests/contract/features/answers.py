"""The rows about answers: what is believed, how they are read, and how long they are waited for."""

from __future__ import annotations

from typing import Any, Final

from passbridge import Code, Redeem
from tests.contract.asking import PASSES
from tests.contract.asking import update as usual
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk
from tests.contract.test_documented_codes import CASES

__all__ = ["ANSWERS"]

ANSWERS: Final = Chapter()

_SHOWN_ELSEWHERE: Final = {Code.APPLIED, Code.PROVIDER_ERROR, Code.RATE_LIMITED}
"""A success that nothing was done for, and what is sent again, so that one code isn't the end of it."""


@ANSWERS.yes(
    "how old an answer may be: `Response-Time` | AlipayHK | `[retry] clock_window` | 900 s | guess: no window is published",
    "RetrySettings.clock_window",
)
def clock_window(desk: Desk) -> None:
    assert [desk.told("hk-tickets", fault) for fault in ("stale:800", "stale:1000")] == [Code.APPLIED, Code.UNTRUSTED_ANSWER]
    assert [desk.told("hk-hasty", fault) for fault in ("stale:30", "stale:120")] == [Code.APPLIED, Code.UNTRUSTED_ANSWER]


@ANSWERS.yes("an answer in the charset that wasn't asked for | mainland | by itself | on | observed")
def other_charset(desk: Desk) -> None:
    assert desk.told("cn", "gbk-answer") is Code.APPLIED


@ANSWERS.yes("members in any order, blanks, `\\/`, escaped names | mainland | by itself | on | the official SDKs")
def any_framing(desk: Desk) -> None:
    for fault in ("sign-first", "escaped-name", "blanks", "braces", "escaped-slashes"):
        assert desk.told("cn", fault) is Code.APPLIED


@ANSWERS.yes(
    "what the gateway said: code, letter, sub code, message, result | both | `outcome.native` | on | documented",
    "Native.{code,status,sub_code,message,result,verified}",
)
def native(desk: Desk) -> None:
    for account in ("hk-tickets", "cn"):
        outcome = desk.apply(usual(account, "redeem"))
        assert (outcome.native and outcome.native.verified, bool(outcome.trace_id)) == (True, True)
    said: Any = desk.apply(usual("cn", "close", PASSES["cn"].model_copy(update={"id": "404"}))).native
    assert (said.code, said.status, said.sub_code, said.message) == ("40004", "false", "KP.AE_ALIPASS_NOTEXIST", "卡券不存在")


@ANSWERS.yes("every documented code, as an outcome | both | by itself; overlays change it | on | documented")
def codes(desk: Desk) -> None:
    for case in CASES.values():
        expected = case.expected("close")
        if expected not in _SHOWN_ELSEWHERE:
            desk.box.add_fault({"fault": case.fault})
            assert (case.fault, desk.apply(usual(case.account, "close")).code) == (case.fault, expected)
            desk.box.reset()


@ANSWERS.yes("by what to ask the gateway: `tracerId`, `Tracer-Id`, `trace_id` | both | `outcome.trace_id` | on | documented; observed")
def trace_ids(desk: Desk) -> None:
    found = [desk.apply(usual(account, "close")).trace_id for account in ("hk-cards", "hk-members", "hk-tickets", "cn")]
    assert all(found)
    assert len(set(found)) == 4


@ANSWERS.yes("`result` under each of its three names; `success` as text or boolean | both | by itself | on | documented, and observed")
def spellings(desk: Desk) -> None:
    for node in ("result", "resultInfo", "ResultInfo"):
        desk.box.guess({"hk.result_node": node})
        desk.applied(usual("hk-tickets", "revise"))
    for reading in ("text", "bool"):
        desk.box.guess({"mainland.success_type": reading})
        desk.applied(usual("cn", "revise"))


@ANSWERS.yes("a refusal that isn't signed is a claim | both | `native.verified` | on | the official SDKs; observed")
def claims(desk: Desk) -> None:
    for account, fault in (("hk-tickets", "code:INVALID_SIGNATURE"), ("cn", "code:isv.invalid-app-id")):
        desk.box.add_fault({"fault": fault})
        outcome = desk.apply(usual(account, "redeem"))
        assert (outcome.code, outcome.native and outcome.native.verified) == (Code.UNTRUSTED_ANSWER, False)


@ANSWERS.yes(
    "tries and time-outs | both | `[retry] attempts`, `deadline`, `connect_timeout`, `read_timeout`; `retry` of an account | "
    "3, 10 s, 3 s, 5 s | our own",
    "{HkSettings,MainlandSettings}.retry RetrySettings.{attempts,deadline,connect_timeout,read_timeout}",
)
def patience(desk: Desk) -> None:
    for account, base in (("hk-hasty", "hk-tickets"), ("cn-hasty", "cn")):
        desk.applied(usual(base, "revise").model_copy(update={"to": account}))
    desk.box.add_fault({"fault": "http-502", "count": 9})
    tries = [len(desk.apply(Redeem(to=account, pass_=PASSES["hk-tickets"])).attempts) for account in ("hk-hasty", "hk-tickets")]
    assert tries == [2, 3]
