"""The conversation about one update, written once: attempts, waits, doubt, and the query that may settle it.

Owns the generator that yields what is to be done and is sent what happened. It does no input or output and has no
clock: a driver waits, reads the clock and sends (`transport`), synchronously or not. Its words are
`protocol.conversation`'s, its outcome `protocol.record`'s.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from passbridge.domain import Code, Effect, Outcome
from passbridge.protocol.conversation import Conversation, Exchange, Flow, Instant, Pause, Policy
from passbridge.protocol.gateway import AnswersQueries, Prepared, Sealed
from passbridge.protocol.record import Record, begin, conclude
from passbridge.protocol.resolve import may_ask, may_resend, resolve
from passbridge.protocol.verdict import Verdict, no_reply, retry_after
from passbridge.protocol.wire import NoReply

__all__ = ["ask", "converse"]

_BACK_OFF: Final = (0.2, 5.0)
_SLOW_BACK_OFF: Final = (1.0, 30.0)
"""Seconds: the first and the longest wait before another attempt, plain and after a rate limit."""


_DECIDED: Final = frozenset({Effect.APPLIED, Effect.IN_STATE, Effect.NOT_APPLIED})
"""The gateway answered, and knew: it is not in an outage."""


def converse(about: Conversation) -> Flow[Outcome]:
    """Try until something is known, the attempts are used up, or the deadline would pass."""
    outcome, _ = yield from _converse(about)
    return outcome


def ask(about: Conversation) -> Flow[tuple[Outcome, object]]:
    """The same for a call whose verified answer is wanted: the outcome, and the answer or None."""
    outcome, record = yield from _converse(about)
    return outcome, record.verdicts[-1].answer


def _converse(about: Conversation) -> Flow[tuple[Outcome, Record]]:
    started = yield from _now()
    ends = started.monotonic + about.policy.deadline
    record = begin(about.after)
    wait: float | None = 0.0
    while wait is not None:
        begun = yield from _begun(about, record, wait, ends)
        if begun is None:
            break
        verdict = yield from _attempt(about.gateway, about.prepared, about.policy, begun, ends)
        ended = yield from _now()
        record.verdicts.append(verdict)
        record.add(verdict, begun, ended)
        _earn(about, verdict)
        wait = _wait(about, record, ends - ended.monotonic)
    if not record.verdicts:
        record.verdicts.append(Verdict(code=Code.NOT_SENT, sent=False, reason="the deadline came before any attempt"))
    yield from _ask_at_the_end(about, record, ends)
    ended = yield from _now()
    return conclude(about, record, started, ended), record


def _now(wait: float = 0.0) -> Flow[Instant]:
    instant = yield Pause(wait)
    if not isinstance(instant, Instant):
        raise TypeError("a pause is answered by an instant")
    return instant


def _begun(about: Conversation, record: Record, wait: float, ends: float) -> Flow[Instant | None]:
    """When the next attempt begins; None where the deadline has come, or the query has settled what was in doubt."""
    begun = yield from _now(wait)
    question = _question(about, record) if begun.monotonic < ends else None
    if question is not None:
        # Half of what is left, so that a query that hangs leaves the attempt its chance.
        yield from _inquire(about, record, question, (begun.monotonic + ends) / 2)
        begun = yield from _now()
    return None if begun.monotonic >= ends or (question and not _in_doubt(about, record)) else begun


def _ask_at_the_end(about: Conversation, record: Record, ends: float) -> Flow[None]:
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


def _question(about: Conversation, record: Record) -> tuple[Sealed, Prepared] | None:
    """What to ask the gateway; None where nothing is in doubt, or no answer could settle it."""
    if not _in_doubt(about, record) or not may_ask(about.prepared.action) or not isinstance(about.gateway, AnswersQueries):
        return None
    return about.gateway.inquiring(about.prepared)


def _in_doubt(about: Conversation, record: Record) -> bool:
    """Whether an attempt is in doubt and nothing since has settled it."""
    if not record.verdicts:
        return bool(record.earlier)
    known = resolve(about.prepared.action, record.earlier, record.verdicts, about.outcomes)
    return about.outcomes[known.code].effect is Effect.UNKNOWN


def _inquire(about: Conversation, record: Record, question: tuple[Sealed, Prepared], ends: float) -> Flow[None]:
    """Ask; only the wanted state counts as a verdict. "Not there" may be "not there yet": it settles nothing."""
    if not about.budget.spend():
        record.remarks.append("not asked what became of it: too many attempts of this client failed lately")
        return
    begun = yield from _now()
    verdict = yield from _attempt(*question, about.policy, begun, ends)
    ended = yield from _now()
    record.add(replace(verdict, sent=False, reason=f"query: {verdict.reason or verdict.code}"), begun, ended)
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
    if verdict.errand is not None:
        brought = yield from _attempt(*verdict.errand, policy, answered, ends)  # an errand's verdict never asks for another
        again = yield from _now()
        verdict = _after(brought, verdict, gateway.judge(prepared, request, reply, again.wall))
    asked = retry_after(reply, answered.wall) if verdict.retry_after is None else None
    return verdict if asked is None else replace(verdict, retry_after=asked)


def _after(brought: Verdict, first: Verdict, second: Verdict) -> Verdict:
    """The verdict on an answer after an errand for its sake: the second, or the first and what came of the errand."""
    if second.errand is None:
        return replace(second, note=second.note or brought.note)
    return replace(first, errand=None, finding=brought.finding or first.finding, reason=f"{first.reason}; {brought.reason or brought.code}")


def _wait(about: Conversation, record: Record, left: float) -> float | None:
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


def _back_off(about: Conversation, record: Record) -> float:
    """Seconds to wait after the last attempt: they double, with full jitter; what the answer asked for is the least."""
    last = record.verdicts[-1]
    first, longest = _SLOW_BACK_OFF if last.slow else _BACK_OFF
    wait: float = max(about.jitter() * min(longest, first * 2 ** (len(record.verdicts) - 1)), last.retry_after or 0.0)
    return wait
