"""The envelope of a request to AlipayHK: its headers, opened and checked up to the signature.

Owns the checks up to the signature's, their order, and the text a request signs, written from AlipayHK's pages alone
(seeds 000 to 002, the digital signature page, the common codes page). It must not know the client's own reading of
those pages, which may be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from passbridge.protocol.keys import KeyProblem, public_key_for
from passbridge.protocol.signing import ALGORITHMS, Algorithm, PublicKey, verify
from passbridge.protocol.wire import Headers, WireRequest
from passbridge.sandbox.hk_headers import algorithm_named, decoded, newest, pairs
from passbridge.sandbox.hk_keys import ENCRYPTION
from passbridge.sandbox.world import World

__all__ = [
    "CREATE_PASS",
    "CREATE_TEMPLATE",
    "PATH",
    "PATHS",
    "SWITCH_STATUS",
    "TEMPLATE_DETAIL",
    "UNSIGNED",
    "UPDATE_TEMPLATE",
    "Letter",
    "opened",
    "refused",
]

_IPASS: Final = "/api/open/alipay/v1/ipass"
PATH: Final = f"{_IPASS}/pass/manage/updatePass"
CREATE_PASS: Final = f"{_IPASS}/pass/manage/createPass"
CREATE_TEMPLATE: Final = f"{_IPASS}/template/manage/createTemplate"
UPDATE_TEMPLATE: Final = f"{_IPASS}/template/manage/updateTemplate"
TEMPLATE_DETAIL: Final = f"{_IPASS}/template/manage/detail"
SWITCH_STATUS: Final = f"{_IPASS}/template/manage/switchStatus"
PATHS: Final = (PATH, CREATE_PASS, CREATE_TEMPLATE, UPDATE_TEMPLATE, TEMPLATE_DETAIL, SWITCH_STATUS)
"""The APIs simulated."""

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

_JSON: Final = frozenset({"application/json", "application/json;charset=utf-8"})
_CIPHERTEXT: Final = _JSON | {"text/plain", "text/plain;charset=utf-8"}
"""What a sibling gateway's SDK calls a ciphertext; others leave the type of the text inside."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A request's envelope, opened.

    Attributes:
        request: the request.
        path: the path without its query.
        target: the path with its query, as it is signed.
        client_id: the `Client-Id` header, if there is just one.
        marks: the pairs of the `Signature` header, their names in lower case.
        algorithm: what they say it is signed by, if that is known.
        encrypt: the `Encrypt` header, if there is just one.
        keys: the client's registered public keys by version.
        secrecy: the public key that answers to the client are encrypted for, if its bodies are.
    """

    request: WireRequest
    path: str
    target: str
    client_id: str
    marks: Mapping[str, str]
    algorithm: Algorithm | None
    encrypt: str
    keys: Mapping[str, bytes]
    secrecy: bytes | None

    @property
    def version(self) -> str:
        """The key version that the header names; the newest, where it names none."""
        return self.marks.get("keyversion") or newest(self.keys)

    @property
    def key(self) -> bytes | None:
        """The public key of that version."""
        return self.keys.get(self.version)


def opened(world: World, request: WireRequest) -> Letter:
    """Open the envelope; nothing is believed yet."""
    target = re.sub(r"^https?://[^/?]*", "", request.url) or "/"
    client_id = _only(request.headers, "client-id")
    registered = world.store.app_keys("hk", client_id) or {}
    marks = pairs(_only(request.headers, "signature"))
    return Letter(
        request=request,
        path=target.partition("?")[0],
        target=target,
        client_id=client_id,
        marks=marks,
        algorithm=algorithm_named(marks.get("algorithm", ""), world.guesses),
        encrypt=_only(request.headers, "encrypt"),
        keys={version: pem for version, pem in registered.items() if version != ENCRYPTION},
        secrecy=registered.get(ENCRYPTION),
    )


def _only(headers: Headers, name: str) -> str:
    """A header's value if it came just once."""
    values = headers.all(name)
    return values[0] if len(values) == 1 else ""


def _method(letter: Letter) -> str:
    return "" if letter.request.method == "POST" else "the method is not POST"


def _path(letter: Letter) -> str:
    return "" if letter.path in PATHS else "the path is none that is simulated"


def _media_type(letter: Letter) -> str:
    header = _only(letter.request.headers, "content-type").lower().replace(" ", "")
    return "" if header in (_CIPHERTEXT if letter.encrypt else _JSON) else "the content type is not application/json in UTF-8"


def _client(letter: Letter) -> str:
    return "" if letter.keys else "the client id is missing or unknown"


def _key(letter: Letter) -> str:
    if not letter.key:
        return "no key is registered under this version"
    if letter.algorithm and not _public(letter.algorithm.name, letter.key):
        return f"no {letter.algorithm.name} key is registered under this version"
    return ""


def _signature(letter: Letter) -> str:
    if not letter.algorithm:
        return "the algorithm is unknown"
    signature, time = decoded(letter.marks.get("signature", "")), _only(letter.request.headers, "request-time")
    key = _public(letter.algorithm.name, letter.key or b"")
    if not signature or not time or not key:
        return "the signature or the request time is missing or unreadable"
    signed = f"{letter.request.method} {letter.target}\n{letter.client_id}.{time}.".encode() + letter.request.body
    return "" if verify(key, letter.algorithm, signed, signature) else "the signature does not match"


@lru_cache
def _public(algorithm: str, pem: bytes) -> PublicKey | None:
    """The key, if it is one for the algorithm of this name."""
    try:
        return public_key_for(ALGORITHMS[algorithm], pem)
    except KeyProblem:
        return None


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
