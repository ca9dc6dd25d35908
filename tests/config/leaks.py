"""Looks for a secret in everything that an error, a warning or an object shows, the captured locals of a traceback included."""

from __future__ import annotations

import base64
import dataclasses
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType

from pydantic import BaseModel

import passbridge

PACKAGE = str(Path(passbridge.__file__).parent)


def spellings(secret: bytes) -> list[str]:
    """Parts of a secret, long enough to be nothing else, in the forms in which it could be shown."""
    lines = [line for line in secret.splitlines() if len(line) >= 20 and b"-----" not in line] or [secret]
    texts = [lines[len(lines) // 2].decode("latin-1")]
    return [*texts, repr(lines[len(lines) // 2])[2:-1], lines[len(lines) // 2].hex(), base64.b64encode(secret).decode()[:40]]


def found_in(error: BaseException, secret: bytes, within: str = PACKAGE) -> list[str]:
    """Where an error, or a frame of code within a folder, shows the secret."""
    marks = spellings(secret)
    shown = {
        "str": str(error),
        "repr": repr(error),
        "args": repr(error.args),
        "problems": repr(getattr(error, "problems", "")),
        "traceback": "".join(traceback.format_exception(error)),
    }
    places = [place for place, text in shown.items() if _holds(text, marks)]
    for link in _chain(error):
        for frame, name, value in _locals(link.__traceback__, within):
            if any(_holds(text, marks) for text in _texts(value, set())):
                places.append(f"{frame}: {name}")
    return places


def _holds(text: str, marks: list[str]) -> bool:
    return any(mark in text for mark in marks)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _locals(trace: TracebackType | None, within: str) -> Iterator[tuple[str, str, object]]:
    """The locals of each frame of code within a folder."""
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(within):
            yield from ((code.co_qualname, name, value) for name, value in trace.tb_frame.f_locals.items())
        trace = trace.tb_next


def _texts(value: object, seen: set[int]) -> Iterator[str]:
    """Every text inside a value: its own, and those of what it holds, however deep. What a closure hides stays hidden."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, bytes | bytearray):
        yield bytes(value).decode("latin-1")
    yield repr(value)
    for item in _inside(value):
        yield from _texts(item, seen)


def _inside(value: object) -> list[object]:
    if isinstance(value, str | bytes | int | float | type):
        return []
    if isinstance(value, Mapping):
        return [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return [*value]
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name, None) for field in dataclasses.fields(value)]
    if isinstance(value, BaseModel):
        return [getattr(value, name) for name in type(value).model_fields]
    slots = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ()) if isinstance(name, str)]
    return [*slots, *getattr(value, "__dict__", {}).values()]
