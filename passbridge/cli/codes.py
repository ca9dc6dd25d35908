"""`passbridge codes`: every code of every gateway, and what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from passbridge.cli.output import Exit, Failure, emit, json_option, table
from passbridge.domain import Code
from passbridge.domain.problems import did_you_mean
from passbridge.errors import Problem
from passbridge.protocol.tables import Tables
from passbridge.shipped import shipped_tables

__all__ = ["code_rows", "codes"]


@click.command()
@click.argument("code", required=False)
@json_option
def codes(code: str | None) -> int:
    """List every code of every gateway with its outcome; or look up CODE, a gateway's or an outcome's."""
    tables = shipped_tables()
    rows = list(code_rows(tables))
    wanted = [row for row in rows if code is None or code in {row["code"], row["outcome"], *row["on"].values()}]
    own = [_outcome_row(tables, found) for found in Code if found == code]
    if own or wanted:
        emit([*own, *wanted], lambda: _show(wanted, own))
        return Exit.DONE
    known = {row["code"] for row in rows} | set(Code)
    raise Failure(Exit.USAGE, "unknown_code", [Problem("CODE", "unknown_code", f"{code!r} is in no table", did_you_mean(str(code), known))])


def code_rows(tables: Tables) -> Iterator[dict[str, Any]]:
    """One row for each profile and code."""
    for name, profile in tables.profiles.items():
        for section in ("codes", "sub_codes"):
            for code, row in getattr(profile, section).items():
                members = row.model_dump(mode="json", exclude={"accept_risk"})
                meaning = tables.outcomes[row.outcome]
                yield {
                    "profile": name,
                    "layer": section,
                    "code": code,
                    **members,
                    "effect": meaning.effect,
                    "text": meaning.text,
                    "rule": f"{name}#{section}.{code}",
                }


def _outcome_row(tables: Tables, code: Code) -> dict[str, Any]:
    """An outcome of our own, which some gateway's code may lead to or none."""
    return {"layer": "outcomes", "outcome": code.value, **tables.outcomes[code].model_dump(mode="json"), "rule": f"outcomes#{code}"}


def _show(rows: list[dict[str, Any]], own: list[dict[str, Any]]) -> None:
    for row in own:
        click.echo(f"{row['outcome']}: {row['text']} (next: {row['next']}, by {row['who']}; exit {row['exit']})")
    columns = ("profile", "code", "status", "outcome", "by action", "confidence", "source")
    shown = [(*(row[name] for name in columns[:4]), _by_action(row), row["confidence"], ", ".join(row["source"])) for row in rows]
    if shown:
        table(columns, shown)


def _by_action(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}: {outcome}" for name, outcome in {**row["on"], **row["by_status"]}.items())
