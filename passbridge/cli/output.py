"""What the commands print: one JSON document on standard output for programs, tables for people, all else on standard error.

Owns the streams, the exit codes and the options that every command shares.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from passbridge.errors import Problem

if TYPE_CHECKING:
    from passbridge.domain import Outcome
    from passbridge.protocol.mapping import OutcomeRow

__all__ = [
    "Exit",
    "Failure",
    "config_option",
    "emit",
    "emit_error",
    "json_option",
    "outcome_exit",
    "read_input",
    "table",
    "want_json",
    "worst",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class Exit(IntEnum):
    """The exit codes that no outcome has of its own."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    CONFIG = 3
    SIGNATURE = 4
    UNKNOWN = 5
    LATER = 6
    BUG = 70
    INTERRUPTED = 130


_SEVERITY: Final = (70, 5, 4, 3, 2, 1, 6, 0)
"""Of several exit codes the first of these is the command's."""


class Failure(Exception):
    """The end of a command that has no result: an exit code and its reasons."""

    def __init__(self, code: int, kind: str, problems: Iterable[Problem]) -> None:
        super().__init__(kind)
        self.code, self.kind, self.problems = code, kind, tuple(problems)


class _Mode:
    """Whether programs read us; known before the arguments are parsed, so that a usage error is JSON too."""

    json = False


def want_json(arguments: Sequence[str]) -> None:
    """Look for `--json` anywhere before a `--`."""
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    _Mode.json = "--json" in own


def json_option(command: _Command) -> _Command:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, expose_value=False, help="One JSON document on standard output.")(command)


def config_option(command: _Command) -> _Command:
    """`--config`, for commands that use accounts."""
    text = "The configuration file; by default $PASSBRIDGE_CONFIG, ./passbridge.toml, the user's own."
    return click.option("--config", "config", metavar="FILE", help=text)(command)


def emit(document: Any, show: Callable[[], None]) -> None:  # noqa: ANN401 - any JSON document
    """Print a result: the document for programs, or what `show` prints for people."""
    if _Mode.json:
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        show()
    sys.stdout.flush()


def emit_error(kind: str, problems: Sequence[Problem]) -> None:
    """Print why there is no result."""
    if _Mode.json:
        document = {"schema": "passbridge.error/1", "error": kind, "problems": [problem.as_json() for problem in problems]}
        click.echo(json.dumps(document, ensure_ascii=False))
    for problem in problems:
        click.echo(f"error: {problem}", err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], styles: Mapping[str, str] | None = None) -> None:
    """Print a table; the last column takes what width is left."""
    from rich.console import Console  # noqa: PLC0415 - only where a table is shown
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(str(cell), style=(styles or {}).get(str(cell), "")) for cell in row))
    console = Console()
    Console(width=max(console.width, 140) if not console.is_terminal else None).print(grid)


def read_input(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    if name == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        problem = Problem(name, "unreadable_file", f"can't be read: {error.strerror}", "give the path of a file, or - for standard input")
        raise Failure(Exit.USAGE, "unreadable_file", [problem]) from None


def outcome_exit(outcome: Outcome, row: OutcomeRow) -> int:
    """The exit code of one outcome: its row's, but for a refusal of our signature."""
    return Exit.SIGNATURE if outcome.code == "ACCESS_DENIED" and outcome.finding is not None else row.exit


def worst(codes: Iterable[int]) -> int:
    """The exit code of several."""
    return min(codes, key=_SEVERITY.index, default=0)
