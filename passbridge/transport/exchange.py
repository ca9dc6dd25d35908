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

from passbridge.protocol.wire import Headers, WireResponse
from passbridge.transport.link import Bounds, Sending, Steps, connect, quiet, receive, send
from passbridge.transport.message import MAX_HEADERS, Outgoing, plain_answer, written

if TYPE_CHECKING:
    import socket

    from passbridge.transport.network import Network, Route

__all__ = ["MAX_BODY", "Kept", "exchange"]

MAX_BODY: Final = 1024 * 1024
"""Bytes of an answer's body: a hundred times what either gateway answers."""

_MAX_HEAD: Final = 65536
_MAX_INTERIM: Final = 8
_KEEP: Final = 30.0
"""Seconds: a gateway closes idle connections after about a minute."""
_KEEP_MOST: Final = 64


@dataclass(slots=True)
class _Link:
    """An open connection, clean."""

    socket: socket.socket
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


def exchange(network: Network, kept: Kept, request: Outgoing, bounds: Bounds) -> Steps[WireResponse]:
    """Send a request and give its whole answer.

    Nothing leaves that hasn't begun to by the deadline.

    Raises:
        httpx.TransportError: no answer; which kind says how far it came.
    """
    route = network.route(request.address)
    data = written(request, None if route.secure else route.proxy)
    link = kept.take(route) or (yield from _opened(network, route, bounds))
    clean = False
    try:
        if time.monotonic() >= bounds.deadline:  # this process stood still while it connected: what it was to say is no longer wanted
            raise httpx.ConnectTimeout("the deadline came before the request left")
        yield Sending()
        yield from send(link.socket, data, bounds)
        response, clean = yield from _answer(link.socket, request.method, bounds)
    finally:
        if not clean:
            link.socket.close()
    if clean:
        kept.give(route, link)
    return response


def _opened(network: Network, route: Route, bounds: Bounds) -> Steps[_Link]:
    link = yield from connect(network, route, bounds)
    if not quiet(link):
        link.close()
        raise httpx.RemoteProtocolError("the peer spoke before it was asked, or left")
    return _Link(link)


def _answer(link: socket.socket, method: str, bounds: Bounds) -> Steps[tuple[WireResponse, bool]]:
    """The whole answer, and whether the connection is clean after it."""
    data = yield from receive(link, bounds)
    plain = plain_answer(data)
    return (plain, True) if plain else (yield from _read(link, _asked(method), data, bounds))


def _asked(method: str) -> h11.Connection:
    """Where HTTP stands once a request is written."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    http.send(h11.Request(method=method, target="/", headers=[("Host", "")]))
    http.send(h11.EndOfMessage())
    return http


def _read(link: socket.socket, http: h11.Connection, data: bytes, bounds: Bounds) -> Steps[tuple[WireResponse, bool]]:
    head: h11.Response | None = None
    chunks: list[bytes] = []
    size = interim = 0
    http.receive_data(data)
    while True:
        event = yield from _event(link, http, bounds)
        if time.monotonic() > bounds.deadline:  # one piece that was received may hold thousands of chunks
            raise httpx.ReadTimeout("the answer was not complete at the deadline")
        if isinstance(event, h11.EndOfMessage) and head is not None:
            return _response(head, chunks), _reusable(http)
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


def _event(link: socket.socket, http: h11.Connection, bounds: Bounds) -> Steps[Any]:
    try:
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data((yield from receive(link, bounds)))
    except h11.RemoteProtocolError as error:
        closed = http.trailing_data[1]
        raise httpx.RemoteProtocolError("" if closed else str(error)) from None  # its words for a closed connection help nobody
    return event


def _acceptable(head: h11.Response) -> h11.Response:
    """Refuse what two readers could understand differently, and what nobody needs."""
    names = [name for name, _ in head.headers]
    if len(names) > MAX_HEADERS:
        raise httpx.RemoteProtocolError(f"more than {MAX_HEADERS} header fields")
    if b"content-length" in names and b"transfer-encoding" in names:
        raise httpx.RemoteProtocolError("both Content-Length and Transfer-Encoding")
    return head


def _response(head: h11.Response, chunks: list[bytes]) -> WireResponse:
    fields = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items())
    return WireResponse(head.status_code, Headers(fields), b"".join(chunks))


def _reusable(http: h11.Connection) -> bool:
    return http.our_state is h11.DONE and http.their_state is h11.DONE and http.trailing_data == (b"", False)
