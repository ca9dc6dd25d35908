"""AlipayHK's signature as its makers write and check it (global-open-sdk-python), against ours and the sandbox's."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from com.alipay.ams.api.tools import signature_tool as kit
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from rsa import VerificationError

from passbridge import Client, Code
from passbridge.protocol.settings import Secret
from passbridge.sandbox import Sandbox
from tests.backends.hk.desk import CLIENT, NOW, PATH, SUCCESS, TIME, UPDATES, account, judged, opened, reply, result
from tests.backends.support import pem, vector_file
from tests.contract.asking import PASSES, UPDATE_PASS, state, update

OFFICIAL = vector_file("alipayhk.json")


def verified(headers: Mapping[str, str], body: bytes, key: bytes, client_id: str = CLIENT, *, time: str = "Request-Time") -> bool:
    """Whether the kit accepts a `Signature` field over a body."""
    signature = headers["Signature"].partition("signature=")[2]
    try:
        return bool(kit.verify("POST", PATH, client_id, headers[time], body.decode(), signature, key.decode()))
    except VerificationError:
        return False


def kit_key(key: bytes) -> str:
    """A private key as the kit wants it: PKCS#1."""
    loaded = load_pem_private_key(key, None)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def exchanged(url: str, headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """One request to a sandbox over a bare socket; header names come in lower case, as the kit insists on."""
    connection = http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=20)
    try:
        connection.request("POST", PATH, body, dict(headers))
        response = connection.getresponse()
        return dict(response.getheaders()), response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("action", UPDATES)
def test_the_kit_accepts_what_we_send_and_nothing_else(action: str) -> None:
    gateway = account()
    request = gateway.seal(gateway.prepare(UPDATES[action], NOW), NOW)
    assert verified(request.headers, request.body, pem("hk-app-public"))
    assert not verified(request.headers, request.body + b" ", pem("hk-app-public"))
    assert not verified(request.headers, request.body, pem("stranger-public"))


@pytest.mark.parametrize("vector", vector_file("hk.json")["vectors"], ids=lambda vector: vector["name"])
def test_the_kit_s_signature_of_a_golden_request_is_the_golden_one(vector: dict[str, Any]) -> None:
    signed = kit.sign("POST", PATH, CLIENT, vector["headers"]["Request-Time"], vector["body"], pem("hk-app").decode())
    assert vector["headers"]["Signature"] == f"algorithm=RSA256,keyVersion=1,signature={signed}"


@pytest.mark.parametrize(
    "body",
    [
        SUCCESS,
        result("PASS_HAS_NOT_EXIST", "F"),
        '{"resultInfo":{"resultCode":"NEW","resultStatus":"F","resultMessage":"票已失效"}}'.encode(),
    ],
)
def test_an_answer_that_the_kit_signed_is_believed(body: bytes) -> None:
    signed = kit.sign("POST", PATH, CLIENT, TIME, body.decode(), pem("hk-gateway").decode())
    assert judged(reply(body, signed=f"algorithm=RSA256,keyVersion=1,signature={signed}")).code in {
        Code.APPLIED,
        Code.PASS_NOT_FOUND,
        Code.REFUSED,
    }
    other = kit.sign("POST", PATH, CLIENT, TIME, body.decode() + " ", pem("hk-gateway").decode())
    assert judged(reply(body, signed=f"algorithm=RSA256,keyVersion=1,signature={other}")).code is Code.UNTRUSTED_ANSWER


@pytest.mark.parametrize("number", [0, 1])
def test_the_published_vectors_hold_in_the_kit_and_here_in_both_directions(number: int) -> None:
    vector = OFFICIAL["vectors"][number]
    body = vector["string_to_sign"].partition(OFFICIAL["time"] + ".")[2]
    key = kit_key(
        b"-----BEGIN PRIVATE KEY-----\n" + OFFICIAL["private_key_pkcs8_b64_THROWAWAY"].encode() + b"\n-----END PRIVATE KEY-----\n"
    )
    text = kit.gen_sign_content("POST", OFFICIAL["path"], OFFICIAL["client_id"], OFFICIAL["time"], body)
    assert text == vector["string_to_sign"]
    assert kit.sign("POST", OFFICIAL["path"], OFFICIAL["client_id"], OFFICIAL["time"], body, key) == vector["sig"]
    ours = opened(gateway_public_key=Secret(OFFICIAL["public_key_b64_spki"].encode(), "alipayhk.json"))
    response = reply(body.encode(), time=OFFICIAL["time"], signed=f"algorithm=RSA256,keyVersion=1,signature={vector['sig']}")
    assert judged(response, ours).finding is None


@pytest.fixture(scope="module")
def tickets(running: Sandbox) -> dict[str, Any]:
    """The configuration of a ticket account at the sandbox."""
    config: dict[str, Any] = running.config()["accounts"]["hk-tickets"]
    return config


def test_the_kit_accepts_the_sandbox_s_answers_and_so_do_we(tickets: dict[str, Any], box: Sandbox) -> None:
    with Client.from_config(box.config()) as client:
        sent = client.render(update("hk-tickets", "redeem"))
        for code in ("SUCCESS", "PASS_USED_OCCUPIED"):
            headers, body = exchanged(box.url, sent.headers, sent.body)
            names = {"Signature": headers["signature"], "Response-Time": headers["response-time"]}
            assert verified(names, body, tickets["gateway_public_key"], tickets["client_id"], time="Response-Time")
            assert not verified(names, body + b" ", tickets["gateway_public_key"], tickets["client_id"], time="Response-Time")
            assert headers["client-id"] == tickets["client_id"]
            assert json.loads(body)["result"]["resultCode"] == code
        assert client.apply(update("hk-tickets", "redeem")).code is Code.ALREADY_IN_STATE
    assert state(box, "hk-tickets") == ("USED", {})


def test_the_sandbox_accepts_what_the_kit_signs_and_refuses_another_key(tickets: dict[str, Any], box: Sandbox) -> None:
    body = json.dumps(
        {"merchantId": tickets["merchant_id"], "userId": PASSES["hk-tickets"].user_id, "passId": PASSES["hk-tickets"].id, "status": "USED"}
    )
    for key, code in ((pem("stranger"), "INVALID_SIGNATURE"), (tickets["private_key"], "SUCCESS")):
        signed = kit.sign("POST", UPDATE_PASS, tickets["client_id"], TIME, body, kit_key(key))
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "Client-Id": tickets["client_id"],
            "Request-Time": TIME,
            "Signature": f"algorithm=RSA256,keyVersion=1,signature={signed}",
        }
        answered, said = exchanged(box.url, headers, body.encode())
        assert json.loads(said)["result"]["resultCode"] == code
        assert ("signature" in answered) == (code == "SUCCESS")
    assert state(box, "hk-tickets") == ("USED", {})


def test_our_signature_s_bytes_are_what_the_field_says() -> None:
    gateway = account()
    request = gateway.seal(gateway.prepare(UPDATES["redeem"], NOW), NOW)
    value = request.headers["Signature"].partition("signature=")[2]
    assert kit.sign("POST", PATH, CLIENT, request.headers["Request-Time"], request.body.decode(), pem("hk-app").decode()) == value
    assert len(base64.b64decode(unquote(value), validate=True)) == 256
