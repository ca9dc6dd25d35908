"""A scripted peer for the conversation: a gateway whose answers are verdicts written beforehand, and a clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from passbridge import Code, Outcome
from passbridge.protocol.conversation import Conversation, Exchange, Flow, Instant, Pause, Policy, Subject
from passbridge.protocol.flow import ask, converse
from passbridge.protocol.gateway import Prepared
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse

__all__ = ["START", "Peer", "prepared"]

START = datetime(2026, 11, 22, 2, 0, 0, 123456, tzinfo=UTC)

T = TypeVar("T")


def prepared(action: str = "redeem", **more: object) -> Prepared:
    """An update, encoded."""
    return Prepared(content=object(), action=action, **more)  # type: ignore[arg-type]


@dataclass
class Peer:
    """The edge of a conversation.

    Attributes:
        script: what comes of each attempt: a verdict on an answer, no reply, or an exception that the signer raises.
        outcomes: what each code means.
        left: how many attempts beyond the first may still be made.
        took: how many seconds each exchange takes.
        late: how many seconds each pause takes beyond what was asked.
        drawn: what was drawn on the budget and put back, in order.
        waits: the pauses that were asked for.
        exchanges: the exchanges that were asked for.
        sealed: what was signed, and when.
        judged: what was judged, and when.
    """

    script: Sequence[Verdict | NoReply | BaseException]
    outcomes: Mapping[Code, OutcomeRow]
    left: int = 1000
    took: float = 0.25
    late: float = 0.0
    seconds: float = 1000.0
    drawn: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    sealed: list[tuple[Prepared, datetime]] = field(default_factory=list)
    judged: list[tuple[Prepared, WireRequest, WireResponse, datetime]] = field(default_factory=list)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign, or fail as the script says."""
        self.sealed.append((prepared, now))
        step = self.script[len(self.sealed) - 1]
        if isinstance(step, BaseException):
            raise step
        return WireRequest("POST", "https://gateway.example", Headers(), str(len(self.sealed)).encode())

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        """The script's verdict on this attempt."""
        self.judged.append((prepared, request, response, now))
        step = self.script[int(response.body) - 1]
        assert isinstance(step, Verdict)
        return step

    def spend(self) -> bool:
        """Draw one more attempt on the budget."""
        self.drawn.append("spend")
        self.left -= 1
        return self.left >= 0

    def earn(self) -> None:
        """Put one attempt back."""
        self.drawn.append("earn")

    def now(self) -> Instant:
        """The scripted clock."""
        return Instant(START + timedelta(seconds=self.seconds - 1000.0), self.seconds)

    def drive(self, flow: Flow[T]) -> T:
        """Do what the conversation asks, by the script."""
        try:
            step = next(flow)
            while True:
                step = flow.send(self._done(step))
        except StopIteration as stop:
            result: T = stop.value
            return result

    def reply(self, body: bytes) -> Verdict | NoReply | BaseException:
        """What the script says of the exchange that sent this body."""
        return self.script[int(body) - 1]

    def _done(self, step: Pause | Exchange) -> Instant | WireResponse | NoReply:
        if isinstance(step, Pause):
            self.waits.append(step.seconds)
            self.seconds += step.seconds + self.late
            return self.now()
        self.exchanges.append(step)
        self.seconds += self.took
        reply = self.reply(step.request.body)
        return reply if isinstance(reply, NoReply) else WireResponse(200, Headers(), step.request.body)

    def about(
        self, what: Prepared | None = None, *, policy: Policy | None = None, jitter: float = 0.0, after: Outcome | None = None
    ) -> Conversation:
        """The conversation with this peer."""
        return Conversation(
            gateway=self,
            prepared=what or prepared(),
            subject=Subject("hk-tickets", "2995", "order-77"),
            outcomes=self.outcomes,
            policy=policy or Policy(),
            jitter=lambda: jitter,
            budget=self,
            after=after,
        )

    def talk(
        self, what: Prepared | None = None, *, policy: Policy | None = None, jitter: float = 0.0, after: Outcome | None = None
    ) -> Outcome:
        """The outcome of a whole conversation."""
        return self.drive(converse(self.about(what, policy=policy, jitter=jitter, after=after)))

    def asked(self, what: Prepared) -> tuple[Outcome, object]:
        """The outcome of a call and its answer."""
        return self.drive(ask(self.about(what)))

    def between(self) -> list[float]:
        """The waits that were not just looks at the clock."""
        return [wait for wait in self.waits if wait]
