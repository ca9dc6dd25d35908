"""An answer's body and its way here: what is read, what contradicts itself, and what was never AlipayHK's."""

from __future__ import annotations

import json

import pytest

from passbridge import Code, Finding
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireResponse
from tests.backends.hk.desk import NOW, SUCCESS, TIME, account, field, judged, native, reply, result, signature

FIELD = field(signature(SUCCESS))
UNSIGNED = "AlipayHK leaves unsigned what fails before or at its signature check: check client_id, private_key and the key uploaded there"
GOOD = '{"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "said so"}'
OTHER = '{"resultCode": "PARAM_ILLEGAL", "resultStatus": "F"}'
NO_RESULT = "not an answer of the gateway: no signature and no result"


@pytest.mark.parametrize("node", ["result", "resultInfo", "ResultInfo"])
def test_the_result_stands_under_any_of_the_names_that_the_pages_give_it(node: str) -> None:
    assert judged(reply(result(node=node))).code is Code.APPLIED
    assert judged(reply(result("PARAM_ILLEGAL", "F", node=node))).code is Code.INVALID_VALUE


@pytest.mark.parametrize(
    "body",
    [
        f'{{"result": {GOOD}, "resultInfo": {GOOD}}}',
        f'{{"resultInfo": {GOOD}, "result": {GOOD}, "ResultInfo": {GOOD}, "more": 1}}',
        '{"result": {"resultCode": "SUCCESS", "resultStatus": "S"}}',
        '{"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": null}}',
        f'\n {{"result" :{GOOD}}}\n',
        f'{{"result": {GOOD}, "passId": null}}',
        f'{{"result": {GOOD}, "passId": "2995228480402564890020"}}',
    ],
)
def test_what_says_success_and_nothing_against_it_is_a_success(body: str) -> None:
    assert judged(reply(body.encode())).code is Code.APPLIED


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (f'{{"result": {GOOD}, "resultInfo": {OTHER}}}', "two result nodes that differ"),
        (f'{{"resultInfo": {OTHER}, "ResultInfo": {GOOD}}}', "two result nodes that differ"),
        (f'{{"result": {GOOD}, "resultInfo": null}}', "two result nodes that differ"),
        ("{}", "no result node"),
        (GOOD, "no result node"),
        ('{"result": null}', "the result node is no result"),
        ('{"result": "SUCCESS"}', "the result node is no result"),
        ('{"result": [{"resultCode": "SUCCESS"}]}', "the result node is no result"),
        ('{"result": {"resultMessage": "success"}}', "the result node is no result"),
        ('{"result": {"resultCode": 0, "resultStatus": "S"}}', "a member of the result is no text"),
        ('{"result": {"resultCode": "SUCCESS", "resultStatus": true}}', "a member of the result is no text"),
        ('{"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": {}}}', "a member of the result is no text"),
        ('["result"]', "not a JSON object"),
        ("null", "not a JSON object"),
        ("", "not readable as JSON: Expecting value at column 1"),
        (f'{{"result": {GOOD},}}', None),
        (f'{{"result": {OTHER}, "result": {GOOD}}}', "not readable as JSON: member 'result' stands twice"),
        (f"{{'result': {GOOD}}}", None),
        (f'{{"result": {GOOD}, "n": NaN}}', "not readable as JSON: NaN is not JSON"),
        (f'{{"result": {GOOD}}} {{}}', None),
        (f'\ufeff{{"result": {GOOD}}}', "not readable as JSON: begins with a byte order mark"),
        ('{"result": {"resultCode": "\\ud800", "resultStatus": "S"}}', None),
        (f'{{"result": {GOOD}, "deep": {"[" * 64}{"]" * 64}}}', "not readable as JSON: nested deeper than 64 levels"),
    ],
)
def test_a_signed_answer_that_cannot_be_understood_leaves_the_update_in_doubt(body: str, reason: str | None) -> None:
    verdict = judged(reply(body.encode()))
    assert (verdict.code, verdict.native, verdict.trace_id) == (Code.BAD_ANSWER, None, "t-1")
    assert verdict.reason == reason or (reason is None and str(verdict.reason).startswith("not readable as JSON: "))


