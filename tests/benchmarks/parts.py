"""What one row and one group cost a ledger on PostgreSQL, measured on a real server.

Owns the measuring: CPU on both sides, WAL, bytes on the disk, statements, and how long the pacing row is locked.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg

from passbridge.bulk import Options, Row, run
from passbridge.bulk.database import Database
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.schema import Insert
from tests.benchmarks.bulk import numbered
from tests.benchmarks.ledgers import LEASE, Answer, Config, carry, rows, write
from tests.benchmarks.world import UPDATES, World

__all__ = ["Parts", "measured"]

_FEW: Final = 1000
_MANY: Final = 5000
_FAST: Final = 1e6
"""A rate that takes every step of pacing and waits for nothing."""
_SCHEMA: Final = "passbridge_fleet"


@dataclass(frozen=True)
class Parts:
    """What was measured, a row or a group; seconds and bytes.

    Attributes:
        update: a worker's CPU for one row, with its exchange.
        load_client: CPU of who writes the input, a row.
        load_server: the server's CPU for that.
        turn_client: CPU of the ledger's thread, a row.
        turn_server: the server's CPU for that.
        load_wal: WAL of writing a row of input.
        turn_wal: WAL of marking and saving it.
        disk: bytes on the database's disk at the end, a row.
        statements: of a group's transaction.
        locked: of these, from the pacing row's lock to the commit.
        hold: seconds of that, on this machine, without a network and without waiting for a disk.
        wire: bytes of a request and its answer.
    """

    update: float
    load_client: float
    load_server: float
    turn_client: float
    turn_server: float
    load_wal: float
    turn_wal: float
    disk: float
    statements: float
    locked: float
    hold: float
    wire: float


@dataclass(slots=True)
class _Counting:
    """The ledger's database, its statements counted: what a network would add to each."""

    db: Database
    name: str = ""
    statements: int = 0
    under_lock: list[int] = field(default_factory=list)
    held: list[float] = field(default_factory=list)
    _since: tuple[int, float] | None = None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        self.statements += 1
        found = self.db.rows(sql, values)
        if "FROM pace" in sql and "FOR UPDATE" in sql:
            self._since = self.statements, time.perf_counter()
        return found

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        self.statements += 1
        return self.db.run(sql, values)

    def put(self, insert: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        self.statements += bool(rows)
        self.db.put(insert, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self.db.transaction():
            yield
        self.statements += 2  # BEGIN and COMMIT
        if self._since:
            before, begun = self._since
            self.under_lock.append(self.statements - 1 - before)  # BEGIN came before
            self.held.append(time.perf_counter() - begun)
            self._since = None

    def transaction(self) -> AbstractContextManager[None]:
        return self._transaction()

    def now(self) -> float:
        self.statements += 1
        return self.db.now()

    def locked(self, sql: str, *, skip: bool = False) -> str:
        return self.db.locked(sql, skip=skip)

    def create(self, tables: Sequence[str]) -> None:
        self.db.create(tables)

    def exists(self) -> bool:
        return self.db.exists()

    def close(self) -> None:
        self.db.close()


def measured(world: World, server: str, count: int) -> Parts:
    """Measure with so many rows, on a server whose address this is."""
    config = world.config
    answer, place = Answer.of(config), f"{server}?job=fleet"
    making = _Spent.of(lambda: sum(1 for _ in rows(count)), server)
    with closing(Ledger(place, create=True)) as ledger:
        load = _Spent.of(lambda: write(config, ledger, rows(count)), server)
        ledger.begin(_FAST, anew=True)
        counting = _Counting(ledger.db, ledger.db.name)
        ledger.db = counting
        lanes, groups = Lanes(ledger, answer.words, lease=LEASE), 0

        def carried() -> None:
            nonlocal groups
            _, groups = carry(lanes, answer)

        turns = _Spent.of(carried, server)
    return Parts(
        update=_update(config, server),
        load_client=(load.client - making.client) / count,
        load_server=load.server / count,
        turn_client=turns.client / count,
        turn_server=turns.server / count,
        load_wal=load.wal / count,
        turn_wal=turns.wal / count,
        disk=_on_disk(server) / count,
        statements=counting.statements / groups,
        locked=statistics.mean(counting.under_lock),
        hold=statistics.median(counting.held),
        wire=_wire(world),
    )


@dataclass(frozen=True)
class _Spent:
    """CPU here and at the server, and WAL."""

    client: float
    server: float
    wal: float

    @classmethod
    def of(cls, act: Callable[[], object], server: str) -> _Spent:
        with psycopg.connect(server, autocommit=True) as watching:
            before = time.process_time(), *_server(watching)
            act()
            after = time.process_time(), *_server(watching)
        return cls(*(end - begin for begin, end in zip(before, after, strict=True)))


def _server(watching: psycopg.Connection[Any]) -> tuple[float, float]:
    """CPU of all of the server's processes so far, and its WAL."""
    backend, wal = watching.execute("SELECT pg_backend_pid(), pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')").fetchone() or (0, 0)
    chief = _stat(backend)[1]
    cpu = sum(_stat(chief)[11:15])  # its own, and that of processes that are gone
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and folder.exists():
            stat = _stat(int(folder.name))
            cpu += sum(stat[11:13]) if stat[1] == chief else 0
    return cpu / os.sysconf("SC_CLK_TCK"), float(wal)


def _stat(process: int) -> list[int]:
    """`/proc/PID/stat` behind the name, its letters as 0; zeros where the process is gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except OSError:
        return [0] * 15
    return [int(part) if part.lstrip("-").isdecimal() else 0 for part in text.rpartition(")")[2].split()]


def _update(config: Config, server: str) -> float:
    """CPU of one row with its exchange; what a start costs is taken off."""
    taken = []
    for count in (_FEW, _MANY):
        given = (Row.of(line, numbered(UPDATES["hk"], line)) for line in range(1, count + 1))
        begun = time.process_time()
        run(config, given, f"{server}?job=update{count}", Options(workers=1))
        taken.append(time.process_time() - begun)
    return (taken[1] - taken[0]) / (_MANY - _FEW)


def _on_disk(server: str) -> float:
    query = "SELECT sum(pg_total_relation_size(format('%%I.%%I', schemaname, tablename)::regclass)) FROM pg_tables WHERE schemaname = %s"
    with psycopg.connect(server) as watching:
        return float((watching.execute(query, (_SCHEMA,)).fetchone() or (0,))[0])


def _wire(world: World) -> float:
    request = world.rendered("hk")
    head = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    return len(request.url) + head + len(request.body) + len(next(iter(world.answers().values())))
