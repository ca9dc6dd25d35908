"""The benchmark: every way to do an update, side by side in one run, in both regions.

    python -m tests.benchmarks [--rounds N] [--seconds S] [--region hk|cn] [--only WORD] [--json FILE]

Prints Markdown tables. CPU is what counts; wall is printed for whoever has the machine to himself.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.bulk import bulk
from tests.benchmarks.floor import floors
from tests.benchmarks.imports import imports
from tests.benchmarks.kits import kits
from tests.benchmarks.measure import Contender, Result, measure
from tests.benchmarks.ours import ours
from tests.benchmarks.responder import responder
from tests.benchmarks.world import REGIONS, World

_MS = 1000
_PLACES = {"hk": "AlipayHK", "cn": "mainland"}


def main() -> None:
    """Run it."""
    asked = _arguments()
    world = World.new()
    say = sys.stdout.write
    say(f"{_machine()}; {asked.rounds} rounds\n\n")
    with responder(world.answers()) as url:
        found = {region: _measured(replace(world, url=url), region, asked) for region in asked.region or REGIONS}
    for region, results in found.items():
        say("\n".join(_table(region, results)) + "\n\n")
    costs = {} if asked.only else imports(asked.rounds)
    say("\n".join(_import_table(costs)) + "\n")
    if asked.json:
        asked.json.write_text(json.dumps({"updates": [_row(result) for rows in found.values() for result in rows], "imports": costs}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="CPU and wall of one update, by every means.")
    parser.add_argument("--rounds", type=int, default=7, help="how often each has its turn")
    parser.add_argument("--seconds", type=float, default=0.3, help="CPU seconds of each turn")
    parser.add_argument("--region", choices=REGIONS, action="append", help="only this one")
    parser.add_argument("--only", help="only the floor, and those with this word in their title")
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def _measured(world: World, region: str, asked: argparse.Namespace) -> list[Result]:
    chosen: list[Contender] = []
    for contender in _contenders(world, region):
        if not chosen or not asked.only or asked.only in contender.title:
            chosen.append(contender)
        else:
            contender.close()
    return measure(chosen, asked.rounds, asked.seconds)


def _contenders(world: World, region: str) -> Iterator[Contender]:
    """The floor with 16 in flight first: it is what the others are compared with."""
    yield from floors(world, region)
    yield from ours(world, region)
    yield from bulk(world, region)
    yield from kits(world, region)


def _table(region: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"| {_PLACES[region]}: one update | CPU ms | wall ms | CPU by the floor's |"
    yield "|---|--:|--:|--:|"
    for result in results:
        cpu, wall = (statistics.median(taken) * _MS for taken in (result.cpu, result.wall))
        yield f"| {result.contender.title} | {cpu:.2f} | {wall:.2f} | {result.ratio(results[0]):.2f} |"
    least, most = (choose(results[0].cpu) * _MS for choose in (min, max))
    yield f"\nThe floor took {least:.2f} to {most:.2f} ms: the wider apart, the busier the machine was, and the less the ratios say."


def _import_table(costs: dict[str, float]) -> Iterator[str]:
    if costs:
        bare = costs["nothing"]
        yield f"| import | CPU ms, over a bare interpreter's {bare * _MS:.0f} |"
        yield "|---|--:|"
        yield from (f"| {name} | {(cost - bare) * _MS:.0f} |" for name, cost in costs.items() if name != "nothing")


def _row(result: Result) -> dict[str, object]:
    return {"region": result.contender.region, "title": result.contender.title, "cpu": result.cpu, "wall": result.wall}


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {memory:.0f} GiB"


if __name__ == "__main__":
    main()
