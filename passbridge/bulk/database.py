"""What the ledger needs of a database, and SQLite.

Owns connections, transactions and the durability of a commit. Knows nothing of rows and lanes. Statements are written
once, with `?` for a value, in what both databases speak.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from passbridge.errors import LedgerError, Problem

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from passbridge.bulk.schema import Insert

__all__ = ["Database", "Passing", "Sqlite", "refused"]

_APPLICATION: Final = 0x70627264
"""`PRAGMA application_id`: tells a ledger from any other SQLite file."""

_CHECKED: Final = 512 * 1024 * 1024
"""Bytes up to which a ledger is checked as a whole when it is opened: a second or two. Every row taken is checked in any case."""

_BUSY: Final = 30.0
"""Seconds that one statement waits for another process's transaction."""


class Passing(LedgerError):
    """A failure that may go away by itself: a transaction that was ended for another's sake, a server that is away for a moment."""


class Database(Protocol):
    """One connection. For one thread at a time."""

    name: str
    """How messages call it."""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, and give its rows."""
        ...

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement, and say how many rows it changed."""
        ...

    def put(self, insert: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; on the disk when it ends."""
        ...

    def now(self) -> float:
        """Seconds since 1970, by the clock that all who share the ledger share."""
        ...

    def locked(self, sql: str, *, skip: bool = False) -> str:
        """The query, so that the rows it gives stay as they are until the transaction ends; or skip those another holds."""
        ...

    def create(self, tables: Sequence[str]) -> None:
        """Make the tables, if there are none."""
        ...

    def exists(self) -> bool:
        """Whether the tables are there."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def refused(where: str, code: str, message: str, mend: str = "") -> LedgerError:
    """The ledger can't be used, for one reason."""
    return LedgerError([Problem(where, code, message, mend)])


def _made(path: Path) -> None:
    """The empty file, readable by its owner alone: it will hold who has which pass."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise refused(str(path), "unusable", f"can't be made: {error.strerror}", "give a path in a folder you may write to") from None


class Sqlite:
    """A ledger in a file: WAL, each commit synced to the disk before it returns.

    Args:
        path: the file.
        create: whether it may be made.

    Raises:
        LedgerError: it can't be opened, is no ledger, or is damaged.
    """

    def __init__(self, path: Path, *, create: bool) -> None:
        self.name = str(path)
        self._clock = time.time() - time.monotonic()
        self._fresh = not path.exists() or path.stat().st_size == 0
        if self._fresh and not create:
            raise refused(self.name, "no_ledger", "there is no such ledger", "give the ledger of a job that was started")
        if self._fresh:
            _made(path)
        with self._failures():
            # SQLite takes some names, such as `:memory:`, for no file; an absolute path is always one.
            self._connection = sqlite3.connect(path.absolute(), isolation_level=None, check_same_thread=False, timeout=_BUSY)
        try:
            with self._failures():
                self._prepare(path)
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, path: Path) -> None:
        run = self._connection.execute
        if self._fresh:
            run("PRAGMA page_size = 8192")
            run(f"PRAGMA application_id = {_APPLICATION}")
        elif run("PRAGMA application_id").fetchone()[0] != _APPLICATION:
            raise refused(self.name, "no_ledger", "is another program's file", "give another path")
        elif path.stat().st_size <= _CHECKED and run("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise self._damaged()
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("PRAGMA cache_size = -32768")
        run("PRAGMA temp_store = FILE")

    def _damaged(self) -> LedgerError:
        return refused(self.name, "damaged", "the ledger is damaged", "restore it from a copy; nothing was sent since it was noticed")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Every failure of the file is a ledger's error, never a bug's traceback."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise refused(
                self.name, "unusable", f"the ledger can't be used: {error}", "see to the disk, its space and rights, then run again"
            ) from None
        except sqlite3.DatabaseError:
            raise self._damaged() from None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement, and give its rows."""
        with self._failures():
            return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        """Run a statement, and say how many rows it changed."""
        with self._failures():
            return self._connection.execute(sql, values).rowcount

    def put(self, insert: Insert, rows: Sequence[tuple[Any, ...]]) -> None:
        """Add many rows."""
        names = ", ".join(name for name, _ in insert.columns)
        marks = ", ".join("?" * len(insert.columns))
        with self._failures():
            self._connection.executemany(f"INSERT INTO {insert.table} ({names}) VALUES ({marks}) {insert.conflict}", rows)  # noqa: S608 - our own names

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; on the disk when it ends."""
        with self._failures():
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with self._failures():
                self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def now(self) -> float:
        """Seconds since 1970 when it was opened, and what has passed since: a clock that is set frees no lane that is held."""
        return self._clock + time.monotonic()

    def locked(self, sql: str, *, skip: bool = False) -> str:  # noqa: ARG002 - the port's
        """A transaction that writes is alone already."""
        return sql

    def create(self, tables: Sequence[str]) -> None:
        """Make the tables, if there are none."""
        if not self.exists():
            with self.transaction():
                for table in tables:
                    self.run(table.format(id="INTEGER PRIMARY KEY"))

    def exists(self) -> bool:
        """Whether the tables are there."""
        return bool(self.rows("SELECT 1 FROM sqlite_master WHERE name = 'job'"))

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()
