"""What one attempt proves.

Owns `Verdict`, which every reader of an answer ends in, and the verdicts that need no answer to be read. What several
attempts prove together is `protocol.resolve`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from passbridge.domain import Code, Finding, Native
from passbridge.protocol.mapping import CodeRow
from passbridge.protocol.wire import NoReply, WireResponse

if TYPE_CHECKING:
    from passbridge.protocol.gateway import Prepared, Sealed

__all__ = ["Verdict", "bad_answer", "by_row", "no_answer", "no_reply", "retry_after", "untrusted"]

HTTP_OK: Final = 200
_LONGEST: Final = 1e9
"""Seconds: longer than any deadline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one attempt proves.

    Attributes:
        code: the outcome code of this attempt alone.
        sent: whether a byte of the request may have left.
        native: the gateway's words.
        rule: the row that decided.
        reason: what happened, where the code doesn't say it.
        trace_id: the gateway's name for the exchange.
        finding: why a signature failed.
        mapped: false where the gateway's code is in no table.
        settles: the actions for which this refusal settles an earlier doubt.
        slow: whether to wait as after a rate limit.
        retry_after: seconds that the answer asks to wait.
        note: a remark for the outcome.
        errand: a call whose answer is needed to judge this one: it is made within the deadline, then this answer is judged
            once more. The verdict on that call asks for none itself.
        answer: the verified document itself, for those who asked for it (`execute`, `call`, a query).
    """

    code: Code
    sent: bool = True
    native: Native | None = None
    rule: str | None = None
    reason: str | None = None
    trace_id: str | None = None
    finding: Finding | None = None
    mapped: bool = True
    settles: tuple[str, ...] = ()
    slow: bool = False
    retry_after: float | None = None
    note: str | None = None
    errand: tuple[Sealed, Prepared] | None = None
    answer: object = None


def no_reply(reply: NoReply) -> Verdict:
    """Nothing came: unknown, but where no byte had left."""
    return Verdict(code=Code.NO_ANSWER if reply.sent else Code.NOT_SENT, sent=reply.sent, reason=reply.reason)


def no_answer(response: WireResponse, reason: str, now: datetime) -> Verdict:
    """Something came that is not the gateway's answer: a proxy's page, an HTTP error."""
    return Verdict(code=Code.NO_ANSWER, reason=reason, retry_after=retry_after(response, now))


def untrusted(finding: Finding, native: Native | None, trace_id: str | None) -> Verdict:
    """An answer of the protocol's shape whose signature proves nothing; what it claims decides nothing."""
    return Verdict(code=Code.UNTRUSTED_ANSWER, finding=finding, native=native, trace_id=trace_id, reason=finding.message)


def bad_answer(reason: str, native: Native | None, trace_id: str | None) -> Verdict:
    """A verified answer that can't be understood."""
    return Verdict(code=Code.BAD_ANSWER, reason=reason, native=native, trace_id=trace_id)


def by_row(row: CodeRow, code: Code, rule: str, native: Native, trace_id: str | None) -> Verdict:
    """A verified answer with a code that the tables know."""
    return Verdict(
        code=code,
        rule=rule,
        native=native,
        trace_id=trace_id,
        settles=row.settles,
        slow=row.slow,
        finding=_refused(native) if row.signature else None,
        note=f"read by an overlay: {row.accept_risk}" if row.accept_risk else None,
    )


def _refused(native: Native) -> Finding:
    return Finding(code="SIG-REFUSED", message=f"the gateway refused our signature: {native.sub_code or native.code}", mend=_OUR_KEY)


def retry_after(response: WireResponse, now: datetime) -> float | None:
    """The seconds that `Retry-After` asks for, as a number or as a date (RFC 9110, 10.2.3); None where it says neither."""
    text = response.headers.get("Retry-After", "").strip()
    if not text:
        return None
    if re.fullmatch(r"\d+", text, re.ASCII):
        return min(float(text), _LONGEST)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


_OUR_KEY = "compare the public key registered at the gateway with the public half of this account's private key"
