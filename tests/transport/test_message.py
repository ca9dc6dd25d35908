"""Requests as they are written, and answers read at a glance: h11 is the judge of both."""

from __future__ import annotations

import re

import h11
import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from passbridge.protocol.wire import Headers, WireRequest
from passbridge.transport.message import Outgoing, Proxy, address_of, outgoing, plain_answer, written

BODY = b'{"result":{"resultCode":"SUCCESS"}}'
PLAIN = b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 35\r\nSignature:algorithm=RSA256 , signature=a%2B==\t\r\n\r\n" + BODY


def read_by_h11(data: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes, bool] | None:
    """Status, fields, body, and whether the connection is clean: what h11 makes of these bytes, if they are a whole answer."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="POST", target="/", headers=[("Host", "x")]))
    http.send(h11.EndOfMessage())
    http.receive_data(data)
    head, body = http.next_event(), b""
    if not isinstance(head, h11.Response):
        return None
    while isinstance(event := http.next_event(), h11.Data):
        body += bytes(event.data)
    clean = http.their_state is h11.DONE and http.our_state is h11.DONE and http.trailing_data == (b"", False)
    return (head.status_code, head.headers.raw_items(), body, clean) if isinstance(event, h11.EndOfMessage) else None


def same_by_h11(data: bytes) -> bool:
    """Whether an answer that was read at a glance is what h11 reads, and leaves a clean connection. True where none was."""
    plain = plain_answer(data)
    if plain is None:
        return True
    fields = [(name.encode(), value.encode()) for name, value in plain.headers.pairs()]
    return read_by_h11(data) == (plain.status, fields, plain.body, True)


def test_a_plain_answer_is_read_at_a_glance() -> None:
    answer = plain_answer(PLAIN)
    assert answer is not None
    assert (answer.status, answer.body) == (200, BODY)
    assert answer.headers.pairs() == (("Server", "x"), ("Content-Length", "35"), ("Signature", "algorithm=RSA256 , signature=a%2B=="))
    assert same_by_h11(PLAIN)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Server: x", b"Connection: keep-alive"),
        (b"Server: x", b"CONNECTION: Keep-Alive"),
        (b"Server: x", b"Empty:"),
        (b"200 OK", b"503 Busy"),
        (b"200 OK", b"200 "),
        (b"200 OK", b"200"),
    ],
)
def test_so_is_what_differs_from_it_in_nothing_that_frames(old: bytes, new: bytes) -> None:
    data = PLAIN.replace(old, new)
    assert plain_answer(data) is not None
    assert same_by_h11(data)


NOT_PLAIN = {
    "a byte is missing": PLAIN[:-1],
    "a byte too many": PLAIN + b"\n",
    "the head alone": PLAIN[: PLAIN.index(b"\r\n\r\n") + 4],
    "half a head": PLAIN[:40],
    "nothing": b"",
    "two answers": PLAIN * 2,
    "an interim answer": PLAIN.replace(b"200 OK", b"100 Continue"),
    "no content": PLAIN.replace(b"200 OK", b"204 No Content"),
    "not modified": PLAIN.replace(b"200 OK", b"304 Not Modified"),
    "HTTP/1.0": PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a status in other digits": PLAIN.replace(b"200", b"\xef\xbc\x92" * 3),
    "closing": PLAIN.replace(b"Server: x", b"Connection: close"),
    "chunked": PLAIN.replace(b"Content-Length: 35", b"Transfer-Encoding: chunked"),
    "chunked too": PLAIN.replace(b"Server: x", b"Transfer-Encoding: chunked"),
    "two lengths": PLAIN.replace(b"Server: x", b"Content-Length: 35"),
    "two lengths in one": PLAIN.replace(b"35", b"35, 35"),
    "a length with a sign": PLAIN.replace(b"35", b"+35"),
    "a length with a zero": PLAIN.replace(b"35", b"035"),
    "no length": PLAIN.replace(b"Content-Length: 35\r\n", b""),
    "upgrading": PLAIN.replace(b"Server: x", b"Upgrade: h2c"),
    "a folded line": PLAIN.replace(b"Server: x", b"Server: x\r\n y"),
    "a line without a colon": PLAIN.replace(b"Server: x", b"Server"),
    "a blank before the colon": PLAIN.replace(b"Server: x", b"Server : x"),
    "an empty name": PLAIN.replace(b"Server: x", b": x"),
    "a bare line feed": PLAIN.replace(b"Server: x", b"Server: x\nSignature: y"),
    "a bare carriage return": PLAIN.replace(b"Server: x", b"Server: x\ry"),
    "a zero byte": PLAIN.replace(b"Server: x", b"Server: \0"),
    "beyond ASCII": PLAIN.replace(b"Server: x", "Server: é".encode()),
    "too many fields": PLAIN.replace(b"Server: x", b"\r\n".join([b"A: b"] * 100)),
}


@pytest.mark.parametrize("data", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_everything_else_is_left_to_h11(data: bytes) -> None:
    assert plain_answer(data) is None


FIELDS = (b"A: b", b"Connection: close", b"Transfer-Encoding: chunked", b"Content-Length: 35", b"Content-Length: 0", b"HTTP/1.1 200 OK")
MARKS = (b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b",", b"0", b"35", b"\0", b"\r\n\r\n", b"\xe9", b"\x0b", b"\x85", b"{}")
STARTS = [at.end() for at in re.finditer(rb"\r\n", PLAIN)]
LINES = st.tuples(st.sampled_from(STARTS), st.just(0), st.sampled_from([field + b"\r\n" for field in FIELDS]))
PIECES = st.tuples(st.integers(0, len(PLAIN)), st.integers(0, 4), st.sampled_from(MARKS) | st.binary(max_size=3))


@settings(max_examples=300)
@given(st.lists(LINES | PIECES, min_size=1, max_size=3))
@example([(9, 3, b"204")])
def test_whatever_is_read_at_a_glance_h11_reads_alike(edits: list[tuple[int, int, bytes]]) -> None:
    data = PLAIN
    for at, gone, piece in edits:
        data = data[:at] + piece + data[at + gone :]
    assert same_by_h11(data)


def test_a_head_of_blanks_is_refused_in_no_time() -> None:
    assert plain_answer(b"HTTP/1.1 200 OK\r\nA:" + b" " * 60000 + b"\0\r\n\r\n") is None
    assert plain_answer(b"HTTP/1.1 200 OK\r\nA:" + b"x " * 30000 + b"\0\r\n\r\n") is None


def sealed(url: str = "http://127.0.0.1:8080/gateway.do?a=1+2&b=%2f", **fields: str) -> Outgoing:
    return outgoing(WireRequest("POST", url, Headers({"Content-Type": "text/plain"} | fields), b"a=b"))


def asked(data: bytes) -> tuple[bytes, list[tuple[bytes, bytes]], bytes]:
    """Target, fields and body, as h11's server reads them."""
    http = h11.Connection(h11.SERVER)
    http.receive_data(data)
    head, content, end = http.next_event(), http.next_event(), http.next_event()
    assert isinstance(head, h11.Request)
    assert isinstance(content, h11.Data)
    assert isinstance(end, h11.EndOfMessage)
    assert http.trailing_data == (b"", False)
    return head.target, head.headers.raw_items(), bytes(content.data)


