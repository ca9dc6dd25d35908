from __future__ import annotations

import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import FAULTS, Faults
from passbridge.sandbox.inputs import BadInput
from tests.sandbox.conftest import CARD, CHANNEL, PATH, SERIAL, TICKET, Cn, Hk, ask, last, state

BIZ = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}
CUT = (http.client.RemoteDisconnected, ConnectionResetError)


def test_every_documented_fault_is_listed(box: Sandbox) -> None:
    names = ask(box.url, "GET", "/sandbox/faults/names").json
    assert names == [{"fault": kind.spelling, "text": kind.text} for kind in FAULTS.values()]
    assert all(row["text"] for row in names)


def test_alipayhk_answers_a_documented_code_without_applying(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code:UNKNOWN_EXCEPTION", "gateway": "hk"})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert hk.verified(answer)
    assert answer.json["result"] == {
        "resultCode": "UNKNOWN_EXCEPTION",
        "resultStatus": "U",
        "resultMessage": "API failed due to unknown reason.",
    }
    assert state(hk.box, TICKET)["state"] == "ACTIVE"
    entry = last(hk.box)
    assert (entry["fault"], entry["result"], entry["applied"]) == ("code:UNKNOWN_EXCEPTION", "UNKNOWN_EXCEPTION", False)
    assert hk.code(TICKET, "USED") == "SUCCESS"


def test_alipayhk_answers_a_documented_code_after_applying(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code-after:UNKNOWN_EXCEPTION"})
    assert hk.code(TICKET, "USED") == "UNKNOWN_EXCEPTION"
    assert state(hk.box, TICKET)["state"] == "USED"
    assert (last(hk.box)["result"], last(hk.box)["applied"]) == ("UNKNOWN_EXCEPTION", True)


def test_an_unapplied_update_stays_unapplied_after_a_code(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code-after:UNKNOWN_EXCEPTION", "count": 2})
    assert [hk.code(TICKET, "USED"), hk.code(TICKET, "USED")] == ["UNKNOWN_EXCEPTION"] * 2
    assert [entry["applied"] for entry in hk.box.requests()] == [True, False]


@pytest.mark.parametrize(("fault", "letter"), [("", "U"), (":U", "U"), (":F", "F")])
def test_a_code_documented_under_two_letters_takes_the_wanted_one(hk: Hk, fault: str, letter: str) -> None:
    hk.box.add_fault({"fault": "code:REQUEST_TRAFFIC_EXCEED_LIMIT" + fault})
    assert hk.send(hk.body(TICKET, "USED")).json["result"]["resultStatus"] == letter


@pytest.mark.parametrize(("fault", "code"), [("isv.missing-signature-config", "40003"), ("isv.missing-signature-config:40002", "40002")])
def test_a_code_documented_under_two_gateway_codes_takes_the_wanted_one(cn: Cn, fault: str, code: str) -> None:
    cn.box.add_fault({"fault": f"code:{fault}"})
    answer = cn.send(BIZ)
    assert not cn.verified(answer)
    assert answer.json["alipay_pass_instance_update_response"]["code"] == code


@pytest.mark.parametrize(
    "code",
    [
        "METHOD_NOT_SUPPORTED",
        "INVALID_API",
        "NO_INTERFACE_DEF",
        "MEDIA_TYPE_NOT_ACCEPTABLE",
        "INVALID_CLIENT",
        "CLIENT_VALIDATE_FAILED",
        "KEY_NOT_FOUND",
        "INVALID_SIGNATURE",
        "SIGNATURE_INVALID",
    ],
)
def test_codes_from_before_the_signature_come_unsigned(hk: Hk, code: str) -> None:
    hk.box.add_fault({"fault": f"code:{code}"})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert answer.json["result"]["resultCode"] == code
    assert "signature" not in answer.headers


@pytest.mark.parametrize("code", ["PASS_HAS_NOT_USED", "ACCESS_DENIED", "PROCESS_FAIL", "PASS_IS_NULL", "MSG_PARSE_ERROR", "SUCCESS"])
def test_other_codes_come_signed(hk: Hk, code: str) -> None:
    hk.box.add_fault({"fault": f"code:{code}"})
    assert hk.code(TICKET, "USED") == code
    assert state(hk.box, TICKET)["state"] == "ACTIVE"


def test_a_code_without_a_letter_takes_the_one_its_page_implies(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code:PASS_IS_NULL"})
    hk.box.add_fault({"fault": "code:SYSTEM_ERROR"})
    assert [hk.send(hk.body(TICKET, "USED")).json["result"]["resultStatus"] for _ in range(2)] == ["F", "U"]


def test_a_fault_may_strike_where_no_pass_can_be_read(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code:PASS_STATUS_ILLEGAL"})
    assert hk.send(b"{").json["result"]["resultCode"] == "PASS_STATUS_ILLEGAL"


@pytest.mark.parametrize(
    ("fault", "node"),
    [
        (
            "KP.AE_SYSTEM_ERROR",
            {
                "code": "40004",
                "msg": "Business Failed",
                "sub_msg": "系统繁忙或系统异常",
                "success": "false",
                "result": '{"operate":"UPDATE"}',
            },
        ),
        ("isp.unknow-error", {"code": "20000", "msg": "Service Currently Unavailable", "sub_msg": "系统繁忙"}),
        ("isv.app-call-limited", {"code": "40005", "msg": "Call Limited", "sub_msg": "应用调用次数超限，包含调用频率超限"}),  # noqa: RUF001 - the gateway's text
        ("isv.missing-app-cert-sn", {"code": "40002", "msg": "Invalid Arguments", "sub_msg": "缺少应用公钥证书序列号"}),
        ("isv.alipay-cert-not-exist", {"code": "40002", "msg": "Invalid Arguments", "sub_msg": ""}),
    ],
)
def test_the_mainland_answers_a_documented_sub_code_under_its_gateway_code(cn: Cn, fault: str, node: dict[str, str]) -> None:
    cn.box.add_fault({"fault": f"code:{fault}", "gateway": "mainland"})
    assert cn.node(cn.send(BIZ)) == {**node, "sub_code": fault}
    assert state(cn.box, SERIAL)["state"] == "ACTIVE"
    assert cn.code("USED") == "10000"


@pytest.mark.parametrize(
    ("fault", "node"),
    [
        ("40006", {"code": "40006", "msg": "Insufficient Permissions"}),
        ("20000", {"code": "20000", "msg": "Service Currently Unavailable"}),
        ("10003", {"code": "10003", "msg": "order success pay inprocess"}),
    ],
)
def test_the_mainland_answers_a_gateway_code_alone(cn: Cn, fault: str, node: dict[str, str]) -> None:
    cn.box.add_fault({"fault": f"code:{fault}"})
    assert cn.node(cn.send(BIZ)) == node


def test_the_mainland_can_lie_about_success(cn: Cn) -> None:
    cn.box.add_fault({"fault": "code:10000"})
    assert cn.node(cn.send(BIZ))["success"] == "true"
    assert state(cn.box, SERIAL)["state"] == "ACTIVE"


def test_a_sub_code_from_before_the_signature_comes_unsigned(cn: Cn) -> None:
    cn.box.add_fault({"fault": "code:isv.invalid-app-id"})
    answer = cn.send(BIZ)
    assert list(answer.json) == ["alipay_pass_instance_update_response"]


def test_a_lost_answer_is_applied_and_not_a_byte_comes(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "lose-answer", "count": 2})
    with pytest.raises(CUT):
        hk.send(hk.body(TICKET, "USED"))
    with pytest.raises(CUT):
        cn.send(BIZ)
    for pass_id in (TICKET, SERIAL):
        assert state(hk.box, pass_id)["state"] == "USED"
    for entry in hk.box.requests():
        assert (entry["fault"], entry["result"], entry["status"], entry["applied"]) == ("lose-answer", None, None, True)
    assert hk.code(TICKET, "USED") == "PASS_USED_OCCUPIED"


def test_a_dropped_request_is_not_applied(hk: Hk) -> None:
    hk.box.add_fault({"fault": "drop-request"})
    with pytest.raises(CUT):
        hk.send(hk.body(TICKET, "USED"))
    assert state(hk.box, TICKET)["state"] == "ACTIVE"
    assert last(hk.box)["applied"] is False


def test_an_answer_can_lack_its_signature(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "unsigned", "count": 2})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert answer.json["result"]["resultCode"] == "SUCCESS"
    assert not {"signature", "response-time"} & answer.headers.keys()
    answer = cn.send(BIZ)
    assert answer.json["alipay_pass_instance_update_response"]["code"] == "10000"
    assert "sign" not in answer.json
    assert {state(hk.box, TICKET)["state"], state(hk.box, SERIAL)["state"]} == {"USED"}


def test_an_answer_can_be_signed_by_a_stranger(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "bad-signature", "count": 2})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert answer.headers["signature"].startswith("algorithm=RSA256,keyVersion=1,signature=")
    assert not hk.verified(answer)
    answer = cn.send(BIZ)
    assert "sign" in answer.json
    assert not cn.verified(answer)
    assert {state(hk.box, TICKET)["state"], state(hk.box, SERIAL)["state"]} == {"USED"}


@pytest.mark.parametrize(("fault", "then"), [("http-502", "ACTIVE"), ("http-502-after", "USED")])
def test_a_proxys_page_can_stand_in_the_way(hk: Hk, cn: Cn, fault: str, then: str) -> None:
    hk.box.add_fault({"fault": fault, "count": 2})
    for answer in (hk.send(hk.body(TICKET, "USED")), cn.send(BIZ)):
        assert (answer.status, answer.headers["content-type"]) == (502, "text/html")
        assert answer.body.startswith(b"<html>")
    assert {state(hk.box, TICKET)["state"], state(hk.box, SERIAL)["state"]} == {then}
    assert [(entry["result"], entry["status"], entry["applied"]) for entry in hk.box.requests()] == [(None, 502, then == "USED")] * 2


def test_an_answer_can_come_late_and_the_update_does_not(hk: Hk) -> None:
    hk.box.add_fault({"fault": "delay:0.2"})
    begun = time.monotonic()
    assert hk.code(TICKET, "USED") == "SUCCESS"
    assert time.monotonic() - begun >= 0.2
    assert last(hk.box)["fault"] == "delay:0.2"


def test_a_late_answer_holds_nobody_up(hk: Hk) -> None:
    hk.box.add_fault({"fault": "delay:300", "match": {"pass": TICKET}})
    body = hk.body(TICKET, "USED")
    connection = http.client.HTTPConnection(hk.box.url.removeprefix("http://"), timeout=20)
    raw = str(body).replace("'", '"').encode()
    connection.request("POST", PATH, raw, hk.headers(raw))
    with ThreadPoolExecutor() as pool:
        assert pool.submit(hk.code, CARD, "USED").result() == "SUCCESS"
    connection.close()
    assert state(hk.box, TICKET)["state"] == "USED"


def test_a_fault_strikes_only_what_it_matches_and_as_often_as_asked(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "code:PASS_STATUS_ILLEGAL", "match": {"account": "hk-tickets", "status": "REFUND"}, "count": 2})
    hk.box.add_fault({"fault": "code:PASS_UPDATE_FAIL", "match": {"pass": CARD}})
    hk.box.add_fault({"fault": "code:KP.AE_SYSTEM_ERROR", "match": {"account": "cn"}})
    assert hk.code("404", "REFUND") == "PASS_HAS_NOT_EXIST"
    assert [hk.code(TICKET, "REFUND") for _ in range(3)] == ["PASS_STATUS_ILLEGAL"] * 2 + ["SUCCESS"]
    assert [hk.code(CARD, "USED") for _ in range(2)] == ["PASS_UPDATE_FAIL", "SUCCESS"]
    assert cn.code("USED", serial_number="404") == "KP.AE_SYSTEM_ERROR"
    assert hk.box.faults() == []


def test_faults_strike_in_the_order_they_were_added(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code:PASS_STATUS_ILLEGAL"})
    hk.box.add_fault({"fault": "code:PASS_UPDATE_FAIL"})
    assert [hk.code(CARD, "USED") for _ in range(3)] == ["PASS_STATUS_ILLEGAL", "PASS_UPDATE_FAIL", "SUCCESS"]


def test_a_fault_for_both_gateways_strikes_either_and_for_one_only_that(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "unsigned", "gateway": "mainland"})
    assert hk.code(TICKET, "UPDATE") == "PARAM_ILLEGAL"
    assert not cn.verified(cn.send(BIZ))


def test_a_request_that_proves_nothing_uses_up_no_fault(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "lose-answer"})
    body = b"{}"
    assert ask(hk.box.url, "POST", PATH, body, hk.headers(b"{} ")).json["result"]["resultCode"] == "INVALID_SIGNATURE"
    assert cn.node(cn.post({**cn.params(BIZ), "sign": "AAAA"}))["sub_code"] == "isv.invalid-signature"
    assert [fault["count"] for fault in hk.box.faults()] == [1]


