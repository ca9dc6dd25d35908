"""Passes asked after at the mainland's gateway, in the shape of the official SDK's model classes."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.sandbox.conftest import CHANNEL, SERIAL, Cn
from tests.sandbox.mainland_life import INVALID, NOT_EXIST, NULL, PARAMS, QUERY, UPDATE, USER, issue, made, sub_code

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    detail = pytest.importorskip("alipay.aop.api.domain.PassInstanceDetail").PassInstanceDetail
    response = pytest.importorskip(
        "alipay.aop.api.response.AlipayMarketingPassInstanceQueryResponse"
    ).AlipayMarketingPassInstanceQueryResponse

NUMBER = str(PARAMS["serialNumber"])


def one(cn: Cn, **criteria: object) -> dict[str, Any]:
    (found,) = cn.call(QUERY, criteria)["instance_list"]
    assert isinstance(found, dict)
    return found


def test_a_pass_is_shown_with_everything_its_template_says(cn: Cn) -> None:
    tpl_id = made(cn)
    pass_id = issue(cn, tpl_id)["result"]["passId"]
    shown = one(cn, serial_number=NUMBER)
    times = [shown.pop(name) for name in ("create_time", "modify_time")]
    assert shown == {
        "pass_id": pass_id,
        "serial_number": NUMBER,
        "tpl_id": tpl_id,
        "user_id": USER,
        "channel_id": CHANNEL,
        "status": "CAN_USE",
        "is_deleted": False,
        "logo": "http://img.example/logo.png",
        "logo_text": "登机牌",
        "product": "air",
        "type": "boardingPass",
        "start_date": "2020-01-20 13:45:56",
        "end_date": "2099-01-25 13:45:56",
        "biz_param_list": [{"key": name, "value": value} for name, value in PARAMS.items()],
    }
    now = datetime.now(UTC).astimezone(timezone(timedelta(hours=8))).replace(tzinfo=None)
    for text in times:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text)
        assert abs(now - datetime.fromisoformat(text)) < timedelta(minutes=5)


def test_the_official_sdk_reads_the_answer(cn: Cn) -> None:
    issue(cn, made(cn), gate={"no": 1})
    read = response()
    read.parse_response_content(cn.send({"user_id": USER}, method=QUERY).body.decode().partition('_response":')[2].rpartition(',"sign"')[0])
    (found,) = read.instance_list
    assert isinstance(found, detail)
    assert (found.serial_number, found.status, found.is_deleted, read.total, read.total_page) == (NUMBER, "CAN_USE", False, 1, 1)
    assert {pair.key: pair.value for pair in found.biz_param_list}["gate"] == '{"no":1}'


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ([], "CAN_USE"),
        ([{"status": "USED"}], "USED"),
        ([{"status": "CLOSED"}], "CLOSED"),
        ([{"status": "USED"}, {"status": "CLOSED"}], "CLOSED"),
        ([{"tpl_params": {"end": "2020-01-01 00:00:00"}}], "EXPIRED"),
        ([{"status": "USED", "tpl_params": {"end": "2020-01-01 00:00:00"}}], "USED"),
    ],
)
def test_the_status_has_the_querys_own_words(cn: Cn, changes: list[dict[str, Any]], word: str) -> None:
    issue(cn, made(cn))
    for change in changes:
        assert cn.call(UPDATE, {"serial_number": NUMBER, "channel_id": CHANNEL, **change})["code"] == "10000"
    assert one(cn, serial_number=NUMBER)["status"] == word


def test_an_update_is_seen(cn: Cn) -> None:
    issue(cn, made(cn))
    cn.call(UPDATE, {"serial_number": NUMBER, "channel_id": CHANNEL, "tpl_params": {**PARAMS, "title": "new"}})
    shown = one(cn, serial_number=NUMBER)
    assert shown["logo_text"] == "new"
    assert {"key": "title", "value": "new"} in shown["biz_param_list"]


def test_a_pass_that_was_put_here_by_hand_is_found_too(cn: Cn) -> None:
    result = cn.call(UPDATE, {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED", "tpl_params": {"a": "1"}})["result"]
    shown = one(cn, pass_id=result["passId"])
    shown.pop("modify_time")
    assert shown == {
        "pass_id": result["passId"],
        "serial_number": SERIAL,
        "channel_id": CHANNEL,
        "status": "USED",
        "is_deleted": False,
        "biz_param_list": [{"key": "a", "value": "1"}],
    }


def test_a_closed_pass_may_count_as_deleted(cn: Cn) -> None:
    cn.code("CLOSED")
    assert one(cn, serial_number=SERIAL)["is_deleted"] is False
    cn.box.guess({"mainland.closed_is_deleted": "true"})
    assert one(cn, serial_number=SERIAL)["is_deleted"] is True


def test_every_criterion_narrows(cn: Cn) -> None:
    first, second = made(cn), made(cn, unique="2")
    passes = {tpl_id: issue(cn, tpl_id, serialNumber=tpl_id)["result"]["passId"] for tpl_id in (first, second)}
    found = {
        "by template": [first],
        "by pass": [second],
        "by user": [first, second],
        "by both": [],
    }
    asked = {
        "by template": {"tpl_id": first},
        "by pass": {"pass_id": passes[second]},
        "by user": {"user_id": USER},
        "by both": {"tpl_id": first, "pass_id": passes[second]},
    }
    seen = {name: [shown["serial_number"] for shown in cn.call(QUERY, biz)["instance_list"]] for name, biz in asked.items()}
    assert seen == found


def test_pages(cn: Cn) -> None:
    tpl_id = made(cn)
    for number in range(21):
        issue(cn, tpl_id, serialNumber=f"n{number:02d}")

    def page(**more: object) -> tuple[list[str], dict[str, Any]]:
        node = cn.call(QUERY, {"tpl_id": tpl_id, **more})
        return [shown["serial_number"] for shown in node.pop("instance_list")], node

    numbers, node = page()
    assert numbers == [f"n{number:02d}" for number in range(20)]
    assert node == {"msg": "Success", "code": "10000", "page_num": 1, "page_size": 20, "total": 21, "total_page": 2}
    assert page(page_num=2)[0] == ["n20"]
    assert page(page_num="3", page_size="5")[0] == [f"n{number}" for number in range(10, 15)]
    assert page(page_num=99)[0] == []


@pytest.mark.parametrize("name", ["page_num", "page_size"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "", "one", "\uff11", 10**30])
def test_a_page_is_a_whole_number_from_1(cn: Cn, name: str, value: object) -> None:
    assert sub_code(cn.call(QUERY, {"serial_number": SERIAL, name: value})) == INVALID


def test_a_page_has_20_passes_at_most(cn: Cn) -> None:
    assert sub_code(cn.call(QUERY, {"serial_number": SERIAL, "page_size": 21})) == INVALID


@pytest.mark.parametrize("value", [1, "1" * 1000, {}])
def test_a_criterion_is_a_text(cn: Cn, value: object) -> None:
    node = cn.call(QUERY, {"serial_number": value})
    assert (node["code"], node["sub_code"], "result" in node) == ("40004", INVALID, False)


def test_nothing_found_may_be_an_error(cn: Cn) -> None:
    node = cn.call(QUERY, {"serial_number": "1"})
    assert node == {"msg": "Success", "code": "10000", "instance_list": [], "page_num": 1, "page_size": 20, "total": 0, "total_page": 0}
    cn.box.guess({"mainland.query_nothing": NOT_EXIST})
    assert sub_code(cn.call(QUERY, {"serial_number": "1"})) == NOT_EXIST


def test_a_query_for_everything_may_be_refused(cn: Cn) -> None:
    assert sub_code(cn.call(QUERY, {})) == NULL
    cn.box.guess({"mainland.query_unbounded": "everything"})
    assert one(cn)["serial_number"] == SERIAL


def test_an_app_sees_its_own_passes_alone(cn: Cn, cn_aes: Cn) -> None:
    assert cn_aes.call(QUERY, {"serial_number": SERIAL})["total"] == 0
    assert cn.call(QUERY, {"serial_number": SERIAL})["total"] == 1
