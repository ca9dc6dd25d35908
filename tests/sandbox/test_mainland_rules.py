from __future__ import annotations

import json

import pytest

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import CARD, CHANNEL, SERIAL, Cn, last, state

IS_NULL = "KP.AE_ALIPASS_PARAME_IS_NULL"
INVALID = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"
FORMAT_ERROR = "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"
NOT_GBK = "KP.AE_ALIPASS_CHAR_NOT_GBK"
NOT_EXIST = "KP.AE_ALIPASS_NOTEXIST"
UPDATE_ERROR = "KP.AE_ALIPASS_UPDATE_ERROR"


@pytest.mark.parametrize(
    ("path", "word", "code", "then"),
    [
        ([], "USED", "10000", "USED"),
        (["USED"], "USED", UPDATE_ERROR, "USED"),
        (["CLOSED"], "USED", UPDATE_ERROR, "CLOSED"),
        ([], "CLOSED", "10000", "CLOSED"),
        (["USED"], "CLOSED", "10000", "CLOSED"),
        (["CLOSED"], "CLOSED", UPDATE_ERROR, "CLOSED"),
        ([], None, "10000", "ACTIVE"),
        (["USED"], None, UPDATE_ERROR, "USED"),
        (["CLOSED"], None, UPDATE_ERROR, "CLOSED"),
    ],
)
def test_each_word_meets_each_state(cn: Cn, path: list[str], word: str | None, code: str, then: str) -> None:
    for before in path:
        assert cn.code(before) == "10000"
    assert cn.code(word, tpl_params={"title": "new"}) == code
    kept = state(cn.box, SERIAL)
    assert (kept["state"], kept["content"]) == (then, {"title": "new"} if code == "10000" else {})
    entry = last(cn.box)
    assert (entry["account"], entry["pass"], entry["action"]) == ("cn", SERIAL, word)
    assert (entry["result"], entry["applied"]) == (code, code == "10000")


@pytest.mark.parametrize(
    ("guess", "reading", "path", "word", "code"),
    [
        ("mainland.used_again", "success", ["USED"], "USED", "10000"),
        ("mainland.used_after_closed", NOT_EXIST, ["CLOSED"], "USED", NOT_EXIST),
        ("mainland.closed_again", "success", ["CLOSED"], "CLOSED", "10000"),
        ("mainland.closed_again", NOT_EXIST, ["CLOSED"], "CLOSED", NOT_EXIST),
        ("mainland.closed_after_used", UPDATE_ERROR, ["USED"], "CLOSED", UPDATE_ERROR),
        ("mainland.update_after_used", "allowed", ["USED"], None, "10000"),
        ("mainland.update_after_closed", NOT_EXIST, ["CLOSED"], None, NOT_EXIST),
    ],
)
def test_the_guessed_edges_can_be_read_otherwise(  # noqa: PLR0913, PLR0917 - one column each
    cn: Cn, guess: str, reading: str, path: list[str], word: str | None, code: str
) -> None:
    for before in path:
        assert cn.code(before) == "10000"
    cn.box.guess({guess: reading})
    assert cn.code(word) == code


def test_a_business_failure_says_so_in_every_place(cn: Cn) -> None:
    node = cn.node(cn.send({"serial_number": "1", "channel_id": CHANNEL, "status": "USED"}))
    assert node == {
        "msg": "Business Failed",
        "code": "40004",
        "sub_msg": "卡券不存在",
        "sub_code": NOT_EXIST,
        "success": "false",
        "result": '{"operate":"UPDATE"}',
    }


def test_success_can_be_a_boolean(cn: Cn) -> None:
    cn.box.guess({"mainland.success_type": "bool"})
    assert cn.node(cn.send({"serial_number": SERIAL, "channel_id": CHANNEL}))["success"] is True
    assert cn.node(cn.send({"serial_number": SERIAL, "channel_id": "1"}))["success"] is False


def test_the_passs_own_name_is_always_the_same(cn: Cn) -> None:
    results = [json.loads(cn.node(cn.send({"serial_number": SERIAL, "channel_id": CHANNEL}))["result"]) for _ in range(2)]
    assert results[0] == results[1]
    assert results[0]["serialNumber"] == SERIAL
    assert results[0]["passId"].isdigit()


@pytest.mark.parametrize("name", ["serial_number", "channel_id"])
def test_serial_number_and_channel_are_required(cn: Cn, name: str) -> None:
    assert cn.code("USED", **{name: ...}) == IS_NULL
    assert cn.code("USED", **{name: None}) == IS_NULL
    assert cn.code("USED", **{name: ""}) == IS_NULL
    assert cn.code("USED", **{name: 209919213}) == INVALID
    assert cn.code("USED", **{name: "1" * 1000}) == INVALID
    assert cn.code("USED", **{name: "1" * 999}) == NOT_EXIST


