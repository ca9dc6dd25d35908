"""An exchange driven by hand, step by step: what a process does that stood still between two of them."""

from __future__ import annotations

import socket
import ssl
import time

import httpx
import pytest

from passbridge.protocol.wire import Headers, WireRequest
from passbridge.transport.exchange import Kept, exchange
from passbridge.transport.link import Bounds, Lookup, Ready
from passbridge.transport.message import outgoing
from passbridge.transport.network import Network


def test_a_process_that_stood_still_past_its_deadline_sends_nothing() -> None:
    """The connection is there when it goes on, and so is the deadline: a frozen machine that thaws is too late."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        request = WireRequest("POST", f"http://{host}:{port}/", Headers(), b"{}")
        steps = exchange(Network(ssl.create_default_context()), Kept(), outgoing(request), Bounds(time.monotonic() + 0.2, 5.0, 5.0))
        lookup = next(steps)
        assert isinstance(lookup, Lookup)
        assert isinstance(steps.send(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)), Ready)
        time.sleep(0.25)
        with pytest.raises(httpx.ConnectTimeout, match="the deadline came before the request left"):
            steps.send(True)  # noqa: FBT003 - a socket is ready
        peer, _ = server.accept()
        with peer:
            peer.settimeout(5)
            assert peer.recv(1) == b""
