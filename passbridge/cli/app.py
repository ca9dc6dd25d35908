"""The commands by name, and what becomes of an error.

Owns the table of commands, imported one by one when they run, and the exit codes of everything that is no outcome.
"""

from __future__ import annotations

import os
import traceback
import warnings
from importlib import import_module
from typing import Any

import click

from passbridge.cli.output import TRACEBACK_VARIABLE, Exit, Failure, emit_error, json_option, plain, prepare, say
from passbridge.errors import ConfigError, InvalidUpdate, LedgerError, PassbridgeWarning, Problem

__all__ = ["run"]

_COMMANDS = {
    "demo": ("passbridge.cli.demo:demo", "Run the documents' own samples through all four profiles, on an embedded sandbox."),
    "send": ("passbridge.cli.send:send", "Apply one update, read as JSON."),
    "bulk": ("passbridge.cli.bulk:bulk", "Carry out many updates: safe to interrupt at any moment, and to run again."),
    "codes": ("passbridge.cli.codes:codes", "Look up a gateway's code, or list them all."),
    "mapping": ("passbridge.cli.mapping:mapping", "Show and check the tables behind the outcomes."),
    "doctor": ("passbridge.cli.doctor:doctor", "Check the configuration, keys, certificates and clock."),
    "config": ("passbridge.cli.configuration:config", "Show the configuration as it is understood."),
    "keys": ("passbridge.cli.keys:keys", "Make key pairs."),
    "sandbox": ("passbridge.cli.sandbox:sandbox", "Run both gateways on this machine."),
}

_EXITS = """\b
Exit codes: 0 done; 1 refused by the gateway; 2 bad input; 3 configuration;
4 signature; 5 unknown: it may have been applied; 6 nothing was sent, try
again; 70 a bug in passbridge; 130 interrupted."""

_EXTRAS = {"rich": "cli", "pyarrow": "parquet", "starlette": "sandbox", "uvicorn": "sandbox"}
"""What is installed with which extra; click is missed before this module is."""


_LEDGER_EXITS = {"locked": Exit.LATER, "workers_died": Exit.LATER, "missing_extra": Exit.CONFIG, "other_configuration": Exit.CONFIG}
"""What a ledger that can't be used means to the shell, by its problem's code; bad input, if not here."""


class _Lazy(click.Group):
    """Knows its commands by name and help; imports one when it runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


_HELP = """Mark AlipayHK and mainland Alipay passes as used, closed, changed or refunded.

\b
  passbridge demo                     see it work, no merchant account needed
  passbridge send --from update.json  apply one update
"""


@click.group(cls=_Lazy, help=_HELP, epilog=_EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="passbridge")
@json_option
def passbridge() -> None:
    """The root of every command."""


def run(arguments: list[str]) -> int:
    """Run one command line; whatever happens, an exit code comes back and no traceback is shown."""
    prepare(arguments)
    warnings.showwarning = _show_warning
    warnings.simplefilter("always", PassbridgeWarning)
    try:
        code: Any = passbridge.main(arguments, prog_name="passbridge", standalone_mode=False)
    except SystemExit:
        return Exit.DONE  # so click ends where whoever read the help has left
    except Exception as error:  # noqa: BLE001 - every error becomes a message and an exit code
        return _failed(error)
    return code if isinstance(code, int) else Exit.DONE


def _failed(error: Exception) -> int:
    failure = _failure(error)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.ctx.get_help())
    emit_error(failure.kind, failure.problems)
    if failure.code == Exit.BUG and os.environ.get(TRACEBACK_VARIABLE):
        traceback.print_exception(error)
    return failure.code


def _failure(error: Exception) -> Failure:
    """What an exception means to the shell."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, ConfigError):
        return Failure(Exit.CONFIG, "config", error.problems)
    if isinstance(error, InvalidUpdate):
        return Failure(Exit.USAGE, "invalid_update", error.problems)
    if isinstance(error, LedgerError):
        return Failure(_LEDGER_EXITS.get(error.problems[0].code, Exit.USAGE), "ledger", error.problems)
    code, kind, message, mend = _reason(error)
    return Failure(code, kind, [Problem("", kind, message, mend)])


def _reason(error: Exception) -> tuple[Exit, str, str, str]:
    if isinstance(error, click.exceptions.Abort):
        return Exit.INTERRUPTED, "interrupted", "interrupted", ""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return Exit.USAGE, "usage", "a command is missing", "see --help"
    if isinstance(error, click.ClickException):
        return Exit.USAGE, "usage", " ".join(error.format_message().split()), "see --help"  # click lists choices on lines of their own
    extra = _EXTRAS.get(str(error.name).partition(".")[0]) if isinstance(error, ModuleNotFoundError) else None
    if extra:
        return Exit.CONFIG, "missing_extra", f"the extra {extra!r} is not installed", f"pip install 'passbridge[{extra}]'"
    message = f"a bug in passbridge: {type(error).__name__}: {error}"
    return Exit.BUG, "bug", message, f"set {TRACEBACK_VARIABLE}=1 for the traceback, and report it"


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    if issubclass(category, PassbridgeWarning):
        say(f"warning: {plain(message)}")
