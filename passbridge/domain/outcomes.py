"""What is known after the last attempt.

Owns the closed lists (`Code`, `Effect`, `Next`, `Who`), the record of each attempt and the outcome with its JSON.
What each code means for the pass, the caller and the shell stands in `mappings/outcomes.toml`, not here.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, JsonValue, PlainSerializer

from passbridge.domain.passes import Model

__all__ = ["Attempt", "Code", "Effect", "Finding", "Native", "Next", "Outcome", "Who"]


def _milliseconds(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


Stamp = Annotated[AwareDatetime, PlainSerializer(_milliseconds, return_type=str, when_used="json")]
"""A date and time with its zone; in JSON to the millisecond."""


class Code(StrEnum):
    """The outcome codes, the same for every backend. Codes are added, never renamed."""

    APPLIED = "APPLIED"
    APPLIED_PRESUMED = "APPLIED_PRESUMED"
    ALREADY_IN_STATE = "ALREADY_IN_STATE"
    STATE_CONFLICT = "STATE_CONFLICT"
    PASS_NOT_FOUND = "PASS_NOT_FOUND"  # noqa: S105 - a travel document, not a password
    HOLDER_NOT_FOUND = "HOLDER_NOT_FOUND"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    MISSING_FIELD = "MISSING_FIELD"
    INVALID_VALUE = "INVALID_VALUE"
    UNENCODABLE_TEXT = "UNENCODABLE_TEXT"
    REFUSED = "REFUSED"
    UNSUPPORTED = "UNSUPPORTED"
    ACCESS_DENIED = "ACCESS_DENIED"
    RATE_LIMITED = "RATE_LIMITED"
    NOT_SENT = "NOT_SENT"
    INVALID_UPDATE = "INVALID_UPDATE"
    PROVIDER_ERROR = "PROVIDER_ERROR"
    NO_ANSWER = "NO_ANSWER"
    BAD_ANSWER = "BAD_ANSWER"
    UNTRUSTED_ANSWER = "UNTRUSTED_ANSWER"
    UNMAPPED = "UNMAPPED"


class Effect(StrEnum):
    """What is known about the pass."""

    APPLIED = "applied"
    IN_STATE = "in_state"
    NOT_APPLIED = "not_applied"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Next(StrEnum):
    """What to do now."""

    NONE = "none"
    RESEND = "resend"
    RESOLVE = "resolve"
    FIX_REQUEST = "fix_request"
    FIX_STATE = "fix_state"
    FIX_CONFIG = "fix_config"
    INVESTIGATE = "investigate"


class Who(StrEnum):
    """Who does it: the calling program, its developer, or the merchant's staff."""

    NOBODY = "nobody"
    CLIENT = "client"
    DEVELOPER = "developer"
    OPERATOR = "operator"


class Native(Model):
    """The gateway's own words.

    Attributes:
        code: AlipayHK's `resultCode`, the mainland's gateway `code`.
        status: AlipayHK's `resultStatus`, the mainland's `success` as text.
        sub_code: the mainland's `sub_code`.
        message: the text that came with it; nothing is ever decided by it.
        result: the mainland's `result`, parsed.
        verified: whether the signature proved it. If not, it is a claim and decided nothing.
    """

    code: str | None = None
    status: str | None = None
    sub_code: str | None = None
    message: str | None = None
    result: JsonValue = None
    verified: bool


class Finding(Model):
    """Why a signature was not accepted: a stable code, a sentence, what to do."""

    code: str
    message: str
    mend: str = ""


class Attempt(Model):
    """One signed request that left, or tried to leave: the update, or a query of what became of it.

    Attributes:
        n: counted from 1 over all calls for this update.
        code: the verdict on this attempt alone.
        sent: whether a byte of the update may have left; false for a query, which carries none.
        reason: what happened, where the code doesn't say it (`read timeout`, `HTTP status 502`); a query's begins with
            `query: `.
        at: when it began.
        trace_id: the gateway's name for this exchange.
        elapsed: seconds.
    """

    n: int = Field(ge=1)
    code: Code
    sent: bool
    reason: str | None = None
    at: Stamp
    trace_id: str | None = None
    elapsed: float = Field(ge=0)


class Outcome(Model):
    """What is known after the last attempt of one update.

    Attributes:
        code: what happened.
        effect: what is known about the pass.
        next: what to do now.
        who: who does it.
        ok: the wanted state holds, proven or presumed.
        certain: false for what is presumed or unknown.
        mapped: false where the gateway's code is in no table.
        account: the account's name.
        action: the update's action; for `execute` and `call` the method or path.
        pass_id: the pass, where there is one.
        key: the caller's own name for the update.
        at: the update's own moment as it was sent (AlipayHK tickets' `bizDate`).
        notes: what was left out of the request, or is worth knowing.
        finding: why a signature failed, the answer's or (as the gateway says) ours.
        native: the gateway's own words; null where nothing came.
        trace_id: the gateway's name for the exchange.
        rule: the row of `mappings/` that decided.
        text: the outcome in a sentence.
        started: when the first attempt of this call began.
        elapsed: seconds, waits included.
        attempts: every attempt, those of an earlier outcome (`after=`) too.
    """

    schema_: Literal["passbridge.outcome/1"] = Field("passbridge.outcome/1", alias="schema")
    code: Code
    effect: Effect
    next: Next
    who: Who
    ok: bool
    certain: bool
    mapped: bool
    account: str
    action: str
    pass_id: str | None
    key: str | None
    at: Stamp | None
    notes: tuple[str, ...]
    finding: Finding | None
    native: Native | None
    trace_id: str | None
    rule: str | None
    text: str
    started: Stamp
    elapsed: float = Field(ge=0)
    attempts: tuple[Attempt, ...]
