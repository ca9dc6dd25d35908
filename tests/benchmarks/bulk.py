"""Bulk jobs as contenders: a ledger written, every update sent and saved, all of it counted but PostgreSQL's own processes.

Each turn is a whole job of other passes than before, by one worker and with the options that a job has by itself, so
that opening ledger and accounts is counted too and weighs as little as in a job of this size.
"""

from __future__ import annotations

import gc
import itertools
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from passbridge import PassUpdate
from passbridge.bulk import Options, Row, run
from passbridge.bulk.own_process import collect_seldom
from tests.benchmarks.measure import Contender
from tests.benchmarks.world import UPDATES, World
from tests.bulk import postgres

__all__ = ["bulk", "numbered"]

_ROWS = 10_000
_OPTIONS = Options(workers=1)


def bulk(world: World, region: str) -> Iterator[Contender]:
    """Jobs with a ledger in a file, and on a PostgreSQL server if one is installed."""
    folder = ExitStack()
    files = Path(folder.enter_context(tempfile.TemporaryDirectory()))
    names = (str(files / f"{number}.db") for number in itertools.count())
    yield Contender(region, "passbridge: bulk, SQLite", partial(_job, world, region, names), folder.close, _ROWS)
    binaries = postgres.programs()
    if binaries:
        server = ExitStack()
        url = server.enter_context(postgres.server(binaries))
        jobs = (f"{url}?job=j{number}" for number in itertools.count())
        yield Contender(region, "passbridge: bulk, PostgreSQL", partial(_job, world, region, jobs), server.close, _ROWS)


def _job(world: World, region: str, ledgers: Iterator[str], count: int) -> None:
    rows = (Row.of(line, numbered(UPDATES[region], line)) for line in range(1, count + 1))
    before = gc.get_threshold()
    collect_seldom()  # as the command does in its own process
    try:
        ended = run(world.config, rows, next(ledgers), _OPTIONS)
    finally:
        gc.set_threshold(*before)
    if ended.codes != {"APPLIED": count}:
        raise RuntimeError(f"{ended.as_json()}")


def numbered(update: PassUpdate, number: int) -> PassUpdate:
    """The same for another pass: updates of one pass wait for each other."""
    pass_ = update.pass_.model_copy(update={"id": f"{update.pass_.id}{number:07}"})
    return update.model_copy(update={"pass_": pass_})
