"""The question about an update in doubt: what is asked, which pass is the one, and what settles."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import pytest
from alipay.aop.api.response.AlipayMarketingPassInstanceQueryResponse import AlipayMarketingPassInstanceQueryResponse

from passbridge import Close, Code, Content, PassRef, PassUpdate, Redeem, Revise
from passbridge.backends.mainland.backend import MainlandGateway
from passbridge.protocol.gateway import AnswersQueries, Prepared, Sealed
from passbridge.protocol.settings import Secret
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import WireResponse
from tests.backends.hk.desk import account as hk_account
from tests.backends.mainland.desk import NOW, SERIAL, UPDATES, body, opened, reply
from tests.backends.support import openssl_verifies

METHOD = "alipay.marketing.pass.instance.query"
NODE = "alipay_marketing_pass_instance_query_response"
CHANNEL = "2088918273"
USER = "2088000000000001"

BY_CONTENT = """
schema = 1
[mainland.pass.query.revise]
content = true
source = ["a merchant's own tests"]
confidence = "observed"
accept_risk = "seen to follow each change"
"""

PASS: dict[str, Any] = {
    "pass_id": "7",
    "serial_number": SERIAL,
    "channel_id": CHANNEL,
    "status": "USED",
    "is_deleted": False,
    "user_id": USER,
    "modify_time": "2026-11-22 10:00:00",
    "logo_text": "店",
    "biz_param_list": [{"key": "title", "value": "券标题"}, {"key": "gate", "value": "B12"}],
}
"""A pass as `PassInstanceDetail` names its members."""


def one(**members: object) -> dict[str, Any]:
    """The pass with these members; `...` leaves one out."""
    return {name: value for name, value in (PASS | members).items() if value is not ...}


def shown(*passes: object, **members: object) -> str:
    """A node that shows these passes."""
    usual = {"code": "10000", "msg": "Success", "instance_list": passes, "page_num": 1, "page_size": 20}
    usual |= {"total": len(passes), "total_page": 1 if passes else 0}
    return json.dumps({name: value for name, value in (usual | members).items() if value is not ...}, ensure_ascii=False)


@cache
def asking(overlay: str = "") -> MainlandGateway:
    """An account that asks."""
    return opened(overlay, resolve="query")


def question(update: PassUpdate = UPDATES["redeem"], gateway: MainlandGateway | None = None) -> tuple[Sealed, Prepared]:
    """The question about an update, of an account that asks."""
    gateway = gateway or asking()
    found = gateway.inquiring(gateway.prepare(update, NOW))
    assert found is not None
    return found


def told(answer: str | bytes | WireResponse, update: PassUpdate = UPDATES["redeem"], overlay: str = "") -> Verdict:
    """What is made of an answer; a node is signed."""
    sealed, asked = question(update, asking(overlay))
    raw = body(answer, name=NODE) if isinstance(answer, str) else answer
    return sealed.judge(asked, sealed.seal(asked, NOW), raw if isinstance(raw, WireResponse) else reply(raw), NOW)


def test_the_sample_is_what_the_official_class_reads() -> None:
    response = AlipayMarketingPassInstanceQueryResponse()
    response.parse_response_content(shown(PASS))
    (detail,) = response.instance_list
    assert (detail.serial_number, detail.channel_id, detail.status, detail.is_deleted, detail.user_id) == (
        SERIAL,
        CHANNEL,
        "USED",
        False,
        USER,
    )
    assert [(pair.key, pair.value) for pair in detail.biz_param_list] == [("title", "券标题"), ("gate", "B12")]
    assert (response.total, response.total_page) == (1, 1)


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
def test_the_question_is_signed_as_an_update_is_and_names_nothing_but_the_serial_number(charset: str) -> None:
    gateway = opened(resolve="query", charset=charset, app_auth_token=Secret(b"token-7", "test"))
    sealed, asked = question(UPDATES["redeem"], gateway)
    assert (asked.action, asked.problems) == (METHOD, ())
    wire = sealed.seal(asked, NOW)
    query, form = (dict(parse_qsl(text, strict_parsing=True)) for text in (wire.url.partition("?")[2], wire.body.decode()))
    assert (query["method"], query["timestamp"]) == (METHOD, "2014-07-24 03:07:50")
    assert form == {"biz_content": json.dumps({"serial_number": SERIAL}, separators=(",", ":")), "app_auth_token": "token-7"}
    signature = base64.b64decode(query.pop("sign"))
    text = "&".join(f"{name}={value}" for name, value in sorted((query | form).items()))
    assert openssl_verifies("cn-app", text.encode(charset), signature)


@pytest.mark.parametrize("action", ["redeem", "close", "revise"])
def test_only_an_account_that_is_told_to_asks_and_only_where_an_answer_would_settle(action: str) -> None:
    for resolve in ("resend", "query"):
        gateway = opened(resolve=resolve)
        asks = gateway.inquiring(gateway.prepare(UPDATES[action], NOW)) is not None
        assert asks is (resolve == "query" and action != "revise")


def test_a_revise_is_asked_about_where_an_overlay_says_what_shows_it() -> None:
    gateway = opened(BY_CONTENT, resolve="query")
    assert gateway.inquiring(gateway.prepare(UPDATES["revise"], NOW)) is not None


def test_the_question_of_another_kind_or_backend_is_not_asked() -> None:
    gateway = opened(resolve="query")
    assert isinstance(gateway, AnswersQueries)
    assert gateway.inquiring(Prepared(object(), "redeem")) is None
    assert gateway.inquiring(Prepared(object(), METHOD)) is None
    assert not isinstance(hk_account(), AnswersQueries)


# What the query shows, and whether the redeem, the close is done.
STATES: dict[str, tuple[dict[str, Any], str | None, str | None]] = {
    "used": ({"status": "USED"}, "the pass is USED", None),
    "used, and deleted since": ({"status": "USED", "is_deleted": True}, "the pass is USED", "the pass was deleted by its holder"),
    "closed": ({"status": "CLOSED"}, None, "the pass is CLOSED"),
    "closed and deleted": ({"status": "CLOSED", "is_deleted": True}, None, "the pass is CLOSED"),
    "deleted": ({"status": "CAN_USE", "is_deleted": True}, None, "the pass was deleted by its holder"),
    "deleted, said in text": ({"status": "CAN_USE", "is_deleted": "true"}, None, "the pass was deleted by its holder"),
    "not yet": ({"status": "CAN_USE"}, None, None),
    "expired": ({"status": "EXPIRED"}, None, None),
    "no status": ({"status": ...}, None, None),
    "an unknown status": ({"status": "FROZEN"}, None, None),
    "another case": ({"status": "used"}, None, None),
    "a status that is no text": ({"status": ["USED", "CLOSED"]}, None, None),
    "not deleted, said in text": ({"status": "CAN_USE", "is_deleted": "false"}, None, None),
    "deleted by a number": ({"status": "CAN_USE", "is_deleted": 1}, None, None),
    "deletion not told": ({"status": "CAN_USE", "is_deleted": ...}, None, None),
}


@pytest.mark.parametrize(("members", "redeem", "close"), STATES.values(), ids=STATES)
def test_the_wanted_state_alone_settles(members: dict[str, Any], redeem: str | None, close: str | None) -> None:
    for action, reason in (("redeem", redeem), ("close", close)):
        verdict = told(shown(one(**members)), UPDATES[action])
        if reason is None:
            assert (verdict.code, verdict.rule, verdict.settles) == (Code.PROVIDER_ERROR, None, ())
            assert (verdict.reason or "").startswith("the pass is ")
        else:
            assert (verdict.code, verdict.rule, verdict.reason) == (Code.ALREADY_IN_STATE, f"mainland.pass#query.{action}", reason)
        assert verdict.answer is not None


def test_the_native_words_name_the_pass_and_nothing_of_its_holder_or_content() -> None:
    verdict = told(shown(PASS))
    assert verdict.native is not None
    names = ("serial_number", "channel_id", "pass_id", "status", "is_deleted", "modify_time")
    assert verdict.native.model_dump() == {
        "code": "10000",
        "status": None,
        "sub_code": None,
        "message": "Success",
        "result": {name: PASS[name] for name in names},
        "verified": True,
    }
    assert (verdict.trace_id, verdict.mapped, verdict.note) == ("t-1", True, None)
    assert USER not in repr(verdict.native)


NONE = "it shows no pass of this serial number and channel"
OTHERS: dict[str, tuple[str, str]] = {
    "no pass": (shown(), NONE),
    "no list": (shown(PASS, instance_list=..., total=0), NONE),
    "a null for a list": (shown(instance_list=None), NONE),
    "another serial number": (shown(one(serial_number="209919214")), NONE),
    "a longer serial number": (shown(one(serial_number=f"{SERIAL} ")), NONE),
    "a serial number as a number": (shown(one(serial_number=int(SERIAL))), NONE),
    "no serial number": (shown(one(serial_number=...)), NONE),
    "another channel": (shown(one(channel_id="2088918274")), NONE),
    "no channel": (shown(one(channel_id=...)), NONE),
}


@pytest.mark.parametrize(("node", "reason"), OTHERS.values(), ids=OTHERS)
def test_another_pass_settles_nothing(node: str, reason: str) -> None:
    verdict = told(node)
    assert (verdict.code, verdict.reason) == (Code.PROVIDER_ERROR, reason)
    assert verdict.native is not None
    assert verdict.native.result is None


def test_the_pass_is_found_among_others() -> None:
    others = [one(channel_id="1", status="CAN_USE"), one(serial_number="1", status="CAN_USE")]
    assert told(shown(others[0], PASS, others[1])).code is Code.ALREADY_IN_STATE
    assert told(shown(others[0], one(status="CAN_USE"), one(serial_number="1"))).code is Code.PROVIDER_ERROR


HOLDERS: dict[str, tuple[str | None, object, bool]] = {
    "the holder": (USER, USER, True),
    "another holder": (USER, "2088000000000002", False),
    "a holder who is not told": (USER, ..., True),
    "a holder told as null": (USER, None, True),
    "a holder who was not named": (None, USER, True),
}


@pytest.mark.parametrize(("named", "holder", "same"), HOLDERS.values(), ids=HOLDERS)
def test_where_both_name_a_holder_it_is_the_same(named: str | None, holder: object, *, same: bool) -> None:
    update = Redeem(pass_=PassRef(id=SERIAL, user_id=named))
    assert (told(shown(one(user_id=holder)), update).code is Code.ALREADY_IN_STATE) is same


def test_the_channel_is_the_updates_own_where_it_names_one() -> None:
    update = Close(pass_=PassRef(id=SERIAL, channel="shop-2"))
    assert told(shown(one(status="CLOSED", channel_id="shop-2")), update).code is Code.ALREADY_IN_STATE
    assert told(shown(one(status="CLOSED")), update).code is Code.PROVIDER_ERROR


MANY = "it may show more than one pass of this serial number and channel"
BAD: dict[str, tuple[str, str]] = {
    "two of it": (shown(PASS, one(modify_time="2026-11-22 10:00:01")), MANY),
    "the same twice": (shown(PASS, PASS), MANY),
    "more than are shown": (shown(PASS, total=2), MANY),
    "more pages": (shown(PASS, total=..., total_page=2), MANY),
    "a count that is none": (shown(PASS, total="some"), MANY),
    "no list but an object": (shown(instance_list={"pass_instance_detail": [PASS]}), "instance_list is no list"),
    "a list of texts": (shown(PASS, "x"), "instance_list holds what is no pass"),
    "no object": ("[]", "the node is no object"),
    "no code": ('{"instance_list":[]}', "the answer has no code"),
    "a code that is no text": ('{"code":10000}', "code is no text"),
    "a success that has a sub_code": (
        shown(PASS, sub_code="isp.x"),
        "10000, but with a sub_code, or without success or a result that is a JSON object",
    ),
    "a success that is none": (
        shown(PASS, success="false"),
        "10000, but with a sub_code, or without success or a result that is a JSON object",
    ),
}


@pytest.mark.parametrize(("node", "reason"), BAD.values(), ids=BAD)
def test_an_answer_that_cant_be_relied_on_settles_nothing(node: str, reason: str) -> None:
    verdict = told(node)
    assert (verdict.code, verdict.reason, verdict.answer) == (Code.BAD_ANSWER, reason, None)


@pytest.mark.parametrize("counts", [{}, {"total": "1"}, {"total": ..., "total_page": ...}, {"total_page": "1"}], ids=str)
def test_the_counts_may_be_text_or_absent(counts: dict[str, Any]) -> None:
    assert told(shown(PASS, **counts)).code is Code.ALREADY_IN_STATE


@pytest.mark.parametrize("success", ["true", True])
def test_a_success_that_is_said_besides_is_no_harm(success: object) -> None:
    assert told(shown(PASS, success=success)).code is Code.ALREADY_IN_STATE


REFUSALS: dict[str, tuple[str, str, str]] = {
    "no permission": ("40006", "isv.insufficient-isv-permissions", "ACCESS_DENIED"),
    "our signature": ("40002", "isv.invalid-signature", "ACCESS_DENIED"),
    "too many": ("40005", "isv.app-call-limited", "RATE_LIMITED"),
    "the gateway doesn't know": ("20000", "isp.unknow-error", "PROVIDER_ERROR"),
    "no such pass": ("40004", "KP.AE_ALIPASS_NOTEXIST", "PASS_NOT_FOUND"),
    "an undocumented word": ("40004", "SOMETHING_NEW", "REFUSED"),
    "an unknown code": ("50000", "x", "UNMAPPED"),
}


@pytest.mark.parametrize(("code", "sub_code", "outcome"), REFUSALS.values(), ids=REFUSALS)
def test_a_refused_query_is_read_by_the_same_tables_and_settles_nothing(code: str, sub_code: str, outcome: str) -> None:
    verdict = told(shown(PASS, code=code, sub_code=sub_code, msg="m"))
    assert (verdict.code.value, verdict.settles, verdict.answer) == (outcome, (), None)
    assert verdict.reason == ("an unknown gateway code" if code == "50000" else f"refused: {sub_code}")
    plain = told(shown(PASS, code="40006", sub_code=..., msg="m"))
    assert (plain.code, plain.reason) == (Code.ACCESS_DENIED, "refused: 40006")


@pytest.mark.parametrize("outcome", ["ALREADY_IN_STATE", "APPLIED"])
def test_what_an_overlay_reads_out_of_an_updates_refusal_is_not_read_out_of_a_querys(outcome: str) -> None:
    overlay = f"""
