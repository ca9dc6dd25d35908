"""Which bytes are signed, and which are read: they must be the same ones, whatever stands around them."""

from __future__ import annotations

import json

import pytest

from passbridge import Code, Finding
from tests.backends.mainland.desk import NODE, SERIAL, account, body, judged, node, reply, signature

GOOD = node()
EVIL = node(result=json.dumps({"serialNumber": SERIAL, "errorCode": "SUCCESS", "errorMsg": "another"}))
REFUSAL = node(code="40004", msg="Business Failed", sub_code="KP.AE_ALIPASS_NOTEXIST", sub_msg="卡券不存在", success="false", result="{}")
SIGN = signature(GOOD.encode())
ESCAPED_SIGN = SIGN.replace("/", "\\u002f")
REFUSAL_SIGN = signature(REFUSAL.encode())
MISMATCH = Finding(
    code="SIG-MISMATCH",
    message="the signature is not the gateway's over this answer",
    mend="if every answer fails so, the key or certificate configured is not Alipay's for this app_id and sign_type",
)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}"}}', id="as the gateway writes it"),
        pytest.param(f'{{"sign":"{SIGN}","{NODE}":{GOOD}}}', id="sign first"),
        pytest.param(f'{{"alipay_cert_sn":"75852781c31e6a29","sign":"{SIGN}","{NODE}":{GOOD}}}', id="everything first"),
        pytest.param(f'{{"{NODE}":{GOOD},"alipay_cert_sn":"75852781c31e6a29","sign":"{SIGN}"}}', id="a certificate's number before sign"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}","alipay_cert_sn":"75852781c31e6a29"}}', id="a certificate's number after sign"),
        pytest.param(f'{{\r\n\t"{NODE}" :\r\n {GOOD}\r\n,\r\n"sign" : "{SIGN}"\r\n}}\r\n', id="CR LF, tabs and blanks between"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}","another_response":{EVIL}}}', id="a node that was not asked for"),
        pytest.param(f'{{"\\u0061lipay_pass_instance_update_response":{GOOD},"\\u0073ign":"{SIGN}"}}', id="names with escapes"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{ESCAPED_SIGN}"}}', id="an escape inside sign"),
        pytest.param(f'{{"error_response":{GOOD},"sign":"{SIGN}"}}', id="the node for errors"),
    ],
)
def test_the_node_s_own_bytes_are_what_counts_wherever_it_stands(text: str) -> None:
    assert judged(text.encode()).code is Code.APPLIED


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(GOOD.replace(", ", ",").replace(": ", ":"), id="no blanks"),
        pytest.param(json.dumps(json.loads(GOOD), ensure_ascii=False, indent="\t"), id="lines and tabs, as in the page's sample"),
        pytest.param(json.dumps(json.loads(GOOD), indent=1).replace("\n", "\r\n"), id="CR LF and escapes"),
        pytest.param(node(sub_msg='}]{["\\"},"sign":"x"}'), id="braces, brackets and quotes in a text"),
        pytest.param(node(**{"a}b": "{", 'q"': "\\", "sign": "inner", NODE: "inner"}), id="the outer names inside, too"),
        pytest.param(node(sub_msg='\\\\\\"'), id="backslashes before a quote"),
        pytest.param(node(more={"deep": [{"er": "}"}, []]}), id="objects inside"),
    ],
)
def test_the_node_ends_where_json_says_so(source: str) -> None:
    assert judged(body(source)).code is Code.APPLIED


def test_a_slash_may_be_escaped_and_the_signature_be_over_either_form() -> None:
    plain, escaped = node(sub_msg="https://a/b"), node(sub_msg="https://a/b").replace("/", "\\/")
    for source, over in ((plain, plain), (escaped, escaped), (escaped, plain)):
        assert judged(body(source, signed=signature(over.encode()))).code is Code.APPLIED
    assert judged(body(plain, signed=signature(escaped.encode()))).finding == MISMATCH
    once = plain.replace("/", "\\/", 1)
    assert judged(body(once, signed=signature(plain.encode()))).code is Code.APPLIED
    assert judged(body(escaped, signed=signature(once.encode()))).finding == MISMATCH


