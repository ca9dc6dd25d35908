from __future__ import annotations

import json
from typing import Any

import pytest

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import CARD, CHANNEL, MEMBER, MOMENT, OPEN_ID, SERIAL, TICKET, USER, Hk, last, state

SCORE = {"updateDetailType": "UPDATE_SCORE"}
PASS = {"updateDetailType": "UPDATE_PASS", "bizDate": MOMENT, "dataInfo": {"$gate_zh_HK$": "B12"}}
CLOSE = {"updateDetailType": "UPDATE_MEMBER_CARD"}


def arrive(hk: Hk, pass_id: str, *words: str) -> None:
    """Bring a pass into a state by status words."""
    for word in words:
        assert hk.code(pass_id, word, **CLOSE) == "SUCCESS"


# --- states -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pass_id", "path", "word", "code", "then"),
    [
        (CARD, [], "USED", "SUCCESS", "USED"),
        (CARD, ["USED"], "USED", "PASS_USED_OCCUPIED", "USED"),
        (CARD, ["CLOSED"], "USED", "PASS_STATUS_ILLEGAL", "CLOSED"),
        (CARD, [], "CLOSED", "SUCCESS", "CLOSED"),
        (CARD, ["USED"], "CLOSED", "SUCCESS", "CLOSED"),
        (CARD, ["CLOSED"], "CLOSED", "PASS_STATUS_ILLEGAL", "CLOSED"),
        (CARD, [], "UPDATE", "SUCCESS", "ACTIVE"),
        (CARD, ["USED"], "UPDATE", "PASS_UPDATE_FAIL", "USED"),
        (CARD, ["CLOSED"], "UPDATE", "PASS_UPDATE_FAIL", "CLOSED"),
        (CARD, [], "REFUND", "PARAM_ILLEGAL", "ACTIVE"),
        (MEMBER, [], "USED", "PARAM_ILLEGAL", "ACTIVE"),
        (MEMBER, [], "CLOSED", "SUCCESS", "CLOSED"),
        (MEMBER, ["CLOSED"], "CLOSED", "PASS_STATUS_ILLEGAL", "CLOSED"),
        (MEMBER, [], "UPDATE", "SUCCESS", "ACTIVE"),
        (MEMBER, ["CLOSED"], "UPDATE", "PASS_STATUS_ILLEGAL", "CLOSED"),
        (TICKET, [], "USED", "SUCCESS", "USED"),
        (TICKET, ["USED"], "USED", "PASS_USED_OCCUPIED", "USED"),
        (TICKET, ["REFUND"], "USED", "PASS_STATUS_ILLEGAL", "REFUNDED"),
        (TICKET, ["REFUND"], "CLOSED", "PASS_STATUS_ILLEGAL", "REFUNDED"),
        (TICKET, [], "UPDATE", "SUCCESS", "ACTIVE"),
        (TICKET, ["USED"], "UPDATE", "PASS_STATUS_ILLEGAL", "USED"),
        (TICKET, ["REFUND"], "UPDATE", "PASS_STATUS_ILLEGAL", "REFUNDED"),
        (TICKET, [], "REFUND", "SUCCESS", "REFUNDED"),
        (TICKET, ["USED"], "REFUND", "SUCCESS", "REFUNDED"),
        (TICKET, ["CLOSED"], "REFUND", "PASS_STATUS_ILLEGAL", "CLOSED"),
        (TICKET, ["REFUND"], "REFUND", "PASS_STATUS_ILLEGAL", "REFUNDED"),
        (TICKET, [], "GONE", "PARAM_ILLEGAL", "ACTIVE"),
    ],
)
def test_each_word_meets_each_state(  # noqa: PLR0913, PLR0917 - one column each
    hk: Hk, pass_id: str, path: list[str], word: str, code: str, then: str
) -> None:
    arrive(hk, pass_id, *path)
    members: dict[str, dict[str, Any]] = {CARD: SCORE, MEMBER: CLOSE, TICKET: PASS}
    assert hk.code(pass_id, word, **members[pass_id]) == code
    assert state(hk.box, pass_id)["state"] == then
    entry = last(hk.box)
    assert (entry["action"], entry["result"], entry["applied"], entry["signature"]) == (word, code, code == "SUCCESS", "ok")


