"""An answer of AlipayHK in the making: what it says, the text it signs, and its header fields.

Owns the parts of an honest answer and how they are put together, written from AlipayHK's pages alone. It must not know
which faults take the parts and put them together otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.signing import ALGORITHMS
from passbridge.protocol.wire import Headers, WireRequest, WireResponse

__all__ = ["HONG_KONG", "HkDraft", "honest", "mark", "sealed", "signature", "unsealed"]

HONG_KONG: Final = timezone(timedelta(hours=8))
_HASH: Final = ALGORITHMS["RSA256"].hash


@dataclass(frozen=True, slots=True, kw_only=True)
class HkDraft:
    """The parts of an answer, none of them put together yet.

    Attributes:
        request: the request.
        method: its method, as it is signed.
        target: its path with its query, as it is signed.
        client_id: whose it is.
        member: the answer's one member.
        members: the result.
        now: when it is answered.
        trace: the exchange's name.
        key: the gateway's key.
        stranger: a key nobody registered.
        old: an earlier answer.
    """

    request: WireRequest
    method: str
    target: str
    client_id: str
    member: str
    members: JsonObject
    now: datetime
    trace: str
    key: RSAPrivateKey
    stranger: Callable[[], RSAPrivateKey]
    old: WireResponse | None = None

    @property
    def time(self) -> str:
        """Response-Time as the gateway writes it."""
        return self.now.astimezone(HONG_KONG).isoformat(timespec="seconds")

    @property
    def result(self) -> bytes:
        """The result's text."""
        return write_json(self.members).encode()

    @property
    def body(self) -> bytes:
        """`{"result": …}`."""
        return self.holding(self.result)

    def holding(self, result: bytes) -> bytes:
        """A body with this result in it."""
        return b'{"%b":%b}' % (self.member.encode(), result)


def signature(draft: HkDraft, body: bytes, digest: hashes.HashAlgorithm = _HASH) -> bytes:
    """The signature over this body."""
    text = f"{draft.method} {draft.target}\n{draft.client_id}.{draft.time}.".encode() + body
    return draft.key.sign(text, padding.PKCS1v15(), digest)


def mark(value: bytes, algorithm: str = "RSA256", version: str = "1", spelt: Callable[[bytes], str] = quote_plus) -> str:
    """The `Signature` header's text."""
    return f"algorithm={algorithm},keyVersion={version},signature={spelt(base64.b64encode(value))}"


def unsealed(draft: HkDraft, body: bytes) -> WireResponse:
    """An answer without a signature; header names in lower case, which an official SDK insists on."""
    return WireResponse(200, Headers({"content-type": "application/json;charset=UTF-8", "tracerid": draft.trace}), body)


def sealed(draft: HkDraft, body: bytes, *marks: str) -> WireResponse:
    """An answer with these signatures."""
    plain = unsealed(draft, body)
    fields = [("client-id", draft.client_id), ("response-time", draft.time), *(("signature", one) for one in marks)]
    return WireResponse(200, Headers([*plain.headers.pairs(), *fields]), body)


def honest(draft: HkDraft, body: bytes | None = None) -> WireResponse:
    """The answer, or another body, rightly signed."""
    body = draft.body if body is None else body
    return sealed(draft, body, mark(signature(draft, body)))
