"""The durable record of one job: opened, recognised, or refused.

Owns the job's own row (what input, which configuration, how far it was written) and every reason not to go on with a
ledger. Rows are written by `loading`, carried out by `lanes`, read by `views`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from passbridge.bulk.database import Database, Sqlite, refused
from passbridge.bulk.locking import Lock
from passbridge.bulk.postgresql import PREFIXES, Postgresql
from passbridge.bulk.schema import ACCOUNTS, NEVER, PACE, SCHEMA, TABLES
from passbridge.errors import LedgerError, Problem

__all__ = ["LANES", "Job", "Ledger", "set_back", "shared"]

LANES: Final = 64
"""Lanes of an account: how many groups may be under way at once, over all machines. Fixed when a job begins."""
_DUE: Final = 60.0
"""Seconds: no row waits for longer than a quarter of that before it may be taken up again."""
_LEASE: Final = 7200.0
"""Seconds: no lease is as long, since no conversation lasts longer than an hour."""


def shared(place: str | os.PathLike[str]) -> bool:
    """Whether several machines can reach this ledger."""
    return str(place).startswith(PREFIXES)


@dataclass(frozen=True, slots=True)
class Job:
    """The job's own row.

    Attributes:
        lanes: lanes of an account.
        loaded: rows written.
        last: the last line written.
        digest: of all rows written, one after another.
        ready: whether the whole input is written.
        fingerprint: what the caller knows its input by.
        latest: whether rows may take another's place.
        unnamed: the account of rows that name none; None where such rows are invalid.
    """

    lanes: int
    loaded: int
    last: int
    digest: str
    ready: bool
    fingerprint: str | None
    latest: bool
    unnamed: str | None


def set_back(now: float, due: float, until: float) -> bool:
    """Whether a lane's moments were written by a clock that has been set back since: none is ever so far ahead."""
    return now + _DUE < due < NEVER or until > now + _LEASE