def test_signed_bytes_that_are_no_utf8_are_not_guessed_at() -> None:
    body = SUCCESS.replace(b"said", b"s\xe9id")
    verdict = judged(reply(body))
    assert (verdict.code, verdict.reason) == (Code.BAD_ANSWER, f"not readable as JSON: not UTF-8 at byte {body.index(0xE9)}")


@pytest.mark.parametrize("other", ["2995228480402564890021", "", 2995228480402564890020, [], {"id": "2995228480402564890020"}])
@pytest.mark.parametrize("code", [("SUCCESS", "S"), ("PASS_HAS_NOT_EXIST", "F"), ("NEW", "F")])
def test_an_answer_about_another_pass_settles_nothing(other: object, code: tuple[str, str]) -> None:
    assert judged(reply(result(*code, passId=other))) == Verdict(
        code=Code.BAD_ANSWER, reason="the answer is about another pass", native=native(*code), trace_id="t-1"
    )


@pytest.mark.parametrize(
    ("more", "trace"),
    [
        ([("tracerId", "a")], "a"),
        ([("Tracer-Id", "b")], "b"),
        ([("Tracer-Id", "b"), ("TRACERID", "a")], "a"),
        ([("tracerid", ""), ("tracer-id", "b")], "b"),
        ([], None),
    ],
)
def test_the_exchange_s_name_stands_under_either_spelling(more: list[tuple[str, str]], trace: str | None) -> None:
    for body in (SUCCESS, result("NEW", "F"), result("NEW", "A"), b"{}", result(passId="other")):
        signed = field(signature(body))
        headers = Headers([("Response-Time", TIME), ("Signature", signed), *more])
        assert judged(WireResponse(200, headers, body)).trace_id == trace
        assert judged(WireResponse(200, Headers([("Signature", signed), *more]), body)).trace_id == trace


@pytest.mark.parametrize(
    ("name", "values", "code", "state"),
    [
        ("Signature", [], "SIG-MISSING", "is missing from"),
        ("Signature", [""], "SIG-MISSING", "is empty in"),
        ("Signature", [" "], "SIG-MISSING", "is empty in"),
        ("Signature", [FIELD, FIELD], "SIG-TWICE", "stands twice in"),
        ("Signature", [FIELD, ""], "SIG-TWICE", "stands twice in"),
        ("Response-Time", [], "SIG-MISSING", "is missing from"),
        ("Response-Time", [""], "SIG-MISSING", "is empty in"),
        ("Response-Time", [TIME, TIME], "SIG-TWICE", "stands twice in"),
    ],
)
def test_each_of_the_two_header_fields_stands_there_just_once(name: str, values: list[str], code: str, state: str) -> None:
    fields = {"Signature": [FIELD], "Response-Time": [TIME]} | {name: values}
    headers = Headers([(key.lower() if index else key, value) for key, found in fields.items() for index, value in enumerate(found)])
    finding = Finding(code=code, message=f"{name} {state} the answer", mend=UNSIGNED)
    assert judged(WireResponse(200, headers, SUCCESS)) == Verdict(
        code=Code.UNTRUSTED_ANSWER, finding=finding, reason=finding.message, native=native(verified=False)
    )


@pytest.mark.parametrize("name", ["client-id", "content-type", "tracerid"])
def test_no_other_header_field_is_needed_or_believed(name: str) -> None:
    assert judged(reply(more=[(name, "another")])).code is Code.APPLIED


