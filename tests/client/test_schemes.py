"""ECC224 and RSA_AES through both clients over real sockets; the gateway's side is the OpenSSL command line's alone."""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote_plus, unquote

import pytest

from passbridge import CallFailed, Outcome, PassRef, Redeem
from tests.backends.support import VECTORS, openssl_verifies, pem
from tests.client.answers import CLIENT_ID, HONG_KONG, http, raw
from tests.client.gateway import Gateway, Received, Step
from tests.client.use import DEADLINE, Use, applying, codes
from tests.vectors.rsa_aes import openssl, seal, unseal

KEYS = VECTORS / "keys"
REDEEM = Redeem(to="hk", pass_=PassRef(id="2995228480402564890020", user_id="2160400000000135"))
BODY = b'{"merchantId":"2312314123123123","userId":"2160400000000135","passId":"2995228480402564890020","status":"USED"}'
DONE = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'
BUSY = b'{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"U","resultMessage":"try again"}}'


@dataclass
class Theirs:
    """AlipayHK's side of one scheme.

    Attributes:
        ours: the merchant's key, by its file's name.
        key: AlipayHK's own.
        algorithm: the signature's name.
        digest: its hash.
        version: of AlipayHK's key, as its answers name it.
        wrap: how AES keys are wrapped; None where nothing is encrypted.
        texts: the text of every request whose signature held.
    """

    ours: str = "hk-app"
    key: str = "hk-gateway"
    algorithm: str = "RSA256"
    digest: str = "sha256"
    version: str = "1"
    wrap: str | None = None
    texts: list[bytes] = field(default_factory=list)

    def says(self, body: bytes) -> Step:
        """Read a request, and answer with this text."""
        return raw(lambda request: self._answer(request, body))

    def plain(self, body: bytes) -> Step:
        """Read a request, and answer with this text, signed but never encrypted."""

        def answer(request: Received) -> bytes:
            self._read(request)
            return http(body, *self._signed(request, body))

        return raw(answer)

    def _answer(self, request: Received, body: bytes) -> bytes:
        self._read(request)
        if self.wrap is None:
            return http(body, *self._signed(request, body))
        said, ciphertext = seal(body, KEYS / f"{self.ours}-public.pem", self.wrap, os.urandom(32))
        return http(ciphertext, *self._signed(request, ciphertext), f"Encrypt: {said}")

    def _read(self, request: Received) -> None:
        parts = dict(part.split("=", 1) for part in request.header("Signature").split(","))
        text = f"POST {request.target}\n{CLIENT_ID}.{request.header('Request-Time')}.".encode() + request.body
        assert parts["algorithm"] == self.algorithm
        assert openssl_verifies(self.ours, text, base64.b64decode(unquote(parts["signature"])), self.digest)
        if self.wrap is None:
            self.texts.append(request.body)
        else:
            self.texts.append(unseal(request.header("Encrypt"), request.body, KEYS / f"{self.key}.pem", self.wrap))

    def _signed(self, request: Received, body: bytes) -> list[str]:
        moment = datetime.now(HONG_KONG).isoformat(timespec="seconds")
        text = f"POST {request.target}\n{CLIENT_ID}.{moment}.".encode() + body
        signature = quote_plus(base64.b64encode(openssl("dgst", f"-{self.digest}", "-sign", str(KEYS / f"{self.key}.pem"), data=text)))
        return [f"Response-Time: {moment}", f"Signature: algorithm={self.algorithm},keyVersion={self.version},signature={signature}"]


SCHEMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "ECC224": (
        {"algorithm": "ECC224", "private_key": pem("hk-app-ecc"), "gateway_public_key": pem("hk-gateway-ecc-public")},
        {"ours": "hk-app-ecc", "key": "hk-gateway-ecc", "algorithm": "ECC224", "digest": "sha224"},
    ),
    "ECC224 with SHA-256": (
        {
            "algorithm": "ECC224",
            "ecc_hash": "SHA256",
            "private_key": pem("hk-app-ecc"),
            "gateway_public_key": pem("hk-gateway-ecc-public"),
        },
        {"ours": "hk-app-ecc", "key": "hk-gateway-ecc", "algorithm": "ECC224"},
    ),
    "two keys, the older one": (
        {"gateway_public_key": None, "gateway_public_keys": {"9": pem("hk-gateway-public"), "10": pem("hk-gateway-2-public")}},
        {"version": "9"},
    ),
    "two keys, the newer one": (
        {"gateway_public_key": None, "gateway_public_keys": {"9": pem("hk-gateway-public"), "10": pem("hk-gateway-2-public")}},
        {"version": "10", "key": "hk-gateway-2"},
    ),
    "RSA_AES": ({"encryption": {}}, {"wrap": "PKCS1"}),
    "RSA_AES by OAEP": ({"encryption": {"wrap": "OAEP-SHA256", "content_type": "application/json"}}, {"wrap": "OAEP-SHA256"}),
}