class Ledger:
    """An open ledger. For one thread at a time.

    Args:
        place: a file's path, or a PostgreSQL URL.
        create: whether it may be made.
        alone: whether no other process may run on it: takes the lock of a file.

    Raises:
        LedgerError: it can't be used; the reason is in `problems`.
    """

    def __init__(self, place: str | os.PathLike[str], *, create: bool = False, alone: bool = False) -> None:
        self.lock: Lock | None = None
        self.shared = shared(place)
        if self.shared:
            self.db: Database = Postgresql(str(place))
        else:
            if "://" in str(place):  # it may hold a password, so it isn't shown
                message = "is an address of a kind that is not known"
                raise refused("ledger", "unknown_address", message, "give a file's path, or postgresql://host/database")
            path = Path(place)
            if not create and not path.exists():
                raise refused(str(path), "no_ledger", "there is no such ledger", "give the ledger of a job that was started")
            self.lock = Lock(path) if alone else None
            try:
                self.db = Sqlite(path, create=create)
            except BaseException:
                self._unlock()
                raise
        try:
            self._recognise(create=create)
            if alone:
                self._take_over()
        except BaseException:
            self.close()
            raise

    def _recognise(self, *, create: bool) -> None:
        if not self.db.exists():
            if not create:
                raise refused(self.db.name, "no_ledger", "there is no such job", "give the ledger of a job that was started")
            self.db.create(TABLES)
        found = self.db.rows("SELECT version FROM job")
        if found and found[0][0] != SCHEMA:
            age = "newer" if found[0][0] > SCHEMA else "older"
            message = f"was written by {'a' if age == 'newer' else 'an'} {age} passbridge (schema {found[0][0]}, this one knows {SCHEMA})"
            raise refused(self.db.name, f"{age}_schema", message, "go on with that version, or begin a new ledger")

    def _take_over(self) -> None:
        """A file's lanes are free: whoever held them is gone. On a server others may be at work."""
        if self.shared:
            if self.db.rows("SELECT 1 FROM lane WHERE until > ? LIMIT 1", (self.db.now(),)):
                raise refused(self.db.name, "locked", "workers are running this job", "end them first")
        else:
            self.free()

    def free(self) -> None:
        """Take every lane from whoever held it. Only where the lock proves that nobody does."""
        with self.db.transaction():
            self.db.run("UPDATE lane SET until = 0, due = 0, epoch = epoch + 1 WHERE until > 0 OR flight <> ''")

    def begin(self, rate: float | None, *, anew: bool) -> None:
        """Get ready for a run.

        Args:
            rate: requests a second for each account.
            anew: whether this run decides the rate, and takes up what an earlier one left unsent; else it helps another.
        """
        with self.db.transaction():
            if anew:  # the lanes first, as a worker does: two that wait for each other would end each other
                self.db.run("UPDATE lane SET due = 0 WHERE due > 0")
                self.db.run("UPDATE pending SET takes = 0 WHERE why = 'unsent'")
                self.db.run("UPDATE pending SET due = 0 WHERE due > 0")  # by a clock that may have been set since
            if anew or rate is not None:
                self.db.put(PACE, [(account, rate, 0.0, 1.0, 0.0) for account in sorted(self.identities())])

    def set_right(self, now: float, lease: float | None = None) -> None:
        """Let count as over what lies further ahead than anything is ever written: the clock was set back since.

        Args:
            now: by that clock.
            lease: seconds for which a lane so held stays held from now on: its holder may be alive, and sending. Without it such
                lanes stay as they are.
        """
        self.db.run("UPDATE lane SET due = 0 WHERE due > ? AND due < ?", (now + _DUE, NEVER))
        if lease is not None:
            self.db.run("UPDATE lane SET until = ? WHERE until > ?", (now + lease, now + _LEASE))
        self.db.run("UPDATE pending SET due = 0 WHERE due > ?", (now + _DUE,))

    def job(self) -> Job | None:
        """The job's own row; None before the first batch."""
        found = self.db.rows("SELECT lanes, loaded, last, digest, ready, fingerprint, latest, unnamed FROM job")
        if not found:
            return None
        lanes, loaded, last, digest, ready, fingerprint, latest, unnamed = found[0]
        return Job(lanes, loaded, last, digest, bool(ready), fingerprint, bool(latest), unnamed)

    def identities(self) -> dict[str, str]:
        """What tells each account of the job from any other of that name."""
        return dict(self.db.rows("SELECT account, identity FROM account"))

    def require_same(self, identities: Mapping[str, str]) -> None:
        """Refuse a configuration under which the job's accounts mean something else.

        Raises:
            LedgerError: with every account that is missing or different.
        """
        problems = [
            Problem(
                f"{self.db.name}: {account}",
                "other_configuration",
                "is another account in this configuration" if account in identities else "is not in this configuration",
                "run the job with the configuration it was begun with, or begin a new ledger",
            )
            for account, identity in self.identities().items()
            if identities.get(account) != identity
        ]
        if problems:
            raise LedgerError(problems)

    def require_complete(self) -> None:
        """Refuse a ledger that holds a part of its input.

        Raises:
            LedgerError: it was cut off while it was written, or is being written now.
        """
        job = self.job()
        if job is None or not job.ready:
            raise refused(self.db.name, "incomplete", "holds a part of its input only", "run the job with its input")

    def numbers(self, identities: Mapping[str, str]) -> dict[str, int]:
        """Each account's number, from 1; accounts new to the ledger are added."""
        known = dict(self.db.rows("SELECT account, number FROM account"))
        new = [name for name in identities if name not in known]
        known |= {name: number for number, name in enumerate(new, 1 + len(known))}
        self.db.put(ACCOUNTS, [(known[name], name, identities[name]) for name in new])
        return known

    def close(self) -> None:
        """Let go of the database, and of the lock."""
        self.db.close()
        self._unlock()

    def _unlock(self) -> None:
        if self.lock is not None:
            self.lock.release()
            self.lock = None
