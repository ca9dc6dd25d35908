from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from typing import Self

import anyio
import httpx
import pytest

from passbridge import AsyncClient, Client, PassUpdate
from tests.client.answers import SUCCESS, done, hk_fields
from tests.client.gateway import Gateway, Received
from tests.client.keys import sign
from tests.client.use import REDEEM, REFUND, WAYS, Use, applying, codes, hk_only, mocked

URL = "http://127.0.0.1:9"
TARGET = b"POST /api/open/alipay/v1/ipass/pass/manage/updatePass HTTP/1.1"


def _signed(**more: str) -> httpx.Response:
    fields = [field.partition(": ")[::2] for field in hk_fields(Received(TARGET, (), b"", 1), SUCCESS)]
    return httpx.Response(200, headers=[*fields, *more.items()], stream=httpx.ByteStream(SUCCESS))


def test_a_transport_of_the_callers_own_carries_the_sealed_request(anywhere: Use) -> None:
    transport, asked = mocked(_signed())
    outcome = anywhere.apply(hk_only(URL), transport=transport)
    assert codes(outcome) == ["APPLIED", "APPLIED"]
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", f"{URL}{TARGET.split()[1].decode()}")
    assert request.headers["Client-Id"]
    assert request.read().startswith(b"{")
    assert set(request.extensions["timeout"]) == {"connect", "read", "write", "pool"}
    assert all(0 < seconds <= 5 for seconds in request.extensions["timeout"].values())


ERRORS: dict[str, tuple[Exception, str, str]] = {
    "no connection": (httpx.ConnectError("refused"), "NOT_SENT", "no connection (refused)"),
    "connecting too slow, without proof": (httpx.ConnectTimeout(""), "NO_ANSWER", "connecting took too long"),
    "no free connection": (httpx.PoolTimeout("full"), "NO_ANSWER", "PoolTimeout"),
    "reading too slow": (httpx.ReadTimeout(""), "NO_ANSWER", "no answer in time"),
    "writing too slow": (httpx.WriteTimeout(""), "NO_ANSWER", "sending took too long"),
    "reading broke": (httpx.ReadError("reset"), "NO_ANSWER", "the connection broke (reset)"),
    "writing broke": (httpx.WriteError("reset"), "NO_ANSWER", "the connection broke (reset)"),
    "the proxy": (httpx.ProxyError("403"), "NO_ANSWER", "the proxy refused (403)"),
    "a long story": (httpx.ReadError("x" * 500), "NO_ANSWER", "the connection broke (" + "x" * 160 + ")"),
    "a fault in the transport": (ZeroDivisionError("secret"), "NO_ANSWER", "ZeroDivisionError"),
}


