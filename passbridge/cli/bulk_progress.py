"""How far a job is, while it runs: a bar on a terminal, elsewhere a line a minute. On standard error.

Owns the words of progress, its speed and the time left, which are guesses from what was done in the last half minute.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from passbridge.bulk.shapes import Status
from passbridge.cli.output import say

__all__ = ["Lines", "Speed", "progress", "words"]

_WINDOW: Final = 30.0
"""Seconds over which the speed is taken."""

_EVERY: Final = 60.0
"""Seconds between two lines."""

_Show = Callable[[Status], None]


class Speed:
    """Rows a second, lately."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def of(self, now: float, done: int) -> float | None:
        """The speed; None before there is anything to tell it by."""
        while len(self._seen) > 1 and self._seen[1][0] <= now - _WINDOW:
            self._seen.popleft()
        self._seen.append((now, done))
        since, before = self._seen[0]
        return (done - before) / (now - since) if now > since else None


def words(status: Status, speed: float | None) -> str:
    """Progress in a line: done, outcomes, speed, time left."""
    if status.loading:
        return f"reading the input: {status.rows:,} rows so far{_codes(status.codes)}"
    share = 100 * status.done / status.rows if status.rows else 100.0
    text = f"{status.done:,} of {status.rows:,} rows ({share:.1f} %){_codes(status.codes)}"
    if speed is None:
        return text
    left = f", {timedelta(seconds=round((status.rows - status.done) / speed))} left" if speed > 0 else ""
    return f"{text}; {speed:,.1f}/s{left}"


def _codes(codes: Mapping[str, int]) -> str:
    return "".join(f", {count:,} {code}" for code, count in sorted(codes.items(), key=lambda pair: (-pair[1], pair[0])))


class Lines:
    """A line at once, and then one a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._speed, self._due = clock, Speed(), float("-inf")

    def __call__(self, status: Status) -> None:
        """Show it, if its time has come."""
        now = self._clock()
        speed = self._speed.of(now, status.done)
        if now >= self._due:
            self._due = now + _EVERY
            say(f"{time.strftime('%H:%M:%S')}  {words(status, speed)}")


@contextmanager
def progress() -> Iterator[_Show]:
    """What shows each report, for as long as the job runs."""
    if not (sys.stderr and sys.stderr.isatty()):
        yield Lines()
        return
    with _bar() as show:
        yield show


@contextmanager
def _bar() -> Iterator[_Show]:
    from rich.console import Console  # noqa: PLC0415 - only on a terminal
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415 - likewise

    speed = Speed()
    columns = (BarColumn(bar_width=20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("starting", total=None)

        def show(status: Status) -> None:
            text = words(status, speed.of(time.monotonic(), status.done))
            bar.update(task, description=text, completed=status.done, total=None if status.loading else status.rows)

        yield show
