"""`passbridge bulk run` and `retry`: from an input to a summary, through interruptions.

Owns a job's exit code, and what is said at its end.
"""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import click

from passbridge import bulk
from passbridge.bulk.input import Input
from passbridge.bulk.own_process import collect_seldom
from passbridge.bulk.shapes import End, Entry, Options, State, Status, Stop
from passbridge.cli.bulk_dry_run import dry_run
from passbridge.cli.bulk_options import ledger_argument, ledger_of, options_of, pace_options, reading_of, reading_options, require_account
from passbridge.cli.bulk_progress import progress
from passbridge.cli.bulk_signals import InputInterrupted, signals, standard_input
from passbridge.cli.bulk_status import show_status
from passbridge.cli.output import Exit, Failure, command_line, config_option, emit, json_option, named, plain, say
from passbridge.domain import Outcome
from passbridge.errors import LedgerError

__all__ = ["job_exit", "retry", "run", "say_what_is_left", "told"]

_Show = Callable[[Status], None]

_LISTED: Final = 20
"""How many rows in doubt are listed; the rest is for `export`."""


@click.command()
@click.argument("source", metavar="FILE|-", callback=named)
@click.option(
    "--ledger", metavar="FILE|URL", callback=named, help="The job's record; by default FILE.passbridge.db. URLs have no password."
)
@click.option("-n", "--dry-run", "dry", is_flag=True, help="Check every row; write and send nothing.")
@reading_options
@pace_options
@config_option
@json_option
def run(source: str, ledger: str | None, config: str | None, *, dry: bool, **given: Any) -> int:  # noqa: ANN401 - each option's own type
    """Carry out the updates of FILE, or of standard input: JSON lines, CSV or Parquet.

    What has been done is recorded before anything is sent, so the same command goes on where an earlier one was
    interrupted, killed or paused. Ctrl-C finishes what is in flight; twice, it stops at once.
    """
    if source == "-" and not (dry or ledger):
        raise click.UsageError("standard input has no name: name the ledger with --ledger")
    if source == "-" and sys.stdin and sys.stdin.isatty():
        raise click.UsageError("give the updates as a file, or on standard input")
    reading, options = reading_of(given), options_of(given)
    if reading.to:
        require_account(config, reading.to)
    stop = Stop()
    stream = standard_input(stop) if source == "-" else None
    with Input("standard input" if source == "-" else source, reading, stream) as rows:
        _announce(rows)
        if dry:
            return dry_run(config, rows)
        return _carry_out(config, rows, ledger or ledger_of(source), options, stop)


@click.command()
@ledger_argument
@click.option(
    "--state", "states", type=click.Choice([State.UNKNOWN.value, State.UNSENT.value]), multiple=True, default=[State.UNKNOWN.value],
    show_default=True, help="Which rows to take up.",
)  # fmt: skip
@pace_options
@config_option
@json_option
def retry(ledger: str, states: tuple[str, ...], config: str | None, **given: Any) -> int:  # noqa: ANN401 - each option's own type
    """Take up rows of LEDGER again, and go on with those that are still open.

    That is your decision: rows in doubt are sent again, also those that never are by themselves. A refund in doubt isn't:
    look, and then `settle` it.
    """
    options = options_of(given)
    count = bulk.retry(ledger, [State(state) for state in states])
    say(f"rows taken up again: {count:,}")
    return _carry_out(config, None, ledger, options, Stop())


def _announce(rows: Input) -> None:
    """Say which column fills what, where that isn't plain."""
    if rows.columns is not None:
        read = [f"{column.name} → {column.field}" for column in rows.columns.read if column.name != str(column.field)]
        for title, names in (("columns", read), ("left out", rows.columns.left_out)):
            if names:
                say(f"{title}: {plain(', '.join(names))}")


def _carry_out(config: str | None, rows: Input | None, ledger: str, options: Options, stop: Stop) -> int:
    collect_seldom()
    with signals(stop) as taken, progress() as show:
        known = rows.fingerprint() if rows else None
        status = told(lambda report: bulk.run(config, rows, ledger, options, fingerprint=known, stop=stop, report=report), ledger, show)
    code = job_exit(status, taken)
    emit({**status.as_json(), "exit": code, "ledger": ledger}, lambda: show_status(status))
    say_what_is_left(status, ledger, ["--config", config] if config else [])
    return code


