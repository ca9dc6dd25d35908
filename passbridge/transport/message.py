"""HTTP/1.1 as bytes: a request written, and the plain answer read at a glance.

Owns the spelling of requests, and which answers are so plain that they can be read without a state machine: whole in
the first bytes that came, framed by one `Content-Length`, nothing before, nothing behind. Of every other answer it
says nothing: `h11` reads those (`exchange`). Sends and receives nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import httpx

from passbridge.protocol.wire import Headers, WireRequest, WireResponse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_HEADERS", "Address", "Outgoing", "Proxy", "address_of", "outgoing", "plain_answer", "written"]

MAX_HEADERS: Final = 100
"""Header fields of an answer: many times what either gateway sends."""

_START: Final = re.compile(r"[A-Z]++ [!-~]++")
_FIELD: Final = re.compile(r"([!#-'*+.^_`|~0-9A-Za-z-]++):([ \t!-~]*+)\r\n")
"""A header field in ASCII (RFC 9110, 5.1 and 5.5): its name, and its value with the blanks around it."""
_HEAD: Final = re.compile(rf"HTTP/1\.1 ([2-9][0-9][0-9])(?: [ -~]*+)?\r\n((?:{_FIELD.pattern})*+)")
_BODILESS: Final = frozenset({"204", "304"})
_FRAMING: Final = frozenset({"content-length", "transfer-encoding", "connection", "upgrade"})
_GLUED: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Address:
    """Where an `http` or `https` URL leads: how and whither to connect, and what `Host` says."""

    secure: bool
    host: str
    port: int
    authority: str


@dataclass(frozen=True, slots=True)
class Proxy:
    """An `http://` proxy: where it listens, and the credentials it wants, if any."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request as it will be written; `Host` and `Content-Length` are added then."""

    address: Address
    method: str
    target: str
    fields: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)


@lru_cache(maxsize=64)
def address_of(origin: str) -> Address:
    """The address of `scheme://authority`. httpx reads it, which takes long; there are as many as there are gateways."""
    url = httpx.URL(origin)
    secure = url.scheme == "https"
    return Address(secure, url.host, url.port or (443 if secure else 80), url.netloc.decode("ascii"))


def outgoing(request: WireRequest) -> Outgoing:
    """The sealed request, as it is: the target is what was signed, to the byte; no cookie, no compression."""
    scheme, _, rest = request.url.partition("://")
    authority, _, target = rest.partition("/")
    fields = [*request.headers.pairs(), ("Accept-Encoding", "identity"), ("User-Agent", "passbridge")]
    return Outgoing(address_of(f"{scheme}://{authority}"), request.method, f"/{target}", fields, request.body)


def written(request: Outgoing, proxy: Proxy | None = None) -> bytes:
    """The request's bytes.

    Args:
        request: what is asked.
        proxy: who is asked to carry it: he must be told the host too, and may want credentials.

    Raises:
        httpx.LocalProtocolError: the target or a field can't stand in a request.
        UnicodeEncodeError: the same, for text beyond ASCII.
    """
    start = f"{request.method} {f'http://{request.address.authority}' if proxy else ''}{request.target}"
    given = [("Host", request.address.authority), *request.fields, ("Content-Length", str(len(request.body)))]
    if proxy and proxy.authorization:
        given.append(("Proxy-Authorization", proxy.authorization))
    fields = [f"{name}: {value}\r\n" for name, value in given]
    head = f"{start} HTTP/1.1\r\n{''.join(fields)}\r\n".encode("ascii")
    if not _START.fullmatch(start) or not all(map(_FIELD.fullmatch, fields)):
        raise httpx.LocalProtocolError("a line of the request holds what it can't")
    return head + request.body


def plain_answer(data: bytes) -> WireResponse | None:
    """The answer that these bytes are, if they are exactly one of the plainest kind; after it the connection is clean."""
    head, glued, body = data.partition(_GLUED)
    if not glued or not head.isascii():
        return None
    found = _HEAD.fullmatch(head.decode("ascii") + "\r\n")
    if found is None or found[1] in _BODILESS:
        return None
    pairs = [(name, value.strip(" \t")) for name, value in _FIELD.findall(found[2])]
    framing = [(name.lower(), value.lower()) for name, value in pairs if name.lower() in _FRAMING]
    expected = [("content-length", str(len(body)))]
    if len(pairs) > MAX_HEADERS or [pair for pair in framing if pair != ("connection", "keep-alive")] != expected:
        return None
    return WireResponse(int(found[1]), Headers(pairs), body)
