"""What happened in one conversation so far, and the outcome it comes to.

Owns the list of attempts as it grows and how an outcome is written. What the verdicts prove is `protocol.resolve`'s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from passbridge.domain import Attempt, Code, Effect, Outcome
from passbridge.protocol.conversation import GATEWAY_ZONE, Conversation, Instant
from passbridge.protocol.gateway import Prepared
from passbridge.protocol.resolve import Known, resolve
from passbridge.protocol.verdict import Verdict

__all__ = ["Record", "begin", "conclude"]


@dataclass(slots=True)
class Record:
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

    def add(self, verdict: Verdict, begun: Instant, ended: Instant) -> None:
        """List one more attempt, whose number goes on."""
        self.attempts.append(
            Attempt(
                n=len(self.attempts) + 1,
                code=verdict.code,
                sent=verdict.sent,
                reason=verdict.reason,
                at=_stamp(begun.wall),
                trace_id=verdict.trace_id,
                elapsed=round(ended.monotonic - begun.monotonic, 3),
            )
        )


def begin(after: Outcome | None) -> Record:
    """An earlier outcome's attempts count; they leave a doubt only if that outcome did."""
    if after is None:
        return Record([], ())
    return Record(list(after.attempts), (after.code,) if after.effect is Effect.UNKNOWN else ())


def conclude(about: Conversation, record: Record, started: Instant, ended: Instant) -> Outcome:
    """The outcome that all of it comes to."""
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


def _stamp(moment: datetime) -> datetime:
    """In the gateways' zone, to the millisecond: what stands in an outcome."""
    moment = moment.astimezone(GATEWAY_ZONE)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _words(known: Known, after: Outcome | None) -> dict[str, object]:
    """The gateway's words and the rule: the naming verdict's, or those of the earlier outcome whose doubt still stands."""
    source = known.verdict or after
    return {name: getattr(source, name) for name in ("mapped", "finding", "native", "trace_id", "rule")}


def _notes(prepared: Prepared, known: Known, record: Record) -> tuple[str, ...]:
    remarks = [known.note, *(verdict.note for verdict in record.verdicts), *record.remarks]
    return (*prepared.notes, *dict.fromkeys(remark for remark in remarks if remark))