@pytest.mark.parametrize(("error", "code", "reason"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("update", [REDEEM, REFUND], ids=["redeem", "refund"])
def test_only_a_failed_connection_proves_that_nothing_was_sent(
    anywhere: Use, error: Exception, code: str, reason: str, update: PassUpdate
) -> None:
    transport, asked = mocked(error)
    outcome = anywhere.apply(hk_only(URL, attempts=2), update, transport=transport)
    times = 1 if update is REFUND and code == "NO_ANSWER" else 2
    assert codes(outcome) == [code] * (times + 1)
    assert [attempt.reason for attempt in outcome.attempts] == [reason] * times
    assert [attempt.sent for attempt in outcome.attempts] == [code == "NO_ANSWER"] * times
    assert len(asked) == times


class _Tells(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Tells these steps to the trace, then fails."""

    def __init__(self, error: Exception, *events: str) -> None:
        self.error = error
        self.events = events

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for event in self.events:
            request.extensions["trace"](event, {})
        raise self.error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for event in self.events:
            await request.extensions["trace"](event, {})
        raise self.error


SENDING = "http11.send_request_headers.started"
TRACES: dict[str, tuple[_Tells, bool]] = {
    "slow to connect, and says so": (_Tells(httpx.ConnectTimeout(""), "connection.connect_tcp.started"), False),
    "slow to connect, after it sent": (_Tells(httpx.ConnectTimeout(""), "connection.connect_tcp.started", SENDING), True),
    "no connection, after it sent": (_Tells(httpx.ConnectError(""), SENDING, "http11.send_request_body.started"), True),
    "another fault before it sent": (_Tells(OSError("x"), "connection.connect_tcp.started"), False),
}


@pytest.mark.parametrize(("transport", "sent"), TRACES.values(), ids=TRACES)
def test_a_transport_that_tells_its_steps_is_believed(anywhere: Use, transport: _Tells, sent: bool) -> None:  # noqa: FBT001 - expected
    outcome = anywhere.apply(hk_only(URL, attempts=1), REFUND, transport=transport)
    assert [attempt.sent for attempt in outcome.attempts] == [sent]


def test_an_own_transports_answer_is_bounded_in_size(anywhere: Use) -> None:
    transport, _ = mocked(httpx.Response(200, stream=httpx.ByteStream(b"x" * (1024 * 1024 + 1))))
    outcome = anywhere.apply(hk_only(URL, attempts=1), transport=transport)
    assert outcome.attempts[0].reason == "the answer is larger than 1048576 bytes"


def test_an_own_transports_compressed_answer_is_refused(anywhere: Use) -> None:
    transport, _ = mocked(_signed(**{"Content-Encoding": "gzip"}))
    outcome = anywhere.apply(hk_only(URL, attempts=1), transport=transport)
    assert outcome.attempts[0].reason == "the answer is compressed, which was not asked for"


def test_an_answer_that_says_it_is_not_compressed_is_taken(anywhere: Use) -> None:
    transport, _ = mocked(_signed(**{"Content-Encoding": "Identity"}))
    assert anywhere.apply(hk_only(URL), transport=transport).code == "APPLIED"


class _Late(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is complete only after the deadline."""

    def __iter__(self) -> Iterator[bytes]:
        yield SUCCESS[:10]
        time.sleep(0.35)
        yield SUCCESS[10:]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk


def test_an_own_transports_answer_that_is_late_is_none(anywhere: Use) -> None:
    transport, _ = mocked(httpx.Response(200, stream=_Late()))
    outcome = anywhere.apply(hk_only(URL, attempts=1, deadline=0.3), transport=transport)
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert outcome.attempts[0].reason == "the answer was not complete at the deadline"


class _Silent(httpx.AsyncBaseTransport):
    """Knows no time-out, and never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await anyio.sleep(60)
        return httpx.Response(200, request=request)


@pytest.mark.parametrize("way", WAYS[1:])  # nothing ends a call that blocks: there a transport's own time-outs must hold
def test_an_own_transport_that_never_answers_is_left_at_the_deadline(way: str) -> None:
    outcome = Use(way).apply(hk_only(URL, attempts=1, deadline=0.2), transport=_Silent())
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert outcome.attempts[0].reason == "the deadline passed"


class _Once:
    """An iterator that has nothing to clean up."""

    def __init__(self) -> None:
        self.chunks = [SUCCESS]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if not self.chunks:
            raise StopAsyncIteration
        return self.chunks.pop()


class _Bare(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of one piece."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([SUCCESS])

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _Once()


def test_an_own_transports_body_may_be_any_iterator(anywhere: Use) -> None:
    answer = _signed()
    answer.stream = _Bare()
    transport, _ = mocked(answer)
    assert anywhere.apply(hk_only(URL), transport=transport).code == "APPLIED"


class _Counting(httpx.MockTransport):
    """Counts how often it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("times", [0, 1], ids=["unused", "used"])
def test_an_own_transport_is_closed_with_its_client(anywhere: Use, times: int) -> None:
    transport = _Counting(lambda _: _signed())
    anywhere.in_turn(hk_only(URL), *[applying()] * times, transport=transport)
    assert transport.closed == 1


def test_httpx_own_transports_may_be_used(anywhere: Use) -> None:
    with Gateway(done) as gateway:  # plain http: there is nothing to verify
        transport: object = httpx.HTTPTransport(verify=False) if anywhere.way == "blocking" else httpx.AsyncHTTPTransport(verify=False)
        assert anywhere.apply(hk_only(gateway.url), transport=transport).code == "APPLIED"


def test_signers_stand_in_for_private_keys(anywhere: Use) -> None:
    signed: list[bytes] = []

    def signer(data: bytes) -> bytes:
        signed.append(data)
        return sign(data)

    with Gateway(done) as gateway:
        assert anywhere.apply(hk_only(gateway.url), signers={"hk": signer}).code == "APPLIED"
    (request,) = gateway.received
    assert signed[0].endswith(request.body)


def test_a_signer_that_fails_sends_nothing_and_is_asked_again(anywhere: Use) -> None:
    def broken(_: bytes) -> bytes:
        raise ConnectionError("the HSM is away: slot 4, pin 1234")

    with Gateway(done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, attempts=2), signers={"hk": broken})
    assert codes(outcome) == ["NOT_SENT"] * 3
    assert [attempt.reason for attempt in outcome.attempts] == ["signing failed: ConnectionError"] * 2
    assert gateway.received == []


def test_a_client_is_a_subclass_of_itself_from_config() -> None:
    class Mine(Client):
        pass

    class MineToo(AsyncClient):
        pass

    with Mine.from_config(hk_only(URL), signers={"hk": sign}) as client:
        assert type(client) is Mine
    assert type(MineToo.from_config(hk_only(URL), signers={"hk": sign})) is MineToo
