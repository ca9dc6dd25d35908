"""From one update to the gateway's field names and values, by a profile's tables.

Owns what a profile carries and can't, what is left out, and every problem found on the way. Knows no gateway: names,
limits and status words come from the profile. How a value is written is `transforms`'; encoding and signing come after.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final

from passbridge.domain import Content, JsonObject, JsonValue, PassUpdate, write_json
from passbridge.domain.problems import did_you_mean
from passbridge.errors import Problem
from passbridge.protocol.gateway import Capabilities
from passbridge.protocol.mapping import FieldRow, Profile
from passbridge.protocol.transforms import TRANSFORMS, by_locale

__all__ = ["Translation", "carried", "translate"]

_PATHS: Final = MappingProxyType(
    {
        "merchant": "pass.merchant",
        "user_id": "pass.user_id",
        "open_id": "pass.open_id",
        "template": "pass.template",
        "channel": "pass.channel",
        "id": "pass.id",
        "action": "action",
        "kind": "kind",
        "proof_code": "proof.code",
        "proof_method": "proof.method",
        "at": "at",
        "valid_until": "valid_until",
        "content": "content",
        "code_info": "code_info",
    }
)
"""Where each member stands in an update."""

_REFUSED: Final = frozenset({"content", "code_info", "valid_until"})
"""What may not be left out in silence: a profile without a field for it can't carry the update (the rest is noted)."""


@dataclass(frozen=True, slots=True)
class Translation:
    """An update in a gateway's words.

    Attributes:
        document: the wire's names and values, in the order of the tables.
        at: the update's own moment as it is sent, or as the update gives it.
        notes: what was left out, and limits that are doubtful.
        problems: why it can't be sent; the document is then incomplete.
    """

    document: JsonObject
    at: datetime | None
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]


def translate(update: PassUpdate, profile: Profile, defaults: Mapping[str, str | None], now: datetime) -> Translation:
    """Write an update in a profile's words.

    Args:
        update: what is wanted.
        profile: the gateway's variant.
        defaults: what the account gives where the update says nothing (`merchant`, `channel`).
        now: fills `at` where the profile requires one and the update gives none.
    """
    if update.action not in profile.actions:
        missing = Problem(
            "action", "unsupported_action", f"{profile.title} has no {update.action}", did_you_mean(update.action, profile.actions)
        )
        return Translation({}, update.at, (), (missing,))
    at = update.at or (_milliseconds(now) if update.action in _required(profile, "at") else None)
    given = _given(update, defaults, profile, at)
    document: JsonObject = {}
    notes, problems = list(_left_out(update, profile, given)), [*_refused(profile, given), *_missing(update, profile, given)]
    for member, row in profile.fields.items():
        if member in given and update.action in row.actions:
            value, wrong = _written(member, given[member], row, profile)
            problems += wrong
            if not wrong and value != "":
                document[row.wire] = value
                _measure(_PATHS[member], value, row, notes, problems)
    notes += _lengths(update, profile)
    return Translation(document, at, tuple(notes), tuple(problems))


def carried(account: str, profile: Profile) -> Capabilities:
    """What an account of this profile can carry."""
    backend, _, variant = profile.name.partition(".")
    members = tuple(_PATHS[name] for name in profile.fields)
    return Capabilities(account, backend, variant, tuple(profile.actions), tuple(profile.kinds), members)


def _given(update: PassUpdate, defaults: Mapping[str, str | None], profile: Profile, at: datetime | None) -> dict[str, object]:
    """Every member that has a value: the update's own, the account's, the profile's default, the clock's."""
    proof = getattr(update, "proof", None) if update.action == "redeem" else None  # pydantic looks long for what isn't there
    values: dict[str, object] = {
        **{
            name: getattr(update.pass_, name) or defaults.get(name)
            for name in ("merchant", "user_id", "open_id", "template", "channel", "id")
        },
        "action": update.action,
        "kind": update.kind or (profile.fields["kind"].default if "kind" in profile.fields else None),
        "proof_code": proof and proof.code,
        "proof_method": proof and proof.method,
        "at": at,
        "valid_until": update.valid_until,
        "content": update.content if update.content and not update.content.empty else None,
    }
    if "code_info" in update.model_fields_set:
        values["code_info"] = update.code_info
    return {name: value for name, value in values.items() if value is not None or name == "code_info"}


def _own(update: PassUpdate, given: Mapping[str, object]) -> Iterator[str]:
    """The members the update itself gives (an account's default left out is not worth a note)."""
    return (name for name in given if name not in {"merchant", "channel"} or getattr(update.pass_, name))


