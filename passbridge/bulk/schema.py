"""The ledger's tables: one schema for SQLite and PostgreSQL.

Owns names and columns. Rows are keyed by `id = lane << 40 | line`: a lane's rows lie together, in input order, and are
reached without any further index. `item` is written once and never changed; an outcome is added beside it, so that
neither database rewrites what is large. What is neither untouched nor final stands in `pending`, which stays small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = [
    "ACCOUNTS",
    "ITEMS",
    "KEYS",
    "LANES",
    "LATEST",
    "LINE_BITS",
    "NEVER",
    "OUTCOMES",
    "PACE",
    "PENDING",
    "PROGRESS",
    "SCHEMA",
    "TABLES",
    "Insert",
    "id_of",
]

SCHEMA: Final = 2
"""Raised whenever another passbridge could misread the tables. 2: outcomes and marks bear a checksum."""

LINE_BITS: Final = 40
NEVER: Final = 1e18
"""A moment that doesn't come: a lane that has nothing to do."""

TABLES: Final = (
    """CREATE TABLE job (one INTEGER PRIMARY KEY, version INTEGER NOT NULL, lanes INTEGER NOT NULL, loaded BIGINT NOT NULL,
        last BIGINT NOT NULL, digest TEXT NOT NULL, ready INTEGER NOT NULL, fingerprint TEXT, latest INTEGER NOT NULL,
        unnamed TEXT)""",
    "CREATE TABLE account (number INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE, identity TEXT NOT NULL)",
    """CREATE TABLE lane (lane INTEGER PRIMARY KEY, account TEXT NOT NULL, owner TEXT, epoch BIGINT NOT NULL,
        until DOUBLE PRECISION NOT NULL, due DOUBLE PRECISION NOT NULL, done BIGINT NOT NULL, last BIGINT NOT NULL,
        flight TEXT NOT NULL, crc BIGINT NOT NULL)""",
    """CREATE TABLE item (id {id}, pass BIGINT NOT NULL, shape BIGINT, refund INTEGER NOT NULL, at BIGINT, crc BIGINT NOT NULL,
        text TEXT NOT NULL)""",
    """CREATE TABLE outcome (id {id}, state TEXT NOT NULL, code TEXT NOT NULL, exit INTEGER NOT NULL, crc BIGINT NOT NULL,
        body TEXT NOT NULL)""",
    """CREATE TABLE pending (id {id}, lane INTEGER NOT NULL, pass BIGINT NOT NULL, why TEXT NOT NULL, refund INTEGER NOT NULL,
        again INTEGER NOT NULL, takes INTEGER NOT NULL, due DOUBLE PRECISION NOT NULL)""",
    "CREATE INDEX pending_of_lane ON pending (lane)",
    """CREATE TABLE progress (lane INTEGER NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL, exit INTEGER NOT NULL, n BIGINT NOT NULL,
        PRIMARY KEY (lane, state, code, exit))""",
    """CREATE TABLE pace (account TEXT PRIMARY KEY, rate DOUBLE PRECISION, tat DOUBLE PRECISION NOT NULL, factor DOUBLE PRECISION NOT NULL,
        changed DOUBLE PRECISION NOT NULL)""",
    "CREATE TABLE key (key BYTEA PRIMARY KEY, content BYTEA NOT NULL, line BIGINT NOT NULL)",
    "CREATE TABLE latest (shape {id}, line BIGINT NOT NULL)",
)


@dataclass(frozen=True, slots=True)
class Insert:
    """A statement that adds many rows.

    Attributes:
        table: where to.
        columns: the columns, each with its PostgreSQL type.
        conflict: what happens to a row that is there.
    """

    table: str
    columns: tuple[tuple[str, str], ...]
    conflict: str = ""


def _columns(text: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, kind) for name, _, kind in (part.partition(" ") for part in text.split(", ")))


ITEMS: Final = Insert("item", _columns("id bigint, pass bigint, shape bigint, refund integer, at bigint, crc bigint, text text"))
OUTCOMES: Final = Insert(
    "outcome",
    _columns("id bigint, state text, code text, exit integer, body text, crc bigint"),
    # What is final stays, whoever comes later.
    "ON CONFLICT (id) DO UPDATE SET state = excluded.state, code = excluded.code, exit = excluded.exit, body = excluded.body,"
    " crc = excluded.crc"
    " WHERE outcome.state IN ('unknown', 'unsent')",
)
PENDING: Final = Insert(
    "pending",
    _columns("id bigint, lane integer, pass bigint, why text, refund integer, again integer, takes integer, due double precision"),
    "ON CONFLICT (id) DO UPDATE SET why = excluded.why, again = excluded.again, takes = excluded.takes, due = excluded.due",
)
PROGRESS: Final = Insert(
    "progress",
    _columns("lane integer, state text, code text, exit integer, n bigint"),
    "ON CONFLICT (lane, state, code, exit) DO UPDATE SET n = progress.n + excluded.n",
)
KEYS: Final = Insert("key", _columns("key bytea, content bytea, line bigint"), "ON CONFLICT (key) DO NOTHING")
ACCOUNTS: Final = Insert("account", _columns("number integer, account text, identity text"))
LANES: Final = Insert(
    "lane",
    _columns(
        "lane integer, account text, epoch bigint, until double precision, due double precision, done bigint, last bigint, flight text,"
        " crc bigint"
    ),
    "ON CONFLICT (lane) DO UPDATE SET last = excluded.last, due = 0",
)
PACE: Final = Insert(
    "pace",
    _columns("account text, rate double precision, tat double precision, factor double precision, changed double precision"),
    "ON CONFLICT (account) DO UPDATE SET rate = excluded.rate",
)
LATEST: Final = """INSERT INTO latest (shape, line) SELECT i.shape, max(i.id & 1099511627775) FROM item i
    LEFT JOIN (SELECT DISTINCT o.pass FROM item o LEFT JOIN outcome f ON f.id = o.id WHERE o.shape IS NULL AND f.id IS NULL) AS other
    ON other.pass = i.pass WHERE i.shape IS NOT NULL AND other.pass IS NULL GROUP BY i.shape"""
"""`shape` names account, pass and what a Revise writes: the last line of each. Not of a pass to which the job does anything else:
what a Revise says before a Redeem may be refused behind it."""


def id_of(lane: int, line: int) -> int:
    """A row's key."""
    return lane << LINE_BITS | line
