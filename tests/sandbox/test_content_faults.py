"""Faults of what a rightly signed answer says, each looked at over a real socket."""

from __future__ import annotations

import base64
import codecs
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from tests.sandbox.conftest import SERIAL, TICKET, Cn, Hk, last, public, raw_node, signed_by, state
from tests.sandbox.test_signature_faults import NODE, cn_answer, hk_answer


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("nan", b',"extension":NaN}'),
        ("deep-nesting", b',"extension":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        ("giant-number", b',"extension":' + b"9" * 100_000 + b"}"),
        ("lone-surrogate", rb',"extension":"\ud800"}'),
    ],
)
def test_a_signed_object_holds_what_no_careful_reader_takes(hk: Hk, cn: Cn, fault: str, found: bytes) -> None:
    answer = hk_answer(hk, fault)
    assert answer.body.endswith(found + b"}")
    assert hk.verified(answer)
    answer = cn_answer(cn, fault)
    assert raw_node(answer.body).endswith(found)
    assert cn.verified(answer)


def test_a_member_stands_twice(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "duplicate-member")
    assert hk.verified(answer)
    pairs = json.loads(answer.body.removeprefix(b'{"result":')[:-1], object_pairs_hook=list)
    assert [value for name, value in pairs if name == "resultCode"] == ["TWICE", "SUCCESS"]
    answer = cn_answer(cn, "duplicate-member")
    assert cn.verified(answer)
    pairs = json.loads(raw_node(answer.body), object_pairs_hook=list)
    assert [value for name, value in pairs if name == "code"] == ["TWICE", "10000"]


def test_an_answer_in_utf_16(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "utf-16")
    assert hk.verified(answer)
    assert json.loads(answer.body.decode("utf-16"))["result"]["resultCode"] == "SUCCESS"
    answer = cn_answer(cn, "utf-16")
    assert answer.body.startswith(codecs.BOM_UTF16_LE)
    document = json.loads(answer.body.decode("utf-16"))
    source = json.dumps(document[NODE], ensure_ascii=False, separators=(",", ":")).encode("utf-16-le")
    assert source in answer.body
    assert signed_by(public(cn.settings["gateway_public_key"]), base64.b64decode(document["sign"]), source, hashes.SHA256())


def test_an_answer_behind_a_byte_order_mark(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "bom")
    assert answer.body.startswith(codecs.BOM_UTF8 + b"{")
    assert hk.verified(answer)
    answer = cn_answer(cn, "bom")
    assert answer.body.startswith(codecs.BOM_UTF8 + b"{")
    assert cn.verified(answer)


def test_a_page_under_status_200(hk: Hk, cn: Cn) -> None:
    for answer in (hk_answer(hk, "html-page"), cn_answer(cn, "html-page")):
        assert (answer.headers["content-type"], answer.body[:6]) == ("text/html", b"<html>")
        assert "signature" not in answer.headers
        entry = last(hk.box)
        assert (entry["result"], entry["status"], entry["applied"]) == (None, 200, True)


@pytest.mark.parametrize(("fault", "body"), [("empty-body", b""), ("null-body", b"null")])
def test_there_is_no_object(hk: Hk, cn: Cn, fault: str, body: bytes) -> None:
    answer = hk_answer(hk, fault)
    assert answer.body == body
    assert hk.verified(answer)
    assert cn_answer(cn, fault).body == body


def test_a_signed_page(hk: Hk) -> None:
    answer = hk_answer(hk, "signed-page")
    assert answer.body.startswith(b"<html>")
    assert hk.verified(answer)


def test_an_answer_that_looks_encrypted(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "encrypted")
    assert hk.verified(answer)
    assert len(base64.b64decode(answer.body, validate=True)) % 16 == 0
    assert answer.headers["encrypt"].startswith("algorithm=RSA_AES,keyVersion=1,symmetricKey=")
    answer = cn_answer(cn, "encrypted")
    assert cn.verified(answer)
    assert len(base64.b64decode(answer.json[NODE], validate=True)) % 16 == 0


@pytest.mark.parametrize(
    ("fault", "result"),
    [
        ("s-with-failure", {"resultCode": "PASS_STATUS_ILLEGAL", "resultStatus": "S"}),
        ("f-with-success", {"resultCode": "SUCCESS", "resultStatus": "F"}),
        ("no-letter", {"resultCode": "SUCCESS"}),
        ("unknown-letter", {"resultCode": "SUCCESS", "resultStatus": "X"}),
    ],
)
def test_code_and_letter_contradict_each_other(hk: Hk, fault: str, result: dict[str, str]) -> None:
    answer = hk_answer(hk, fault)
    assert hk.verified(answer)
    assert answer.json == {"result": {**result, "resultMessage": "success"}}


@pytest.mark.parametrize(("node", "beside"), [("result", "resultInfo"), ("resultInfo", "result"), ("ResultInfo", "resultInfo")])
def test_two_results_differ(hk: Hk, node: str, beside: str) -> None:
    hk.box.guess({"hk.result_node": node})
    answer = hk_answer(hk, "two-results")
    assert hk.verified(answer)
    assert {name: result["resultCode"] for name, result in answer.json.items()} == {node: "SUCCESS", beside: "PASS_STATUS_ILLEGAL"}


@pytest.mark.parametrize(
    ("fault", "members"),
    [
        ("success-false", {"code": "10000", "success": "false"}),
        ("success-with-sub-code", {"code": "10000", "success": "true", "sub_code": "KP.AE_SYSTEM_ERROR"}),
        ("failure-with-success", {"code": "40004", "success": "true", "sub_code": "KP.AE_ALIPASS_NOTEXIST"}),
        ("result-not-json", {"code": "10000", "success": "true", "result": "OK"}),
    ],
)
def test_the_layers_of_an_answer_contradict_each_other(cn: Cn, fault: str, members: dict[str, Any]) -> None:
    node = cn.node(cn_answer(cn, fault))
    assert {name: node[name] for name in members} == members
    if fault != "success-with-sub-code" and "sub_code" not in members:
        assert "sub_code" not in node


def test_the_result_names_another_pass(cn: Cn) -> None:
    result = json.loads(cn.node(cn_answer(cn, "result-other-pass"))["result"])
    assert SERIAL not in {result["serialNumber"], result["passId"]}


def test_a_fault_of_the_answer_strikes_a_refusal_too(hk: Hk) -> None:
    hk.box.add_fault({"fault": "unknown-letter"})
    assert hk.send(hk.body("404", "USED")).json["result"]["resultCode"] == "PASS_HAS_NOT_EXIST"
    assert state(hk.box, TICKET)["state"] == "ACTIVE"
