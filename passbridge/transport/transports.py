"""Our own two httpx transports: the same exchange, waited for by blocking or by awaiting.

Owns the waiting and nothing else: a socket's readiness, a name's look-up, and telling a trace that sending begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

import anyio
import httpx

from passbridge.transport.exchange import Kept, exchange
from passbridge.transport.link import Addresses, Bounds, Lookup, Ready, Sending
from passbridge.transport.message import Outgoing, address_of, outgoing

if TYPE_CHECKING:
    from passbridge.protocol.conversation import Exchange
    from passbridge.protocol.wire import WireResponse
    from passbridge.transport.network import Network

__all__ = ["AsyncTransport", "Transport"]

SENDING: Final = "http11.send_request_headers.started"
"""The trace event that every httpx transport over httpcore sends too: from here on a byte may have left."""
CONNECTING: Final = "connection.connect_tcp.started"

_Selector = getattr(selectors, "PollSelector", selectors.DefaultSelector)
"""For one socket, waited for once: where there is `poll`, nothing need be made and closed for it."""


class Transport(httpx.BaseTransport):
    """A blocking transport: no retries, no redirects, no cookies; every wait bounded. May be shared between threads."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept = Kept()

    def carry(self, step: Exchange, trace: Callable[[str, object], None]) -> WireResponse:
        """Send a sealed request, with nothing of httpx around it; the answer is complete when this returns."""
        trace(CONNECTING, {})
        return self._carried(outgoing(step.request), _bounds_of(step), trace)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The same for httpx."""
        trace = request.extensions.get("trace", _silent)
        trace(CONNECTING, {})
        return _to_httpx(self._carried(_from_httpx(request, request.read()), _bounds(request), trace))

    def _carried(self, request: Outgoing, bounds: Bounds, trace: Callable[[str, object], None]) -> WireResponse:
        with contextlib.closing(exchange(self._network, self._kept, request, bounds)) as steps:
            answer = None
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as stop:
                    response: WireResponse = stop.value
                    return response
                if isinstance(step, Sending):
                    trace(SENDING, {})
                answer = _looked_up(step) if isinstance(step, Lookup) else isinstance(step, Ready) and _ready(step)

    def close(self) -> None:
        """Close the idle connections."""
        self._kept.close()


class AsyncTransport(httpx.AsyncBaseTransport):
    """The same, awaiting; under asyncio or trio, and in one event loop after the other."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._kept = Kept()

    async def carry(self, step: Exchange, trace: Callable[[str, object], Awaitable[None]]) -> WireResponse:
        """Send a sealed request, with nothing of httpx around it; the answer is complete when this returns."""
        await trace(CONNECTING, {})
        return await self._carried(outgoing(step.request), _bounds_of(step), trace)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The same for httpx."""
        trace = request.extensions.get("trace", _async_silent)
        await trace(CONNECTING, {})
        return _to_httpx(await self._carried(_from_httpx(request, await request.aread()), _bounds(request), trace))

    async def _carried(self, request: Outgoing, bounds: Bounds, trace: Callable[[str, object], Awaitable[None]]) -> WireResponse:
        with contextlib.closing(exchange(self._network, self._kept, request, bounds)) as steps:
            answer = None
            while True:
                try:
                    step = steps.send(answer)
                except StopIteration as stop:
                    response: WireResponse = stop.value
                    return response
                asked = (
                    trace(SENDING, {}) if isinstance(step, Sending) else _alooked_up(step) if isinstance(step, Lookup) else _aready(step)
                )
                answer = await asked

    async def aclose(self) -> None:
        """Close the idle connections."""
        self._kept.close()


def _silent(event: str, info: object) -> None:
    """No trace was asked for."""


async def _async_silent(event: str, info: object) -> None:
    """No trace was asked for."""


def _bounds_of(step: Exchange) -> Bounds:
    return Bounds(step.deadline, step.policy.connect_timeout, step.policy.read_timeout)


def _bounds(request: httpx.Request) -> Bounds:
    timeouts: dict[str, float] = request.extensions.get("timeout", {})
    return Bounds(time.monotonic() + timeouts.get("pool", 60.0), timeouts.get("connect", 5.0), timeouts.get("read", 5.0))


def _from_httpx(request: httpx.Request, body: bytes) -> Outgoing:
    own = {"host", "content-length", "transfer-encoding"}
    fields = [(name, value) for name, value in request.headers.items() if name not in own]
    url = request.url
    return Outgoing(address_of(f"{url.scheme}://{url.netloc.decode('ascii')}"), request.method, url.raw_path.decode("ascii"), fields, body)


def _to_httpx(response: WireResponse) -> httpx.Response:
    return httpx.Response(response.status, headers=list(response.headers.pairs()), stream=httpx.ByteStream(response.body))


def _ready(step: Ready) -> bool:
    with _Selector() as selector:
        selector.register(step.socket, selectors.EVENT_WRITE if step.writing else selectors.EVENT_READ)
        return bool(selector.select(max(0.0, step.until - time.monotonic())))


async def _aready(step: Ready) -> bool:
    loop = _watching()
    if loop is not None:
        return await _watched(loop, step)
    with anyio.move_on_after(max(0.0, step.until - time.monotonic())):
        await (anyio.wait_writable(step.socket) if step.writing else anyio.wait_readable(step.socket))
        return True
    return False


def _watching() -> asyncio.AbstractEventLoop | None:
    """The asyncio loop whose task this is, if it watches sockets itself (on Windows none does)."""
    try:
        return asyncio.get_running_loop() if os.name == "posix" and asyncio.current_task() else None
    except RuntimeError:
        return None


async def _watched(loop: asyncio.AbstractEventLoop, step: Ready) -> bool:
    """The same by asyncio itself, which costs half: there is one wait in every exchange."""
    ready: asyncio.Future[bool] = loop.create_future()
    watch, leave = (loop.add_writer, loop.remove_writer) if step.writing else (loop.add_reader, loop.remove_reader)
    link = step.socket.fileno()
    timer = loop.call_later(max(0.0, step.until - time.monotonic()), _tell, ready, False)  # noqa: FBT003 - a future's value
    watch(link, _tell, ready, True)  # noqa: FBT003 - likewise
    try:
        return await ready
    finally:
        leave(link)
        timer.cancel()


def _tell(ready: asyncio.Future[bool], value: bool) -> None:  # noqa: FBT001 - likewise
    if not ready.done():
        ready.set_result(value)


def _looked_up(step: Lookup) -> Addresses | OSError | None:
    """The resolver knows no time-out."""
    numeric = _numeric(step)
    if numeric is not None:
        return numeric
    thread, found = _resolving(step)
    thread.join(max(0.0, step.until - time.monotonic()))
    return found[0] if found else None


async def _alooked_up(step: Lookup) -> Addresses | OSError | None:
    numeric = _numeric(step)
    if numeric is not None:
        return numeric
    thread, found = _resolving(step)
    pause = 0.001
    while thread.is_alive() and time.monotonic() < step.until:
        await anyio.sleep(pause)
        pause = min(2 * pause, 0.05)
    return found[0] if found else None


def _resolving(step: Lookup) -> tuple[threading.Thread, list[Addresses | OSError]]:
    """A thread of its own, left alone when it takes too long: an event loop's own threads would keep the program from ending."""
    found: list[Addresses | OSError] = []
    thread = threading.Thread(target=lambda: found.append(_resolved(step)), daemon=True)
    thread.start()
    return thread, found


def _numeric(step: Lookup) -> Addresses | None:
    """The address that the host's text is, without asking anybody."""
    try:
        return socket.getaddrinfo(step.host, step.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None


def _resolved(step: Lookup) -> Addresses | OSError:
    try:
        return socket.getaddrinfo(step.host, step.port, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:
        return OSError("no such name")