@pytest.mark.parametrize(
    "claimed", [("SUCCESS", "S"), ("INVALID_SIGNATURE", "F"), ("PASS_HAS_NOT_EXIST", "F"), ("UNKNOWN_EXCEPTION", "U"), ("SUCCESS", "A")]
)
def test_what_an_unsigned_answer_claims_is_shown_and_decides_nothing(claimed: tuple[str, str]) -> None:
    finding = Finding(code="SIG-MISSING", message="Signature is missing from the answer", mend=UNSIGNED)
    answer = WireResponse(200, Headers({"tracerId": "t-1"}), result(*claimed))
    assert judged(answer) == Verdict(
        code=Code.UNTRUSTED_ANSWER, finding=finding, reason=finding.message, trace_id="t-1", native=native(*claimed, verified=False)
    )


@pytest.mark.parametrize("body", ['{"result": 1}', '{"resultInfo": null}', '{"result": {}, "ResultInfo": {}}'])
def test_an_unsigned_answer_of_the_protocol_s_shape_is_not_trusted_even_where_it_claims_nothing(body: str) -> None:
    verdict = judged(WireResponse(200, Headers({}), body.encode()))
    assert (verdict.code, verdict.native) == (Code.UNTRUSTED_ANSWER, None)


@pytest.mark.parametrize("body", [b"", b"<html>result</html>", b'{"message": "busy"}', b'["result"]', b"\xff", b'"result"', b"OK"])
def test_an_unsigned_page_came_from_something_in_between(body: bytes) -> None:
    assert judged(WireResponse(200, Headers({"tracerId": "t-1"}), body)) == Verdict(code=Code.NO_ANSWER, reason=NO_RESULT)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b'{"message": "busy"}', b'{"result":1,"result":2}'])
def test_a_page_with_a_signature_field_is_not_trusted(body: bytes) -> None:
    verdict = judged(WireResponse(200, Headers({"Signature": FIELD, "Response-Time": TIME}), body))
    assert (verdict.code, verdict.native, verdict.finding and verdict.finding.code) == (Code.UNTRUSTED_ANSWER, None, "SIG-MISMATCH")


@pytest.mark.parametrize("status", [100, 201, 204, 301, 400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_no_other_status_than_200_is_an_answer_however_well_it_is_signed(status: int) -> None:
    assert judged(reply(status=status)) == Verdict(code=Code.NO_ANSWER, reason=f"HTTP status {status}")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("Wed, 22 May 2024 01:12:51 GMT", 30.0),
        ("Wed, 22 May 2024 01:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
    ],
)
def test_a_page_may_ask_to_wait(value: str, seconds: float | None) -> None:
    for response in (reply(status=503, more=[("Retry-After", value)]), WireResponse(200, Headers({"retry-after": value}), b"busy")):
        assert judged(response).retry_after == seconds


def test_another_call_gives_the_whole_verified_document_whatever_it_says() -> None:
    gateway = account()
    sealed, prepared = gateway.calling("/api/open/alipay/v1/ipass/pass/manage/createPass", {"type": "TICKET", "名": None})
    assert prepared.action == "/api/open/alipay/v1/ipass/pass/manage/createPass"
    for code, letter in (("SUCCESS", "S"), ("PASS_HAS_EXIT", "F"), ("ODD", "A")):
        body = result(code, letter, passId="2020091119027102160530200000039")
        headers = {"Signature": field(signature(body, path=prepared.action)), "Response-Time": TIME, "tracerId": "t-1"}
        verdict = sealed.judge(prepared, sealed.seal(prepared, NOW), WireResponse(200, Headers(headers), body), NOW)
        assert verdict == Verdict(code=Code.APPLIED, native=native(code, letter), trace_id="t-1", answer=json.loads(body))


def test_another_call_gives_nothing_that_is_not_verified() -> None:
    sealed, prepared = account().calling("/x", {})
    request = sealed.seal(prepared, NOW)
    for response in (reply(), reply(status=500), WireResponse(200, Headers({}), SUCCESS), WireResponse(200, Headers({}), b"")):
        verdict = sealed.judge(prepared, request, response, NOW)
        assert verdict.answer is None
        assert verdict.code in {Code.UNTRUSTED_ANSWER, Code.NO_ANSWER}
