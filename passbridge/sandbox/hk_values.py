"""What the value of a member of AlipayHK's bodies may be: text of a length, a word, a moment, an object.

Owns the checks that the pages' tables are made of. It must not know which member is checked by which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from passbridge.domain.strictjson import JsonError, JsonObject, JsonValue, read_json, write_json

__all__ = [
    "Check",
    "amount",
    "code_info",
    "date_text",
    "epoch_ms",
    "epoch_ms_or_digits",
    "iso_8601",
    "json_array",
    "json_object",
    "object_or_null",
    "text",
    "unfit",
    "whole",
    "word",
]

_MILLISECONDS: Final = 10**11
"""A moment below this, read as milliseconds, lies before 1973: it was meant as seconds."""

_END_DATE: Final = 128
_CODE_INFO: Final = 512
_MOST_CENTS: Final = 100_000_000
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")

Check: TypeAlias = Callable[[JsonValue], bool]
"""Whether a member's value is what its page allows."""


def unfit(body: JsonObject, members: Mapping[str, Check], needed: Collection[str] = ()) -> bool:
    """Whether a member is missing or isn't what its page allows; a null is as good as an absent one."""
    wrong = (value is not None and name in members and not members[name](value) for name, value in body.items())
    return any(wrong) or any(body.get(name) is None for name in needed)


def text(longest: int) -> Check:
    """Text of at least one character and at most so many."""
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest


def word(*words: str) -> Check:
    """One of these words."""
    return lambda value: value in words


def whole(value: JsonValue) -> bool:
    """A number from 0, without a fraction."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def epoch_ms(value: JsonValue) -> bool:
    """Milliseconds since 1970."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= _MILLISECONDS


def epoch_ms_or_digits(value: JsonValue) -> bool:
    """A number (seeds 001 and 002), or its digits as text (their older editions)."""
    return epoch_ms(int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value) else value)


def date_text(value: JsonValue) -> bool:
    """`2020-09-01 00:00:00`, as in the sample of the oldest createPass page."""
    try:
        return isinstance(value, str) and bool(_DATE.fullmatch(value)) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


def iso_8601(value: JsonValue) -> bool:
    """A moment with its offset (seed 000)."""
    try:
        return isinstance(value, str) and len(value) <= _END_DATE and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def json_object(value: JsonValue) -> bool:
    """An object of anything."""
    return isinstance(value, dict)


def object_or_null(value: JsonValue) -> bool:
    """Where null means something of its own."""
    return value is None or json_object(value)


def json_array(value: JsonValue) -> bool:
    """A list of anything."""
    return isinstance(value, list)


def amount(value: JsonValue) -> bool:
    """Cents, from 0 to 100,000,000 (the template pages)."""
    return isinstance(value, int) and whole(value) and value <= _MOST_CENTS


def code_info(value: JsonValue) -> JsonObject | None:
    """The code of a card as createPass takes it: at most 512 characters of JSON.

    An object, as in the sample and on the wire, or its text, as the table says. Nothing, if it is neither.
    """
    try:
        meant = read_json(value) if isinstance(value, str) else value
    except JsonError:
        return None
    written = value if isinstance(value, str) else write_json(value)
    return meant if isinstance(meant, dict) and len(written) <= _CODE_INFO else None
