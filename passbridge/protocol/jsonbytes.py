"""Where the members of a JSON object stand in its text, for signatures over a member's exact source.

Owns finding the spans. It reads as strictly as everything else: a member twice, at any depth, is no answer at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from passbridge.domain import JsonError, JsonValue
from passbridge.domain.strictjson import STRICT, require_shallow

__all__ = ["Member", "members"]

_BLANK: Final = re.compile(r"[ \t\n\r]*")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of the outermost object: its value, and the source text of the value."""

    value: JsonValue
    source: str


def members(text: str) -> dict[str, Member]:
    """The members of the object that the text is, each with its source.

    Raises:
        JsonError: not a JSON object, or not strictly so.
    """
    require_shallow(text)
    try:
        return _members(text)
    except json.JSONDecodeError as error:
        raise JsonError(f"{error.msg} at line {error.lineno}, column {error.colno}") from None


def _members(text: str) -> dict[str, Member]:
    found: dict[str, Member] = {}
    at = _skip(text, _expect(text, 0, "{"))
    more = text[at : at + 1] != "}"
    while more:
        name, at = _value(text, at)
        if not isinstance(name, str):
            raise JsonError("a member's name is no text")
        start = _skip(text, _expect(text, at, ":"))
        value, end = _value(text, start)
        if name in found:
            raise JsonError(f"member {name!r} stands twice")
        found[name] = Member(value, text[start:end])
        at = _skip(text, end)
        more = text[at : at + 1] == ","
        at += more
    if _skip(text, _expect(text, at, "}")) != len(text):
        raise JsonError("text after the object's end")
    return found


def _value(text: str, at: int) -> tuple[JsonValue, int]:
    value, end = STRICT.raw_decode(text, _skip(text, at))
    return value, end


def _expect(text: str, at: int, mark: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != mark:
        raise json.JSONDecodeError(f"Expecting {mark!r}", text, at)
    return at + 1


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
