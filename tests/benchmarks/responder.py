"""The gateways' stand-in: another process that gives prepared answers and signs nothing, so that only clients are measured.

`python -m tests.benchmarks.responder` reads `{path: answer in base64}` from standard input, prints its port, and
serves until standard input ends.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

__all__ = ["responder"]

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@contextmanager
def responder(answers: Mapping[str, bytes]) -> Iterator[str]:
    """A responder of its own process, by its URL."""
    command = [sys.executable, "-m", __spec__.name]
    with subprocess.Popen(  # noqa: S603 - this very module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("both were asked to be pipes")
        process.stdin.write(json.dumps({path: base64.b64encode(answer).decode() for path, answer in answers.items()}) + "\n")
        process.stdin.flush()
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


class _Connection(asyncio.Protocol):
    """Gives the answer for the path of each request that has come whole."""

    def __init__(self, answers: Mapping[bytes, bytes]) -> None:
        self._answers = answers
        self._waiting = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a TCP connection reads and writes")
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            length = _LENGTH.search(self._waiting, 0, end)
            whole = end + 4 + (int(length[1]) if length else 0)
            if len(self._waiting) < whole:
                return
            target = self._waiting[5 : self._waiting.index(b" ", 5)].partition(b"?")[0]
            self._waiting = self._waiting[whole:]
            # The official kits write the whole URL as target.
            self._transport.write(next(answer for path, answer in self._answers.items() if target.endswith(path)))


async def _serve(answers: Mapping[bytes, bytes]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(answers), "127.0.0.1", 0, backlog=256)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve({path.encode(): base64.b64decode(answer) for path, answer in json.loads(sys.stdin.readline()).items()}))
