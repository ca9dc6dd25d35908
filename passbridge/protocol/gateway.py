"""What a backend gives for one account: the pure steps between an update and a verdict.

Owns the port that both backends, and a third party's, stand behind. Knows none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from passbridge.domain import Action, JsonObject, PassUpdate
from passbridge.errors import Problem
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import WireRequest, WireResponse

__all__ = [
    "AnswersQueries",
    "CallsPaths",
    "Capabilities",
    "Credential",
    "ExecutesRequests",
    "Gateway",
    "NeedsRandomness",
    "Prepared",
    "Sealed",
    "TellsCredentials",
]

EXPIRES_SOON: Final = timedelta(days=30)
"""How long before its end a certificate is warned of."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an account can carry.

    Attributes:
        account: its name.
        backend: what speaks for it.
        profile: the variant of the gateway's API.
        actions: the actions it has.
        kinds: the kinds of change it has.
        members: the members of an update that travel, by their paths (`pass.id`, `proof.code`, `content`, …).
    """

    account: str
    backend: str
    profile: str
    actions: tuple[Action, ...]
    kinds: tuple[str, ...]
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """One update, or one other call, encoded once: every attempt carries these bytes under a fresh time and signature.

    Attributes:
        content: the backend's own encoded form; nobody else looks inside.
        action: the update's action, or the method or path of another call.
        subject: what the answer must be about, where the gateway echoes it.
        at: the update's own moment.
        notes: what was left out.
        problems: why it can't be sent.
    """

    content: object
    action: str
    subject: str | None = None
    at: datetime | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


class Sealed(Protocol):
    """What the conversation needs: to sign what was prepared, and to judge what came back. Pure; safe in any thread."""

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign what was prepared, at this time: the exact request."""
        ...

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        """Verify an answer over its exact bytes, read it strictly, and say what it proves."""
        ...


class Gateway(Sealed, Protocol):
    """One account at one gateway."""

    @property
    def capabilities(self) -> Capabilities:
        """What the account can carry."""
        ...

    def prepare(self, update: PassUpdate, now: datetime) -> Prepared:
        """Translate and encode an update, or say every reason why it can't be sent."""
        ...


@runtime_checkable
class AnswersQueries(Protocol):
    """A gateway that can be asked in which state a pass is, when an update of it is in doubt."""

    def inquiring(self, prepared: Prepared) -> tuple[Sealed, Prepared] | None:
        """The question about this update, prepared; None where the account doesn't ask, or no answer would settle it.

        Its verdict is `ALREADY_IN_STATE` only on a verified answer that shows this very pass in the wanted state. Every
        other verdict settles nothing, and none stands for a request that could change the pass. A verified answer that was
        read is the verdict's `answer`, whatever it shows.
        """
        ...


@runtime_checkable
class ExecutesRequests(Protocol):
    """A gateway that carries any request object of its official SDK."""

    def executing(self, sdk_request: object) -> tuple[Sealed, Prepared]:
        """The call, prepared; its verdict's `answer` is the SDK's response object."""
        ...


@runtime_checkable
class CallsPaths(Protocol):
    """A gateway that carries any JSON body to any of its paths."""

    def calling(self, path: str, body: JsonObject) -> tuple[Sealed, Prepared]:
        """The call, prepared; its verdict's `answer` is the verified JSON object."""
        ...


Age: TypeAlias = Literal["not_yet_valid", "valid", "expires_soon", "expired"]


@dataclass(frozen=True, slots=True)
class Credential:
    """A key or certificate of an account, as far as everybody may know it.

    Attributes:
        member: the setting that holds it.
        kind: `RSA private key`, `RSA certificate`, …
        bits: its length.
        begins: since when it is valid; None where it has no such time.
        ends: until when.
    """

    member: str
    kind: str
    bits: int
    begins: datetime | None = None
    ends: datetime | None = None

    def age(self, now: datetime) -> Age:
        """Where in its life it is."""
        if self.begins is not None and now < self.begins:
            return "not_yet_valid"
        if self.ends is None or now < self.ends - EXPIRES_SOON:
            return "valid"
        return "expires_soon" if now < self.ends else "expired"


@runtime_checkable
class TellsCredentials(Protocol):
    """A gateway that tells which keys and certificates it was opened with."""

    @property
    def credentials(self) -> tuple[Credential, ...]:
        """Each of them."""
        ...


@runtime_checkable
class NeedsRandomness(Protocol):
    """A gateway that may need random bytes for each request, such as a key of its own: they are handed in, as the time is."""

    def drawing(self, draw: Callable[[int], bytes]) -> Gateway:
        """The same gateway, drawing so many random bytes at a time from here."""
        ...
