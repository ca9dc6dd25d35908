"""What passes between the ledger and whoever sends: lanes claimed, groups to send, results.

Owns these shapes, and how they cross a pipe. Knows neither a database nor a client.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from passbridge.bulk.outcomes import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Claim", "Idle", "Result", "Store", "Taken", "Turn"]


@dataclass(frozen=True, slots=True)
class Taken:
    """One row to be sent.

    Attributes:
        line: its line.
        at: its own moment, epoch ms, where the ledger keeps one.
        text: the update's JSON.
        body: the JSON of what is known so far; empty for a row that was never tried.
    """

    line: int
    at: int | None
    text: str
    body: str


@dataclass(frozen=True, slots=True)
class Result:
    """What has become of a row that was taken.

    Attributes:
        line: its line.
        verdict: what is to be kept; None where it was not tried.
        requests: how many requests it took; 0 for what only says that an earlier runner was killed.
        limited: whether the gateway refused for the rate.
    """

    line: int
    verdict: Verdict | None
    requests: int = 0
    limited: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A lane that was claimed.

    Attributes:
        account: its account.
        lane: its number.
        epoch: how often it was claimed: tells this holder from every other.
        killed: rows that were in flight when the one who held it before was gone.
        marked: when they were marked, seconds since 1970.
    """

    account: str
    lane: int
    epoch: int
    killed: tuple[Taken, ...]
    marked: float


@dataclass(frozen=True, slots=True)
class Idle:
    """There is no lane to claim now.

    Attributes:
        wait: seconds until it is worth asking again; None where nothing is left to do.
    """

    wait: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A group, marked as in doubt on the disk: it may be sent now. An empty one: the lane was given back.

    Attributes:
        rows: the group.
        start: seconds until its first request may leave.
        spacing: seconds between its requests.
        lease: seconds for which the lane is ours.
        wait: seconds to wait before asking again, where the rate leaves no permit now.
        lost: whether the lane was taken by another.
    """

    rows: tuple[Taken, ...] = ()
    start: float = 0.0
    spacing: float = 0.0
    lease: float = 0.0
    wait: float | None = None
    lost: bool = False


class Store(Protocol):
    """The ledger as a sender sees it: here, or at the other end of a pipe."""

    async def claim(self, owner: str, without: Sequence[str], lane: int | None = None) -> Claim | Idle:
        """Claim a lane that has something to do, of any account but these; or this lane."""
        ...

    async def turn(self, claim: tuple[int, int], results: Sequence[Result], limit: int) -> Turn:
        """Keep a group's results, and take and mark the next group of at most so many rows; with 0 give the lane back.

        A claim is named by its lane and epoch.
        """
        ...
