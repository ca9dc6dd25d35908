"""The jobs, as programs and the command line start and read them.

Owns the public functions but the two generators: plan, run, status, retry, export, settle, work. Each is a thin line over
the ledger and the runner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Final

from passbridge.bulk.jobs import Job, Source, checked
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.rows import Row
from passbridge.bulk.shapes import Entry, Options, State, Status, Stop
from passbridge.bulk.views import entries, progress, retried, settle_row
from passbridge.client import Client
from passbridge.shipped import shipped_tables

if TYPE_CHECKING:
    import os

    from passbridge.accounts import Given
    from passbridge.bulk.outcomes import Words

__all__ = ["export", "plan", "retry", "run", "settle", "status", "work"]

_RETRIED: Final = frozenset({State.UNKNOWN, State.UNSENT})


def plan(config: Given, rows: Iterable[Row]) -> Iterator[Row]:
    """Check every row against its account, and send nothing.

    Args:
        config: as for `Client.from_config`.
        rows: the input.

    Yields:
        Each row again; one that its account can't carry has `update` None and its problems.

    Raises:
        ConfigError: the configuration can't work.
    """
    with Client.from_config(config) as client:
        yield from (checked(client, row) for row in rows)


def run(  # noqa: PLR0913 - the last three are named and rarely given
    config: Given,
    rows: Iterable[Row] | None,
    ledger: str | os.PathLike[str],
    options: Options | None = None,
    *,
    fingerprint: str | None = None,
    stop: Stop | None = None,
    report: Callable[[Status], object] | None = None,
) -> Status:
    """Write the input to the ledger, carry it out, and say how it ended. Run again, it goes on where it was.

    Args:
        config: as for `Client.from_config`; with several workers each opens it anew.
        rows: the input; None to go on with what the ledger holds.
        ledger: a file's path, or `postgresql://…` without a password; `?job=NAME` chooses among several jobs of a database.
        options: pace, order and processes.
        fingerprint: what tells this input (and how it is read) from any other, such as a hash of the file and of the
            mapping. With it, a ledger that holds the whole input is not compared row by row: `rows` is not even begun.
        stop: asks for a clean end.
        report: is given the progress about once a second, and at the end, in a thread of the runner's. If it raises, it isn't
            called again, and its error is raised when the job has ended.

    Returns:
        The progress at the end, with `end`.

    Raises:
        LedgerError: the ledger can't be used: every reason is in `problems`. Nothing was sent after it arose.
        ConfigError: the configuration can't work.
        ValueError: lines that don't rise.
    """
    job = Job(Source(config=config), ledger, options or Options(), stop or Stop(), report)
    return asyncio.run(job.run(rows, fingerprint))


def status(ledger: str | os.PathLike[str]) -> Status:
    """How far a job is; may be asked while it runs.

    Raises:
        LedgerError: there is no such ledger, or it can't be read.
    """
    with closing(Ledger(ledger)) as opened:
        return progress(opened)


def retry(ledger: str | os.PathLike[str], states: Sequence[State] = (State.UNKNOWN,)) -> int:
    """Take rows up again, by the caller's decision: the next `run` (with `rows=None`) sends them anew.

    So are rows that are never sent again by themselves, such as those whose answer couldn't be trusted. A final row never is.

    Args:
        ledger: the ledger; nothing may be running on it.
        states: `UNKNOWN`, `UNSENT` or both. A Refund in doubt is never taken up.

    Returns:
        How many rows.

    Raises:
        LedgerError: the ledger can't be used.
        ValueError: a state whose rows are final.
    """
    if not states or set(states) - _RETRIED:
        raise ValueError("states: only rows that are unknown or unsent can be taken up again")
    with closing(Ledger(ledger, alone=True)) as opened:
        return retried(opened, states)


def export(ledger: str | os.PathLike[str], states: Sequence[State] = ()) -> Iterator[Entry]:
    """The rows in the order of the input, streamed; may be asked while the job runs.

    Args:
        ledger: the ledger.
        states: only rows in these states; all rows where none is given.

    Raises:
        LedgerError: the ledger can't be read.
    """
    with closing(Ledger(ledger)) as opened:
        yield from entries(opened, _words(), states)


def settle(ledger: str | os.PathLike[str], line: int, *, applied: bool, reason: str) -> Entry:
    """An operator's word for a row in doubt. Its updates of the same pass that waited may then go on.

    Args:
        ledger: the ledger; nothing may be running on it.
        line: the row's line.
        applied: whether the update took effect.
        reason: how the operator knows; kept in the outcome's notes.

    Raises:
        LedgerError: there is no such row, it isn't in doubt, or the ledger can't be used.
        ValueError: no reason.
    """
    if not reason.strip():
        raise ValueError("reason: say how it is known")
    with closing(Ledger(ledger, alone=True)) as opened:
        return settle_row(opened, line, _words(), applied=applied, reason=reason.strip())


def work(
    config: Given,
    ledger: str,
    options: Options | None = None,
    *,
    stop: Stop | None = None,
    report: Callable[[Status], object] | None = None,
) -> Status:
    """Help with a job on a PostgreSQL ledger that another process, maybe on another machine, has written; until nothing is left to do.

    Raises:
        LedgerError: the ledger can't be used, or holds no complete job.
        ConfigError: the configuration can't work, or is another one.
    """
    job = Job(Source(config=config), ledger, options or Options(), stop or Stop(), report, helping=True)
    return asyncio.run(job.run(None))


def _words() -> Words:
    return shipped_tables().outcomes
