"""What the bulk commands are told: how an input is read, at what pace a job is run, and where its ledger is.

Owns the options that several of them share, and their wording.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from passbridge.bulk.input import ENCODINGS, FORMATS, Reading
from passbridge.bulk.shapes import Options
from passbridge.cli.configured import configured
from passbridge.cli.output import named
from passbridge.domain.problems import did_you_mean
from passbridge.errors import InvalidUpdate, Problem

__all__ = [
    "configured",
    "crew_options",
    "ledger_argument",
    "ledger_of",
    "options_of",
    "pace_options",
    "reading_of",
    "reading_options",
    "require_account",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])

_ENDING: Final = ".passbridge.db"
_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)(?:/(s|min|h))?")
_SECONDS: Final = {None: 1, "s": 1, "min": 60, "h": 3600}


class _Rate(click.ParamType[float]):
    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """`50/s`, `600/min` or a bare number as requests a second."""
        found = _RATE.fullmatch(str(value).strip())
        if not found or not float(found[1]):
            self.fail(f"{value!r} is no rate; write it as in 50/s, 600/min or 1000/h", param, ctx)
        return float(found[1]) / _SECONDS[found[2]]


def _pairs(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` as many times as it is given; the last `=` parts them in a mapping, so that a column's name may hold one."""
    pairs: dict[str, str] = {}
    for value in values:
        name, sign, rest = value.rpartition("=") if _parameter.name == "columns" else value.partition("=")
        if not sign or not name:
            raise click.BadParameter(f"{value!r} has no name or no '='")
        if name in pairs:
            raise click.BadParameter(f"{name!r} is given twice")
        pairs[name] = rest
    return pairs


_READING: Final = (
    click.option("--to", metavar="ACCOUNT", callback=named, help="The account of every update, instead of its own."),
    click.option("--format", "format_", type=click.Choice(FORMATS), help="Of the input; by default what its name or first bytes say."),
    click.option(
        "--map",
        "columns",
        metavar="COLUMN=FIELD",
        multiple=True,
        callback=_pairs,
        help="Which field a column fills, as in card_no=pass.id or pts=content.params.points:int. No field leaves the column out.",
    ),
    click.option(
        "--set",
        "fill",
        metavar="FIELD=VALUE",
        multiple=True,
        callback=_pairs,
        help="What every update gets that lacks it, as in action=redeem.",
    ),
    click.option("--delimiter", metavar="CHARACTER", help="Between the cells of a CSV; 'tab' for a tab."),
    click.option("--encoding", type=click.Choice(ENCODINGS), default="utf-8", show_default=True, help="Of text."),
)

_REQUESTS: Final = click.option(
    "--rate", type=_Rate(), metavar="N/s", help="Requests a second for each account; by default as fast as answers come."
)
_WORKERS: Final = click.option("--workers", type=click.IntRange(1), metavar="N", help="Processes; by default one a core.")
_CONCURRENCY: Final = click.option(
    "--concurrency",
    type=click.IntRange(1),
    metavar="N",
    default=64,
    show_default=True,
    help="Requests in flight for each account in each process, at most.",
)
_SUPERSEDE: Final = click.option(
    "--supersede", is_flag=True, help="Let a later revise take the place of an unsent one of the same pass and parameters."
)
_FORCE_ORDER: Final = click.option("--force-order", is_flag=True, help="Let a pass's later update start though an earlier one is in doubt.")
_PATIENCE: Final = click.option(
    "--patience",
    type=click.FloatRange(0),
    metavar="SECONDS",
    default=60.0,
    show_default=True,
    help="How long to probe an account whose answers stopped, before the job pauses.",
)

_PACE: Final = (_REQUESTS, _WORKERS, _CONCURRENCY, _SUPERSEDE, _FORCE_ORDER, _PATIENCE)
_CREW: Final = (_WORKERS, _CONCURRENCY, _FORCE_ORDER, _PATIENCE)
"""Of these, what each machine of a fleet decides for itself; the rate and what is superseded are the job's."""


def crew_options(command: _Command) -> _Command:
    """The options that say how one machine of a fleet works."""
    return _with(command, _CREW)


def reading_options(command: _Command) -> _Command:
    """The options that say how an input is read."""
    return _with(command, _READING)


def pace_options(command: _Command) -> _Command:
    """The options that say how a job is run."""
    return _with(command, _PACE)


def _with(command: _Command, options: tuple[Callable[[_Command], _Command], ...]) -> _Command:
    for option in reversed(options):
        command = option(command)
    return command


def reading_of(given: Mapping[str, Any]) -> Reading:
    """How an input is read, from its options."""
    delimiter = "\t" if given["delimiter"] == "tab" else given["delimiter"]
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '"\r\n'):
        raise click.BadParameter("is not one character that can part cells", param_hint="--delimiter")
    return Reading(given["format_"], given["columns"], given["fill"], given["to"], given["encoding"], delimiter)


def require_account(config: str | None, name: str) -> None:
    """Refuse an account that the configuration doesn't have, before a ledger is filled with rows for it.

    Raises:
        InvalidUpdate: there is none of that name.
    """
    read, problems = configured(config)
    if not problems and name not in read.accounts:
        raise InvalidUpdate([Problem("--to", "unknown_account", "no such account", did_you_mean(name, read.accounts))])


def options_of(given: Mapping[str, Any]) -> Options:
    """How a job is run, from its options."""
    names = ("rate", "workers", "concurrency", "supersede", "patience")
    try:
        return Options(**{name: given[name] for name in names}, force=given["force_order"])
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _existing(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    if not value:
        raise click.BadParameter("is empty")
    own = ledger_of(value)
    return own if not Path(value).name.endswith(_ENDING) and Path(own).is_file() else value


ledger_argument: Final = click.argument("ledger", metavar="LEDGER", callback=_existing)
"""A ledger that exists; an input's name stands for the ledger beside it."""


def ledger_of(source: str) -> str:
    """The ledger of an input for which none was named."""
    return f"{source}{_ENDING}"
