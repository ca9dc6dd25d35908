"""A sandbox, and two merchants who sign by hand: nothing of the client's code takes part."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_from_bytes, quote_plus, unquote_to_bytes

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from passbridge.sandbox import Sandbox

PATH = "/api/open/alipay/v1/ipass/pass/manage/updatePass"
USER = "2160400000000135"
OPEN_ID = "fj398457jd8iue98d8w7w93j"
CARD = "2995228480402564890018"
MEMBER = "2995228480402564890019"
TICKET = "2995228480402564890020"
SERIAL = "209919213"
CHANNEL = "2088918273"
TIME = "2024-05-22T06:42:21+05:30"
MOMENT = 1733907407766


@dataclass(frozen=True)
class Answer:
    """What came back over the socket."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(self.body)


def ask(url: str, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One request on one connection; raises what `http.client` raises when the connection is cut."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, target, body, dict(headers or {}))
        response = connection.getresponse()
        return Answer(response.status, dict(response.getheaders()), response.read())
    finally:
        connection.close()


@lru_cache
def private(pem: bytes) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    return key


@lru_cache
def public(pem: bytes) -> RSAPublicKey:
    key = serialization.load_pem_public_key(pem)
    assert isinstance(key, RSAPublicKey)
    return key


def signed_by(key: RSAPublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        key.verify(signature, data, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


@dataclass
class Hk:
    """A merchant at AlipayHK."""

    box: Sandbox
    settings: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.settings = self.box.config()["accounts"]["hk-tickets"]
        self.key = private(self.settings["private_key"])
        self.client: str = self.settings["client_id"]

    def body(self, pass_id: str, status: str, **members: object) -> dict[str, Any]:
        body = {"merchantId": self.settings["merchant_id"], "userId": USER, "passId": pass_id, "status": status, **members}
        return {name: value for name, value in body.items() if value is not ...}

    def sign(self, text: bytes) -> str:
        return quote_plus(base64.b64encode(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())))

    def headers(self, body: bytes, target: str = PATH, time: str = TIME) -> dict[str, str]:
        value = self.sign(b"POST " + target.encode() + b"\n" + self.client.encode() + b"." + time.encode() + b"." + body)
        return {
            "Content-Type": "application/json; charset=UTF-8",
            "Client-Id": self.client,
            "Request-Time": time,
            "Signature": f"algorithm=RSA256,keyVersion=1,signature={value}",
        }

    def send(self, body: bytes | dict[str, Any], time: str = TIME) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return ask(self.box.url, "POST", PATH, raw, self.headers(raw, time=time))

    def code(self, pass_id: str, status: str, **members: object) -> str:
        """Send an update; the code of the verified answer."""
        answer = self.send(self.body(pass_id, status, **members))
        assert self.verified(answer)
        code: str = answer.json["result"]["resultCode"]
        return code

    def verified(self, answer: Answer, target: str = PATH) -> bool:
        if "signature" not in answer.headers:
            return False
        algorithm, version, signature = answer.headers["signature"].split(",")
        assert (algorithm, version) == ("algorithm=RSA256", "keyVersion=1")
        text = f"POST {target}\n{self.client}.{answer.headers['response-time']}.".encode() + answer.body
        value = base64.b64decode(unquote_to_bytes(signature.removeprefix("signature=")), validate=True)
        return signed_by(public(self.settings["gateway_public_key"]), value, text, hashes.SHA256())


@dataclass
class Cn:
    """A merchant at the mainland's gateway; `always` are parameters of each of its requests."""

    box: Sandbox
    account: str = "cn"
    always: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.settings = self.box.config(all_accounts=self.account != "cn")["accounts"][self.account]
        self.key = private(self.settings["private_key"])

    def params(self, biz: object = None, **changes: object) -> dict[str, str]:
        """The parameters of a request; `...` takes one away."""
        content = biz if isinstance(biz, str) else json.dumps(biz, ensure_ascii=False)
        params = {
            "app_id": self.settings["app_id"],
            "method": "alipay.pass.instance.update",
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": "2014-07-24 03:07:50",
            "version": "1.0",
            "biz_content": content,
            **self.always,
            **changes,
        }
        return {name: str(value) for name, value in params.items() if value is not ...}

    def sign(self, params: Mapping[str, str], codec: str = "utf-8") -> str:
        """Sign as the gateway's page says: by name, `k=v`, joined by `&`, the empty ones left out."""
        text = "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name])
        algorithm = hashes.SHA1() if params.get("sign_type") == "RSA" else hashes.SHA256()  # noqa: S303 - the gateway's legacy type
        return base64.b64encode(self.key.sign(text.encode(codec), padding.PKCS1v15(), algorithm)).decode()

    def post(self, params: Mapping[str, str], codec: str = "utf-8", body: tuple[str, ...] = ("biz_content",)) -> Answer:
        """Send parameters as they stand, the named ones in the body, the rest in the query."""
        query = encoded({name: value for name, value in params.items() if name not in body}, codec)
        form = encoded({name: value for name, value in params.items() if name in body}, codec)
        headers = {"Content-Type": f"application/x-www-form-urlencoded;charset={codec}"}
        return ask(self.box.url, "POST", "/gateway.do?" + query, form.encode(), headers)

    def send(self, biz: object, codec: str = "utf-8", /, **changes: object) -> Answer:
        params = self.params(biz, **({"charset": codec} | changes))
        return self.post({**params, "sign": self.sign(params, codec)}, codec)

    def call(self, method: str, biz: object, **changes: object) -> dict[str, Any]:
        """Send a request to any method; the node of the verified answer, its `result` as an object."""
        node = self.node(self.send(biz, method=method, **changes))
        return {**node, "result": json.loads(node["result"])} if "result" in node else node

    def node(self, answer: Answer, codec: str = "utf-8") -> dict[str, Any]:
        """The node of a verified answer."""
        assert self.verified(answer)
        node: dict[str, Any] = json.loads(raw_node(answer.body).decode(codec))
        return node

    def code(self, status: object = None, **members: object) -> str:
        """Send an update; the sub code of the verified answer, or `10000`."""
        biz = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": status, **members}
        node = self.node(self.send({name: value for name, value in biz.items() if value is not None and value is not ...}))
        code: str = node.get("sub_code", node["code"])
        return code

    def verified(self, answer: Answer, algorithm: hashes.HashAlgorithm | None = None) -> bool:
        """Whether the gateway signed the node's own bytes."""
        _, found, tail = answer.body.rpartition(b',"sign":"')
        if not found:
            return False
        signature = base64.b64decode(tail.removesuffix(b'"}'), validate=True)
        return signed_by(public(self.settings["gateway_public_key"]), signature, raw_node(answer.body), algorithm or hashes.SHA256())


def raw_node(body: bytes) -> bytes:
    return body.partition(b'_response":')[2].rpartition(b',"sign":"')[0]


def encoded(params: Mapping[str, str], codec: str) -> str:
    return "&".join(f"{quote(name)}={quote_from_bytes(value.encode(codec), safe='')}" for name, value in params.items())


@pytest.fixture
def hk(box: Sandbox) -> Hk:
    return Hk(box)


@pytest.fixture
def cn(box: Sandbox) -> Cn:
    return Cn(box)


@pytest.fixture
def cn_agent(box: Sandbox) -> Cn:
    agent = Cn(box, "cn-agent")
    agent.always["app_auth_token"] = agent.settings["app_auth_token"].decode()
    return agent


@pytest.fixture
def cn_aes(box: Sandbox) -> Cn:
    """A merchant who has an encrypt key, and doesn't use it unless told to."""
    return Cn(box, "cn-aes")


def state(box: Sandbox, pass_id: str) -> dict[str, Any]:
    """The pass as the sandbox keeps it."""
    return next(dict(one) for one in box.passes() if one["id"] == pass_id)


def last(box: Sandbox) -> dict[str, Any]:
    """The last request in the log."""
    return dict(box.requests()[-1])
