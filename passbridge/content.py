"""What AlipayHK's passes show, typed: the scenarios whose fields its create pages name (protocol, section 4.3).

    ticket = AdmissionTicket(address=Localised(zh_HK="香港仔", en_US="Aberdeen"), available_times=1, start_time=…, end_time=…)
    outcome = client.apply(ticket.revise(PassRef(id="2995…", user_id="2160…"), to="hk-tickets"))

Owns the scenarios' field names and what form each value takes. It writes a `Content`, by bare names: the gateway's own
spelling of them is the tables', and so are the documented lengths, which only note (real integrations exceeded them).
A scenario asks for every field that its page requires of a new pass, since it is not documented whether an update
merges or replaces. To send less, or what no page names, use `Content` itself.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final, Generic, Self, TypeAlias, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from passbridge.domain import Content, JsonObject, JsonValue, PassRef, Revise
from passbridge.domain.passes import Model, Params
from passbridge.domain.updates import Moment
from passbridge.protocol.translate import epoch_ms

__all__ = ["AdmissionTicket", "BusTicket", "Level", "Localised", "MovieTicket", "Price", "Score", "ShipTicket", "Validity"]

_LANGUAGES: Final = ("zh_HK", "en_US")
"""AlipayHK's two (its create pages)."""

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


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Price(Model):
    """An amount of money.

    Attributes:
        cent: in the smallest unit: 800 is 8 dollars.
        currency: its ISO 4217 name.
    """

    cent: int = Field(ge=0)
    currency: str = Field("HKD", pattern="^[A-Z]{3}$")


class _Scenario(Model):
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
        locales: dict[str, JsonObject] = {language: {} for language in _LANGUAGES}
        for name in type(self).model_fields:
            if name == "more" or name not in self.model_fields_set:
                continue
            wire, value = type(self).model_fields[name].alias or name, getattr(self, name)
            if isinstance(value, Localised):
                texts = {language: _written(getattr(value, language)) for language in _LANGUAGES}
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
        return _revise(pass_, {"to": to, "key": key, "kind": self.kind, "content": self.content(), "at": at})


class AdmissionTicket(_Scenario):
    """An admission ticket (`UPDATE_PASS`; page api-admission_ticket, complete).

    Attributes:
        ticket_name: at most 12 characters in Chinese, 24 in English.
        address: at most 24 and 48.
        available_times: how often it can be used.
        price: what it cost.
        start_time: when its validity begins.
        end_time: when it ends.
        platform_name: who sold it; at most 32 and 64.
        platform_logo: an image's address, at most 256; the image below 100 KB.
    """

    kind = "pass"

    ticket_name: Words | None = None
    address: Words
    available_times: int = Field(ge=0)
    price: Price | None = None
    start_time: Moment
    end_time: Moment
    platform_name: Words | None = None
    platform_logo: Words | None = None


class MovieTicket(_Scenario):
    """A cinema ticket (`UPDATE_MOVIE`; page api-movie_ticket, its tail unknown: see `more`).

    Attributes:
        ticket_name: at most 12 characters in Chinese, 24 in English.
        available_times: how often it can be used.
        cinema_name: at most 32 and 64.
        address: at most 32 and 64.
        start_time: when the film begins.
        end_time: when it ends.
        movie_attributes: such as its language and format.
        cinema_house: at most 32 and 64.
        movie_seats: each seat.
        price: what it cost.
    """

    kind = "movie"

    ticket_name: Words | None = None
    available_times: int = Field(ge=0)
    cinema_name: Words
    address: Words
    start_time: Moment
    end_time: Moment
    movie_attributes: Lines
    cinema_house: Words
    movie_seats: Lines
    price: Price | None = None


class _Passage(_Scenario):
    from_: Words = Field(alias="from")
    from_address: Words
    to: Words
    to_address: Words
    available_times: int | None = Field(None, ge=0)
    price: Price | None = None
    start_time: Moment
    end_time: Moment
    ticket_type: Words | None = None


class BusTicket(_Passage):
    """A bus ticket (`UPDATE_BUS_TICKET`; page api-bus_ticket, its tail unknown: see `more`).

    Attributes:
        from_: where it departs (`from`); at most 24 characters in Chinese, 48 in English.
        from_address: at most 64 and 128.
        to: where it arrives; at most 24 and 48.
        to_address: at most 64 and 128.
        available_times: how often it can be used.
        price: what it cost.
        start_time: when it departs.
        end_time: when it arrives.
        ticket_type: at most 12 in Chinese.
    """

    kind = "bus_ticket"


class ShipTicket(_Passage):
    """A ship's ticket (`UPDATE_SHIP_TICKET`; page api-ship_ticket): the fields of `BusTicket`."""

    kind = "ship_ticket"


class Score(_Scenario):
    """A member's points (`UPDATE_SCORE`; sample 3 of seed 000), for the profile `card`.

    Attributes:
        score: sent as text, as in the sample; a whole number may be given.
    """

    kind = "score"

    score: Annotated[str, BeforeValidator(_digits)] | Localised[str]


class Level(_Scenario):
    """A member's level (`UPDATE_LEVEL`; sample 2 of seed 000), for the profile `card`.

    Attributes:
        level: its name, such as `gold card`.
    """

    kind = "level"

    level: Words


class Validity(_Scenario):
    """The end of a card's validity (`UPDATE_VALIDITY`), for the profile `card`. No page shows a content that goes with it.

    Attributes:
        valid_until: its last moment (`endDate`).
    """

    kind = "validity"

    valid_until: Moment

    def content(self) -> Content:
        """What else the pass shall show: `more` alone."""
        return Content(params=self.more)

    def revise(self, pass_: PassRef, *, to: str | None = None, key: str | None = None, at: datetime | None = None) -> Revise:
        """The update that extends it, as that of any other scenario."""
        content = self.content() if self.more else None
        return _revise(pass_, {"to": to, "key": key, "kind": self.kind, "content": content, "at": at, "valid_until": self.valid_until})


def _revise(pass_: PassRef, members: dict[str, object]) -> Revise:
    """The update with the members that were given."""
    return Revise.model_validate({"pass_": pass_, **{name: value for name, value in members.items() if value is not None}})


def _written(value: object) -> JsonValue:
    """A value as JSON: times in milliseconds since 1970, as both gateways' samples have them."""
    if isinstance(value, datetime):
        return epoch_ms(value)
    if isinstance(value, Price):
        return value.model_dump()
    return list(value) if isinstance(value, tuple) else value  # type: ignore[return-value]  # text, a number or null: the models say so