def test_what_verified_unescaped_is_what_is_read() -> None:
    # Read as it stands, `\\/` is a backslash and a slash; unescaped it would be another text.
    source = node(sub_msg="PLACE").replace("PLACE", "a\\\\/b")
    over = source.replace("\\/", "/")
    verdict = judged(body(source, signed=signature(over.encode())))
    assert verdict.code is Code.BAD_ANSWER or (verdict.native is not None and verdict.native.message == json.loads(over)["sub_msg"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(f'{{"{NODE}":{EVIL},"{NODE}":{GOOD},"sign":"{SIGN}"}}', "SIG-UNREADABLE", id="the node twice, the signed one last"),
        pytest.param(f'{{"{NODE}":{GOOD},"{NODE}":{EVIL},"sign":"{SIGN}"}}', "SIG-UNREADABLE", id="the node twice, the signed one first"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}","\\u0061{NODE[1:]}":{EVIL}}}', "SIG-UNREADABLE", id="twice, once with an escape"),
        pytest.param(f'{{"{NODE}":{REFUSAL},"sign":"{SIGN}","sign":"{REFUSAL_SIGN}"}}', "SIG-UNREADABLE", id="sign twice"),
        pytest.param(f'{{"{NODE}":{GOOD},"error_response":{REFUSAL},"sign":"{SIGN}"}}', "SIG-TWO-NODES", id="error_response beside it"),
        pytest.param(f'{{"error_response":{REFUSAL},"{NODE}":{GOOD},"sign":"{REFUSAL_SIGN}"}}', "SIG-TWO-NODES", id="and signed"),
        pytest.param(f'{{"alipay_trade_query_response":{GOOD},"sign":"{SIGN}"}}', "SIG-OTHER-NODE", id="another method's node"),
        pytest.param(f'{{"alipay.pass.instance.update_response":{GOOD},"sign":"{SIGN}"}}', "SIG-OTHER-NODE", id="the name with dots"),
        pytest.param(f'{{"{NODE.upper()}":{GOOD},"sign":"{SIGN}"}}', "SIG-OTHER-NODE", id="the name in capitals"),
        pytest.param(f'{{"response":{{"{NODE}":{GOOD}}},"sign":"{SIGN}"}}', "SIG-OTHER-NODE", id="the node one level deeper"),
        pytest.param(f'{{"sign":"{SIGN}"}}', "SIG-OTHER-NODE", id="a sign alone"),
        pytest.param(f'{{"{NODE}":{GOOD}}}', "SIG-MISSING", id="no sign"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":""}}', "SIG-MISSING", id="an empty sign"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":null}}', "SIG-MALFORMED", id="sign null"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":["{SIGN}"]}}', "SIG-MALFORMED", id="sign in a list"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN[:-1]}"}}', "SIG-MALFORMED", id="sign cut short"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN[:80]}\\n{SIGN[80:]}"}}', "SIG-MALFORMED", id="a line end inside sign"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"é{SIGN}"}}', "SIG-MALFORMED", id="sign beyond ASCII"),
        pytest.param(f'{{"{NODE}":{GOOD},"Sign":"{SIGN}"}}', "SIG-MISSING", id="sign in capitals"),
        pytest.param(f'{{"{NODE}":{EVIL},"sign":"{SIGN}"}}', "SIG-MISMATCH", id="another node under its sign"),
        pytest.param(f'{{"{NODE}":{GOOD}\u00a0,"sign":"{SIGN}"}}', "SIG-UNREADABLE", id="a blank that JSON doesn't know"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}",}}', "SIG-UNREADABLE", id="a comma too many"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}"}}x', "SIG-UNREADABLE", id="text behind"),
        pytest.param(f'x{{"{NODE}":{GOOD},"sign":"{SIGN}"}}', "SIG-UNREADABLE", id="text before"),
        pytest.param(f'\ufeff{{"{NODE}":{GOOD},"sign":"{SIGN}"}}', "SIG-UNREADABLE", id="a byte order mark"),
        pytest.param(f'[{{"{NODE}":{GOOD},"sign":"{SIGN}"}}]', "SIG-UNREADABLE", id="a list around"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}"', "SIG-UNREADABLE", id="cut off"),
        pytest.param(f'{{"{NODE}":{GOOD},"sign":"{SIGN}",7:1}}', "SIG-UNREADABLE", id="a name that is no text"),
    ],
)
def test_an_answer_of_another_shape_proves_nothing(text: str, code: str) -> None:
    verdict = judged(text.encode())
    assert (verdict.code, verdict.trace_id) == (Code.UNTRUSTED_ANSWER, "t-1")
    assert verdict.finding is not None
    assert verdict.finding.code == code
    assert verdict.reason == verdict.finding.message


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        (f'{{"{NODE}":{EVIL},"sign":"{SIGN}"}}', MISMATCH),
        (f'{{"{NODE}":{GOOD},"sign":"x"}}', Finding(code="SIG-MALFORMED", message="sign holds no base64 signature")),
        (
            f'{{"{NODE}":{GOOD},"error_response":{GOOD},"sign":"{SIGN}"}}',
            Finding(code="SIG-TWO-NODES", message=f"the answer holds both {NODE} and error_response"),
        ),
        (f'{{"sign":"{SIGN}"}}', Finding(code="SIG-OTHER-NODE", message=f"the answer holds no {NODE}")),
        (f'{{"other_response":{GOOD}}}', Finding(code="SIG-OTHER-NODE", message=f"the answer holds no {NODE}")),
        (
            f'{{"{NODE}":{GOOD}}}',
            Finding(
                code="SIG-MISSING",
                message="the answer is not signed: the gateway signs neither what fails before its signature check nor what others answer",
                mend="check app_id, the gateway's address and the key uploaded there",
            ),
        ),
        (
            f'{{"{NODE}":1,"{NODE}":2}}',
            Finding(code="SIG-UNREADABLE", message=f"the answer is not readable as JSON: member '{NODE}' stands twice"),
        ),
    ],
)
def test_the_finding_says_exactly_why(text: str, finding: Finding) -> None:
    assert judged(text.encode()).finding == finding