def config(url: str, members: dict[str, Any]) -> dict[str, Any]:
    usual = {
        "backend": "hk",
        "profile": "ticket",
        "gateway": url,
        "client_id": CLIENT_ID,
        "merchant_id": "2312314123123123",
        "private_key": pem("hk-app"),
        "gateway_public_key": pem("hk-gateway-public"),
    }
    account = {name: value for name, value in (usual | members).items() if value is not None}
    return {"accounts": {"hk": account}, "retry": {"deadline": DEADLINE, "attempts": 3}}


@pytest.fixture(params=SCHEMES)
def scheme(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Theirs]:
    """An account's own members, and AlipayHK's side of them."""
    members, theirs = SCHEMES[request.param]
    return members, Theirs(**theirs)


def test_an_update_is_carried_and_every_attempt_is_sealed_anew(use: Use, scheme: tuple[dict[str, Any], Theirs]) -> None:
    members, theirs = scheme
    with Gateway(theirs.says(BUSY), theirs.says(DONE)) as gateway:
        outcome = use.apply(config(gateway.url, members), REDEEM, signers={})
    assert codes(outcome) == ["APPLIED", "PROVIDER_ERROR", "APPLIED"]
    assert theirs.texts == [BODY, BODY]
    first, second = (request.body for request in gateway.received)
    assert (first != second) is (theirs.wrap is not None)


@pytest.mark.parametrize(
    "path",
    [
        "/api/open/alipay/v1/ipass/template/manage/createTemplate",
        "/api/open/alipay/v1/ipass/template/manage/detail",
        "/api/open/alipay/v1/ipass/template/manage/switchStatus",
        "/api/open/alipay/v1/ipass/pass/manage/createPass",
        "/api/open/alipay/v1/merchant/order/sync",
    ],
)
def test_any_other_call_is_carried(use: Use, scheme: tuple[dict[str, Any], Theirs], path: str) -> None:
    members, theirs = scheme
    answer = {**json.loads(DONE), "passId": "2020091119027102160530200000039", "名": "券"}
    with Gateway(theirs.says(json.dumps(answer).encode())) as gateway:
        (got,) = use.in_turn(config(gateway.url, members), lambda client: client.call("hk", path, {"名": None}), signers={})
    assert got == answer
    assert theirs.texts == ['{"名":null}'.encode()]
    assert [request.target for request in gateway.received] == [path]


def test_nothing_is_believed_by_another_scheme(use: Use, scheme: tuple[dict[str, Any], Theirs]) -> None:
    members, theirs = scheme
    theirs.key, theirs.version = ("hk-app-ecc" if theirs.algorithm == "ECC224" else "stranger"), "10"
    theirs.wrap = None
    with Gateway(raw(lambda request: http(DONE, *theirs._signed(request, DONE)))) as gateway:
        outcome = use.apply(config(gateway.url, members), REDEEM, signers={})
    assert codes(outcome) == ["UNTRUSTED_ANSWER", "UNTRUSTED_ANSWER"]
    assert outcome.finding is not None
    assert outcome.finding.code == "SIG-MISMATCH"


def test_a_plain_answer_to_an_encrypted_request_is_told_and_not_tried_again(use: Use) -> None:
    theirs = Theirs(wrap="PKCS1")
    with Gateway(theirs.plain(DONE)) as gateway:
        answers = use.in_turn(config(gateway.url, {"encryption": {}}), applying(REDEEM), signers={})
    (outcome,) = answers
    assert isinstance(outcome, Outcome)
    assert codes(outcome) == ["UNTRUSTED_ANSWER", "UNTRUSTED_ANSWER"]
    assert (outcome.next, outcome.finding and outcome.finding.code) == ("investigate", "ENC-PLAIN")
    assert outcome.native is not None
    assert not outcome.native.verified
    with Gateway(theirs.plain(DONE)) as gateway, pytest.raises(CallFailed) as raised:
        use.in_turn(config(gateway.url, {"encryption": {}}), lambda client: client.call("hk", "/x", {}), signers={})
    assert (raised.value.outcome.code, raised.value.outcome.finding) == ("UNTRUSTED_ANSWER", outcome.finding)


def test_an_answer_for_somebody_else_is_a_bad_one_and_not_tried_again(use: Use) -> None:
    theirs = Theirs(wrap="PKCS1")

    def answer(request: Received) -> bytes:
        theirs._read(request)
        said, ciphertext = seal(DONE, KEYS / "stranger-public.pem", "PKCS1", os.urandom(32))
        return http(ciphertext, *theirs._signed(request, ciphertext), f"Encrypt: {said}")

    with Gateway(raw(answer)) as gateway:
        outcome = use.apply(config(gateway.url, {"encryption": {}}), REDEEM, signers={})
    assert codes(outcome) == ["BAD_ANSWER", "BAD_ANSWER"]
    assert (outcome.effect, outcome.finding and outcome.finding.code) == ("unknown", "ENC-UNREADABLE")
    assert outcome.attempts[0].reason == "the answer can't be decrypted"
