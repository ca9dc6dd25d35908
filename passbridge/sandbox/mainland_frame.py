"""A template's dynamic parameters, `$name$`, and what a pass made from it shows.

Owns where parameters stand in a template's content, what is put there, and the query's word for a pass's state. It
must not know requests, nor which of them changes what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonObject, JsonValue
from passbridge.sandbox.records import Pass

__all__ = ["BEIJING", "EXPIRED", "FIXED", "at", "dynamic", "filled", "moment", "stamp", "status_of"]

BEIJING: Final = timezone(timedelta(hours=8))
EXPIRED: Final = "EXPIRED"

FIXED: Final = frozenset({"channelID", "code", "serialNumber"})
"""Parameters that an update may name, without effect (support forum): they say which pass it is."""

_DYNAMIC: Final = re.compile(r"\$([^$\s]+)\$")
_STATUS: Final = MappingProxyType({"ACTIVE": "CAN_USE"})
"""The query's words (an official SDK's model: CAN_USE, EXPIRED, USED, CLOSED), where they aren't the update's."""


def dynamic(content: JsonValue) -> list[str]:
    """The names of the parameters, each once, in the order in which they stand."""
    return list(dict.fromkeys(_names(content)))


def _names(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str) and (found := _DYNAMIC.fullmatch(value)):
        yield found[1]
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _names(part)


def filled(value: JsonValue, params: JsonObject) -> JsonValue:
    """The content with its parameters put in; one that isn't given leaves null."""
    if isinstance(value, dict):
        return {name: filled(part, params) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, params) for part in value]
    found = _DYNAMIC.fullmatch(value) if isinstance(value, str) else None
    return params.get(found[1]) if found else value


def at(content: JsonValue, *path: str) -> JsonValue:
    """What stands at this place; null, if nothing does."""
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    return content


def status_of(one: Pass, now: datetime) -> str:
    """The pass's state in the query's words; a pass that nobody used expires."""
    over = moment(at(filled(one.frame, one.content), "content", "evoucherInfo", "endDate")) if one.frame else None
    if one.state == "ACTIVE" and over and over < now:
        return EXPIRED
    return _STATUS.get(one.state, one.state)


def moment(text: JsonValue) -> datetime | None:
    """`yyyy-MM-dd HH:mm:ss`, which is Beijing's time; nothing, where it isn't."""
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=BEIJING)
    except ValueError:
        return None


def stamp(milliseconds: int) -> str:
    """Milliseconds since 1970 in that form."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, BEIJING):%Y-%m-%d %H:%M:%S}"
