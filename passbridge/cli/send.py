"""`passbridge send`: one update, read as JSON."""

from __future__ import annotations

import re
import sys

import click
from pydantic import ValidationError

from passbridge.cli.output import Exit, Failure, config_option, emit, json_option, named, outcome_exit, plain, read_input
from passbridge.client import Client
from passbridge.domain import JsonError, Outcome, PassUpdate, load_update, read_json
from passbridge.domain.problems import problems_of
from passbridge.errors import InvalidUpdate, Problem
from passbridge.protocol.wire import WireRequest
from passbridge.shipped import shipped_tables

__all__ = ["send"]

_TOKEN = re.compile(r"(^|&)(app_auth_token=)[^&]*")


@click.command()
@click.option("--from", "source", metavar="FILE|-", default="-", callback=named, help="The update's JSON; by default standard input.")
@click.option("--to", metavar="ACCOUNT", callback=named, help="The account, instead of the update's own.")
@click.option("--after", metavar="FILE", callback=named, help="The outcome of an earlier call for this same update.")
@click.option("-n", "--dry-run", is_flag=True, help="Print the signed request, tokens masked; send nothing.")
@config_option
@json_option
def send(source: str, to: str | None, after: str | None, config: str | None, *, dry_run: bool) -> int:
    """Apply one update, read as JSON, and print its outcome.

    The exit code says what is known: 0 applied, 1 refused, 5 unknown, 6 nothing was sent.
    """
    if source == "-" and sys.stdin and sys.stdin.isatty():
        raise click.UsageError("give the update with --from FILE, or on standard input")
    if source == after == "-":
        raise click.UsageError("standard input holds the update or its earlier outcome, not both")
    update = _update(source, to)
    earlier = _outcome(after) if after else None
    with Client.from_config(config) as client:
        if dry_run:
            at = update.at or (earlier.at if earlier else None)
            _show_request(client.render(update.model_copy(update={"at": at}) if at else update))
            return Exit.DONE
        outcome = _applied(client, update, earlier)
    emit(outcome.model_dump(mode="json"), lambda: _show(outcome))
    return outcome_exit(outcome, shipped_tables().outcomes[outcome.code])


def _applied(client: Client, update: PassUpdate, earlier: Outcome | None) -> Outcome:
    try:
        return client.apply(update, after=earlier)
    except KeyboardInterrupt:
        message = "interrupted while the update was under way: it may have been applied"
        raise Failure(Exit.INTERRUPTED, "interrupted", [Problem("", "interrupted", message, "look before sending it again")]) from None


def _update(source: str, to: str | None) -> PassUpdate:
    try:
        update = load_update(read_input(source))
    except InvalidUpdate as error:
        name = "standard input" if source == "-" else source
        placed = [
            Problem(f"{name}: {problem.path}" if problem.path else name, problem.code, problem.message, problem.mend)
            for problem in error.problems
        ]
        raise InvalidUpdate(placed) from None
    return update.model_copy(update={"to": to}) if to else update


def _outcome(source: str) -> Outcome:
    try:
        value = read_json(read_input(source))
        if isinstance(value, dict):
            return Outcome.model_validate(value)
        problems = [Problem(source, "not_an_object", "an outcome is one JSON object", "give an outcome as send --json prints it")]
    except JsonError as error:
        problems = [Problem(source, "unreadable_json", f"not readable as JSON: {error}", "give an outcome as send --json prints it")]
    except ValidationError as error:
        problems = list(problems_of(error, at=f"{source}: "))
    raise Failure(Exit.USAGE, "invalid_outcome", problems)


def _show_request(request: WireRequest) -> None:
    body = _TOKEN.sub(r"\1\2***", request.body.decode("utf-8"))
    document = {
        "schema": "passbridge.request/1",
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": body,
    }
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers.pairs()), "", body]
    emit(document, lambda: click.echo("\n".join(lines)))


def _show(outcome: Outcome) -> None:
    words = outcome.native
    lines = [
        f"{outcome.code}  {outcome.action} {outcome.pass_id} at {outcome.account}",
        f"  {outcome.text}",
        *([f"  gateway: {words.sub_code or words.code} {words.message or ''}{'' if words.verified else '  (unproved)'}"] if words else []),
        *([f"  signature: {outcome.finding.message}. {outcome.finding.mend}"] if outcome.finding else []),
        *([f"  next: {outcome.next}, by {outcome.who}"] if outcome.next != "none" else []),
        *(f"  note: {note}" for note in outcome.notes),
        *(f"  attempt {one.n}: {one.code}{f', {one.reason}' if one.reason else ''}, {one.elapsed:.3f} s" for one in outcome.attempts),
    ]
    click.echo("\n".join(map(plain, lines)))
