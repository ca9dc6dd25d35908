"""Looking for secrets where none may be: in any spelling, and in any slice."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import passbridge

__all__ = ["Needle", "Shown", "everything_shown", "told_by"]

SLICE = 24
"""Characters of key material that are too many."""

STRIDE = SLICE // 2
SHORTEST = 8

HOME = str(Path(passbridge.__file__).parent)


class Needle:
    """A secret, and every spelling of it.

    Args:
        name: what it is.
        secret: its bytes.
        whole: whether only the whole of it is looked for, as of a short token.
    """

    def __init__(self, name: str, secret: bytes, *, whole: bool = False) -> None:
        self.name = name
        self._whole = _spellings(secret) if whole else set[str]()
        spellings = set[str]() if whole else _spellings(secret)
        self._slices = {text[at : at + SLICE] for text in spellings for at in range(len(text) - SLICE + 1)}
        self._slices = {piece for piece in self._slices if "---" not in piece}  # PEM's own lines are no secret
        self._halves = {piece[:STRIDE] for piece in self._slices} | {piece[-STRIDE:] for piece in self._slices}

    def found(self, text: str) -> str | None:
        """The first piece of the secret in the text.

        A slice of 24 characters covers one whole block of 12, wherever the blocks begin: only those are looked up.
        """
        for at in range(0, len(text), STRIDE):
            if text[at : at + STRIDE] in self._halves:
                around = range(max(0, at - STRIDE), at + 1)
                piece = next((text[start : start + SLICE] for start in around if text[start : start + SLICE] in self._slices), None)
                if piece:
                    return piece
        return next((spelling for spelling in self._whole if spelling in text), None)


def _spellings(raw: bytes) -> set[str]:
    texts = [raw.decode("latin-1"), raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode()]
    lines = [line for line in raw.decode("latin-1").splitlines() if line and not line.startswith("-----")]
    texts += ["".join(lines), repr(raw)[2:-1], *(repr(line)[1:-1] for line in lines)]
    return {spelling for text in texts for spelling in (text, quote(text, safe=""), quote_plus(text)) if len(spelling) >= SHORTEST}


@dataclass
class Shown:
    """Everything that a piece of work showed anywhere.

    Attributes:
        texts: by the place where it was shown.
        error: what it raised.
        value: what it gave.
    """

    texts: dict[str, str] = field(default_factory=dict)
    error: BaseException | None = None
    value: object = None

    def leaks(self, *needles: Needle) -> dict[str, str]:
        """Where something of a secret stands."""
        return {
            f"{needle.name} in {place}": piece for place, text in self.texts.items() for needle in needles if (piece := needle.found(text))
        }


def everything_shown(work: Callable[[], object]) -> Shown:
    """Do some work, and gather logs, warnings, output, and whatever its error tells."""
    shown, log = Shown(), io.StringIO()
    handler = logging.StreamHandler(log)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    out = io.StringIO()
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            warnings.simplefilter("always")
            try:
                shown.value = work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is looked through
                shown.error = error
                shown.texts |= told_by(error)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    shown.texts |= {"logs": log.getvalue(), "output": out.getvalue(), "warnings": "\n".join(str(one.message) for one in caught)}
    return shown


def told_by(error: BaseException) -> dict[str, str]:
    """Everything that an error tells: its texts, its members, and the locals of the package's own frames."""
    return {f"{type(one).__name__}: {place}": text for one in _chain(error) for place, text in _told(one)}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _told(error: BaseException) -> Iterator[tuple[str, str]]:
    yield "str", str(error)
    yield "repr", repr(error)
    yield "args", repr(error.args)
    yield "problems", repr(getattr(error, "problems", ""))
    errors = getattr(error, "errors", None)
    yield "errors()", repr(errors() if callable(errors) else errors)
    yield "members", repr(vars(error))
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename.startswith(HOME):
            place = f"locals of {frame.f_code.co_name} in {Path(frame.f_code.co_filename).name}:{line}"
            yield place, " ".join(f"{name}={_safe_repr(value)}" for name, value in frame.f_locals.items())


def _safe_repr(value: object) -> str:
    """As a traceback that captures locals shows it; objects may be half made."""
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return type(error).__name__
