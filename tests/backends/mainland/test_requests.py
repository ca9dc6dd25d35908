"""What leaves for the mainland, to the byte, judged by bytes and signatures that others made."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest

from passbridge import Code, Content, PassRef, Proof, Redeem, Revise, load_update
from passbridge.backends.mainland.backend import MainlandGateway
from passbridge.backends.mainland.signature import signed_text
from passbridge.protocol.gateway import CallsPaths, ExecutesRequests, Prepared
from passbridge.protocol.settings import Secret
from passbridge.protocol.wire import WireRequest
from tests.backends.mainland.desk import CERTIFIED, ENCRYPT_KEY, NOW, SERIAL, UPDATES, account, body, judged, node, opened, reply
from tests.backends.support import openssl_verifies, vector_file

GOLDEN = vector_file("mainland.json")
TEXT = vector_file("mainland-signed-text.json")
SEED = next(seed for seed in vector_file("seeds.json") if seed["backend"] == "mainland")


def rendered(vector: dict[str, Any]) -> WireRequest:
    """The request for a golden update."""
    gateway = opened(
        gateway=GOLDEN["gateway"],
        app_id=GOLDEN["app_id"],
        channel_id=GOLDEN["channel_id"],
        charset=vector["charset"],
        sign_type=vector["sign_type"],
        gbk_check=vector["gbk_check"],
        app_auth_token=vector["token"] and Secret(vector["token"].encode(), "test"),
        **(CERTIFIED if vector["certificates"] else {}),
        **({"encrypt_key": ENCRYPT_KEY, "encrypt_type": vector["encrypt_type"]} if vector["encrypt_type"] else {}),
    )
    moment = datetime.fromisoformat(GOLDEN["now"])
    prepared = gateway.prepare(load_update(vector["update"]), moment)
    assert not prepared.problems
    return gateway.seal(prepared, moment)


def parameters(request: WireRequest, charset: str = "utf-8") -> tuple[dict[str, str], dict[str, str]]:
    """What stands in the query, and what in the body."""
    query, body = request.url.partition("?")[2], request.body.decode("ascii")
    read = (parse_qsl(text, keep_blank_values=True, strict_parsing=True, encoding=charset, errors="strict") for text in (query, body))
    found = [dict(pairs) for pairs in read]
    return found[0], found[1]


def sent(gateway: MainlandGateway, update: Redeem | Revise) -> WireRequest:
    """The request for an update."""
    prepared = gateway.prepare(update, NOW)
    assert not prepared.problems
    return gateway.seal(prepared, NOW)


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_a_request_is_the_golden_one_to_the_byte(vector: dict[str, Any]) -> None:
    request = rendered(vector)
    assert request.body.decode("ascii") == vector["body"]
    assert request == WireRequest("POST", vector["url"], request.headers, vector["body"].encode())
    assert dict(request.headers) == vector["headers"]


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_openssl_verifies_what_is_sent_over_the_golden_text(vector: dict[str, Any]) -> None:
    query, body = parameters(rendered(vector), vector["charset"])
    signature = base64.b64decode(query.pop("sign"), validate=True)
    text = "&".join(f"{name}={value}" for name, value in sorted((query | body).items())).encode(vector["charset"])
    assert text.decode(vector["charset"]) == vector["string_to_sign"]
    assert hashlib.sha256(text).hexdigest() == vector["sha256"]
    digest = {"RSA2": "sha256", "RSA": "sha1"}[vector["sign_type"]]
    assert openssl_verifies("cn-app", text, signature, digest)
    assert not openssl_verifies("stranger", text, signature, digest)


def test_the_page_s_own_sample_leaves_as_biz_content() -> None:
    vector = next(vector for vector in GOLDEN["vectors"] if "seed 003" in vector["name"])
    _, body = parameters(rendered({**vector, "update": SEED["update"]}))
    assert json.loads(body["biz_content"]) == SEED["sample"]


@pytest.mark.parametrize("row", TEXT["hashes"], ids=lambda row: f"{row['charset']} {row['hash']}")
def test_the_signed_text_has_the_hash_that_was_counted_elsewhere(row: dict[str, str]) -> None:
    params = {**TEXT["params"], "charset": row["charset"], "sign": "left out"}
    text = signed_text(params).encode(row["charset"])
    assert hashlib.new(row["hash"], text).hexdigest() == row["hex"]
    assert signed_text(dict(reversed(params.items()))).encode(row["charset"]) == text


def test_public_parameters_travel_in_the_query_and_everything_else_in_the_body() -> None:
    gateway = opened(app_auth_token=Secret(b" token-1\n", "test"))
    query, body = parameters(sent(gateway, Redeem(pass_=PassRef(id=SERIAL))))
    assert list(query) == ["app_id", "method", "format", "charset", "sign_type", "timestamp", "version", "sign"]
    assert list(body) == ["app_auth_token", "biz_content"]
    assert body["app_auth_token"] == "token-1"  # noqa: S105 - a test's
    assert "token-1" not in sent(gateway, Redeem(pass_=PassRef(id=SERIAL))).url


def test_a_token_is_signed_like_everything_else() -> None:
    for token in (b"token-1", b"token-2"):
        gateway = opened(app_auth_token=Secret(token, "test"))
        query, body = parameters(sent(gateway, Redeem(pass_=PassRef(id=SERIAL))))
        signature = base64.b64decode(query.pop("sign"))
        text = "&".join(f"{name}={value}" for name, value in sorted((query | body).items())).encode()
        assert b"app_auth_token=" + token in text
        assert openssl_verifies("cn-app", text, signature)


@pytest.mark.parametrize(
    ("now", "timestamp"),
    [
        ("2014-07-23T19:07:50Z", "2014-07-24 03:07:50"),
        ("2023-12-31T11:00:00.999-05:00", "2024-01-01 00:00:00"),
        ("2024-01-01T00:00:00+14:00", "2023-12-31 18:00:00"),
    ],
)
def test_the_timestamp_is_beijing_s(now: str, timestamp: str) -> None:
    gateway = account()
    prepared = gateway.prepare(UPDATES["close"], NOW)
    assert parameters(gateway.seal(prepared, datetime.fromisoformat(now)))[0]["timestamp"] == timestamp


def test_every_attempt_has_a_fresh_time_and_signature_round_the_same_bytes() -> None:
    gateway = account()
    prepared = gateway.prepare(UPDATES["revise"], NOW)
    first, again = (gateway.seal(prepared, datetime.fromisoformat(f"2014-07-23T19:07:{second}Z")) for second in (50, 51))
    assert first.body == again.body
    assert parameters(first)[0]["sign"] != parameters(again)[0]["sign"]


def test_what_is_empty_is_neither_signed_nor_sent() -> None:
    query, body = parameters(sent(account(), Revise(pass_=PassRef(id=SERIAL), content=Content(raw={}))))
    assert all((*query.values(), *body.values()))
    assert json.loads(body["biz_content"]) == {"channel_id": "2088918273", "serial_number": SERIAL, "tpl_params": "{}"}


def test_an_update_for_the_mainland_says_what_it_is_about() -> None:
    prepared = account().prepare(Redeem(pass_=PassRef(id=SERIAL, merchant="1"), proof=Proof(code="2")), NOW)
    assert (prepared.action, prepared.subject, prepared.at) == ("redeem", SERIAL, None)
    assert prepared.notes == ("pass.merchant left out: Mainland pass (alipay.pass.instance.update) has no field for it",)
    assert [(problem.path, problem.code) for problem in prepared.problems] == [("proof.method", "missing")]
    assert prepared.content is None


def test_a_moment_that_is_not_sent_stands_in_the_outcome_all_the_same() -> None:
    prepared = account().prepare(Redeem(pass_=PassRef(id=SERIAL), at=NOW), NOW)
    assert (prepared.at, prepared.problems) == (NOW, ())
    assert prepared.notes == ("at left out: Mainland pass (alipay.pass.instance.update) has no field for it",)


def test_nothing_prepared_by_another_backend_is_signed_or_judged_a_success() -> None:
    with pytest.raises(TypeError, match=r"^prepared by another backend$"):
        account().seal(Prepared("biz_content", "redeem"), NOW)
    request = sent(account(), Redeem(pass_=PassRef(id=SERIAL)))
    verdict = account().judge(Prepared("biz_content", "redeem", SERIAL), request, reply(body(node())), NOW)
    assert verdict.code is Code.UNTRUSTED_ANSWER


def test_an_account_opened_anew_judges_with_its_own_keys_and_tables() -> None:
    legacy, usual = opened(sign_type="RSA"), opened()
    for gateway, sign_type in ((usual, "RSA2"), (legacy, "RSA")):
        assert judged(body(node(), sign_type=sign_type), gateway).code is Code.APPLIED
        assert judged(body(node(code="40004"), sign_type=sign_type), gateway).code is Code.BAD_ANSWER
        busy = node(code="20000", sub_code="isp.unknow-error", success=..., result=...)
        assert judged(body(busy, sign_type=sign_type), gateway).code is Code.PROVIDER_ERROR


def test_an_account_tells_what_it_can_carry() -> None:
    able = account().capabilities
    assert (able.account, able.backend, able.profile, able.actions, able.kinds) == (
        "cn",
        "mainland",
        "pass",
        ("redeem", "close", "revise"),
        (),
    )
    members = "pass.id pass.channel content action proof.code proof.method pass.user_id pass.open_id"
    assert able.members == tuple(members.split(" "))
    assert isinstance(account(), ExecutesRequests)
    assert not isinstance(account(), CallsPaths)


PLACES = [
    ("pass.id", Redeem(pass_=PassRef(id="€1"))),
    ("pass.user_id", Redeem(pass_=PassRef(id="1", user_id="€"))),
    ("pass.open_id", Redeem(pass_=PassRef(id="1", open_id="€"))),
    ("pass.channel", Redeem(pass_=PassRef(id="1", channel="€"))),
    ("proof.code", Redeem(pass_=PassRef(id="1"), proof=Proof(code="€", method="input"))),
    ("content.params.title", Revise(pass_=PassRef(id="1"), content=Content(params={"title": "€"}))),
    ("content.params", Revise(pass_=PassRef(id="1"), content=Content(params={"€": "title"}))),
    ("content.params.a[1].b", Revise(pass_=PassRef(id="1"), content=Content(params={"a": [1, {"b": "€"}]}))),
    ("content.raw.title", Revise(pass_=PassRef(id="1"), content=Content(raw={"title": "€"}))),
]


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize(("path", "update"), PLACES, ids=[path for path, _ in PLACES])
def test_text_that_gbk_cannot_hold_is_refused_under_any_charset_and_its_place_named(path: str, update: Redeem, charset: str) -> None:
    problems = account(charset).prepare(update, NOW).problems
    assert [(problem.path, problem.code, problem.message, problem.mend) for problem in problems] == [
        (path, "unencodable_text", "'€' can't be held by GBK", "write it otherwise")
    ]


def test_each_bad_character_is_named_once() -> None:
    (problem,) = account().prepare(Revise(pass_=PassRef(id="1"), content=Content(params={"a": "😀好€a😀"})), NOW).problems
    assert problem.message == "'€', '😀' can't be held by GBK"


def test_what_is_not_sent_is_not_held_against_gbk() -> None:
    update = Redeem(to="😀", key="😀", kind="😀", pass_=PassRef(id="1", template="😀", merchant="😀"))
    assert account().prepare(update, NOW).problems == ()


def test_the_check_can_be_switched_off_but_not_for_a_gbk_request() -> None:
    update = Revise(pass_=PassRef(id="1"), content=Content(params={"title": "€"}))
    assert opened(gbk_check=False).prepare(update, NOW).problems == ()
    assert [problem.path for problem in opened(gbk_check=False, charset="gbk").prepare(update, NOW).problems] == ["content.params.title"]


def test_a_channel_of_the_account_that_gbk_cannot_hold_is_refused_too() -> None:
    gateway = opened(charset="gbk", channel_id="€")
    prepared = gateway.prepare(Redeem(pass_=PassRef(id="1")), NOW)
    assert [problem.code for problem in prepared.problems] == ["unencodable_text"]
