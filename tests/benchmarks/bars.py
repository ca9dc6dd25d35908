"""A chart of bars on a logarithmic scale, as SVG text: no library, and a file that is read in a review."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["Bar", "chart"]

_WIDTH: Final = 760
_LEFT: Final = 250
_RIGHT: Final = 90
_ROW: Final = 30
_TOP: Final = 56
_BOTTOM: Final = 40


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        title: what it stands for.
        value: its length.
    """

    title: str
    value: float


def chart(title: str, unit: str, bars: Sequence[Bar], mark: float) -> str:
    """The bars, and a line at the mark they are held against."""
    low = 10 ** math.floor(math.log10(min(mark, *(bar.value for bar in bars))))
    high = 10 ** math.ceil(math.log10(max(mark, *(bar.value for bar in bars))))
    return "\n".join(_lines(title, unit, bars, mark, (low, high))) + "\n"


def _lines(title: str, unit: str, bars: Sequence[Bar], mark: float, ends: tuple[float, float]) -> Iterator[str]:
    bottom = _TOP + _ROW * len(bars)
    box = f'viewBox="0 0 {_WIDTH} {bottom + _BOTTOM}" font-family="sans-serif" font-size="13"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">'
    yield f"<title>{escape(title)}</title>"
    yield f'<rect width="{_WIDTH}" height="{bottom + _BOTTOM}" fill="#fff"/>'
    yield _text(_WIDTH / 2, 22, title, "middle")
    for power in range(round(math.log10(ends[0])), round(math.log10(ends[1])) + 1):
        x = _x(10**power, ends)
        yield f'<path d="M{x:.0f} {_TOP}V{bottom}" stroke="#ddd"/>'
        yield _text(x, bottom + 16, f"{10**power:,}", "middle")
    yield _text((_LEFT + _WIDTH - _RIGHT) / 2, bottom + 34, unit, "middle")
    for number, bar in enumerate(bars):
        y = _TOP + _ROW * number
        x = _x(bar.value, ends)
        yield f'<rect x="{_LEFT}" y="{y + 5}" width="{x - _LEFT:.0f}" height="{_ROW - 10}" fill="#4477aa"/>'
        yield _text(_LEFT - 8, y + 20, bar.title, "end")
        yield _text(x + 6, y + 20, f"{_rounded(bar.value):,}", "start")
    x = _x(mark, ends)
    yield f'<path d="M{x:.0f} {_TOP - 6}V{bottom}" stroke="#cc3311" stroke-width="2"/>'
    yield _text(x, _TOP - 12, f"asked: {mark:,.0f}", "middle")
    yield "</svg>"


def _x(value: float, ends: tuple[float, float]) -> float:
    low, high = map(math.log10, ends)
    return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def _rounded(value: float) -> int:
    """Two digits: more are not known."""
    return round(value, 1 - math.floor(math.log10(value)))  # type: ignore[return-value]  # negative digits of a float
