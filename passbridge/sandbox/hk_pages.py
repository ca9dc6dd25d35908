"""What AlipayHK's three pages for `updatePass` allow: status words, kinds of update, members and their values.

Owns one table for each page (seed 000: cards, seed 001: membership cards, seed 002: tickets). It must not know
passes, states or codes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonValue
from passbridge.sandbox.hk_values import Check, epoch_ms, epoch_ms_or_digits, iso_8601, json_object, object_or_null, text, word

__all__ = ["EVERY_KIND", "PRODUCTS", "Product", "flat", "nested"]

_LOCALE: Final = re.compile(r"[a-z]{2}_[A-Z]{2}")
_VARIABLE: Final = re.compile(r"\$[^$]+\$")
_FLAT_VARIABLE: Final = re.compile(r"\$[^$]+_[a-z]{2}_[A-Z]{2}\$")
_ANY_LENGTH: Final = 10**6


def nested(value: JsonValue) -> bool:
    """`{"zh_HK": {"$level$": …}}`: seed 000, samples 2 and 3."""
    if not isinstance(value, dict):
        return False
    locales = value.items()
    return all(_LOCALE.fullmatch(name) and isinstance(names, dict) and all(map(_VARIABLE.fullmatch, names)) for name, names in locales)


def flat(value: JsonValue) -> bool:
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
    members: Mapping[str, Check]
    inactive: str


PRODUCTS: Final[Mapping[str, Product]] = MappingProxyType(
    {
        "card": Product(
            words=frozenset({"USED", "CLOSED", "UPDATE"}),
            kinds=frozenset({"UPDATE_LEVEL", "UPDATE_SCORE", "UPDATE_VALIDITY"}),
            kind_with=frozenset({"UPDATE"}),
            members={
                "merchantId": text(32),
                "userId": text(32),
                "openId": text(32),
                "templateCode": text(32),
                "passId": text(32),
                "passVerifyCode": text(128),
                "passVerifyType": word("wave", "qrcode", "barcode", "input"),
                "endDate": iso_8601,
                "dataInfo": nested,
            },
            inactive="hk.update_inactive_card",
        ),
        "membership": Product(
            words=frozenset({"CLOSED", "UPDATE"}),
            kinds=frozenset({"UPDATE_MEMBER_CARD"}),
            kind_with=frozenset({"CLOSED", "UPDATE"}),
            members={
                "merchantId": text(64),
                "templateCode": text(_ANY_LENGTH),
                "endDate": epoch_ms_or_digits,
                "dataInfo": json_object,
                "codeInfo": object_or_null,
            },
            inactive="hk.update_inactive",
        ),
        "ticket": Product(
            words=frozenset({"USED", "CLOSED", "UPDATE", "REFUND"}),
            kinds=frozenset(
                {"UPDATE_AIR_TICKET", "UPDATE_TRAIN_TICKET", "UPDATE_BUS_TICKET", "UPDATE_SHIP_TICKET", "UPDATE_MOVIE", "UPDATE_PASS"}
            ),
            kind_with=frozenset({"UPDATE"}),
            members={"bizDate": epoch_ms, "endDate": epoch_ms_or_digits, "dataInfo": flat},
            inactive="hk.update_inactive",
        ),
    }
)
"""Each page's table, by the profile."""

EVERY_KIND: Final = frozenset[str]().union(*(product.kinds for product in PRODUCTS.values()))
"""Every `updateDetailType` of any page."""
