"""What the mainland's codes mean: `code`, `sub_code`, `success` and `result` weighed together, as the promise has it."""

from __future__ import annotations

from typing import Any, Final

import pytest

from passbridge import Code, Finding
from passbridge.protocol.verdict import Verdict
from tests.backends.mainland.desk import UPDATES, account, answer, body, judged, node, opened

ACTIONS: Final = tuple(UPDATES)

GATEWAY: Final = {
    "10003": Code.UNMAPPED,
    "20000": Code.PROVIDER_ERROR,
    "20001": Code.ACCESS_DENIED,
    "40001": Code.MISSING_FIELD,
    "40002": Code.INVALID_VALUE,
    "40003": Code.ACCESS_DENIED,
    "40004": Code.REFUSED,
    "40005": Code.RATE_LIMITED,
    "40006": Code.ACCESS_DENIED,
}
BUSINESS: Final = {
    "KP.AE_SYSTEM_ERROR": (Code.PROVIDER_ERROR, ()),
    "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR": (Code.MALFORMED_REQUEST, ACTIONS),
    "KP.AE_ALIPASS_NOTEXIST": (Code.PASS_NOT_FOUND, ("revise",)),
    "KP.AE_ALIPASS_UPDATE_ERROR": (Code.REFUSED, ()),
    "KP.AE_ALIPASS_PARAME_IS_NULL": (Code.MISSING_FIELD, ACTIONS),
    "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD": (Code.INVALID_VALUE, ()),
    "KP.AE_ALIPASS_CHAR_NOT_GBK": (Code.UNENCODABLE_TEXT, ACTIONS),
    "KP.AE_ALIPASS_APPID_NOSUPPORT": (Code.ACCESS_DENIED, ()),
    "ACQ.TRADE_HAS_SUCCESS": (Code.REFUSED, ()),
}
DENIED: Final = (
    "aop.invalid-auth-token",
    "aop.auth-token-time-out",
    "aop.invalid-app-auth-token",
    "aop.app-auth-token-time-out",
    "aop.invalid-app-auth-token-no-api",
    "aop.no-product-reg-by-partner",
    "isv.missing-encrypt-key",
    "isv.invalid-app-id",
    "isv.invalid-encrypt",
    "isv.decryption-error-not-valid-encrypt-type",
    "isv.decryption-error-not-valid-encrypt-key",
    "isv.decryption-error-unknown",
    "isv.missing-app-cert-sn",
    "isv.missing-alipay-root-cert-sn",
    "isv.invalid-alipay-root-cert-sn",
    "isv.app-cert-expired",
    "isv.app-cert-not-exist",
    "isv.alipay-cert-not-exist",
    "app-cert-expired",
    "isv.forbidden-api",
    "not-online-app",
    "isv.not-online-app",
    "isv.invalid-app-state",
    "invalid-auth-relations",
    "isv.invalid-auth-relations",
    "isv.insufficient-isv-permissions",
    "isv.insufficient-user-permissions",
    "isv.self-invoke-forbidden",
)
SIGNATURE: Final = (
    "isv.missing-signature",
    "isv.missing-signature-type",
    "isv.missing-signature-key",
    "isv.missing-default-signature-type",
    "isv.invalid-signature-type",
    "isv.invalid-signature",
    "isv.missing-signature-config",
)
MISSING: Final = [
    "isv.missing-method",
    "isv.missing-app-id",
    "isv.missing-timestamp",
    "isv.missing-version",
    "isv.decryption-error-missing-encrypt-type",
]
INVALID: Final = (
    "isv.invalid-parameter",
    "isv.invalid-format",
    "isv.invalid-timestamp",
    "isv.invalid-charset",
    "isv.invalid-encrypt-type",
    "isv.suspected-attack",
)
COMMON: Final = {
    **dict.fromkeys(DENIED, Code.ACCESS_DENIED),
    **dict.fromkeys(SIGNATURE, Code.ACCESS_DENIED),
    **dict.fromkeys(MISSING, Code.MISSING_FIELD),
    **dict.fromkeys(INVALID, Code.INVALID_VALUE),
    **dict.fromkeys(("isv.invalid-method", "isv.not-support-app-auth"), Code.UNSUPPORTED),
    **dict.fromkeys(("isv.app-call-limited", "isv.method-call-limited"), Code.RATE_LIMITED),
    **dict.fromkeys(("isp.unknow-error", "aop.unknow-error", "unknown-sub-code"), Code.PROVIDER_ERROR),
    "isv.illegal-json": Code.MALFORMED_REQUEST,
}
MEANINGS: Final = {**BUSINESS, **{name: (code, ()) for name, code in COMMON.items()}}


