from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from passbridge import Close, PassRef, PassUpdate, load_update
from passbridge.protocol.mapping import Profile
from passbridge.protocol.translate import Translation, translate

NOW = datetime(2026, 11, 22, 2, 0, 0, 123999, tzinfo=UTC)
NOW_MS = 1795312800123
END = "2027-12-31T23:59:59.900+08:00"
END_MS = 1830268799900
END_ISO = "2027-12-31T23:59:59+08:00"

CARD, MEMBERSHIP, TICKET, MAINLAND = "hk.card", "hk.membership", "hk.ticket", "mainland.pass"
ALL = (CARD, MEMBERSHIP, TICKET, MAINLAND)
TITLES = {
    CARD: "AlipayHK card (alipay.intl.user.pass.updatePass)",
    MEMBERSHIP: "AlipayHK membership card",
    TICKET: "AlipayHK redeemable card or ticket",
    MAINLAND: "Mainland pass (alipay.pass.instance.update)",
}
EVERYTHING = {
    "pass": {"id": "p", "user_id": "u", "open_id": "o", "template": "t", "channel": "c", "merchant": "m"},
    "at": "2026-11-22T10:00:00.5+08:00",
}
CONTENT = {"params": {"a": 1, "b": "x"}, "locales": {"zh_HK": {"b": "票"}, "ja_JP": {"c": None}}}
PARAMS = {"params": {"a": 1, "b": "票"}}


def put(profiles: Mapping[str, Profile], profile: str, update: Mapping[str, Any], **defaults: str) -> Translation:
    return translate(load_update(update), profiles[profile], {"merchant": "M", "channel": "C"} | defaults, NOW)


