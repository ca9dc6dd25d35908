"""Outcomes that no gateway gave: a row that is no update, one that was superseded, one killed in flight, an operator's word.

Owns their wording, and which state an outcome puts its row in. Whether an update may be sent again is read from what
the conversation said (`next` and `who`), never decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from passbridge.bulk.shapes import State
from passbridge.domain import Attempt, Code, Effect, Next, Outcome, Who
from passbridge.protocol.conversation import GATEWAY_ZONE
from passbridge.protocol.resolve import ALARM

if TYPE_CHECKING:
    from passbridge.domain import PassUpdate
    from passbridge.errors import Problem
    from passbridge.protocol.mapping import OutcomeRow

__all__ = ["Verdict", "Words", "invalid", "killed", "moment", "settled", "superseded"]

Words = Mapping[Code, "OutcomeRow"]
"""What each code means: `mappings/outcomes.toml`."""

_UNSENT: Final = frozenset({Code.NOT_SENT, Code.RATE_LIMITED})
_SIGNATURE: Final = 4


def moment(milliseconds: int) -> datetime:
    """A kept `at`, in the gateways' zone."""
    return datetime.fromtimestamp(milliseconds / 1000, GATEWAY_ZONE)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be kept of one outcome.

    Attributes:
        state: where it puts its row.
        code: its code.
        exit: its exit code.
        again: whether the tables let the update be sent again by itself.
        body: the outcome's JSON.
    """

    state: State
    code: str
    exit: int
    again: bool
    body: str

    @classmethod
    def of(cls, outcome: Outcome, words: Words) -> Verdict:
        """Of what a conversation, or this module, said."""
        # An expired contract is told from a signature that isn't accepted, as the command line does for one update.
        refused_signature = outcome.code is Code.ACCESS_DENIED and outcome.finding is not None
        code = _SIGNATURE if refused_signature else words[outcome.code].exit
        return cls(_state(outcome), outcome.code.value, code, outcome.who is Who.CLIENT, outcome.model_dump_json())


def _state(outcome: Outcome) -> State:
    if outcome.ok:
        return State.APPLIED
    if outcome.effect is Effect.UNKNOWN:
        return State.UNKNOWN
    if outcome.code in _UNSENT:
        return State.UNSENT
    return State.INVALID if outcome.code is Code.INVALID_UPDATE else State.REFUSED


def invalid(update: PassUpdate | None, account: str, problems: Iterable[Problem], words: Words) -> Outcome:
    """The row is no update, or its account can't carry it."""
    return _plain(Code.INVALID_UPDATE, update, account, words, notes=tuple(map(str, problems)))


def superseded(update: PassUpdate, account: str, line: int, words: Words) -> Outcome:
    """A later Revise of the same pass took its place."""
    outcome = _plain(Code.NOT_SENT, update, account, words, notes=(f"superseded by line {line}",))
    text = "A later update of the same pass took its place; nothing was sent."
    return outcome.model_copy(update={"text": text, "next": Next.NONE, "who": Who.NOBODY})


def killed(update: PassUpdate, before: Outcome | None, account: str, marked: float, words: Words) -> Outcome:
    """The runner ended while the request may have been under way: that attempt stands as unanswered.

    Args:
        update: the update, with its own moment.
        before: what was known before that.
        account: its account.
        marked: when it was marked as in doubt, seconds since 1970.
        words: what each code means.
    """
    begun = datetime.fromtimestamp(round(marked, 3), UTC).astimezone(GATEWAY_ZONE)
    earlier = before.attempts if before else ()
    reason = "no answer was recorded: it is under way, or its process ended"
    attempt = Attempt(n=len(earlier) + 1, code=Code.NO_ANSWER, sent=True, reason=reason, at=begun, elapsed=0.0)
    stands = before is not None and before.effect is Effect.UNKNOWN and ALARM.index(before.code) <= ALARM.index(Code.NO_ANSWER)
    outcome = before if before and stands else _plain(Code.NO_ANSWER, update, account, words, started=begun)
    changes: dict[str, object] = {"attempts": (*earlier, attempt), "at": update.at}
    if update.action == "refund":
        changes |= {"next": Next.INVESTIGATE, "who": Who.OPERATOR}
    return outcome.model_copy(update=changes)


def settled(outcome: Outcome, *, applied: bool, reason: str, words: Words) -> Outcome:
    """An operator's word ends a doubt. What the gateway said, or didn't, stays in `attempts` and `native`."""
    word = f"settled by an operator as {'applied' if applied else 'not applied'}: {reason}"
    changes: dict[str, object] = {"notes": (*outcome.notes, word), "next": Next.NONE, "who": Who.NOBODY}
    if applied:
        row = words[Code.APPLIED_PRESUMED]
        changes |= {"code": Code.APPLIED_PRESUMED, "effect": row.effect, "ok": True, "certain": False}
        changes |= {"text": "An operator says that the update took effect."}
    else:
        changes |= {"effect": Effect.NOT_APPLIED, "text": "An operator says that the update did not take effect."}
    return outcome.model_copy(update=changes)


def _plain(  # noqa: PLR0913 - what an outcome is about
    code: Code,
    update: PassUpdate | None,
    account: str,
    words: Words,
    *,
    notes: tuple[str, ...] = (),
    started: datetime | None = None,
) -> Outcome:
    row = words[code]
    now = datetime.now(GATEWAY_ZONE)
    return Outcome(
        code=code,
        effect=row.effect,
        next=row.next,
        who=row.who,
        ok=row.ok,
        certain=row.certain,
        mapped=True,
        account=account,
        action=update.action if update else "",
        pass_id=update.pass_.id if update else None,
        key=update.key if update else None,
        at=update.at if update else None,
        notes=notes,
        finding=None,
        native=None,
        trace_id=None,
        rule=None,
        text=row.text,
        started=started or now,
        elapsed=0.0,
        attempts=(),
    )
