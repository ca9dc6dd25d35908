from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import anyio
import h11
import httpx
import pytest

from passbridge import AsyncClient, Client, Content, PassRef, Redeem
from passbridge.transport import AsyncTransport, Network, Transport, exchange, link, tls_context
from tests.client.answers import SUCCESS, done, hk_answer, hk_fields, http, raw, reset, silence
from tests.client.certificates import self_signed, server_context
from tests.client.gateway import Gateway, Received
from tests.client.keys import sign
from tests.client.use import REDEEM, REFUND, Use, applying, codes, hk_only, mocked

BIG = Redeem(to="hk", pass_=PassRef(id="7", user_id="8"), content=Content(raw={"text": "x" * 12_000_000}))


@contextlib.contextmanager
def served(serve: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a listener that a thread serves by hand."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


def test_a_request_larger_than_any_buffer_arrives_whole(anywhere: Use, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(self_signed())
    for context in (None, server_context(tmp_path, self_signed())):
        with Gateway(done, context=context) as gateway:
            outcome = anywhere.apply(hk_only(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}), BIG)
        assert outcome.code == "APPLIED"
        assert len(gateway.received[0].body) > 12_000_000


def test_a_gateway_that_takes_nothing_is_given_up_and_may_have_taken_something(anywhere: Use) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        outcome = anywhere.apply(hk_only(f"http://127.0.0.1:{deaf.getsockname()[1]}", attempts=1, read_timeout=0.1), BIG)
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert outcome.attempts[0].reason == "sending took too long"


def test_a_gateway_that_resets_in_the_middle_of_the_request_leaves_a_doubt(anywhere: Use) -> None:
    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        connection.recv(1)
        reset(connection, Received(b"", (), b"", 1))

    with served(serve) as url:
        outcome = anywhere.apply(hk_only(url, attempts=1), BIG)
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert "the connection broke" in (outcome.attempts[0].reason or "")


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="only here does a full queue leave a connection without an answer")
def test_an_address_that_never_answers_is_given_up_after_the_connect_timeout(anywhere: Use) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.settimeout(0.0)
            one.connect_ex(full.getsockname())
        outcome = anywhere.apply(hk_only(f"http://127.0.0.1:{full.getsockname()[1]}", attempts=1, connect_timeout=0.1))
        for one in waiting:
            one.close()
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert outcome.attempts[0].reason == "connecting took too long"


def test_a_connection_that_was_reset_while_idle_is_not_used_again(anywhere: Use) -> None:
    def rude(connection: socket.socket, request: Received) -> bool:
        connection.sendall(hk_answer(request))
        time.sleep(0.05)
        return reset(connection, request)

    def later(client: Client | AsyncClient) -> object:
        time.sleep(0.15)
        return client.apply(REFUND)

    with Gateway(rude, done) as gateway:
        first, second = anywhere.in_turn(hk_only(gateway.url), applying(REFUND), later)
    assert [getattr(outcome, "code", None) for outcome in (first, second)] == ["APPLIED", "APPLIED"]
    assert gateway.connections == 2


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 200 OK\r\n", b""], ids=["speaks", "leaves"])
def test_a_peer_that_speaks_or_leaves_before_it_is_asked_gets_nothing(
    anywhere: Use, monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    looked, over = link.quiet, threading.Event()
    heard: list[bytes] = []

    def later(connection: socket.socket) -> bool:
        over.wait(5)
        return looked(connection)

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(greeting)
            if not greeting:
                connection.shutdown(socket.SHUT_RDWR)
            over.set()
            with contextlib.suppress(OSError):  # who leaves bytes unread resets the connection
                heard.append(connection.recv(1))

    monkeypatch.setattr(exchange, "quiet", later)
    with served(serve) as url:
        outcome = anywhere.apply(hk_only(url, attempts=1), REFUND)
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert not any(heard)


def test_an_answer_framed_in_two_ways_is_none(anywhere: Use) -> None:
    step = raw(lambda request: http(SUCCESS, *hk_fields(request, SUCCESS), "Transfer-Encoding: chunked"))
    with Gateway(step) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, attempts=1))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert "both Content-Length and Transfer-Encoding" in (outcome.attempts[0].reason or "")


