"""`passbridge bulk worker`: one machine of a fleet."""

from __future__ import annotations

from typing import Any

import click

from passbridge.bulk.machine import join
from passbridge.bulk.shapes import Options, Stop
from passbridge.cli.bulk_options import crew_options
from passbridge.cli.bulk_progress import progress
from passbridge.cli.bulk_run import job_exit, say_what_is_left, told
from passbridge.cli.bulk_signals import signals
from passbridge.cli.bulk_status import show_status
from passbridge.cli.output import config_option, emit, json_option, named

__all__ = ["worker"]


@click.command()
@click.option("--ledger", metavar="URL", required=True, callback=named, help="postgresql://…, without a password; ?job=NAME names the job.")
@click.option("--until-done", is_flag=True, help="End when nothing is left to do; else it waits for more until it is stopped.")
@crew_options
@config_option
@json_option
def worker(ledger: str, config: str | None, *, until_done: bool, **given: Any) -> int:  # noqa: ANN401 - each option's own type
    """Let this machine take part in a job that `bulk run --ledger postgresql://…` has written.

    Start it on as many machines as you like, at any time. One that dies is replaced by the others within seconds; Ctrl-C
    or SIGTERM finishes what is in flight.
    """
    options = Options(**{name: given[name] for name in ("workers", "concurrency", "patience")}, force=given["force_order"])
    with signals(stop := Stop()) as taken, progress() as show:
        status = told(lambda report: join(config, ledger, options, until_done=until_done, stop=stop, report=report), ledger, show)
    code = job_exit(status, taken)
    emit({**status.as_json(), "exit": code, "ledger": ledger}, lambda: show_status(status))
    say_what_is_left(status, ledger, ["--config", config] if config else [])
    return code
