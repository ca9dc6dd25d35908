"""What the scenario pages of AlipayHK say of a ticket's `dataInfo`: its names, lengths and which are required.

Owns one table for each page (Admission Ticket, Movie Ticket, Bus Ticket, Ship Ticket). A real integration was seen to
send longer texts, so the tables are only held against a request when a guess says so. The pages for air and train
tickets are unknown: nothing is asked of those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonValue
from passbridge.sandbox.hk_values import Check, epoch_ms, json_object, whole

__all__ = ["incomplete"]

_NAME: Final = re.compile(r"\$(.+)_([a-z]{2}_[A-Z]{2})\$")
_CHINESE: Final = "zh_HK"


@dataclass(frozen=True, slots=True)
class _Field:
    """One name: what its value is, how long in Chinese and in English, and whether it is required."""

    check: Check
    chinese: int = 0
    english: int = 0
    required: bool = False

    def allows(self, value: JsonValue, locale: str) -> bool:
        longest = self.chinese if locale == _CHINESE else self.english
        return self.check(value) and (not isinstance(value, str) or len(value) <= longest)


def _text(chinese: int, english: int, *, required: bool = False) -> _Field:
    return _Field(lambda value: isinstance(value, str), chinese, english, required)


def _texts(value: JsonValue) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_PRICE: Final = _Field(lambda value: value is None or json_object(value))
_MOMENTS: Final = {"startTime": _Field(epoch_ms, required=True), "endTime": _Field(epoch_ms, required=True)}
_PLATFORM: Final = {"platformName": _text(32, 64), "platformLogo": _text(256, 256)}

_RIDE: Final = {
    "from": _text(24, 48, required=True),
    "fromAddress": _text(64, 128, required=True),
    "to": _text(24, 48, required=True),
    "toAddress": _text(64, 128, required=True),
    "availableTimes": _Field(whole),
    "price": _PRICE,
    **_MOMENTS,
}

_SCENARIOS: Final[Mapping[str, Mapping[str, _Field]]] = MappingProxyType(
    {
        "PASS": {
            "ticketName": _text(12, 24),
            "address": _text(24, 48, required=True),
            "availableTimes": _Field(whole, required=True),
            "price": _PRICE,
            **_MOMENTS,
            **_PLATFORM,
        },
        "MOVIE": {
            "ticketName": _text(12, 24),
            "availableTimes": _Field(whole, required=True),
            "cinemaName": _text(32, 64, required=True),
            "address": _text(32, 64, required=True),
            **_MOMENTS,
            "movieAttributes": _Field(_texts, required=True),
            "cinemaHouse": _text(32, 64, required=True),
            "movieSeats": _Field(_texts, required=True),
            "price": _PRICE,
        },
        "BUS_TICKET": _RIDE,
        "SHIP_TICKET": _RIDE,
    }
)


def incomplete(product: str, content: JsonValue) -> bool:
    """Whether a required name is missing in a locale that is used, or a value isn't what the page says."""
    fields = _SCENARIOS.get(product)
    if fields is None or not isinstance(content, dict):
        return False
    names = [(found[1], found[2], value) for name, value in content.items() if (found := _NAME.fullmatch(name))]
    locales = {locale for _, locale, _ in names}
    given = {(stem, locale) for stem, locale, _ in names}
    missing = any((stem, locale) not in given for stem, one in fields.items() if one.required for locale in locales)
    wrong = any(stem in fields and not fields[stem].allows(value, locale) for stem, locale, value in names)
    return missing or wrong or not locales
