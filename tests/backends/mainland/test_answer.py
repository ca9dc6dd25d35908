"""10000 is a success only if every layer says so; and an answer must be the gateway's, complete, and about this pass."""

from __future__ import annotations

import json
from typing import Any

import pytest
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest

from passbridge import Code
from passbridge.protocol.verdict import Verdict
from tests.backends.mainland.desk import NODE, NOW, SERIAL, account, answer, body, judged, node, reply

INCOMPLETE = "10000, but with a sub_code, or without success or a result that is a JSON object"
CONTRADICTION = "10000, but success and result contradict each other"
ANOTHER_PASS = "the answer is about another pass"  # noqa: S105 - a pass is no password


@pytest.mark.parametrize("success", ["true", True])
@pytest.mark.parametrize("empty", [None, "", ...])
@pytest.mark.parametrize(
    "result",
    [
        "{}",
        {},
        '{"errorCode":"SUCCESS"}',
        {"errorCode": "SUCCESS"},
        '{"errorCode":null,"operate":"UPDATE"}',
        {"operation": "UPDATE", "more": [1]},
    ],
)
def test_a_complete_success_is_one_in_every_documented_spelling(success: object, empty: object, result: object) -> None:
    verdict = answer(success=success, sub_code=empty, result=result)
    parsed = json.loads(result) if isinstance(result, str) else result
    assert verdict == Verdict(code=Code.APPLIED, rule="mainland.pass#codes.10000", native=verdict.native, trace_id="t-1")
    assert verdict.native is not None
    assert verdict.native.model_dump() == {
        "code": "10000",
        "status": "true",
        "sub_code": None,
        "message": "Success",
        "result": parsed,
        "verified": True,
    }


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"sub_code": "KP.AE_ALIPASS_NOTEXIST"}, INCOMPLETE),
        ({"sub_code": "NEW"}, INCOMPLETE),
        ({"success": ...}, INCOMPLETE),
        ({"success": None}, INCOMPLETE),
        ({"success": ""}, INCOMPLETE),
        ({"success": "True"}, INCOMPLETE),
        ({"success": "yes"}, INCOMPLETE),
        ({"success": 1}, INCOMPLETE),
        ({"success": ["true"]}, INCOMPLETE),
        ({"result": ...}, INCOMPLETE),
        ({"result": None}, INCOMPLETE),
        ({"result": ""}, INCOMPLETE),
        ({"result": "done"}, INCOMPLETE),
        ({"result": "[]"}, INCOMPLETE),
        ({"result": []}, INCOMPLETE),
        ({"result": "null"}, INCOMPLETE),
        ({"result": '"{}"'}, INCOMPLETE),
        ({"result": '{"errorCode":"SUCCESS"'}, INCOMPLETE),
        ({"result": '{"errorCode":"SUCCESS","errorCode":"SUCCESS"}'}, INCOMPLETE),
        ({"result": '{"errorCode":"KP.AE_SYSTEM_ERROR"}'}, CONTRADICTION),
        ({"result": '{"errorCode":""}'}, CONTRADICTION),
        ({"result": '{"errorCode":"success"}'}, CONTRADICTION),
        ({"result": '{"errorCode":0}'}, CONTRADICTION),
        ({"result": '{"errorCode":true}'}, CONTRADICTION),
        ({"success": "false", "result": '{"errorCode":"SUCCESS"}'}, CONTRADICTION),
        ({"success": False, "result": "{}"}, CONTRADICTION),
        ({"success": "false", "result": '{"errorCode":"NEW"}'}, CONTRADICTION),
        ({"success": False, "result": '{"errorCode":7}'}, CONTRADICTION),
        ({"success": False, "result": '{"errorCode":["KP.AE_SYSTEM_ERROR"]}'}, CONTRADICTION),
    ],
)
def test_10000_with_anything_missing_or_against_it_is_no_answer_to_go_by(members: dict[str, Any], reason: str) -> None:
    verdict = answer(**members)
    assert (verdict.code, verdict.reason, verdict.rule, verdict.trace_id) == (Code.BAD_ANSWER, reason, None, "t-1")
    assert verdict.native is not None
    assert verdict.native.code == "10000"