schema = 1
[mainland.pass.sub_codes."KP.AE_ALIPASS_UPDATE_ERROR"]
outcome = "{outcome}"
settles = ["redeem"]
accept_risk = "seen"
"""
    verdict = told(shown(code="40004", sub_code="KP.AE_ALIPASS_UPDATE_ERROR"), overlay=overlay)
    assert (verdict.code, verdict.settles) == (Code.REFUSED, ())


UNPROVED: dict[str, tuple[bytes | WireResponse, str]] = {
    "unsigned": (body(shown(PASS), name=NODE, signed=""), "UNTRUSTED_ANSWER"),
    "somebody's signature": (body(shown(PASS), name=NODE, signed="AAAA"), "UNTRUSTED_ANSWER"),
    "the node of an update": (body(shown(PASS)), "UNTRUSTED_ANSWER"),
    "a page": (b"<html></html>", "NO_ANSWER"),
    "a 502": (reply(body(shown(PASS), name=NODE), status=502), "NO_ANSWER"),
}


@pytest.mark.parametrize(("answer", "code"), UNPROVED.values(), ids=UNPROVED)
def test_what_is_not_proved_settles_nothing(answer: bytes | WireResponse, code: str) -> None:
    verdict = told(answer)
    assert (verdict.code.value, verdict.rule, verdict.answer) == (code, None, None)


def test_an_answer_in_gbk_is_read() -> None:
    assert told(body(shown(PASS), name=NODE, charset="gbk")).code is Code.ALREADY_IN_STATE


# The parameters of a revise, what the query shows of the pass, and whether that is the content.
CONTENTS: dict[str, tuple[dict[str, Any], object, bool]] = {
    "all of it": ({"title": "券标题", "gate": "B12"}, PASS["biz_param_list"], True),
    "all of it, among more": ({"gate": "B12"}, PASS["biz_param_list"], True),
    "another text": ({"gate": "B13"}, PASS["biz_param_list"], False),
    "a part of it": ({"gate": "B12", "seat": "1"}, PASS["biz_param_list"], False),
    "a blank more": ({"gate": "B12 "}, PASS["biz_param_list"], False),
    "a number": ({"points": 12}, [{"key": "points", "value": "12"}], False),
    "a number shown as one": ({"points": 12}, [{"key": "points", "value": 12}], False),
    "a null": ({"gate": None}, [{"key": "gate"}], False),
    "an empty text": ({"gate": ""}, [{"key": "gate", "value": ""}], True),
    "shown twice": ({"gate": "B12"}, [{"key": "gate", "value": "B12"}, {"key": "gate", "value": "B13"}], False),
    "nothing sent": ({}, PASS["biz_param_list"], False),
    "nothing shown": ({"gate": "B12"}, [], False),
    "no list": ({"gate": "B12"}, ..., False),
    "an object for a list": ({"gate": "B12"}, {"gate": "B12"}, False),
    "a list of texts": ({"gate": "B12"}, ["gate", "B12"], False),
}


@pytest.mark.parametrize(("params", "listed", "same"), CONTENTS.values(), ids=CONTENTS)
def test_where_an_overlay_says_so_a_revise_is_settled_by_all_of_its_content(params: dict[str, Any], listed: object, *, same: bool) -> None:
    update = Revise(pass_=PassRef(id=SERIAL), content=Content(params=params))
    verdict = told(shown(one(status="CAN_USE", biz_param_list=listed)), update, BY_CONTENT)
    if same:
        assert (verdict.code, verdict.rule) == (Code.ALREADY_IN_STATE, "mainland.pass#query.revise")
        assert (verdict.reason, verdict.note) == ("the pass shows the content", "read by an overlay: seen to follow each change")
    else:
        assert (verdict.code, verdict.reason) == (Code.PROVIDER_ERROR, "the pass is CAN_USE")


def test_content_sent_as_an_object_is_compared_alike() -> None:
    overlay = BY_CONTENT + '\n[mainland.pass.fields.content]\nas = "params"\n'
    assert told(shown(PASS), UPDATES["revise"], overlay).code is Code.ALREADY_IN_STATE


def test_a_status_and_the_content_may_be_wanted_together() -> None:
    overlay = 'schema = 1\n[mainland.pass.query.redeem]\ncontent = true\naccept_risk = "seen"\n'
    update = Redeem(pass_=PassRef(id=SERIAL), content=Content(params={"gate": "B12"}))
    other = Redeem(pass_=PassRef(id=SERIAL), content=Content(params={"gate": "B13"}))
    verdict = told(shown(PASS), update, overlay)
    assert (verdict.code, verdict.reason) == (Code.ALREADY_IN_STATE, "the pass is USED")
    assert told(shown(one(status="CAN_USE")), update, overlay).code is Code.PROVIDER_ERROR
    assert told(shown(PASS), other, overlay).code is Code.PROVIDER_ERROR
