"""`passbridge bulk export`: rows with their outcomes, to standard output or a file."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Final, cast

import click

from passbridge import bulk
from passbridge.bulk.exports import EXPORTS
from passbridge.bulk.shapes import State
from passbridge.cli.bulk_options import ledger_argument
from passbridge.cli.output import Exit, Failure, give, json_option, named, say
from passbridge.errors import Problem

__all__ = ["export"]


_STATES: Final = [state.value for state in State]


@click.command()
@ledger_argument
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True, help="Only rows in these states; by default all.")
@click.option("--format", "format_", type=click.Choice(list(EXPORTS)), default="jsonl", show_default=True, help="What to write.")
@click.option("--whole", is_flag=True, help="Each row with its state and its update, and rows that have no outcome yet.")
@click.option("-o", "--output", metavar="FILE", callback=named, help="Where to write; by default standard output.")
@partial(json_option, what="Errors as JSON too; the rows are what --format says.")
def export(ledger: str, states: tuple[str, ...], format_: str, output: str | None, *, whole: bool) -> int:
    """Write the rows of LEDGER with their outcomes, in the order of the input; also while the job runs.

    JSON lines are outcomes as `send --json` prints them, each with its `line`.
    """
    wanted = [State(state) for state in states]
    entries = bulk.export(ledger, wanted)

    def write(stream: BinaryIO) -> None:
        count = EXPORTS[format_](entries, stream, whole=whole)
        say(f"{count:,} rows")

    if output is None:
        if format_ == "parquet" and sys.stdout.isatty():
            raise click.UsageError("Parquet is nothing for a terminal: name a file with --output")
        give(lambda: write(cast("BinaryIO", sys.stdout.buffer)))
    else:
        _replaced(Path(output), write)
    return Exit.DONE


def _replaced(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Write a file that takes its name only when it is whole."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            write(stream)
        part.replace(path)
    except OSError as error:
        problem = Problem(str(path), "unwritable", f"can't be written: {error.strerror}", "name another file, or make room")
        raise Failure(Exit.USAGE, "unwritable", [problem]) from None
    finally:
        part.unlink(missing_ok=True)
