"""The sandbox without its server: both gateways, what they remember, and the doors for whoever runs it.

Owns what `/sandbox/` offers, as methods over JSON values. It must not know HTTP beyond requests and answers as values.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from passbridge.domain.strictjson import JsonObject
from passbridge.errors import Problem
from passbridge.protocol.wire import WireRequest
from passbridge.sandbox import configuration, setup
from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import FAULTS
from passbridge.sandbox.gateway import Handled
from passbridge.sandbox.hk import HkGateway
from passbridge.sandbox.inputs import BadInput, Check, complaints, json_object, one_of, text
from passbridge.sandbox.mainland import MainlandGateway
from passbridge.sandbox.mischief import rendered
from passbridge.sandbox.outfit import Chest, Outfit
from passbridge.sandbox.records import Pass
from passbridge.sandbox.store import Store

__all__ = ["Simulator"]

_MEMBERS: dict[str, Check] = {
    "account": one_of(tuple(setup.ACCOUNTS)),
    "id": text,
    "user_id": text,
    "open_id": text,
    "template": text,
    "channel": text,
    "content": json_object,
}


class Simulator:
    """Both gateways around one store. Every method may be called from any thread."""

    def __init__(self, data: Path | None = None) -> None:
        self._store = Store(data)
        self._chest = Chest(self._store)
        try:
            self._world = setup.furnished(self._store, self._chest, Inventory())
            self._outfits = setup.outfitted(self._store, self._chest)
        except BaseException:
            self._store.close()
            raise
        self._gateways: dict[str, HkGateway | MainlandGateway] = {
            "hk": HkGateway(self._world, self._chest),
            "mainland": MainlandGateway(self._world),
        }

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def handle(self, gateway: str, request: WireRequest) -> Handled:
        """Take one request to one of the gateways."""
        return self._gateways[gateway].handle(request)

    def greeting(self) -> bytes:
        """What a new connection is told before it asks: nothing, unless a fault says so."""
        fault = self._world.faults.greet()
        return rendered(self._gateways[fault.gateway or "hk"].unasked()) if fault else b""

    def config(self, url: str, *, all_accounts: bool = False) -> dict[str, Any]:
        """The configuration for clients, keys as PEM bytes."""
        return configuration.config(self._chosen(all_accounts=all_accounts), url)

    def write_config(self, url: str, path: Path, *, all_accounts: bool = False) -> None:
        """Write the configuration and its keys as files."""
        configuration.write_config(self._chosen(all_accounts=all_accounts), url, path)

    def _chosen(self, *, all_accounts: bool) -> Mapping[str, Outfit]:
        """The outfits to hand out; those that few merchants use are made when they are first asked for."""
        with self._store.transaction():
            missing = [name for name in setup.ACCOUNTS if all_accounts and name not in self._outfits]
            self._outfits = {**self._outfits, **setup.outfitted(self._store, self._chest, missing)}
        return {name: self._outfits[name] for name in (setup.ACCOUNTS if all_accounts else setup.STANDARD)}

    def reset(self) -> None:
        """Everything as at the start: the seeded passes, no request, no fault, every guess at its default. Keys stay."""
        with self._store.transaction():
            self._world.papers.forget()
            self._store.clear()
            self._store.keep(*setup.SEEDED)
        self.clear_faults()
        self._world.guesses.reset()
        for gateway in self._gateways.values():
            gateway.forget()

    def passes(self) -> list[JsonObject]:
        """Every pass."""
        return [one.as_json() for one in self._store.passes()]

    def add_passes(self, asked: object) -> list[JsonObject]:
        """Add a pass, or a list of them: all or none.

        Raises:
            BadInput: with everything wrong.
        """
        several: list[Any] = asked if isinstance(asked, list) else [asked]
        places = [f"[{index}]" if isinstance(asked, list) else "" for index in range(len(several))]
        problems = [problem for one, at in zip(several, places, strict=True) for problem in _wrong(one, at)]
        if problems:
            raise BadInput(problems)
        with self._store.transaction():
            return self._added([_meant(one) for one in several], places)

    def _added(self, passes: list[Pass], places: list[str]) -> list[JsonObject]:
        problems: list[Problem] = []
        new: set[tuple[str, str, str]] = set()
        for one, at in zip(passes, places, strict=True):
            identity = (one.gateway, one.id, one.channel)
            if identity in new or self._store.find(*identity):
                problems.append(Problem(f"{at}.id" if at else "id", "exists", "there is such a pass already", "give another id, or reset"))
            new.add(identity)
        if problems:
            raise BadInput(problems)
        self._store.keep(*passes)
        return [one.as_json() for one in passes]

    def templates(self) -> list[JsonObject]:
        """Every template."""
        return [one.as_json() for one in self._store.templates()]

    def certificates(self) -> list[JsonObject]:
        """The mainland gateway's certificates, the one in use last."""
        with self._store.transaction():
            return [seal.as_json() for seal in self._world.papers.seals]

    def renew_certificate(self, asked: object) -> list[JsonObject]:
        """Put a new certificate of the mainland's gateway in use: for the same key, or `{"key": "new"}`.

        Raises:
            BadInput: with everything wrong.
        """
        problems = complaints(asked, {"key": one_of(("same", "new"))})
        if problems or not isinstance(asked, dict):
            raise BadInput(problems)
        with self._store.transaction():
            self._world.papers.renew(new_key=asked.get("key") == "new")
        return self.certificates()

    def requests(self) -> list[JsonObject]:
        """The last requests, newest last."""
        return self._store.requests()

    def add_fault(self, asked: object) -> JsonObject:
        """Make a fault active.

        Raises:
            BadInput: with everything wrong.
        """
        return self._world.faults.add(asked).as_json()

    def faults(self) -> list[JsonObject]:
        """The active faults."""
        return self._world.faults.active()

    def clear_faults(self, number: int | None = None) -> int:
        """Take away one fault, or all; how many that were."""
        return self._world.faults.clear(number)

    def fault_names(self) -> list[JsonObject]:
        """Every fault there is, with what it does."""
        return [{"fault": kind.spelling, "text": kind.text} for kind in FAULTS.values()]

    def guesses(self) -> list[JsonObject]:
        """Every guess with the reading in force."""
        return self._world.guesses.as_json()

    def guess(self, chosen: object) -> list[JsonObject]:
        """Switch guesses.

        Raises:
            BadInput: with everything wrong.
        """
        self._world.guesses.choose(chosen)
        return self.guesses()

    def codes(self) -> list[JsonObject]:
        """Every documented code."""
        return [row.as_json() for row in self._world.codes.rows]


def _wrong(asked: object, at: str) -> list[Problem]:
    problems = complaints(asked, _MEMBERS, ("account", "id"), at)
    if problems or not isinstance(asked, dict):
        return problems
    hk = setup.ACCOUNTS[asked["account"]].gateway == "hk"
    if hk and not {"user_id", "open_id"} & asked.keys():
        return [Problem(f"{at}.user_id" if at else "user_id", "missing", "an AlipayHK pass has a holder", "add user_id or open_id")]
    if hk and "channel" in asked:
        return [Problem(f"{at}.channel" if at else "channel", "unfit", "an AlipayHK pass has no channel", "leave it out")]
    return []


def _meant(asked: dict[str, Any]) -> Pass:
    account = setup.ACCOUNTS[asked["account"]]
    channel = "" if account.gateway == "hk" else asked.get("channel", account.owner)
    return Pass(gateway=account.gateway, **{**asked, "channel": channel})
