"""Measuring contenders side by side: rounds in which each does its share, CPU and wall per update, and medians.

CPU is user and system time of this process, so neither the responder nor whoever else uses the machine counts. Rounds
are interleaved and ratios taken within a round, so that a machine that is slower for a while is slower for all.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Contender", "Result", "measure", "per_update"]

_LEAST: Final = 4
_MOST: Final = 2000


@dataclass(frozen=True)
class Contender:
    """Somebody who does updates.

    Attributes:
        region: where.
        title: by what means.
        run: does so many of them, and fails unless each was applied.
        close: lets go of connections.
        share: how many a turn has, where that isn't to be found out.
    """

    region: str
    title: str
    run: Callable[[int], None]
    close: Callable[[], object] = field(default=lambda: None)
    share: int | None = None


@dataclass(frozen=True)
class Result:
    """What one contender needed for an update, in every round (seconds)."""

    contender: Contender
    cpu: tuple[float, ...]
    wall: tuple[float, ...]

    def ratio(self, other: Result) -> float:
        """The median, over the rounds, of our CPU to theirs."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.cpu, other.cpu, strict=True))


def per_update(run: Callable[[int], None], count: int) -> tuple[float, float]:
    """CPU and wall seconds of one of so many updates. What others left to collect is collected before."""
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    run(count)
    return (time.process_time() - cpu) / count, (time.perf_counter() - wall) / count


def measure(contenders: Sequence[Contender], rounds: int, seconds: float) -> list[Result]:
    """Let each do a share that costs about so many seconds of CPU, in each of so many rounds."""
    with ExitStack() as stack:
        for contender in contenders:
            stack.callback(contender.close)
        shares = [_share(contender, seconds) for contender in contenders]
        taken = [[per_update(contender.run, share) for contender, share in zip(contenders, shares, strict=True)] for _ in range(rounds)]
    return [Result(contender, *zip(*rows, strict=True)) for contender, rows in zip(contenders, zip(*taken, strict=True), strict=True)]


def _share(contender: Contender, seconds: float) -> int:
    """How many updates cost so much, after a first few that open connections and fill caches."""
    contender.run(_LEAST)
    if contender.share:
        return contender.share
    cpu, _ = per_update(contender.run, _LEAST * 2)
    return max(_LEAST, min(_MOST, round(seconds / cpu)))
