"""The `Signature` and `Encrypt` headers of AlipayHK: pairs of names and values, and base64 inside.

Owns their grammar and the algorithm names that stand in them, written from AlipayHK's pages alone (seeds 000 to 002).
It must not know which text is signed, whose keys these are, nor the client's own reading of those pages.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote_plus, unquote_to_bytes

from passbridge.protocol.signing import ALGORITHMS, ECC224, Algorithm
from passbridge.sandbox.guesses import Guesses

__all__ = ["algorithm_named", "decoded", "encoded", "newest", "only_base64", "pairs"]

_NAMES: Final = MappingProxyType({"rsa256": "RSA256", "sha256withrsa": "RSA256", "ecc224": "ECC224"})
"""Names are not case-sensitive; older pages call RSA256 by Java's name (seed 000)."""


def algorithm_named(name: str, guesses: Guesses) -> Algorithm | None:
    """The algorithm that a header names, if it is one; RSA256 where none is named."""
    known = _NAMES.get(name.lower()) if name else "RSA256"
    if known == "ECC224":
        return ECC224[guesses["hk.ecc224_hash"]]
    return ALGORITHMS[known] if known else None


def newest(versions: Mapping[str, object]) -> str:
    """The latest of key versions, which is meant where a header names none; empty, if there is none."""
    return max(versions, key=lambda name: (len(name), name), default="")


def pairs(header: str) -> dict[str, str]:
    """`algorithm=RSA256, keyVersion=1, signature=…`, with or without blanks (seeds 001 and 002); a name twice is nothing.

    Names come in lower case.
    """
    parts = [part.strip().partition("=") for part in header.split(",")]
    found = {name.lower(): value for name, _, value in parts}
    return found if len(found) == len(parts) else {}


def decoded(value: str) -> bytes:
    """Percent-encoded base64; a value with `+` and no `%` was not percent-encoded. Empty, if it is neither."""
    return only_base64(unquote_to_bytes(value))


def only_base64(value: bytes) -> bytes:
    """What stands in base64; empty, if it is none."""
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return b""


def encoded(value: bytes, spelt: Callable[[bytes], str] = quote_plus) -> str:
    """Base64, percent-encoded unless spelt otherwise."""
    return spelt(base64.b64encode(value))