@pytest.mark.parametrize("error", [[], {}, ["SUCCESS"], {"code": "SUCCESS"}], ids=str)
def test_10000_with_an_error_code_that_is_no_text_is_no_answer_to_go_by(error: object) -> None:
    verdict = answer(result={"errorCode": error})
    assert (verdict.code, verdict.reason) == (Code.BAD_ANSWER, CONTRADICTION)


@pytest.mark.parametrize("success", ["false", False])
@pytest.mark.parametrize(
    ("error", "name", "code"),
    [
        ("KP.AE_ALIPASS_NOTEXIST", "KP.AE_ALIPASS_NOTEXIST", Code.PASS_NOT_FOUND),
        ("KP.AE_SYSTEM_ERROR", "KP.AE_SYSTEM_ERROR", Code.PROVIDER_ERROR),
        ("...ALIPASS_PARAMS_FORMAT_ERROR", "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR", Code.MALFORMED_REQUEST),
        ("isv.app-call-limited", "isv.app-call-limited", Code.RATE_LIMITED),
    ],
)
def test_10000_that_says_it_failed_means_what_its_error_code_says(success: object, error: str, name: str, code: Code) -> None:
    verdict = answer(success=success, result=json.dumps({"errorCode": error, "errorMsg": "没有"}))
    assert (verdict.code, verdict.rule, verdict.mapped) == (code, f"mainland.pass#sub_codes.{name}", True)


@pytest.mark.parametrize(
    ("named", "ours"),
    [
        ({}, True),
        ({"serialNumber": None, "passId": None}, True),
        ({"serialNumber": SERIAL}, True),
        ({"passId": SERIAL}, True),
        ({"serialNumber": "123555123", "passId": SERIAL}, True),
        ({"serialNumber": SERIAL, "passId": "1"}, True),
        ({"serialNumber": SERIAL, "passId": None}, True),
        ({"serialNumber": "123555123"}, False),
        ({"passId": "123555123"}, False),
        ({"serialNumber": "123555123", "passId": "1"}, False),
        ({"serialNumber": ""}, False),
        ({"serialNumber": int(SERIAL)}, False),
        ({"serialNumber": [SERIAL]}, False),
    ],
)
def test_where_the_result_names_a_pass_one_name_is_ours(named: dict[str, Any], ours: bool) -> None:  # noqa: FBT001 - a column
    done = answer(result=json.dumps(named))
    refused = answer(code="40004", sub_code="KP.AE_ALIPASS_NOTEXIST", success="false", result=named)
    unknown = answer(code="77777", result=named)
    if ours:
        assert [verdict.code for verdict in (done, refused, unknown)] == [Code.APPLIED, Code.PASS_NOT_FOUND, Code.UNMAPPED]
    else:
        for verdict in (done, refused, unknown):
            assert (verdict.code, verdict.reason, verdict.rule) == (Code.BAD_ANSWER, ANOTHER_PASS, None)
            assert verdict.native is not None
            assert (verdict.native.result, verdict.trace_id) == (named, "t-1")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{}", "the answer has no code"),
        ('{"msg":"Success"}', "the answer has no code"),
        ('{"code":null,"success":"true","result":"{}"}', "the answer has no code"),
        ('{"code":"","success":"true","result":"{}"}', "the answer has no code"),
        ('{"code":10000,"success":"true","result":"{}"}', "code is no text"),
        ('{"code":"10000","sub_code":0,"success":"true","result":"{}"}', "sub_code is no text"),
        ('{"code":"10000","msg":["Success"],"success":"true","result":"{}"}', "msg is no text"),
        ('{"code":"10000","sub_msg":{},"success":"true","result":"{}"}', "sub_msg is no text"),
        ("[]", "the node is no object"),
        ("10000", "the node is no object"),
        ("null", "the node is no object"),
        ('"MTAwMDA="', "an encrypted answer to a call that was not encrypted"),
        ('{"code":"10000","msg":"\\ud800"}', "not readable as JSON: msg: text holds a lone surrogate, which no encoding can carry"),
    ],
)
def test_a_signed_node_that_cannot_be_understood_leaves_the_update_in_doubt(source: str, reason: str) -> None:
    verdict = judged(body(source))
    assert (verdict.code, verdict.reason, verdict.trace_id) == (Code.BAD_ANSWER, reason, "t-1")
    assert (verdict.native is not None) == (reason == "the answer has no code")


