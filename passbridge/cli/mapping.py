"""`passbridge mapping`: the rule behind an outcome, and what an overlay changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from passbridge.cli.output import Exit, Failure, emit, json_option, read_input, table
from passbridge.domain import Code
from passbridge.domain.problems import did_you_mean
from passbridge.errors import Problem
from passbridge.protocol.mapping import CodeRow, Profile, QueryRow
from passbridge.protocol.tables import Tables
from passbridge.resources import mapping_texts
from passbridge.shipped import shipped_tables

__all__ = ["mapping"]

_OVERLAYS = click.option("--overlay", "overlays", metavar="FILE", multiple=True, help="An overlay to lay over the tables; may be repeated.")


@click.group()
@json_option
def mapping() -> None:
    """Show and check the tables behind the outcomes."""


@mapping.command()
@click.argument("profile")
@click.argument("code")
@click.option("--action", type=click.Choice(["redeem", "close", "revise", "refund"]), help="Only for this action.")
@click.option("--status", metavar="LETTER", help="Under this resultStatus (AlipayHK).")
@_OVERLAYS
@json_option
def explain(profile: str, code: str, action: str | None, status: str | None, overlays: tuple[str, ...]) -> int:
    """Say what CODE means for PROFILE (such as hk.ticket), by which row, and on what evidence."""
    tables = _tables(overlays)
    if profile not in tables.profiles:
        raise _unknown("PROFILE", profile, tables.profiles)
    rows = list(_resolved(tables, profile))
    for name, what, value in (("code", "CODE", code), ("action", "--action", action), ("status", "--status", status)):
        known = {row[name] for row in rows} - {""}
        rows = [row for row in rows if value in {row[name], None}]
        if not rows:
            raise _unknown(what, str(value), known)
    emit(rows, lambda: _explain(rows))
    return Exit.DONE


@mapping.command(name="table")
@_OVERLAYS
@json_option
def table_(overlays: tuple[str, ...]) -> int:
    """Print every resolved row: profile, code, action, outcome."""
    tables = _tables(overlays)
    rows = [row for profile in tables.profiles for row in _resolved(tables, profile)]
    emit(rows, lambda: _table(rows))
    return Exit.DONE


@mapping.command()
@click.argument("overlays", nargs=-1, required=True, metavar="FILE...")
@json_option
def check(overlays: tuple[str, ...]) -> int:
    """Check overlays against the tables: every problem at once."""
    _tables(overlays)
    rows = [{"file": name, "ok": True} for name in overlays]
    emit(rows, lambda: click.echo("\n".join(f"{name}: fits" for name in overlays)))
    return Exit.DONE


@mapping.command()
@click.argument("overlays", nargs=-1, required=True, metavar="FILE...")
@json_option
def diff(overlays: tuple[str, ...]) -> int:
    """Show what overlays change."""
    rows = list(_changes(_tables(()), _tables(overlays)))
    emit(
        rows,
        lambda: (
            table(("row", "was", "is"), [(row["row"], row["was"], row["is"]) for row in rows]) if rows else click.echo("nothing changes")
        ),
    )
    return Exit.DONE


def _tables(overlays: tuple[str, ...]) -> Tables:
    texts = {}
    for name in overlays:
        try:
            texts[name] = read_input(name).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Failure(
                Exit.USAGE, "unreadable_file", [Problem(name, "unreadable_file", f"is not UTF-8 at byte {error.start}", "save it as UTF-8")]
            ) from None
    return shipped_tables(texts)


def _unknown(what: str, word: str, known: Any) -> Failure:  # noqa: ANN401 - any iterable of names
    return Failure(Exit.USAGE, "unknown_code", [Problem(what, "unknown_code", f"{word!r} is in no table", did_you_mean(word, known))])


def _resolved(tables: Tables, name: str) -> Iterator[dict[str, Any]]:
    """One row for each code, letter and action of a profile, and for each action that its query settles."""
    profile = tables.profiles[name]
    for section in ("codes", "sub_codes"):
        for code, row in getattr(profile, section).items():
            for letter in row.status or ("",):
                for action in profile.actions:
                    said = {"code": code, "status": letter, "action": action, "settles_doubt": action in row.settles, "note": row.note}
                    yield _row(tables, profile, f"{section}.{code}", row, said | {"outcome": row.read(action, letter)})
    for asked, shown in profile.query.items():
        said = {"code": f"query.{asked}", "status": "", "action": asked, "settles_doubt": True, "note": _shown(shown)}
        yield _row(tables, profile, f"query.{asked}", shown, said | {"outcome": Code.APPLIED_PRESUMED})


def _row(tables: Tables, profile: Profile, rule: str, row: CodeRow | QueryRow, said: dict[str, Any]) -> dict[str, Any]:
    meaning = tables.outcomes[said["outcome"]]
    return {
        "profile": profile.name,
        **{name: said[name] for name in ("code", "status", "action", "outcome")},
        "effect": meaning.effect,
        "next": meaning.next,
        "who": meaning.who,
        "settles_doubt": said["settles_doubt"],
        "rule": f"{profile.name}#{rule}",
        "file": _file(profile, *reversed(rule.split(".", 1))),
        "source": list(row.source),
        "confidence": row.confidence,
        "note": said["note"],
        "text": meaning.text,
    }


def _shown(row: QueryRow) -> str:
    """When the query settles a doubt, in words."""
    states = [*row.status, *(["a pass deleted by its holder"] if row.deleted else [])]
    needed = [" or ".join(states)] * bool(states) + ["every parameter as it was sent"] * row.content
    return f'If resolve = "query" and it shows {" and ".join(needed)}. {row.note}'.rstrip()


def _file(profile: Profile, code: str, section: str) -> str:
    """The mapping file in which a row stands."""
    own = f"{profile.name.replace('.', '/')}.toml"
    heads = (f"[{section}.{code}]", f'[{section}."{code}"]')
    texts = {name: text for name, text in mapping_texts().items() if name in {own, str(Path(own).parent / "base.toml")}}
    return next((name for name, text in texts.items() if any(head in text for head in heads)), "an overlay")


def _explain(rows: list[dict[str, Any]]) -> None:
    first = rows[0]
    click.echo(f"{first['code']} in {first['file']}, {first['confidence']}: {', '.join(first['source'])}")
    if first["note"]:
        click.echo(f"  {first['note']}")
    for row in rows:
        under = f" under {row['status']}" if row["status"] else ""
        settles = "; settles an earlier doubt" if row["settles_doubt"] else ""
        click.echo(f"  {row['action']}{under}: {row['outcome']} ({row['effect']}{settles}). {row['text']}")


def _table(rows: list[dict[str, Any]]) -> None:
    columns = ("profile", "code", "status", "action", "outcome", "effect", "confidence")
    table(columns, [[row[name] for name in columns] for row in rows])


def _changes(before: Tables, after: Tables) -> Iterator[dict[str, Any]]:
    for name, profile in after.profiles.items():
        was, now = before.profiles[name].model_dump(mode="json"), profile.model_dump(mode="json")
        for section in ("codes", "sub_codes", "fields", "kinds", "lengths", "query"):
            for row, value in now[section].items():
                old = was[section].get(row)
                if old != value:
                    yield {"row": f"{name}.{section}.{row}", "was": old, "is": value}
