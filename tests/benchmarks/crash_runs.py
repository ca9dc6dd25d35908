"""Crash runs in their long form: a job is killed again and again, and the gateway's own log judges what is said of each row.

    python -m tests.benchmarks.crash_runs [--kills 200] [--rows 4000] [--workers 2] [--seed 1] [--fleet]

With a file as its ledger one machine is killed and started again; with `--fleet` two machines work on a real PostgreSQL
server, and each time one of them is killed, or frozen past its lease and thawed. Ends with an error at the first row of
which anything untrue is said.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from passbridge import PassUpdate
from passbridge.bulk import State
from passbridge.sandbox import Sandbox
from tests.bulk import postgres
from tests.bulk.crashing import child, finals, judge, killed, prepare, updates_of
from tests.bulk.jobs import Desk
from tests.bulk.machines import Machines

_SLACK = 2.5
"""Requests of a whole job for each of its rows, at most: two attempts, and those in doubt again."""
_PAUSE = 3.0
"""Seconds between two blows to a fleet, about: the job is paced so that it lasts for all of them."""


def main() -> None:
    """Run it."""
    asked = _arguments(sys.argv[1:])
    began = time.monotonic()
    with Sandbox() as box, tempfile.TemporaryDirectory() as folder:
        desk = Desk(box, Path(folder))
        updates = updates_of(desk.passes(asked.rows // 2))
        prepare(desk, updates)
        if asked.fleet:
            _fleet(desk, updates, asked)
        else:
            _alone(desk, updates, asked)
    sys.stdout.write(f"{time.monotonic() - began:,.0f} s\n")


def _arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fleet", action="store_true")
    return parser.parse_args(given)


def _alone(desk: Desk, updates: list[PassUpdate], asked: argparse.Namespace) -> None:
    """One machine, a ledger in a file."""
    chance = Random(asked.seed)  # noqa: S311 - when to kill, no secret
    most = max(2, int(2 * len(updates) / asked.kills))
    final: dict[int, str | None] = {}
    kills = 0
    while kills < asked.kills and killed(desk, desk.ledger, asked.workers, chance.randrange(most), chance.random() * 0.05):
        kills += 1
        final = _kept(desk, desk.ledger, final)
        _say(f"{kills} kills, {len(final):,} of {len(updates):,} rows are final, {len(desk.log()):,} requests")
    desk.box.clear_faults()
    with child(desk, desk.ledger, asked.workers) as process:
        while process.poll() is None:
            desk.log()
            time.sleep(0.05)
    assert process.returncode == 0, (desk.folder / "errors").read_text()
    _kept(desk, desk.ledger, final)
    _judged(desk, updates, desk.ledger, f"{kills} kills")


def _fleet(desk: Desk, updates: list[PassUpdate], asked: argparse.Namespace) -> None:
    """Two machines, a ledger on a server."""
    chance = Random(asked.seed)  # noqa: S311 - when to kill, no secret
    binaries = postgres.programs()
    assert binaries, "PostgreSQL isn't installed"
    most = max(2, int(2 * len(updates) / asked.kills))
    final: dict[int, str | None] = {}
    with postgres.server(binaries) as url, Machines(desk, f"{url}?job=crashes", asked.workers) as machines:
        machines.write(updates, rate=len(updates) / (_PAUSE * asked.kills))
        machines.start(2)
        kills = frozen = 0
        while kills + frozen < asked.kills and machines.more(chance.randrange(most)):
            time.sleep(chance.random() * 0.05)
            if chance.random() < 1 / 4:
                machines.freeze(chance.randrange(2))
                frozen += 1
            else:
                machines.kill(chance.randrange(2))
                kills += 1
            final = _kept(desk, machines.ledger, final)
            _say(f"{kills} kills, {frozen} frozen, {len(final):,} of {len(updates):,} rows are final, {len(desk.log()):,} requests")
        desk.box.clear_faults()
        machines.finish()
        _kept(desk, machines.ledger, final)
        _judged(desk, updates, machines.ledger, f"{kills} kills, {frozen} times frozen")


def _kept(desk: Desk, ledger: str, before: dict[int, str | None]) -> dict[int, str | None]:
    """What is final now, of which all that was final before is a part."""
    now = finals(desk, ledger)
    assert before.items() <= now.items(), "what was final has changed"
    return now


def _judged(desk: Desk, updates: list[PassUpdate], ledger: str, what: str) -> None:
    entries = desk.entries(ledger)
    judge(desk, updates, entries)
    log = desk.log()
    assert len(log) <= _SLACK * len(updates)
    states = Counter(entry.state for entry in entries.values())
    asked = Counter((request["pass"], request["action"]) for request in log)
    again = sum(count > 1 for count in asked.values())
    told = ", ".join(f"{states[state]:,} {state}" for state in State if states[state])
    _say(f"{what}: {len(entries):,} rows, {told}; {len(log):,} requests, {again:,} updates sent more than once, each after a doubt\n")


def _say(text: str) -> None:
    sys.stdout.write(f"\r{text}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
