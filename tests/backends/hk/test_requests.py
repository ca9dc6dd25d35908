"""What leaves for AlipayHK, to the byte, judged by bytes and signatures that others made."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import pytest

from passbridge import InvalidUpdate, load_update
from passbridge.backends.hk.backend import HkGateway
from passbridge.backends.hk.signature import signed_path
from passbridge.protocol.gateway import CallsPaths, ExecutesRequests, Prepared
from passbridge.protocol.settings import Secret
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from tests.backends.hk.desk import NOW, PATH, UPDATES, account, judged, opened
from tests.backends.support import openssl_verifies, tables, vector_file

GOLDEN = vector_file("hk.json")
OFFICIAL = vector_file("alipayhk.json")
SEEDS = [seed for seed in vector_file("seeds.json") if seed["backend"] == "hk"]
OFFICIAL_BODIES = [vector["string_to_sign"].split(f"{OFFICIAL['time']}.")[1].encode() for vector in OFFICIAL["vectors"]]


def rendered(gateway: HkGateway, update: Mapping[str, object], now: str) -> WireRequest:
    """The request for an update at a time."""
    moment = datetime.fromisoformat(now)
    prepared = gateway.prepare(load_update(update), moment)
    assert not prepared.problems
    return gateway.seal(prepared, moment)


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_a_request_is_the_golden_one_to_the_byte(vector: dict[str, Any]) -> None:
    gateway = opened(profile=vector["profile"], merchant_id=vector["merchant_id"], gateway=GOLDEN["gateway"], client_id=GOLDEN["client_id"])
    request = rendered(gateway, vector["update"], GOLDEN["now"])
    assert request.body.decode() == vector["body"]
    assert request == WireRequest("POST", vector["url"], request.headers, vector["body"].encode())
    assert dict(request.headers) == vector["headers"]


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_openssl_verifies_what_is_sent_over_the_golden_text(vector: dict[str, Any]) -> None:
    request = rendered(opened(profile=vector["profile"], merchant_id=vector["merchant_id"]), vector["update"], GOLDEN["now"])
    text = vector["string_to_sign"].encode()
    signature = base64.b64decode(unquote(request.headers["Signature"].partition("signature=")[2]), validate=True)
    assert hashlib.sha256(text).hexdigest() == vector["sha256"]
    assert text.endswith(b"." + request.body)
    assert openssl_verifies("hk-app", text, signature)
    assert not openssl_verifies("stranger", text, signature)


@pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed["name"])
def test_under_the_overlay_that_flips_the_names_the_page_s_own_sample_leaves(seed: dict[str, Any]) -> None:
    gateway = opened(seed["overlay"], profile="card", merchant_id=None)
    assert json.loads(rendered(gateway, seed["update"], GOLDEN["now"]).body) == seed["sample"]


def official() -> HkGateway:
    """The account of the vectors that the official kits signed."""
    private = Secret(OFFICIAL["private_key_pkcs8_b64_THROWAWAY"].encode(), "alipayhk.json")
    return opened(private_key=private, client_id=OFFICIAL["client_id"])


@pytest.mark.parametrize("number", [0, 1])
def test_our_signature_is_the_official_kits_own(number: int) -> None:
    gateway = official()
    _, prepared = gateway.calling(OFFICIAL["path"], json.loads(OFFICIAL_BODIES[number]))
    request = gateway.seal(prepared, datetime.fromisoformat(OFFICIAL["time"]))
    vector = OFFICIAL["vectors"][number]
    assert request.body == OFFICIAL_BODIES[number]
    # The kits' sample is written in India's time, ours in Hong Kong's: the same text but for that.
    text = vector["string_to_sign"].replace(OFFICIAL["time"], request.headers["Request-Time"])
    assert request.headers["Request-Time"] == "2024-05-22T09:12:21+08:00"
    assert hashlib.sha256(vector["string_to_sign"].encode()).hexdigest() == vector["sha256"]
    assert gateway.sign(vector["string_to_sign"].encode()) == base64.b64decode(unquote(vector["sig"]))
    assert gateway.sign(text.encode()) == base64.b64decode(unquote(request.headers["Signature"].partition("signature=")[2]))


@pytest.mark.parametrize("number", [0, 1])
def test_the_official_kits_signature_over_an_answer_is_accepted(number: int) -> None:
    key = Secret(OFFICIAL["public_key_b64_spki"].encode(), "alipayhk.json")
    gateway = opened(gateway_public_key=key, client_id=OFFICIAL["client_id"])
    signature = f"algorithm=RSA256,keyVersion=1,signature={OFFICIAL['vectors'][number]['sig']}"
    headers = Headers({"Signature": signature, "Response-Time": OFFICIAL["time"]})
    believed = judged(WireResponse(200, headers, OFFICIAL_BODIES[number]), gateway)
    assert (believed.code, believed.reason, believed.finding) == ("BAD_ANSWER", "no result node", None)
    other = judged(WireResponse(200, headers, OFFICIAL_BODIES[1 - number]), gateway)
    assert other.finding is not None
    assert other.finding.code == "SIG-MISMATCH"


def test_every_attempt_has_a_fresh_time_and_signature_round_the_same_bytes() -> None:
    gateway = account()
    prepared = gateway.prepare(UPDATES["revise"], NOW)
    first, again = gateway.seal(prepared, NOW), gateway.seal(prepared, datetime.fromisoformat("2024-05-22T01:12:26Z"))
    assert first.body == again.body
    assert first.url == again.url == f"https://open.alipay.hk{PATH}"
    assert again.headers["Request-Time"] == "2024-05-22T09:12:26+08:00"
    assert first.headers["Signature"] != again.headers["Signature"]


def test_a_gateway_below_a_path_signs_that_path_too() -> None:
    gateway = opened(gateway="http://127.0.0.1:8080/base/")
    request = gateway.seal(gateway.prepare(UPDATES["redeem"], NOW), NOW)
    assert request.url == f"http://127.0.0.1:8080/base{PATH}"
    text = f"POST /base{PATH}\n{request.headers['Client-Id']}.{request.headers['Request-Time']}.".encode() + request.body
    assert openssl_verifies("hk-app", text, base64.b64decode(unquote(request.headers["Signature"].partition("signature=")[2])))


@pytest.mark.parametrize(
    ("url", "path"),
    [("https://a.example/b?c=d", "/b?c=d"), ("https://a.example/b", "/b"), ("https://a.example", "/"), ("https://a.example?c=d", "/?c=d")],
)
def test_the_path_is_signed_with_its_query_and_without_its_host(url: str, path: str) -> None:
    assert signed_path(url) == path


def test_a_prepared_update_says_what_it_is_about_and_what_was_left_out() -> None:
    prepared = account().prepare(
        load_update({"action": "revise", "pass": {"id": "1", "user_id": "2", "channel": "3"}, "kind": "tram"}), NOW
    )
    assert (prepared.action, prepared.subject, prepared.at) == ("revise", "1", NOW)
    assert prepared.notes == (
        "pass.channel left out: AlipayHK redeemable card or ticket has no field for it",
        "nothing to revise: neither content nor valid_until nor code_info is given",
    )
    assert [(problem.path, problem.code) for problem in prepared.problems] == [("content", "missing"), ("kind", "unknown_kind")]


def test_the_merchant_of_the_account_is_only_a_default() -> None:
    given = {"action": "redeem", "pass": {"id": "1", "user_id": "2", "merchant": "other"}}
    assert json.loads(rendered(account(), given, GOLDEN["now"]).body)["merchantId"] == "other"
    missing = opened(merchant_id=None).prepare(UPDATES["redeem"], NOW).problems
    assert [(problem.path, problem.code) for problem in missing] == [("pass.merchant", "missing")]


def test_nothing_prepared_by_another_backend_is_signed() -> None:
    with pytest.raises(TypeError, match=r"^prepared by another backend$"):
        account().seal(Prepared(b"{}", "redeem"), NOW)


def test_an_account_tells_what_it_can_carry() -> None:
    gateway = account("membership")
    able = gateway.capabilities
    assert (able.account, able.backend, able.profile, able.actions, able.kinds) == (
        "hk-tickets",
        "hk",
        "membership",
        ("close", "revise"),
        ("member_card",),
    )
    members = "pass.merchant pass.user_id pass.open_id pass.template pass.id action kind valid_until content code_info"
    assert able.members == tuple(members.split(" "))
    assert isinstance(gateway, CallsPaths)
    assert not isinstance(gateway, ExecutesRequests)
    assert gateway.profile == tables().profiles["hk.membership"]


def refused(path: object, body: object) -> list[tuple[str, str, str, str]]:
    """Every problem of a call."""
    with pytest.raises(InvalidUpdate) as caught:
        account().calling(path, body)  # type: ignore[arg-type]  # that is what is tried
    return [(problem.path, problem.code, problem.message, problem.mend) for problem in caught.value.problems]


BAD_PATH = ("path", "bad_path", "is no path of a URL", "begin it with / and percent-encode what a URL can't hold")
NO_OBJECT = ("body", "not_an_object", "is no JSON object", "give a dict")
OTHER_HOSTS = ["createPass", "", "@elsewhere.example/x", ".elsewhere.example/x", ":8443/x"]


@pytest.mark.parametrize("path", [*OTHER_HOSTS, "/x#", "/a b", "/a\n", "/名", "/a\\b", None, b"/x"])
def test_a_call_goes_to_the_configured_host_or_nowhere(path: object) -> None:
    assert refused(path, {}) == [BAD_PATH]


@pytest.mark.parametrize("path", ["/", "/a/b.c-d_e~f", "/a%20b", "/a?b=c&d=%E5%90%8D"])
def test_a_call_may_go_to_any_path_of_a_url(path: str) -> None:
    _, prepared = account().calling(path, {"名": None})
    request = account().seal(prepared, NOW)
    assert (request.url, request.body) == (f"https://open.alipay.hk{path}", '{"名":null}'.encode())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "NaN and Infinity are not JSON"),
        (float("-inf"), "NaN and Infinity are not JSON"),
        ("\ud800", "text holds a lone surrogate, which no encoding can carry"),
    ],
    ids=["NaN", "Infinity", "a lone surrogate"],
)
def test_a_call_s_body_is_json_that_can_travel(value: float | str, message: str) -> None:
    assert refused("x", {"member": [value]}) == [BAD_PATH, ("body.member[0]", "not_json", message, "give JSON values alone")]


@pytest.mark.parametrize("body", [None, [], "{}", b"{}"], ids=str)
def test_a_call_s_body_is_an_object(body: object) -> None:
    assert refused("/x", body) == [NO_OBJECT]
