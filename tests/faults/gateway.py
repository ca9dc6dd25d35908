"""A gateway on a real socket that misbehaves on command, byte by byte.

A script is a tuple of steps for each connection, in the order the connections come; the last one goes on for ever.
A step is given the talk: the connection, what was read of it, and the region whose answers it speaks.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

from tests.faults.regions import Answer, Region, Request

__all__ = ["Gateway", "Over", "Script", "Step", "Talk"]


class Over(Exception):
    """This connection has been dealt with."""


@dataclass
class Talk:
    """One connection.

    Attributes:
        gateway: whose it is.
        line: the connection itself.
        request: the last request read in full.
        waiting: bytes that were read beyond it.
    """

    gateway: Gateway
    line: socket.socket
    request: Request | None = None
    waiting: bytes = field(default=b"", repr=False)

    def answer(self, says: str = "success", **changes: str) -> Answer:
        """A right answer to the last request, saying this."""
        return self.gateway.region.answer(self.request or self.gateway.region.usual, says, **changes)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.line.sendall(data)

    def read(self) -> None:
        """Read one request to its end."""
        while b"\r\n\r\n" not in self.waiting:
            self.waiting += self._more()
        head, _, rest = self.waiting.partition(b"\r\n\r\n")
        fields = [line.partition(b":")[::2] for line in head.split(b"\r\n")[1:]]
        length = next((int(value) for name, value in fields if name.lower() == b"content-length"), 0)
        while len(rest) < length:
            rest += self._more()
        self.waiting = rest[length:]
        self.request = Request(head, rest[:length])
        self.gateway.note(self.request)

    def _more(self) -> bytes:
        data = self.line.recv(65536)
        if not data:
            raise Over
        return data


Step = Callable[[Talk], None]
Script = tuple[Step, ...]


class Gateway:
    """Listens from `__enter__` to `__exit__`.

    Args:
        region: whose answers it speaks.
        script: for each connection, its steps.
        context: speaks TLS with this certificate.
    """

    def __init__(self, region: Region, *script: Script, context: ssl.SSLContext | None = None) -> None:
        self.region = region
        self.requests: list[Request] = []
        self.connections = 0
        self.sent = threading.Event()
        self._script = itertools.chain(script, itertools.repeat(script[-1]))
        self._context = context
        self._lock = threading.Lock()
        self._lines: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for line in (self._listener, *self._lines):
            _end(line)
        for thread in self._threads:
            thread.join(5)
            assert not thread.is_alive()

    def note(self, request: Request) -> None:
        """Remember a request that was read in full."""
        with self._lock:
            self.requests.append(request)

    def count(self) -> Counter[str]:
        """How many requests there were about each pass."""
        return Counter(map(self.region.asked, self.requests))

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for line in self._accepted():
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections += 1
            self._lines.append(line)
            self._start(self._talk, line, next(self._script))

    def _accepted(self) -> Iterator[socket.socket]:
        with contextlib.suppress(OSError):
            while True:
                yield self._listener.accept()[0]

    def _talk(self, line: socket.socket, steps: Script) -> None:
        with contextlib.suppress(OSError, Over):
            if self._context:
                line = self._context.wrap_socket(line, server_side=True)
                self._lines.append(line)
            talk = Talk(self, line)
            try:
                for step in steps:
                    step(talk)
            finally:
                line.close()
        line.close()


def _end(line: socket.socket) -> None:
    """End a socket from another thread."""
    with contextlib.suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
    line.close()
