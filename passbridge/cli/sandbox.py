"""`passbridge sandbox`: both gateways on this machine, and their faults."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from passbridge.cli.output import Exit, Failure, emit, json_option, named, table
from passbridge.errors import Problem
from passbridge.sandbox import Sandbox

__all__ = ["sandbox"]

_URL = click.option("--url", default="http://127.0.0.1:8765", show_default=True, help="Where the sandbox listens.")


@click.group()
@json_option
def sandbox() -> None:
    """Run both gateways on this machine."""


@sandbox.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="The port; 0 takes any that is free.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="Keep keys and passes in this file over restarts.")
@click.option(
    "--write-config", "target", type=click.Path(dir_okay=False, path_type=Path), help="Make keys and a working configuration here."
)
@click.option("--all-accounts", is_flag=True, help="Also the accounts for what few merchants use: certificates, encryption, agents.")
@json_option
def start(port: int, data: Path | None, target: Path | None, *, all_accounts: bool) -> int:
    """Start both gateways on 127.0.0.1 and run until interrupted.

    It is a simulator: it checks signatures and documented rules exactly, and names what it guesses.
    """
    if all_accounts and not target:
        raise click.UsageError("--all-accounts says what --write-config writes: give both")
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    box = Sandbox(port, data)
    try:
        box.start()
        if target:
            box.write_config(target, all_accounts=all_accounts)
        document = {"url": box.url, "config": str(target) if target else None}
        emit(document, lambda: _show(box.url, target))
        while not over.wait(1.0):
            pass
    except (OSError, ValueError, sqlite3.Error) as error:
        raise Failure(
            Exit.USAGE,
            "unusable",
            [Problem("sandbox", "unusable", f"can't start: {error}", "give another --port, --data or --write-config")],
        ) from None
    finally:
        box.stop()
    return Exit.DONE


@sandbox.group()
@json_option
def fault() -> None:
    """Make the sandbox misbehave."""


@fault.command()
@click.argument("name")
@click.option("--gateway", type=click.Choice(["hk", "mainland"]), help="Only at this gateway.")
@click.option("--pass", "pass_id", callback=named, help="Only for this pass.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="For so many requests.")
@click.option("--nth", type=click.IntRange(1), help="From the n-th such request on.")
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True), help="How likely for each such request.")
@click.option("--seed", type=int, help="Where the dice start, to repeat a run; the answer names it.")
@click.option("--expires", type=click.FloatRange(0, min_open=True), help="Gone after so many seconds.")
@_URL
@json_option
def add(name: str, pass_id: str | None, url: str, **wanted: Any) -> int:  # noqa: ANN401 - each option's own type
    """Make fault NAME active: code:NAME, lose-answer, unsigned, … (the README lists them)."""
    match = {"pass": pass_id} if pass_id else None
    row = _asked(url, "POST", {"fault": name, "match": match, **wanted})
    emit(row, lambda: _faults([row]))
    return Exit.DONE


@fault.command(name="list")
@_URL
@json_option
def list_(url: str) -> int:
    """List the active faults."""
    rows = _asked(url, "GET")
    emit(rows, lambda: _faults(rows))
    return Exit.DONE


@fault.command()
@_URL
@json_option
def clear(url: str) -> int:
    """Take every fault away."""
    _asked(url, "DELETE")
    emit([], lambda: click.echo("no fault is active"))
    return Exit.DONE


def _asked(url: str, method: str, document: object = None) -> Any:  # noqa: ANN401 - any JSON
    """One request to the sandbox's own API, through no proxy."""
    data = None if document is None else json.dumps(document).encode()
    if not url.startswith("http://"):
        raise click.UsageError("--url is an http:// address")
    try:
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=10)) as connection:
            connection.request(method, "/sandbox/faults", data, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            result = json.loads(answer.read())
            if answer.status < 400:  # noqa: PLR2004 - HTTP's refusals begin here
                return result
            problems = [Problem(**problem) for problem in result["problems"]]
    except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
        problem = Problem(url, "no_sandbox", f"no sandbox answers: {error}", "passbridge sandbox start")
        raise Failure(Exit.LATER, "no_sandbox", [problem]) from None
    raise Failure(Exit.USAGE, "refused", problems)


def _show(url: str, target: Path | None) -> None:
    click.echo(f"AlipayHK   {url}\nmainland   {url}/gateway.do\nsandbox    {url}/sandbox/passes")
    if target:
        click.echo(f"config     {target}\n\n  passbridge send --config {target} --from update.json")


def _faults(rows: list[dict[str, Any]]) -> None:
    columns = ("fault", "gateway", "match", "count")
    shown = ({**row, "match": ", ".join(f"{name}={value}" for name, value in (row.get("match") or {}).items())} for row in rows)
    table(columns, [[row.get(name) or "any" for name in columns] for row in shown])