def test_faults_are_listed_counted_down_and_cleared(hk: Hk) -> None:
    first = hk.box.add_fault({"fault": "unsigned", "count": 2, "gateway": None, "match": None})
    second = hk.box.add_fault({"fault": "code:PASS_IS_NULL", "match": {"pass": "1"}})
    assert first == {"id": first["id"], "fault": "unsigned", "gateway": None, "match": {}, "count": 2}
    assert second["gateway"] == "hk"
    hk.send(hk.body(TICKET, "USED"))
    assert hk.box.faults() == [{**first, "count": 1}, second]
    hk.box.clear_faults()
    assert hk.box.faults() == []


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ({}, ["fault"]),
        ([], [""]),
        ("unsigned", [""]),
        ({"fault": 1, "gateway": "eu", "count": 0, "match": 5, "extra": 1}, ["fault", "gateway", "count", "extra"]),
        ({"fault": "unsigned", "count": True}, ["count"]),
        ({"fault": "unsigned", "match": 5}, ["match"]),
        (
            {"fault": "unsigned", "match": {"passes": "1", "account": "eu", "status": "GONE", "pass": 1}},
            [
                "match.passes",
                "match.account",
                "match.status",
                "match.pass",
            ],
        ),
        ({"fault": "unsinged"}, ["fault"]),
        ({"fault": "unsigned:now"}, ["fault"]),
        ({"fault": "code"}, ["fault"]),
        ({"fault": "code:"}, ["fault"]),
        ({"fault": "code:PASS_HAS_NOT_EXISTS"}, ["fault"]),
        ({"fault": "code:PASS_IS_NULL", "gateway": "mainland"}, ["fault"]),
        ({"fault": "code:PARAM_ILLEGAL:U"}, ["fault"]),
        ({"fault": "delay:soon"}, ["fault"]),
        ({"fault": "delay:nan"}, ["fault"]),
        ({"fault": "delay:-1"}, ["fault"]),
        ({"fault": "delay:301"}, ["fault"]),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_every_reason(box: Sandbox, asked: object, paths: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        box.add_fault(asked)
    assert [problem.path for problem in caught.value.problems] == paths
    assert str(caught.value)
    assert box.faults() == []


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("unsinged", "did you mean 'unsigned'?"),
        ("code:PASS_HAS_NOT_EXISTS", "did you mean 'PASS_HAS_NOT_EXIST'?"),
        ("code:PARAM_ILLEGAL:U", "documented: F"),
    ],
)
def test_the_refusal_says_what_was_meant(box: Sandbox, fault: str, mend: str) -> None:
    with pytest.raises(BadInput) as caught:
        box.add_fault({"fault": fault})
    assert caught.value.problems[0].mend == mend


def test_no_code_is_documented_by_both_gateways() -> None:
    codes = Inventory()
    assert not set(codes.names(["hk"])) & set(codes.names(["mainland"]))


@pytest.mark.parametrize("row", Inventory().rows, ids=lambda row: f"{row.code}-{row.variant}")
def test_every_documented_code_can_be_asked_for(row: object) -> None:
    faults = Faults(Inventory(), ["cn"])
    code, variant = row.code, row.variant  # type: ignore[attr-defined]
    assert faults.add({"fault": f"code:{code}:{variant}"}).kind is FAULTS["code"]
