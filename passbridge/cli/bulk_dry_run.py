"""`passbridge bulk run --dry-run`: every row checked, nothing written, nothing sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

import click

from passbridge import bulk
from passbridge.bulk.rows import Row
from passbridge.cli.configured import configured
from passbridge.cli.output import Exit, emit, plain, say, table
from passbridge.domain import Code

__all__ = ["dry_run"]

_SHOWN: Final = 100
"""How many bad rows are told of one by one."""


def dry_run(config: str | None, rows: Iterable[Row]) -> int:
    """Check every row against its account; tell the bad ones and count the rest."""
    counts: Counter[tuple[str | None, str]] = Counter()
    bad: list[dict[str, Any]] = []
    invalid = 0
    for row in bulk.plan(config, rows):
        if row.update:
            counts[row.update.to, row.update.action] += 1
            continue
        invalid += 1
        if invalid <= _SHOWN:
            bad.append({"line": row.line, "problems": [problem.as_json() for problem in row.problems]})
            for problem in row.problems:
                say(f"line {row.line}: {plain(problem)}")
    if invalid > _SHOWN:
        say(f"… and {invalid - _SHOWN:,} more bad rows")
    code = Exit.USAGE if invalid else Exit.DONE
    updates = [{"account": account, "action": action, "rows": count} for (account, action), count in sorted(counts.items(), key=str)]
    document = {
        "schema": "passbridge.bulk/1",
        "rows": counts.total() + invalid,
        "codes": {Code.INVALID_UPDATE.value: invalid} if invalid else {},
        "exit": code,
        "dry_run": True,
        "updates": updates,
        "invalid": bad,
    }
    emit(document, lambda: _show(updates, invalid, configured(config)[0].default or ""))
    return code


def _show(updates: list[dict[str, Any]], invalid: int, default: str) -> None:
    table(
        ("account", "action", "rows"),
        [(row["account"] or f"{default} (the default)", row["action"], f"{row['rows']:,}") for row in updates],
    )
    click.echo(f"{invalid:,} bad rows; nothing was sent")
