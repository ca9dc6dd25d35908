"""A server on a free port of loopback: every connection in a thread of its own, all of them ended with it.

Owns sockets and threads. What is said over a connection is a subclass's.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Self

__all__ = ["Listener", "shut"]


class Listener(ABC):
    """Listens from `__enter__` to `__exit__`.

    Args:
        context: speaks TLS with this certificate.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self.connections = 0
        self.threads: list[threading.Thread] = []
        self._context = context
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if context else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for connection in (self._listener, *self._open):
            shut(connection)
        for thread in self.threads:
            thread.join(5)

    @abstractmethod
    def serve(self, plain: socket.socket, number: int) -> None:
        """Deal with one connection, counted from 1, to its end."""

    def secured(self, plain: socket.socket) -> socket.socket:
        """The connection as the other side speaks over it: TLS, if this server does."""
        if self._context is None:
            return plain
        connection = self._context.wrap_socket(plain, server_side=True)
        self._open.append(connection)
        return connection

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        for number in itertools.count(1):
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections = number
            self._open.append(connection)
            self._start(self.serve, connection, number)


def shut(connection: socket.socket) -> None:
    """End a connection from either side, also while another thread reads it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