@pytest.mark.parametrize(
    ("guess", "reading", "pass_id", "path", "word", "code"),
    [
        ("hk.used_after_closed", "PASS_HAS_NOT_EXIST", TICKET, ["CLOSED"], "USED", "PASS_HAS_NOT_EXIST"),
        ("hk.used_after_refund", "PASS_HAS_NOT_EXIST", TICKET, ["REFUND"], "USED", "PASS_HAS_NOT_EXIST"),
        ("hk.closed_again", "allowed", TICKET, ["CLOSED"], "CLOSED", "SUCCESS"),
        ("hk.closed_after_used", "PASS_STATUS_ILLEGAL", TICKET, ["USED"], "CLOSED", "PASS_STATUS_ILLEGAL"),
        ("hk.closed_after_refund", "allowed", TICKET, ["REFUND"], "CLOSED", "SUCCESS"),
        ("hk.update_inactive_card", "PASS_STATUS_ILLEGAL", CARD, ["USED"], "UPDATE", "PASS_STATUS_ILLEGAL"),
        ("hk.update_inactive", "PASS_UPDATE_FAIL", TICKET, ["USED"], "UPDATE", "PASS_UPDATE_FAIL"),
        ("hk.refund_after_used", "PASS_STATUS_ILLEGAL", TICKET, ["USED"], "REFUND", "PASS_STATUS_ILLEGAL"),
        ("hk.refund_after_closed", "allowed", TICKET, ["CLOSED"], "REFUND", "SUCCESS"),
        ("hk.refund_again", "allowed", TICKET, ["REFUND"], "REFUND", "SUCCESS"),
    ],
)
def test_the_guessed_edges_can_be_read_otherwise(  # noqa: PLR0913, PLR0917 - one column each
    hk: Hk, guess: str, reading: str, pass_id: str, path: list[str], word: str, code: str
) -> None:
    arrive(hk, pass_id, *path)
    hk.box.guess({guess: reading})
    assert hk.code(pass_id, word, **(SCORE if pass_id == CARD else PASS)) == code


# --- who and which ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["merchantId", "passId", "status", "userId"])
def test_what_every_page_requires_is_required(hk: Hk, missing: str) -> None:
    body = {name: value for name, value in hk.body(CARD, "USED").items() if name != missing}
    for wrong in (body, body | {missing: None}, body | {missing: ""}, body | {missing: 7}):
        answer = hk.send(wrong)
        assert answer.json["result"]["resultCode"] == "PARAM_ILLEGAL"
        assert hk.verified(answer)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b'{"passId":"1","passId":"1"}', b'{"a":NaN}', b"\xff"])
def test_a_body_that_is_no_strict_json_object_is_illegal(hk: Hk, body: bytes) -> None:
    answer = hk.send(body)
    assert answer.json["result"]["resultCode"] == "PARAM_ILLEGAL"
    assert hk.verified(answer)
    assert (last(hk.box)["pass"], last(hk.box)["account"], last(hk.box)["action"]) == (None, None, None)


def test_the_merchant_is_the_clients_own(hk: Hk) -> None:
    assert hk.code(CARD, "USED", merchantId="6228480402564890018") == "PARAM_ILLEGAL"
    hk.box.guess({"hk.wrong_merchant": "ACCESS_DENIED"})
    assert hk.code(CARD, "USED", merchantId="6228480402564890018") == "ACCESS_DENIED"