def test_the_message_is_the_business_s_or_else_the_gateway_s() -> None:
    said = [answer(msg=msg, sub_msg=sub).native for msg, sub in (("a", "b"), ("a", ""), ("a", ...), ("", "b"), (None, None))]
    assert [native and native.message for native in said] == ["b", "a", "a", "b", None]


@pytest.mark.parametrize(
    ("success", "shown"), [("true", "true"), (True, "true"), (False, "false"), ("false", "false"), ("odd", "odd"), (1, None), (..., None)]
)
def test_success_is_shown_as_text(success: object, shown: str | None) -> None:
    native = answer(success=success).native
    assert native is not None
    assert native.status == shown


def test_a_result_that_cannot_be_read_is_shown_as_it_came() -> None:
    for result in ("{oops", ["a"], 7, "\ttext"):
        native = answer(result=result).native
        assert native is not None
        assert native.result == result


@pytest.mark.parametrize("status", [201, 204, 302, 400, 403, 413, 500, 502, 503])
def test_no_other_status_than_200_is_an_answer_however_well_it_is_signed(status: int) -> None:
    verdict = judged(reply(body(node()), status=status, more={"Retry-After": "7"}))
    assert verdict == Verdict(code=Code.NO_ANSWER, reason=f"HTTP status {status}", retry_after=7.0)


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("Wed, 23 Jul 2014 19:08:20 GMT", 30.0), ("soon", None)])
def test_a_page_may_ask_to_wait(value: str, seconds: float | None) -> None:
    page = b"<html></html>"
    sealed, prepared = account().executing(AlipayPassInstanceUpdateRequest())
    for status in (200, 503):
        response = reply(page, status=status, more={"Retry-After": value})
        assert judged(response).retry_after == seconds
        assert sealed.judge(prepared, sealed.seal(prepared, NOW), response, NOW).retry_after == seconds


@pytest.mark.parametrize(
    ("code", "sub_code", "name"),
    [("40002", "isv.invalid-app-id", NODE), ("40001", "isv.missing-method", "error_response"), ("10000", None, NODE)],
)
def test_an_unsigned_answer_claims_and_decides_nothing(code: str, sub_code: str | None, name: str) -> None:
    source = node(code=code, sub_code=sub_code)
    for raw in (f'{{"{name}":{source}}}', f'{{"{name}":{source},"sign":""}}'):
        verdict = judged(raw.encode())
        assert (verdict.code, verdict.finding and verdict.finding.code) == (Code.UNTRUSTED_ANSWER, "SIG-MISSING")
        assert verdict.native is not None
        assert (verdict.native.code, verdict.native.sub_code, verdict.native.verified) == (code, sub_code, False)
        assert (verdict.trace_id, verdict.rule, verdict.settles) == ("t-1", None, ())


def test_a_signed_error_response_is_the_gateway_s_too() -> None:
    source = node(code="40001", sub_code="isv.missing-version", msg="Missing Required Arguments", success=..., result=...)
    verdict = judged(body(source, name="error_response"))
    assert (verdict.code, verdict.rule) == (Code.MISSING_FIELD, "mainland.pass#sub_codes.isv.missing-version")
