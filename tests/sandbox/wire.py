"""A connection held by hand: what comes is read as bytes, and HTTP is taken apart by nobody else."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.sandbox.conftest import CHANNEL, PATH, SERIAL, TICKET, Answer, Cn, Hk, encoded

BIZ = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}


@dataclass
class Wire:
    """A connection to the sandbox."""

    socket: socket.socket
    held: bytes = b""

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def more(self) -> bytes:
        """What came next; nothing at the end."""
        piece = self.socket.recv(2**20)
        self.held += piece
        return piece

    def until(self, mark: bytes) -> bytes:
        """What came up to a mark, and the mark."""
        while mark not in self.held:
            assert self.more(), "the connection ended"
        before, _, self.held = self.held.partition(mark)
        return before + mark

    def take(self, size: int) -> bytes:
        while len(self.held) < size:
            assert self.more(), "the connection ended"
        taken, self.held = self.held[:size], self.held[size:]
        return taken

    def rest(self) -> bytes:
        """Everything up to the end."""
        while self.more():
            pass
        return self.held

    def head(self) -> tuple[int, list[tuple[str, str]]]:
        first, *lines = self.until(b"\r\n\r\n").decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        pairs = [line.partition(": ") for line in lines]
        return int(first.split(" ")[1]), [(name.lower(), value) for name, _, value in pairs]

    def answer(self) -> Answer:
        """One answer whose length is told."""
        status, headers = self.head()
        return Answer(status, dict(headers), self.take(int(dict(headers)["content-length"])))


@contextmanager
def connected(url: str) -> Iterator[Wire]:
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=20) as connection:
        yield Wire(connection)


def hk_request(hk: Hk, status: str = "USED", pass_id: str = TICKET, **more: str) -> bytes:
    body = json.dumps(hk.body(pass_id, status)).encode()
    return written(hk.box.url, PATH, {**hk.headers(body), **more}, body)


def cn_request(cn: Cn, serial: str = SERIAL) -> bytes:
    params = cn.params({**BIZ, "serial_number": serial})
    query = encoded({**params, "sign": cn.sign(params)}, "utf-8")
    return written(cn.box.url, "/gateway.do?" + query, {}, b"")


def written(url: str, target: str, headers: dict[str, str], body: bytes) -> bytes:
    fields = {"Host": url.removeprefix("http://"), "Content-Length": str(len(body)), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {target} HTTP/1.1\r\n{lines}\r\n".encode() + body
