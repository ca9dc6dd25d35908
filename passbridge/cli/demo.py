"""`passbridge demo`: everything at once, on an embedded sandbox with throw-away keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import click

from passbridge.cli.demo_life import FURTHER, Asked, life
from passbridge.cli.demo_steps import PASSES, STEPS, USER, Step
from passbridge.cli.output import TRACEBACK_VARIABLE, Exit, emit, json_option, table
from passbridge.client import Client
from passbridge.config.environment import PREFIX
from passbridge.domain import Outcome, load_update
from passbridge.protocol.tables import Tables
from passbridge.sandbox import Sandbox
from passbridge.shipped import shipped_tables

__all__ = ["demo"]

_ACCOUNTS = {"hk.card": "hk-cards", "hk.membership": "hk-members", "hk.ticket": "hk-tickets", "mainland.pass": "cn"}
_STYLES = {"✓": "green", "✗": "bold red"}


@click.command()
@click.option(
    "--all", "everything", is_flag=True, help="Also a pass's whole life in both regions, and every documented code of every profile."
)
@json_option
def demo(*, everything: bool) -> int:
    """Run the documents' own samples through all four profiles.

    Two simulated gateways check the signatures and sign their answers; nothing leaves this machine. Exits with 0 when
    every outcome is the expected one.
    """
    _forget_the_environment()
    with Sandbox() as box, Client.from_config(box.config()) as client:
        box.add_passes(list(PASSES))
        done: list[_Done] = [_Updated(step, _applied(client, box, step)) for step in STEPS]
        if everything:
            done += [*_lives(box), *_documented(box)]
    right = all(one.right for one in done)
    emit(_document(done), lambda: _show(done, right=right))
    return Exit.DONE if right else Exit.REFUSED


@dataclass(frozen=True, slots=True)
class _Updated:
    """An update and its outcome."""

    step: Step
    outcome: Outcome

    @property
    def right(self) -> bool:
        return self.outcome.code == self.step.expected

    def row(self) -> tuple[object, ...]:
        outcome = self.outcome
        return self.step.title, outcome.code, outcome.effect, outcome.next, len(outcome.attempts), _words(outcome)

    def document(self) -> dict[str, Any]:
        step = self.step
        return {"title": step.title, "update": step.update, "outcome": self.outcome.model_dump(mode="json"), "expected": step.expected}


@dataclass(frozen=True, slots=True)
class _Called:
    """A call and its answer."""

    asked: Asked

    @property
    def right(self) -> bool:
        return self.asked.word == self.asked.expected

    def row(self) -> tuple[object, ...]:
        return self.asked.title, "", "", "", 1, self.asked.word

    def document(self) -> dict[str, Any]:
        return asdict(self.asked)


_Done = _Updated | _Called


def _forget_the_environment() -> None:
    """What `PASSBRIDGE_…` says of the merchant's own accounts must not reach the demo's: it would send to real gateways."""
    for name in [name for name in os.environ if name.upper().startswith(PREFIX) and name != TRACEBACK_VARIABLE]:
        del os.environ[name]


def _applied(client: Client, box: Sandbox, step: Step) -> Outcome:
    if step.fault:
        box.add_fault({"fault": step.fault, "match": {"pass": step.update["pass"]["id"]}})
    return client.apply(load_update(step.update))


def _document(done: list[_Done]) -> dict[str, Any]:
    """Updates are the steps; the calls between them, which only `--all` makes, stand beside."""
    calls = [one.document() for one in done if isinstance(one, _Called)]
    steps = [one.document() for one in done if isinstance(one, _Updated)]
    return {"schema": "passbridge.demo/1", "steps": steps} | ({"calls": calls} if calls else {})


def _lives(box: Sandbox) -> Iterator[_Done]:
    """A pass's whole life in both regions, through an account that asks where it is in doubt, too."""
    config = box.config(all_accounts=True)
    config["accounts"]["cn-asking"] = {"extends": "cn", "resolve": "query"}
    box.add_passes([{"account": name, "id": f"demo-{name}"} | _holder(name) for name in FURTHER])
    with Client.from_config(config) as client:
        for one in life(client, config):
            yield _Called(one) if isinstance(one, Asked) else _Updated(one, _applied(client, box, one))


def _holder(account: str) -> dict[str, str]:
    return {"user_id": USER} if account.startswith("hk") else {}


def _documented(box: Sandbox) -> list[_Done]:
    """Each code that the seeds document, answered to a first and only attempt."""
    tables = shipped_tables()
    with Client.from_config(box.config() | {"retry": {"attempts": 1}}) as client:
        return [_Updated(step, _applied(client, box, step)) for name in tables.profiles for step in _code_steps(tables, name)]


def _code_steps(tables: Tables, name: str) -> Iterator[Step]:
    profile = tables.profiles[name]
    update = next(step.update for step in STEPS if step.update["to"] == _ACCOUNTS[name] and step.update["action"] == "close")
    for code, row in [*profile.codes.items(), *profile.sub_codes.items()]:
        if any(source == profile.source for source in row.source):
            yield Step(f"{name}: {code}", update, row.read("close", row.status[:1]), f"code:{code}")


def _show(done: list[_Done], *, right: bool) -> None:
    rows = [("✓" if one.right else "✗", *one.row()) for one in done]
    table(("", "step", "outcome", "effect", "next", "tries", "the gateway's word"), rows, _STYLES)
    verdict = "every outcome as expected" if right else "NOT every outcome as expected"
    calls = sum(isinstance(one, _Called) for one in done)
    counted = f"{len(done) - calls} updates" + (f" and {calls} calls" if calls else "")
    click.echo(f"\n{counted}, {verdict}; simulated gateways, real signatures")


def _words(outcome: Outcome) -> str:
    if outcome.native is None:
        return "no answer"
    word = outcome.native.sub_code or outcome.native.code or ""
    return word if outcome.native.verified else f"({word}, unproved)"