def _left_out(update: PassUpdate, profile: Profile, given: Mapping[str, object]) -> Iterator[str]:
    for name in _own(update, given):
        row = profile.fields.get(name)  # type: ignore[call-overload]  # a member's name is a key, or absent
        if row is None and name not in _REFUSED:
            yield f"{_PATHS[name]} left out: {profile.title} has no field for it"
        elif row is not None and update.action not in row.actions:
            yield f"{_PATHS[name]} left out: it is sent only to {', '.join(row.actions)}"
        elif name == "proof_code" and "proof_method" not in given and _missing_method(profile) == "note":
            yield "proof.method is absent: the document wants it with the code, real redeems went without both"
    if update.action == "revise" and not {"content", "valid_until", "code_info"} & set(given):
        yield "nothing to revise: neither content nor valid_until nor code_info is given"


def _refused(profile: Profile, given: Mapping[str, object]) -> Iterator[Problem]:
    for name in given:
        if name in _REFUSED and name not in profile.fields:
            yield Problem(_PATHS[name], "not_carried", f"{profile.title} has no field for it", "leave it out for this account")


def _missing(update: PassUpdate, profile: Profile, given: Mapping[str, object]) -> Iterator[Problem]:
    for name, row in profile.fields.items():
        if update.action in row.required and name not in given:
            yield Problem(_PATHS[name], "missing", f"{profile.title} needs it to {update.action}", _mend(name, profile))
    for group in profile.one_of:
        if not any(name in given for name in group.members):
            yield Problem(
                _PATHS[group.members[0]], "missing", f"one of {' and '.join(_PATHS[name] for name in group.members)} is needed", group.mend
            )
    if _missing_method(profile) == "refuse" and "proof_code" in given and "proof_method" not in given:
        yield Problem(
            "proof.method", "missing", f"{profile.title} takes a proof's code only with its method", "add wave, qrcode, barcode or input"
        )


def _missing_method(profile: Profile) -> str:
    """What to do where a proof has a code and no method."""
    row = profile.fields.get("proof_method")
    return row.missing if row else ""


def _mend(name: str, profile: Profile) -> str:
    if name in {"merchant", "channel"}:
        return f"give {_PATHS[name]}, or {name}_id in the account"
    return f"add it: {', '.join(profile.kinds)}" if name == "kind" else "add it"


def _required(profile: Profile, name: str) -> tuple[str, ...]:
    row = profile.fields.get(name)  # type: ignore[call-overload]  # a member's name is a key, or absent
    return row.required if row else ()


def _written(member: str, value: object, row: FieldRow, profile: Profile) -> tuple[JsonValue, list[Problem]]:
    """A member's value as it travels, or why it can't."""
    if member == "action":
        return profile.actions[value], []  # type: ignore[index]  # checked before
    if member == "kind":
        if value in profile.kinds:
            return profile.kinds[str(value)], []
        return None, [Problem("kind", "unknown_kind", f"{profile.title} has no such kind", did_you_mean(str(value), profile.kinds))]
    if row.transform.startswith("params") and isinstance(value, Content) and value.locales:
        return None, [Problem("content.locales", "not_carried", f"{profile.title} has no languages", "put the texts into content.params")]
    return TRANSFORMS[row.transform](value), []


def _measure(path: str, value: JsonValue, row: FieldRow, notes: list[str], problems: list[Problem]) -> None:
    """Hold a value against its documented limit."""
    if row.max_length is None:
        return
    length = len(value if isinstance(value, str) else write_json(value))
    if length <= row.max_length:
        return
    message = f"{row.wire} has {length} characters, the document allows {row.max_length}"
    if row.doubtful:
        notes.append(f"{path}: {message}, which is doubtful")
    else:
        problems.append(Problem(path, "too_long", message, "shorten it"))


def _lengths(update: PassUpdate, profile: Profile) -> Iterator[str]:
    """Parameters longer than the create pages say, in the language they are written in."""
    limits = profile.lengths.get(update.kind or "", {})
    row = profile.fields.get("content")
    if update.content and row and update.action in row.actions:
        for locale, params in by_locale(update.content).items():
            for name, value in params.items():
                limit = limits.get(name, {}).get(locale)
                if limit and isinstance(value, str) and len(value) > limit:
                    yield f"content: {name} has {len(value)} characters in {locale}, the document advises {limit}"


def _milliseconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
