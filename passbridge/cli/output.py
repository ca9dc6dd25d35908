"""What the commands print: one JSON document on standard output for programs, tables for people, all else on standard error.

Owns the streams, the exit codes and the options that every command shares.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar

import click

from passbridge.errors import Problem

if TYPE_CHECKING:
    from passbridge.domain import Outcome
    from passbridge.protocol.mapping import OutcomeRow

__all__ = [
    "TRACEBACK_VARIABLE",
    "Exit",
    "Failure",
    "command_line",
    "config_option",
    "emit",
    "emit_error",
    "give",
    "json_option",
    "named",
    "outcome_exit",
    "plain",
    "prepare",
    "read_input",
    "say",
    "table",
]

TRACEBACK_VARIABLE: Final = "PASSBRIDGE_TRACEBACK"
"""Set in the environment, it shows the traceback of a bug."""

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
    TERMINATED = 143


_LONGEST: Final = 2**24
"""Bytes of an input: far more than any update or overlay has."""


class Failure(Exception):
    """The end of a command that has no result: an exit code and its reasons."""

    def __init__(self, code: int, kind: str, problems: Iterable[Problem]) -> None:
        super().__init__(kind)
        self.code, self.kind, self.problems = code, kind, tuple(problems)


class _Mode:
    """Whether programs read us; known before the arguments are parsed, so that a usage error is JSON too."""

    json = False
    arguments: tuple[str, ...] = ()


def prepare(arguments: Sequence[str]) -> None:
    """Look for `--json` anywhere before a `--`; let no character stop the output."""
    _Mode.arguments = tuple(arguments)
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    _Mode.json = "--json" in own
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def command_line() -> str:
    """This very command, as a shell takes it."""
    return shlex.join(["passbridge", *_Mode.arguments])


def json_option(command: _Command, what: str = "One JSON document on standard output.") -> _Command:
    """`--json`, which every command has."""
    return click.option("--json", "as_json", is_flag=True, expose_value=False, help=what)(command)


def config_option(command: _Command) -> _Command:
    """`--config`, for commands that use accounts."""
    text = "The configuration file; by default $PASSBRIDGE_CONFIG, ./passbridge.toml, the user's own."
    return click.option("--config", "config", metavar="FILE", callback=named, help=text)(command)


def named(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an option's empty value, as `--to "$UNSET"` gives it: it must not mean that there is none."""
    if value == "":
        raise click.BadParameter("is empty")
    return value


def plain(text: object) -> str:
    """Text from outside, for a terminal: what would steer it or can't be seen is written as an escape."""
    return "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in str(text))


def emit(document: Any, show: Callable[[], None]) -> None:  # noqa: ANN401 - any JSON document
    """Print a result: the document for programs, or what `show` prints for people.

    A reader who has left changes nothing about the result, so the exit code stays what it says.
    """
    give((lambda: click.echo(_written(document))) if _Mode.json else show)


def give(write: Callable[[], object]) -> None:
    """Let a result be written to standard output, whatever form it has."""
    try:
        write()
        if sys.stdout:
            sys.stdout.flush()
    except BrokenPipeError:
        _discard(sys.stdout)
    except OSError as error:
        _discard(sys.stdout)
        problem = Problem("standard output", "unwritable", f"can't be written, so the result is lost: {error.strerror}", "make room")
        raise Failure(Exit.UNKNOWN, "unwritable", [problem]) from None


def emit_error(kind: str, problems: Sequence[Problem]) -> None:
    """Print why there is no result."""
    if _Mode.json:
        document = {"schema": "passbridge.error/1", "error": kind, "problems": [problem.as_json() for problem in problems]}
        say(_written(document), err=False)
    for problem in problems:
        say(f"error: {plain(problem)}")


def say(text: str, *, err: bool = True) -> None:
    """Print a message; that nobody can read it changes nothing."""
    try:
        click.echo(text, err=err)
    except OSError:
        _discard(sys.stderr if err else sys.stdout)


def _written(document: object) -> str:
    """JSON on one line, in characters that the output has."""
    text = json.dumps(document, ensure_ascii=False)
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(document)
    return text


def _discard(stream: IO[str]) -> None:
    """Send what is left in a stream, and all that follows, to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], styles: Mapping[str, str] | None = None) -> None:
    """Print a table; the last column takes what width is left."""
    from rich.console import Console  # noqa: PLC0415 - only where a table is shown
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    grid = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(plain(cell), style=(styles or {}).get(str(cell), "")) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = max(console.width, 140)
    with console.capture() as drawn:
        console.print(grid)
    click.echo(drawn.get(), nl=False)


def read_input(name: str) -> bytes:
    """The bytes of a file, or of standard input for `-`."""
    try:
        if name == "-":
            data = sys.stdin.buffer.read(_LONGEST + 1) if sys.stdin else b""
        else:
            with Path(name).open("rb") as file:
                data = file.read(_LONGEST + 1)
    except OSError as error:
        problem = Problem(name, "unreadable_file", f"can't be read: {error.strerror}", "give the path of a file, or - for standard input")
        raise Failure(Exit.USAGE, "unreadable_file", [problem]) from None
    if len(data) > _LONGEST:
        problem = Problem(name, "too_large", f"has more than {_LONGEST} bytes", "give one document")
        raise Failure(Exit.USAGE, "too_large", [problem])
    return data


def outcome_exit(outcome: Outcome, row: OutcomeRow) -> int:
    """The exit code of one outcome: its row's, but for a refusal of our signature."""
    return Exit.SIGNATURE if outcome.code == "ACCESS_DENIED" and outcome.finding is not None else row.exit
