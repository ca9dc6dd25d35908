"""The guesses of both gateways, and the readings in force.

Owns switching: a guess is switched by its name, and nothing else in the sandbox decides by whim. It must not know how
a reading is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import JsonObject
from passbridge.errors import Problem
from passbridge.sandbox.guess import Guess
from passbridge.sandbox.hk_guesses import HK
from passbridge.sandbox.inputs import BadInput
from passbridge.sandbox.mainland_guesses import MAINLAND

__all__ = ["ALLOWED", "GUESSES", "Guess", "Guesses"]

ALLOWED = frozenset({"allowed", "success"})
"""The readings that let a change of state through; every other reading of such a guess is the code answered."""

GUESSES: Final = (*HK, *MAINLAND)
"""Every guess, the default reading first."""

_BY_NAME = {guess.name: guess for guess in GUESSES}


class Guesses:
    """The readings in force."""

    def __init__(self) -> None:
        self._chosen: Mapping[str, str] = {}

    def __getitem__(self, name: str) -> str:
        """The reading of this guess."""
        return self._chosen.get(name, _BY_NAME[name].default)

    def choose(self, chosen: object) -> None:
        """Switch guesses to other readings, all of them or none.

        Raises:
            BadInput: not an object, an unknown guess, a reading it doesn't have.
        """
        if not isinstance(chosen, Mapping):
            raise BadInput([Problem("", "not_an_object", 'must be a JSON object of guesses and readings, {"name": "value"}')])
        problems = [problem for name, value in chosen.items() if (problem := _wrong(str(name), value))]
        if problems:
            raise BadInput(problems)
        self._chosen = {**self._chosen, **chosen}

    def reset(self) -> None:
        """Take every default again."""
        self._chosen = {}

    def as_json(self) -> list[JsonObject]:
        """Each guess with the reading in force."""
        return [{**asdict(guess), "values": list(guess.values), "default": guess.default, "value": self[guess.name]} for guess in GUESSES]


def _wrong(name: str, value: object) -> Problem | None:
    if name not in _BY_NAME:
        return Problem(name, "unknown_guess", "no such guess", did_you_mean(name, _BY_NAME))
    values = _BY_NAME[name].values
    if isinstance(value, str) and value in values:
        return None
    return Problem(name, "unknown_reading", "this guess has no such reading", f"one of {', '.join(values)}")
