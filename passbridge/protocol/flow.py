"""The conversation about one update, written once: attempts, waits, doubt, and the outcome.

Owns the generator that yields what is to be done and is sent what happened. It does no input or output and has no
clock: a driver waits, reads the clock and sends (`transport`), synchronously or not.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Final, Protocol, TypeAlias, TypeVar

from passbridge.domain import Attempt, Code, Effect, Outcome
from passbridge.protocol.gateway import Prepared, Sealed
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.resolve import Known, may_resend, resolve
from passbridge.protocol.verdict import Verdict, no_reply, retry_after
from passbridge.protocol.wire import NoReply, WireRequest, WireResponse

__all__ = ["GATEWAY_ZONE", "Budget", "Conversation", "Exchange", "Flow", "Instant", "Pause", "Policy", "Subject", "ask", "converse"]

GATEWAY_ZONE: Final = timezone(timedelta(hours=8))
"""Hong Kong's and Beijing's time, in which both gateways write theirs."""

_BACK_OFF: Final = (0.2, 5.0)
_SLOW_BACK_OFF: Final = (1.0, 30.0)
"""Seconds: the first and the longest wait before another attempt, plain and after a rate limit."""


_DECIDED: Final = frozenset({Effect.APPLIED, Effect.IN_STATE, Effect.NOT_APPLIED})
"""The gateway answered, and knew: it is not in an outage."""


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


@dataclass(slots=True)
class _Record:
    """What happened so far.

    Attributes:
        attempts: every attempt of the update, those of an earlier outcome first.
        earlier: the doubt that an earlier outcome left, which is the most alarming of its own.
        verdicts: this call's verdicts.
        remarks: what else a reader should know.
    """

    attempts: list[Attempt]
    earlier: tuple[Code, ...]
    verdicts: list[Verdict] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def converse(about: Conversation) -> Flow[Outcome]:
    """Try until something is known, the attempts are used up, or the deadline would pass."""
    outcome, _ = yield from _converse(about)
    return outcome


def ask(about: Conversation) -> Flow[tuple[Outcome, object]]:
    """The same for a call whose verified answer is wanted: the outcome, and the answer or None."""
    outcome, record = yield from _converse(about)
    return outcome, record.verdicts[-1].answer


def _converse(about: Conversation) -> Flow[tuple[Outcome, _Record]]:
    started = yield from _now()
    ends = started.monotonic + about.policy.deadline
    record = _begin(about.after)
    wait: float | None = 0.0
    while wait is not None:
        begun = yield from _now(wait)
        if begun.monotonic >= ends:
            break
        verdict = yield from _attempt(about, begun, ends)
        ended = yield from _now()
        record.verdicts.append(verdict)
        record.attempts.append(_attempt_row(len(record.attempts) + 1, verdict, begun, ended))
        if about.outcomes[verdict.code].effect in _DECIDED and verdict.code is not Code.RATE_LIMITED:
            about.budget.earn()
        wait = _wait(about, record, ends - ended.monotonic)
    if not record.verdicts:
        record.verdicts.append(Verdict(code=Code.NOT_SENT, sent=False, reason="the deadline came before any attempt"))
    ended = yield from _now()
    return _outcome(about, record, started, ended), record


def _begin(after: Outcome | None) -> _Record:
    """An earlier outcome's attempts count; they leave a doubt only if that outcome did."""
    if after is None:
        return _Record([], ())
    return _Record(list(after.attempts), (after.code,) if after.effect is Effect.UNKNOWN else ())


def _now(wait: float = 0.0) -> Flow[Instant]:
    instant = yield Pause(wait)
    if not isinstance(instant, Instant):
        raise TypeError("a pause is answered by an instant")
    return instant


def _attempt(about: Conversation, begun: Instant, ends: float) -> Flow[Verdict]:
    try:
        request = about.gateway.seal(about.prepared, begun.wall)
    except Exception as error:  # noqa: BLE001 - a merchant's own signer may raise anything; nothing was sent
        return Verdict(code=Code.NOT_SENT, sent=False, reason=f"signing failed: {type(error).__name__}")
    sealed = yield from _now()
    if sealed.monotonic >= ends:
        return Verdict(code=Code.NOT_SENT, sent=False, reason="the deadline came before the request left")
    reply = yield Exchange(request, ends, about.policy)
    if isinstance(reply, NoReply):
        return no_reply(reply)
    if isinstance(reply, Instant):
        raise TypeError("an exchange is answered by a response or its absence")
    answered = yield from _now()
    verdict = about.gateway.judge(about.prepared, request, reply, answered.wall)
    return verdict if verdict.retry_after is not None else replace(verdict, retry_after=retry_after(reply, answered.wall))


def _wait(about: Conversation, record: _Record, left: float) -> float | None:
    """Seconds until the next attempt; None where there is none. No wait begins that would end past the deadline."""
    last = record.verdicts[-1]
    codes = (*record.earlier, *(verdict.code for verdict in record.verdicts))
    doubt = any(about.outcomes[code].effect is Effect.UNKNOWN for code in codes)
    if len(record.verdicts) >= about.policy.attempts or not may_resend(about.prepared.action, last, doubt=doubt):
        return None
    first, longest = _SLOW_BACK_OFF if last.slow else _BACK_OFF
    wait: float = max(about.jitter() * min(longest, first * 2 ** (len(record.verdicts) - 1)), last.retry_after or 0.0)
    if wait >= left:
        return None
    if not about.budget.spend():
        record.remarks.append("not tried again: too many attempts of this client failed lately")
        return None
    return wait


def _attempt_row(number: int, verdict: Verdict, begun: Instant, ended: Instant) -> Attempt:
    return Attempt(
        n=number,
        code=verdict.code,
        sent=verdict.sent,
        reason=verdict.reason,
        at=_stamp(begun.wall),
        trace_id=verdict.trace_id,
        elapsed=round(ended.monotonic - begun.monotonic, 3),
    )


def _stamp(moment: datetime) -> datetime:
    """In the gateways' zone, to the millisecond: what stands in an outcome."""
    moment = moment.astimezone(GATEWAY_ZONE)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _outcome(about: Conversation, record: _Record, started: Instant, ended: Instant) -> Outcome:
    known = resolve(about.prepared.action, record.earlier, record.verdicts, about.outcomes)
    row = about.outcomes[known.code]
    return Outcome(
        code=known.code,
        effect=row.effect,
        next=known.next,
        who=known.who,
        ok=row.ok,
        certain=row.certain,
        account=about.subject.account,
        action=about.prepared.action,
        pass_id=about.subject.pass_id,
        key=about.subject.key,
        at=about.prepared.at,
        notes=_notes(about.prepared, known, record),
        text=row.text,
        started=_stamp(started.wall),
        elapsed=round(ended.monotonic - started.monotonic, 3),
        attempts=tuple(record.attempts),
        **_words(known, about.after),
    )


def _words(known: Known, after: Outcome | None) -> dict[str, object]:
    """The gateway's words and the rule: the naming verdict's, or those of the earlier outcome whose doubt still stands."""
    source = known.verdict or after
    return {name: getattr(source, name) for name in ("mapped", "finding", "native", "trace_id", "rule")}


def _notes(prepared: Prepared, known: Known, record: _Record) -> tuple[str, ...]:
    remarks = [known.note, *(verdict.note for verdict in record.verdicts), *record.remarks]
    return (*prepared.notes, *dict.fromkeys(remark for remark in remarks if remark))
