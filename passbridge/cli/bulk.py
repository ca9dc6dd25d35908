"""`passbridge bulk`: many updates, and the ledger that knows what became of each."""

from __future__ import annotations

import click

from passbridge.cli.bulk_export import export
from passbridge.cli.bulk_run import retry, run
from passbridge.cli.bulk_status import settle, status
from passbridge.cli.output import json_option

__all__ = ["bulk"]


@click.group()
@json_option
def bulk() -> None:
    """Carry out many updates: safe to interrupt at any moment, and to run again."""


for _command in (run, status, retry, export, settle):
    bulk.add_command(_command)
