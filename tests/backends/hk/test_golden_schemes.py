"""The other schemes against golden bytes: what leaves under RSA_AES, what ECC224 signs, and answers that OpenSSL made once."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA224, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from passbridge import Code, load_update
from passbridge.backends.hk import BACKEND
from passbridge.backends.hk.backend import HkGateway
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from tests.backends.hk.desk import NOW, UPDATES, settings
from tests.backends.support import pem, secret, tables, vector_file

GOLDEN, DRAWN = vector_file("hk-schemes.json"), vector_file("hk-drawn.json")
HASHES: dict[str, Any] = {"sha224": SHA224(), "sha256": SHA256()}
ON_THE_CURVE = {"algorithm": "ECC224", "private_key": secret("hk-app-ecc"), "gateway_public_key": secret("hk-gateway-ecc-public")}


def opened(**given: object) -> HkGateway:
    return BACKEND.open(settings(**given), tables(), None).drawing(lambda size: bytes.fromhex(GOLDEN["aes_key"])[:size])


def rendered(vector: dict[str, Any], **given: object) -> WireRequest:
    gateway = opened(profile=vector["profile"], merchant_id=vector["merchant_id"], **given)
    moment = datetime.fromisoformat(GOLDEN["now"])
    return gateway.seal(gateway.prepare(load_update(vector["update"]), moment), moment)


def signature(request: WireRequest) -> str:
    return unquote(request.headers["Signature"].partition("signature=")[2])


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
def test_an_encrypted_request_is_the_golden_one_to_the_byte(vector: dict[str, Any]) -> None:
    request = rendered(vector, encryption={})
    assert request.body.decode() == vector["rsa_aes"]["body"]
    assert signature(request) == vector["rsa_aes"]["signature"]


@pytest.mark.parametrize("vector", GOLDEN["vectors"], ids=lambda vector: vector["name"])
@pytest.mark.parametrize("digest", HASHES)
def test_what_ecc224_signs_is_the_golden_text_under_its_hash(digest: str, vector: dict[str, Any]) -> None:
    request = rendered(vector, **ON_THE_CURVE, ecc_hash=digest.upper())
    key = load_pem_public_key(pem("hk-app-ecc-public"))
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(base64.b64decode(signature(request)), bytes.fromhex(vector["ecc224"][digest]), ec.ECDSA(Prehashed(HASHES[digest])))


def judged(gateway: HkGateway, body: str, algorithm: str, signed: str, *said: tuple[str, str]) -> Code:
    value = f"algorithm={algorithm},keyVersion=1,signature={quote(signed, safe='')}"
    headers = Headers([("response-time", DRAWN["response_time"]), ("signature", value), *said])
    prepared = gateway.prepare(UPDATES["redeem"], NOW)
    return gateway.judge(prepared, gateway.seal(prepared, NOW), WireResponse(200, headers, body.encode()), NOW).code


@pytest.mark.parametrize("made", HASHES)
@pytest.mark.parametrize("configured", HASHES)
def test_the_answer_that_openssl_signed_on_the_curve(configured: str, made: str) -> None:
    code = judged(opened(**ON_THE_CURVE, ecc_hash=configured.upper()), DRAWN["body"], "ECC224", DRAWN["ecc224"][made])
    assert code is (Code.APPLIED if made == configured else Code.UNTRUSTED_ANSWER)


@pytest.mark.parametrize("made", DRAWN["rsa_aes"]["encrypt"])
@pytest.mark.parametrize("configured", DRAWN["rsa_aes"]["encrypt"])
def test_the_answer_that_openssl_encrypted(configured: str, made: str) -> None:
    answer = DRAWN["rsa_aes"]
    gateway = opened(encryption={"wrap": configured})
    code = judged(gateway, answer["body"], "RSA256", answer["signature"], ("encrypt", answer["encrypt"][made]))
    assert code is (Code.APPLIED if made == configured else Code.BAD_ANSWER)