def test_an_unknown_user_is_told_from_an_unknown_pass_and_from_the_wrong_holder(hk: Hk) -> None:
    hk.box.add_passes({"account": "hk-cards", "id": "1", "user_id": "2188200000000000"})
    assert hk.code("2", "USED", userId="2188200000000001") == "USER_NOT_EXIST"
    assert hk.code("2", "USED") == "PASS_HAS_NOT_EXIST"
    assert hk.code("1", "USED") == "PASS_HAS_NOT_EXIST"
    assert hk.code("1", "USED", userId="2188200000000000", openId=OPEN_ID) == "PASS_HAS_NOT_EXIST"
    hk.box.guess({"hk.wrong_holder": "USER_NOT_EXIST"})
    assert hk.code("1", "USED") == "USER_NOT_EXIST"
    assert hk.code("1", "USED", userId="2188200000000000") == "SUCCESS"


@pytest.mark.parametrize("pass_id", [CARD, MEMBER, TICKET])
@pytest.mark.parametrize("holder", [{"userId": USER}, {"userId": ..., "openId": OPEN_ID}, {"userId": USER, "openId": OPEN_ID}])
def test_the_holder_may_be_named_by_either_id_or_both(hk: Hk, pass_id: str, holder: dict[str, Any]) -> None:
    assert hk.code(pass_id, "CLOSED", **{**CLOSE, **holder}) == "SUCCESS"


def test_the_template_is_the_passs_own(hk: Hk) -> None:
    assert hk.code(CARD, "UPDATE", **SCORE, templateCode="1") == "PARAM_ILLEGAL"
    hk.box.guess({"hk.wrong_template": "PASS_TEMPLATE_HAS_NOT_EXIT"})
    assert hk.code(CARD, "UPDATE", **SCORE, templateCode="1") == "PASS_TEMPLATE_HAS_NOT_EXIT"
    hk.box.guess({"hk.wrong_template": "ignored"})
    assert hk.code(CARD, "UPDATE", **SCORE, templateCode="1") == "SUCCESS"
    hk.box.guess({"hk.wrong_template": "PARAM_ILLEGAL"})
    assert hk.code(CARD, "UPDATE", **SCORE, templateCode="5228480402564890018") == "SUCCESS"
    assert hk.code(MEMBER, "UPDATE", **CLOSE, templateCode="893297312932193811231231") == "SUCCESS"
    assert hk.code(TICKET, "USED", templateCode="1") == "SUCCESS"


# --- the kinds of update and the members of each page -------------------------------------------------------------


@pytest.mark.parametrize(
    ("pass_id", "own", "others"),
    [
        (CARD, ["UPDATE_LEVEL", "UPDATE_SCORE", "UPDATE_VALIDITY"], ["UPDATE_MEMBER_CARD", "UPDATE_PASS"]),
        (MEMBER, ["UPDATE_MEMBER_CARD"], ["UPDATE_SCORE", "UPDATE_MOVIE"]),
        (
            TICKET,
            ["UPDATE_AIR_TICKET", "UPDATE_TRAIN_TICKET", "UPDATE_BUS_TICKET", "UPDATE_SHIP_TICKET", "UPDATE_MOVIE", "UPDATE_PASS"],
            ["UPDATE_LEVEL", "UPDATE_MEMBER_CARD"],
        ),
    ],
)
def test_a_kind_of_update_belongs_to_a_product(hk: Hk, pass_id: str, own: list[str], others: list[str]) -> None:
    rest = {"bizDate": MOMENT, "dataInfo": {}}
    assert {hk.code(pass_id, "UPDATE", updateDetailType=kind, **rest) for kind in own} == {"SUCCESS"}
    assert {hk.code(pass_id, "UPDATE", updateDetailType=kind, **rest) for kind in others} == {"BIZ_NOT_SUPPORT"}
    unknown: list[object] = [..., None, "", "GOLD", [], 1]
    assert {hk.code(pass_id, "UPDATE", updateDetailType=kind, **rest) for kind in unknown} == {"PARAM_ILLEGAL"}


def test_a_membership_card_needs_its_kind_for_closing_too(hk: Hk) -> None:
    assert hk.code(MEMBER, "CLOSED") == "PARAM_ILLEGAL"
    assert hk.code(MEMBER, "CLOSED", updateDetailType="UPDATE_PASS") == "BIZ_NOT_SUPPORT"
    assert hk.code(MEMBER, "CLOSED", updateDetailType="UPDATE_MEMBER_CARD") == "SUCCESS"


