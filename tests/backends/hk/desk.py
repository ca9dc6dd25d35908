"""A merchant's account at AlipayHK, and AlipayHK itself, which signs by hand: its text is written here once more."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from urllib.parse import quote

from cryptography.hazmat.primitives.hashes import HashAlgorithm

from passbridge import Close, Content, PassRef, PassUpdate, Redeem, Refund, Revise
from passbridge.backends.hk import BACKEND, HkSettings
from passbridge.backends.hk.backend import HkGateway
from passbridge.domain import Native
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireResponse
from tests.backends.support import secret, sign, tables

__all__ = [
    "CLIENT",
    "NOW",
    "PATH",
    "SUCCESS",
    "TIME",
    "UPDATES",
    "account",
    "field",
    "judged",
    "native",
    "opened",
    "reply",
    "result",
    "signature",
]

NOW = datetime(2024, 5, 22, 1, 12, 21, tzinfo=UTC)
TIME = "2024-05-22T09:12:21+08:00"
PATH = "/api/open/alipay/v1/ipass/pass/manage/updatePass"
CLIENT = "4Q5Y8W0WSG45P907917"

_PASS = PassRef(id="2995228480402564890020", user_id="2160400000000135")
UPDATES: Mapping[str, PassUpdate] = {
    "redeem": Redeem(pass_=_PASS),
    "close": Close(pass_=_PASS),
    "revise": Revise(pass_=_PASS, kind="pass", content=Content(params={"availableTimes": 1})),
    "refund": Refund(pass_=_PASS),
}


def settings(**given: object) -> HkSettings:
    """An account's settings: those given on top of ones that work."""
    usual: dict[str, object] = {
        "name": "hk-tickets",
        "origin": "",
        "backend": "hk",
        "profile": "ticket",
        "gateway": "https://open.alipay.hk",
        "client_id": CLIENT,
        "merchant_id": "2312314123123123",
        "private_key": secret("hk-app"),
        "gateway_public_key": secret("hk-gateway-public"),
    }
    return HkSettings.model_validate({name: value for name, value in (usual | given).items() if value is not None})


def opened(overlay: str = "", **given: object) -> HkGateway:
    """An account with these settings."""
    return BACKEND.open(settings(**given), tables(overlay), None)


@cache
def account(profile: str = "ticket") -> HkGateway:
    """An account of this profile."""
    return opened(profile=profile)


def result(code: str | None = "SUCCESS", status: str | None = "S", node: str = "result", **more: object) -> bytes:
    """A body as AlipayHK writes it."""
    words = {"resultCode": code, "resultStatus": status, "resultMessage": "said so"}
    return json.dumps({node: {name: word for name, word in words.items() if word is not None}, **more}).encode()


SUCCESS = result()


def native(code: str | None = "SUCCESS", status: str | None = "S", *, verified: bool = True) -> Native:
    """The words of `result()` as an outcome shows them."""
    return Native(code=code, status=status, message="said so", verified=verified)


def signature(  # noqa: PLR0913 - one for each part of the signed text
    body: bytes,
    *,
    key: str = "hk-gateway",
    digest: HashAlgorithm | None = None,
    method: str = "POST",
    path: str = PATH,
    client: str = CLIENT,
    time: str = TIME,
) -> bytes:
    """AlipayHK's signature over an answer."""
    return sign(key, b" ".join([method.encode(), path.encode()]) + b"\n" + client.encode() + b"." + time.encode() + b"." + body, digest)


def field(signed: bytes) -> str:
    """A `Signature` field as the official kits write it."""
    return "algorithm=RSA256,keyVersion=1,signature=" + quote(base64.b64encode(signed).decode(), safe="")


def reply(
    body: bytes = SUCCESS, *, time: str = TIME, signed: str | None = None, status: int = 200, more: Sequence[tuple[str, str]] = ()
) -> WireResponse:
    """An answer, rightly signed unless its `Signature` field is given."""
    value = field(signature(body, time=time)) if signed is None else signed
    headers = [("client-id", CLIENT), ("response-time", time), ("signature", value), ("tracerid", "t-1"), *more]
    return WireResponse(status, Headers(headers), body)


def judged(response: WireResponse, gateway: HkGateway | None = None, action: str = "redeem", now: datetime = NOW) -> Verdict:
    """What an account makes of an answer to one of the `UPDATES`."""
    gateway = gateway or account()
    prepared = gateway.prepare(UPDATES[action], NOW)
    return gateway.judge(prepared, gateway.seal(prepared, NOW), response, now)
