"""What a mainland answer says: `code`, `sub_code`, `success` and the JSON inside `result`, all weighed (protocol, 2-4).

Owns the rules of contradiction. It takes `Verified` text; what is not verified is read by `claim` alone, which decides
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from passbridge.backends.mainland.signature import Verified
from passbridge.domain import Code, Effect, JsonError, JsonObject, JsonValue, Native, read_json
from passbridge.domain.strictjson import flaws
from passbridge.protocol.mapping import CodeRow, OutcomeRow, Profile
from passbridge.protocol.verdict import Verdict, bad_answer, by_row

__all__ = ["DONE", "Answer", "Reading", "claim", "parse"]

DONE: Final = "10000"
"""The gateway's `code` of what it has done."""

_PREFIX: Final = "KP.AE_"
_TRUTH: Final = {"true": True, "false": False}


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer, read.

    Attributes:
        native: the gateway's words.
        success: `success`, as text or boolean; None where absent or neither.
        result: `result` as an object; None where it is absent or holds none.
    """

    native: Native
    success: bool | None
    result: JsonObject | None


def parse(verified: Verified) -> Answer | str:
    """Read a verified node strictly; text says why it can't be read."""
    try:
        node = read_json(verified.node)
    except JsonError as error:
        return f"not readable as JSON: {error}"
    return _answer(node, verified=True)


def claim(node: JsonValue) -> Native | None:
    """What an unverified node claims, for people to look at."""
    answer = None if any(flaws(node)) else _answer(node, verified=False)
    return answer.native if isinstance(answer, Answer) else None


def _answer(node: JsonValue, *, verified: bool) -> Answer | str:
    if not isinstance(node, dict):
        return "an encrypted answer to a call that was not encrypted" if isinstance(node, str) else "the node is no object"
    words = {name: node.get(name) for name in ("code", "sub_code", "msg", "sub_msg")}
    wrong = [name for name, word in words.items() if word is not None and not isinstance(word, str)]
    if wrong:
        return f"{wrong[0]} is no text"
    code, sub_code, msg, sub_msg = (str(word) if word else None for word in words.values())
    said = node.get("success")
    text = said if isinstance(said, str) else {True: "true", False: "false"}.get(said) if isinstance(said, bool) else None
    result = _result(node.get("result"))
    native = Native(code=code, status=text, sub_code=sub_code, message=sub_msg or msg, result=result, verified=verified)
    return Answer(native, _TRUTH.get(text or ""), result if isinstance(result, dict) else None)


def _result(value: JsonValue) -> JsonValue:
    """`result` is JSON inside text; an object is taken as it is, and what can't be read is shown as it came."""
    if not isinstance(value, str):
        return value
    try:
        return read_json(value)
    except JsonError:
        return value


@dataclass(frozen=True, slots=True)
class Reading:
    """Weighs one verified answer about one update.

    Attributes:
        profile: the code tables.
        outcomes: what each outcome means.
        action: the update's action.
        subject: the serial number that was sent.
        trace: the gateway's name for the exchange.
    """

    profile: Profile
    outcomes: Mapping[Code, OutcomeRow]
    action: str
    subject: str | None
    trace: str | None

    def verdict(self, answer: Answer) -> Verdict:
        """What the answer proves."""
        native = answer.native
        if native.code is None:
            return self._bad("the answer has no code", native)
        if self._other_pass(answer.result):
            return self._bad("the answer is about another pass", native)
        if native.code not in self.profile.codes:
            return Verdict(code=Code.UNMAPPED, native=native, trace_id=self.trace, mapped=False, reason="an unknown gateway code")
        return self._done(answer) if native.code == DONE else self._failed(answer)

    def _done(self, answer: Answer) -> Verdict:
        """10000 is a success only if every layer says so."""
        native, result = answer.native, answer.result
        if native.sub_code is not None or result is None or answer.success is None:
            return self._bad("10000, but with a sub_code, or without success or a result that is a JSON object", native)
        error = result.get("errorCode")
        if answer.success and (error is None or error == "SUCCESS"):
            return self._row("codes", DONE, self.profile.codes[DONE], native)
        name = self._known(error) if isinstance(error, str) and not answer.success and error != "SUCCESS" else None
        if name is None:
            return self._bad("10000, but success and result contradict each other", native)
        return self._row("sub_codes", name, self.profile.sub_codes[name], native)

    def _failed(self, answer: Answer) -> Verdict:
        """The business's reason refines the gateway's code, but for one that says the gateway doesn't know."""
        native = answer.native
        row = self.profile.codes[str(native.code)]
        if answer.success or (answer.result or {}).get("errorCode") == "SUCCESS":
            return self._bad("a failure code, but success or errorCode says otherwise", native)
        name = self._known(native.sub_code) if native.sub_code else None
        if native.sub_code is None or self._unknown(row):
            return self._row("codes", str(native.code), row, native)
        if name is None:
            return self._undocumented(native, native.sub_code)
        return self._row("sub_codes", name, self.profile.sub_codes[name], native)

    def _undocumented(self, native: Native, sub_code: str) -> Verdict:
        prefix = next(prefix for prefix in self.profile.fallback if sub_code.startswith(prefix))
        rule = f"{self.profile.name}#fallback.{prefix or 'other'}"
        return Verdict(code=self.profile.fallback[prefix], native=native, trace_id=self.trace, mapped=False, rule=rule)

    def _known(self, sub_code: str) -> str | None:
        """The table's name for a sub_code; the page itself writes some without their prefix."""
        names = (sub_code, _PREFIX + sub_code.lstrip("."))
        return next((name for name in names if name in self.profile.sub_codes), None)

    def _unknown(self, row: CodeRow) -> bool:
        return self.outcomes[row.read(self.action)].effect is Effect.UNKNOWN

    def _other_pass(self, result: JsonObject | None) -> bool:
        """Where the result names a pass by number or id, one of them is ours (in seed 003's own sample, the id)."""
        named = [result[name] for name in ("serialNumber", "passId") if result and result.get(name) is not None]
        return bool(named) and self.subject not in named

    def _row(self, section: str, name: str, row: CodeRow, native: Native) -> Verdict:
        return by_row(row, row.read(self.action), f"{self.profile.name}#{section}.{name}", native, self.trace)

    def _bad(self, reason: str, native: Native) -> Verdict:
        return bad_answer(reason, native, self.trace)