@pytest.mark.parametrize("name", [NODE, "error_response"])
@pytest.mark.parametrize("signed", ["", SIGN])
def test_what_an_unproved_answer_claims_is_shown_as_a_claim(name: str, signed: str) -> None:
    native = judged(body(REFUSAL, name=name, signed=signed)).native
    assert native is not None
    assert native.model_dump() == {
        "code": "40004",
        "status": "false",
        "sub_code": "KP.AE_ALIPASS_NOTEXIST",
        "message": "卡券不存在",
        "result": {},
        "verified": False,
    }


@pytest.mark.parametrize("text", ["1", '"10000"', "null", "[]", '{"code":10000}'])
def test_a_claim_that_says_nothing_readable_is_none(text: str) -> None:
    verdict = judged(f'{{"{NODE}":{text}}}'.encode())
    assert (verdict.code, verdict.native) == (Code.UNTRUSTED_ANSWER, None)


@pytest.mark.parametrize("key", ["cn-app", "stranger", "hk-gateway"])
def test_nobody_else_s_signature_is_the_gateway_s(key: str) -> None:
    assert judged(body(GOOD, signed=signature(GOOD.encode(), key=key))).finding == MISMATCH


def test_the_hash_is_the_sign_type_s_and_no_other() -> None:
    for ours in ("RSA2", "RSA"):
        for theirs in ("RSA2", "RSA"):
            finding = judged(body(GOOD, sign_type=theirs), account(sign_type=ours)).finding
            assert finding == (None if ours == theirs else MISMATCH)


def test_the_signature_is_over_the_node_and_not_over_the_whole_answer() -> None:
    whole = f'{{"{NODE}":{GOOD}}}'
    assert judged(body(GOOD, signed=signature(whole.encode()))).finding == MISMATCH
    assert judged(body(GOOD, signed=signature(GOOD[1:-1].encode()))).finding == MISMATCH


def test_an_encrypted_node_is_verified_with_its_quotes_and_then_not_understood() -> None:
    source = '"yQdwPPnGRc5sRcRcs8ee0g=="'
    verdict = judged(body(source))
    assert (verdict.code, verdict.reason) == (Code.BAD_ANSWER, "an encrypted answer to a call that was not encrypted")
    assert judged(body(source, signed=signature(source.strip('"').encode()))).finding == MISMATCH


def test_a_lone_surrogate_in_an_unproved_answer_does_not_reach_the_outcome() -> None:
    text = f'{{"{NODE}":{{"code":"40004","sub_msg":"\\ud800"}},"sign":"{SIGN}"}}'
    verdict = judged(reply(text.encode()))
    assert verdict.code is Code.UNTRUSTED_ANSWER
    if verdict.native:
        verdict.native.model_dump_json()
