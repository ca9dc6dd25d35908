"""A gateway on a real socket that misbehaves on command, byte by byte.

A script is a tuple of steps for each connection, in the order the connections come; the last one goes on for ever.
A step is given the talk: the connection, what was read of it, and the region whose answers it speaks.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.faults.regions import Answer, Region, Request
from tests.listening import Listener

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


class Gateway(Listener):
    """Listens from `__enter__` to `__exit__`.

    Args:
        region: whose answers it speaks.
        script: for each connection, its steps.
        context: speaks TLS with this certificate.
    """

    def __init__(self, region: Region, *script: Script, context: ssl.SSLContext | None = None) -> None:
        super().__init__(context)
        self.region = region
        self.requests: list[Request] = []
        self.sent = threading.Event()
        self._script = script
        self._lock = threading.Lock()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        assert not any(thread.is_alive() for thread in self.threads)

    def note(self, request: Request) -> None:
        """Remember a request that was read in full."""
        with self._lock:
            self.requests.append(request)

    def count(self) -> Counter[str]:
        """How many requests there were about each pass."""
        return Counter(map(self.region.asked, self.requests))

    def serve(self, plain: socket.socket, number: int) -> None:
        """Take this connection's steps."""
        line = plain
        try:
            line = self.secured(plain)
            talk = Talk(self, line)
            for step in self._script[min(number, len(self._script)) - 1]:
                step(talk)
        except (OSError, Over):
            return
        finally:
            line.close()