# What travels of an update that gives everything its action can have, under which name and in which form; beside it
# what is left out with a note.
WHOLE: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    (CARD, "redeem"): (
        {"proof": {"code": "v", "method": "qrcode"}, "valid_until": END, "content": CONTENT, "kind": "score"},
        {"merchantId": "m", "userId": "u", "openId": "o", "templateCode": "t", "passId": "p", "status": "USED", "passVerifyCode": "v",
         "passVerifyType": "qrcode", "endDate": END_ISO,
         "dataInfo": {"zh_HK": {"$a$": 1, "$b$": "票"}, "ja_JP": {"$a$": 1, "$b$": "x", "$c$": None}}},
        ["pass.channel", "kind", "at"],
    ),
    (CARD, "close"): (
        {"valid_until": END, "content": PARAMS},
        {"merchantId": "m", "userId": "u", "openId": "o", "templateCode": "t", "passId": "p", "status": "CLOSED", "endDate": END_ISO,
         "dataInfo": {"zh_HK": {"$a$": 1, "$b$": "票"}, "en_US": {"$a$": 1, "$b$": "票"}}},
        ["pass.channel", "at"],
    ),
    (CARD, "revise"): (
        {"valid_until": END, "content": {"raw": {"$x$": [1], "plain": ""}}, "kind": "level"},
        {"merchantId": "m", "userId": "u", "openId": "o", "templateCode": "t", "passId": "p", "status": "UPDATE",
         "updateDetailType": "UPDATE_LEVEL", "endDate": END_ISO, "dataInfo": {"$x$": [1], "plain": ""}},
        ["pass.channel", "at"],
    ),
    (MEMBERSHIP, "close"): (
        {"valid_until": END, "content": CONTENT, "code_info": {"code": "7"}},
        {"merchantId": "m", "userId": "u", "openId": "o", "templateCode": "t", "passId": "p", "status": "CLOSED",
         "updateDetailType": "UPDATE_MEMBER_CARD", "endDate": END_MS,
         "dataInfo": {"a": 1, "b": "x", "zh_HK": {"b": "票"}, "ja_JP": {"c": None}}, "codeInfo": {"code": "7"}},
        ["pass.channel", "at"],
    ),
    (MEMBERSHIP, "revise"): (
        {"content": {"raw": {"$x$": 1}}, "code_info": None, "kind": "member_card"},
        {"merchantId": "m", "userId": "u", "openId": "o", "templateCode": "t", "passId": "p", "status": "UPDATE",
         "updateDetailType": "UPDATE_MEMBER_CARD", "dataInfo": {"$x$": 1}, "codeInfo": None},
        ["pass.channel", "at"],
    ),
    (TICKET, "redeem"): (
        {"proof": {"code": "v", "method": "wave"}, "valid_until": END, "content": CONTENT, "kind": "movie"},
        {"merchantId": "m", "userId": "u", "openId": "o", "passId": "p", "status": "USED", "bizDate": 1795312800500, "endDate": END_MS,
         "dataInfo": {"$a_zh_HK$": 1, "$b_zh_HK$": "票", "$a_ja_JP$": 1, "$b_ja_JP$": "x", "$c_ja_JP$": None}},
        ["pass.template", "pass.channel", "kind", "proof.code", "proof.method"],
    ),
    (TICKET, "close"): (
        {"content": PARAMS},
        {"merchantId": "m", "userId": "u", "openId": "o", "passId": "p", "status": "CLOSED", "bizDate": 1795312800500,
         "dataInfo": {"$a_zh_HK$": 1, "$b_zh_HK$": "票", "$a_en_US$": 1, "$b_en_US$": "票"}},
        ["pass.template", "pass.channel"],
    ),
    (TICKET, "revise"): (
        {"content": {"raw": {"any": None}}, "kind": "bus_ticket"},
        {"merchantId": "m", "userId": "u", "openId": "o", "passId": "p", "status": "UPDATE", "updateDetailType": "UPDATE_BUS_TICKET",
         "bizDate": 1795312800500, "dataInfo": {"any": None}},
        ["pass.template", "pass.channel"],
    ),
    (TICKET, "refund"): (
        {"valid_until": END},
        {"merchantId": "m", "userId": "u", "openId": "o", "passId": "p", "status": "REFUND", "bizDate": 1795312800500, "endDate": END_MS},
        ["pass.template", "pass.channel"],
    ),
    (MAINLAND, "redeem"): (
        {"proof": {"code": "v", "method": "barcode"}, "content": PARAMS, "kind": "score"},
        {"serial_number": "p", "channel_id": "c", "tpl_params": '{"a":1,"b":"票"}', "status": "USED", "verify_code": "v",
         "verify_type": "barcode", "user_id": "u", "open_id": "o"},
        ["pass.merchant", "pass.template", "kind", "at"],
    ),
    (MAINLAND, "close"): (
        {},
        {"serial_number": "p", "channel_id": "c", "status": "CLOSED", "user_id": "u", "open_id": "o"},
        ["pass.merchant", "pass.template", "at"],
    ),
    (MAINLAND, "revise"): (
        {"content": {"raw": {"x": "<&>/"}}},
        {"serial_number": "p", "channel_id": "c", "tpl_params": '{"x":"<&>/"}', "user_id": "u", "open_id": "o"},
        ["pass.merchant", "pass.template", "at"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("profile", "action"), WHOLE)
def test_everything_travels_under_its_wire_name_and_form(profile: str, action: str, profiles: Mapping[str, Profile]) -> None:
    members, document, left_out = WHOLE[profile, action]
    written = put(profiles, profile, EVERYTHING | {"action": action} | members)
    assert written.document == document
    assert list(written.document) == list(document)
    assert written.problems == ()
    assert [note.partition(" left out: ")[0] for note in written.notes if " left out: " in note] == left_out
    assert written.at == datetime.fromisoformat(EVERYTHING["at"])  # type: ignore[arg-type]


def test_what_is_left_out_is_said_with_its_reason(profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, CARD, EVERYTHING | {"action": "close", "kind": "score"})
    assert written.notes == (
        f"pass.channel left out: {TITLES[CARD]} has no field for it",
        "kind left out: it is sent only to revise",
        f"at left out: {TITLES[CARD]} has no field for it",
    )


def test_every_action_a_member_is_sent_with_is_named(profiles: Mapping[str, Profile]) -> None:
    card = profiles[CARD]
    kind = card.fields["kind"].model_copy(update={"actions": ("revise", "close")})
    profile = card.model_copy(update={"fields": {**card.fields, "kind": kind}})
    update = load_update({"action": "redeem", "pass": {"id": "p", "user_id": "u"}, "kind": "score"})
    assert translate(update, profile, {"merchant": "M"}, NOW).notes == ("kind left out: it is sent only to revise, close",)


LEAST: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {
    (CARD, "redeem"): ({}, {"merchantId": "M", "userId": "u", "passId": "p", "status": "USED"}),
    (CARD, "close"): ({}, {"merchantId": "M", "userId": "u", "passId": "p", "status": "CLOSED"}),
    (CARD, "revise"): (
        {"kind": "validity"},
        {"merchantId": "M", "userId": "u", "passId": "p", "status": "UPDATE", "updateDetailType": "UPDATE_VALIDITY"},
    ),
    (MEMBERSHIP, "close"): (
        {},
        {"merchantId": "M", "userId": "u", "passId": "p", "status": "CLOSED", "updateDetailType": "UPDATE_MEMBER_CARD"},
    ),
    (MEMBERSHIP, "revise"): (
        {},
        {"merchantId": "M", "userId": "u", "passId": "p", "status": "UPDATE", "updateDetailType": "UPDATE_MEMBER_CARD"},
    ),
    (TICKET, "redeem"): ({}, {"merchantId": "M", "userId": "u", "passId": "p", "status": "USED"}),
    (TICKET, "close"): ({}, {"merchantId": "M", "userId": "u", "passId": "p", "status": "CLOSED"}),
    (TICKET, "refund"): ({}, {"merchantId": "M", "userId": "u", "passId": "p", "status": "REFUND"}),
    (MAINLAND, "redeem"): ({}, {"serial_number": "p", "channel_id": "C", "status": "USED", "user_id": "u"}),
    (MAINLAND, "close"): ({}, {"serial_number": "p", "channel_id": "C", "status": "CLOSED", "user_id": "u"}),
    (MAINLAND, "revise"): ({}, {"serial_number": "p", "channel_id": "C", "user_id": "u"}),
}


@pytest.mark.parametrize(("profile", "action"), LEAST)
def test_nothing_travels_that_was_not_given_but_the_accounts_defaults(profile: str, action: str, profiles: Mapping[str, Profile]) -> None:
    members, document = LEAST[profile, action]
    written = put(profiles, profile, {"action": action, "pass": {"id": "p", "user_id": "u"}} | members)
    nothing = ("nothing to revise: neither content nor valid_until nor code_info is given",) if action == "revise" else ()
    assert written == Translation(document, None, nothing, ())


@pytest.mark.parametrize("content", [{}, {"params": {}}, {"locales": {"zh_HK": {}}}])
def test_content_with_nothing_in_it_is_not_sent(content: dict[str, Any], profiles: Mapping[str, Profile]) -> None:
    update = {"action": "close", "pass": {"id": "p", "user_id": "u"}}
    for profile in ALL:
        assert put(profiles, profile, update | {"content": content}) == put(profiles, profile, update)


@pytest.mark.parametrize("member", ["content", "valid_until", "code_info"])
def test_a_revise_of_any_one_thing_is_no_empty_revise(member: str, profiles: Mapping[str, Profile]) -> None:
    value = {"content": PARAMS, "valid_until": END, "code_info": None}[member]
    update = {"action": "revise", "pass": {"id": "p", "user_id": "u"}, member: value}
    assert put(profiles, MEMBERSHIP, update).notes == ()


def test_a_tickets_moment_is_filled_for_a_revise_from_the_clock_to_the_millisecond(profiles: Mapping[str, Profile]) -> None:
    update = {"action": "revise", "pass": {"id": "p", "user_id": "u"}, "kind": "pass", "content": PARAMS}
    written = put(profiles, TICKET, update)
    assert written.document["bizDate"] == NOW_MS
    assert written.at == NOW.replace(microsecond=123000)
    assert translate(load_update(update), profiles[TICKET], {"merchant": "M"}, written.at).at == written.at
    again = translate(load_update(update).model_copy(update={"at": written.at}), profiles[TICKET], {"merchant": "M"}, NOW + timedelta(1))
    assert again == written


def test_an_update_built_directly_is_written_like_one_that_was_read(profiles: Mapping[str, Profile]) -> None:
    update: PassUpdate = Close(pass_=PassRef(id="p", user_id="u"))
    assert translate(update, profiles[TICKET], {"merchant": "M"}, NOW).document == LEAST[TICKET, "close"][1]
