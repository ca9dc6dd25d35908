"""Passes issued at the mainland's gateway, and how they live on: the official test suite's own request among them."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.conftest import CHANNEL, SERIAL, Cn, last, state
from tests.sandbox.mainland_life import (
    CHANGE,
    INVALID,
    ISSUE,
    MALFORMED,
    NO_SUPPORT,
    NOT_EXIST,
    NOT_GBK,
    NULL,
    PARAMS,
    RECIPIENT,
    UPDATE,
    USER,
    issue,
    made,
    sub_code,
    template,
)

NUMBER = str(PARAMS["serialNumber"])
UPDATE_ERROR = "KP.AE_ALIPASS_UPDATE_ERROR"
ORDER = '{"partner_id":"2088102114633762","out_trade_no":"1234567"}'


def update(cn: Cn, status: str | None = None, **members: object) -> str:
    return sub_code(cn.call(UPDATE, {"serial_number": NUMBER, "channel_id": CHANNEL, "status": status, **members}))


def test_a_pass_is_issued(cn: Cn) -> None:
    tpl_id = made(cn)
    node = issue(cn, tpl_id, note="has no place")
    result = node.pop("result")
    assert node == {"msg": "Success", "code": "10000", "success": "true"}
    assert result == {
        "serialNumber": NUMBER,
        "passId": result["passId"],
        "operate": "ADD",
        "errorCode": "SUCCESS",
        "errorMsg": "处理成功",
    }
    assert result["passId"].isdigit()
    assert state(cn.box, NUMBER) == {
        "gateway": "mainland",
        "id": NUMBER,
        "account": "cn",
        "state": "ACTIVE",
        "content": PARAMS,
        "holder": {"user_id": USER, "open_id": None},
        "template": tpl_id,
        "channel": CHANNEL,
        "valid_until": "2099-01-25 13:45:56",
        "code_info": None,
    }
    entry = last(cn.box)
    assert (entry["account"], entry["pass"], entry["applied"], entry["result"]) == ("cn", NUMBER, True, "10000")


def test_the_official_suites_request_is_answered_as_it_was(cn: Cn) -> None:
    """Recipient by an order, no parameter: refused before anything else is missed, and the result says why."""
    node = cn.call(ISSUE, {"tpl_id": made(cn), "tpl_params": "{}", "recognition_type": "1", "recognition_info": ORDER})
    assert node == {
        "msg": "Business Failed",
        "code": "40004",
        "sub_code": NO_SUPPORT,
        "sub_msg": "该AppId不支持",
        "success": "false",
        "result": {"operate": "ADD", "errorCode": NO_SUPPORT, "errorMsg": "该AppId不支持"},
    }


def test_the_operation_may_be_named_otherwise(cn: Cn) -> None:
    tpl_id = made(cn)
    cn.box.guess({"mainland.operate": "operation"})
    assert issue(cn, tpl_id)["result"]["operation"] == "ADD"
    node = cn.call(UPDATE, {"serial_number": NUMBER, "channel_id": CHANNEL, "status": "USED"})
    assert (node["result"]["operation"], "operate" in node["result"]) == ("UPDATE", False)
    assert cn.call(UPDATE, {"serial_number": "1", "channel_id": CHANNEL})["result"] == {"operation": "UPDATE"}


@pytest.mark.parametrize(
    ("lacking", "names"), [(["gate"], "gate"), (["serialNumber"], "serialNumber"), (["title", "end", "gate"], "title,end,gate")]
)
@pytest.mark.parametrize("absent", [..., None])
def test_every_parameter_is_needed_and_the_result_names_what_is_missing(cn: Cn, lacking: list[str], names: str, absent: object) -> None:
    node = issue(cn, made(cn), **dict.fromkeys(lacking, absent))
    assert (node["sub_code"], node["sub_msg"]) == (NULL, f"缺失必要属性{names}为空")
    assert node["result"] == {"operate": "ADD", "errorCode": NULL, "errorMsg": f"缺失必要属性{names}为空"}
    assert [one["id"] for one in cn.box.passes() if one["gateway"] == "mainland"] == [SERIAL]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"tpl_id": ...}, NULL),
        ({"tpl_id": "1"}, INVALID),
        ({"tpl_params": ...}, NULL),
        ({"tpl_params": "{"}, MALFORMED),
        ({"tpl_params": PARAMS}, "10000"),
        ({"tpl_params": {**PARAMS, "gate": "🎫"}}, NOT_GBK),
        ({"tpl_params": {**PARAMS, "gate": "1" * 99_999}}, INVALID),
        ({"tpl_params": {**PARAMS, "gate": 1}}, "10000"),
        ({"tpl_params": {**PARAMS, "serialNumber": 1}}, INVALID),
        ({"tpl_params": {**PARAMS, "serialNumber": ""}}, INVALID),
        ({"tpl_params": {**PARAMS, "serialNumber": "1" * 999}}, "10000"),
        ({"tpl_params": {**PARAMS, "serialNumber": "1" * 1000}}, INVALID),
        ({"tpl_params": {**PARAMS, "channelID": "2088000000000000"}}, NO_SUPPORT),
        ({"tpl_params": {**PARAMS, "channelID": 2088918273}}, NO_SUPPORT),
        ({"recognition_type": ...}, NULL),
        ({"recognition_type": "3"}, INVALID),
        ({"recognition_type": 2}, INVALID),
        ({"recognition_info": ...}, NULL),
        ({"recognition_info": "USER"}, MALFORMED),
        ({"recognition_info": RECIPIENT}, "10000"),
        ({"recognition_info": {"user_id": USER}}, NULL),
        ({"recognition_info": {"user_token": "1"}}, NULL),
        ({"recognition_info": {"open_id": "o", "user_token": "1"}}, "10000"),
        ({"recognition_info": {"user_id": 1, "user_token": "1"}}, INVALID),
    ],
)
def test_each_member_of_an_issue_has_its_rules(cn: Cn, members: dict[str, object], code: str) -> None:
    usual = {"tpl_id": made(cn), "tpl_params": json.dumps(PARAMS), "recognition_type": "2", "recognition_info": json.dumps(RECIPIENT)}
    biz = {name: value for name, value in {**usual, **members}.items() if value is not ...}
    assert sub_code(cn.call(ISSUE, biz)) == code


@pytest.mark.parametrize(("info", "code"), [(ORDER, "10000"), ('{"partner_id":"2088"}', NULL), ('{"out_trade_no":"1"}', NULL)])
def test_an_order_may_identify_the_recipient_as_it_once_did(cn: Cn, info: str, code: str) -> None:
    cn.box.guess({"mainland.recognition_by_order": "allowed"})
    biz = {"tpl_id": made(cn), "tpl_params": PARAMS, "recognition_type": "1", "recognition_info": info}
    assert sub_code(cn.call(ISSUE, biz)) == code


def test_a_serial_number_is_issued_once(cn: Cn) -> None:
    tpl_id = made(cn)
    first = issue(cn, tpl_id)
    assert sub_code(issue(cn, tpl_id, gate="A2")) == INVALID
    cn.box.guess({"mainland.serial_again": "same"})
    assert issue(cn, tpl_id, gate="A2") == first
    assert state(cn.box, NUMBER)["content"] == PARAMS


def test_the_apps_id_is_a_channel_too(cn: Cn) -> None:
    app = cn.settings["app_id"]
    assert sub_code(issue(cn, made(cn), channelID=app)) == "10000"
    assert (state(cn.box, NUMBER)["channel"], state(cn.box, NUMBER)["account"]) == (app, "cn")


def test_an_issued_pass_is_redeemed_and_closed_like_any_other(cn: Cn) -> None:
    own = issue(cn, made(cn))["result"]["passId"]
    node = cn.call(UPDATE, {"serial_number": NUMBER, "channel_id": CHANNEL, "status": "USED"})
    assert node["result"]["passId"] == own
    assert (update(cn, "USED"), update(cn, "CLOSED"), update(cn)) == (UPDATE_ERROR, "10000", UPDATE_ERROR)
    assert state(cn.box, NUMBER)["state"] == "CLOSED"


def test_only_what_the_template_declares_changes_and_never_which_pass_it_is(cn: Cn) -> None:
    issue(cn, made(cn))
    params = {"gate": "B12", "title": "new", "seat": "1", "serialNumber": "2", "channelID": "2", "code": "2"}
    assert update(cn, tpl_params=params) == "10000"
    kept = {"serialNumber": NUMBER, "channelID": CHANNEL}
    assert state(cn.box, NUMBER)["content"] == {**kept, "gate": "B12", "title": "new"}
    cn.box.guess({"mainland.tpl_params": "merged"})
    assert update(cn, tpl_params={"gate": "B13"}) == "10000"
    assert state(cn.box, NUMBER)["content"] == {**kept, "gate": "B13", "title": "new"}
    assert update(cn, tpl_params={"seat": "1"}) == "10000"
    assert state(cn.box, NUMBER)["content"] == {**kept, "gate": "B13", "title": "new"}
    cn.box.guess({"mainland.undeclared_params": INVALID})
    assert update(cn, tpl_params={"seat": "1", "gate": "B14"}) == INVALID
    assert update(cn, tpl_params={"gate": "B14"}) == "10000"


def test_a_changed_template_changes_later_passes_alone(cn: Cn) -> None:
    tpl_id = made(cn)
    issue(cn, tpl_id)
    changed = template()
    changed["content"]["evoucherInfo"]["product"] = "$product$"
    assert cn.call(CHANGE, {"tpl_id": tpl_id, "tpl_content": changed})["code"] == "10000"
    assert update(cn, tpl_params={"product": "bus", "gate": "A2"}) == "10000"
    assert "product" not in state(cn.box, NUMBER)["content"]
    assert sub_code(issue(cn, tpl_id, serialNumber="2")) == NULL
    assert sub_code(issue(cn, tpl_id, serialNumber="2", product="bus")) == "10000"
    assert state(cn.box, "2")["content"]["product"] == "bus"


def test_a_pass_that_is_over_cant_be_used(cn: Cn) -> None:
    issue(cn, made(cn), end="2020-01-25 13:45:56")
    assert update(cn, "USED") == UPDATE_ERROR
    cn.box.guess({"mainland.used_after_expiry": "allowed"})
    assert update(cn, "USED") == "10000"


def test_a_new_end_makes_a_pass_valid_again(cn: Cn) -> None:
    issue(cn, made(cn), end="2020-01-25 13:45:56")
    assert update(cn, tpl_params={"end": "2099-01-25 13:45:56"}) == "10000"
    assert update(cn, "USED") == "10000"


def test_an_end_that_is_no_time_never_comes(cn: Cn) -> None:
    issue(cn, made(cn), end="2020-02-30 13:45:56")
    assert update(cn, "USED") == "10000"


@pytest.mark.parametrize(("member", "held"), [("user_id", USER), ("open_id", "o")])
def test_whoever_is_named_must_hold_the_pass(cn: Cn, member: str, held: str) -> None:
    biz = {"tpl_id": made(cn), "tpl_params": PARAMS, "recognition_type": "2"}
    assert cn.call(ISSUE, {**biz, "recognition_info": {**RECIPIENT, "open_id": "o"}})["code"] == "10000"
    assert update(cn, **{member: "2088"}) == NOT_EXIST
    assert update(cn, **{member: held}) == "10000"
    cn.box.guess({"mainland.wrong_holder": "allowed"})
    assert update(cn, **{member: "2088"}) == "10000"


def test_nobody_is_known_to_hold_a_pass_that_was_put_here_by_hand(cn: Cn) -> None:
    assert cn.code("USED", user_id=USER) == "10000"


def test_an_app_reaches_its_own_passes_alone(cn: Cn, cn_aes: Cn) -> None:
    tpl_id = made(cn)
    issue(cn, tpl_id)
    biz = {"serial_number": NUMBER, "channel_id": CHANNEL, "status": "USED"}
    assert sub_code(cn_aes.call(UPDATE, biz)) == NOT_EXIST
    assert sub_code(issue(cn_aes, tpl_id)) == INVALID
    assert sub_code(issue(cn_aes, made(cn_aes))) == NO_SUPPORT
    assert update(cn, "USED") == "10000"


@pytest.mark.parametrize(("fault", "there"), [("lose-answer", True), ("drop-request", False), ("code:KP.AE_SYSTEM_ERROR", False)])
def test_a_fault_finds_an_issue_by_its_method_and_serial_number(cn: Cn, fault: str, there: bool) -> None:  # noqa: FBT001 - a column
    tpl_id = made(cn)
    cn.box.add_fault({"fault": fault, "match": {"method": ISSUE, "pass": NUMBER}})
    assert sub_code(issue(cn, tpl_id, serialNumber="2")) == "10000"
    if fault.startswith("code:"):
        assert sub_code(issue(cn, tpl_id)) == "KP.AE_SYSTEM_ERROR"
    else:
        with pytest.raises(ConnectionError):
            issue(cn, tpl_id)
    assert (NUMBER in {one["id"] for one in cn.box.passes()}) is there
    assert cn.box.faults() == []


def test_a_documented_success_is_said_without_an_issue(cn: Cn) -> None:
    tpl_id = made(cn)
    cn.box.add_fault({"fault": "code:10000", "gateway": "mainland"})
    assert issue(cn, tpl_id)["result"]["serialNumber"] == NUMBER
    cn.box.add_fault({"fault": "code:10000", "gateway": "mainland"})
    assert issue(cn, "1") == {"msg": "Success", "code": "10000"}
    assert NUMBER not in {one["id"] for one in cn.box.passes()}
