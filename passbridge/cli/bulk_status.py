"""`passbridge bulk status` and `settle`: how far a job is, and an operator's word for a row in doubt."""

from __future__ import annotations

import json

import click

from passbridge import bulk
from passbridge.bulk.shapes import Status
from passbridge.cli.bulk_options import ledger_argument
from passbridge.cli.output import Exit, emit, json_option, plain, table

__all__ = ["settle", "show_status", "status"]


@click.command()
@ledger_argument
@json_option
def status(ledger: str) -> int:
    """Print how far the job of LEDGER is, from any process, at any time."""
    found = bulk.status(ledger)
    emit({**found.as_json(), "ledger": ledger}, lambda: show_status(found))
    return Exit.DONE


@click.command()
@ledger_argument
@click.argument("row", metavar="ROW", type=click.IntRange(1))
@click.option("--as", "word", type=click.Choice(["applied", "not_applied"]), required=True, help="Whether the update took effect.")
@click.option("--reason", metavar="TEXT", required=True, help="How you know; kept with the outcome.")
@json_option
def settle(ledger: str, row: int, word: str, reason: str) -> int:
    """Give your word for a row in doubt, by its line: you have looked, and know whether it took effect.

    Later updates of the same pass may then go on, with the next `run` or `retry`.
    """
    if not reason.strip():
        raise click.BadParameter("is empty", param_hint="--reason")
    entry = bulk.settle(ledger, row, applied=word == "applied", reason=reason)
    outcome = json.loads(entry.body or "{}")
    emit({"line": entry.line, **outcome}, lambda: click.echo(plain(f"line {entry.line}: {outcome.get('code')}: {outcome.get('text')}")))
    return Exit.DONE


def show_status(found: Status) -> None:
    """Print the states and the codes of a job."""
    flight = f", {found.in_flight:,} in flight (or in doubt, if nothing runs this job any more)" if found.in_flight else ""
    click.echo(f"{found.done:,} of {found.rows:,} rows{' so far' if found.loading else ''} are done{flight}")
    for column, counts in (("state", found.states), ("code", found.codes)):
        if counts:
            table((column, "rows"), [(str(name), f"{count:,}") for name, count in counts.items() if count])