def test_a_switch_of_protocols_that_nobody_asked_for_is_no_answer(anywhere: Use) -> None:
    with Gateway(raw(lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")) as gateway:
        assert codes(anywhere.apply(hk_only(gateway.url, attempts=1, read_timeout=0.2))) == ["NO_ANSWER", "NO_ANSWER"]


def test_idle_connections_are_kept_up_to_a_bound() -> None:
    together = threading.Barrier(66)

    def at_once(connection: socket.socket, request: Received) -> bool:
        together.wait(20)
        return done(connection, request)

    async def main(url: str) -> None:
        async with AsyncClient.from_config(hk_only(url, deadline=30.0, read_timeout=30.0), signers={"hk": sign}) as client:
            for _ in range(2):
                await asyncio.gather(*(client.apply(REDEEM) for _ in range(66)))

    with Gateway(at_once) as gateway:
        asyncio.run(main(gateway.url))
    assert len(gateway.received) == 132
    assert gateway.connections == 68


def test_a_connection_that_was_idle_for_long_is_not_used_again(anywhere: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "_KEEP", 0.0)
    with Gateway(done) as gateway:
        anywhere.applies(hk_only(gateway.url), REDEEM, REDEEM)
    assert gateway.connections == 2


def test_a_program_that_is_slow_itself_gives_an_answer_up_at_the_deadline(anywhere: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    received = h11.Connection.receive_data

    def slowly(self: h11.Connection, data: bytes) -> None:
        time.sleep(0.35)
        received(self, data)

    monkeypatch.setattr(h11.Connection, "receive_data", slowly)
    with Gateway(raw(lambda request: hk_answer(request)[:-1])) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.3))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert "the answer was not complete at the deadline" in (outcome.attempts[0].reason or "")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_handshake_that_is_cancelled_closes_its_connection(backend: str) -> None:
    async def main(url: str) -> bool:
        async with AsyncClient.from_config(hk_only(url), signers={"hk": sign}) as client:
            with anyio.move_on_after(0.1) as scope:
                await client.apply(REDEEM)
            return scope.cancelled_caught

    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(5)
        assert anyio.run(main, f"https://127.0.0.1:{mute.getsockname()[1]}", backend=backend)
        peer, _ = mute.accept()
        peer.settimeout(5)
        with peer:
            while peer.recv(65536):
                pass


def test_another_process_makes_connections_of_its_own(anywhere: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[object] = []

    def elsewhere(client: Client | AsyncClient) -> object:
        kept.append(client._driver._transport)
        monkeypatch.setattr("passbridge.transport.drivers.os", SimpleNamespace(getpid=lambda: -1))
        return client.apply(REDEEM)

    with Gateway(done) as gateway:
        anywhere.in_turn(hk_only(gateway.url), applying(), elsewhere, applying())
        assert [request.connection for request in gateway.received] == [1, 2, 2]
        getattr(kept[0], "_kept").close()  # noqa: B009 - the parent's own connections, as the parent would


def test_our_transports_serve_plain_httpx_clients_too() -> None:
    network = Network(tls_context(None, trust_env=False))

    async def main(url: str) -> int:
        async with httpx.AsyncClient(transport=AsyncTransport(network), trust_env=False) as client:
            return (await client.get(f"{url}/x?y=1")).status_code

    with Gateway(raw(lambda _: http(b"hello"))) as gateway:
        with httpx.Client(transport=Transport(network), trust_env=False) as client:
            assert client.get(f"{gateway.url}/x?y=1").text == "hello"
        assert asyncio.run(main(gateway.url)) == 200
    assert [request.target for request in gateway.received] == ["/x?y=1", "/x?y=1"]


def test_trying_again_is_bounded_for_all_calls_of_a_client_until_one_is_answered(use: Use) -> None:
    answers: list[httpx.Response | Exception] = [httpx.ConnectError("x")] * 104
    transport, asked = mocked(*answers, httpx.Response(503), *answers)
    config = hk_only("http://127.0.0.1:9", attempts=60, deadline=30.0)
    outcomes = use.applies(config, *[REFUND] * 4, transport=transport)
    assert [len(outcome.attempts) for outcome in outcomes] == [60, 42, 1, 1]
    assert len(asked) == 104


def test_silence_costs_its_connection_alone(anywhere: Use) -> None:
    with Gateway(silence, done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, read_timeout=0.3))
    assert codes(outcome) == ["APPLIED", "NO_ANSWER", "APPLIED"]
    assert [request.connection for request in gateway.received] == [1, 2]
