"""Answers that are too large, too long or too many, as a table: each is cut off in time, and in little memory."""

from __future__ import annotations

import gzip

from tests.faults.gateway import Script
from tests.faults.steps import flood, hold, read, send
from tests.faults.table import LATE, Case, bent

__all__ = ["FLOODS", "ROOM"]

ROOM = 16 << 20
"""Bytes that a call may hold at its peak: the largest answer that is taken has one million, and its parser holds it twice."""

_PIECE = b"x" * 65536
_BOMB = gzip.compress(bytes(64 << 20))


def _under(*fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *fields, "", ""]).encode()


def _pouring(head: bytes, piece: bytes, size: int) -> Script:
    return (read, send(head), flood(piece, size), hold)


FLOODS = [
    Case("200 MB of body", _pouring(_under(f"Content-Length: {200 << 20}"), _PIECE, 200 << 20), LATE),
    Case("200 MB of body without a length", _pouring(_under(), _PIECE, 200 << 20), LATE),
    Case("200 MB of chunks", _pouring(_under("Transfer-Encoding: chunked"), b"10000\r\n" + _PIECE + b"\r\n", 200 << 20), LATE),
    Case("40 MB of chunks of one byte", _pouring(_under("Transfer-Encoding: chunked"), b"1\r\nx\r\n" * 8192, 40 << 20), LATE),
    Case("a chunk size without end", _pouring(_under("Transfer-Encoding: chunked"), b"0" * 65536, 10 << 20), LATE),
    Case("a chunk extension of 10 MB", _pouring(_under("Transfer-Encoding: chunked") + b"5;", _PIECE, 10 << 20), LATE),
    Case("10 MB of trailers", _pouring(_under("Transfer-Encoding: chunked") + b"0\r\n", b"Name: value\r\n" * 4096, 10 << 20), LATE),
    Case("one field of 10 MB", _pouring(b"HTTP/1.1 200 OK\r\nName: ", _PIECE, 10 << 20), LATE),
    Case("a status line of 10 MB", _pouring(b"HTTP/1.1 200 ", _PIECE, 10 << 20), LATE),
    Case("10,000 fields", bent(lambda answer: answer.but(*[f"X-{n}: {n}" for n in range(10_000)]).wire(), hold), LATE),
    Case("101 fields", bent(lambda answer: answer.but(*[f"X-{n}: {n}" for n in range(101)]).wire(), hold), LATE),
    Case("fields without end", _pouring(b"HTTP/1.1 200 OK\r\n", b"Name: value\r\n" * 4096, 10 << 20), LATE),
    Case("interim answers without end", _pouring(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2048, 10 << 20), LATE),
    Case("line ends without end", _pouring(b"", b"\r\n" * 32768, 10 << 20), LATE),
    Case("a bomb of gzip", (read, send(_under("Content-Encoding: gzip", f"Content-Length: {len(_BOMB)}") + _BOMB), hold), LATE),
]
