"""Faults: what a gateway or a network can do to an answer, on request.

Owns the list of faults, which of the active ones applies to a request, and its counting down. It must not know how
any of them is carried out.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import JsonObject
from passbridge.errors import Problem
from passbridge.sandbox.codes import Documented, Inventory
from passbridge.sandbox.inputs import BadInput, Check, any_json, complaints, count, one_of, text

__all__ = ["FAULTS", "GATEWAYS", "HONEST", "MAX_DELAY", "Fault", "FaultKind", "Faults"]

GATEWAYS: Final = ("hk", "mainland")
"""The two simulated gateways."""

STATUS_WORDS: Final = ("USED", "CLOSED", "UPDATE", "REFUND")
"""The status words a fault may wait for."""

MAX_DELAY: Final = 300.0
"""Seconds: no client waits longer."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One kind of fault.

    Attributes:
        spelling: how it is asked for.
        text: what it does, in a line.
        applies: whether the update is carried out.
        sends: the gateway's own answer, a chosen code, its own answer unsigned or signed by a stranger, an HTML page,
            or nothing.
    """

    spelling: str
    text: str
    applies: bool
    sends: Literal["own", "code", "unsigned", "forged", "page", "nothing"]


HONEST: Final = FaultKind("", "no fault", applies=True, sends="own")
"""What happens when no fault applies."""

FAULTS: Final[Mapping[str, FaultKind]] = MappingProxyType(
    {
        "code": FaultKind("code:NAME", "answers this documented code; the update is not applied", applies=False, sends="code"),
        "code-after": FaultKind("code-after:NAME", "applies the update, then answers this documented code", applies=True, sends="code"),
        "lose-answer": FaultKind("lose-answer", "applies the update, then cuts the connection", applies=True, sends="nothing"),
        "drop-request": FaultKind("drop-request", "cuts the connection; the update is not applied", applies=False, sends="nothing"),
        "unsigned": FaultKind("unsigned", "applies the update and answers without a signature", applies=True, sends="unsigned"),
        "bad-signature": FaultKind("bad-signature", "applies the update; a key nobody registered signs", applies=True, sends="forged"),
        "delay": FaultKind("delay:SECONDS", "applies the update, and answers so much later", applies=True, sends="own"),
        "http-502": FaultKind("http-502", "answers a proxy's HTML page; the update is not applied", applies=False, sends="page"),
        "http-502-after": FaultKind("http-502-after", "applies the update, then answers a proxy's page", applies=True, sends="page"),
    }
)
"""Every fault by its name. `NAME` is a documented code; one that is documented in two variants takes the wanted one
behind it: `code:REQUEST_TRAFFIC_EXCEED_LIMIT:F` (a status letter), `code:isv.missing-signature-config:40002`."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One active fault.

    Attributes:
        fault: as it was asked for.
        id: its number.
        gateway: the one it is for; both, if none.
        match: what a request must name: `pass`, `account`, `status`.
        count: to how many more requests it applies.
        delay: seconds, for `delay`.
        codes: by gateway, the documented code to answer.
    """

    fault: str
    id: int = 0
    gateway: str | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    count: int = 1
    delay: float = 0.0
    codes: Mapping[str, Documented] = field(default_factory=dict)

    @property
    def kind(self) -> FaultKind:
        """What it does."""
        return FAULTS[self.fault.partition(":")[0]]

    def hits(self, gateway: str, named: Mapping[str, str | None]) -> bool:
        """Whether it applies to a request of this gateway that names these things."""
        return self.gateway in {None, gateway} and all(named.get(name) == value for name, value in self.match.items())

    def as_json(self) -> JsonObject:
        """The fault as `GET /sandbox/faults` lists it."""
        return {"id": self.id, "fault": self.fault, "gateway": self.gateway, "match": dict(self.match), "count": self.count}


class Faults:
    """The active faults. Every method may be called from any thread."""

    def __init__(self, codes: Inventory, accounts: Collection[str]) -> None:
        self._codes = codes
        self._members: dict[str, Check] = {"fault": text, "gateway": one_of(GATEWAYS), "match": any_json, "count": count}
        self._matches: dict[str, Check] = {"pass": text, "account": one_of(accounts), "status": one_of(STATUS_WORDS)}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._active: tuple[Fault, ...] = ()

    def add(self, asked: object) -> Fault:
        """Make a fault active, after those that are.

        Raises:
            BadInput: with everything wrong.
        """
        given: Any = {name: value for name, value in asked.items() if value is not None} if isinstance(asked, Mapping) else asked
        problems = complaints(given, self._members, ("fault",))
        if not problems:
            problems = complaints(given.get("match", {}), self._matches, at="match")
        if problems:
            raise BadInput(problems)
        fault = self._meant(Fault(**given))
        with self._lock:
            stored = replace(fault, id=next(self._numbers))
            self._active = (*self._active, stored)
        return stored

    def take(self, gateway: str, named: Mapping[str, str | None]) -> Fault | None:
        """The first fault that applies to this request, counted down."""
        with self._lock:
            hit = next((fault for fault in self._active if fault.hits(gateway, named)), None)
            if hit:
                left = replace(hit, count=hit.count - 1)
                self._active = tuple(left if fault is hit else fault for fault in self._active if fault is not hit or left.count)
            return hit

    def active(self) -> list[JsonObject]:
        """The active faults, oldest first."""
        return [fault.as_json() for fault in self._active]

    def clear(self, number: int | None = None) -> int:
        """Take away one fault, or all; how many that were."""
        with self._lock:
            kept = tuple(fault for fault in self._active if number not in {None, fault.id})
            gone = len(self._active) - len(kept)
            self._active = kept
        return gone

    def _meant(self, fault: Fault) -> Fault:
        """The fault with what stands behind its name understood."""
        name, colon, argument = fault.fault.partition(":")
        if name not in FAULTS:
            raise BadInput([Problem("fault", "unknown_fault", "no such fault", did_you_mean(name, FAULTS))])
        spelling = FAULTS[name].spelling
        if (":" in spelling) != bool(colon):
            raise BadInput([Problem("fault", "misspelt_fault", f"is written {spelling}")])
        return self._of_code(fault, argument) if "NAME" in spelling else _of_seconds(fault, argument) if colon else fault

    def _of_code(self, fault: Fault, argument: str) -> Fault:
        code, _, variant = argument.partition(":")
        gateways = GATEWAYS if fault.gateway is None else (fault.gateway,)
        rows = {gateway: row for gateway in gateways if (row := self._codes.find(gateway, code, variant))}
        if not rows:
            raise BadInput([self._no_such_code(gateways, code)])
        # Each gateway has its own names, so a code says by itself whose it is.
        return replace(fault, codes=rows, gateway=next(iter(rows)))

    def _no_such_code(self, gateways: Collection[str], code: str) -> Problem:
        variants = [variant for gateway in gateways for variant in self._codes.variants(gateway, code)]
        if variants:
            return Problem("fault", "unknown_variant", "this code is not documented in this variant", f"documented: {', '.join(variants)}")
        mend = did_you_mean(code, self._codes.names(gateways))
        return Problem("fault", "unknown_code", "no document of this gateway has this code", mend)


def _of_seconds(fault: Fault, argument: str) -> Fault:
    try:
        seconds = float(argument)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_DELAY:
        raise BadInput([Problem("fault", "bad_delay", f"a delay is a number of seconds from 0 to {MAX_DELAY:.0f}")])
    return replace(fault, delay=seconds)
