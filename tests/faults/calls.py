"""One way to make calls by either client, each held to its deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio

from passbridge import AsyncClient, Client, Outcome, PassUpdate
from passbridge.protocol.signing import Signer
from tests.faults.keys import sign

__all__ = ["GRACE", "WAYS", "Caller", "told"]

WAYS = ("blocking", "asyncio")

GRACE = 0.5
"""Seconds by which a deadline may be overrun."""


Wanted = PassUpdate | tuple[PassUpdate, Outcome]
"""An update; or one with its earlier outcome."""


@dataclass
class Caller:
    """Applies updates by one client, one after the other.

    Attributes:
        way: `blocking`, or the loop that `AsyncClient` runs in.
        between: what is done after each call.
        grace: seconds by which a deadline may be overrun.
        transports: what makes a transport of the caller's own, blocking and awaiting.
    """

    way: str
    between: Callable[[], object] = lambda: None
    grace: float = GRACE
    transports: tuple[Any, Any] = (lambda: None, lambda: None)

    def applies(self, config: dict[str, Any], *wanted: Wanted) -> list[Outcome]:
        """Apply these updates."""
        pairs: list[tuple[PassUpdate, Outcome | None]] = [one if isinstance(one, tuple) else (one, None) for one in wanted]
        return self._blocking(config, pairs) if self.way == "blocking" else anyio.run(self._awaiting, config, pairs, backend=self.way)

    def apply(self, config: dict[str, Any], update: PassUpdate) -> Outcome:
        """Apply one update by a client of its own."""
        return self.applies(config, update)[0]

    def _blocking(self, config: dict[str, Any], pairs: list[tuple[PassUpdate, Outcome | None]]) -> list[Outcome]:
        outcomes = []
        with Client.from_config(config, transport=self.transports[0](), signers=_signers(config)) as client:
            for update, after in pairs:
                started = time.monotonic()
                outcomes.append(client.apply(update, after=after))
                self._hold(config, started)
                self.between()
        return outcomes

    async def _awaiting(self, config: dict[str, Any], pairs: list[tuple[PassUpdate, Outcome | None]]) -> list[Outcome]:
        outcomes = []
        async with AsyncClient.from_config(config, transport=self.transports[1](), signers=_signers(config)) as client:
            for update, after in pairs:
                started = time.monotonic()
                outcomes.append(await client.apply(update, after=after))
                self._hold(config, started)
                self.between()
        return outcomes

    def _hold(self, config: dict[str, Any], started: float) -> None:
        assert time.monotonic() - started <= config["retry"].get("deadline", 10.0) + self.grace


def _signers(config: dict[str, Any]) -> dict[str, Signer]:
    """In place of private keys, which take longer to read than a fault to happen."""
    return dict.fromkeys(config["accounts"], lambda data: sign(data, "ours"))


def told(outcome: Outcome) -> list[str]:
    """The outcome's own code, then that of each attempt."""
    return [str(outcome.code), *(str(attempt.code) for attempt in outcome.attempts)]
