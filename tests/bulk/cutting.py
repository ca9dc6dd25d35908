"""A line to a PostgreSQL server that is cut at some commits: before the server has it, or with the server's answer."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress


class Line:
    """What stands between a worker and its server.

    Args:
        port: the server's.
        plan: by the number of the commit, counted from 1 over all connections: `before` or `after`.
    """

    def __init__(self, port: int, plan: Mapping[int, str]) -> None:
        self._server, self._plan = port, plan
        self._commits = self.cut = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.1)
        self.port: int = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while not self._over.is_set():
            with suppress(TimeoutError):
                near, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._carry, args=(near,), daemon=True))
                self._threads[-1].start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(("127.0.0.1", self._server)) as far, suppress(ConnectionError):
            while not self._over.is_set():
                for end in select.select([near, far], [], [], 0.1)[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    how = self._how(data) if end is near else None
                    if how != "before":
                        (far if end is near else near).sendall(data)
                    if how:
                        self.cut += 1
                        if how == "after":
                            far.recv(1 << 16)  # it was committed, and nobody hears of it
                        return

    def _how(self, data: bytes) -> str | None:
        if b"COMMIT" not in data:
            return None
        self._commits += 1
        return self._plan.get(self._commits)

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@contextmanager
def line(ledger: str, plan: Mapping[int, str]) -> Iterator[tuple[Line, str]]:
    """Such a line, and the ledger's address through it."""
    address, _, job = ledger.partition("?")
    port = address.rpartition(":")[2].partition("/")[0]
    cut = Line(int(port), plan)
    try:
        yield cut, f"{address.replace(port, str(cut.port))}?sslmode=disable&gssencmode=disable&{job}"
    finally:
        cut.close()