def test_a_request_is_what_was_sealed_and_what_any_server_needs() -> None:
    target, fields, body = asked(written(sealed()))
    assert target == b"/gateway.do?a=1+2&b=%2f"
    assert fields == [
        (b"Host", b"127.0.0.1:8080"),
        (b"Content-Type", b"text/plain"),
        (b"Accept-Encoding", b"identity"),
        (b"User-Agent", b"passbridge"),
        (b"Content-Length", b"3"),
    ]
    assert body == b"a=b"


def test_a_proxy_is_told_the_host_and_our_credentials() -> None:
    target, fields, _ = asked(written(sealed(), Proxy("proxy", 3128, "Basic eA==")))
    assert target == b"http://127.0.0.1:8080/gateway.do?a=1+2&b=%2f"
    assert (b"Proxy-Authorization", b"Basic eA==") in fields
    _, fields, _ = asked(written(sealed(), Proxy("proxy", 3128)))
    assert not [name for name, _ in fields if name == b"Proxy-Authorization"]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://open.alipay.hk", (True, "open.alipay.hk", 443, "open.alipay.hk")),
        ("https://open.alipay.hk:8443", (True, "open.alipay.hk", 8443, "open.alipay.hk:8443")),
        ("http://[::1]:80", (False, "::1", 80, "[::1]")),
        ("https://Bücher.example", (True, "bücher.example", 443, "xn--bcher-kva.example")),
    ],
)
def test_an_address_is_what_httpx_reads(origin: str, expected: tuple[bool, str, int, str]) -> None:
    address = address_of(origin)
    assert (address.secure, address.host, address.port, address.authority) == expected


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0b", "a\x7fb", "a\r\n\r\nPOST / HTTP/1.1"])
def test_no_field_smuggles_another_line(value: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        written(sealed(Signature=value))


@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/ HTTP/1.1\r\n\r\n"])
def test_no_target_ends_before_its_end(path: str) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        written(sealed(f"http://127.0.0.1{path}"))


def test_text_beyond_ascii_stands_in_no_head() -> None:
    with pytest.raises(UnicodeEncodeError):
        written(sealed(Signature="é"))
