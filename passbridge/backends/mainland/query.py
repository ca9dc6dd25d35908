"""Asking the mainland what became of an update in doubt: `alipay.marketing.pass.instance.query`.

Owns which of the passes shown is the one that was meant, and when it is in the wanted state. What settles each action
stands in the tables (`query`); the schema is the official SDK's `PassInstanceDetail`. It never says that an update was
not applied: what isn't there may not be there yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol

from passbridge.backends.mainland.answer import Answer, Reading, parse
from passbridge.backends.mainland.signature import Verified
from passbridge.domain import Code, Effect, JsonObject, JsonValue, Native, read_json
from passbridge.protocol.gateway import Prepared, Sealed
from passbridge.protocol.mapping import OutcomeRow, Profile, QueryRow
from passbridge.protocol.verdict import Verdict, bad_answer
from passbridge.protocol.wire import WireRequest, WireResponse

__all__ = ["Inquiry", "Wanted", "wanted"]

_DONE: Final = "10000"
_FACTS: Final = ("serial_number", "channel_id", "pass_id", "status", "is_deleted", "modify_time")
"""What an outcome repeats of the pass that was found: enough to check the rule, nothing of its holder or content."""


class Account(Sealed, Protocol):
    """What a question needs of its account."""

    @property
    def profile(self) -> Profile:
        """The tables."""
        ...

    @property
    def outcomes(self) -> Mapping[Code, OutcomeRow]:
        """What each outcome means."""
        ...

    def verified(self, prepared: Prepared, response: WireResponse, now: datetime) -> Verified | Verdict:
        """The node of the method asked, proved; else the verdict on what came instead."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an update in doubt was to do.

    Attributes:
        action: its action.
        serial_number: the pass's number.
        channel_id: the channel it was issued by.
        user_id: its holder, where the update names one.
        content: the parameters that were sent.
    """

    action: str
    serial_number: JsonValue
    channel_id: JsonValue
    user_id: JsonValue = field(repr=False)
    content: JsonObject = field(repr=False)


def wanted(prepared: Prepared, document: JsonObject, profile: Profile) -> Wanted:
    """What an update was to do, from its business members as they were sent."""
    values = {member: document.get(row.wire) for member, row in profile.fields.items()}
    content = values.get("content")
    params = read_json(content) if isinstance(content, str) else content
    return Wanted(
        prepared.action,
        prepared.subject,
        values.get("channel"),
        values.get("user_id"),
        params if isinstance(params, dict) else {},
    )


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One question, signed and carried as the account's updates are."""

    account: Account
    row: QueryRow
    wanted: Wanted

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign the question."""
        return self.account.seal(prepared, now)

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:  # noqa: ARG002 - the port's
        """`ALREADY_IN_STATE` on a verified answer that shows the very pass in the wanted state; else what came instead."""
        verified, trace = self.account.verified(prepared, response, now), response.headers.get("trace_id")
        if isinstance(verified, Verdict):
            return verified
        answer = parse(verified)
        if isinstance(answer, str):
            return bad_answer(answer, None, trace)
        if answer.native.code != _DONE or answer.native.sub_code is not None or answer.success is False:
            return self._refused(answer, prepared.action, trace)
        return self._shown(read_json(verified.node), answer.native, trace)

    def _refused(self, answer: Answer, method: str, trace: str | None) -> Verdict:
        """By the same tables; but what a refusal of an update may say about the pass, one of a query can't."""
        account, said = self.account, answer.native.sub_code or answer.native.code
        found = Reading(account.profile, account.outcomes, method, None, trace).verdict(answer)
        plain = account.outcomes[found.code].effect in {Effect.NOT_APPLIED, Effect.UNKNOWN}
        return replace(found, code=found.code if plain else Code.REFUSED, settles=(), reason=found.reason or f"refused: {said}")

    def _shown(self, node: JsonValue, native: Native, trace: str | None) -> Verdict:
        passes = _passes(node)
        ours = [one for one in passes if self._ours(one)] if isinstance(passes, list) else []
        if isinstance(passes, str):
            return bad_answer(passes, native, trace)
        if len(ours) > 1 or (ours and not _complete(node, len(passes))):
            return bad_answer("it may show more than one pass of this serial number and channel", native, trace)
        found = ours[0] if ours else {}
        native = native.model_copy(update={"result": {name: found[name] for name in _FACTS if name in found} or None})
        state = next(self._states(found), None)
        reason = state or (f"the pass is {found.get('status')}" if found else "it shows no pass of this serial number and channel")
        if state is None:
            return Verdict(code=Code.PROVIDER_ERROR, native=native, trace_id=trace, reason=reason, answer=passes)
        risk, rule = self.row.accept_risk, f"{self.account.profile.name}#query.{self.wanted.action}"
        note = f"read by an overlay: {risk}" if risk else None
        return Verdict(code=Code.ALREADY_IN_STATE, native=native, trace_id=trace, reason=reason, rule=rule, note=note, answer=passes)

    def _ours(self, one: JsonObject) -> bool:
        """The pass of this number and channel; where both name a holder, of this holder."""
        wanted, holder = self.wanted, one.get("user_id")
        same = one.get("serial_number") == wanted.serial_number and one.get("channel_id") == wanted.channel_id
        return same and (holder is None or wanted.user_id is None or holder == wanted.user_id)

    def _states(self, one: JsonObject) -> Iterator[str]:
        """How the pass is in the wanted state; nothing where it isn't."""
        row = self.row
        if row.content and not _holds(one.get("biz_param_list"), self.wanted.content):
            return
        if one.get("status") in row.status:
            yield f"the pass is {one['status']}"
        if row.deleted and (one.get("is_deleted") is True or one.get("is_deleted") == "true"):
            yield "the pass was deleted by its holder"
        if row.content and not row.status and not row.deleted:
            yield "the pass shows the content"


def _passes(node: JsonValue) -> list[JsonObject] | str:
    """The passes shown; text says why they can't be read. A list that is left out is an empty one."""
    listed = node.get("instance_list") if isinstance(node, dict) else None
    listed = [] if listed is None else listed
    if not isinstance(listed, list):
        return "instance_list is no list"
    passes = [one for one in listed if isinstance(one, dict)]
    return passes if len(passes) == len(listed) else "instance_list holds what is no pass"


def _complete(node: JsonValue, shown: int) -> bool:
    """Whether this page is all there is, as far as the answer counts."""
    counts = node if isinstance(node, dict) else {}
    return str(counts.get("total", shown)) == str(shown) and str(counts.get("total_page", 1)) == "1"


def _holds(listed: JsonValue, content: JsonObject) -> bool:
    """Whether every parameter is shown, once and with exactly this text. How anything but text is shown is in no document."""
    pairs = [(one.get("key"), one.get("value")) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return bool(content) and all(
        isinstance(value, str) and [shown for key, shown in pairs if key == name] == [value] for name, value in content.items()
    )
