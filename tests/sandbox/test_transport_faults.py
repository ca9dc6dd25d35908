"""Faults of the transport, each looked at byte by byte over a real socket."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from starlette.types import Receive, Scope, Send

from passbridge.protocol.wire import Headers, WireResponse
from passbridge.sandbox import Sandbox
from passbridge.sandbox.catalogue import FAULTS
from passbridge.sandbox.mischief import SCRIPTS, Script, rendered
from passbridge.sandbox.server import PLAY, Server
from tests.sandbox.conftest import CARD, PATH, SERIAL, TICKET, Cn, Hk, ask, last, state
from tests.sandbox.wire import BIZ, Wire, cn_request, connected, hk_request, written

SIZE = 200 * 2**20
ANSWER = WireResponse(200, Headers({"tracerid": "1"}), b'{"result":{}}')


@contextmanager
def struck(hk: Hk, fault: str, **more: str) -> Iterator[Wire]:
    """A connection on which a redemption was sent that a fault strikes."""
    hk.box.add_fault({"fault": fault})
    with connected(hk.box.url) as wire:
        wire.send(hk_request(hk, **more))
        yield wire
        assert hk.box.faults() == []
        assert state(hk.box, TICKET)["state"] == "USED"


def serves_on(hk: Hk, wire: Wire) -> bool:
    """Whether the connection goes on with the next request, nothing in between."""
    wire.send(hk_request(hk, pass_id=CARD))
    answer = wire.answer()
    return hk.verified(answer) and answer.json["result"]["resultCode"] == "SUCCESS" and not wire.held


# --- a connection that breaks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 40])
def test_the_connection_is_reset_behind_n_bytes(hk: Hk, size: int) -> None:
    with struck(hk, f"reset-at:{size}") as wire:
        with pytest.raises(ConnectionResetError):
            wire.rest()
        assert len(wire.held) == size
        assert b"HTTP/1.1 200 OK\r\ncontent-type: ".startswith(wire.held[:30])


@pytest.mark.parametrize("size", [0, 1, 40])
def test_the_connection_ends_behind_n_bytes(hk: Hk, size: int) -> None:
    with struck(hk, f"end-at:{size}") as wire:
        assert len(wire.rest()) == size
        assert b"HTTP/1.1 200 OK\r\ncontent-type: ".startswith(wire.held[:30])


def test_behind_more_bytes_than_there_are_the_answer_is_whole(hk: Hk) -> None:
    with struck(hk, "end-at:1048576") as wire:
        assert hk.verified(wire.answer())
        assert wire.rest() == b""


def test_the_mainlands_connection_breaks_too(cn: Cn) -> None:
    cn.box.add_fault({"fault": "reset-at:100"})
    with connected(cn.box.url) as wire:
        wire.send(cn_request(cn))
        with pytest.raises(ConnectionResetError):
            wire.rest()
        assert len(wire.held) == 100
    entry = last(cn.box)
    assert (entry["fault"], entry["result"], entry["status"], entry["applied"]) == ("reset-at:100", "10000", 200, True)


# --- a connection that drips -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "start"), [("drip-head", b"HTTP/1.1 200 OK"), ("drip-body", b'{"result"')])
def test_head_or_body_come_byte_by_byte(fault: str, start: bytes) -> None:
    script = SCRIPTS[fault](ANSWER, 0.5)
    single = [piece for piece in script.pieces if len(piece) == 1]
    assert b"".join(single).startswith(start)
    assert len(list(script.pieces)) == len(single) + 1
    assert (b"".join(script.pieces).endswith(ANSWER.body), script.pause, script.then) == (True, 0.5, "keep")


@pytest.mark.parametrize("fault", ["drip-head", "drip-body"])
def test_a_dripping_answer_takes_its_time_and_is_right(hk: Hk, fault: str) -> None:
    begun = time.monotonic()
    with struck(hk, f"{fault}:0.001") as wire:
        answer = wire.answer()
        dripping = len(answer.body) if fault == "drip-body" else 300
        assert time.monotonic() - begun >= dripping * 0.001
        assert hk.verified(answer)
        assert serves_on(hk, wire)


def test_a_client_that_hangs_up_on_a_dripping_answer_holds_nobody_up(hk: Hk) -> None:
    with struck(hk, "drip-head:300") as wire:
        assert wire.more() == b"H"
    assert hk.code(CARD, "USED") == "SUCCESS"


def test_it_stops_while_an_answer_drips() -> None:
    with Sandbox() as box:
        box.add_fault({"fault": "drip-body:300"})
        with connected(box.url) as wire:
            wire.send(hk_request(Hk(box)))
            wire.head()
            begun = time.monotonic()
            box.stop()
            assert time.monotonic() - begun < 5
            assert wire.rest() in {b"", b"{"}


# --- framing -----------------------------------------------------------------------------------------------------------


def test_content_length_is_too_short(hk: Hk) -> None:
    with struck(hk, "length-short") as wire:
        _, headers = wire.head()
        told = int(dict(headers)["content-length"])
        body = wire.until(b"}}")
        assert told == len(body) // 2
        assert serves_on(hk, wire)


def test_content_length_is_too_long(hk: Hk) -> None:
    with struck(hk, "length-long") as wire:
        _, headers = wire.head()
        body = wire.until(b"}}")
        assert int(dict(headers)["content-length"]) == len(body) + 100
        assert serves_on(hk, wire)


def test_content_length_stands_beside_transfer_encoding(hk: Hk) -> None:
    with struck(hk, "length-and-chunked") as wire:
        fields = dict(wire.head()[1])
        body = wire.take(int(wire.until(b"\r\n"), 16))
        assert (fields["content-length"], fields["transfer-encoding"]) == (str(len(body)), "chunked")
        assert (body[-2:], wire.take(7)) == (b"}}", b"\r\n0\r\n\r\n")
        assert serves_on(hk, wire)


def test_a_chunks_size_is_no_number(hk: Hk) -> None:
    with struck(hk, "bad-chunk") as wire:
        assert dict(wire.head()[1])["transfer-encoding"] == "chunked"
        half = wire.take(int(wire.until(b"\r\n"), 16))
        assert wire.take(8) == b"\r\nmany\r\n"
        assert wire.until(b"}}").startswith(half)


# --- too much ----------------------------------------------------------------------------------------------------------


def test_the_body_comes_compressed_though_nobody_asked(hk: Hk) -> None:
    with struck(hk, "gzip") as wire:
        answer = wire.answer()
        assert answer.headers["content-encoding"] == "gzip"
        assert hk.verified(type(answer)(200, answer.headers, gzip.decompress(answer.body)))
        assert serves_on(hk, wire)


def test_a_compressed_body_is_huge_unpacked(hk: Hk) -> None:
    with struck(hk, "gzip-bomb") as wire:
        assert dict(wire.head()[1])["content-encoding"] == "gzip"
        packer, packed, size = zlib.decompressobj(wbits=31), 0, 0
        while length := int(wire.until(b"\r\n"), 16):
            piece = wire.take(length + 2)[:-2]
            packed, size = packed + length, size + len(packer.decompress(piece))
        assert (packer.eof, packer.unused_data) == (True, b"")
        assert size > SIZE > 100 * packed
        assert wire.take(2) == b"\r\n"
        assert serves_on(hk, wire)


def test_a_body_is_huge(hk: Hk) -> None:
    with struck(hk, "huge-body") as wire:
        left = int(dict(wire.head()[1])["content-length"])
        assert left == SIZE + len(wire.until(b"}}"))
        left = SIZE - len(wire.held)
        wire.held = b""
        while left:
            piece = wire.more()
            assert piece
            assert piece.isspace()
            left, wire.held = left - len(piece), b""
        assert serves_on(hk, wire)


@pytest.mark.parametrize("fault", ["gzip-bomb", "huge-body", "flood-1xx"])
def test_nothing_is_held_at_once(fault: str) -> None:
    pieces = SCRIPTS[fault](ANSWER, 0).pieces
    assert iter(pieces) is iter(pieces)
    assert max(map(len, pieces)) <= 2**20


def test_there_are_ten_thousand_header_fields(hk: Hk) -> None:
    with struck(hk, "many-headers") as wire:
        status, headers = wire.head()
        assert (status, len(headers), len(dict(headers))) == (200, 10_000, 10_000)
        wire.take(int(dict(headers)["content-length"]))
        assert serves_on(hk, wire)


def test_ten_thousand_interim_answers_come_first(hk: Hk) -> None:
    with struck(hk, "flood-1xx") as wire:
        interim = b"HTTP/1.1 102 Processing\r\n\r\n"
        assert wire.take(10_000 * len(interim)) == interim * 10_000
        assert hk.verified(wire.answer())
        assert serves_on(hk, wire)


# --- answers at the wrong time -----------------------------------------------------------------------------------------


def test_a_second_signed_answer_is_glued_to_the_first(hk: Hk) -> None:
    with struck(hk, "leftover") as wire:
        first, second = wire.answer(), wire.answer()
        assert first == second
        assert hk.verified(second)
        assert serves_on(hk, wire)


def test_a_second_signed_answer_comes_while_the_connection_is_idle(hk: Hk) -> None:
    begun = time.monotonic()
    with struck(hk, "idle-answer:0.1") as wire:
        assert wire.answer() == wire.answer()
        assert time.monotonic() - begun > 0.09
        assert serves_on(hk, wire)
    script = SCRIPTS["idle-answer"](ANSWER, 0.1)
    first, second = script.pieces
    assert first == second == rendered(ANSWER)


def test_a_request_that_was_sent_too_soon_is_answered_after_the_script(hk: Hk) -> None:
    hk.box.add_fault({"fault": "leftover"})
    with connected(hk.box.url) as wire:
        wire.send(hk_request(hk) + hk_request(hk, pass_id=CARD))
        assert [hk.verified(wire.answer()) for _ in range(3)] == [True] * 3
    assert state(hk.box, CARD)["state"] == "USED"


def test_a_connection_that_shall_end_ends_after_the_script(hk: Hk) -> None:
    with struck(hk, "leftover", Connection="close") as wire:
        assert wire.answer() == wire.answer()
        assert wire.rest() == b""


@pytest.mark.parametrize("gateway", [None, "hk"])
def test_a_connection_is_answered_before_it_asks(hk: Hk, gateway: str | None) -> None:
    hk.box.add_fault({"fault": "early-answer", "gateway": gateway})
    with connected(hk.box.url) as wire:
        early = wire.answer()
        assert hk.verified(early)
        assert early.json["result"]["resultCode"] == "SUCCESS"
        assert hk.box.requests() == []
        assert serves_on(hk, wire)
    assert hk.box.faults() == []
    assert hk.code(TICKET, "USED") == "SUCCESS"


def test_the_mainland_answers_before_it_is_asked_too(cn: Cn) -> None:
    cn.box.add_fault({"fault": "early-answer", "gateway": "mainland", "nth": 2})
    assert cn.code("USED") == "10000"
    with connected(cn.box.url) as wire:
        node = cn.node(wire.answer())
    assert SERIAL in node["result"]
    assert cn.box.faults() == []


# --- statuses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "status", "field"), [("redirect", 302, "location"), ("http-500", 500, None), ("http-503:7", 503, "retry-after")]
)
def test_a_signed_answer_comes_under_another_status(hk: Hk, cn: Cn, fault: str, status: int, field: str | None) -> None:
    hk.box.add_fault({"fault": fault, "count": 2})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert (answer.status, hk.verified(answer)) == (status, True)
    expected = {"location": PATH, "retry-after": "7", None: None}
    assert answer.headers.get(field or "") == expected[field]
    answer = cn.send(BIZ)
    assert (answer.status, cn.verified(answer)) == (status, True)
    if field == "location":
        assert answer.headers["location"].startswith("/gateway.do?app_id=")
    entry = last(hk.box)
    assert (entry["result"], entry["status"], entry["applied"]) == ("10000", status, True)


# --- the server --------------------------------------------------------------------------------------------------------


@contextmanager
def serving(script: Script, ended: Callable[[], None]) -> Iterator[Wire]:
    """A connection whose request is answered by a script alone."""

    async def play(scope: Scope, receive: Receive, _send: Send) -> None:
        await receive()
        await scope["extensions"][PLAY](script)
        ended()
        await receive()

    server = Server(play, 0)
    server.start()
    try:
        with connected(f"http://127.0.0.1:{server.port}") as wire:
            wire.send(written("http://sandbox", "/", {}, b""))
            yield wire
    finally:
        server.stop()


@pytest.mark.parametrize("then", ["keep", "end", "reset"])
def test_a_client_that_leaves_before_the_end_is_left_alone(then: str) -> None:
    ended = threading.Event()
    with serving(Script((b" " * 2**26,), then=then), ended.set) as wire:  # type: ignore[arg-type] # one of the three words
        assert wire.more()
        wire.socket.close()
        assert ended.wait(20)


def test_every_fault_of_the_bytes_has_its_script() -> None:
    assert {name for name, kind in FAULTS.items() if kind.sends == "raw"} == SCRIPTS.keys()


def test_the_page_shows_every_fault(box: Sandbox) -> None:
    page = ask(box.url, "GET", "/").body.decode()
    assert all(f"<code>{kind.spelling}</code>" in page for kind in FAULTS.values())
