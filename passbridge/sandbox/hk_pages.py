"""What AlipayHK's three pages for `updatePass` allow: status words, kinds of update, members and their values.

Owns one table for each page (seed 000: cards, seed 001: membership cards, seed 002: tickets). It must not know
passes, states or codes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonValue

__all__ = ["EVERY_KIND", "PRODUCTS", "Product"]

_MILLISECONDS: Final = 10**11
"""A moment below this, read as milliseconds, lies before 1973: it was meant as seconds."""

_END_DATE: Final = 128
_LOCALE: Final = re.compile(r"[a-z]{2}_[A-Z]{2}")
_VARIABLE: Final = re.compile(r"\$[^$]+\$")
_FLAT_VARIABLE: Final = re.compile(r"\$[^$]+_[a-z]{2}_[A-Z]{2}\$")
_ANY_LENGTH: Final = 10**6


def _text(longest: int) -> Callable[[JsonValue], bool]:
    return lambda value: isinstance(value, str) and 0 < len(value) <= longest


def _word(*words: str) -> Callable[[JsonValue], bool]:
    return lambda value: value in words


def _epoch_ms(value: JsonValue) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= _MILLISECONDS


def _epoch_ms_or_digits(value: JsonValue) -> bool:
    """A number (seeds 001 and 002), or its digits as text (their older editions)."""
    return _epoch_ms(int(value) if isinstance(value, str) and re.fullmatch(r"[0-9]{1,16}", value) else value)


def _iso_8601(value: JsonValue) -> bool:
    try:
        return isinstance(value, str) and len(value) <= _END_DATE and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _object(value: JsonValue) -> bool:
    return isinstance(value, dict)


def _object_or_null(value: JsonValue) -> bool:
    return value is None or _object(value)


def _nested(value: JsonValue) -> bool:
    """`{"zh_HK": {"$level$": …}}`: seed 000, samples 2 and 3."""
    if not isinstance(value, dict):
        return False
    locales = value.items()
    return all(_LOCALE.fullmatch(name) and isinstance(names, dict) and all(map(_VARIABLE.fullmatch, names)) for name, names in locales)


def _flat(value: JsonValue) -> bool:
    """`{"$name_zh_HK$": …}`: the create pages that seed 002 refers to."""
    return isinstance(value, dict) and all(map(_FLAT_VARIABLE.fullmatch, value))


@dataclass(frozen=True, slots=True)
class Product:
    """What one page allows.

    Attributes:
        words: the status words.
        kinds: the `updateDetailType` words.
        kind_with: the status words that need one.
        members: every member the page names, with its check; others are ignored.
        inactive: the guess that says what UPDATE answers when the pass isn't active.
    """

    words: frozenset[str]
    kinds: frozenset[str]
    kind_with: frozenset[str]
    members: Mapping[str, Callable[[JsonValue], bool]]
    inactive: str


PRODUCTS: Final[Mapping[str, Product]] = MappingProxyType(
    {
        "card": Product(
            words=frozenset({"USED", "CLOSED", "UPDATE"}),
            kinds=frozenset({"UPDATE_LEVEL", "UPDATE_SCORE", "UPDATE_VALIDITY"}),
            kind_with=frozenset({"UPDATE"}),
            members={
                "merchantId": _text(32),
                "userId": _text(32),
                "openId": _text(32),
                "templateCode": _text(32),
                "passId": _text(32),
                "passVerifyCode": _text(128),
                "passVerifyType": _word("wave", "qrcode", "barcode", "input"),
                "endDate": _iso_8601,
                "dataInfo": _nested,
            },
            inactive="hk.update_inactive_card",
        ),
        "membership": Product(
            words=frozenset({"CLOSED", "UPDATE"}),
            kinds=frozenset({"UPDATE_MEMBER_CARD"}),
            kind_with=frozenset({"CLOSED", "UPDATE"}),
            members={
                "merchantId": _text(64),
                "templateCode": _text(_ANY_LENGTH),
                "endDate": _epoch_ms_or_digits,
                "dataInfo": _object,
                "codeInfo": _object_or_null,
            },
            inactive="hk.update_inactive",
        ),
        "ticket": Product(
            words=frozenset({"USED", "CLOSED", "UPDATE", "REFUND"}),
            kinds=frozenset(
                {"UPDATE_AIR_TICKET", "UPDATE_TRAIN_TICKET", "UPDATE_BUS_TICKET", "UPDATE_SHIP_TICKET", "UPDATE_MOVIE", "UPDATE_PASS"}
            ),
            kind_with=frozenset({"UPDATE"}),
            members={"bizDate": _epoch_ms, "endDate": _epoch_ms_or_digits, "dataInfo": _flat},
            inactive="hk.update_inactive",
        ),
    }
)
"""Each page's table, by the profile."""

EVERY_KIND: Final = frozenset[str]().union(*(product.kinds for product in PRODUCTS.values()))
"""Every `updateDetailType` of any page."""
