"""Faults: what a gateway or a network can do to an answer, on request.

Owns which of the active faults applies to a request, and its counting down. It must not know how any of them is
carried out.
"""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import JsonObject
from passbridge.errors import Problem
from passbridge.sandbox.catalogue import FAULTS, GATEWAYS, HONEST, MAX_DELAY, FaultKind
from passbridge.sandbox.codes import Documented, Inventory
from passbridge.sandbox.inputs import BadInput, Check, any_json, complaints, number, one_of, text, whole

__all__ = ["FAULTS", "GATEWAYS", "HONEST", "MAX_DELAY", "NONE", "Fault", "FaultKind", "Faults"]

STATUS_WORDS: Final = ("USED", "CLOSED", "UPDATE", "REFUND")
"""The status words a fault may wait for."""

_MAX_LIFE: Final = 10.0**9
"""Seconds a fault may live."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One active fault.

    Attributes:
        fault: as it was asked for.
        id: its number.
        gateway: the one it is for; both, if none.
        match: what a request must name: `pass`, `account`, `status`, `method` (the mainland's `method`, AlipayHK's path).
        count: to how many more requests it applies.
        after: how many matching requests it lets pass first.
        probability: how likely it strikes when it could.
        seed: where its dice start.
        expires: after how many seconds it is gone.
        number: what stands behind its name, if that is a number.
        codes: by gateway, the documented code to answer.
        until: the moment it is gone.
        dice: its own chance, so that a run repeats whatever other faults do.
    """

    fault: str
    id: int = 0
    gateway: str | None = None
    match: Mapping[str, str] = field(default_factory=dict)
    count: int = 1
    after: int = 0
    probability: float = 1.0
    seed: int = 0
    expires: float | None = None
    number: float = 0.0
    codes: Mapping[str, Documented] = field(default_factory=dict)
    until: float = float("inf")
    dice: Random = field(default_factory=Random, compare=False, repr=False)

    @property
    def name(self) -> str:
        """What it is listed under."""
        return self.fault.partition(":")[0]

    @property
    def kind(self) -> FaultKind:
        """What it does."""
        return FAULTS.get(self.name, HONEST)

    def hits(self, gateway: str, named: Mapping[str, str | None]) -> bool:
        """Whether it applies to a request of this gateway that names these things."""
        fits = self.gateway in {None, gateway} and self.kind.mode in {"", named.get("mode")}
        return fits and all(named.get(name) == value for name, value in self.match.items())

    def as_json(self) -> JsonObject:
        """The fault as `GET /sandbox/faults` lists it."""
        shown: JsonObject = {"id": self.id, "fault": self.fault, "gateway": self.gateway, "match": dict(self.match), "count": self.count}
        shown |= {"after": self.after} if self.after else {}
        shown |= {"probability": self.probability, "seed": self.seed} if self.probability < 1 else {}
        return shown | ({"expires": self.expires} if self.expires else {})


NONE: Final = Fault("")
"""No fault."""

_MEMBERS: Final[Mapping[str, Check]] = {
    "fault": text,
    "gateway": one_of(GATEWAYS),
    "match": any_json,
    "count": whole(1),
    "after": whole(0),
    "nth": whole(1),
    "probability": number(0.0, 1.0),
    "seed": whole(),
    "expires": number(0.0, _MAX_LIFE),
}


