"""Both gateways as the conversation sees them, and right answers to judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from passbridge import Client, Code, PassUpdate
from passbridge.protocol.gateway import Gateway, Prepared
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from tests.faults.keys import sign
from tests.faults.regions import CN, HK, Answer, Region, Request

__all__ = ["DEFINITE", "REGIONS", "Desk", "desk"]

REGIONS = {"hk": HK, "cn": CN}

DEFINITE = frozenset(Code) - {Code.UNTRUSTED_ANSWER, Code.NO_ANSWER}
"""What only a verified answer may come to."""


@dataclass(frozen=True)
class Desk:
    """One account, one update of it, and its sealed request."""

    region: Region
    gateway: Gateway
    prepared: Prepared
    request: WireRequest
    now: datetime

    def answer(self, says: str) -> Answer:
        """The gateway's right answer, saying this."""
        target = "/" + self.request.url.partition("://")[2].partition("/")[2]
        head = f"POST {target} HTTP/1.1"
        return self.region.answer(Request(head.encode(), self.request.body), says)

    def judge(self, body: bytes, fields: tuple[tuple[str, str], ...], status: int = 200) -> Verdict:
        """What the account makes of an answer."""
        return self.gateway.judge(self.prepared, self.request, WireResponse(status, Headers(fields), body), datetime.now(UTC))


@cache
def _client() -> Client:
    accounts: dict[str, Any] = {name: region.account("http://127.0.0.1:9") for name, region in REGIONS.items()}
    return Client.from_config({"accounts": accounts}, signers=dict.fromkeys(accounts, lambda data: sign(data, "ours")))


@cache
def desk(name: str, action: str = "redeem") -> Desk:
    """The account at this gateway."""
    region = REGIONS[name]
    gateway: Gateway = _client()._accounts.opened[name].gateway
    now = datetime.now(UTC)
    update: PassUpdate = region.update(action)
    prepared = gateway.prepare(update, now)
    return Desk(region, gateway, prepared, gateway.seal(prepared, now), now)
