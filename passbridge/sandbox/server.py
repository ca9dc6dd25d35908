"""The sandbox on a socket: uvicorn in a thread of its own.

Owns the listening socket, the thread, and the one thing no application can do through ASGI: cutting a connection. It
must not know what is served.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from contextlib import suppress
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["CUT", "Server"]

CUT: Final = "passbridge.cut"
"""The ASGI extension that cuts the connection: `scope["extensions"][CUT]()`."""

_LONGEST_HEAD: Final = 65536
"""Bytes of a request's line and headers: a GET may carry a whole update."""

_QUIET = logging.getLogger("passbridge.sandbox.http")
_QUIET.addHandler(logging.NullHandler())


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, whose connections can be cut from within and don't outlive the server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own arguments, handed on
        super().__init__(*args, **kwargs)
        self.logger = _QUIET
        self.access_log = False
        served = self.app

        async def with_cut(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {CUT: self.transport.abort}
            await served(scope, receive, send)

        self.app = with_cut

    def shutdown(self) -> None:
        """Close an idle connection; cut one that still waits for its answer."""
        super().shutdown()
        if not self.transport.is_closing():
            self.transport.abort()


class _Uvicorn(uvicorn.Server):
    """uvicorn's server, which says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.up.set()


class Server:
    """An ASGI application on 127.0.0.1."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                http=_Protocol,
                loop="asyncio",
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
                h11_max_incomplete_event_size=_LONGEST_HEAD,
            )
        )
        self._thread = threading.Thread(target=self._run, name="passbridge-sandbox", daemon=True)

    def start(self) -> None:
        """Return when connections are accepted.

        Raises:
            RuntimeError: uvicorn gave up.
        """
        self._thread.start()
        self._server.up.wait()
        if not self._server.started:
            self._thread.join()
            self._socket.close()
            raise RuntimeError("the sandbox's server did not start")

    def stop(self) -> None:
        """Return when the thread has ended."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        try:
            # A uvicorn that can't start gives up by leaving the process; this one only has a thread to leave.
            with suppress(SystemExit):
                self._server.run([self._socket])
        finally:
            self._server.up.set()


def _listening(port: int) -> socket.socket:
    # With its protocol named, for asyncio switches Nagle's delay off only where it reads IPPROTO_TCP.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Elsewhere than on POSIX the option would let two servers share a port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(os.name == "posix"))
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
