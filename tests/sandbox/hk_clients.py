"""AlipayHK's merchants whose requests aren't signed by RSA or aren't plain, by hand: nothing of the client takes part.

Ciphertexts are made and opened here by what the documents say of RSA_AES, with no code of the package.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.padding import PKCS7

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import PATH, TIME, USER, Answer, ask, private, public

IPASS = "/api/open/alipay/v1/ipass"
CREATE_PASS = f"{IPASS}/pass/manage/createPass"
CREATE_TEMPLATE = f"{IPASS}/template/manage/createTemplate"
UPDATE_TEMPLATE = f"{IPASS}/template/manage/updateTemplate"
DETAIL = f"{IPASS}/template/manage/detail"
SWITCH_STATUS = f"{IPASS}/template/manage/switchStatus"


class HkClient:
    """One account at AlipayHK: how it signs is told apart by its settings' algorithm."""

    def __init__(self, box: Sandbox, account: str) -> None:
        self.box = box
        self.settings: dict[str, Any] = box.config(all_accounts=True)["accounts"][account]
        self.client: str = self.settings["client_id"]
        self.merchant: str = self.settings["merchant_id"]
        self.algorithm: str = self.settings.get("algorithm", "RSA256")
        self.version: str = self.settings["key_version"]
        self.digest: hashes.HashAlgorithm = hashes.SHA224() if self.algorithm == "ECC224" else hashes.SHA256()

    def body(self, pass_id: str, status: str, **members: object) -> dict[str, Any]:
        return {"merchantId": self.merchant, "userId": USER, "passId": pass_id, "status": status, **members}

    def signature(self, data: bytes) -> bytes:
        if self.algorithm == "ECC224":
            return curve_key(self.settings["private_key"]).sign(data, ECDSA(self.digest))
        return private(self.settings["private_key"]).sign(data, padding.PKCS1v15(), self.digest)

    def headers(self, body: bytes, target: str) -> dict[str, str]:
        value = quote_plus(base64.b64encode(self.signature(f"POST {target}\n{self.client}.{TIME}.".encode() + body)))
        return {
            "Content-Type": "application/json; charset=UTF-8",
            "Client-Id": self.client,
            "Request-Time": TIME,
            "Signature": f"algorithm={self.algorithm},keyVersion={self.version},signature={value}",
        }

    def post(self, target: str, body: bytes, more: Mapping[str, str] | None = None) -> Answer:
        return ask(self.box.url, "POST", target, body, self.headers(body, target) | dict(more or {}))

    def call(self, target: str, body: Mapping[str, object]) -> dict[str, Any]:
        """A verified answer."""
        answer = self.post(target, json.dumps(body, ensure_ascii=False).encode())
        assert self.verified(answer, target)
        document: dict[str, Any] = answer.json
        return document

    def code(self, target: str, body: Mapping[str, object]) -> str:
        """The code of a verified answer."""
        code: str = self.call(target, body)["result"]["resultCode"]
        return code

    def mark(self, answer: Answer) -> dict[str, str]:
        return dict(part.split("=", 1) for part in answer.headers["signature"].split(","))

    def value(self, answer: Answer) -> bytes:
        return base64.b64decode(unquote_to_bytes(self.mark(answer)["signature"]), validate=True)

    def text(self, answer: Answer, target: str = PATH) -> bytes:
        return f"POST {target}\n{self.client}.{answer.headers['response-time']}.".encode() + answer.body

    def gateway_key(self, version: str) -> bytes:
        keys: dict[str, bytes] = self.settings.get("gateway_public_keys") or {"1": self.settings["gateway_public_key"]}
        return keys[version]

    def verified(self, answer: Answer, target: str = PATH) -> bool:
        """Whether the key of the version that the answer names made its signature."""
        if "signature" not in answer.headers:
            return False
        mark = self.mark(answer)
        key = serialization.load_pem_public_key(self.gateway_key(mark["keyVersion"]))
        try:
            if isinstance(key, EllipticCurvePublicKey):
                key.verify(self.value(answer), self.text(answer, target), ECDSA(self.digest))
            else:
                public(self.gateway_key(mark["keyVersion"])).verify(
                    self.value(answer), self.text(answer, target), padding.PKCS1v15(), self.digest
                )
        except InvalidSignature:
            return False
        return mark["algorithm"] == self.algorithm


class Encrypting(HkClient):
    """A merchant whose bodies are encrypted by RSA_AES."""

    wrapping: padding.AsymmetricPadding = padding.PKCS1v15()
    media_type = "text/plain; charset=UTF-8"
    aes_key = bytes(range(32))

    def __init__(self, box: Sandbox) -> None:
        super().__init__(box, "hk-encrypted")

    def wrapped(self, version: str = "1") -> str:
        value = public(self.gateway_key(version)).encrypt(self.aes_key, self.wrapping)
        return f"algorithm=RSA_AES,keyVersion={version},symmetricKey={quote_plus(base64.b64encode(value))}"

    def send(self, body: Mapping[str, object] | bytes, target: str = PATH, **changed: str) -> Answer:
        plain = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        fields = {"Content-Type": self.media_type, "Encrypt": self.wrapped(), **changed}
        return self.post(target, base64.b64encode(enciphered(self.aes_key, plain)), fields)

    def key_of(self, answer: Answer) -> bytes:
        """The AES key that came with an answer."""
        mark = dict(part.split("=", 1) for part in answer.headers["encrypt"].split(","))
        assert mark["algorithm"] == "RSA_AES"
        wrapped = base64.b64decode(unquote_to_bytes(mark["symmetricKey"]), validate=True)
        return private(self.settings["private_key"]).decrypt(wrapped, self.wrapping)

    def opened(self, answer: Answer, target: str = PATH) -> Any:  # noqa: ANN401 - JSON
        """What stands in a verified, encrypted answer."""
        assert self.verified(answer, target)
        return json.loads(deciphered(self.key_of(answer), base64.b64decode(answer.body, validate=True)))


@lru_cache
def curve_key(pem: bytes) -> EllipticCurvePrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def enciphered(key: bytes, plain: bytes) -> bytes:
    padder, encryptor = PKCS7(128).padder(), Cipher(AES(key), ECB()).encryptor()  # noqa: S305 - the sibling gateway's own mode
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def deciphered(key: bytes, data: bytes) -> bytes:
    unpadder, decryptor = PKCS7(128).unpadder(), Cipher(AES(key), ECB()).decryptor()  # noqa: S305 - likewise
    return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