@pytest.mark.parametrize(
    ("pass_id", "member", "good", "bad"),
    [
        (CARD, "templateCode", ["5228480402564890018"], ["1" * 33, "", 5228480402564890018]),
        (CARD, "passVerifyCode", ["1" * 128, "52284804025648900182995228480402564890018"], ["1" * 129, "", 1]),
        (CARD, "passVerifyType", ["wave", "qrcode", "barcode", "input"], ["nfc", "", 1, ["wave"]]),
        (CARD, "endDate", ["2021-01-11T00:00:00+08:00"], ["2021-01-11T00:00:00", "2021-13-11T00:00:00+08:00", "soon", MOMENT, "1" * 129]),
        (
            CARD,
            "dataInfo",
            [{"zh_HK": {"$level$": "金"}}, {}, None],
            ['{"zh_HK":{}}', {"$level$": "1"}, {"zh_HK": "1"}, {"zh_HK": {"level": 1}}, []],
        ),
        (MEMBER, "endDate", [MOMENT, str(MOMENT)], ["2021-01-11T00:00:00+08:00", 1733907407, True, 1.5, ""]),
        (MEMBER, "templateCode", ["893297312932193811231231"], ["", 1]),
        (MEMBER, "dataInfo", [{"billNo": None, "points": 1}, {"zh_HK": {"level": 1}}], ["{}", [], 1]),
        (MEMBER, "codeInfo", [{"$codevalue$": "1"}, None, {}], ["{}", [], 1]),
        (TICKET, "endDate", [MOMENT, str(MOMENT)], ["2021-01-11T00:00:00+08:00", 1733907407, "1733907407"]),
        (TICKET, "bizDate", [MOMENT], [1733907407, "1733907407766", True, 1.5, None, ...]),
        (
            TICKET,
            "dataInfo",
            [{"$gate_zh_HK$": 1, "$price_en_US$": {"cent": 8}}, {}],
            ["{}", {"gate": 1}, {"$gate$": 1}, {"zh_HK": {}}, None, ...],
        ),
    ],
)
def test_each_page_says_what_its_members_may_be(hk: Hk, pass_id: str, member: str, good: list[object], bad: list[object]) -> None:
    rest: dict[str, dict[str, Any]] = {CARD: SCORE, MEMBER: CLOSE, TICKET: PASS}
    assert {json.dumps(value): hk.code(pass_id, "UPDATE", **{**rest[pass_id], member: value}) for value in good} == {
        json.dumps(value): "SUCCESS" for value in good
    }
    assert {repr(value): hk.code(pass_id, "UPDATE", **{**rest[pass_id], member: value}) for value in bad} == {
        repr(value): "PARAM_ILLEGAL" for value in bad
    }


def test_a_card_names_at_most_32_characters(hk: Hk) -> None:
    hk.box.add_passes([{"account": "hk-cards", "id": length * "7", "user_id": USER} for length in (32, 33)])
    assert hk.code("7" * 32, "USED") == "SUCCESS"
    assert hk.code("7" * 33, "USED") == "PARAM_ILLEGAL"


@pytest.mark.parametrize(("pass_id", "member"), [(CARD, "bizDate"), (CARD, "codeInfo"), (MEMBER, "passVerifyType"), (TICKET, "codeInfo")])
def test_members_that_a_page_does_not_name_are_ignored(hk: Hk, pass_id: str, member: str) -> None:
    rest: dict[str, dict[str, Any]] = {CARD: SCORE, MEMBER: CLOSE, TICKET: PASS}
    assert hk.code(pass_id, "UPDATE", **rest[pass_id], **{member: "anything"}, templateId="x", verifyCode=7) == "SUCCESS"
    assert state(hk.box, pass_id)["code_info"] is None


def test_a_ticket_needs_its_data_on_update_alone_unless_the_page_is_taken_at_its_word(hk: Hk) -> None:
    hk.box.guess({"hk.ticket_data_info": "always"})
    assert hk.code(TICKET, "USED") == "PARAM_ILLEGAL"
    hk.box.guess({"hk.ticket_data_info": "update"})
    assert hk.code(TICKET, "USED") == "SUCCESS"


