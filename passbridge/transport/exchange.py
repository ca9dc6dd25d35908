"""One HTTP/1.1 exchange, and the connections kept between exchanges.

Owns what an answer may be (its framing, its size, how many interim answers and header fields) and when a connection
may be used again: only where the answer ended as its framing said, no further byte is held, and nothing is readable
just before the next request. A left-over answer of one call, correctly signed, must never reach the next.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import h11
import httpx

from passbridge.transport.link import Bounds, Sending, Steps, connect, quiet, receive, send

if TYPE_CHECKING:
    import socket

    from passbridge.transport.network import Network, Route

__all__ = ["MAX_BODY", "Kept", "exchange"]

MAX_BODY: Final = 1024 * 1024
"""Bytes of an answer's body: a hundred times what either gateway answers."""

_MAX_HEADERS: Final = 100
_MAX_HEAD: Final = 65536
_MAX_INTERIM: Final = 8
_KEEP: Final = 30.0
"""Seconds: a gateway closes idle connections after about a minute."""
_KEEP_MOST: Final = 64


@dataclass(slots=True)
class _Link:
    """An open connection, and where its HTTP stands."""

    socket: socket.socket
    http: h11.Connection
    idle_since: float = 0.0


@dataclass(slots=True)
class Kept:
    """The idle connections, by their routes. May be used from several threads."""

    _idle: dict[Route, list[_Link]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, route: Route) -> _Link | None:
        """A connection on which nothing waits to be read, the last used first; the others are closed."""
        while True:
            with self._lock:
                links = self._idle.get(route)
                link = links.pop() if links else None
            if link is None or (time.monotonic() - link.idle_since < _KEEP and quiet(link.socket)):
                return link
            link.socket.close()

    def give(self, route: Route, link: _Link) -> None:
        """Keep a connection whose answer has ended cleanly."""
        link.idle_since = time.monotonic()
        with self._lock:
            links = self._idle.setdefault(route, [])
            links.append(link)
            surplus = links.pop(0) if len(links) > _KEEP_MOST else None
        if surplus:
            surplus.socket.close()

    def close(self) -> None:
        """Close them all."""
        with self._lock:
            links = [link for links in self._idle.values() for link in links]
            self._idle.clear()
        for link in links:
            link.socket.close()


def exchange(network: Network, kept: Kept, request: httpx.Request, body: bytes) -> Steps[httpx.Response]:
    """Send a request and give its whole answer.

    Raises:
        httpx.TransportError: no answer; which kind says how far it came.
    """
    bounds = _bounds(request)
    route = network.route(request.url)
    link = kept.take(route) or (yield from _opened(network, route, bounds))
    clean = False
    try:
        written = _written(link.http, request, body, route)
        yield Sending()
        yield from send(link.socket, written, bounds)
        response = yield from _answer(link, bounds)
        clean = _reusable(link.http)
    finally:
        if not clean:
            link.socket.close()
    if clean:
        link.http.start_next_cycle()
        kept.give(route, link)
    return response


def _bounds(request: httpx.Request) -> Bounds:
    timeouts: dict[str, float] = request.extensions.get("timeout", {})
    deadline = request.extensions.get("passbridge.deadline", time.monotonic() + timeouts.get("pool", 60.0))
    return Bounds(deadline, timeouts.get("connect", 5.0), timeouts.get("read", 5.0))


def _opened(network: Network, route: Route, bounds: Bounds) -> Steps[_Link]:
    link = yield from connect(network, route, bounds)
    if not quiet(link):
        link.close()
        raise httpx.RemoteProtocolError("the peer spoke before it was asked, or left")
    return _Link(link, h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD))


def _written(http: h11.Connection, request: httpx.Request, body: bytes, route: Route) -> bytes:
    plain_proxy = route.proxy if not route.secure else None
    target = request.extensions.get("target", request.url.raw_path)
    if plain_proxy:
        target = f"http://{request.url.netloc.decode('ascii')}".encode("ascii") + target
    headers = list(request.headers.raw)
    if plain_proxy and plain_proxy.authorization:
        headers.append((b"Proxy-Authorization", plain_proxy.authorization.encode("ascii")))
    events = (h11.Request(method=request.method, target=target, headers=headers), h11.Data(data=body), h11.EndOfMessage())
    return b"".join(http.send(event) or b"" for event in events)


def _answer(link: _Link, bounds: Bounds) -> Steps[httpx.Response]:
    head: h11.Response | None = None
    chunks: list[bytes] = []
    size = interim = 0
    while True:
        event = yield from _event(link, bounds)
        if isinstance(event, h11.EndOfMessage) and head is not None:
            return _response(head, chunks)
        if isinstance(event, h11.Response):
            head = _acceptable(event)
        elif isinstance(event, h11.InformationalResponse):
            interim += 1
            if interim > _MAX_INTERIM:
                raise httpx.RemoteProtocolError(f"more than {_MAX_INTERIM} interim answers")
        else:
            chunks.append(bytes(event.data))
            size += len(chunks[-1])
            if size > MAX_BODY:
                raise httpx.RemoteProtocolError(f"the answer is larger than {MAX_BODY} bytes")


def _event(link: _Link, bounds: Bounds) -> Steps[Any]:
    try:
        while (event := link.http.next_event()) is h11.NEED_DATA:
            link.http.receive_data((yield from receive(link.socket, bounds)))
    except h11.RemoteProtocolError as error:
        raise httpx.RemoteProtocolError(str(error)) from None
    return event


def _acceptable(head: h11.Response) -> h11.Response:
    """Refuse what two readers could understand differently, and what nobody needs."""
    names = [name for name, _ in head.headers]
    if len(names) > _MAX_HEADERS:
        raise httpx.RemoteProtocolError(f"more than {_MAX_HEADERS} header fields")
    if b"content-length" in names and b"transfer-encoding" in names:
        raise httpx.RemoteProtocolError("both Content-Length and Transfer-Encoding")
    return head


def _response(head: h11.Response, chunks: list[bytes]) -> httpx.Response:
    return httpx.Response(head.status_code, headers=list(head.headers.raw_items()), stream=httpx.ByteStream(b"".join(chunks)))


def _reusable(http: h11.Connection) -> bool:
    return http.our_state is h11.DONE and http.their_state is h11.DONE and http.trailing_data == (b"", False)
