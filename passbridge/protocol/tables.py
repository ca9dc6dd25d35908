"""From the mapping files' texts to one immutable set of tables, overlays included; every mistake at once.

Owns how files extend each other, how overlays merge, and what an overlay may not change without saying why. Reads no
file: it is given the texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from passbridge.domain import Code, Effect
from passbridge.domain.problems import did_you_mean, problems_of
from passbridge.errors import ConfigError, Problem
from passbridge.protocol.mapping import ALL_ACTIONS, CodeRow, OutcomeRow, Profile, QueryRow

__all__ = ["Tables", "load_tables"]

LETTERS: Final = MappingProxyType(
    {
        "S": frozenset({Effect.APPLIED}),
        "F": frozenset({Effect.NOT_APPLIED, Effect.IN_STATE}),
        "U": frozenset({Effect.UNKNOWN}),
    }
)
"""AlipayHK's `resultStatus` and what it may say about the pass: done, refused, unknown (protocol, section 5.3)."""

_OVERLAID = ("codes", "sub_codes", "fields", "kinds", "lengths", "query")
_REASONED = ("codes", "sub_codes", "query")
"""The sections whose rows say what is known about the pass: to change that, an overlay gives a reason."""

Raw = dict[str, Any]
_Model = TypeVar("_Model", bound=BaseModel)
_Reasoned = TypeVar("_Reasoned", CodeRow, QueryRow)


@dataclass(frozen=True, slots=True)
class Tables:
    """Everything `mappings/` says: the outcomes, and each profile by its name (`hk.ticket`)."""

    outcomes: Mapping[Code, OutcomeRow]
    profiles: Mapping[str, Profile]


def load_tables(texts: Mapping[str, str], overlays: Mapping[str, str] = MappingProxyType({})) -> Tables:
    """Resolve the mapping files.

    Args:
        texts: each file's text by its name (`outcomes.toml`, `hk/base.toml`, …). `documented/` is not read.
        overlays: a merchant's own files by their names, in order; the last one wins.

    Raises:
        ConfigError: with every problem in every file, file and row named.
    """
    found: list[Problem] = []
    files = {name: _toml(name, text, found) for name, text in texts.items() if not name.startswith("documented/")}
    tables = _resolve(files, found)
    for name, text in overlays.items() if not found else ():
        _merge(files, name, _toml(name, text, found), found)
        laid = _resolve(files, found, at=name)
        found += _unaccepted(tables, laid, name) if not found else []
        tables = _reasons_kept(tables, laid) if not found else laid
    if found:
        raise ConfigError(dict.fromkeys(found))
    return tables


def _toml(name: str, text: str, found: list[Problem]) -> Raw:
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found.append(Problem(name, "unreadable_toml", f"not readable as TOML: {error}", "mend the line"))
        return {}
    if raw.pop("schema", None) != 1:
        found.append(Problem(f"{name}: schema", "unknown_schema", "this release reads schema 1", "write schema = 1"))
    return raw


def _resolve(files: Mapping[str, Raw], found: list[Problem], at: str = "") -> Tables:
    outcomes = {
        code: row for code, raw in _outcomes(files, found) if (row := _validated(OutcomeRow, raw, f"outcomes.toml: outcomes.{code}", found))
    }
    profiles = {}
    for file, raw in files.items():
        if "actions" in raw:
            name = file.removesuffix(".toml").replace("/", ".")
            whole, where = _extended(file, raw, files, found), f"{file}, {at}" if at else file
            profile = _validated(Profile, {"name": name} | whole, where, found)
            if profile:
                profiles[name] = profile
                found += _incoherent(profile, outcomes, where)
    return Tables(MappingProxyType(outcomes), MappingProxyType(profiles))


def _outcomes(files: Mapping[str, Raw], found: list[Problem]) -> Iterator[tuple[Code, Raw]]:
    rows = _table(files.get("outcomes.toml", {}).get("outcomes", {}))
    found += [Problem(f"outcomes.toml: outcomes.{code}", "missing", "is missing", "add the row") for code in Code if code not in rows]
    for name, raw in rows.items():
        if name in Code.__members__:
            yield Code(name), raw
        else:
            found.append(Problem(f"outcomes.toml: outcomes.{name}", "unknown_member", "no such outcome", did_you_mean(name, Code)))


def _extended(file: str, raw: Raw, files: Mapping[str, Raw], found: list[Problem]) -> Raw:
    """The profile's own tables on top of those of the file it extends."""
    own = {name: value for name, value in raw.items() if name != "extends"}
    base = raw.get("extends")
    if base is None:
        return own
    if not isinstance(base, str) or base not in files:
        found.append(Problem(f"{file}: extends", "missing", "extends a file that isn't there", did_you_mean(str(base), files)))
        return own
    return _deep({name: value for name, value in files[base].items() if name != "title"}, own)


def _joined(where: str, path: str) -> str:
    """A file, or a row of it, and what is in it: `hk/card.toml: fields.id`, `outcomes.toml: outcomes.APPLIED.exit`."""
    return f"{where}{'.' if ': ' in where else ': '}{path}" if path else where