# --- what an update leaves behind ---------------------------------------------------------------------------------


def test_content_is_replaced(hk: Hk) -> None:
    hk.code(CARD, "UPDATE", **SCORE, dataInfo={"zh_HK": {"$level$": "金", "$score$": "1"}})
    hk.code(CARD, "UPDATE", **SCORE, dataInfo={"zh_HK": {"$score$": "2"}})
    assert state(hk.box, CARD)["content"] == {"zh_HK": {"$score$": "2"}}


def test_content_can_be_merged(hk: Hk) -> None:
    hk.box.guess({"hk.data_info": "merged"})
    hk.code(CARD, "UPDATE", **SCORE, dataInfo={"zh_HK": {"$level$": "金", "$score$": "1"}})
    hk.code(CARD, "UPDATE", **SCORE, dataInfo={"zh_HK": {"$score$": "2"}, "en_US": {"$score$": "2"}})
    assert state(hk.box, CARD)["content"] == {"zh_HK": {"$level$": "金", "$score$": "2"}, "en_US": {"$score$": "2"}}


def test_validity_and_code_are_kept_and_content_stays_where_none_is_given(hk: Hk) -> None:
    hk.code(MEMBER, "UPDATE", **CLOSE, dataInfo={"points": 1}, endDate=MOMENT, codeInfo={"$codevalue$": "1"})
    hk.code(MEMBER, "UPDATE", **CLOSE)
    kept = state(hk.box, MEMBER)
    assert (kept["content"], kept["valid_until"], kept["code_info"]) == ({"points": 1}, MOMENT, {"$codevalue$": "1"})
    hk.code(MEMBER, "UPDATE", **CLOSE, codeInfo=None)
    assert state(hk.box, MEMBER)["code_info"] is None


def test_a_refused_update_leaves_nothing_behind(hk: Hk) -> None:
    hk.code(TICKET, "UPDATE", **{**PASS, "endDate": "soon"})
    assert state(hk.box, TICKET)["content"] == {}


def test_an_older_moment_is_accepted_unless_guessed_otherwise(hk: Hk, box: Sandbox) -> None:
    assert hk.code(TICKET, "UPDATE", **PASS) == "SUCCESS"
    assert hk.code(TICKET, "UPDATE", **{**PASS, "bizDate": MOMENT - 1}) == "SUCCESS"
    box.guess({"hk.stale_biz_date": "PARAM_ILLEGAL"})
    assert hk.code(TICKET, "UPDATE", **{**PASS, "bizDate": MOMENT - 2}) == "PARAM_ILLEGAL"
    assert hk.code(TICKET, "UPDATE", **{**PASS, "bizDate": MOMENT - 1}) == "SUCCESS"
    assert hk.code(TICKET, "USED") == "SUCCESS"


@pytest.mark.parametrize(("pass_id", "wording"), [(CARD, "The used pass is occupied."), (TICKET, "This pass is already used.")])
def test_a_code_comes_in_the_wording_of_the_products_own_page(hk: Hk, pass_id: str, wording: str) -> None:
    hk.code(pass_id, "USED")
    answer = hk.send(hk.body(pass_id, "USED"))
    assert answer.json == {"result": {"resultCode": "PASS_USED_OCCUPIED", "resultStatus": "F", "resultMessage": wording}}


@pytest.mark.parametrize("node", ["result", "resultInfo", "ResultInfo"])
def test_the_answers_member_can_be_named_as_any_page_names_it(hk: Hk, node: str) -> None:
    hk.box.guess({"hk.result_node": node})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert list(answer.json) == [node]
    assert hk.verified(answer)


def test_a_mainland_serial_number_is_no_pass_of_alipayhk(hk: Hk) -> None:
    assert hk.code(SERIAL, "USED", channel_id=CHANNEL) == "PASS_HAS_NOT_EXIST"
