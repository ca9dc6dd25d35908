"""What every contender is given alike: keys, accounts, one update and its bytes in each region, and the answers to it.

The answers are made before anything is measured. AlipayHK's signature covers path, client id, time and body, the
mainland's only the node: so one prepared answer is right for every request of an account, and the responder need not
sign. The mainland's `result` names no pass, so that it is right for every pass too.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any, Final
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from passbridge import Client, Content, PassRef, PassUpdate, Proof, Redeem, Revise, WireRequest

__all__ = ["CLIENT_ID", "EAST_8", "GATEWAY_DO", "NODE", "PATH", "REGIONS", "UPDATES", "World", "sign", "verify"]

CLIENT_ID: Final = "4Q5Y8W0WSG45P907917"
PATH: Final = "/api/open/alipay/v1/ipass/pass/manage/updatePass"
GATEWAY_DO: Final = "/gateway.do"
NODE: Final = "alipay_pass_instance_update_response"
EAST_8: Final = timezone(timedelta(hours=8))
REGIONS: Final = ("hk", "cn")

_GATE: Final = Content(params={"gate": "B12"}, locales={"zh_HK": {"notice": "登機口更改"}, "en_US": {"notice": "Gate changed"}})
UPDATES: Final[dict[str, PassUpdate]] = {
    "hk": Revise(to="hk", pass_=PassRef(id="2995228480402564890020", user_id="2160400000000135"), kind="air_ticket", content=_GATE),
    "cn": Redeem(
        to="cn",
        pass_=PassRef(id="209919213", channel="2088918273"),
        proof=Proof(code="8612231273", method="wave"),
        content=Content(params={"title": "券标题", "gate": "B12", "notice": "登机口更改"}),
    ),
}
"""A gate changes on an AlipayHK ticket; a mainland coupon is used, and shows something new."""

_DONE: Final = {
    "hk": {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}},
    "cn": {
        "code": "10000",
        "msg": "Success",
        "success": "true",
        "result": json.dumps({"errorCode": "SUCCESS", "errorMsg": "处理成功", "operate": "UPDATE"}, ensure_ascii=False),
    },
}


def sign(key: RSAPrivateKey, data: bytes) -> str:
    """A signature by the leanest means there are, in base64."""
    return base64.b64encode(key.sign(data, padding.PKCS1v15(), hashes.SHA256())).decode()


def verify(key: rsa.RSAPublicKey, data: bytes, signature: str | bytes) -> None:
    """Raise `InvalidSignature` unless this key made this signature."""
    key.verify(base64.b64decode(signature), data, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class World:
    """One merchant with an account in each region, and the gateways' key.

    Attributes:
        merchant: the merchant's key, the same in both regions.
        gateway: the gateways' key, likewise.
        url: where the responder listens.
    """

    merchant: RSAPrivateKey
    gateway: RSAPrivateKey
    url: str = "http://127.0.0.1:1"

    @classmethod
    def new(cls) -> World:
        """Two fresh RSA-2048 keys; nobody listens yet."""
        merchant, gateway = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
        return cls(merchant, gateway)

    @cached_property
    def private_pem(self) -> bytes:
        """The merchant's key in PKCS#1, the one form that both official kits read."""
        return self.merchant.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())

    @cached_property
    def public_pem(self) -> bytes:
        """The gateways' public key."""
        return self.gateway.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def config(self) -> dict[str, Any]:
        """passbridge's configuration. The answers are as old as the run, so the window for their time is a day."""
        keys = {"private_key": self.private_pem, "gateway_public_key": self.public_pem}
        hk = {"backend": "hk", "profile": "ticket", "client_id": CLIENT_ID, "merchant_id": "2312314123123123", "gateway": self.url}
        cn = {"backend": "mainland", "app_id": "2014072300007148", "channel_id": "2088918273", "gateway": self.url + GATEWAY_DO}
        return {"accounts": {"hk": hk | keys, "cn": cn | keys}, "retry": {"clock_window": 86400}}

    def rendered(self, region: str) -> WireRequest:
        """The region's update as passbridge sends it: everybody sends these business bytes."""
        with Client.from_config(self.config) as client:
            return client.render(UPDATES[region])

    def answers(self) -> dict[str, bytes]:
        """The whole HTTP answers, by the path that is asked."""
        return {PATH: self._hk(), GATEWAY_DO: self._cn()}

    def _hk(self) -> bytes:
        body = json.dumps(_DONE["hk"], separators=(",", ":")).encode()
        time = datetime.now(EAST_8).isoformat(timespec="seconds")
        signature = quote_plus(sign(self.gateway, f"POST {PATH}\n{CLIENT_ID}.{time}.".encode() + body))
        return _http(
            body,
            "content-type: application/json; charset=UTF-8",
            f"client-id: {CLIENT_ID}",
            f"response-time: {time}",
            f"signature: algorithm=RSA256,keyVersion=1,signature={signature}",
            "tracerid: abcdefg135202000000000263818",
        )

    def _cn(self) -> bytes:
        node = json.dumps(_DONE["cn"], ensure_ascii=False, separators=(",", ":"))
        body = f'{{"{NODE}":{node},"sign":"{sign(self.gateway, node.encode())}"}}'.encode()
        return _http(body, "content-type: text/html;charset=utf-8", "trace_id: 21468a2f17000000000001234e1234")


def _http(body: bytes, *fields: str) -> bytes:
    head = ("HTTP/1.1 200 OK", "server: gateway", f"content-length: {len(body)}", *fields, "", "")
    return "\r\n".join(head).encode() + body