class Faults:
    """The active faults. Every method may be called from any thread."""

    def __init__(self, codes: Inventory, accounts: Collection[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._codes = codes
        self._matches: dict[str, Check] = {"pass": text, "account": one_of(accounts), "status": one_of(STATUS_WORDS), "method": text}
        self._clock = clock
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._active: tuple[Fault, ...] = ()

    def add(self, asked: object) -> Fault:
        """Make a fault active, after those that are.

        Raises:
            BadInput: with everything wrong.
        """
        given: Any = {name: value for name, value in asked.items() if value is not None} if isinstance(asked, Mapping) else asked
        problems = complaints(given, _MEMBERS, ("fault",)) or self._misfits(given)
        if problems:
            raise BadInput(problems)
        fault = self._meant(Fault(**_counted(given)))
        with self._lock:
            stored = replace(fault, id=next(self._numbers), dice=Random(fault.seed), until=self._clock() + (fault.expires or _MAX_LIFE))  # noqa: S311 - chance that repeats
            self._active = (*self._active, stored)
        return stored

    def take(self, gateway: str, named: Mapping[str, str | None]) -> Fault:
        """The first fault that strikes this request, counted down; `NONE`, if none does."""
        return self._struck(lambda fault: fault.kind.sends != "early" and fault.hits(gateway, named))

    def greet(self) -> Fault | None:
        """The first fault that strikes a new connection, counted down."""
        struck = self._struck(lambda fault: fault.kind.sends == "early")
        return None if struck is NONE else struck

    def active(self) -> list[JsonObject]:
        """The active faults, oldest first."""
        return [fault.as_json() for fault in self._living()]

    def clear(self, number: int | None = None) -> int:
        """Take away one fault, or all; how many that were."""
        with self._lock:
            living = self._living()
            self._active = tuple(fault for fault in living if number not in {None, fault.id})
            return len(living) - len(self._active)

    def _living(self) -> tuple[Fault, ...]:
        now = self._clock()
        return tuple(fault for fault in self._active if now < fault.until)

    def _struck(self, applies: Callable[[Fault], bool]) -> Fault:
        """Every fault that applies sees the request; the first whose turn it is strikes."""
        with self._lock:
            living = self._living()
            seen = [fault for fault in living if applies(fault)]
            struck = next((fault for fault in seen if not fault.after and fault.dice.random() < fault.probability), NONE)
            changed = {fault.id: replace(fault, after=fault.after - 1) for fault in seen if fault.after}
            changed[struck.id] = replace(struck, count=struck.count - 1)
            self._active = tuple(now for fault in living if (now := changed.get(fault.id, fault)).count)
        return struck

    def _misfits(self, given: Mapping[str, Any]) -> list[Problem]:
        problems = complaints(given.get("match", {}), self._matches, at="match")
        if "nth" in given and "after" in given:
            problems.append(Problem("nth", "contradiction", "says the same as after", "give one of them"))
        return problems

    def _meant(self, fault: Fault) -> Fault:
        """The fault with what stands behind its name understood."""
        name, colon, argument = fault.fault.partition(":")
        if name not in FAULTS:
            raise BadInput([Problem("fault", "unknown_fault", "no such fault", did_you_mean(name, FAULTS))])
        kind = FAULTS[name]
        if bool(kind.argument) != bool(colon):
            raise BadInput([Problem("fault", "misspelt_fault", f"is written {kind.spelling}")])
        if kind.argument == "NAME":
            return self._of_code(fault, argument)
        return replace(_placed(fault), number=_number(kind, argument) if colon else 0.0)

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


def _counted(given: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a fault: the n-th call is the one after n-1; where chance decides, a seed that can be told."""
    members = {"seed": secrets.randbelow(2**32), **given}
    nth = members.pop("nth", None)
    return members if nth is None else {**members, "after": nth - 1}


def _placed(fault: Fault) -> Fault:
    """The fault at its gateway, where only one can do it."""
    gateways = fault.kind.gateways
    if fault.gateway not in {None, *gateways}:
        raise BadInput([Problem("gateway", "unfit", f"only {gateways[0]} can do this", "leave it out")])
    if fault.kind.sends == "early" and fault.match:
        raise BadInput([Problem("match", "unfit", "it strikes before anything is asked", "leave it out")])
    return replace(fault, gateway=gateways[0] if len(gateways) == 1 else fault.gateway)


def _number(kind: FaultKind, argument: str) -> float:
    try:
        value = float(int(argument)) if kind.argument == "N" else float(argument)
    except (ValueError, OverflowError):
        value = float("nan")
    if not kind.least <= value <= kind.most:
        raise BadInput([Problem("fault", "bad_number", f"{kind.argument} is a number from {kind.least:.0f} to {kind.most:.0f}")])
    return value
