"""A small forward proxy: notes what it is asked, and passes bytes on to a port of loopback, or refuses."""

from __future__ import annotations

import contextlib
import socket
import threading

from tests.client.gateway import Received, Step, requests
from tests.listening import shut


class Proxy:
    """Steps for a `Gateway` that plays the proxy.

    Args:
        port: where everything is passed on to, whatever host is asked for.
        refuse: the status line to refuse with.
    """

    def __init__(self, port: int, refuse: str = "") -> None:
        self.port = port
        self.refuse = refuse

    @property
    def step(self) -> Step:
        """Passes one request on: through a tunnel if it is asked to."""
        return self._step

    def _step(self, client: socket.socket, request: Received) -> bool:
        if self.refuse:
            client.sendall(f"HTTP/1.1 {self.refuse}\r\nContent-Length: 0\r\n\r\n".encode())
            return False
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            if not request.line.startswith(b"CONNECT "):
                server.sendall(_bytes(_origin_form(request.line), request))
                answer = next(requests(server))
                client.sendall(_bytes(answer.line, answer))
                return True
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(server, client))
            back.start()
            _pump(client, server)
            back.join(5)
        return False


def _origin_form(line: bytes) -> bytes:
    """A request's first line as the gateway wants it: without the host."""
    method, target, version = line.split(b" ")
    return b" ".join([method, b"/" + target.partition(b"://")[2].partition(b"/")[2], version])


def _bytes(line: bytes, message: Received) -> bytes:
    fields = "".join(f"{name}: {value}\r\n" for name, value in message.fields if not name.lower().startswith("proxy-"))
    return line + b"\r\n" + fields.encode("latin-1") + b"\r\n" + message.body


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    shut(sink)