def failed(action: str = "redeem", **members: object) -> Verdict:
    """The verdict on a failure: neither `success` nor `result` unless given."""
    return answer(action, **{"success": ..., "result": ..., "msg": "Failed", **members})


def refused_signature(words: str) -> Finding:
    """What is said where the gateway refuses our signature."""
    mend = "compare the public key registered at the gateway with the public half of this account's private key"
    return Finding(code="SIG-REFUSED", message=f"the gateway refused our signature: {words}", mend=mend)


def test_the_tables_of_this_test_name_every_code() -> None:
    assert set(account().profile.codes) == {*GATEWAY, "10000"}
    assert set(account().profile.sub_codes) == set(MEANINGS)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("code", GATEWAY)
def test_a_gateway_code_alone_means_what_its_row_says(code: str, action: str) -> None:
    for empty in (..., None, ""):
        verdict = failed(action, code=code, sub_code=empty)
        assert (verdict.code, verdict.rule, verdict.mapped, verdict.settles) == (GATEWAY[code], f"mainland.pass#codes.{code}", True, ())
        assert (verdict.slow, verdict.finding, verdict.trace_id) == (code == "40005", None, "t-1")


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("sub_code", MEANINGS)
def test_a_sub_code_refines_the_gateway_s_code(sub_code: str, action: str) -> None:
    meaning, settles = MEANINGS[sub_code]
    for code in ("40001", "40004"):
        verdict = failed(action, code=code, sub_code=sub_code, sub_msg="因为", success="false", result='{"operate":"UPDATE"}')
        assert verdict.native is not None
        assert verdict.native.model_dump() == {
            "code": code,
            "status": "false",
            "sub_code": sub_code,
            "message": "因为",
            "result": {"operate": "UPDATE"},
            "verified": True,
        }
        assert verdict == Verdict(
            code=meaning,
            rule=f"mainland.pass#sub_codes.{sub_code}",
            native=verdict.native,
            trace_id="t-1",
            settles=settles,
            slow=meaning is Code.RATE_LIMITED,
            finding=refused_signature(sub_code) if sub_code in SIGNATURE else None,
        )


@pytest.mark.parametrize("sub_code", [*MEANINGS, "NEW.CODE"])
def test_no_sub_code_refines_what_says_that_the_gateway_does_not_know(sub_code: str) -> None:
    for code in ("20000", "10003"):
        verdict = failed(code=code, sub_code=sub_code)
        assert (verdict.code, verdict.rule, verdict.mapped) == (GATEWAY[code], f"mainland.pass#codes.{code}", True)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("...ALIPASS_PARAMS_FORMAT_ERROR", "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"),
        ("ALIPASS_PARAMS_VALUE_INVAILD", "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"),
        ("SYSTEM_ERROR", "KP.AE_SYSTEM_ERROR"),
    ],
)
def test_the_page_s_cut_names_are_understood(written: str, name: str) -> None:
    verdict = failed(code="40004", sub_code=written)
    assert (verdict.code, verdict.rule, verdict.mapped) == (MEANINGS[name][0], f"mainland.pass#sub_codes.{name}", True)


