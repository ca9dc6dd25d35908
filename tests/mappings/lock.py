"""The resolved tables as sorted lines: what a reviewer sees change, one line a fact."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from passbridge.protocol.mapping import CodeRow, Profile
    from passbridge.protocol.tables import Tables

__all__ = ["LOCK", "lock_lines", "locked"]

LOCK: Final = Path(__file__).with_name("resolved.lock")


def locked() -> list[str]:
    """The committed lines."""
    return LOCK.read_text(encoding="utf-8").splitlines()


def lock_lines(tables: Tables) -> list[str]:
    """Every fact of the tables, sorted; what stands in an order carries its number."""
    lines = [f"outcomes {code} {_json(row.model_dump(mode='json'))}" for code, row in tables.outcomes.items()]
    for name, profile in tables.profiles.items():
        lines += (f"{name} {line}" for line in _profile(profile, tables))
    return sorted(lines)


def _profile(profile: Profile, tables: Tables) -> Iterator[str]:
    yield f"title {_json(profile.title)} source {_json(profile.source)}"
    for section, rows in (("codes", profile.codes), ("sub_codes", profile.sub_codes)):
        for code, row in rows.items():
            yield from (f"{section} {code} {line}" for line in _code(row, profile, tables))
    for section, pairs in (("actions", profile.actions), ("kinds", profile.kinds), ("fallback", profile.fallback)):
        yield from (f"{section} {number:02} {name!r} {word}" for number, (name, word) in enumerate(pairs.items()))
    for number, (name, field) in enumerate(profile.fields.items()):
        written = field.model_dump(mode="json")
        yield f"fields {number:02} {name} {_json({key: value for key, value in written.items() if key != 'max_length'})}"
        yield f"limits {name} {field.max_length}"
    for action, shown in profile.query.items():
        yield f"query {action} {_json({key: value for key, value in shown.model_dump(mode='json').items() if key != 'note'})}"
    for kind, names in profile.lengths.items():
        yield from (f"lengths {kind} {name} {_json(limits)}" for name, limits in names.items())
    for section, groups in (("one_of", profile.one_of), ("contradictions", profile.contradictions)):
        yield from (f"{section} {number:02} {_json(group.model_dump(mode='json'))}" for number, group in enumerate(groups))


def _code(row: CodeRow, profile: Profile, tables: Tables) -> Iterator[str]:
    told = f"settles={','.join(row.settles) or '-'} signature={row.signature} slow={row.slow} {row.confidence} {_json(list(row.source))}"
    for action in profile.actions:
        for letter in row.status or "-":
            outcome = row.read(action, letter)
            yield f"{action} {letter} {outcome} {tables.outcomes[outcome].effect} {told}"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
