"""How a scenario's fields become a `Content`: languages, money, moments, and bare names.

Owns what every scenario has, and the form each kind of value takes. It must not know any scenario.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Generic, Self, TypeAlias, TypeVar

from pydantic import ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from passbridge.domain import Content, JsonObject, JsonValue, PassRef, Revise
from passbridge.domain.passes import Model, Params
from passbridge.protocol.transforms import LOCALES, epoch_ms

__all__ = ["Lines", "Localised", "Price", "Scenario", "Words", "revised"]

_T = TypeVar("_T")


class Localised(Model, Generic[_T]):
    """A value in AlipayHK's languages: one of them, or both.

    Attributes:
        zh_HK: in Chinese, as Hong Kong writes it.
        en_US: in English.
    """

    zh_HK: _T | None = None  # noqa: N815 - the gateway's own name of the language
    en_US: _T | None = None  # noqa: N815 - likewise

    @model_validator(mode="after")
    def _in_one_of_them(self) -> Self:
        if self.zh_HK is None and self.en_US is None:
            raise PydanticCustomError("no_language", "give zh_HK, en_US, or both")
        return self


Words: TypeAlias = str | Localised[str]
"""Text: the same in both languages, or each one's own."""

Lines: TypeAlias = tuple[str, ...] | Localised[tuple[str, ...]]
"""Several texts, likewise."""


class Price(Model):
    """An amount of money.

    Attributes:
        cent: in the smallest unit: 800 is 8 dollars.
        currency: its ISO 4217 name.
    """

    cent: int = Field(ge=0)
    currency: str = Field("HKD", pattern="^[A-Z]{3}$")


class Scenario(Model):
    """What every scenario has. Names are written as the gateway's: `start_time` is `startTime`.

    Attributes:
        more: further parameters of the template, by their bare names, in every language.
    """

    model_config = ConfigDict(alias_generator=to_camel)

    kind: ClassVar[str]
    more: Params = Field(default_factory=dict)

    def content(self) -> Content:
        """What the pass shall show: every field that was given. One that was given as None is sent as null."""
        params: JsonObject = {}
        locales: dict[str, JsonObject] = {language: {} for language in LOCALES}
        for name in type(self).model_fields:
            if name == "more" or name not in self.model_fields_set:
                continue
            wire, value = type(self).model_fields[name].alias or name, getattr(self, name)
            if isinstance(value, Localised):
                texts = {language: _written(getattr(value, language)) for language in LOCALES}
                for language, text in texts.items():
                    locales[language] |= {wire: text} if text is not None else {}
            else:
                params[wire] = _written(value)
        return Content(params=params | self.more, locales=locales if any(locales.values()) else {})

    def revise(self, pass_: PassRef, *, to: str | None = None, key: str | None = None, at: datetime | None = None) -> Revise:
        """The update that shows it.

        Args:
            pass_: the pass.
            to: the account; by default the configuration's.
            key: the caller's own name for the update.
            at: when the change happened (`bizDate`); by default when it is sent.
        """
        return revised(pass_, {"to": to, "key": key, "kind": self.kind, "content": self.content(), "at": at})


def revised(pass_: PassRef, members: dict[str, object]) -> Revise:
    """The update with the members that were given."""
    return Revise.model_validate({"pass_": pass_, **{name: value for name, value in members.items() if value is not None}})


def _written(value: object) -> JsonValue:
    """A value as JSON: times in milliseconds since 1970, as both gateways' samples have them."""
    if isinstance(value, datetime):
        return epoch_ms(value)
    if isinstance(value, Price):
        return value.model_dump()
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]  # text, a number or null: the models say so
