"""The words of a conversation: what it asks of its driver, what it is told, and all that is fixed before it begins.

Owns these types, the zone their times are told in, and nothing that happens; what a conversation does is `protocol.flow`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, Protocol, TypeAlias, TypeVar

from passbridge.domain import Code, Outcome
from passbridge.protocol.gateway import Prepared, Sealed
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.wire import NoReply, WireRequest, WireResponse

__all__ = ["GATEWAY_ZONE", "Budget", "Conversation", "Exchange", "Flow", "Instant", "Pause", "Policy", "Subject"]

GATEWAY_ZONE: Final = timezone(timedelta(hours=8))
"""Hong Kong's and Beijing's time, in which both gateways write theirs."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long and how often to try, for one `apply` (seconds)."""

    attempts: int = 3
    deadline: float = 10.0
    connect_timeout: float = 3.0
    read_timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds, then tell the time. Answered by an `Instant`."""

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Instant:
    """The time: by the calendar, and by a clock that is never set back (seconds)."""

    wall: datetime
    monotonic: float


@dataclass(frozen=True, slots=True)
class Exchange:
    """Send this request and give the answer or `NoReply`, not later than the deadline (monotonic seconds)."""

    request: WireRequest
    deadline: float
    policy: Policy


class Budget(Protocol):
    """What trying again draws on, so that an outage isn't multiplied by every caller's patience."""

    def spend(self) -> bool:
        """Draw one more attempt; false where nothing is left."""
        ...

    def earn(self) -> None:
        """An answer came that decides: put one attempt back."""
        ...


@dataclass(frozen=True, slots=True)
class Subject:
    """What an outcome is about: the account, and what names the update."""

    account: str
    pass_id: str | None = None
    key: str | None = None


_T = TypeVar("_T")
Flow: TypeAlias = Generator[Pause | Exchange, Instant | WireResponse | NoReply, _T]
"""A conversation: yields what is to be done, is sent what happened, returns what is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Everything one conversation needs, fixed before it begins.

    Attributes:
        gateway: the account's pure steps.
        prepared: the update, encoded once.
        subject: what the outcome names.
        outcomes: what each code means.
        policy: how long and how often.
        jitter: gives a number from 0 to 1.
        budget: what trying again draws on, over all conversations of a client.
        after: an earlier outcome of the same update.
    """

    gateway: Sealed
    prepared: Prepared
    subject: Subject
    outcomes: Mapping[Code, OutcomeRow]
    policy: Policy
    jitter: Callable[[], float]
    budget: Budget
    after: Outcome | None = None
