"""One way to use both clients: a test gives calls, and they are made by `Client`, or by `AsyncClient` in a loop."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx

from passbridge import AsyncClient, Client, Outcome, PassRef, PassUpdate, Redeem, Refund, Revise
from tests.client.answers import CLIENT_ID
from tests.client.keys import key, public_bytes, sign

AnyClient = Client | AsyncClient
Call = Callable[[AnyClient], object]

WAYS = ("blocking", "asyncio", "trio")

DEADLINE = 5.0
"""Of the configurations here, unless a test sets its own."""

GRACE = 0.5
"""By how much a deadline may be overrun."""

PASS = PassRef(id="2995228480402564890020", user_id="2160400000000135")
REDEEM = Redeem(to="hk", pass_=PASS, key="order-77")
REFUND = Refund(to="hk", pass_=PASS)
REVISE = Revise.model_validate({"to": "hk", "pass": PASS, "kind": "pass", "content": {"params": {"gate": "B12"}}})
MAINLAND = Redeem(to="cn", pass_=PassRef(id="209919213"))


def hk_account(url: str, **members: object) -> dict[str, object]:
    """An AlipayHK ticket account; its signer is given beside it."""
    usual = {"backend": "hk", "profile": "ticket", "client_id": CLIENT_ID, "merchant_id": "2312314123123123"}
    return {**usual, "gateway": url, "gateway_public_key": public_bytes(key("gateway")), **members}


def cn_account(url: str, **members: object) -> dict[str, object]:
    """A mainland account, likewise."""
    usual = {"backend": "mainland", "app_id": "2014072300007148", "channel_id": "2088918273"}
    return {**usual, "gateway": f"{url}/gateway.do", "gateway_public_key": public_bytes(key("gateway")), **members}


def hk_only(url: str, http: Mapping[str, object] | None = None, **retry: object) -> dict[str, object]:
    """A configuration of one AlipayHK account, with these values of `[retry]` and `[http]`."""
    return {"accounts": {"hk": hk_account(url)}, "retry": {"deadline": DEADLINE, **retry}, "http": http or {}}


def cn_only(url: str, **retry: object) -> dict[str, object]:
    """A configuration of one mainland account."""
    return {"accounts": {"cn": cn_account(url)}, "retry": {"deadline": DEADLINE, **retry}}


def deadline_of(config: Mapping[str, Any]) -> float:
    """How long one call may take at most."""
    deadline: float = config["retry"]["deadline"]
    return deadline + GRACE


@dataclass
class Use:
    """Makes calls on a client of one kind.

    Attributes:
        way: `blocking`, or the loop that `AsyncClient` runs in.
        took: seconds of each call.
    """

    way: str
    took: list[float] = field(default_factory=list)

    def in_turn(self, config: Mapping[str, object], *calls: Call, transport: object = None, signers: object = None) -> list[object]:
        """Make these calls on one client, one after the other, and give their results."""
        accounts: Any = config["accounts"]
        options: dict[str, Any] = {"transport": transport, "signers": dict.fromkeys(accounts, sign) if signers is None else signers}
        if self.way == "blocking":
            with Client.from_config(config, **options) as client:
                return [self._timed(call, client) for call in calls]
        return anyio.run(self._awaiting, config, calls, options, backend=self.way)

    def _timed(self, call: Call, client: Client) -> object:
        started = time.monotonic()
        result = call(client)
        self.took.append(time.monotonic() - started)
        return result

    async def _awaiting(self, config: Mapping[str, object], calls: tuple[Call, ...], options: dict[str, Any]) -> list[object]:
        results = []
        async with AsyncClient.from_config(config, **options) as client:
            for call in calls:
                started = time.monotonic()
                result = call(client)
                results.append(await result if inspect.isawaitable(result) else result)
                self.took.append(time.monotonic() - started)
        return results

    def applies(
        self, config: Mapping[str, object], *updates: PassUpdate, transport: object = None, signers: object = None
    ) -> list[Outcome]:
        """Apply these updates by one client, in turn."""
        calls = [applying(update) for update in updates]
        outcomes = self.in_turn(config, *calls, transport=transport, signers=signers)
        return [outcome for outcome in outcomes if isinstance(outcome, Outcome)]

    def apply(
        self,
        config: Mapping[str, object],
        update: PassUpdate = REDEEM,
        *,
        after: Outcome | None = None,
        transport: object = None,
        signers: object = None,
    ) -> Outcome:
        """Apply one update by a client of its own; hold it to its deadline."""
        (outcome,) = self.in_turn(config, applying(update, after), transport=transport, signers=signers)
        assert isinstance(outcome, Outcome)
        assert self.took[-1] <= deadline_of(config)
        return outcome


def applying(update: PassUpdate = REDEEM, after: Outcome | None = None) -> Call:
    """The call that applies one update."""
    return lambda client: client.apply(update, after=after)


def codes(outcome: Outcome) -> list[str]:
    """The outcome's own code, then that of each attempt."""
    return [str(outcome.code), *(str(attempt.code) for attempt in outcome.attempts)]


def mocked(*answers: httpx.Response | Exception) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    """A caller's own transport that gives these answers or errors, the last one for ever; and what it was asked."""
    asked: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = answers[min(len(asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return httpx.MockTransport(handle), asked
