"""The conversation about one update, written once: attempts, waits, doubt, and the outcome.

Owns the generator that yields what is to be done and is sent what happened. It does no input or output and has no
clock: a driver waits, reads the clock and sends (`transport`), synchronously or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Final

from passbridge.domain import Attempt, Code, Effect, Outcome
from passbridge.protocol.conversation import Budget, Conversation, Exchange, Flow, Instant, Pause, Policy, Subject
from passbridge.protocol.gateway import AnswersQueries, Prepared, Sealed
from passbridge.protocol.resolve import Known, may_ask, may_resend, resolve
from passbridge.protocol.verdict import Verdict, no_reply, retry_after
from passbridge.protocol.wire import NoReply

__all__ = ["GATEWAY_ZONE", "Budget", "Conversation", "Exchange", "Flow", "Instant", "Pause", "Policy", "Subject", "ask", "converse"]

GATEWAY_ZONE: Final = timezone(timedelta(hours=8))
"""Hong Kong's and Beijing's time, in which both gateways write theirs."""

_BACK_OFF: Final = (0.2, 5.0)
_SLOW_BACK_OFF: Final = (1.0, 30.0)
"""Seconds: the first and the longest wait before another attempt, plain and after a rate limit."""


_DECIDED: Final = frozenset({Effect.APPLIED, Effect.IN_STATE, Effect.NOT_APPLIED})
"""The gateway answered, and knew: it is not in an outage."""


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
        begun = yield from _begun(about, record, wait, ends)
        if begun is None:
            break
        verdict = yield from _attempt(about.gateway, about.prepared, about.policy, begun, ends)
        ended = yield from _now()
        record.verdicts.append(verdict)
        record.attempts.append(_attempt_row(len(record.attempts) + 1, verdict, begun, ended))
        _earn(about, verdict)
        wait = _wait(about, record, ends - ended.monotonic)
    if not record.verdicts:
        record.verdicts.append(Verdict(code=Code.NOT_SENT, sent=False, reason="the deadline came before any attempt"))
    yield from _ask_at_the_end(about, record, ends)
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


def _begun(about: Conversation, record: _Record, wait: float, ends: float) -> Flow[Instant | None]:
    """When the next attempt begins; None where the deadline has come, or the query has settled what was in doubt."""
    begun = yield from _now(wait)
    question = _question(about, record) if begun.monotonic < ends else None
    if question is not None:
        # Half of what is left, so that a query that hangs leaves the attempt its chance.
        yield from _inquire(about, record, question, (begun.monotonic + ends) / 2)
        begun = yield from _now()
    return None if begun.monotonic >= ends or (question and not _in_doubt(about, record)) else begun


def _ask_at_the_end(about: Conversation, record: _Record, ends: float) -> Flow[None]:
    """Nothing is sent any more: what is in doubt is asked about once more, after the same wait as another attempt."""
    question = _question(about, record)
    if question is None:
        return
    now = yield from _now()
    wait = _back_off(about, record)
    if wait >= ends - now.monotonic:
        return
    begun = yield from _now(wait)
    if begun.monotonic < ends:
        yield from _inquire(about, record, question, ends)


def _question(about: Conversation, record: _Record) -> tuple[Sealed, Prepared] | None:
    """What to ask the gateway; None where nothing is in doubt, or no answer could settle it."""
    if not _in_doubt(about, record) or not may_ask(about.prepared.action) or not isinstance(about.gateway, AnswersQueries):
        return None
    return about.gateway.inquiring(about.prepared)


def _in_doubt(about: Conversation, record: _Record) -> bool:
    """Whether an attempt is in doubt and nothing since has settled it."""
    if not record.verdicts:
        return bool(record.earlier)
    known = resolve(about.prepared.action, record.earlier, record.verdicts, about.outcomes)
    return about.outcomes[known.code].effect is Effect.UNKNOWN


def _inquire(about: Conversation, record: _Record, question: tuple[Sealed, Prepared], ends: float) -> Flow[None]:
    """Ask; only the wanted state counts as a verdict. "Not there" may be "not there yet": it settles nothing."""
    if not about.budget.spend():
        record.remarks.append("not asked what became of it: too many attempts of this client failed lately")
        return
    begun = yield from _now()
    verdict = yield from _attempt(*question, about.policy, begun, ends)
    ended = yield from _now()
    told = replace(verdict, sent=False, reason=f"query: {verdict.reason or verdict.code}")
    record.attempts.append(_attempt_row(len(record.attempts) + 1, told, begun, ended))
    _earn(about, verdict)
    if about.outcomes[verdict.code].effect is Effect.IN_STATE:
        record.verdicts.append(verdict)


def _earn(about: Conversation, verdict: Verdict) -> None:
    if verdict.answer is not None or (about.outcomes[verdict.code].effect in _DECIDED and verdict.code is not Code.RATE_LIMITED):
        about.budget.earn()


def _attempt(gateway: Sealed, prepared: Prepared, policy: Policy, begun: Instant, ends: float) -> Flow[Verdict]:
    try:
        request = gateway.seal(prepared, begun.wall)
    except Exception as error:  # noqa: BLE001 - a merchant's own signer may raise anything; nothing was sent
        return Verdict(code=Code.NOT_SENT, sent=False, reason=f"signing failed: {type(error).__name__}")
    sealed = yield from _now()
    if sealed.monotonic >= ends:
        return Verdict(code=Code.NOT_SENT, sent=False, reason="the deadline came before the request left")
    reply = yield Exchange(request, ends, policy)
    if isinstance(reply, NoReply):
        return no_reply(reply)
    if isinstance(reply, Instant):
        raise TypeError("an exchange is answered by a response or its absence")
    answered = yield from _now()
    verdict = gateway.judge(prepared, request, reply, answered.wall)
    return verdict if verdict.retry_after is not None else replace(verdict, retry_after=retry_after(reply, answered.wall))


def _wait(about: Conversation, record: _Record, left: float) -> float | None:
    """Seconds until the next attempt; None where there is none. No wait begins that would end past the deadline."""
    last = record.verdicts[-1]
    codes = (*record.earlier, *(verdict.code for verdict in record.verdicts))
    doubt = any(about.outcomes[code].effect is Effect.UNKNOWN for code in codes)
    if len(record.verdicts) >= about.policy.attempts or not may_resend(about.prepared.action, last, doubt=doubt):
        return None
    wait = _back_off(about, record)
    if wait >= left:
        return None
    if not about.budget.spend():
        record.remarks.append("not tried again: too many attempts of this client failed lately")
        return None
    return wait


def _back_off(about: Conversation, record: _Record) -> float:
    """Seconds to wait after the last attempt: they double, with full jitter; what the answer asked for is the least."""
    last = record.verdicts[-1]
    first, longest = _SLOW_BACK_OFF if last.slow else _BACK_OFF
    wait: float = max(about.jitter() * min(longest, first * 2 ** (len(record.verdicts) - 1)), last.retry_after or 0.0)
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
