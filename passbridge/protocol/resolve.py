"""What all attempts of one update together prove (CONTRACT: the rules of doubt and of trying again).

Owns the tables an honest outcome rests on: when an update may be sent again by itself, when its gateway may be asked
what became of it, and what a later answer settles after an attempt in doubt. Pure; whether a refusal settles a doubt is
a row's property (`settles`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from passbridge.domain import Code, Effect, Next, Who
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.verdict import Verdict

__all__ = ["ALARM", "Known", "may_ask", "may_resend", "resolve"]

ALARM: Final = (Code.UNTRUSTED_ANSWER, Code.BAD_ANSWER, Code.UNMAPPED, Code.NO_ANSWER, Code.PROVIDER_ERROR)
"""The doubts, the most alarming first: of several, the first names the outcome."""

_TRY_AGAIN: Final = frozenset({Code.NOT_SENT, Code.RATE_LIMITED, Code.NO_ANSWER, Code.PROVIDER_ERROR})
"""After these an update may be sent again by itself; after every other verdict never."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known after the last attempt.

    Attributes:
        code: the outcome code.
        verdict: the verdict that names it: of this call's, else the earlier outcome's own (then None).
        next: what to do, where a doubt changes what the code's row says.
        who: who does it, likewise.
        note: what a later answer left standing.
    """

    code: Code
    verdict: Verdict | None
    next: Next
    who: Who
    note: str | None = None


def may_resend(action: str, verdict: Verdict, *, doubt: bool) -> bool:
    """Whether this update may be sent again by itself after this verdict.

    A refund may only while no attempt is in doubt: a second refund can't be told from a first.
    """
    return verdict.code in _TRY_AGAIN and not (action == "refund" and doubt)


def may_ask(action: str) -> bool:
    """Whether the state of the pass, as its gateway shows it, may settle a doubt about this action.

    A refund's may not: a pass that is refunded doesn't say how often.
    """
    return action != "refund"


def resolve(action: str, earlier: Sequence[Code], verdicts: Sequence[Verdict], outcomes: Mapping[Code, OutcomeRow]) -> Known:
    """What this call's verdicts prove, after an earlier outcome's attempts.

    Args:
        action: the update's action.
        earlier: the doubt that an earlier outcome left, if any.
        verdicts: this call's verdicts in order; at least one, or an earlier attempt. Of its queries, the one alone that
            showed the wanted state.
        outcomes: what each code means.
    """
    last = verdicts[-1]
    doubts = _doubts(earlier, verdicts, outcomes)
    effect = outcomes[last.code].effect
    if effect is Effect.IN_STATE and doubts:
        return _known(Code.APPLIED_PRESUMED, last, outcomes)
    if not doubts or effect is Effect.APPLIED or (effect is Effect.NOT_APPLIED and action in last.settles):
        return _known(last.code, last, outcomes)
    return _doubtful(action, doubts, verdicts, outcomes)


def _doubts(earlier: Sequence[Code], verdicts: Sequence[Verdict], outcomes: Mapping[Code, OutcomeRow]) -> list[Code]:
    codes = [*earlier, *(verdict.code for verdict in verdicts)]
    return sorted((code for code in codes if outcomes[code].effect is Effect.UNKNOWN), key=ALARM.index)


def _doubtful(action: str, doubts: list[Code], verdicts: Sequence[Verdict], outcomes: Mapping[Code, OutcomeRow]) -> Known:
    """The most alarming doubt names the outcome; a refund, or a refusal that settles nothing, needs a person."""
    naming = next((verdict for verdict in reversed(verdicts) if verdict.code is doubts[0]), None)
    known = _known(doubts[0], naming, outcomes)
    last = verdicts[-1]
    refused = outcomes[last.code].effect is Effect.NOT_APPLIED and last.code not in _TRY_AGAIN
    if action != "refund" and not refused:
        return known
    note = f"a later attempt was refused ({last.code}), which does not say whether an earlier one took effect" if refused else None
    return Known(known.code, known.verdict, Next.INVESTIGATE, Who.OPERATOR, note)


def _known(code: Code, verdict: Verdict | None, outcomes: Mapping[Code, OutcomeRow]) -> Known:
    row = outcomes[code]
    return Known(code, verdict, row.next, row.who)
