"""A gateway on a free port of loopback: plays a script of answers over real sockets, and counts what it is asked.

Each step of the script is called with the connection and the request, and says whether the connection stays open.
The last step goes on for ever.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.listening import Listener, shut

GLUED = b"\r\n\r\n"
CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Received:
    """A request as it came: its first line, its header fields in order, its body, and on which connection."""

    line: bytes
    fields: tuple[tuple[str, str], ...]
    body: bytes
    connection: int
    at: float = field(default_factory=time.monotonic)

    @property
    def target(self) -> str:
        """What stands between the method and the version."""
        return self.line.split(b" ")[1].decode("ascii")

    def header(self, name: str) -> str:
        """The one value of a header field."""
        (value,) = (value for key, value in self.fields if key.lower() == name.lower())
        return value


Step = Callable[[socket.socket, Received], bool]


class Gateway(Listener):
    """Listens from `__enter__` to `__exit__`.

    Args:
        script: what to do with each request, in order.
        context: speaks TLS with this certificate.
    """

    def __init__(self, *script: Step, context: ssl.SSLContext | None = None) -> None:
        super().__init__(context)
        self.received: list[Received] = []
        self.asked = threading.Event()
        self._script = itertools.chain(script, itertools.repeat(script[-1]))
        self._lock = threading.Lock()

    def serve(self, plain: socket.socket, number: int) -> None:
        """Play the script's next step to each request, until one of them ends the connection."""
        connection = plain
        try:
            connection = self.secured(plain)
            for request in requests(connection, number):
                with self._lock:
                    self.received.append(request)
                    self.asked.set()
                    step = next(self._script)
                if not step(connection, request):
                    return
        except OSError:
            return
        finally:
            shut(connection)


def requests(connection: socket.socket, number: int = 1) -> Iterator[Received]:
    """The requests that come over one connection, until it ends."""
    waiting = b""
    while True:
        while GLUED not in waiting:
            more = connection.recv(CHUNK)
            if not more:
                return
            waiting += more
        head, _, waiting = waiting.partition(GLUED)
        line, *rest = head.split(b"\r\n")
        fields = tuple(
            (name.decode("latin-1"), value.strip().decode("latin-1")) for name, _, value in (row.partition(b":") for row in rest)
        )
        length = next((int(value) for name, value in fields if name.lower() == "content-length"), 0)
        while len(waiting) < length:
            waiting += connection.recv(CHUNK)
        body, waiting = waiting[:length], waiting[length:]
        yield Received(line, fields, body, number)


@contextlib.contextmanager
def deaf_port() -> Iterator[int]:
    """A port that refuses every connection and that nobody else can take meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
