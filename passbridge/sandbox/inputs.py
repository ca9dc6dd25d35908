"""What people hand to the sandbox (faults, passes, guesses), checked: everything wrong is named at once.

Owns `BadInput` and the checks on members of JSON objects. It must not know what the members mean.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import flaws
from passbridge.errors import Problem

__all__ = ["BadInput", "Check", "any_json", "complaints", "json_object", "number", "one_of", "text", "whole"]

Check = Callable[[object], Problem | None]
"""What is wrong with a member's value, its path left empty; or nothing."""


class BadInput(ValueError):
    """What was handed to the sandbox can't be used: every reason is in `problems`."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(map(str, self.problems)))


def complaints(value: object, allowed: Mapping[str, Check], needed: Collection[str] = (), at: str = "") -> list[Problem]:
    """Everything wrong with an object whose members are checked by a table."""
    if not isinstance(value, Mapping):
        return [Problem(at, "not_an_object", "must be a JSON object")]
    dot = f"{at}." if at else ""
    found = [Problem(dot + name, "missing", "is missing", "add it") for name in needed if name not in value]
    for name, member in value.items():
        problem = allowed[name](member) if name in allowed else _unknown(str(name), allowed)
        if problem:
            found.append(Problem(f"{dot}{name}", problem.code, problem.message, problem.mend))
    return found


def text(value: object) -> Problem | None:
    """Text that isn't empty and that JSON can carry."""
    if isinstance(value, str) and value and not any(flaws(value)):
        return None
    return Problem("", "not_text", "must be text that isn't empty")


def whole(least: float = float("-inf")) -> Check:
    """A whole number, not below this one."""

    def check(value: object) -> Problem | None:
        if isinstance(value, int) and not isinstance(value, bool) and value >= least:
            return None
        return Problem("", "not_whole", "must be a whole number" + (f" from {least}" if least > float("-inf") else ""))

    return check


def number(above: float, most: float) -> Check:
    """A number above one bound and up to another."""

    def check(value: object) -> Problem | None:
        if isinstance(value, int | float) and not isinstance(value, bool) and above < value <= most:
            return None
        return Problem("", "not_a_number", f"must be a number above {above:g} and at most {most:g}")

    return check


def json_object(value: object) -> Problem | None:
    """A JSON object."""
    return any_json(value) if isinstance(value, dict) else Problem("", "not_an_object", "must be a JSON object")


def any_json(value: object) -> Problem | None:
    """Anything JSON can carry."""
    found = [f"{path}: {message}" if path else message for path, message in flaws(value)]
    return Problem("", "not_json", "; ".join(found)) if found else None


def one_of(words: Collection[str]) -> Check:
    """One of these words."""

    def check(value: object) -> Problem | None:
        if isinstance(value, str) and value in words:
            return None
        return Problem("", "unknown_word", f"must be one of {', '.join(words)}", did_you_mean(str(value), words))

    return check


def _unknown(name: str, allowed: Iterable[str]) -> Problem:
    return Problem("", "unknown_member", "no such member", did_you_mean(name, allowed))
