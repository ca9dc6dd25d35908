"""From pydantic's complaints to ours: every problem with its place, a stable code and a mend.

Owns the wording for malformed input of every kind (updates, configuration, mappings, the sandbox's JSON). A message
names the place and what is wanted, never the value that stood there: it may be a secret.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from passbridge.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import ValidationError

__all__ = ["did_you_mean", "place", "problems_of"]

_LISTED = 12
"""How many known words a mend lists where none is close."""

_CODES = {
    "extra_forbidden": ("unknown_member", "no such member"),
    "missing": ("missing", "is missing"),
    "timezone_aware": ("naive_datetime", "a date and time needs its zone"),
    "string_too_short": ("empty", "must not be empty"),
    "string_unicode": ("unencodable", "text holds a lone surrogate, which no encoding can carry"),
}

_MENDS = {
    "missing": "add it",
    "timezone_aware": "write the offset, as in 2026-11-22T10:00:00+08:00",
    "date_time_text": "write it as text with an offset, as in 2026-11-22T10:00:00+08:00",
    "string_too_short": "leave it out, or give its text",
    "bad_name": "write the name without '$': each gateway's own spelling is added",
    "raw_alone": "put everything into raw, or leave raw out",
    "string_type": "put it in quotes",
}


def problems_of(error: ValidationError, known: Mapping[str, Iterable[str]] | None = None, at: str = "") -> tuple[Problem, ...]:
    """Turn a `ValidationError` into problems.

    Args:
        error: what pydantic raised.
        known: for a parent's path, the member names it may have, to suggest the one that was meant.
        at: where the validated value itself stands, put before each path.
    """
    return tuple(_problem(detail, known or {}, at) for detail in error.errors(include_url=False, include_input=False, include_context=True))


def place(parts: Iterable[object], at: str = "") -> str:
    """`("pass", "user_id")` and `("items", 3)` as `pass.user_id` and `items[3]`."""
    text = at
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text and not text.endswith(": ") else str(part)
    return text


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A mend that suggests the likeliest of the known words, or lists them."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f", … ({len(names)} in all)" if len(names) > _LISTED else ""
    return f"known: {', '.join(names[:_LISTED])}{more}" if names else ""


def _problem(detail: Any, known: Mapping[str, Iterable[str]], at: str) -> Problem:  # noqa: ANN401 - pydantic's ErrorDetails
    kind = detail["type"]
    *above, last = detail["loc"] or ("",)
    parts = list(_parts(above))
    code, message = _CODES.get(kind, (kind, _lowered(detail["msg"])))
    mend = _MENDS.get(kind, "")
    if kind == "extra_forbidden":  # its last part is the caller's own word, whatever it looks like
        return Problem(place([*parts, last], at), code, message, did_you_mean(str(last), known.get(place(parts), ())))
    return Problem(place([*parts, *_parts([last])], at), code, message, mend)


def _parts(loc: Iterable[object]) -> Iterator[object]:
    """Drop what pydantic adds to a place for its own sake."""
    return (part for part in loc if part != "[key]" and not str(part).startswith(("function-", "lax-or-strict[", "json-or-python[")))


def _lowered(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
