"""The jobs, as programs and the command line start and read them.

Owns the public functions: plan, run, status, retry, export, settle, work, and the two generators. Each is a thin line
over the ledger and the runner.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from passbridge.bulk.rows import Row
from passbridge.bulk.shapes import Entry, Options, State, Status, Stop

if TYPE_CHECKING:
    import os

    from passbridge.accounts import Given
    from passbridge.client import AsyncClient
    from passbridge.domain import Outcome, PassUpdate

__all__ = ["arun_bulk", "export", "plan", "retry", "run", "run_bulk", "settle", "status", "work"]


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
    raise NotImplementedError


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
        report: is given the progress about once a second, and at the end, in a thread of the runner's.

    Returns:
        The progress at the end, with `end`.

    Raises:
        LedgerError: the ledger can't be used: every reason is in `problems`. Nothing was sent after it arose.
        ConfigError: the configuration can't work.
        ValueError: lines that don't rise.
    """
    raise NotImplementedError


def status(ledger: str | os.PathLike[str]) -> Status:
    """How far a job is; may be asked while it runs.

    Raises:
        LedgerError: there is no such ledger, or it can't be read.
    """
    raise NotImplementedError


def retry(ledger: str | os.PathLike[str], states: Sequence[State] = (State.UNKNOWN,)) -> int:
    """Take rows up again: the next `run` (with `rows=None`) tries them anew, by the tables of doubt. A final row never is.

    Args:
        ledger: the ledger; nothing may be running on it.
        states: `UNKNOWN`, `UNSENT` or both. A Refund in doubt is never taken up.

    Returns:
        How many rows.

    Raises:
        LedgerError: the ledger can't be used.
        ValueError: a state whose rows are final.
    """
    raise NotImplementedError


def export(ledger: str | os.PathLike[str], states: Sequence[State] = ()) -> Iterator[Entry]:
    """The rows in the order of the input, streamed; may be asked while the job runs.

    Args:
        ledger: the ledger.
        states: only rows in these states; all rows where none is given.

    Raises:
        LedgerError: the ledger can't be read.
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError


def run_bulk(
    client_or_config: AsyncClient | Given,
    updates: Iterable[PassUpdate] | None,
    *,
    ledger: str | os.PathLike[str],
    options: Options | None = None,
    stop: Stop | None = None,
) -> Iterator[tuple[int, Outcome]]:
    """Carry out many updates, and yield each outcome with its line (from 1) as it becomes final or is left in doubt.

    A ledger that already holds these updates is gone on with: outcomes of an earlier run are not yielded again
    (`export` gives them).

    Args:
        client_or_config: what `Client.from_config` takes; or an `AsyncClient`, which is then used in this process alone.
        updates: the updates, in their order; None to go on with what the ledger holds.
        ledger: a file's path or a PostgreSQL URL.
        options: pace, order and processes.
        stop: asks for a clean end; leaving the generator does, too.

    Raises:
        LedgerError: the ledger can't be used.
        ConfigError: the configuration can't work.
    """
    raise NotImplementedError


def arun_bulk(
    client_or_config: AsyncClient | Given,
    updates: Iterable[PassUpdate] | None,
    *,
    ledger: str | os.PathLike[str],
    options: Options | None = None,
    stop: Stop | None = None,
) -> AsyncIterator[tuple[int, Outcome]]:
    """The same, awaiting."""
    raise NotImplementedError
