"""JSON that no careful reader takes: what stands in an answer's object although it is rightly signed.

Owns the ways to spoil an object's text that both gateways share. It must not know either gateway's names.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["GARBLINGS", "HTML", "Garbling", "ciphertext", "twice"]

_MANY: Final = 100_000
HTML: Final = b"<html><head><title>Welcome</title></head><body><h1>Welcome</h1></body></html>"
"""A page where JSON is due."""

Garbling = Callable[[bytes], bytes]


def _with(member: bytes) -> Garbling:
    """One more member, written as it stands."""
    return lambda text: text[:-1] + b',"extension":' + member + b"}"


def twice(name: bytes) -> Garbling:
    """A member again, in front and with another value: who takes the last one sees nothing wrong."""
    return lambda text: b'{"%b":"TWICE",' % name + text[1:]


def ciphertext(text: bytes) -> bytes:
    """What looks like it: base64 of whole blocks that mean nothing, the same for the same text."""
    blocks = b"".join(hashlib.sha256(b"%d" % n + text).digest() for n in range(1 + len(text) // 32))
    return base64.b64encode(blocks)


GARBLINGS: Final[Mapping[str, Garbling]] = MappingProxyType(
    {
        "nan": _with(b"NaN"),
        "deep-nesting": _with(b"[" * _MANY + b"]" * _MANY),
        "giant-number": _with(b"9" * _MANY),
        "lone-surrogate": _with(rb'"\ud800"'),
    }
)
"""By its name, what becomes of an object's text before it is signed."""
