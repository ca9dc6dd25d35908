"""`passbridge demo`: everything at once, on an embedded sandbox with throw-away keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import click

from passbridge.cli.demo_steps import PASSES, STEPS, Step
from passbridge.cli.output import TRACEBACK_VARIABLE, Exit, emit, json_option, table
from passbridge.client import Client
from passbridge.config.environment import PREFIX
from passbridge.domain import Outcome, load_update
from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts
from passbridge.sandbox import Sandbox

__all__ = ["demo"]

_ACCOUNTS = {"hk.card": "hk-cards", "hk.membership": "hk-members", "hk.ticket": "hk-tickets", "mainland.pass": "cn"}
_STYLES = {"✓": "green", "✗": "bold red"}


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also every documented code of every profile.")
@json_option
def demo(*, everything: bool) -> int:
    """Run the documents' own samples through all four profiles.

    Two simulated gateways check the signatures and sign their answers; nothing leaves this machine. Exits with 0 when
    every outcome is the expected one.
    """
    _forget_the_environment()
    with Sandbox() as box, Client.from_config(box.config()) as client:
        box.add_passes(list(PASSES))
        done = [(step, _applied(client, box, step)) for step in STEPS]
        if everything:
            done += _documented(box)
    right = all(outcome.code == step.expected for step, outcome in done)
    emit({"schema": "passbridge.demo/1", "steps": [_document(*pair) for pair in done]}, lambda: _show(done, right=right))
    return Exit.DONE if right else Exit.REFUSED


def _forget_the_environment() -> None:
    """What `PASSBRIDGE_…` says of the merchant's own accounts must not reach the demo's: it would send to real gateways."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX) and name != TRACEBACK_VARIABLE]:
        del os.environ[name]


def _applied(client: Client, box: Sandbox, step: Step) -> Outcome:
    if step.fault:
        box.add_fault({"fault": step.fault, "match": {"pass": step.update["pass"]["id"]}})
    return client.apply(load_update(step.update))


def _document(step: Step, outcome: Outcome) -> dict[str, Any]:
    return {"title": step.title, "update": step.update, "outcome": outcome.model_dump(mode="json"), "expected": step.expected}


def _documented(box: Sandbox) -> list[tuple[Step, Outcome]]:
    """Each code that the seeds document, answered to a first and only attempt."""
    tables = load_tables(mapping_texts())
    with Client.from_config(box.config() | {"retry": {"attempts": 1}}) as client:
        return [(step, _applied(client, box, step)) for name in tables.profiles for step in _code_steps(tables, name)]


def _code_steps(tables: Tables, name: str) -> Iterator[Step]:
    profile = tables.profiles[name]
    update = next(step.update for step in STEPS if step.update["to"] == _ACCOUNTS[name] and step.update["action"] == "close")
    for code, row in [*profile.codes.items(), *profile.sub_codes.items()]:
        if any(source == profile.source for source in row.source):
            yield Step(f"{name}: {code}", update, row.read("close", row.status[:1]), f"code:{code}")


def _show(done: list[tuple[Step, Outcome]], *, right: bool) -> None:
    table(("", "step", "outcome", "effect", "next", "tries", "the gateway's word"), [_row(*pair) for pair in done], _STYLES)
    verdict = "every outcome as expected" if right else "NOT every outcome as expected"
    click.echo(f"\n{len(done)} updates, {verdict}; simulated gateways, real signatures")


def _row(step: Step, outcome: Outcome) -> tuple[object, ...]:
    mark = "✓" if outcome.code == step.expected else "✗"
    return mark, step.title, outcome.code, outcome.effect, outcome.next, len(outcome.attempts), _words(outcome)


def _words(outcome: Outcome) -> str:
    if outcome.native is None:
        return "no answer"
    word = outcome.native.sub_code or outcome.native.code or ""
    return word if outcome.native.verified else f"({word}, unproved)"
