"""The drivers: carrying out what a conversation yields, blocking or awaiting, over any httpx transport.

Owns the clock, the sleep, what counts as proof that nothing was sent, and the bounds that hold for a caller's own
transport too. Knows no gateway and decides nothing about an update.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeVar

import anyio
import httpx

from passbridge.protocol.conversation import Exchange, Flow, Instant, Pause
from passbridge.protocol.wire import Headers, NoReply, WireResponse
from passbridge.transport.exchange import MAX_BODY
from passbridge.transport.transports import AsyncTransport, Transport

__all__ = ["AsyncDriver", "Driver"]

_T = TypeVar("_T")

_WORDS: Final = (
    (httpx.ConnectTimeout, "connecting took too long"),
    (httpx.ReadTimeout, "no answer in time"),
    (httpx.WriteTimeout, "sending took too long"),
    (httpx.ConnectError, "no connection"),
    (httpx.ReadError, "the connection broke"),
    (httpx.WriteError, "the connection broke"),
    (httpx.RemoteProtocolError, "the connection ended early or spoke no HTTP"),
    (httpx.ProxyError, "the proxy refused"),
)


@dataclass(slots=True)
class _Trace:
    """What a transport tells of its steps: the proof of whether a byte of the request left."""

    spoke: bool = False
    sending: bool = False

    def note(self, event: str, _: object) -> None:
        self.spoke = True
        self.sending = self.sending or ".send_request_headers.started" in event

    async def anote(self, event: str, info: object) -> None:
        self.note(event, info)

    def sent(self, error: BaseException | None) -> bool:
        """False only where it is proved: the connection was never made, or the transport tells its steps and sent nothing."""
        return not (isinstance(error, httpx.ConnectError) and not self.sending) and not (self.spoke and not self.sending)


@dataclass(slots=True)
class Driver:
    """Carries out a conversation, blocking.

    Attributes:
        make: makes the transport; called again after a fork, whose child must not share connections.
    """

    make: Callable[[], httpx.BaseTransport]
    _owner: int = field(init=False)
    _transport: httpx.BaseTransport = field(init=False)

    def __post_init__(self) -> None:
        self._owner, self._transport = os.getpid(), self.make()

    def run(self, flow: Flow[_T]) -> _T:
        """Do what the conversation asks until it returns."""
        answer: Instant | WireResponse | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator begins with None
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = self._perform(step)

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def _perform(self, step: Pause | Exchange) -> Instant | WireResponse | NoReply:
        if isinstance(step, Exchange):
            return self._exchange(step)
        if step.seconds:
            time.sleep(step.seconds)
        return _instant()

    def _exchange(self, step: Exchange) -> WireResponse | NoReply:
        trace = _Trace()
        try:
            transport = self._current()
            if isinstance(transport, Transport):
                return _in_time(transport.carry(step, trace.note), step)
            response = transport.handle_request(_request(step, trace.note))
            try:
                return _read(response, _Body(step.deadline))
            finally:
                response.close()
        except _TooMuch as error:
            return NoReply(str(error), sent=True)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the update's outcome must be told
            return NoReply(_reason(error), trace.sent(error))

    def _current(self) -> httpx.BaseTransport:
        if self._owner != os.getpid():
            self._owner, self._transport = os.getpid(), self.make()
        return self._transport


@dataclass(slots=True)
class AsyncDriver:
    """Carries out a conversation, awaiting.

    Attributes:
        make: makes the transport; called again after a fork.
    """

    make: Callable[[], httpx.AsyncBaseTransport]
    _owner: int = field(init=False)
    _transport: httpx.AsyncBaseTransport = field(init=False)

    def __post_init__(self) -> None:
        self._owner, self._transport = os.getpid(), self.make()

    async def run(self, flow: Flow[_T]) -> _T:
        """Do what the conversation asks until it returns."""
        answer: Instant | WireResponse | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator begins with None
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = await self._perform(step)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _perform(self, step: Pause | Exchange) -> Instant | WireResponse | NoReply:
        if isinstance(step, Exchange):
            return await self._exchange(step)
        if step.seconds:
            await anyio.sleep(step.seconds)
        return _instant()

    async def _exchange(self, step: Exchange) -> WireResponse | NoReply:
        trace = _Trace()
        try:
            transport = self._current()
            if isinstance(transport, AsyncTransport):
                return _in_time(await transport.carry(step, trace.anote), step)
            with anyio.fail_after(max(0.0, step.deadline - time.monotonic())):
                return await _answer(transport, _request(step, trace.anote), _Body(step.deadline))
        except _TooMuch as error:
            return NoReply(str(error), sent=True)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the update's outcome must be told
            return NoReply(_reason(error), trace.sent(error))

    def _current(self) -> httpx.AsyncBaseTransport:
        if self._owner != os.getpid():
            self._owner, self._transport = os.getpid(), self.make()
        return self._transport


class _TooMuch(Exception):
    """An answer that is cut off or not read at all."""


@dataclass(slots=True)
class _Body:
    """Gathers an answer's body, bounded in size and time."""

    deadline: float
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self.chunks.append(chunk)
        if self.size > MAX_BODY:
            raise _TooMuch(f"the answer is larger than {MAX_BODY} bytes")
        if time.monotonic() > self.deadline:
            raise _TooMuch("the answer was not complete at the deadline")


