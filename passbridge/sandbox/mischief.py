"""Mischief behind the gateway: what a network, a proxy or a broken server makes of a finished answer.

Owns the answer's bytes on the wire and every way to spoil them, as functions from an answer to a script: pieces of
bytes, how long apart, and what becomes of the connection. Pieces are made as they are needed, never held. It must not
know connections, nor what an answer says.
"""

from __future__ import annotations

import gzip
import itertools
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal

from passbridge.protocol.wire import Headers, WireResponse

__all__ = ["ALTERATIONS", "HANG_UP", "PAGES", "SCRIPTS", "Script", "page", "rendered"]

_HUGE: Final = 200
"""Megabytes."""
_MEGABYTE: Final = 2**20
_MANY: Final = 10_000


@dataclass(frozen=True, slots=True)
class Script:
    """What is written to a connection in place of an HTTP answer.

    Attributes:
        pieces: the bytes, in pieces; made as they are needed.
        pause: seconds between two pieces.
        then: whether the connection is kept for the next request, ended, or reset.
    """

    pieces: Iterable[bytes]
    pause: float = 0.0
    then: Literal["keep", "end", "reset"] = "keep"


HANG_UP: Final = Script((), then="end")
"""Not a byte."""

Alteration = Callable[[WireResponse, str, float], WireResponse]
"""From the answer, the address asked for, and the number behind the fault's name."""

Spoiling = Callable[[WireResponse, float], Script]
"""From the answer and the number behind the fault's name."""


def rendered(answer: WireResponse) -> bytes:
    """A whole answer, to the byte."""
    return _head(answer, _length(answer)) + answer.body


def _length(answer: WireResponse, more: int = 0) -> tuple[str, str]:
    return "content-length", str(len(answer.body) + more)


_CHUNKED: Final = ("transfer-encoding", "chunked")
_GZIP: Final = ("content-encoding", "gzip")
_GZIP_HEAD: Final = b"\x1f\x8b\x08" + bytes(6) + b"\xff"


def _head(answer: WireResponse, *framing: tuple[str, str]) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in (*answer.headers.pairs(), *framing))
    return f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{fields}\r\n".encode("latin-1")


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def _single(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 1] for at in range(len(data)))


# --- what a proxy does -------------------------------------------------------------------------------------------------

PAGES: Final[Mapping[str, int]] = MappingProxyType({"http-502": 502, "http-502-after": 502, "html-page": 200})
"""The status of each page that isn't the gateway's."""


def page(status: int) -> WireResponse:
    """What stands between a client and the gateway answers by itself."""
    title = f"{status} {HTTPStatus(status).phrase}"
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return WireResponse(status, Headers({"content-type": "text/html"}), body.encode())


def _under(answer: WireResponse, status: int, *fields: tuple[str, str]) -> WireResponse:
    """The answer under another status, with more header fields."""
    return WireResponse(status, Headers([*answer.headers.pairs(), *fields]), answer.body)


ALTERATIONS: Final[Mapping[str, Alteration]] = MappingProxyType(
    {
        "redirect": lambda answer, url, _: _under(answer, 302, ("location", url)),
        "http-500": lambda answer, _url, _: _under(answer, 500),
        "http-503": lambda answer, _url, number: _under(answer, 503, ("retry-after", f"{number:.0f}")),
    }
)
"""By its name, what becomes of an answer that is still HTTP."""


# --- what a network does -----------------------------------------------------------------------------------------------


def _length_short(answer: WireResponse, _number: float) -> Script:
    return Script((_head(answer, _length(answer, len(answer.body) // 2 - len(answer.body))) + answer.body,))


def _length_and_chunked(answer: WireResponse, _number: float) -> Script:
    return Script((_head(answer, _length(answer), _CHUNKED) + _chunk(answer.body) + _chunk(b""),))


def _bad_chunk(answer: WireResponse, _number: float) -> Script:
    half = answer.body[: len(answer.body) // 2]
    return Script((_head(answer, _CHUNKED) + _chunk(half) + b"many\r\n" + answer.body,))


def _gzip(answer: WireResponse, _number: float) -> Script:
    packed = WireResponse(answer.status, Headers([*answer.headers.pairs(), _GZIP]), gzip.compress(answer.body))
    return Script((rendered(packed),))


def _gzip_bomb(answer: WireResponse, _number: float) -> Script:
    def pieces() -> Iterator[bytes]:
        yield _head(answer, _GZIP, _CHUNKED)
        yield from map(_chunk, _packed(answer.body))
        yield _chunk(b"")

    return Script(pieces())


def _packed(start: bytes) -> Iterator[bytes]:
    """The start and megabytes of blanks, each packed by itself: the same bytes again and again, which cost nothing."""
    blanks = b" " * _MEGABYTE
    megabyte, check = _deflated(blanks), zlib.crc32(start)
    yield _GZIP_HEAD + _deflated(start)
    for _ in range(_HUGE):
        check = zlib.crc32(blanks, check)
        yield megabyte
    yield zlib.compressobj(wbits=-zlib.MAX_WBITS).flush() + struct.pack("<LL", check, len(start) + _HUGE * _MEGABYTE)


def _deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(zlib.Z_FULL_FLUSH)


def _huge_body(answer: WireResponse, _number: float) -> Script:
    blanks = itertools.repeat(b" " * _MEGABYTE, _HUGE)
    return Script(itertools.chain((_head(answer, _length(answer, _HUGE * _MEGABYTE)) + answer.body,), blanks))


def _many_headers(answer: WireResponse, _number: float) -> Script:
    filling = ((f"x-filling-{n}", "1") for n in range(_MANY - len(answer.headers.pairs()) - 1))
    return Script((_head(answer, _length(answer), *filling) + answer.body,))


def _flood(answer: WireResponse, _number: float) -> Script:
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    return Script(itertools.chain(itertools.repeat(interim * 100, _MANY // 100), (rendered(answer),)))


SCRIPTS: Final[Mapping[str, Spoiling]] = MappingProxyType(
    {
        "reset-at": lambda answer, number: Script((rendered(answer)[: int(number)],), then="reset"),
        "end-at": lambda answer, number: Script((rendered(answer)[: int(number)],), then="end"),
        "drip-head": lambda answer, pause: Script((*_single(_head(answer, _length(answer))), answer.body), pause),
        "drip-body": lambda answer, pause: Script((_head(answer, _length(answer)), *_single(answer.body)), pause),
        "length-short": _length_short,
        "length-long": lambda answer, _: Script((_head(answer, _length(answer, 100)) + answer.body,)),
        "length-and-chunked": _length_and_chunked,
        "bad-chunk": _bad_chunk,
        "gzip": _gzip,
        "gzip-bomb": _gzip_bomb,
        "huge-body": _huge_body,
        "many-headers": _many_headers,
        "flood-1xx": _flood,
        "leftover": lambda answer, _: Script((rendered(answer) * 2,)),
        "idle-answer": lambda answer, pause: Script((rendered(answer), rendered(answer)), pause),
    }
)
"""By its name, what becomes of an answer's bytes."""