@pytest.mark.parametrize("code", ["40001", "40002", "40003", "40004", "40005", "40006", "20001"])
@pytest.mark.parametrize(
    ("sub_code", "meaning", "prefix"),
    [
        ("isp.something-new", Code.PROVIDER_ERROR, "isp."),
        ("aop.unknow-new-error", Code.PROVIDER_ERROR, "aop.unknow"),
        ("aop.something-new", Code.REFUSED, "other"),
        ("isv.something-new", Code.REFUSED, "other"),
        ("KP.AE_SOMETHING_NEW", Code.REFUSED, "other"),
        ("xisp.unknow-error", Code.REFUSED, "other"),
        ("XALIPASS_NOTEXIST", Code.REFUSED, "other"),
        ("kp.ae_alipass_notexist", Code.REFUSED, "other"),
    ],
)
def test_an_undocumented_sub_code_means_what_its_prefix_says(code: str, sub_code: str, meaning: Code, prefix: str) -> None:
    verdict = failed(code=code, sub_code=sub_code)
    assert (verdict.code, verdict.rule, verdict.mapped) == (meaning, f"mainland.pass#fallback.{prefix}", False)
    assert (verdict.trace_id, verdict.native and verdict.native.sub_code) == ("t-1", sub_code)


@pytest.mark.parametrize("code", ["10001", "40007", "0", "SUCCESS", "1e4", " 10000"])
@pytest.mark.parametrize("sub_code", [None, "KP.AE_ALIPASS_NOTEXIST"])
def test_an_unknown_gateway_code_says_nothing(code: str, sub_code: str | None) -> None:
    for success in ("true", "false", ...):
        verdict = answer(code=code, sub_code=sub_code, success=success)
        assert (verdict.native and verdict.native.code, verdict.native and verdict.native.sub_code) == (code, sub_code)
        assert verdict == Verdict(code=Code.UNMAPPED, native=verdict.native, trace_id="t-1", mapped=False, reason="an unknown gateway code")


@pytest.mark.parametrize("code", list(GATEWAY))
@pytest.mark.parametrize(
    "members",
    [
        {"success": "true"},
        {"success": True},
        {"success": "false", "result": '{"errorCode":"SUCCESS"}'},
        {"result": {"errorCode": "SUCCESS"}},
        {"success": True, "sub_code": "KP.AE_ALIPASS_NOTEXIST"},
    ],
)
def test_a_failure_that_calls_itself_a_success_is_no_answer_to_go_by(code: str, members: dict[str, Any]) -> None:
    verdict = failed(code=code, **members)
    assert (verdict.code, verdict.rule) == (Code.BAD_ANSWER, None)
    assert verdict.reason == "a failure code, but success or errorCode says otherwise"
    assert verdict.native is not None


def test_the_sample_answers_of_the_page_mean_what_the_page_says() -> None:
    busy = failed(msg="Service Currently Unavailable", code="20000", sub_msg="系统繁忙", sub_code="isp.unknow-error")
    assert (busy.code, busy.native and busy.native.message) == (Code.PROVIDER_ERROR, "系统繁忙")
    done = answer(result='{"serialNumber":"123555123","passId":"209919213","operate":"UPDATE","errorCode":"SUCCESS","errorMsg":"处理成功"}')
    assert (done.code, done.rule) == (Code.APPLIED, "mainland.pass#codes.10000")
    assert node().startswith('{"msg": "Success", "result": ')


OVERLAY: Final = """schema = 1
[mainland.pass.sub_codes."KP.AE_ALIPASS_UPDATE_ERROR"]
on.close = "STATE_CONFLICT"
[mainland.pass.codes."40003"]
on.close = "PROVIDER_ERROR"
accept_risk = "they don't know either"
"""


@pytest.mark.parametrize(
    ("action", "refused", "unsure", "note"),
    [
        ("redeem", Code.REFUSED, Code.PASS_NOT_FOUND, None),
        ("close", Code.STATE_CONFLICT, Code.PROVIDER_ERROR, "read by an overlay: they don't know either"),
    ],
)
def test_a_row_may_differ_by_action(action: str, refused: Code, unsure: Code, note: str | None) -> None:
    gateway = opened(OVERLAY)
    words = {"success": "false", "result": "{}"}
    assert judged(body(node(code="40004", sub_code="KP.AE_ALIPASS_UPDATE_ERROR", **words)), gateway, action).code is refused
    verdict = judged(body(node(code="40003", sub_code="KP.AE_ALIPASS_NOTEXIST", **words)), gateway, action)
    assert (verdict.code, verdict.note) == (unsure, note)
