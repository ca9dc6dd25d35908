"""The pass an update is about: whose it is, how it was presented, and what it shows.

Owns `PassRef`, `Proof`, `Content` and the base of every model of the vocabulary. Knows no gateway's field names.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from passbridge.domain.strictjson import JsonObject, flaws

__all__ = ["Content", "Model", "Params", "PassRef", "Proof", "Text"]


class Model(BaseModel):
    """Frozen; unknown members refused; the JSON names are the documented ones (`pass`, not `pass_`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


def _carried(value: JsonObject) -> JsonObject:
    """Refuse what JSON text can't carry; give every place at once."""
    found = [f"{path}: {message}" if path else message for path, message in flaws(value)]
    if found:
        raise PydanticCustomError("not_json", "{found}", {"found": "; ".join(found)})
    return value


def _plain_names(value: JsonObject) -> JsonObject:
    """Names are written bare: each profile adds the `$` its gateway wants, so one update fits both regions."""
    bad = [name for name in value if not name or "$" in name]
    if bad:
        raise PydanticCustomError("bad_name", "names are not empty and hold no '$': {names}", {"names": ", ".join(map(repr, bad))})
    return value


Text = Annotated[str, Field(min_length=1)]
"""Text that isn't empty (lone surrogates are refused by pydantic itself)."""


def _plain_name(name: str) -> str:
    _plain_names({name: None})
    return name


Params = Annotated[JsonObject, AfterValidator(_carried), AfterValidator(_plain_names)]
"""Parameters by their bare names; the values are what JSON text can carry."""


class PassRef(Model):
    """Which pass, and whose.

    Attributes:
        id: AlipayHK's `passId`, the mainland's `serial_number`.
        user_id: the Alipay user the pass was issued to. AlipayHK needs this or `open_id`.
        open_id: the user's id towards this merchant.
        template: AlipayHK's `templateCode`.
        channel: the mainland's `channel_id`; by default the account's.
        merchant: AlipayHK's `merchantId`; by default the account's.
    """

    id: Text
    user_id: Text | None = None
    open_id: Text | None = None
    template: Text | None = None
    channel: Text | None = None
    merchant: Text | None = None


class Proof(Model):
    """What the holder presented when the pass was redeemed.

    Attributes:
        code: what was read or typed.
        method: how: sound wave, QR code, bar code, or typed in (seeds 000 and 003).
    """

    code: Text
    method: Literal["wave", "qrcode", "barcode", "input"] | None = None


class Content(Model):
    """What the pass shows, by the names of its template's parameters, written without `$`.

    Attributes:
        params: for every language.
        locales: by language (`zh_HK`, `en_US`), on top of `params`.
        raw: the gateway's whole object as it stands, instead of both.
    """

    params: Params = Field(default_factory=dict)
    locales: dict[Annotated[str, AfterValidator(_plain_name)], Params] = Field(default_factory=dict)
    raw: Annotated[JsonObject, AfterValidator(_carried)] | None = None

    @model_validator(mode="after")
    def _raw_stands_alone(self) -> Self:
        if self.raw is not None and (self.params or self.locales):
            raise PydanticCustomError("raw_alone", "raw is the whole object: give it, or params and locales, not both")
        return self

    @property
    def empty(self) -> bool:
        """Whether there is nothing to send: no parameter and no raw object."""
        return self.raw is None and not self.params and not any(self.locales.values())
