"""A pass's whole life at AlipayHK over real sockets: template, issue, update; and every rule of the way."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import MOMENT, OPEN_ID, PATH, TICKET, USER, Hk, last, state
from tests.sandbox.hk_clients import CREATE_PASS, CREATE_TEMPLATE, DETAIL, SWITCH_STATUS, UPDATE_TEMPLATE, HkClient

START, END = 1_700_000_000_000, 4_000_000_000_000

TEMPLATE: dict[str, Any] = {
    "requestId": "62021122800135202000000000263818",
    "startDate": START,
    "endDate": END,
    "type": "TICKET",
    "product": "PASS",
    "codeType": "barcode",
    "codeStandard": "CODE128",
    "imageUrl": "https://example.com/image.png",
    "button": {"btnType": "NONE"},
    "localeInfo": {"zh_HK": {"name": "入場券"}, "en_US": {"name": "Admission"}},
    "merchantLogo": "https://example.com/logo.png",
    "currentAmountCent": 1000,
}

ISSUE: dict[str, Any] = {
    "userId": USER,
    "bizSerialId": "order-77",
    "bizSerialType": "OUT_PLAT_FORM",
    "startDate": START,
    "endDate": END,
    "bizCreate": START,
    "type": "TICKET",
    "product": "PASS",
    "codeInfo": {"$codemsg$": "1", "$codevalue$": "1"},
    "dataInfo": {"$address_zh_HK$": "中環"},
}

PRODUCTS = {
    "ticket": {"type": "TICKET", "product": "MOVIE"},
    "card": {"type": "COUPON", "product": "GIFT_CARD"},
    "membership": {"type": "CARD", "product": "MEMBER_CARD"},
}


class Merchant(HkClient):
    """A merchant with short words for the calls."""

    def template(self, **members: object) -> dict[str, Any]:
        return self.call(CREATE_TEMPLATE, without({**TEMPLATE, "merchantId": self.merchant, **members}))

    def made(self, **members: object) -> str:
        code: str = self.template(**members)["templateCode"]
        return code

    def issue(self, template: str, **members: object) -> dict[str, Any]:
        return self.call(CREATE_PASS, without({**ISSUE, "merchantId": self.merchant, "templateCode": template, **members}))

    def issued(self, template: str, **members: object) -> str:
        pass_id: str = self.issue(template, **members)["passId"]
        return pass_id

    def switch(self, template: str, status: object) -> dict[str, Any]:
        return self.call(SWITCH_STATUS, {"merchantId": self.merchant, "templateCode": template, "status": status})

    def detail(self, template: str) -> dict[str, Any]:
        return self.call(DETAIL, {"merchantId": self.merchant, "templateCode": template})

    def change(self, template: str, **members: object) -> dict[str, Any]:
        return self.call(UPDATE_TEMPLATE, {"merchantId": self.merchant, "templateCode": template, **members})


def without(members: Mapping[str, object]) -> dict[str, object]:
    """The members but those that are `...`."""
    return {name: value for name, value in members.items() if value is not ...}


def code(answer: Mapping[str, Any]) -> str:
    result: str = answer["result"]["resultCode"]
    return result


@pytest.fixture
def shop(box: Sandbox) -> Merchant:
    return Merchant(box, "hk-tickets")


# --- the whole way -------------------------------------------------------------------------------------------------


def test_a_pass_is_issued_from_a_template_and_lives(shop: Merchant) -> None:
    answer = shop.template()
    assert answer["result"] == {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}
    assert re.fullmatch(r"\d{32}", answer["templateCode"])
    answer = shop.issue(answer["templateCode"])
    pass_id = answer["passId"]
    assert list(answer) == ["result", "passId"]
    assert re.fullmatch(r"\d{31}", pass_id)
    kept = state(shop.box, pass_id)
    assert (kept["account"], kept["state"], kept["content"], kept["valid_until"]) == ("hk-tickets", "ACTIVE", ISSUE["dataInfo"], END)
    assert (kept["holder"], kept["code_info"]) == ({"user_id": USER, "open_id": None}, ISSUE["codeInfo"])
    revised = {"updateDetailType": "UPDATE_PASS", "bizDate": MOMENT, "dataInfo": {"$gate_zh_HK$": "B12"}}
    assert shop.code(PATH, shop.body(pass_id, "UPDATE", **revised)) == "SUCCESS"
    assert state(shop.box, pass_id)["content"] == {"$gate_zh_HK$": "B12"}
    assert [shop.code(PATH, shop.body(pass_id, "USED")) for _ in range(2)] == ["SUCCESS", "PASS_USED_OCCUPIED"]


@pytest.mark.parametrize(
    ("profile", "kind", "other"),
    [
        ("ticket", "UPDATE_MOVIE", "UPDATE_SCORE"),
        ("card", "UPDATE_SCORE", "UPDATE_PASS"),
        ("membership", "UPDATE_MEMBER_CARD", "UPDATE_PASS"),
    ],
)
def test_a_product_is_updated_by_its_own_pages_rules(shop: Merchant, profile: str, kind: str, other: str) -> None:
    pass_id = shop.issued(shop.made(**PRODUCTS[profile]), **PRODUCTS[profile])
    assert state(shop.box, pass_id)["account"] == {"ticket": "hk-tickets", "card": "hk-cards", "membership": "hk-members"}[profile]
    rest = {"bizDate": MOMENT, "dataInfo": {}}
    assert shop.code(PATH, shop.body(pass_id, "UPDATE", updateDetailType=other, **rest)) == "BIZ_NOT_SUPPORT"
    assert shop.code(PATH, shop.body(pass_id, "UPDATE", updateDetailType=kind, **rest)) == "SUCCESS"


def test_which_page_rules_a_member_card_is_a_guess(shop: Merchant) -> None:
    shop.box.guess({"hk.member_card_page": "card"})
    pass_id = shop.issued(shop.made(**PRODUCTS["membership"]), **PRODUCTS["membership"])
    assert state(shop.box, pass_id)["account"] == "hk-cards"
    assert shop.code(PATH, shop.body(pass_id, "USED")) == "SUCCESS"


def test_a_pass_of_a_product_that_the_client_has_no_account_for_follows_its_product(box: Sandbox) -> None:
    shop = Merchant(box, "hk-ecc")
    pass_id = shop.issued(shop.made(**PRODUCTS["card"]), **PRODUCTS["card"])
    assert state(box, pass_id)["account"] == "hk-ecc"
    assert shop.code(PATH, shop.body(pass_id, "REFUND")) == "PARAM_ILLEGAL"
    assert shop.code(PATH, shop.body(pass_id, "UPDATE", updateDetailType="UPDATE_SCORE")) == "SUCCESS"


def test_one_clients_passes_and_templates_are_none_of_anothers(shop: Merchant, box: Sandbox) -> None:
    other = Merchant(box, "hk-ecc")
    template = shop.made()
    pass_id = shop.issued(template)
    assert other.code(PATH, other.body(pass_id, "USED")) == "PASS_HAS_NOT_EXIST"
    assert (
        code(other.issue(template))
        == code(other.detail(template))
        == code(other.switch(template, "paused"))
        == "PASS_TEMPLATE_HAS_NOT_EXIT"
    )
    assert state(box, pass_id)["state"] == "ACTIVE"


def test_reset_forgets_templates(shop: Merchant) -> None:
    template = shop.made()
    shop.box.reset()
    assert code(shop.detail(template)) == "PASS_TEMPLATE_HAS_NOT_EXIT"


def test_every_path_is_signed_for_itself(shop: Merchant) -> None:
    body = json.dumps({**TEMPLATE, "merchantId": shop.merchant}).encode()
    answer = shop.post(CREATE_TEMPLATE, body, {"Signature": shop.headers(body, PATH)["Signature"]})
    assert code(answer.json) == "INVALID_SIGNATURE"
    assert not shop.verified(shop.post(CREATE_TEMPLATE, body), PATH)


def test_the_result_is_named_as_guessed_and_the_rest_stands_beside_it(shop: Merchant) -> None:
    shop.box.guess({"hk.result_node": "resultInfo"})
    assert list(shop.template()) == ["resultInfo", "templateCode"]


# --- createTemplate ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        *({name: ...} for name in ("requestId", "type", "product", "codeType", "startDate", "endDate", "imageUrl", "button", "localeInfo")),
        {"codeStandard": ...},
        {"requestId": "1" * 33},
        {"requestId": ""},
        {"merchantId": "1" * 65},
        {"startDate": "2024-01-01"},
        {"startDate": 1_700_000_000},
        {"endDate": START - 1},
        {"type": "CARD"},
        {"type": "VOUCHER"},
        {"product": "GIFT_CARD"},
        {"product": "OPERA"},
        {"codeType": "nfc"},
        {"codeStandard": "EAN-8"},
        {"imageUrl": "https://example.com/" + "i" * 500},
        {"merchantLogo": 1},
        {"button": "none"},
        {"localeInfo": {}},
        {"localeInfo": {"zh_HK": "name"}},
        {"currentAmountCent": 100_000_001},
        {"originalAmountCent": -1},
        {"originalAmountCent": 1.5},
        {"stock": True},
        {"categories": {}},
    ],
    ids=str,
)
def test_a_template_needs_what_its_page_marks_and_as_it_says(shop: Merchant, members: dict[str, object]) -> None:
    assert code(shop.template(**members)) == "PARAM_ILLEGAL"
    assert "templateCode" not in shop.template(**members)


@pytest.mark.parametrize(
    "members",
    [
        {"merchantLogo": ...},
        {"currentAmountCent": 100_000_000, "originalAmountCent": 0, "currencyCode": "HKD", "stock": 0, "categories": ["a"]},
        {"codeStandard": ..., "codeStandrad": "QRCODE", "codeType": "qrcode"},
        {"codeStandard": ..., "codeType": "none"},
        {"codeStandard": ..., "codeType": "promocode"},
        {"exposure": 1, "passExtInfo": {"a": 1}, "orderPageLink": "https://example.com", "detailLink": None, "unheardOf": 1},
        *PRODUCTS.values(),
        *({"product": product} for product in ("AIR_TICKET", "TRAIN_TICKET", "BUS_TICKET", "SHIP_TICKET")),
    ],
    ids=str,
)
def test_a_template_may_be_as_its_pages_say(shop: Merchant, members: dict[str, object]) -> None:
    assert code(shop.template(**members)) == "SUCCESS"


def test_a_merchants_template_is_its_own(shop: Merchant) -> None:
    assert code(shop.template(merchantId="9")) == "PARAM_ILLEGAL"
    shop.box.guess({"hk.wrong_merchant": "INVALID_CONTRACT"})
    assert code(shop.template(merchantId="9")) == "INVALID_CONTRACT"


def test_a_request_id_makes_one_template(shop: Merchant) -> None:
    template = shop.made()
    assert shop.made() == template
    assert shop.made(requestId="2") != template
    shop.box.guess({"hk.template_again": "PARAM_ILLEGAL"})
    assert code(shop.template()) == "PARAM_ILLEGAL"
    assert Merchant(shop.box, "hk-ecc").made() != template


# --- detail and switchStatus -----------------------------------------------------------------------------------------


def test_a_template_is_shown_as_it_was_made(shop: Merchant) -> None:
    template = shop.made(note="not of the page")
    expected = {name: value for name, value in TEMPLATE.items() if name != "requestId"}
    shown = shop.detail(template)
    assert code(shown) == "SUCCESS"
    assert {name: value for name, value in shown.items() if name != "result"} == {"templateCode": template, "status": "valid", **expected}


EDGES = {("frozen", "valid"), ("valid", "closed"), ("valid", "paused"), ("paused", "valid"), ("paused", "closed")}


def arrived(shop: Merchant, status: str) -> str:
    """A template in this status."""
    if status == "expired":
        return shop.made(endDate=START + 1)
    shop.box.guess({"hk.new_template": "frozen" if status == "frozen" else "valid"})
    template = shop.made()
    if status in {"paused", "closed"}:
        assert code(shop.switch(template, status)) == "SUCCESS"
    assert shop.detail(template)["status"] == status
    return template


@pytest.mark.parametrize("before", ["frozen", "valid", "paused", "closed", "expired"])
@pytest.mark.parametrize("after", ["valid", "paused", "closed"])
def test_a_status_changes_along_the_documented_edges_alone(shop: Merchant, before: str, after: str) -> None:
    template = arrived(shop, before)
    answer = shop.switch(template, after)
    if (before, after) in EDGES:
        assert (code(answer), answer["status"]) == ("SUCCESS", after)
    else:
        assert (code(answer), answer["result"]["resultStatus"]) == ("STATE_MACHINE_ILLEGAL", "F")
    assert shop.detail(template)["status"] == (after if (before, after) in EDGES else before)


@pytest.mark.parametrize(
    ("status", "expected"),
    [("frozen", "PASS_TEMPLATE_STATUS_ILLEGAL"), ("expired", "PASS_TEMPLATE_STATUS_ILLEGAL"), ("PAUSED", "PASS_TEMPLATE_STATUS_ILLEGAL"),
     ("", "PARAM_ILLEGAL"), (1, "PARAM_ILLEGAL"), (None, "PARAM_ILLEGAL")],
)  # fmt: skip
def test_a_status_is_one_of_three_words(shop: Merchant, status: object, expected: str) -> None:
    template = shop.made()
    assert code(shop.switch(template, status)) == expected
    assert shop.detail(template)["status"] == "valid"


@pytest.mark.parametrize("call", [Merchant.detail, Merchant.change, lambda shop, template: shop.switch(template, "paused")])
def test_a_template_is_named_by_a_code_that_exists(shop: Merchant, call: Callable[[Merchant, Any], dict[str, Any]]) -> None:
    assert code(call(shop, "82022031000135000000000000624234")) == "PASS_TEMPLATE_HAS_NOT_EXIT"
    assert {code(call(shop, wrong)) for wrong in ("8" * 33, "", None, 8)} == {"PARAM_ILLEGAL"}
    template = shop.made()
    shop.merchant = "9"
    assert code(call(shop, template)) == "PARAM_ILLEGAL"


# --- updateTemplate --------------------------------------------------------------------------------------------------


def test_an_update_changes_what_it_names_and_nothing_else(shop: Merchant) -> None:
    template = shop.made()
    pass_id = shop.issued(template)
    before, kept = shop.detail(template), state(shop.box, pass_id)
    assert code(shop.change(template, imageUrl="https://example.com/new.png", stock=None, product="MOVIE", codeType="none")) == "SUCCESS"
    assert shop.detail(template) == {**before, "imageUrl": "https://example.com/new.png"}
    assert state(shop.box, pass_id) == kept


@pytest.mark.parametrize("members", [{"imageUrl": 1}, {"endDate": START - 1}, {"startDate": END + 1}, {"localeInfo": {}}], ids=str)
def test_an_update_is_checked_like_the_making(shop: Merchant, members: dict[str, object]) -> None:
    template = shop.made()
    before = shop.detail(template)
    assert code(shop.change(template, **members)) == "PARAM_ILLEGAL"
    assert shop.detail(template) == before


def test_an_update_may_need_everything_its_page_marks(shop: Merchant) -> None:
    template = shop.made()
    shop.box.guess({"hk.template_update": "every-mandatory"})
    assert code(shop.change(template, imageUrl="https://example.com/new.png")) == "PARAM_ILLEGAL"
    marked = {name: TEMPLATE[name] for name in ("startDate", "endDate", "imageUrl", "button", "localeInfo", "merchantLogo")}
    assert code(shop.change(template, **marked)) == "SUCCESS"


@pytest.mark.parametrize("status", ["closed", "expired"])
def test_a_template_that_is_over_is_not_updated_unless_guessed_otherwise(shop: Merchant, status: str) -> None:
    template = arrived(shop, status)
    assert code(shop.change(template, stock=1)) == "PASS_TEMPLATE_STATUS_ILLEGAL"
    shop.box.guess({"hk.update_inactive_template": "STATE_MACHINE_ILLEGAL"})
    assert code(shop.change(template, stock=1)) == "STATE_MACHINE_ILLEGAL"
    shop.box.guess({"hk.update_inactive_template": "allowed"})
    assert code(shop.change(template, stock=1)) == "SUCCESS"


def test_a_later_end_revives_an_expired_template(shop: Merchant) -> None:
    template = arrived(shop, "expired")
    shop.box.guess({"hk.update_inactive_template": "allowed"})
    shop.change(template, endDate=END)
    assert shop.detail(template)["status"] == "valid"
    assert code(shop.issue(template)) == "SUCCESS"


def test_a_paused_template_can_be_updated(shop: Merchant) -> None:
    assert code(shop.change(arrived(shop, "paused"), stock=1)) == "SUCCESS"


# --- createPass --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "members",
    [
        *({name: ...} for name in ("merchantId", "templateCode", "bizSerialId", "bizSerialType", "startDate", "endDate", "bizCreate")),
        *({name: ...} for name in ("type", "product", "codeInfo", "dataInfo", "userId")),
        {"userId": ""},
        {"userId": 2160400000000135},
        {"userId": "1" * 33},
        {"openId": "1" * 33},
        {"merchantId": "1" * 65},
        {"bizSerialId": "1" * 129},
        {"bizSerialId": ""},
        {"bizSerialType": "IN_PLAT_FORM"},
        {"startDate": 1_700_000_000},
        {"endDate": "2020-09-28 00:00:00"},
        {"endDate": START - 1},
        {"type": "TICKETS"},
        {"codeInfo": "1"},
        {"codeInfo": "{"},
        {"codeInfo": []},
        {"codeInfo": {"$codevalue$": "1" * 512}},
        {"dataInfo": "{}"},
        {"dataInfo": {"address": "中環"}},
        {"dataInfo": {"zh_HK": {"$address$": "中環"}}},
        {"extInfo": "billId"},
    ],
    ids=str,
)
def test_an_issue_needs_what_its_page_marks_and_as_it_says(shop: Merchant, members: dict[str, object]) -> None:
    passes = shop.box.passes()
    template = shop.made()
    assert code(shop.issue(template, **members)) == "PARAM_ILLEGAL"
    assert shop.box.passes() == passes


@pytest.mark.parametrize(
    ("members", "kept"),
    [
        ({"openId": OPEN_ID}, {"holder": {"user_id": USER, "open_id": OPEN_ID}}),
        ({"userId": ..., "openId": OPEN_ID}, {"holder": {"user_id": None, "open_id": OPEN_ID}}),
        ({"bizSerialId": "1" * 128}, {}),
        ({"codeInfo": '{"$codevalue$": "8"}'}, {"code_info": {"$codevalue$": "8"}}),
        ({"codeInfo": {"$codevalue$": "1" * 494}}, {}),
        ({"extInfo": {"billId": "1"}, "publishScene": "x", "unheardOf": 1}, {}),
        ({"endDate": START}, {"valid_until": START}),
        ({"dataInfo": {}}, {"content": {}}),
    ],
    ids=str,
)
def test_an_issue_may_be_as_its_pages_say(shop: Merchant, members: dict[str, object], kept: dict[str, object]) -> None:
    one = state(shop.box, shop.issued(shop.made(), **members))
    assert {name: one[name] for name in kept} == kept


def test_a_code_that_is_not_shown_need_not_be_given(shop: Merchant) -> None:
    pass_id = shop.issued(shop.made(codeType="none"), codeInfo=...)
    assert state(shop.box, pass_id)["code_info"] is None


def test_a_gift_card_needs_less_than_a_ticket(shop: Merchant) -> None:
    template = shop.made(**PRODUCTS["card"])
    content = {"zh_HK": {"$shopname$": "店"}}
    pass_id = shop.issued(template, type=..., product=..., codeInfo=..., dataInfo=content)
    assert state(shop.box, pass_id)["content"] == content
    assert state(shop.box, shop.issued(template, type="COUPON", product=..., dataInfo=..., bizSerialId="2"))["content"] == {}


def test_moments_may_be_text_as_in_the_oldest_sample(shop: Merchant) -> None:
    template = shop.made()
    dates = {"startDate": "2020-09-01 00:00:00", "endDate": "2020-09-28 00:00:00", "bizCreate": "2020-09-01 00:00:00"}
    assert code(shop.issue(template, **dates)) == "PARAM_ILLEGAL"
    shop.box.guess({"hk.issue_dates": "also-text"})
    wrong = ["2020-08-28 00:00:00", "2020-09-31 00:00:00", "2020-09-28", "soon"]
    assert {code(shop.issue(template, **{**dates, "endDate": end})) for end in wrong} == {"PARAM_ILLEGAL"}
    assert state(shop.box, shop.issued(template, **dates))["valid_until"] == "2020-09-28 00:00:00"


def test_one_order_makes_one_pass(shop: Merchant) -> None:
    template = shop.made()
    shop.issued(template)
    again = shop.issue(template, userId="2160400000000999")
    assert again == {"result": {"resultCode": "PASS_HAS_EXIT", "resultStatus": "F", "resultMessage": "Pass is existed"}}
    shop.switch(template, "closed")
    assert code(shop.issue(template)) == "PASS_HAS_EXIT"
    assert code(shop.issue(shop.made(requestId="2"))) == "SUCCESS"
    assert len(shop.box.passes()) == 6


def test_an_issue_says_who_and_from_what(shop: Merchant) -> None:
    template = shop.made()
    assert code(shop.issue("82022031000135000000000000624234")) == "PASS_TEMPLATE_HAS_NOT_EXIT"
    assert code(shop.issue(template, merchantId="9")) == "PARAM_ILLEGAL"
    assert code(shop.issue(template, type="CARD")) == "PASS_TYPE_NOT_MATCH"
    assert code(shop.issue(template, product="MOVIE")) == "PASS_PRODUCT_TYPE_NOT_MATCH"


@pytest.mark.parametrize("status", ["frozen", "paused", "closed", "expired"])
def test_an_inactive_template_issues_nothing_unless_guessed_otherwise(shop: Merchant, status: str) -> None:
    template = arrived(shop, status)
    for reading in ("PASS_TEMPLATE_STATUS_ILLEGAL", "PASS_TEMPLATE_HAS_NOT_EXIT", "PROCESS_FAIL"):
        shop.box.guess({"hk.issue_inactive_template": reading})
        assert code(shop.issue(template)) == reading
    shop.box.guess({"hk.issue_inactive_template": "allowed"})
    assert code(shop.issue(template)) == "SUCCESS"


@pytest.mark.parametrize("reading", ["USER_NOT_EXIST", "USER_NOT_EXSITS"])
def test_a_user_whom_the_sandbox_has_not_seen_is_a_guess(shop: Merchant, reading: str) -> None:
    template = shop.made()
    pass_id = shop.issued(template, userId="2160400000000998")
    assert shop.code(PATH, {**shop.body(pass_id, "USED"), "userId": "2160400000000998"}) == "SUCCESS"
    shop.box.guess({"hk.new_holder": reading})
    assert code(shop.issue(template, userId="2160400000000999", bizSerialId="2")) == reading
    assert code(shop.issue(template, userId=USER, openId="nobody", bizSerialId="2")) == reading
    assert code(shop.issue(template, userId="2160400000000998", bizSerialId="2")) == "SUCCESS"


SCENE = {"$address_zh_HK$": "中環", "$availableTimes_zh_HK$": 1, "$startTime_zh_HK$": START, "$endTime_zh_HK$": END}
MOVIE = {
    **{f"${name}_zh_HK$": "戲院" for name in ("cinemaName", "address", "cinemaHouse")},
    **{f"${name}_zh_HK$": ["2D"] for name in ("movieAttributes", "movieSeats")},
    **{name: SCENE[name] for name in ("$availableTimes_zh_HK$", "$startTime_zh_HK$", "$endTime_zh_HK$")},
}
RIDE = {
    **{f"${name}_zh_HK$": "中環" for name in ("from", "fromAddress", "to", "toAddress")},
    **{name: SCENE[name] for name in ("$startTime_zh_HK$", "$endTime_zh_HK$")},
}


@pytest.mark.parametrize(
    ("product", "good", "more"),
    [
        ("PASS", SCENE, {"$price_zh_HK$": {"cent": 800, "currency": "HKD"}, "$ticketName_zh_HK$": "票" * 12, "$other_zh_HK$": 1}),
        ("MOVIE", MOVIE, {"$price_zh_HK$": None}),
        ("BUS_TICKET", RIDE, {"$availableTimes_zh_HK$": 2}),
        ("SHIP_TICKET", RIDE, {}),
    ],
)
def test_a_scenario_is_only_held_against_its_page_when_that_is_wished(
    shop: Merchant, product: str, good: dict[str, object], more: dict[str, object]
) -> None:
    template = shop.made(product=product)
    shop.box.guess({"hk.scenario_fields": "strict"})
    english = {name.replace("zh_HK", "en_US"): value for name, value in good.items()}
    wrong: list[dict[str, object]] = [{}, *({other: value for other, value in good.items() if other != name} for name in good)]
    wrong += [{**good, name: "長" * 129} for name, value in good.items() if isinstance(value, str)]
    wrong += [{**good, name: True} for name in good]
    wrong.append({**good, **dict(list(english.items())[1:])})
    assert {code(shop.issue(template, product=product, dataInfo=content)) for content in wrong} == {"PARAM_ILLEGAL"}
    assert code(shop.issue(template, product=product, dataInfo={**good, **english, **more})) == "SUCCESS"
    shop.box.guess({"hk.scenario_fields": "lenient"})
    codes = {code(shop.issue(template, product=product, bizSerialId=str(n), dataInfo=content)) for n, content in enumerate(wrong)}
    assert codes == {"SUCCESS"}


def test_nothing_is_known_of_the_other_scenarios(shop: Merchant) -> None:
    shop.box.guess({"hk.scenario_fields": "strict"})
    template = shop.made(product="AIR_TICKET")
    assert code(shop.issue(template, product="AIR_TICKET", dataInfo={"$flight_zh_HK$": 1})) == "SUCCESS"


# --- faults and the log --------------------------------------------------------------------------------------------------


def test_faults_strike_the_other_paths_by_their_method_and_account(shop: Merchant) -> None:
    template = shop.made()
    shop.box.add_fault({"fault": "code-after:UNKNOWN_EXCEPTION", "match": {"method": CREATE_PASS, "account": "hk-tickets"}})
    assert shop.detail(template)["status"] == "valid"
    answer = shop.issue(template)
    assert (code(answer), list(answer)) == ("UNKNOWN_EXCEPTION", ["result"])
    assert code(shop.issue(template)) == "PASS_HAS_EXIT"
    shop.box.add_fault({"fault": "code:STATE_MACHINE_ILLEGAL", "match": {"method": SWITCH_STATUS}})
    assert code(shop.switch(template, "paused")) == "STATE_MACHINE_ILLEGAL"
    assert shop.detail(template)["status"] == "valid"
    assert shop.box.faults() == []


def test_a_fault_of_the_answer_leaves_what_stands_beside_the_result(shop: Merchant) -> None:
    template = shop.made()
    for number, fault in enumerate(["unknown-letter", "no-letter", "duplicate-member", "two-results"]):
        shop.box.add_fault({"fault": fault})
        raw = shop.post(
            CREATE_PASS, json.dumps({**ISSUE, "merchantId": shop.merchant, "templateCode": template, "bizSerialId": str(number)}).encode()
        )
        assert shop.verified(raw, CREATE_PASS)
        assert re.search(rb'"passId":"\d{31}"\}$', raw.body)


@pytest.mark.parametrize(("path", "other"), [(CREATE_PASS, PATH), (PATH, CREATE_PASS)])
def test_an_answer_signed_for_another_path_is_never_right(shop: Merchant, path: str, other: str) -> None:
    shop.box.add_fault({"fault": "signed-for-path"})
    answer = shop.post(path, b"{}")
    assert not shop.verified(answer, path)
    assert shop.verified(answer, other)


def test_the_log_names_what_was_asked(shop: Merchant, hk: Hk) -> None:
    template = shop.made()
    assert (last(shop.box)["account"], last(shop.box)["pass"]) == ("hk-tickets", None)
    pass_id = shop.issued(template)
    entry = last(shop.box)
    assert (entry["account"], entry["pass"], entry["action"], entry["applied"]) == ("hk-tickets", pass_id, None, True)
    shop.switch(template, "paused")
    entry = last(shop.box)
    assert (entry["account"], entry["action"], entry["result"], entry["applied"]) == ("hk-tickets", "paused", "SUCCESS", True)
    shop.detail(template)
    assert (last(shop.box)["account"], last(shop.box)["applied"]) == ("hk-tickets", False)
    hk.code(TICKET, "USED")
    assert last(shop.box)["pass"] == TICKET


def test_passes_and_templates_outlive_the_process(tmp_path: Any) -> None:  # noqa: ANN401 - pytest's own path
    with Sandbox(data=tmp_path / "box.db") as box:
        shop = Merchant(box, "hk-tickets")
        template = shop.made()
        pass_id = shop.issued(template)
    with Sandbox(data=tmp_path / "box.db") as box:
        shop = Merchant(box, "hk-tickets")
        assert code(shop.issue(template)) == "PASS_HAS_EXIT"
        assert state(box, pass_id)["state"] == "ACTIVE"
        assert shop.code(PATH, shop.body(pass_id, "USED")) == "SUCCESS"


def test_numbers_start_with_the_day(shop: Merchant) -> None:
    template = shop.made()
    assert {template[1:5], shop.issued(template)[:4]} <= {time.strftime("%Y"), time.strftime("%Y", time.gmtime())}
