"""How fast: permits of a rate shared by all workers, when they are used, requests in flight, and the breaker.

Owns the four rules. Pure: time comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

__all__ = ["Breaker", "Gate", "Pace", "Sign", "Slots", "Window"]

_AHEAD: Final = 60.0
_PERMITS: Final = 1024
"""No permit lies further ahead than so many seconds and so many permits (16 at the slowest), unless the clock was set back."""
_RECOVERY: Final = 0.1
"""The part of the rate that is won back in a second without a refusal."""
_SLOWEST: Final = 1 / 64


@dataclass(frozen=True, slots=True)
class Pace:
    """An account's rate: when its next request may leave (GCRA without a burst). One row, shared by all workers.

    Attributes:
        rate: requests a second; None where none is asked for.
        next: when the next permit begins, seconds since 1970.
        factor: the part of the rate in force, after the gateway refused for the rate.
        changed: when that changed.
    """

    rate: float | None
    next: float = 0.0
    factor: float = 1.0
    changed: float = 0.0

    @property
    def spacing(self) -> float:
        """Seconds between two permits."""
        return 0.0 if self.rate is None else 1 / (self.rate * self.factor)

    def start(self, now: float) -> float:
        """When the next permit begins."""
        return now if self.rate is None or self.next > now + _AHEAD + _PERMITS / self.rate else max(self.next, now)

    def reserved(self, now: float, permits: float) -> Pace:
        """After so many permits were taken."""
        return self if self.rate is None else replace(self, next=self.start(now) + permits * self.spacing)

    def told(self, now: float, *, limited: bool) -> Pace:
        """After a group's answers: half the rate at most once a second, and slowly back."""
        since = now - self.changed
        if limited:
            return replace(self, factor=max(_SLOWEST, self.factor / 2), changed=now) if not 0 <= since < 1 else self
        if self.factor < 1 and not 0 <= since <= 1:  # of a clock that was set back nothing is known but that time has passed
            return replace(self, factor=min(1.0, self.factor + _RECOVERY * max(0.0, since)), changed=now)
        return self


_LATE: Final = 0.01
"""Seconds by which a process's own timers may be late without all that follows becoming later: a hundredth of the rate at most."""


@dataclass(slots=True)
class Slots:
    """When one process uses an account's permits: in their order and at their distance, also after it stood still.

    A slot is a moment of a clock that stands still while the process does: after a stall, or a wait for room, what is
    overdue doesn't leave at once. A stall slows a job, and never makes it burst.

    Attributes:
        stood: seconds for which that clock stood still.
        last: the last slot that was given away.
        distance: how far from the one before.
    """

    stood: float = 0.0
    last: float = float("-inf")
    distance: float = 0.0

    def plan(self, start: float, spacing: float, count: int) -> list[float]:
        """The slots of a group whose permits begin then."""
        # Of two rates the faster one: what the other would have reserved, the ledger knows, and may have been told to forget.
        first = max(start - self.stood, self.last + min(self.distance, spacing))
        slots = [first + n * spacing for n in range(count)]
        self.last, self.distance = slots[-1], spacing
        return slots

    def wait(self, slot: float, now: float) -> float:
        """Seconds until the slot's moment; not above 0 where it has come."""
        return slot + self.stood - now

    def leave(self, slot: float, now: float) -> None:
        """A request leaves in this slot: if that is late, so is everything behind it."""
        late = now - slot - self.stood - _LATE
        if late > 0:
            self.stood += late


class Sign(StrEnum):
    """What one answer, or its absence, says about the gateway."""

    GOOD = "good"
    """It answers, and its answers can be trusted."""
    SLOW = "slow"
    """It asks for fewer requests."""
    BAD = "bad"
    """No answer, none that can be trusted, or none that our set-up will ever get."""


@dataclass(slots=True)
class Window:
    """How many requests of an account may be in flight: doubled while all is well at first, then one more at a time; halved on trouble.

    Attributes:
        most: never more.
        size: how many now.
    """

    most: int
    size: float = 4.0
    steep: bool = True
    _halved: float = float("-inf")

    def __post_init__(self) -> None:
        self.size = min(self.size, float(self.most))

    def note(self, sign: Sign, now: float) -> None:
        """Take in one answer."""
        if sign is Sign.GOOD:
            self.size = min(float(self.most), self.size + (1.0 if self.steep else 1.0 / self.size))
        elif now - self._halved >= 1:
            self.size, self.steep, self._halved = max(1.0, self.size / 2), False, now

    def restart(self) -> None:
        """Begin small, after a pause."""
        self.size, self.steep = 1.0, True


_TRIPS: Final = 5
"""Bad answers one after another that pause an account."""
_FIRST: Final = 1.0
_LONGEST: Final = 30.0


@dataclass(slots=True)
class Breaker:
    """Pauses an account whose answers stop arriving or being trustworthy, probes it, and lets it go on.

    Attributes:
        patience: seconds from the pause until the account is given up.
        bad: bad answers one after another.
        since: when the pause began; None while all is well.
        probe: when the next probe may go.
        given_up: whether it won't be probed any more.
    """

    patience: float
    bad: int = 0
    since: float | None = None
    probe: float = 0.0
    given_up: bool = False
    _pause: float = _FIRST

    def note(self, sign: Sign, now: float) -> bool:
        """Take in one answer; true where it ended a pause."""
        if sign is not Sign.BAD:
            ended, self.since, self.bad, self._pause = self.since is not None, None, 0, _FIRST
            self.given_up = False
            return ended
        self.bad += 1
        if self.since is None and self.bad >= _TRIPS:
            self.since, self.probe, self._pause = now, now + min(_FIRST, self.patience), _FIRST
        elif self.since is not None and now >= self.probe:
            self._pause = min(2 * self._pause, _LONGEST)
            self.probe = now + self._pause
        if self.since is not None and (now - self.since >= self.patience or self.probe > self.since + self.patience):
            self.given_up = True
        return False

    @property
    def closed(self) -> bool:
        """Whether requests may go as they come."""
        return self.since is None


@dataclass(slots=True)
class Gate:
    """One account as one process sees it: how many requests, and whether any."""

    window: Window
    breaker: Breaker
    slots: Slots = field(default_factory=Slots)
    flying: int = 0

    def note(self, sign: Sign, now: float) -> None:
        """Take in one answer."""
        self.window.note(sign, now)
        if self.breaker.note(sign, now):
            self.window.restart()

    def open(self, now: float) -> bool:
        """Whether one more request may go now. In a pause one at a time, when its moment has come."""
        if self.breaker.closed:
            return self.flying < int(self.window.size)
        return self.probing(now)

    def probing(self, now: float) -> bool:
        """Whether a probe may go."""
        return not self.breaker.closed and not self.breaker.given_up and self.flying == 0 and now >= self.breaker.probe
