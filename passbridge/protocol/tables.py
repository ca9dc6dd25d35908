"""From the mapping files' texts to one immutable set of tables, overlays included; every mistake at once.

Owns how files extend each other, how overlays merge, and what an overlay may not change without saying why. Reads no
file: it is given the texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from passbridge.domain import Code, Effect
from passbridge.domain.problems import did_you_mean, problems_of
from passbridge.errors import ConfigError, Problem
from passbridge.protocol.mapping import ALL_ACTIONS, CodeRow, OutcomeRow, Profile

__all__ = ["Tables", "load_tables"]

LETTERS: Final = MappingProxyType(
    {
        "S": frozenset({Effect.APPLIED}),
        "F": frozenset({Effect.NOT_APPLIED, Effect.IN_STATE}),
        "U": frozenset({Effect.UNKNOWN}),
    }
)
"""AlipayHK's `resultStatus` and what it may say about the pass: done, refused, unknown (protocol, section 5.3)."""

_OVERLAID = ("codes", "sub_codes", "fields", "kinds", "lengths")

Raw = dict[str, Any]
_Model = TypeVar("_Model", bound=BaseModel)


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
    plain = _resolve(files, found)
    if overlays and not found:
        for name, text in overlays.items():
            _merge(files, name, _toml(name, text, found), found)
        laid = _resolve(files, found, at=", ".join(overlays))
        found += _unaccepted(plain, laid, ", ".join(overlays)) if not found else []
        plain = laid
    if found:
        raise ConfigError(dict.fromkeys(found))
    return plain


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
            profile = _validated(Profile, {"name": name} | whole, f"{where}: ", found)
            if profile:
                profiles[name] = profile
                found += _incoherent(profile, outcomes, where)
    return Tables(MappingProxyType(outcomes), MappingProxyType(profiles))


def _outcomes(files: Mapping[str, Raw], found: list[Problem]) -> Iterator[tuple[Code, Raw]]:
    rows = files.get("outcomes.toml", {}).get("outcomes", {})
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
    if base not in files:
        found.append(Problem(f"{file}: extends", "missing", "extends a file that isn't there", did_you_mean(str(base), files)))
        return own
    return _deep({name: value for name, value in files[base].items() if name != "title"}, own)


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
        found += problems_of(error, at=where)
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
        for stem, sections in stems.items() if isinstance(stems, dict) else [("", {})]:
            file = f"{backend}/{stem}.toml"
            unknown = [name for name in sections if name not in _OVERLAID]
            if file not in files:
                known = {name.removesuffix(".toml").replace("/", ".") for name in files if "/" in name}
                found.append(
                    Problem(f"{overlay}: {backend}.{stem}", "unknown_member", "no such profile", did_you_mean(f"{backend}.{stem}", known))
                )
            elif unknown:
                found += [
                    Problem(
                        f"{overlay}: {backend}.{stem}.{name}",
                        "fixed",
                        "an overlay can't change this",
                        f"it may change {', '.join(_OVERLAID)}",
                    )
                    for name in unknown
                ]
            else:
                files[file] = _deep(files[file], sections)


def _unaccepted(before: Tables, after: Tables, overlay: str) -> Iterator[Problem]:
    """Rows that changed what is known about the pass, and give no reason."""
    for name, profile in after.profiles.items():
        was = before.profiles[name]
        for section, rows, old in (("codes", profile.codes, was.codes), ("sub_codes", profile.sub_codes, was.sub_codes)):
            for code, row in rows.items():
                if row.accept_risk is None and _known(after, row) != _known(before, old.get(code) or _fallback(was, section, code, row)):
                    message = "changes what is known about the pass (applied, not applied, unknown) or settles a doubt"
                    yield Problem(f"{overlay}: {name}.{section}.{code}", "risk", message, 'say why in accept_risk = "…"')


def _known(tables: Tables, row: CodeRow | None) -> object:
    """What a row says about the pass, for each action and letter."""
    if row is None:
        return None
    effects = {(action, letter): tables.outcomes[row.read(action, letter)].effect for action in ALL_ACTIONS for letter in row.status or " "}
    return effects, frozenset(row.settles)


def _fallback(profile: Profile, section: str, code: str, row: CodeRow) -> CodeRow | None:
    """The row that stood for a code before an overlay named it: what every undocumented code means."""
    if section == "codes" and row.status:
        outcomes = [profile.fallback.get(letter) for letter in row.status]
    else:
        outcomes = [
            next(
                (outcome for prefix, outcome in profile.fallback.items() if section == "sub_codes" and code.startswith(prefix)),
                Code.UNMAPPED,
            )
        ]
    return row.model_copy(update={"outcome": outcomes[0], "on": {}, "by_status": {}, "settles": ()}) if outcomes[0] else None