def told(job: Callable[[_Show], Status], ledger: str, show: _Show) -> Status:
    """Run a job, and say what it means that it can't be run to its end."""
    shown: list[Status] = []

    def report(status: Status) -> None:
        shown[:] = [status]
        show(status)

    try:
        return job(report)
    except InputInterrupted:
        return replace(bulk.status(ledger), end=End.STOPPED)
    except LedgerError as error:
        if error.problems[0].code in {"unusable", "workers_died"} and _in_doubt(ledger, shown):
            raise Failure(Exit.UNKNOWN, "ledger", error.problems) from None
        raise


def _in_doubt(ledger: str, shown: list[Status]) -> bool:
    """Whether a ledger that failed holds updates that may have been applied, as far as it can be read or was shown."""
    try:
        found = bulk.status(ledger)
    except LedgerError:
        return any(not status.loading for status in shown)
    return bool(found.in_flight or found.states.get(State.UNKNOWN))


def job_exit(status: Status, signals: list[int]) -> int:
    """A job's exit code.

    Args:
        status: how it ended.
        signals: those that came.
    """
    if status.end is End.STOPPED and signals:
        return Exit.TERMINATED if signals[0] == signal.SIGTERM else Exit.INTERRUPTED
    return Exit.LATER if status.end is End.PAUSED else status.exit


_ENDS: Final = {
    End.STOPPED: "stopped, with nothing in flight",
    End.PAUSED: "paused: answers stopped arriving, or being trustworthy",
}


_LOOKED_AT: Final = {State.INVALID: "rows that are no update of their account", State.REFUSED: "rows that the gateway refused"}


def say_what_is_left(status: Status, ledger: str, config: list[str]) -> None:
    """List what stays unknown, and give the command for whatever is left to do."""
    again = ["passbridge", "bulk", "retry", ledger, *config, "--state"]
    unknown, unsent, waiting = (status.states.get(state, 0) for state in (State.UNKNOWN, State.UNSENT, State.OPEN))
    if status.end in _ENDS:
        say(f"{_ENDS[status.end]}; go on with: {command_line()}")
    elif unsent:
        say(f"rows that were not sent: {unsent:,}; take them up with: {shlex.join([*again, 'unsent'])}")
    if status.end is End.DONE and waiting:
        say(f"rows that wait for an earlier update of their pass: {waiting:,}")
    for state, what in _LOOKED_AT.items():
        if status.states.get(state):
            say(f"{what}: {status.states[state]:,}; see why: {shlex.join(['passbridge', 'bulk', 'export', ledger, '--state', state])}")
    if not unknown:
        return
    listed = list(islice(bulk.export(ledger, [State.UNKNOWN]), _LISTED))
    say(f"rows that may have been applied: {unknown:,}")
    for entry in listed:
        say(f"  {plain(_described(entry))}")
    if unknown > len(listed):
        say(f"  … all of them: {shlex.join(['passbridge', 'bulk', 'export', ledger, '--state', 'unknown'])}")
    if unknown > len(listed) or any(_may_be_resent(entry) for entry in listed):
        say(f"send them again, but for refunds: {shlex.join([*again, 'unknown'])}")
    say(f"give your word for one: {shlex.join(['passbridge', 'bulk', 'settle', ledger])} LINE --as applied --reason …")


def _may_be_resent(entry: Entry) -> bool:
    return entry.outcome is not None and entry.outcome.action != "refund"


def _described(entry: Entry) -> str:
    found = entry.outcome
    if found is None:
        return f"line {entry.line}"
    what = f"line {entry.line}: {found.action} {found.pass_id} at {found.account}: {found.code}"
    return f"{what}{_why(found)}; next: {found.next}, by {found.who}"


def _why(outcome: Outcome) -> str:
    """What failed: the finding about a signature, or what happened to the last attempt."""
    if outcome.finding:
        mend = f"; {outcome.finding.mend}" if outcome.finding.mend else ""
        return f" ({outcome.finding.message}{mend})"
    reason = outcome.attempts[-1].reason if outcome.attempts else None
    return f" ({reason})" if reason else ""
