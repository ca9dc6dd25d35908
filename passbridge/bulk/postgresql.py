"""A ledger on PostgreSQL, reached by an address that holds no password.

Owns the address, the connection and what PostgreSQL says otherwise than SQLite. One job is one database schema.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from passbridge.bulk.database import Passing, refused
from passbridge.errors import LedgerError, Problem

if TYPE_CHECKING:
    import psycopg

    from passbridge.bulk.schema import Insert

__all__ = ["PREFIXES", "Postgresql", "address_of"]

PREFIXES: Final = ("postgresql://", "postgres://")

_JOB: Final = re.compile(r"[a-z0-9_]{1,48}")
_SECRET: Final = frozenset({"password", "sslpassword"})
_FROZEN: Final = 5000
"""Milliseconds after which the server ends a transaction that says nothing more: a frozen worker must not hold up the others."""
_PASSING: Final = frozenset({"25P03", "25006"})
"""States that pass, beside lost connections, deadlocks and the like: a frozen worker's transaction, a server that has just taken over."""
_LINE: Final = {"connect_timeout": 10, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}
"""A network that swallows everything is noticed within the lease, where the address says nothing else."""
_SESSION: Final = {
    "synchronous_commit": "on",
    "default_transaction_isolation": "'read committed'",
    "idle_in_transaction_session_timeout": _FROZEN,
}
_MEND: Final = "leave it out: PostgreSQL takes it from PGPASSFILE, PGPASSWORD or a service"


def address_of(url: str) -> tuple[str, str]:
    """The address as libpq takes it, and the schema that the job is.

    Raises:
        LedgerError: it can't be read, it holds a password, or the job's name is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise refused("ledger", "bad_address", "is no address", "write it as in postgresql://host/database") from None
    shown = f"postgresql://{parts.netloc.rpartition('@')[2]}{parts.path}"
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if ":" in parts.netloc.rpartition("@")[0] or any(name in _SECRET for name, _ in pairs):
        raise refused(shown, "password_in_url", "a ledger's address holds no password", _MEND)
    job = next((value for name, value in pairs if name == "job"), "")
    if job and not _JOB.fullmatch(job):
        raise refused(shown, "bad_job", "a job's name has small letters, digits and _ only, at most 48", "write it as in ?job=gate_move")
    rest = urlencode([pair for pair in pairs if pair[0] != "job"])
    return urlunsplit(("postgresql", parts.netloc, parts.path, rest, "")), f"passbridge_{job}" if job else "passbridge"


class Postgresql:
    """A ledger in a schema of a database.

    Args:
        url: `postgresql://[user@]host[:port]/database[?job=NAME]`; what is left out comes from PG* variables.

    Raises:
        LedgerError: the address holds a password, or the server can't be reached.
    """

    def __init__(self, url: str) -> None:
        address, self._schema = address_of(url)
        self.name = f"postgresql://{urlsplit(address).netloc}{urlsplit(address).path}"
        try:
            import psycopg  # noqa: PLC0415 - an extra: a ledger in a file needs none
        except ImportError:
            mend = "pip install 'passbridge[bulk]'"
            raise refused(self.name, "missing_extra", "a ledger on PostgreSQL needs psycopg", mend) from None
        self._errors = (psycopg.OperationalError, psycopg.InterfaceError)
        self._error = psycopg.Error
        try:
            given = psycopg.conninfo.conninfo_to_dict(address)
        except psycopg.ProgrammingError:
            mend = "write it as in postgresql://host/database?sslmode=verify-full"
            raise refused(self.name, "bad_address", "is not understood as an address", mend) from None
        line = {name: value for name, value in _LINE.items() if name not in given}
        whole = psycopg.conninfo.make_conninfo(address, **line)
        self._open = partial(psycopg.connect, whole, autocommit=True, application_name="passbridge")
        self._within = False
        with self._failures():
            self._connection = self._opened()

    def _opened(self) -> psycopg.Connection[tuple[Any, ...]]:
        connection = self._open()
        try:
            for name, value in {**_SESSION, "search_path": f'"{self._schema}"'}.items():
                connection.execute(f"SET {name} = {value}")
        except BaseException:
            connection.close()
            raise
        return connection

    def _live(self) -> psycopg.Connection[tuple[Any, ...]]:
        """The connection; a new one where it was lost. Never within a transaction, whose beginning is lost with it."""
        if self._connection.closed and not self._within:
            self._connection = self._opened()
        return self._connection

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """No error of the driver's leaves: its text may hold the whole address."""
        try:
            yield
        except self._errors as error:
            first = str(error).partition("\n")[0]
            mend = "see to the server and the PG* variables"
            raise Passing([Problem(self.name, "unusable", f"the ledger can't be reached: {first}", mend)]) from None
        except self._error as error:
            state, told = error.sqlstate or "no state", error.diag.message_primary or type(error).__name__
            kind = Passing if state in _PASSING else LedgerError
            raise kind([Problem(self.name, "unusable", f"the ledger can't be used ({state}): {told}")]) from None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, and give its rows."""
        with self._failures():
            return self._live().execute(_theirs(sql), values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement, and say how many rows it changed."""
        with self._failures():
            return self._live().execute(_theirs(sql), values).rowcount

    def put(self, insert: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows, in one statement."""
        if rows:
            with self._failures():
                columns = zip(insert.columns, zip(*rows, strict=True), strict=True)
                self._live().execute(
                    _unnested(insert), [_array(column) if kind == "text" else list(column) for (_, kind), column in columns]
                )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on the disk when it ends."""
        with self._failures(), self._live().transaction():
            self._within = True
            try:
                yield
            finally:
                self._within = False

    def now(self) -> float:
        """Seconds since 1970 by the server's clock: all workers share it."""
        return float(self.rows("SELECT extract(epoch FROM clock_timestamp())::double precision")[0][0])

    def locked(self, sql: str, *, skip: bool = False) -> str:
        """The query, so that the rows it gives stay as they are until the transaction ends; or skip those another holds."""
        return f"{sql} FOR UPDATE{' SKIP LOCKED' if skip else ''}"

    def create(self, tables: Sequence[str]) -> None:
        """Make the tables, if there are none."""
        with self.transaction():
            self.run("SELECT pg_advisory_xact_lock(hashtext(?))", (self._schema,))
            if not self.exists():
                self.run(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
                for table in tables:
                    self.run(table.format(id="BIGINT PRIMARY KEY"))

    def exists(self) -> bool:
        """Whether the tables are there."""
        return bool(self.rows("SELECT 1 FROM pg_tables WHERE schemaname = ? AND tablename = 'job'", (self._schema,)))

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()


@cache
def _theirs(sql: str) -> str:
    return sql.replace("?", "%s")


def _array(texts: Sequence[str]) -> str:
    """An array of text as PostgreSQL reads it. The driver's own way visits every quotation mark, and JSON has many."""
    quoted = ('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    return "{" + ",".join(quoted) + "}"


@cache
def _unnested(insert: Insert) -> str:
    names = ", ".join(name for name, _ in insert.columns)
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in insert.columns)
    return f"INSERT INTO {insert.table} ({names}) SELECT * FROM unnest({arrays}) {insert.conflict}"  # noqa: S608 - our own names