def test_a_null_is_as_good_as_an_absent_member(cn: Cn) -> None:
    biz = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": None, "verify_code": None, "tpl_params": None}
    assert cn.node(cn.send(biz))["code"] == "10000"
    assert cn.node(cn.send({**biz, "serial_number": None}))["sub_code"] == IS_NULL


@pytest.mark.parametrize("biz", ["", ...])
def test_a_missing_content_is_null(cn: Cn, biz: object) -> None:
    assert cn.node(cn.send(None, biz_content=biz))["sub_code"] == IS_NULL


@pytest.mark.parametrize("biz", ["{", "[]", '"x"', '{"status":"USED","status":"USED"}', '{"a":NaN}'])
def test_a_content_that_is_no_strict_json_object_is_malformed(cn: Cn, biz: str) -> None:
    assert cn.node(cn.send(biz))["sub_code"] == FORMAT_ERROR


@pytest.mark.parametrize("status", ["used", "", "UPDATE", "REFUND", "U" * 100, 1])
def test_the_status_is_one_of_two_words(cn: Cn, status: object) -> None:
    assert cn.code(status) == INVALID


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"verify_code": "8612231273", "verify_type": "wave"}, "10000"),
        ({"verify_code": "8612231273", "verify_type": "qrcode"}, "10000"),
        ({"verify_code": "8612231273", "verify_type": "barcode"}, "10000"),
        ({"verify_code": "1" * 999, "verify_type": "input"}, "10000"),
        ({"verify_code": "1" * 1000, "verify_type": "input"}, INVALID),
        ({"verify_code": 1, "verify_type": "input"}, INVALID),
        ({"verify_code": "1", "verify_type": "nfc"}, INVALID),
        ({"verify_code": "1"}, IS_NULL),
        ({"verify_type": "wave"}, IS_NULL),
    ],
)
def test_code_and_method_of_the_redemption_come_together(cn: Cn, members: dict[str, object], code: str) -> None:
    assert cn.code("USED", **members) == code


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ('{"title":"券标题"}', "10000"),
        ({"title": "券标题"}, "10000"),
        ("{", FORMAT_ERROR),
        ("", FORMAT_ERROR),
        ("[]", FORMAT_ERROR),
        ([], FORMAT_ERROR),
        (1, FORMAT_ERROR),
        (json.dumps({"a": "1" * 99_990}), "10000"),
        (json.dumps({"a": "1" * 99_991}), INVALID),
        ({"a": "1" * 99_992}, INVALID),
    ],
)
def test_template_parameters_are_json_text_or_an_object(cn: Cn, params: object, code: str) -> None:
    assert cn.code("USED", tpl_params=params) == code


@pytest.mark.parametrize(
    "members",
    [
        {"tpl_params": '{"title":"🎫"}'},
        {"tpl_params": '{"title":"\\ud83c\\udfab"}'},
        {"tpl_params": {"€": "1"}},
        {"serial_number": "𠮷"},
        {"note": "🎫"},
    ],
)
def test_text_that_gbk_cannot_hold_is_refused_under_any_charset(cn: Cn, members: dict[str, object]) -> None:
    assert cn.code("USED", **members) == NOT_GBK


def test_an_empty_object_of_parameters_changes_nothing(cn: Cn) -> None:
    cn.code(tpl_params={"title": "a"})
    assert cn.code(tpl_params={}) == "10000"
    assert state(cn.box, SERIAL)["content"] == {"title": "a"}


def test_parameters_are_replaced_or_merged(cn: Cn) -> None:
    cn.code(tpl_params={"title": "a", "gate": "1"})
    cn.code(tpl_params={"gate": "2"})
    assert state(cn.box, SERIAL)["content"] == {"gate": "2"}
    cn.box.guess({"mainland.tpl_params": "merged"})
    cn.code(tpl_params={"title": "b"})
    assert state(cn.box, SERIAL)["content"] == {"gate": "2", "title": "b"}


def test_a_serial_number_belongs_to_a_channel(cn: Cn, box: Sandbox) -> None:
    box.add_passes({"account": "cn", "id": SERIAL, "channel": "2088918274"})
    assert cn.code("USED", channel_id="2088918274") == "10000"
    assert [(one["channel"], one["state"]) for one in box.passes() if one["id"] == SERIAL] == [(CHANNEL, "ACTIVE"), ("2088918274", "USED")]
    assert cn.code("USED", serial_number=CARD) == NOT_EXIST
