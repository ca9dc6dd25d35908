"""Templates at the mainland's gateway: made, found again, changed; what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sandbox.conftest import CHANNEL, Cn, last
from tests.sandbox.mainland_life import ADD, CHANGE, INVALID, MALFORMED, NAMES, NOT_EXIST, NOT_GBK, NULL, made, sub_code, template

CONTENT = json.dumps(template())


def test_a_template_names_its_parameters_in_the_order_in_which_they_stand(cn: Cn) -> None:
    node = cn.call(ADD, {"unique_id": "20200120", "tpl_content": CONTENT})
    result = node.pop("result")
    assert node == {"msg": "Success", "code": "10000", "success": "true"}
    assert result == {"errorCode": "SUCCESS", "errorMsg": "处理成功", "tpl_id": result["tpl_id"], "tpl_params": NAMES}
    assert result["tpl_id"].isdigit()
    (kept,) = cn.box.templates()
    assert kept == {
        "gateway": "mainland",
        "id": result["tpl_id"],
        "account": "cn",
        "unique": "20200120",
        "state": "VALID",
        "content": template(),
    }
    assert (last(cn.box)["applied"], last(cn.box)["result"], last(cn.box)["pass"]) == (True, "10000", None)


def test_the_content_may_be_an_object(cn: Cn) -> None:
    assert sub_code(cn.call(ADD, {"unique_id": "1", "tpl_content": template()})) == "10000"


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("$a$", ["a"]),
        ("$a$ ", []),
        ("$$", []),
        ("$a b$", []),
        ("$座位$", ["座位"]),
        ("a$b$", []),
        ("$a$$b$", []),
        (["$a$", {"x": "$b$"}], ["a", "b"]),
    ],
)
def test_a_parameter_is_a_whole_text_between_dollars(cn: Cn, value: object, names: list[str]) -> None:
    content = {
        "content": {"evoucherInfo": {"title": value}, "platform": {"channelID": CHANNEL}, "fileInfo": {"serialNumber": "$serialNumber$"}}
    }
    result = cn.call(ADD, {"unique_id": "1", "tpl_content": content})["result"]
    assert result["tpl_params"] == [*names, "serialNumber"]


def test_a_unique_id_makes_one_template(cn: Cn) -> None:
    first = made(cn)
    assert made(cn, template(canShare=True)) == first
    assert made(cn, unique="2") != first
    assert cn.box.templates()[0]["content"] == template()
    cn.box.guess({"mainland.template_again": INVALID})
    assert sub_code(cn.call(ADD, {"unique_id": "1", "tpl_content": CONTENT})) == INVALID


def test_an_update_holds_for_the_template(cn: Cn) -> None:
    tpl_id = made(cn)
    changed = template(canShare=True)
    changed["content"]["evoucherInfo"]["product"] = "$product$"
    node = cn.call(CHANGE, {"tpl_id": tpl_id, "tpl_content": json.dumps(changed)})
    assert node["result"]["tpl_id"] == tpl_id
    assert node["result"]["tpl_params"] == ["title", "product", *NAMES[1:]]
    assert [one["content"] for one in cn.box.templates()] == [changed]


def without(*path: str) -> dict[str, Any]:
    content = template()
    place = content
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return content


@pytest.mark.parametrize("method", [ADD, CHANGE])
@pytest.mark.parametrize(
    ("content", "code", "text"),
    [
        ("{", MALFORMED, "参数格式错误"),
        ("[]", MALFORMED, "参数格式错误"),
        (1, MALFORMED, "参数格式错误"),
        ("", NULL, "缺失必要属性tpl_content为空"),
        (None, NULL, "缺失必要属性tpl_content为空"),
        ("{}", NULL, "缺失必要属性content,content.evoucherInfo,content.platform.channelID,content.fileInfo.serialNumber为空"),
        (without("content", "fileInfo"), NULL, "缺失必要属性content.fileInfo.serialNumber为空"),
        (without("content", "platform", "channelID"), NULL, "缺失必要属性content.platform.channelID为空"),
        (json.dumps({**template(), "note": "1" * 100_000}), INVALID, "无效的参数传值"),
        ({**template(), "note": "1" * 100_000}, INVALID, "无效的参数传值"),
        ({**template(), "note": "🎫"}, NOT_GBK, "非GBK"),
        (json.dumps({**template(), "note": "🎫"}), NOT_GBK, "非GBK"),
    ],
)
def test_a_content_that_is_no_template_is_refused(cn: Cn, method: str, content: object, code: str, text: str) -> None:
    key = {"unique_id": "2"} if method == ADD else {"tpl_id": made(cn)}
    before = cn.box.templates()
    node = cn.call(method, {**key, "tpl_content": content})
    assert (node["code"], node["sub_code"], node["success"]) == ("40004", code, "false")
    assert text in node["sub_msg"]
    assert node["result"] == {"errorCode": code, "errorMsg": node["sub_msg"]}
    assert cn.box.templates() == before


@pytest.mark.parametrize(
    ("value", "code"), [(None, NULL), ("", NULL), (1, INVALID), ("1" * 999, "10000"), ("1" * 1000, INVALID), ("€", NOT_GBK)]
)
def test_the_unique_id_is_needed_and_short(cn: Cn, value: object, code: str) -> None:
    assert sub_code(cn.call(ADD, {"unique_id": value, "tpl_content": CONTENT})) == code


def test_the_unique_id_was_shorter_once(cn: Cn) -> None:
    cn.box.guess({"mainland.unique_id_length": "64"})
    assert sub_code(cn.call(ADD, {"unique_id": "1" * 65, "tpl_content": CONTENT})) == INVALID
    assert sub_code(cn.call(ADD, {"unique_id": "1" * 64, "tpl_content": CONTENT})) == "10000"


def test_a_serial_number_that_is_no_parameter_is_a_matter_of_opinion(cn: Cn) -> None:
    fixed = json.dumps(template(serialNumber="1"))
    tpl_id = made(cn, template(serialNumber="1"))
    cn.box.guess({"mainland.static_serial": INVALID})
    assert sub_code(cn.call(ADD, {"unique_id": "2", "tpl_content": fixed})) == INVALID
    assert sub_code(cn.call(CHANGE, {"tpl_id": tpl_id, "tpl_content": fixed})) == INVALID
    assert sub_code(cn.call(ADD, {"unique_id": "2", "tpl_content": CONTENT})) == "10000"


@pytest.mark.parametrize("reading", [INVALID, NOT_EXIST])
def test_an_unknown_template_cant_be_updated_nor_another_apps(cn: Cn, cn_aes: Cn, reading: str) -> None:
    tpl_id = made(cn)
    cn.box.guess({"mainland.unknown_template": reading})
    assert sub_code(cn.call(CHANGE, {"tpl_id": "1", "tpl_content": CONTENT})) == reading
    assert sub_code(cn_aes.call(CHANGE, {"tpl_id": tpl_id, "tpl_content": CONTENT})) == reading
    assert sub_code(cn.call(CHANGE, {"tpl_content": CONTENT})) == NULL


def test_each_app_has_its_own_unique_ids(cn: Cn, cn_aes: Cn) -> None:
    assert made(cn) != made(cn_aes)
    assert [one["account"] for one in cn.box.templates()] == ["cn", "cn-aes"]


def test_success_may_be_a_boolean(cn: Cn) -> None:
    cn.box.guess({"mainland.success_type": "bool"})
    assert cn.call(ADD, {"unique_id": "1", "tpl_content": CONTENT})["success"] is True
    assert cn.call(ADD, {"unique_id": "1"})["success"] is False


def test_a_reset_forgets_templates(cn: Cn) -> None:
    made(cn)
    cn.box.reset()
    assert cn.box.templates() == []
