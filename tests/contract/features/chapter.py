"""How a feature of the protocols is written down: a row of the README's table, and the scenario that shows it.

Owns the row's columns and the short way to name several marks at once. It must not know any feature.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from tests.contract.features.desk import Desk

__all__ = ["Chapter", "Feature", "Scenario", "spread"]

Scenario: TypeAlias = "Callable[[Desk], None]"


@dataclass(frozen=True, slots=True)
class Feature:
    """One row.

    Attributes:
        title: what it is.
        gateway: whose: AlipayHK, mainland, or both.
        state: `yes` or `no`.
        how: the call or setting that switches it on; of a `no`, why.
        default: `on`, `off`, `needed` (a setting without which nothing goes), or the default value;
            `call`, where there is nothing to switch on.
        evidence: what is known about it, and from where.
        marks: what the row answers for: wire names, settings, APIs, in the words of `demanded`.
        scenario: shows it, through a client and against the sandbox. Every mark is met on its way. None where nothing can be tried.
    """

    title: str
    gateway: str
    state: str
    how: str
    default: str
    evidence: str
    marks: frozenset[str]
    scenario: Scenario | None

    @property
    def cells(self) -> list[str]:
        """The row as the README has it."""
        return [self.title, self.gateway, self.state, self.how, self.default, self.evidence]


class Chapter(list[Feature]):
    """The rows of one part of the table, each written above its scenario as it stands in the README, without its state."""

    def yes(self, row: str, marks: str = "") -> Callable[[Scenario], Scenario]:
        """A feature that is there: `title | gateway | how | default | evidence`."""
        title, gateway, how, default, evidence = row.split(" | ")

        def write(scenario: Scenario) -> Scenario:
            self.append(Feature(title, gateway, "yes", how, default, evidence, spread(marks), scenario))
            return scenario

        return write

    def no(self, row: str) -> Callable[[Scenario], Scenario]:
        """A feature that isn't: `title | gateway | why | evidence`. The scenario shows what is said to whoever tries."""

        def write(scenario: Scenario) -> Scenario:
            self._absent(row, scenario)
            return scenario

        return write

    def unseen(self, row: str) -> None:
        """A feature that isn't there, and that nobody can try to use."""
        self._absent(row, None)

    def _absent(self, row: str, scenario: Scenario | None) -> None:
        title, gateway, why, evidence = row.split(" | ")
        self.append(Feature(title, gateway, "no", why, "none", evidence, frozenset(), scenario))


def spread(text: str) -> frozenset[str]:
    """The marks of a text: `hk.{card,ticket}:passId` is two."""
    parts = [[part.split(",") if number % 2 else [part] for number, part in enumerate(re.split(r"[{}]", word))] for word in text.split()]
    return frozenset("".join(chosen) for word in parts for chosen in product(*word))
