"""Ctrl-C and SIGTERM while a job runs.

Owns what the first and the second of them do, and a standard input that lets itself be interrupted while it waits.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from passbridge.bulk.shapes import Stop

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["InputInterrupted", "signals", "standard_input"]

_LOOK: Final = 0.2
"""Seconds between two looks at whether to stop, while nothing comes in."""


_ONCE: Final = b"\nfinishing what is in flight; once more stops at once\n"
_AT_ONCE: Final = b"\nstopped at once: what was in flight is in doubt; the same command goes on\n"


def _tell(text: bytes) -> None:
    with suppress(OSError):  # not through the stream: its own write may be what was interrupted
        os.write(2, text)


@contextmanager
def signals(stop: Stop) -> Iterator[list[int]]:
    """Take the first Ctrl-C or SIGTERM as a request, the second as an order. Yields those that came."""
    came: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        _tell(_AT_ONCE if len(came) > 1 else _ONCE)
        if len(came) > 1:
            os._exit(128 + number)
        stop.request()

    kept = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)


class InputInterrupted(Exception):
    """A stop was asked for while standard input was waited for: the input is not whole."""


class _Waiting(io.RawIOBase):
    """A stream of which no read outlasts a request to stop."""

    def __init__(self, descriptor: int, stop: Stop) -> None:
        self._descriptor, self._stop = descriptor, stop

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        while not select.select([self._descriptor], [], [], _LOOK)[0]:
            if self._stop.requested:
                raise InputInterrupted
        data = os.read(self._descriptor, len(view))
        view[: len(data)] = data
        return len(data)


def standard_input(stop: Stop) -> BinaryIO:
    """Standard input's bytes; waiting for them ends where a stop is asked for.

    Raises:
        InputInterrupted: by a read, when a stop was asked for.
    """
    if sys.stdin is None:
        return io.BytesIO()
    try:
        descriptor = sys.stdin.fileno()
        select.select([descriptor], [], [], 0)
    except (OSError, ValueError):  # no descriptor, or a system that waits for sockets alone
        return sys.stdin.buffer
    return cast("BinaryIO", io.BufferedReader(cast("Any", _Waiting(descriptor, stop))))
