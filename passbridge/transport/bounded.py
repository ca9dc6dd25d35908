"""An answer within bounds, whatever transport brings it: its size, its time, and no compression.

Owns those bounds, and how a caller's own httpx transport is asked and read. Our own transport keeps more of them by itself.
Knows no gateway, and doesn't decide what an answer that breaks a bound means.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import httpx

from passbridge.protocol.conversation import Exchange
from passbridge.protocol.wire import Headers, WireResponse
from passbridge.transport.exchange import MAX_BODY

__all__ = ["TooMuch", "acarried", "carried", "in_time"]


class TooMuch(Exception):
    """An answer that is cut off or not read at all."""


def carried(transport: httpx.BaseTransport, step: Exchange, trace: object) -> WireResponse:
    """What a caller's own transport brings, blocking.

    Raises:
        TooMuch: the answer isn't read, or not to its end.
    """
    response = transport.handle_request(_request(step, trace))
    try:
        return _read(response, _Body(step.deadline))
    finally:
        response.close()


async def acarried(transport: httpx.AsyncBaseTransport, step: Exchange, trace: object) -> WireResponse:
    """What a caller's own transport brings, awaiting.

    Raises:
        TooMuch: the answer isn't read, or not to its end.
        TimeoutError: the deadline passed.
    """
    with anyio.fail_after(max(0.0, step.deadline - time.monotonic())):
        return await _answer(transport, _request(step, trace), _Body(step.deadline))


def in_time(response: WireResponse, step: Exchange) -> WireResponse:
    """What our own transport brought, which reads whole answers within bounds; only this program can have been slow since.

    Raises:
        TooMuch: it is compressed, or came after the deadline.
    """
    _refuse_encoded(response)
    _Body(step.deadline).add(response.body)
    return response


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
            raise TooMuch(f"the answer is larger than {MAX_BODY} bytes")
        if time.monotonic() > self.deadline:
            raise TooMuch("the answer was not complete at the deadline")


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


def _read(response: httpx.Response, body: _Body) -> WireResponse:
    _refuse_encoded(response)
    for chunk in response.stream:  # type: ignore[union-attr]  # a synchronous transport's stream
        body.add(chunk)
    return _response(response, body)


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


@asynccontextmanager
async def _closing(chunks: AsyncIterator[bytes]) -> AsyncIterator[None]:
    """Let a stream that isn't read to its end clean up now, not when it is collected."""
    try:
        yield
    finally:
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


def _refuse_encoded(response: httpx.Response | WireResponse) -> None:
    """Compression was not asked for: a body that must be inflated first is none of the gateway's."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise TooMuch("the answer is compressed, which was not asked for")


def _response(response: httpx.Response, body: _Body) -> WireResponse:
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw)
    return WireResponse(response.status_code, Headers(pairs), b"".join(body.chunks))