@asynccontextmanager
async def _closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[None]:
    """Let a stream that isn't read to its end clean up now, not when it is collected."""
    try:
        yield
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _answer(transport: httpx.AsyncBaseTransport, request: httpx.Request, body: _Body) -> WireResponse:
    response = await transport.handle_async_request(request)
    try:
        _refuse_encoded(response)
        chunks = aiter(response.stream)  # type: ignore[arg-type]  # an asynchronous transport's stream
        async with _closing(chunks):
            async for chunk in chunks:
                body.add(chunk)
    finally:
        await response.aclose()
    return _response(response, body)


def _read(response: httpx.Response, body: _Body) -> WireResponse:
    _refuse_encoded(response)
    for chunk in response.stream:  # type: ignore[union-attr]  # a synchronous transport's stream
        body.add(chunk)
    return _response(response, body)


def _in_time(response: WireResponse, step: Exchange) -> WireResponse:
    """What our own transport brought, which reads whole answers within bounds; only this program can have been slow since."""
    _refuse_encoded(response)
    _Body(step.deadline).add(response.body)
    return response


def _refuse_encoded(response: httpx.Response | WireResponse) -> None:
    """Compression was not asked for: a body that must be inflated first is none of the gateway's."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise _TooMuch("the answer is compressed, which was not asked for")


def _response(response: httpx.Response, body: _Body) -> WireResponse:
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
    return WireResponse(response.status_code, Headers(pairs), b"".join(body.chunks))


def _request(step: Exchange, trace: object) -> httpx.Request:
    """The sealed request, as it is: no cookie, no default header, no redirect. Time-outs are cut to what is left."""
    left = max(0.001, step.deadline - time.monotonic())
    reading = min(step.policy.read_timeout, left)
    timeouts = {"connect": min(step.policy.connect_timeout, left), "read": reading, "write": reading, "pool": left}
    headers = [*step.request.headers.pairs(), ("Accept-Encoding", "identity"), ("User-Agent", "passbridge")]
    # httpx writes some of a URL anew; the target is what was signed, to the byte.
    target = b"/" + step.request.url.partition("://")[2].partition("/")[2].encode("ascii")
    extensions = {"timeout": timeouts, "trace": trace, "target": target}
    return httpx.Request(step.request.method, step.request.url, headers=headers, content=step.request.body, extensions=extensions)


def _reason(error: BaseException) -> str:
    """What happened, in a few words."""
    if isinstance(error, TimeoutError):
        return "the deadline passed"
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    return f"{words} ({str(error)[:160]})" if words and str(error) else words or type(error).__name__


def _instant() -> Instant:
    return Instant(datetime.now(UTC), time.monotonic())
