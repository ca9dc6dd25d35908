"""An app's account at the mainland gateway, and the gateway itself, which signs by hand the bytes of its own node."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from passbridge import Close, Content, PassRef, PassUpdate, Proof, Redeem, Revise
from passbridge.backends.mainland import BACKEND, MainlandSettings
from passbridge.backends.mainland.backend import MainlandGateway
from passbridge.protocol.settings import Secret
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireResponse
from tests.backends.support import certificate, secret, sign, tables, vector_file

__all__ = [
    "CERTIFIED",
    "ENCRYPT_KEY",
    "METHOD",
    "NODE",
    "NOW",
    "SERIAL",
    "UPDATES",
    "account",
    "answer",
    "body",
    "judged",
    "node",
    "opened",
    "reply",
    "settings",
    "signature",
]

NOW = datetime(2014, 7, 23, 19, 7, 50, tzinfo=UTC)
METHOD = "alipay.pass.instance.update"
NODE = "alipay_pass_instance_update_response"
SERIAL = "209919213"

CERTIFIED: Mapping[str, Any] = {
    "gateway_public_key": None,
    "app_cert": certificate("app"),
    "gateway_cert": certificate("gateway"),
    "root_cert": certificate("root"),
}
"""Certificate mode, in place of the public key."""

ENCRYPT_KEY = Secret(vector_file("mainland.json")["encrypt_key"].encode(), "the console")

_PASS = PassRef(id=SERIAL)
UPDATES: Mapping[str, PassUpdate] = {
    "redeem": Redeem(pass_=_PASS, proof=Proof(code="8612231273", method="wave")),
    "close": Close(pass_=_PASS),
    "revise": Revise(pass_=_PASS, content=Content(params={"title": "券标题"})),
}


def settings(**given: object) -> MainlandSettings:
    """An account's settings: those given on top of ones that work."""
    usual: dict[str, object] = {
        "name": "cn",
        "origin": "",
        "backend": "mainland",
        "gateway": "https://openapi.alipay.com/gateway.do",
        "app_id": "2014072300007148",
        "channel_id": "2088918273",
        "private_key": secret("cn-app"),
        "gateway_public_key": secret("cn-gateway-public"),
    }
    return MainlandSettings.model_validate({name: value for name, value in (usual | given).items() if value is not None})


def opened(overlay: str = "", **given: object) -> MainlandGateway:
    """An account with these settings."""
    return BACKEND.open(settings(**given), tables(overlay), None)


@cache
def account(charset: str = "utf-8", sign_type: str = "RSA2") -> MainlandGateway:
    """An account with this charset and sign type."""
    return opened(charset=charset, sign_type=sign_type)


def node(**members: object) -> str:
    """A node as the gateway writes it, the whole success of the page's sample but for what is given; None leaves out."""
    result = {"serialNumber": SERIAL, "passId": "1", "operate": "UPDATE", "errorCode": "SUCCESS", "errorMsg": "处理成功"}
    usual: dict[str, Any] = {"msg": "Success", "result": json.dumps(result, ensure_ascii=False), "code": "10000", "success": "true"}
    return json.dumps({name: value for name, value in (usual | members).items() if value is not ...}, ensure_ascii=False)


def signature(source: bytes, *, key: str = "cn-gateway", sign_type: str = "RSA2") -> str:
    """The gateway's signature over a node's exact bytes, in base64."""
    return base64.b64encode(sign(key, source, SHA256() if sign_type == "RSA2" else SHA1())).decode()  # noqa: S303 - the legacy type


def body(source: str, *, name: str = NODE, charset: str = "utf-8", signed: str | None = None, sign_type: str = "RSA2") -> bytes:
    """An answer around a node, rightly signed unless its `sign` is given."""
    raw = source.encode(charset)
    value = signature(raw, sign_type=sign_type) if signed is None else signed
    return b'{"' + name.encode() + b'":' + raw + b',"sign":"' + value.encode() + b'"}'


def reply(raw: bytes, *, status: int = 200, more: Mapping[str, str] | None = None) -> WireResponse:
    """An answer as it arrives; its content type says nothing true."""
    return WireResponse(status, Headers({"Content-Type": "text/html;charset=utf-8", "trace_id": "t-1", **(more or {})}), raw)


def judged(raw: bytes | WireResponse, gateway: MainlandGateway | None = None, action: str = "redeem") -> Verdict:
    """What an account makes of an answer to one of the `UPDATES`."""
    gateway = gateway or account()
    prepared = gateway.prepare(UPDATES[action], NOW)
    response = raw if isinstance(raw, WireResponse) else reply(raw)
    return gateway.judge(prepared, gateway.seal(prepared, NOW), response, NOW)


def answer(action: str = "redeem", **members: object) -> Verdict:
    """What an account makes of a rightly signed node with these members."""
    return judged(body(node(**members)), action=action)
