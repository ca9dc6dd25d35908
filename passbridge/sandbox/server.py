"""The sandbox on a socket: uvicorn in a thread of its own.

Owns the listening socket, the thread, and what no application can do through ASGI: writing bytes by hand, speaking
first, ending and resetting a connection. It must not know what is served.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import h11
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from passbridge.sandbox.mischief import Script

__all__ = ["PLAY", "Server"]

PLAY: Final = "passbridge.play"
"""The ASGI extension that writes bytes in place of an answer: `await scope["extensions"][PLAY](script)`."""

_AT_ONCE: Final = struct.pack("ii" if os.name == "posix" else "hh", 1, 0)
"""For `SO_LINGER`: a closed socket doesn't say goodbye."""

_LONGEST_HEAD: Final = 65536
"""Bytes of a request's line and headers: a GET may carry a whole update."""

_QUIET = logging.getLogger("passbridge.sandbox.http")
_QUIET.addHandler(logging.NullHandler())


class _Config(uvicorn.Config):
    """uvicorn's configuration, with what is said to every new connection."""

    def __init__(self, app: ASGIApp, greeting: Callable[[], bytes], **settings: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(app, **settings)
        self.greeting = greeting


class _Protocol(H11Protocol):
    """uvicorn's HTTP protocol, whose connections can be written to by hand and don't outlive the server."""

    def __init__(self, config: _Config, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own arguments, handed on
        super().__init__(config, **kwargs)
        self.logger = _QUIET
        self.access_log = False
        self._greeting = config.greeting
        served = self.app

        async def with_play(scope: Scope, receive: Receive, send: Send) -> None:
            async def play(script: Script) -> None:
                await self._play(script, receive)

            scope["extensions"] = {PLAY: play}
            await served(scope, receive, send)

        self.app = with_play

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Say what shall be said before anything is asked."""
        super().connection_made(transport)
        greeting = self._greeting()
        if greeting:
            transport.write(greeting)

    async def _play(self, script: Script, receive: Receive) -> None:
        """Write a script piece by piece, no faster than it is read, and leave the connection as it says."""
        self.transport.set_write_buffer_limits(high=0)
        gone, pause = asyncio.ensure_future(receive()), 0.0
        for piece in script.pieces:
            await asyncio.wait({gone}, timeout=pause)
            if self.transport.is_closing():
                break
            self.transport.write(piece)
            await self.flow.drain()
            pause = script.pause
        gone.cancel()
        if not self.transport.is_closing():
            {"keep": self._keep, "end": self.transport.close, "reset": self._reset}[script.then]()

    def _keep(self) -> None:
        """Let HTTP's bookkeeping pass over the answer that was written by hand."""
        for event in (h11.Response(status_code=200, headers=[("content-length", "0")]), h11.EndOfMessage()):
            self.conn.send(event)
        self.cycle.response_started = self.cycle.response_complete = True
        if self.conn.our_state is h11.MUST_CLOSE:
            self.transport.close()
        self.on_response_complete()

    def _reset(self) -> None:
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

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
    """An ASGI application on 127.0.0.1, and what every new connection is told first."""

    def __init__(self, app: ASGIApp, port: int, greeting: Callable[[], bytes] = bytes) -> None:
        self._socket = _listening(port)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Uvicorn(
            _Config(
                app,
                greeting,
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
