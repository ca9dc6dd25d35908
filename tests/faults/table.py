"""Every way in which a connection, an answer's framing or its head can be wrong, and what may come of it.

One row a fault: what the gateway does on each connection, which outcomes are allowed, and how many requests it may
have read in full by the end. Two attempts are allowed; a redeem in doubt is sent again, a refund never is.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from tests.faults.gateway import Script, Talk
from tests.faults.regions import Answer
from tests.faults.steps import Words, again, close, drip, hold, read, read_some, reset, send, sleep

__all__ = ["ANSWERS", "CONNECTIONS", "FRAMES", "HEADS", "LATE", "SLOW", "Case", "Expected", "bent"]


@dataclass(frozen=True)
class Expected:
    """What may come of a fault.

    Attributes:
        codes: the outcome's code.
        redeem: how many requests the gateway may read in full when a redeem meets the fault twice.
        refund: the same for a refund.
    """

    codes: Collection[str]
    redeem: Collection[int]
    refund: Collection[int]

    def requests(self, action: str) -> Collection[int]:
        """How many requests there may be for this action."""
        return self.refund if action == "refund" else self.redeem


TAKEN = Expected({"APPLIED"}, {1}, {1})
LOST = Expected({"NO_ANSWER"}, {2}, {1})
LATE = Expected({"NO_ANSWER"}, {1, 2}, {1})
UNREAD = Expected({"NO_ANSWER"}, {0}, {0})
GONE = Expected({"NO_ANSWER", "NOT_SENT"}, {0}, {0})
UNTRUSTED = Expected({"UNTRUSTED_ANSWER"}, {1}, {1})
NOTHING = Expected({"UNTRUSTED_ANSWER", "NO_ANSWER"}, {1, 2}, {1})
EITHER = Expected({"APPLIED", "NO_ANSWER"}, {1, 2}, {1})


@dataclass(frozen=True)
class Case:
    """One fault.

    Attributes:
        name: what is wrong.
        steps: what the gateway does on every connection.
        expected: what may come of it.
    """

    name: str
    steps: Script
    expected: Expected = field(repr=False)

    def __str__(self) -> str:
        return self.name


def bent(bend: Callable[[Answer], bytes], *then: Callable[[Talk], None]) -> Script:
    """A request is read, and its right answer is bent."""
    return (read, send(lambda talk: bend(talk.answer())), *then)


def _part(start: int | None, stop: int | None) -> Words:
    return lambda talk: talk.answer().wire()[start:stop]


def _before_body(talk: Talk) -> bytes:
    answer = talk.answer()
    return answer.head(f"Content-Length: {len(answer.body)}")


CONNECTIONS = [
    Case("closed as soon as it is made", (close,), GONE),
    Case("reset as soon as it is made", (reset,), GONE),
    Case("closed within the request", (read_some, close), UNREAD),
    Case("reset within the request", (read_some, reset), UNREAD),
    Case("closed without a word", (read, close), LOST),
    Case("reset without a word", (read, reset), LOST),
    Case("an answer and then a reset", (read, send(_part(None, None)), reset), EITHER),
]

SLOW = [
    Case("never read", (sleep(0.4),), UNREAD),
    Case("silence", (read, hold), LATE),
    Case("silence after the status line", (read, send(b"HTTP/1.1 200 OK\r\n"), hold), LATE),
    Case("silence within the header", (read, send(_part(None, 90)), hold), LATE),
    Case("silence before the body", (read, send(_before_body), hold), LATE),
    Case("silence before the last byte", (read, send(_part(None, -1)), hold), LATE),
    Case("the header in drops", (read, drip(_part(None, None), 0.05, 4), hold), LATE),
    Case("the body in drops", (read, send(_before_body), drip(lambda talk: talk.answer().body, 0.05), hold), LATE),
    Case("chunks in drops", (read, drip(lambda talk: talk.answer().chunked(*[1] * 60), 0.05, 8), hold), LATE),
    Case("interim answers in drops", (read, drip(b"HTTP/1.1 102 Processing\r\n\r\n" * 60, 0.05, 27), hold), LATE),
    Case("an interim answer and silence", (read, send(b"HTTP/1.1 100 Continue\r\n\r\n"), hold), LATE),
    Case("no length and no end", bent(lambda answer: answer.head() + answer.body, hold), LATE),
    Case(
        "a length too long and no end",
        bent(lambda answer: answer.head(f"Content-Length: {len(answer.body) + 1}") + answer.body, hold),
        LATE,
    ),
    Case("chunks without the last one", bent(lambda answer: answer.chunked(20, end=b""), hold), LATE),
    Case(
        "an answer at the last moment in two halves",
        (read, sleep(0.06), send(_part(None, 60)), sleep(0.06), send(_part(60, None)), hold),
        EITHER,
    ),
]


def _framed(*framing: str) -> Script:
    """The answer under this framing, then the end."""
    return bent(lambda answer: answer.head(*(text.format(size=len(answer.body)) for text in framing)) + answer.body, close)


def _short(answer: Answer) -> bytes:
    return answer.head(f"Content-Length: {len(answer.body) - 5}") + answer.body


def _long(answer: Answer) -> bytes:
    return answer.head(f"Content-Length: {len(answer.body) + 5}") + answer.body


def _chunk(text: str, *, fields: tuple[str, ...] = ("Transfer-Encoding: chunked",)) -> Script:
    """The body under a chunk framing written out by hand."""

    def bend(answer: Answer) -> bytes:
        parts = {"body": answer.body.decode(), "size": f"{len(answer.body):x}", "less": f"{len(answer.body) - 3:x}"}
        return answer.head(*fields) + text.format(**parts).encode()

    return bent(bend, close)


FRAMES = [
    Case("a length and the right end", _framed("Content-Length: {size}"), TAKEN),
    Case("no length, ended by the connection", _framed(), TAKEN),
    Case("the length twice, alike", _framed("Content-Length: {size}", "Content-Length: {size}"), EITHER),
    Case("the length twice in one field", _framed("Content-Length: {size}, {size}"), EITHER),
    Case("the length twice, different", _framed("Content-Length: {size}", "Content-Length: 5"), LOST),
    Case("the length twice in one field, different", _framed("Content-Length: {size}, 5"), LOST),
    Case("a length too short", bent(_short, close), UNTRUSTED),
    Case("a length too short on a connection that stays", bent(_short, hold), UNTRUSTED),
    Case("a length too long", bent(_long, close), LOST),
    Case("length 0", _framed("Content-Length: 0"), NOTHING),
    Case("a negative length", _framed("Content-Length: -{size}"), LOST),
    Case("a length with a plus sign", _framed("Content-Length: +{size}"), LOST),
    Case("a length in hexadecimal", _framed("Content-Length: 0x4f"), LOST),
    Case("a length that is a word", _framed("Content-Length: much"), LOST),
    Case("an empty length", _framed("Content-Length:"), LOST),
    Case("a length with a fraction", _framed("Content-Length: {size}.0"), LOST),
    Case("a length of thirty digits", _framed(f"Content-Length: {'9' * 30}"), LOST),
    Case("a length in digits of another script", _framed("Content-Length: \u00b9\u00b2"), LOST),
    Case("a length and chunks", _chunk("{size}\r\n{body}\r\n0\r\n\r\n", fields=("Content-Length: 7", "Transfer-Encoding: chunked")), LOST),
    Case("chunks and a length", _chunk("{size}\r\n{body}\r\n0\r\n\r\n", fields=("Transfer-Encoding: chunked", "Content-Length: 7")), LOST),
    Case("a length where chunks are announced", _framed("Transfer-Encoding: chunked", "Content-Length: {size}"), LOST),
    Case("one chunk", _chunk("{size}\r\n{body}\r\n0\r\n\r\n"), TAKEN),
    Case("many chunks", bent(lambda answer: answer.chunked(*[3] * 20), close), TAKEN),
    Case("chunks with extensions", _chunk("{size};name=value\r\n{body}\r\n0;last\r\n\r\n"), TAKEN),
    Case("chunks with trailers", _chunk("{size}\r\n{body}\r\n0\r\nExpires: never\r\n\r\n"), TAKEN),
    Case("chunks whose trailers never end", _chunk("{size}\r\n{body}\r\n0\r\nExpires: never\r\n"), LOST),
    Case("chunks in capitals", _chunk("{size}\r\n{body}\r\n0\r\n\r\n", fields=("TRANSFER-ENCODING: CHUNKED",)), TAKEN),
    Case("a chunk without its size", _chunk("\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk with a word as size", _chunk("many\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk with a negative size", _chunk("-{size}\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk with 0x before its size", _chunk("0x{size}\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk with a size of forty digits", _chunk("f" * 40 + "\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk shorter than it says", _chunk("ffff\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("a chunk longer than it says", _chunk("{less}\r\n{body}\r\n0\r\n\r\n"), LOST),
    Case("chunks without the last one, ended by the connection", _chunk("{size}\r\n{body}\r\n"), LOST),
    Case("chunks ended in the middle of the last one", _chunk("{size}\r\n{body}\r\n0\r\n"), LOST),
    Case("chunks announced twice", _chunk("{size}\r\n{body}\r\n0\r\n\r\n", fields=("Transfer-Encoding: chunked, chunked",)), LOST),
    Case("chunks inside gzip announced", _chunk("{size}\r\n{body}\r\n0\r\n\r\n", fields=("Transfer-Encoding: gzip, chunked",)), LOST),
    Case("an encoding that nobody knows", _framed("Transfer-Encoding: sideways"), LOST),
    Case("a chunked answer of HTTP/1.0", bent(lambda answer: answer.but(status="HTTP/1.0 200 OK").chunked(20), close), EITHER),
]


def _status(status: str, *fields: str) -> Script:
    """The right answer under another status line and with these fields, on a connection that stays."""
    return (again(*bent(lambda answer: answer.but(*fields, status=status).wire())),)


def _before(words: bytes, expected: Expected, name: str) -> Case:
    return Case(name, bent(lambda answer: words + answer.wire(), close), expected)


_SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

HEADS = [
    Case("HTTP/1.0 with a length", _status("HTTP/1.0 200 OK"), TAKEN),
    Case("HTTP/1.0 that wants to be kept", _status("HTTP/1.0 200 OK", "Connection: keep-alive"), TAKEN),
    Case("HTTP/1.0 ended by the connection", bent(lambda answer: answer.but(status="HTTP/1.0 200 OK").head() + answer.body, close), TAKEN),
    Case("no reason phrase", _status("HTTP/1.1 200"), TAKEN),
    Case("another reason phrase", _status("HTTP/1.1 200 Nothing Went Wrong"), TAKEN),
    Case("another case of the version", _status("http/1.1 200 OK"), LOST),
    Case("HTTP/2 in words", _status("HTTP/2 200 OK"), LOST),
    Case("HTTP/9.9", _status("HTTP/9.9 200 OK"), EITHER),
    Case("a status of four digits", _status("HTTP/1.1 2000 OK"), LOST),
    Case("a status of two digits", _status("HTTP/1.1 20 OK"), LOST),
    Case("a status that is a word", _status("HTTP/1.1 OK 200"), LOST),
    Case("no status line", bent(lambda answer: answer.wire().partition(b"\r\n")[2], close), LOST),
    Case("the body alone", bent(lambda answer: answer.body, close), LOST),
    Case("another protocol", (read, send(b"SSH-2.0-OpenSSH_9.6\r\n"), close), LOST),
    Case("an alert of TLS", (read, send(b"\x15\x03\x03\x00\x02\x02\x28"), close), LOST),
    Case("a frame of HTTP/2", (read, send(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"), close), LOST),
    Case("nothing but line ends", (read, send(b"\r\n" * 50), close), LOST),
    Case("lines ended by LF alone", bent(lambda answer: answer.wire().replace(b"\r\n", b"\n"), close), EITHER),
    Case("a field without a colon", _status("HTTP/1.1 200 OK", "Nonsense"), LOST),
    Case("a field without a name", _status("HTTP/1.1 200 OK", ": value"), LOST),
    Case("a blank before the colon", _status("HTTP/1.1 200 OK", "Name : value"), LOST),
    Case("a zero byte in a field", _status("HTTP/1.1 200 OK", "Name: a\x00b"), LOST),
    Case("bytes beyond ASCII in a field", _status("HTTP/1.1 200 OK", "Name: \u00e9\u00ff"), TAKEN),
    Case("a field over two lines", _status("HTTP/1.1 200 OK", "Name: first\r\n second"), EITHER),
    Case("a cookie", _status("HTTP/1.1 200 OK", "Set-Cookie: session=7"), TAKEN),
    Case("an upgrade that is offered", _status("HTTP/1.1 200 OK", "Upgrade: h2c", "Connection: Upgrade"), TAKEN),
    _before(b"HTTP/1.1 100 Continue\r\n\r\n", TAKEN, "100 before the answer"),
    _before(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n", TAKEN, "103 before the answer"),
    _before(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n", TAKEN, "100 and 102 before the answer"),
    _before(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, LOST, "a thousand times 100 before the answer"),
    _before(_SWITCH, LOST, "101 before the answer"),
    _before(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", LOST, "an empty page before the answer"),
    Case("417 for an expectation nobody had", _status("HTTP/1.1 417 Expectation Failed"), LOST),
    Case("426 upgrade required", _status("HTTP/1.1 426 Upgrade Required", "Upgrade: TLS/1.3"), LOST),
]


def _encoded(name: str, encode: Callable[[bytes], bytes]) -> Script:
    """The body compressed after it was signed, without having been asked for."""
    return (again(*bent(lambda answer: answer.but(f"Content-Encoding: {name}", body=encode(answer.body)).wire())),)


ANSWERS = [
    Case("gzip unasked", _encoded("gzip", gzip.compress), LOST),
    Case("x-gzip unasked", _encoded("X-GZIP", gzip.compress), LOST),
    Case("deflate unasked", _encoded("deflate", zlib.compress), LOST),
    Case("br announced", _encoded("br", bytes), LOST),
    Case("gzip announced, and none", _encoded("gzip", bytes), LOST),
    Case("gzip twice", _encoded("gzip, gzip", lambda body: gzip.compress(gzip.compress(body))), LOST),
    Case("no encoding announced", _encoded("identity", bytes), TAKEN),
    *[
        Case(f"a success under {status}", _status(f"HTTP/1.1 {status} Whatever"), LOST)
        for status in (201, 202, 203, 205, 206, 300, 400, 401, 403, 404, 407, 408, 413, 421, 429, 451, 500, 502, 503, 504, 599)
    ],
    Case("a success under 204", _status("HTTP/1.1 204 No Content"), LOST),
    Case("a success under 304", _status("HTTP/1.1 304 Not Modified"), LOST),
]
