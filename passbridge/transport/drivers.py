"""The drivers: carrying out what a conversation yields, blocking or awaiting, over any httpx transport.

Owns the clock, the sleep, and what counts as proof that nothing was sent. How a caller's own transport is asked, and within
which bounds an answer is taken, is `bounded`'s. Knows no gateway and decides nothing about an update.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import anyio
import httpx

from passbridge.protocol.conversation import Exchange, Flow, Instant, Pause
from passbridge.protocol.wire import NoReply, WireResponse
from passbridge.transport.bounded import TooMuch, acarried, carried, in_time
from passbridge.transport.transports import AsyncTransport, Transport

__all__ = ["AsyncDriver", "Driver"]

_T = TypeVar("_T")
_TransportT = TypeVar("_TransportT", httpx.BaseTransport, httpx.AsyncBaseTransport)

_WORDS: Final = (
    (httpx.ConnectTimeout, "connecting took too long"),
    (httpx.ReadTimeout, "no answer in time"),
    (httpx.WriteTimeout, "sending took too long"),
    (httpx.ConnectError, "no connection"),
    (httpx.ReadError, "the connection broke"),
    (httpx.WriteError, "the connection broke"),
    (httpx.RemoteProtocolError, "the connection ended early or spoke no HTTP"),
    (httpx.ProxyError, "the proxy refused"),
)


@dataclass(slots=True)
class _Trace:
    """What a transport tells of its steps: the proof of whether a byte of the request left."""

    spoke: bool = False
    sending: bool = False

    def note(self, event: str, _: object) -> None:
        self.spoke = True
        self.sending = self.sending or ".send_request_headers.started" in event

    async def anote(self, event: str, info: object) -> None:
        self.note(event, info)

    def sent(self, error: BaseException | None) -> bool:
        """False only where it is proved: the connection was never made, or the transport tells its steps and sent nothing."""
        return not (isinstance(error, httpx.ConnectError) and not self.sending) and not (self.spoke and not self.sending)


@dataclass(slots=True)
class _Drive(Generic[_TransportT]):
    """What both drivers hold.

    Attributes:
        make: makes the transport; called again after a fork, whose child must not share connections.
    """

    make: Callable[[], _TransportT]
    _owner: int = field(init=False)
    _transport: _TransportT = field(init=False)

    def __post_init__(self) -> None:
        self._owner, self._transport = os.getpid(), self.make()

    def _current(self) -> _TransportT:
        if self._owner != os.getpid():
            self._owner, self._transport = os.getpid(), self.make()
        return self._transport


@dataclass(slots=True)
class Driver(_Drive[httpx.BaseTransport]):
    """Carries out a conversation, blocking."""

    def run(self, flow: Flow[_T]) -> _T:
        """Do what the conversation asks until it returns."""
        answer: Instant | WireResponse | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator begins with None
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = self._perform(step)

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()

    def _perform(self, step: Pause | Exchange) -> Instant | WireResponse | NoReply:
        if isinstance(step, Exchange):
            return self._exchange(step)
        if step.seconds:
            time.sleep(step.seconds)
        return _instant()

    def _exchange(self, step: Exchange) -> WireResponse | NoReply:
        trace = _Trace()
        try:
            transport = self._current()
            if isinstance(transport, Transport):
                return in_time(transport.carry(step, trace.note), step)
            return carried(transport, step, trace.note)
        except TooMuch as error:
            return NoReply(str(error), sent=True)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the update's outcome must be told
            return NoReply(_reason(error), trace.sent(error))


@dataclass(slots=True)
class AsyncDriver(_Drive[httpx.AsyncBaseTransport]):
    """Carries out a conversation, awaiting."""

    async def run(self, flow: Flow[_T]) -> _T:
        """Do what the conversation asks until it returns."""
        answer: Instant | WireResponse | NoReply | None = None
        while True:
            try:
                step = flow.send(answer)  # type: ignore[arg-type]  # a generator begins with None
            except StopIteration as stop:
                result: _T = stop.value
                return result
            answer = await self._perform(step)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _perform(self, step: Pause | Exchange) -> Instant | WireResponse | NoReply:
        if isinstance(step, Exchange):
            return await self._exchange(step)
        if step.seconds:
            await anyio.sleep(step.seconds)
        return _instant()

    async def _exchange(self, step: Exchange) -> WireResponse | NoReply:
        trace = _Trace()
        try:
            transport = self._current()
            if isinstance(transport, AsyncTransport):
                return in_time(await transport.carry(step, trace.anote), step)
            return await acarried(transport, step, trace.anote)
        except TooMuch as error:
            return NoReply(str(error), sent=True)
        except Exception as error:  # noqa: BLE001 - whatever a transport raises, the update's outcome must be told
            return NoReply(_reason(error), trace.sent(error))


def _reason(error: BaseException) -> str:
    """What happened, in a few words."""
    if isinstance(error, TimeoutError):
        return "the deadline passed"
    words = next((words for kind, words in _WORDS if isinstance(error, kind)), None)
    return f"{words} ({str(error)[:160]})" if words and str(error) else words or type(error).__name__


def _instant() -> Instant:
    return Instant(datetime.now(UTC), time.monotonic())
