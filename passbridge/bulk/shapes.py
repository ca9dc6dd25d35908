"""What a job is told and what it tells: options, states, progress, entries.

Owns the words between the runner and whoever starts it. Knows neither a database nor a network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from passbridge.domain import JsonValue, Outcome

if TYPE_CHECKING:
    from passbridge.domain import PassUpdate

__all__ = ["End", "Entry", "Options", "State", "Status", "Stop", "worst"]

_ALARM: Final = (70, 5, 4, 3, 2, 1, 6, 0)
"""Exit codes, the one that wins first (CONTRACT, section 8)."""


class State(StrEnum):
    """Where a row stands. All but `OPEN`, `UNSENT` and `UNKNOWN` are final."""

    OPEN = "open"
    """Nothing is known to have been sent; or it is in flight now."""
    UNSENT = "unsent"
    """Tried, and refused for the rate or not sent at all: it will be taken up again."""
    UNKNOWN = "unknown"
    """Sent, and in doubt."""
    APPLIED = "applied"
    """The wanted state holds, proven or presumed."""
    REFUSED = "refused"
    """The gateway said no."""
    INVALID = "invalid"
    """No update, or one that its account can't carry: nothing was sent."""
    SUPERSEDED = "superseded"
    """A later Revise of the same pass took its place: nothing was sent."""
    REPEATED = "repeated"
    """The same key and content as an earlier row, whose outcome is this one's too."""
    SETTLED = "settled"
    """An operator's word ended its doubt."""


class End(StrEnum):
    """How a run ended."""

    DONE = "done"
    """Every row that could be carried out was; what is left waits for a person."""
    STOPPED = "stopped"
    """It was asked to stop, and finished what was in flight."""
    PAUSED = "paused"
    """Answers stopped arriving or being trustworthy, and did not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a job is to be run.

    Attributes:
        rate: requests a second for each account, over all workers of the ledger; None for as fast as they are answered.
        workers: processes; None for one a core, but no more than the rows are worth.
        concurrency: requests in flight for each account in each process, at most.
        supersede: whether a later Revise that writes the same parameters of the same pass takes the place of one not sent yet.
        force: whether a later update of a pass may start though an earlier one is in doubt and won't be tried again by itself.
        patience: seconds that an account whose answers stopped arriving or being trustworthy is probed before it is given up.
    """

    rate: float | None = None
    workers: int | None = None
    concurrency: int = 64
    supersede: bool = False
    force: bool = False
    patience: float = 60.0

    def __post_init__(self) -> None:
        if self.rate is not None and not 0 < self.rate < float("inf"):
            raise ValueError("rate: must be a number above 0")
        if min(self.concurrency, 1 if self.workers is None else self.workers) < 1:
            raise ValueError("workers and concurrency: must be at least 1")
        if not self.patience >= 0:
            raise ValueError("patience: must be 0 or more seconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How far a job is. Cheap to ask for, from any process, at any time.

    Attributes:
        rows: the rows of the input; while `loading`, those written so far.
        states: how many rows are in each state.
        codes: how many rows have each outcome code.
        in_flight: how many of the open rows are marked as in doubt now, since their requests may be under way.
        loading: whether the input is still being written to the ledger.
        end: how this run ended; None for a run that goes on, or for a look from outside.
        exit: the exit code that the outcomes so far call for (CONTRACT, section 8).
        rate: requests a second asked for; None where none was.
    """

    rows: int
    states: Mapping[State, int] = field(default_factory=lambda: MappingProxyType({}))
    codes: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    in_flight: int = 0
    loading: bool = False
    end: End | None = None
    exit: int = 0
    rate: float | None = None

    @property
    def done(self) -> int:
        """Rows that need nothing more from a runner: the final ones, and those in doubt that wait for a person."""
        return self.rows - self.states.get(State.OPEN, 0) - self.states.get(State.UNSENT, 0)

    def as_json(self) -> dict[str, JsonValue]:
        """A `passbridge.bulk/1` document."""
        return {
            "schema": "passbridge.bulk/1",
            "rows": self.rows,
            "codes": dict(sorted(self.codes.items())),
            "exit": self.exit,
            "states": {state.value: self.states[state] for state in State if state in self.states},
            "in_flight": self.in_flight,
            "loading": self.loading,
            "end": self.end and self.end.value,
        }


@dataclass(frozen=True, slots=True)
class Entry:
    """One row as the ledger holds it.

    Attributes:
        line: where it stands in the input.
        state: where it stands now.
        text: the update's JSON, or what stood in the input.
        body: the outcome's JSON (`passbridge.outcome/1`); None for an open row. A row in flight shows its doubt.
    """

    line: int
    state: State
    text: str
    body: str | None

    @property
    def outcome(self) -> Outcome | None:
        """The outcome as an object."""
        return None if self.body is None else Outcome.model_validate_json(self.body)

    @property
    def update(self) -> PassUpdate | None:
        """The update as an object; None for a row that is none."""
        from passbridge.domain import load_update  # noqa: PLC0415 - an entry is mostly printed, not read
        from passbridge.errors import InvalidUpdate  # noqa: PLC0415 - likewise

        try:
            return load_update(self.text)
        except InvalidUpdate:
            return None


class Stop:
    """The request to end a run cleanly: nothing new starts, what is in flight is finished. From any thread or signal handler."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._told: list[Callable[[], object]] = []

    def request(self) -> None:
        """Ask. Asking again changes nothing."""
        self._asked.set()
        for tell in tuple(self._told):
            tell()

    @property
    def requested(self) -> bool:
        """Whether it was asked for."""
        return self._asked.is_set()

    def tell(self, listener: Callable[[], object]) -> None:
        """Call this when it is asked for, or now if it was; in the asker's thread."""
        self._told.append(listener)
        if self.requested:
            listener()


def worst(exits: Mapping[int, int] | set[int]) -> int:
    """Of several exit codes the one that wins."""
    return next((code for code in _ALARM if code in exits), 0)
