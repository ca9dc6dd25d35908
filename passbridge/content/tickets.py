"""What AlipayHK's tickets show: admission, cinema, bus and ship.

Owns their fields, as the create pages name them. How a value is written is `scenario`'s.
"""

from __future__ import annotations

from pydantic import Field

from passbridge.content.scenario import Lines, Price, Scenario, Words
from passbridge.domain.updates import Moment

__all__ = ["AdmissionTicket", "BusTicket", "MovieTicket", "ShipTicket"]


class AdmissionTicket(Scenario):
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


class MovieTicket(Scenario):
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


class _Passage(Scenario):
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
