"""What a misbehaving gateway can do, one step at a time."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Mapping

from tests.faults.gateway import Over, Script, Step, Talk

__all__ = [
    "Words",
    "again",
    "answer",
    "by_pass",
    "close",
    "drip",
    "flood",
    "hold",
    "read",
    "read_some",
    "reset",
    "send",
    "sent",
    "sleep",
]

Words = bytes | Callable[[Talk], bytes]


def read(talk: Talk) -> None:
    """Read a request in full."""
    talk.read()


def read_some(talk: Talk) -> None:
    """Read the first ten bytes of a request."""
    talk.line.recv(10)


def answer(talk: Talk) -> None:
    """Send a right answer to the last request."""
    talk.send(talk.answer().wire())


def close(talk: Talk) -> None:  # noqa: ARG001 - a step's signature
    """Close the connection."""
    raise Over


def reset(talk: Talk) -> None:
    """Cut the connection with a reset."""
    talk.line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise Over


def hold(talk: Talk) -> None:
    """Say nothing until the other side leaves."""
    while talk.line.recv(65536):
        pass


def send(words: Words) -> Step:
    """Send these bytes."""
    return lambda talk: talk.send(_said(words, talk))


def sleep(seconds: float) -> Step:
    """Wait."""
    return lambda _: time.sleep(seconds)


def drip(words: Words, pause: float, size: int = 1) -> Step:
    """Send these bytes in drops."""

    def step(talk: Talk) -> None:
        data = _said(words, talk)
        for place in range(0, len(data), size):
            talk.send(data[place : place + size])
            time.sleep(pause)

    return step


def flood(piece: bytes, size: int) -> Step:
    """Send a piece over and over, so many bytes in all, or until the other side has had enough."""

    def step(talk: Talk) -> None:
        for _ in range(0, size, len(piece)):
            talk.send(piece)

    return step


def again(*steps: Step) -> Step:
    """Take these steps for every request that comes."""

    def step(talk: Talk) -> None:
        while True:
            for one in steps:
                one(talk)

    return step


def by_pass(steps: Mapping[str, Step]) -> Script:
    """For every request, the step of the pass that it is about."""

    def step(talk: Talk) -> None:
        assert talk.request
        steps[talk.gateway.region.asked(talk.request)](talk)

    return (again(read, step),)


def sent(talk: Talk) -> None:
    """Everything is sent: whoever waits for that may go on."""
    talk.gateway.sent.set()


def _said(words: Words, talk: Talk) -> bytes:
    return words if isinstance(words, bytes) else words(talk)
