"""The envelope of a request to AlipayHK: its headers, opened and checked up to the signature.

Owns the checks up to the signature's, their order, and the text a request signs, written from AlipayHK's pages alone
(seeds 000 to 002, the digital signature page, the common codes page). It must not know the client's own reading of
those pages, which may be wrong.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from passbridge.protocol.keys import public_key
from passbridge.protocol.signing import ALGORITHMS, rsa_verify
from passbridge.protocol.wire import Headers, WireRequest
from passbridge.sandbox.gateway import World

__all__ = ["PATH", "UNSIGNED", "Letter", "opened", "refused"]

PATH: Final = "/api/open/alipay/v1/ipass/pass/manage/updatePass"
"""The one API simulated."""

UNSIGNED: Final = frozenset(
    {
        "METHOD_NOT_SUPPORTED",
        "INVALID_API",
        "NO_INTERFACE_DEF",
        "MEDIA_TYPE_NOT_ACCEPTABLE",
        "INVALID_CLIENT",
        "CLIENT_VALIDATE_FAILED",
        "KEY_NOT_FOUND",
        "INVALID_SIGNATURE",
        "SIGNATURE_INVALID",
    }
)
"""Codes that a request meets before its signature is accepted: their answers carry neither signature nor time."""

_ALGORITHM: Final = ALGORITHMS["RSA256"]
_ALGORITHM_NAMES: Final = frozenset({"rsa256", "sha256withrsa"})
"""Names are not case-sensitive; older pages call the default by Java's name (seed 000)."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A request's envelope, opened.

    Attributes:
        request: the request.
        path: the path without its query.
        target: the path with its query, as it is signed.
        client_id: the `Client-Id` header, if there is just one.
        marks: the pairs of the `Signature` header, their names in lower case.
        keys: the client's registered public keys by version.
    """

    request: WireRequest
    path: str
    target: str
    client_id: str
    marks: Mapping[str, str]
    keys: Mapping[str, bytes] | None

    @property
    def key(self) -> bytes | None:
        """The public key that the header names; the newest, where it names none."""
        keys = self.keys or {}
        version = self.marks.get("keyversion") or max(keys, key=lambda name: (len(name), name), default="")
        return keys.get(version)


def opened(world: World, request: WireRequest) -> Letter:
    """Open the envelope; nothing is believed yet."""
    target = re.sub(r"^https?://[^/?]*", "", request.url) or "/"
    client_id = _only(request.headers, "client-id")
    return Letter(
        request=request,
        path=target.partition("?")[0],
        target=target,
        client_id=client_id,
        marks=_marks(_only(request.headers, "signature")),
        keys=world.store.app_keys("hk", client_id),
    )


def _only(headers: Headers, name: str) -> str:
    """A header's value if it came just once."""
    values = headers.all(name)
    return values[0] if len(values) == 1 else ""


def _marks(header: str) -> dict[str, str]:
    """`algorithm=RSA256, keyVersion=1, signature=…`, with or without blanks (seeds 001 and 002); a name twice is nothing."""
    pairs = [part.strip().partition("=") for part in header.split(",")]
    marks = {name.lower(): value for name, _, value in pairs}
    return marks if len(marks) == len(pairs) else {}


def _method(letter: Letter) -> str:
    return "" if letter.request.method == "POST" else "the method is not POST"


def _path(letter: Letter) -> str:
    return "" if letter.path == PATH else "the path is none that is simulated"


def _media_type(letter: Letter) -> str:
    header = _only(letter.request.headers, "content-type").lower().replace(" ", "")
    return "" if header in {"application/json", "application/json;charset=utf-8"} else "the content type is not application/json in UTF-8"


def _client(letter: Letter) -> str:
    return "" if letter.keys else "the client id is missing or unknown"


def _key(letter: Letter) -> str:
    if letter.marks.get("algorithm", "RSA256").lower() == "ecc224":
        return "no ECC224 key is registered"
    return "" if letter.key else "no key is registered under this version"


def _signature(letter: Letter) -> str:
    if letter.marks.get("algorithm", "RSA256").lower() not in _ALGORITHM_NAMES:
        return "the algorithm is unknown"
    signature, time = _decoded(letter.marks.get("signature", "")), _only(letter.request.headers, "request-time")
    if not signature or not time or not letter.key:
        return "the signature or the request time is missing or unreadable"
    signed = f"{letter.request.method} {letter.target}\n{letter.client_id}.{time}.".encode() + letter.request.body
    return "" if rsa_verify(_public(letter.key), _ALGORITHM, signed, signature) else "the signature does not match"


_public = lru_cache(public_key)


def _decoded(value: str) -> bytes:
    """Percent-encoded base64; a value with `+` and no `%` was not percent-encoded."""
    try:
        return base64.b64decode(unquote_to_bytes(value), validate=True)
    except binascii.Error:
        return b""


_CHECKS: Final[Mapping[str, tuple[str, Callable[[Letter], str]]]] = MappingProxyType(
    {
        "method": ("METHOD_NOT_SUPPORTED", _method),
        "path": ("INVALID_API", _path),
        "media_type": ("MEDIA_TYPE_NOT_ACCEPTABLE", _media_type),
        "client": ("INVALID_CLIENT", _client),
        "key": ("KEY_NOT_FOUND", _key),
        "signature": ("INVALID_SIGNATURE", _signature),
    }
)

_ORDERS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "transport-first": ("method", "path", "media_type", "client", "key", "signature"),
        "client-first": ("client", "key", "signature", "method", "path", "media_type"),
    }
)


def refused(world: World, letter: Letter) -> tuple[str, str] | None:
    """The first check that fails, as its code and what is wrong; nothing, if the signature is right."""
    for name in _ORDERS[world.guesses["hk.check_order"]]:
        code, check = _CHECKS[name]
        wrong = check(letter)
        if wrong:
            return code, wrong
    return None