def _table(value: object) -> Raw:
    return value if isinstance(value, dict) else {}


def _deep(below: Raw, above: Raw) -> Raw:
    merged = dict(below)
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _deep(under, value) if isinstance(under, dict) and isinstance(value, dict) else value
    return merged


def _validated(model: type[_Model], raw: Raw, where: str, found: list[Problem]) -> _Model | None:
    try:
        return model.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        found += (replace(problem, path=_joined(where, problem.path)) for problem in problems_of(error))
        return None


def _incoherent(profile: Profile, outcomes: Mapping[Code, OutcomeRow], where: str) -> Iterator[Problem]:
    """A letter that says one thing about the pass under an outcome that says another."""
    for name, row in profile.codes.items():
        for letter in row.status:
            for action in ALL_ACTIONS:
                code = row.read(action, letter)
                if code in outcomes and outcomes[code].effect not in LETTERS[letter]:
                    message = f"letter {letter} and outcome {code} ({outcomes[code].effect}) contradict each other on {action}"
                    yield Problem(f"{where}: codes.{name}", "incoherent", message, "change the outcome or the letter")


def _merge(files: dict[str, Raw], overlay: str, raw: Raw, found: list[Problem]) -> None:
    """Lay `[backend.file.table…]` over the file `backend/file.toml`."""
    for backend, stems in raw.items():
        for stem, sections in (_table(stems) or {"": None}).items():
            file, place = f"{backend}/{stem}.toml", f"{overlay}: {backend}.{stem}"
            if file not in files or not isinstance(sections, dict):
                known = {name.removesuffix(".toml").replace("/", ".") for name in files if "/" in name}
                found.append(Problem(place, "unknown_member", "no such profile", did_you_mean(f"{backend}.{stem}", known)))
                continue
            fixed = [name for name in sections if name not in _OVERLAID]
            mend = f"it may change {', '.join(_OVERLAID)}"
            found += [Problem(f"{place}.{name}", "fixed", "an overlay can't change this", mend) for name in fixed]
            files[file] = _deep(files[file], {} if fixed else _own_reasons(sections))


def _own_reasons(sections: Raw) -> Raw:
    """Each row with its own reason or none: a reason given for one change does not cover the next."""
    reasoned = {
        section: {code: {"accept_risk": None} | row if isinstance(row, dict) else row for code, row in _table(sections[section]).items()}
        for section in _REASONED
        if isinstance(sections.get(section), dict)
    }
    return sections | reasoned


def _unaccepted(before: Tables, after: Tables, overlay: str) -> Iterator[Problem]:
    """Rows that changed what is known about the pass, and give no reason."""
    for name, profile in after.profiles.items():
        was = before.profiles[name]
        for section in _REASONED:
            old = getattr(was, section)
            for code, row in getattr(profile, section).items():
                if row.accept_risk is None and _known(after, row) != _known(before, old.get(code) or _fallback(was, section, code, row)):
                    message = "changes what is known about the pass (applied, not applied, unknown) or settles a doubt"
                    yield Problem(f"{overlay}: {name}.{section}.{code}", "risk", message, 'say why in accept_risk = "…"')


def _reasons_kept(before: Tables, after: Tables) -> Tables:
    """A reason stays with its row where a later overlay leaves alone what is known."""
    profiles = {}
    for name, profile in after.profiles.items():
        was, rows = before.profiles[name], {}
        for section in _REASONED:
            olds = getattr(was, section)
            rows[section] = {code: _reasoned(before, olds.get(code), row) for code, row in getattr(profile, section).items()}
        profiles[name] = profile.model_copy(update=rows)
    return Tables(after.outcomes, MappingProxyType(profiles))


def _reasoned(tables: Tables, old: _Reasoned | None, row: _Reasoned) -> _Reasoned:
    if old is None or row.accept_risk is not None or _known(tables, old) != _known(tables, row):
        return row
    return row.model_copy(update={"accept_risk": old.accept_risk})


def _known(tables: Tables, row: CodeRow | QueryRow | None) -> object:
    """What a row says about the pass, for each action and letter, or what it takes to settle a doubt."""
    if not isinstance(row, CodeRow):
        return row and (frozenset(row.status), row.deleted, row.content)
    effects = {(action, letter): tables.outcomes[row.read(action, letter)].effect for action in ALL_ACTIONS for letter in row.status or " "}
    return effects, frozenset(row.settles)


def _fallback(profile: Profile, section: str, code: str, row: CodeRow | QueryRow) -> CodeRow | None:
    """The row that stood for a code before an overlay named it: what every undocumented code means."""
    if not isinstance(row, CodeRow):
        return None
    if section == "codes":
        by_status = {letter: profile.fallback.get(letter, Code.UNMAPPED) for letter in row.status}
        return row.model_copy(update={"outcome": Code.UNMAPPED, "on": {}, "by_status": by_status, "settles": ()})
    prefixes = (outcome for prefix, outcome in profile.fallback.items() if code.startswith(prefix))
    return row.model_copy(update={"outcome": next(prefixes, Code.UNMAPPED), "on": {}, "by_status": {}, "settles": ()})
