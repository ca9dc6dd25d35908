"""JSON, read strictly: what two readers could understand differently is refused.

Owns the one JSON reader of the package (updates, answers, the sandbox's requests) and the one writer. The standard
library's parser does the work; it takes duplicate members, NaN, infinite floats and lone surrogates, which this
module refuses, and it fails on deep nesting and on very long integers in its own ways, which this module bounds.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, NoReturn

from pydantic import JsonValue

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "MAX_DEPTH",
    "STRICT",
    "JsonError",
    "JsonObject",
    "JsonValue",
    "flaws",
    "read_json",
    "require_shallow",
    "write_json",
]

JsonObject = dict[str, JsonValue]

MAX_DEPTH = 64
"""How deep objects and arrays may nest: ten times what any document of either gateway needs."""

MAX_DIGITS = 300
"""How many characters a number may have: more than a float or any identifier needs, far below what slows `int`."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"?+|[\[{]|[\]}]', re.DOTALL)
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonError(ValueError):
    """The text isn't JSON that every reader understands alike. The message never quotes the text's values."""


def read_json(source: bytes | str) -> JsonValue:
    """Read one JSON document.

    Args:
        source: UTF-8 bytes without a byte order mark, or text.

    Raises:
        JsonError: not JSON, a member twice, NaN or Infinity, a number too large, nesting deeper than `MAX_DEPTH`,
            or text that no encoding can carry (lone surrogates).
    """
    text = _decoded(source) if isinstance(source, bytes) else source
    require_shallow(text)
    try:
        value: JsonValue = STRICT.decode(text)
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text else ""  # of a single line, whose number is its reader's to say
        message = f"{error.msg} at {line}column {error.colno}"
        raise JsonError(message) from None
    if _SURROGATE_ESCAPE.search(text) or not _encodable(text):
        for path, message in flaws(value):
            raise JsonError(f"{path}: {message}" if path else message)
    return value


def write_json(value: JsonValue) -> str:
    """The one spelling used on the wire: no blanks, members in order, no escapes but those JSON requires."""
    return _WRITER.encode(value)


def require_shallow(text: str) -> None:
    """Refuse text nested deeper than `MAX_DEPTH`, before a recursive parser sees it."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise JsonError(message)


def flaws(value: object, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """Yield (path, what is wrong) for everything in a Python value that JSON text can't carry."""
    if depth >= MAX_DEPTH and isinstance(value, dict | list):
        yield path, f"nested deeper than {MAX_DEPTH} levels"
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from flaws(name, path)
            yield from flaws(member, f"{path}.{name}" if path else str(name), depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from flaws(item, f"{path}[{index}]", depth + 1)
    elif message := _flaw(value):
        yield path.encode("utf-8", "replace").decode(), message


def _flaw(value: object) -> str:
    """What is wrong with one value that holds no others, or nothing."""
    if isinstance(value, str):
        return "" if _encodable(value) else "text holds a lone surrogate, which no encoding can carry"
    if isinstance(value, float):
        return "" if math.isfinite(value) else "NaN and Infinity are not JSON"
    if isinstance(value, int):
        return f"a number of more than {MAX_DIGITS} digits" if abs(value) >= 10**MAX_DIGITS else ""
    return "" if value is None else f"{type(value).__name__} is no JSON value"


def _decoded(source: bytes) -> str:
    if source.startswith(b"\xef\xbb\xbf"):
        message = "begins with a byte order mark"
        raise JsonError(message)
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"not UTF-8 at byte {error.start}"
        raise JsonError(message) from None


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _object(pairs: list[tuple[str, JsonValue]]) -> JsonObject:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"member {twice!r} stands twice"
        raise JsonError(message)
    return members


def _constant(name: str) -> NoReturn:
    message = f"{name} is not JSON"
    raise JsonError(message)


def _float(digits: str) -> float:
    number = float(digits)
    if len(digits) > MAX_DIGITS or not math.isfinite(number):
        message = "a number too large or too long"
        raise JsonError(message)
    return number


def _int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        message = f"a number of more than {MAX_DIGITS} digits"
        raise JsonError(message)
    return int(digits)


_WRITER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

STRICT = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int)
"""The strict decoder, for readers that also need to know where a value ends (`raw_decode`)."""
