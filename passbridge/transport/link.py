"""One connection: look-up, connect, proxy, TLS, bytes out and in; every wait bounded by a moment.

Owns the sockets. Written once for both transports: each function is a generator that yields what it waits for
(`Ready`, `Lookup`) and is sent the answer; only the waiting differs. Of HTTP it knows a proxy's `CONNECT` alone.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import h11
import httpx

if TYPE_CHECKING:
    from passbridge.transport.message import Proxy
    from passbridge.transport.network import Network, Route

__all__ = ["Addresses", "Bounds", "Lookup", "Ready", "Sending", "Steps", "connect", "quiet", "receive", "send"]

_CHUNK: Final = 65536
_UNDER_WAY: Final = frozenset({0, errno.EINPROGRESS, errno.EWOULDBLOCK})
_MAX_PROXY_ANSWER: Final = 65536

Addresses: TypeAlias = Sequence[tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Ready:
    """Wait until a socket can be read or written. Answered by whether it can before the moment (monotonic seconds)."""

    socket: socket.socket
    writing: bool
    until: float


@dataclass(frozen=True, slots=True)
class Lookup:
    """Look up a host's addresses. Answered by them, by the error, or by None where the moment came first."""

    host: str
    port: int
    until: float


@dataclass(frozen=True, slots=True)
class Sending:
    """Nothing to wait for: the first byte of the request is about to leave."""


Steps: TypeAlias = Generator[Ready | Lookup | Sending, Any, _T]
"""What is to be waited for, until the result."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What bounds one exchange: the deadline (monotonic seconds), and the longest connecting and silence (seconds)."""

    deadline: float
    connecting: float
    silence: float

    def connected_by(self) -> float:
        """The moment the present address must have answered."""
        return min(time.monotonic() + self.connecting, self.deadline)

    def heard_by(self) -> float:
        """The moment the next byte must have come or gone."""
        return min(time.monotonic() + self.silence, self.deadline)


def connect(network: Network, route: Route, bounds: Bounds) -> Steps[socket.socket]:
    """Open a connection by a route, its TLS proved.

    Raises:
        httpx.ConnectError: no address answers, or TLS fails.
        httpx.ConnectTimeout: the look-up, every address, or TLS took too long.
        httpx.ProxyError: the proxy refuses.
    """
    peer = route.proxy or route
    found = yield Lookup(peer.host, peer.port, bounds.connected_by())
    if found is None:
        raise httpx.ConnectTimeout("looking the name up took too long")
    if isinstance(found, OSError):
        raise httpx.ConnectError(f"the name is not known: {found.strerror or found}")
    opened = yield from _first(found, bounds)
    try:
        if route.secure:
            if route.proxy:
                yield from _tunnel(opened, route, route.proxy, bounds)
            opened = yield from _secure(opened, network.context, route.host, bounds)
    except BaseException:
        opened.close()
        raise
    return opened


def quiet(link: socket.socket) -> bool:
    """Whether nothing is there to be read: no byte of an earlier answer, no end."""
    try:
        link.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


def send(link: socket.socket, data: bytes, bounds: Bounds) -> Steps[None]:
    """Write all of it.

    Raises:
        httpx.WriteError: the connection broke.
        httpx.WriteTimeout: the peer took nothing for too long.
    """
    view = memoryview(data)
    while view:
        try:
            count = yield from _patiently(link, partial(link.send, view), bounds.heard_by(), writing=True)
        except TimeoutError:
            raise httpx.WriteTimeout("") from None
        except OSError as error:
            raise httpx.WriteError(error.strerror or "") from None
        view = view[count:]


def receive(link: socket.socket, bounds: Bounds) -> Steps[bytes]:
    """Read what is there; nothing at the end.

    Raises:
        httpx.ReadError: the connection broke.
        httpx.ReadTimeout: silence for too long, or the deadline.
    """
    if time.monotonic() >= bounds.deadline:
        raise httpx.ReadTimeout("the answer was not complete at the deadline")
    until = bounds.heard_by()
    try:
        # Waiting comes first, though bytes may be there: a peer that never pauses must not hold up an event loop.
        if not _decrypted(link):
            yield Ready(link, writing=False, until=until)
        return (yield from _patiently(link, lambda: link.recv(_CHUNK), until, writing=False))
    except TimeoutError:
        raise httpx.ReadTimeout("") from None
    except OSError as error:
        raise httpx.ReadError(error.strerror or "") from None


def _decrypted(link: socket.socket) -> bool:
    """Whether TLS holds bytes that no wait would tell of."""
    return isinstance(link, ssl.SSLSocket) and link.pending() > 0


def _first(addresses: Addresses, bounds: Bounds) -> Steps[socket.socket]:
    """The first address that answers."""
    failed: httpx.TransportError = httpx.ConnectError("the name has no address")
    for family, kind, protocol, _, address in addresses:
        try:
            opened = socket.socket(family, kind, protocol)
        except OSError as error:
            failed = httpx.ConnectError(error.strerror or "")
            continue
        opened.settimeout(0.0)
        try:
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            code = opened.connect_ex(address)
            if code in _UNDER_WAY and not (yield Ready(opened, writing=True, until=bounds.connected_by())):
                failed = httpx.ConnectTimeout("")
            else:
                code = code if code not in _UNDER_WAY else opened.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code == 0:
                    return opened
                failed = httpx.ConnectError(errno.errorcode.get(code, str(code)))
        except BaseException:
            opened.close()
            raise
        opened.close()
    raise failed


def _secure(plain: socket.socket, context: ssl.SSLContext, host: str, bounds: Bounds) -> Steps[socket.socket]:
    until = bounds.connected_by()
    secured = context.wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    try:
        yield from _patiently(secured, secured.do_handshake, until, writing=False)
    except TimeoutError:
        secured.close()
        raise httpx.ConnectTimeout("TLS took too long") from None
    except OSError as error:
        secured.close()
        message = getattr(error, "verify_message", "") or getattr(error, "reason", "") or error.strerror or type(error).__name__
        raise httpx.ConnectError(f"TLS: {message}") from None
    except BaseException:
        secured.close()
        raise
    return secured


def _tunnel(link: socket.socket, route: Route, proxy: Proxy, bounds: Bounds) -> Steps[None]:
    """Ask the proxy for a way through (RFC 9110, 9.3.6)."""
    target = f"[{route.host}]:{route.port}" if ":" in route.host else f"{route.host}:{route.port}"
    headers = [("Host", target), *([("Proxy-Authorization", proxy.authorization)] if proxy.authorization else [])]
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_PROXY_ANSWER)
    yield from send(link, http.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b"", bounds)
    yield from send(link, http.send(h11.EndOfMessage()) or b"", bounds)
    try:
        while (event := http.next_event()) is h11.NEED_DATA:
            http.receive_data((yield from receive(link, bounds)))
    except h11.RemoteProtocolError:
        raise httpx.ProxyError("the proxy spoke no HTTP") from None
    if not isinstance(event, h11.Response) or not 200 <= event.status_code < 300:  # noqa: PLR2004 - any success
        raise httpx.ProxyError(f"the proxy answered {getattr(event, 'status_code', 'nothing')}")


def _patiently(link: socket.socket, act: Callable[[], _T], until: float, *, writing: bool) -> Steps[_T]:
    """Do it, as often as the socket says to wait first.

    Raises:
        TimeoutError: the moment came.
    """
    while True:
        try:
            return act()
        except BlockingIOError:
            pass
        except ssl.SSLWantReadError:
            writing = False
        except ssl.SSLWantWriteError:
            writing = True
        if not (yield Ready(link, writing=writing, until=until)):
            raise TimeoutError
