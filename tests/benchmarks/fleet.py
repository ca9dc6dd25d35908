"""Fifty million rows over ten machines at 2,000 a second, by arithmetic from measured parts.

    python -m tests.benchmarks.fleet [--rows N] [--svg FILE] [--json FILE]

Measures on a real PostgreSQL server what one row costs it (CPU, WAL, bytes on its disk), what one group asks of it
(statements, and those under the lock of the pacing row), and what one update costs a worker, exchange included. From
these, and from the fleet assumed, follows how many rows a second each part can carry: the least is where it breaks.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from passbridge.bulk.ledger import LANES
from tests.benchmarks.bars import Bar, chart
from tests.benchmarks.ledgers import GROUP
from tests.benchmarks.parts import Parts, measured
from tests.benchmarks.responder import responder
from tests.benchmarks.world import World
from tests.bulk import postgres


@dataclass(frozen=True)
class Fleet:
    """What is assumed.

    Attributes:
        rows: of the job.
        rate: rows a second.
        machines: that send.
        cores: of each.
        server_cores: the database's.
        round_trip: seconds from a machine to the database and back.
        sync: seconds until a commit is on the database's disk.
        disk: bytes a second that it can write of WAL.
        latency: seconds that a gateway takes for an answer.
        concurrency: requests in flight of each sending process, at most.
    """

    rows: int = 50_000_000
    rate: float = 2000.0
    machines: int = 10
    cores: int = 2
    server_cores: int = 4
    round_trip: float = 0.0005
    sync: float = 0.002
    disk: float = 100e6
    latency: float = 0.3
    concurrency: int = 64


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fleet", description="Where a fleet would break first.")
    parser.add_argument("--rows", type=int, default=50_000, help="rows to measure with")
    parser.add_argument("--svg", type=Path, help="draw the chart there")
    parser.add_argument("--json", type=Path, help="write the measured parts there")
    asked = parser.parse_args()
    binaries = postgres.programs()
    if binaries is None:
        sys.exit("PostgreSQL isn't installed")
    world = World.new()
    with responder(world.answers()) as url, postgres.server(binaries) as server:
        parts = measured(replace(world, url=url), server, asked.rows)
    fleet = Fleet()
    bars = sorted(_bars(fleet, parts), key=lambda bar: bar.value)
    sys.stdout.write("\n".join(_told(fleet, parts, bars)) + "\n")
    if asked.svg:
        title = f"Rows a second that each part carries: {fleet.machines} machines of {fleet.cores} cores"
        asked.svg.write_text(chart(title, "rows a second", bars, fleet.rate), encoding="utf-8")
    if asked.json:
        asked.json.write_text(json.dumps({"fleet": asdict(fleet), "parts": asdict(parts)}, indent=1), encoding="utf-8")


def _bars(fleet: Fleet, parts: Parts) -> Iterator[Bar]:
    """Rows a second that each part carries, if all others were free."""
    turn = parts.statements * fleet.round_trip + fleet.sync + GROUP * (parts.turn_client + parts.turn_server)
    hold = parts.locked * fleet.round_trip + fleet.sync + parts.hold
    yield Bar("pacing row: one group at a time", GROUP / hold)
    yield Bar("cores that sign and send", fleet.machines * fleet.cores / parts.update)
    yield Bar("one ledger thread a machine", fleet.machines * GROUP / turn)
    yield Bar("lanes: one group each at a time", LANES * GROUP / (turn + 2 * fleet.latency))
    yield Bar("requests in flight", fleet.machines * fleet.cores * fleet.concurrency / fleet.latency)
    yield Bar("database: cores", fleet.server_cores / parts.turn_server)
    yield Bar("database: WAL to its disk", fleet.disk / parts.turn_wal)
    yield Bar("writing the input: one process", 1 / (parts.load_client + parts.load_server))


def _told(fleet: Fleet, parts: Parts, bars: Sequence[Bar]) -> Iterator[str]:
    yield f"Assumed: {fleet}\n"
    yield f"Measured: {parts}\n"
    groups = fleet.rate / GROUP
    yield f"At {fleet.rate:,.0f} rows a second, {fleet.rows / fleet.rate / 3600:.1f} hours:"
    yield f"  transactions, each one commit, one lease renewed, one reservation of permits: {groups:.0f} a second"
    yield f"  statements: {groups * parts.statements:.0f} a second; {parts.statements:.1f} a group"
    yield f"  of these under the pacing row's lock: {parts.locked:.1f}"
    yield f"  rows written: {fleet.rate + 4 * groups:,.0f} a second"
    wal = fleet.rows * (parts.turn_wal + parts.load_wal)
    yield f"  WAL: {fleet.rate * parts.turn_wal / 1e6:.1f} MB a second, {wal / 1e9:.0f} GB in all"
    yield f"  the server's CPU: {fleet.rate * parts.turn_server:.2f} cores"
    yield f"  signing and sending: {fleet.rate * parts.update:.1f} cores"
    yield f"  ledger at the end: {fleet.rows * parts.disk / 1e9:.0f} GB ({parts.disk:.0f} bytes a row)"
    yield f"  writing the input beforehand: {fleet.rows * (parts.load_client + parts.load_server) / 60:.0f} minutes, by one process"
    yield f"  network to the gateway: {fleet.rate * parts.wire * 8 / 1e6:.0f} Mbit a second; in flight {fleet.rate * fleet.latency:.0f}\n"
    yield from (f"  {bar.title:36} {bar.value:>12,.0f} rows a second, {bar.value / fleet.rate:.0f} times what is asked" for bar in bars)


if __name__ == "__main__":
    main()
