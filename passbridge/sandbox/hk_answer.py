"""An answer of AlipayHK in the making: what it says, the text it signs, and its header fields.

Owns the parts of an honest answer and how they are put together, written from AlipayHK's pages alone. It must not know
which faults take the parts and put them together otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Final
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.signing import Algorithm, PrivateKey, signer
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.hk_headers import encoded
from passbridge.sandbox.hk_secrecy import Cover

__all__ = ["HONG_KONG", "GatewayKey", "HkDraft", "honest", "mark", "sealed", "signature", "unsealed"]

HONG_KONG: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class GatewayKey:
    """One of the gateway's own keys, and the version that it is known by."""

    key: PrivateKey
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HkDraft:
    """The parts of an answer, none of them put together yet.

    Attributes:
        request: the request.
        method: its method, as it is signed.
        target: its path with its query, as it is signed.
        client_id: whose it is.
        member: the member that holds the result.
        members: the result.
        beside: the members that stand beside it.
        now: when it is answered.
        trace: the exchange's name.
        algorithm: what the client's signatures are made by, and so the gateway's.
        key: the gateway's key.
        next_key: the key that will follow it.
        stranger: a key of the same kind that nobody registered.
        cover: what the body is put under, if the exchange is encrypted.
        same_cover: the cover of the request, put over the answer too.
        strange_cover: a cover that only a stranger can lift.
        media_type: the content type.
        old: an earlier answer.
    """

    request: WireRequest
    method: str
    target: str
    client_id: str
    member: str
    members: JsonObject
    beside: JsonObject
    now: datetime
    trace: str
    algorithm: Algorithm
    key: GatewayKey
    next_key: Callable[[], GatewayKey]
    stranger: Callable[[], PrivateKey]
    cover: Cover | None = None
    same_cover: Cover | None = None
    strange_cover: Callable[[], Cover | None] = lambda: None
    media_type: str = "application/json;charset=UTF-8"
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
    def plain(self) -> bytes:
        """`{"result": …}`."""
        return self.holding(self.result)

    @property
    def body(self) -> bytes:
        """What travels: the plain text, or its ciphertext."""
        return self.travelling(self.plain)

    def holding(self, result: bytes) -> bytes:
        """A plain body with this result in it."""
        beside = b"".join(b"," + write_json({name: value}).encode()[1:-1] for name, value in self.beside.items())
        return b'{"%b":%b%b}' % (self.member.encode(), result, beside)

    def travelling(self, plain: bytes) -> bytes:
        """Any plain body as it travels."""
        return self.cover.over(plain) if self.cover else plain


def signature(draft: HkDraft, body: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    """The signature over these bytes as they travel."""
    text = f"{draft.method} {draft.target}\n{draft.client_id}.{draft.time}.".encode() + body
    algorithm = replace(draft.algorithm, hash=digest) if digest else draft.algorithm
    return signer(draft.key.key, algorithm)(text)


def mark(draft: HkDraft, value: bytes, *, algorithm: str = "", version: str = "", spelt: Callable[[bytes], str] = quote_plus) -> str:
    """The `Signature` header's text."""
    return f"algorithm={algorithm or draft.algorithm.name},keyVersion={version or draft.key.version},signature={encoded(value, spelt)}"


def unsealed(draft: HkDraft, body: bytes) -> WireResponse:
    """An answer without a signature; header names in lower case, which an official SDK insists on."""
    fields = {"content-type": draft.media_type, "tracerid": draft.trace}
    if draft.cover and draft.cover.header:
        fields["encrypt"] = draft.cover.header
    return WireResponse(200, Headers(fields), body)


def sealed(draft: HkDraft, body: bytes, *marks: str) -> WireResponse:
    """An answer with these signatures."""
    plain = unsealed(draft, body)
    fields = [("client-id", draft.client_id), ("response-time", draft.time), *(("signature", one) for one in marks)]
    return WireResponse(200, Headers([*plain.headers.pairs(), *fields]), body)


def honest(draft: HkDraft, body: bytes | None = None) -> WireResponse:
    """The answer, or other bytes, rightly signed as they travel."""
    body = draft.body if body is None else body
    return sealed(draft, body, mark(draft, signature(draft, body)))
