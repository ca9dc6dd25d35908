"""What a merchant wants done to one pass, and its JSON.

Owns the four updates and `load_update`. Knows nothing of what any gateway can carry: that is `check`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from passbridge.domain.passes import Content, Model, PassRef, Proof, Text
from passbridge.domain.problems import did_you_mean, problems_of
from passbridge.domain.strictjson import JsonError, JsonObject, JsonValue, flaws, read_json
from passbridge.errors import InvalidUpdate, Problem

__all__ = ["Action", "Close", "Moment", "PassUpdate", "Redeem", "Refund", "Revise", "kept_update", "load_update"]

Action = Literal["redeem", "close", "revise", "refund"]


def _moment_text(value: object) -> object:
    """Only text in ISO 8601 or a datetime: pydantic would read a bare number as seconds, the gateways count milliseconds."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[Tt ]", value)):
        return value
    raise PydanticCustomError("date_time_text", "is not a date and time in ISO 8601")


Moment = Annotated[AwareDatetime, BeforeValidator(_moment_text)]
"""A date and time with its zone."""


class PassUpdate(Model):
    """What every update has. Not used itself: see `Redeem`, `Close`, `Revise`, `Refund`.

    Attributes:
        to: the account it goes to; by default the configuration's `default`.
        key: the caller's own name for this update. The same key is the same update.
        pass_: the pass (`pass` in JSON).
        kind: what sort of change or ticket it is (`score`, `air_ticket`, …), in the words of the account's profile.
        content: what the pass shall show.
        at: when the change happened, by the merchant's clock.
        valid_until: the end of the pass's validity.
        code_info: the membership card's new code. Left out, it is not sent; `None` is sent as null.
    """

    action: Action
    to: Text | None = None
    key: Text | None = None
    pass_: PassRef = Field(alias="pass")
    kind: Text | None = None
    content: Content | None = None
    at: Moment | None = None
    valid_until: Moment | None = None
    code_info: JsonObject | None = None

    @field_validator("code_info")
    @classmethod
    def _code_info_is_json(cls, value: JsonObject | None) -> JsonObject | None:
        found = "; ".join(f"{path}: {message}" if path else message for path, message in flaws(value))
        if found:
            raise PydanticCustomError("not_json", "{found}", {"found": found})
        return value

    def as_json(self) -> dict[str, JsonValue]:
        """The update as the JSON object that `load_update` reads: the members that were given, and the action."""
        return {"action": self.action, **self.model_dump(mode="json", exclude_unset=True)}


class Redeem(PassUpdate):
    """The pass has been used (USED). `proof` is what the holder presented; it is never required."""

    action: Literal["redeem"] = "redeem"
    proof: Proof | None = None


class Close(PassUpdate):
    """Take the pass out of the wallet (CLOSED)."""

    action: Literal["close"] = "close"


class Revise(PassUpdate):
    """Change what the pass shows (UPDATE, `tpl_params`)."""

    action: Literal["revise"] = "revise"


class Refund(PassUpdate):
    """The pass was refunded (REFUND). Never sent again by itself once it may have arrived."""

    action: Literal["refund"] = "refund"


UPDATES: Mapping[str, type[PassUpdate]] = MappingProxyType({"redeem": Redeem, "close": Close, "revise": Revise, "refund": Refund})


def load_update(source: str | bytes | Mapping[str, object]) -> PassUpdate:
    """Read one update from JSON (text, or UTF-8 bytes) or from a mapping of the same shape.

    Raises:
        InvalidUpdate: with every problem: unreadable JSON, unknown or missing members, dates without a zone, …
    """
    members = dict(source) if isinstance(source, Mapping) else _object(source)
    action = members.get("action")
    problems = _action_problems(action)
    kind = UPDATES[action] if isinstance(action, str) and not problems else Redeem
    try:
        update = kind.model_validate(members | {"action": kind.model_fields["action"].default}, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidUpdate([*problems, *problems_of(error, _known_members(kind))]) from None
    if problems:
        raise InvalidUpdate(problems)
    return update


_KEPT: Final[TypeAdapter[PassUpdate]] = TypeAdapter(Annotated[Redeem | Close | Revise | Refund, Field(discriminator="action")])


def kept_update(text: str) -> PassUpdate:
    """Read an update as `PassUpdate.as_json` and `write_json` have written it, at less than half of `load_update`'s cost.

    Only for text that is known to be unchanged since: what two readers could understand differently is not looked for again.

    Raises:
        ValidationError: it isn't an update.
    """
    return _KEPT.validate_json(text, by_alias=True, by_name=False)


def _object(source: str | bytes) -> dict[str, object]:
    try:
        value = read_json(source)
    except JsonError as error:
        raise InvalidUpdate(
            [Problem("", "unreadable_json", f"not readable as JSON: {error}", "the README shows an update of each kind")]
        ) from None
    if isinstance(value, dict):
        return dict(value)
    raise InvalidUpdate([Problem("", "not_an_object", "an update is one JSON object", "the README shows an update of each kind")])


def _action_problems(action: object) -> tuple[Problem, ...]:
    if action is None:
        return (Problem("action", "missing", "is missing", "add it: redeem, close, revise or refund"),)
    if isinstance(action, str) and action in UPDATES:
        return ()
    return (Problem("action", "unknown_action", "no such action", did_you_mean(str(action), UPDATES)),)


def _known_members(kind: type[PassUpdate]) -> dict[str, list[str]]:
    """The member names each object of an update may have, by its path."""
    models: dict[str, type[Model]] = {"": kind, "pass": PassRef, "proof": Proof, "content": Content}
    return {path: [field.alias or name for name, field in model.model_fields.items()] for path, model in models.items()}
