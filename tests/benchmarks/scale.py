"""Whether cost and memory stay what they are as a job grows, how soon a large one goes on, and what a second worker brings.

    python -m tests.benchmarks.scale [--rows N,N] [--rounds N] [--ledger N] [--workers N] [--region hk|cn]

Each measurement has a process of its own, so that the memory is its own, and CPU is counted over it and its workers,
but not over the responder. Rows with real exchanges are few enough for a machine in use; the ledger itself, with all
its rows, is loaded, half carried out with a prepared outcome, abandoned as a killed process leaves it, and opened again.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

from passbridge.bulk import Options, Row, Status, run
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.own_process import collect_seldom
from passbridge.bulk.turns import Claim, Result
from tests.benchmarks.bulk import numbered
from tests.benchmarks.ledgers import GROUP, LEASE, Answer, Config, carry, rows, write
from tests.benchmarks.responder import responder
from tests.benchmarks.world import REGIONS, UPDATES, World

_T = TypeVar("_T")
_P = ParamSpec("_P")

_PARTS: Final = 10
_FEW: Final = 2000
"""Rows of the small job that is taken off a large one, so that what a start costs isn't counted as a row's."""
_MIB: Final = 1024
_MS: Final = 1000.0
_US: Final = 1e6


def main() -> None:
    """Run it."""
    asked = _arguments()
    world = World.new()
    with responder(world.answers()) as url, tempfile.TemporaryDirectory() as folder:
        config, place = replace(world, url=url).config, Path(folder) / "large.db"
        _say(_sizes(config, asked.region, asked.rows, asked.rounds))
        _say(_crews(config, asked.region, asked.workers, asked.rounds))
        if asked.ledger:
            _say(_apart(_loaded, config, place, asked.ledger))
            _say(_apart(_resumed, config, place))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description="CPU and memory of bulk jobs, by their size.")
    parser.add_argument("--rows", type=lambda text: [int(part) for part in text.split(",")], default=[10_000, 50_000], help="sizes of jobs")
    parser.add_argument("--rounds", type=int, default=3, help="how often each is measured")
    parser.add_argument("--ledger", type=int, default=1_000_000, help="rows of the ledger without sends; 0 for none")
    parser.add_argument("--workers", type=int, default=10_000, help="rows of the jobs with one worker and with two; 0 for none")
    parser.add_argument("--region", choices=REGIONS, default="hk")
    return parser.parse_args()


def _say(lines: Iterator[str] | list[str]) -> None:
    for line in lines:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    sys.stdout.write("\n")


def _sizes(config: Config, region: str, sizes: list[int], rounds: int) -> Iterator[str]:
    yield "| rows, each with its exchange | CPU ms a row, median (least to most) | each tenth's, the first as 1 | resident MB, at most |"
    yield "|--:|--:|--:|--:|"
    for size in sizes:
        taken = [_apart(_job, config, region, size, 1) for _ in range(rounds)]
        cpu = [used.cpu / size * _MS for used in taken]
        tenths = [statistics.median(parts) for parts in zip(*(used.tenths for used in taken), strict=True)]
        shown = " ".join(f"{tenth / tenths[0]:.2f}" for tenth in tenths)
        memory = max(used.memory for used in taken)
        yield f"| {size:,} | {statistics.median(cpu):.3f} ({min(cpu):.3f} to {max(cpu):.3f}) | {shown} | {memory:.0f} |"


def _crews(config: Config, region: str, size: int, rounds: int) -> Iterator[str]:
    if not size:
        return
    costs: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for workers, found in costs.items():
            few, many = (_apart(_job, config, region, count, workers).cpu for count in (_FEW, size))
            found.append((many - few) / (size - _FEW) * _MS)
    yield "| worker processes | CPU ms a row, all processes, without the start; median (least to most) |"
    yield "|--:|--:|"
    for workers, found in costs.items():
        yield f"| {workers} | {statistics.median(found):.3f} ({min(found):.3f} to {max(found):.3f}) |"
    gain = statistics.median(2 * one / two for one, two in zip(*costs.values(), strict=True))
    yield f"\nTwo cores of their own would carry {gain:.2f} times what one does: twice the cores, by the CPU a row needs."


@dataclass(frozen=True)
class _Used:
    """What a whole job needed.

    Attributes:
        cpu: seconds, workers included.
        memory: the resident MB of the largest process.
        tenths: seconds for each tenth of its rows, by this process's clock of CPU.
    """

    cpu: float
    memory: float
    tenths: list[float]


def _job(config: Config, region: str, count: int, workers: int) -> _Used:
    given = (Row.of(line, numbered(UPDATES[region], line)) for line in range(1, count + 1))
    seen: list[tuple[int, float]] = []
    collect_seldom()  # as the command does in its own process
    with tempfile.TemporaryDirectory() as folder:
        ended = run(config, given, str(Path(folder) / "job.db"), Options(workers=workers), report=partial(_look, seen))
    if ended.codes != {"APPLIED": count}:
        raise RuntimeError(f"{ended.as_json()}")
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return _Used(sum(one.ru_utime + one.ru_stime for one in used), max(one.ru_maxrss for one in used) / _MIB, _tenths(seen, count))


def _look(seen: list[tuple[int, float]], status: Status) -> None:
    if not status.loading:
        seen.append((status.done, time.process_time()))


def _tenths(seen: list[tuple[int, float]], count: int) -> list[float]:
    """The CPU between one tenth and the next, read off a straight line between two looks."""
    marks = [_read_off(seen, count * part / _PARTS) for part in range(_PARTS + 1)]
    return [after - before for before, after in itertools.pairwise(marks)]


def _read_off(seen: list[tuple[int, float]], done: float) -> float:
    after = next((number for number, (rows, _) in enumerate(seen) if rows >= done and number), len(seen) - 1)
    (low, begun), (high, ended) = seen[after - 1], seen[after]
    return begun + (ended - begun) * (done - low) / (high - low)


def _loaded(config: Config, place: Path, count: int) -> list[str]:
    """Load all, carry out half, and leave lanes marked as in flight, as a killed process does."""
    answer = Answer.of(config)
    making = _cpu(lambda: sum(1 for _ in rows(count))) / count
    stamps: list[float] = []
    ledger = Ledger(place, create=True, alone=True)
    write(config, ledger, _stamped(rows(count), count // _PARTS, stamps))
    parts = [(after - before) / (count // _PARTS) - making for before, after in itertools.pairwise(stamps)]
    ledger.begin(None, anew=True)
    lanes = Lanes(ledger, answer.words, lease=LEASE)
    carried = [_carried(lanes, answer, count // 2 // _PARTS) for _ in range(_PARTS)]
    for _ in range(4):
        claim = lanes.claim("killed")
        if isinstance(claim, Claim):
            lanes.turn((claim.lane, claim.epoch), (), GROUP)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB
    return [
        f"Ledger of {count:,} rows, without sends. CPU us a row, for each tenth in turn:",
        f"  written:     {_row(parts)}",
        f"  carried out (half of them): {_row(carried)}",
        f"  {place.stat().st_size / 1e6:.0f} MB in its file; {memory:.0f} MB resident at most",
    ]


def _row(costs: list[float]) -> str:
    return " ".join(f"{cost * _US:.0f}" for cost in costs)


def _stamped(given: Iterator[Row], every: int, stamps: list[float]) -> Iterator[Row]:
    """The rows; the CPU used so far is noted at the first, and after every so many."""
    for number, row in enumerate(given):
        if number % every == 0:
            stamps.append(time.process_time())
        yield row
    stamps.append(time.process_time())


def _carried(lanes: Lanes, answer: Answer, count: int) -> float:
    begun = time.process_time()
    done, _ = carry(lanes, answer, count)
    return (time.process_time() - begun) / done


def _resumed(config: Config, place: Path) -> list[str]:
    """From opening the ledger until every lane has found what it does next."""
    answer = Answer.of(config)
    cpu, wall = time.process_time(), time.perf_counter()
    with closing(Ledger(place, alone=True)) as ledger:
        ledger.begin(None, anew=True)
        lanes = Lanes(ledger, answer.words, lease=LEASE)
        first, killed, found = 0.0, 0, 0
        while isinstance(claim := lanes.claim("again"), Claim):
            killed += len(claim.killed)
            found += bool(lanes.turn((claim.lane, claim.epoch), [Result(row.line, answer.verdict) for row in claim.killed], GROUP).rows)
            first = first or time.perf_counter() - wall
        spent, passed = time.process_time() - cpu, time.perf_counter() - wall
    return [
        f"Taken up again: the first group after {first:.2f} s; {found} lanes in {passed:.2f} s ({spent:.2f} s CPU); {killed} rows in doubt."
    ]


def _cpu(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return time.process_time() - begun


def _apart(act: Callable[_P, _T], *values: _P.args, **named: _P.kwargs) -> _T:
    """Do it in a fresh interpreter."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(act, *values, **named).result()


if __name__ == "__main__":
    main()
