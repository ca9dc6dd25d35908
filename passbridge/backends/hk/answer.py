"""What an AlipayHK answer says: reading it, and what its code and letter mean together (protocol, section 5).

Owns the result node's names and the rules of contradiction. It takes `Verified` bytes; what is not verified is read
by `claim` alone, which decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from passbridge.backends.hk.signature import Verified
from passbridge.domain import Code, JsonError, JsonObject, JsonValue, Native, read_json
from passbridge.protocol.mapping import Profile
from passbridge.protocol.verdict import Verdict, bad_answer, by_row
from passbridge.protocol.wire import Headers

__all__ = ["Answer", "claim", "normalise", "parse", "readable", "refuses", "shaped", "trace_id"]

_NODES: Final = ("result", "resultInfo", "ResultInfo")
"""The names the pages give the result; two that differ contradict each other."""

_LETTERS: Final = frozenset("SFU")


@dataclass(frozen=True, slots=True)
class Answer:
    """A verified answer, read: its words, and the pass it names, if any."""

    native: Native
    pass_id: JsonValue
    document: JsonObject


def trace_id(headers: Headers) -> str | None:
    """The exchange's name: `tracerId` on the wire and in seed 000, `Tracer-Id` in seeds 001 and 002."""
    return headers.get("tracerId") or headers.get("Tracer-Id")


def parse(verified: Verified) -> Answer | str:
    """Read a verified body strictly; text says why it can't be read."""
    document = _document(verified.body)
    return document if isinstance(document, str) else _answer(document, verified=True)


def readable(verified: Verified) -> bool:
    """Whether verified bytes are a JSON object at all: what was decrypted under a wrong key is none."""
    return isinstance(_document(verified.body), dict)


def refuses(answer: Answer, profile: Profile) -> bool:
    """Whether an answer is a failure that the documents name, under its own letter."""
    row, letter = profile.codes.get(answer.native.code or ""), answer.native.status
    return row is not None and letter is not None and letter in row.status and letter != "S"


def shaped(body: bytes) -> bool:
    """Whether an unverified body looks like the gateway's: a JSON object with a result in it."""
    document = _document(body)
    return isinstance(document, dict) and any(name in document for name in _NODES)


def claim(body: bytes) -> Native | None:
    """What an unverified body claims, for people to look at; it decides nothing."""
    document = _document(body)
    answer = document if isinstance(document, str) else _answer(document, verified=False)
    return None if isinstance(answer, str) else answer.native


def normalise(answer: Answer, profile: Profile, action: str, subject: str | None, trace: str | None) -> Verdict:
    """What a verified answer proves about this update."""
    native, code, letter = answer.native, answer.native.code, answer.native.status
    if answer.pass_id is not None and answer.pass_id != subject:
        return bad_answer("the answer is about another pass", native, trace)
    if not code:
        return bad_answer("the answer has no resultCode", native, trace)
    row = profile.codes.get(code)
    if letter is not None and letter not in _LETTERS:
        return Verdict(code=Code.UNMAPPED, native=native, trace_id=trace, mapped=False, reason="an unknown resultStatus")
    if row is None:
        return _undocumented(profile, native, letter, trace)
    if letter is None or letter not in row.status:
        return bad_answer(f"{code} does not go with resultStatus {letter}", native, trace)
    return by_row(row, row.read(action, letter), f"{profile.name}#codes.{code}", native, trace)


def _undocumented(profile: Profile, native: Native, letter: str | None, trace: str | None) -> Verdict:
    """A code in no table: its letter decides, and S decides nothing without the code that goes with it."""
    if letter == "S":
        return bad_answer("resultStatus S with another code than SUCCESS", native, trace)
    code = profile.fallback.get(letter or "", Code.UNMAPPED)
    rule = f"{profile.name}#fallback.{letter}" if letter else None
    return Verdict(code=code, native=native, trace_id=trace, mapped=False, rule=rule)


def _document(body: bytes) -> JsonObject | str:
    try:
        document = read_json(body)
    except JsonError as error:
        return f"not readable as JSON: {error}"
    return document if isinstance(document, dict) else "not a JSON object"


def _answer(document: JsonObject, *, verified: bool) -> Answer | str:
    nodes = [document[name] for name in _NODES if name in document]
    if not nodes:
        return "no result node"
    if any(node != nodes[0] for node in nodes):
        return "two result nodes that differ"
    node = nodes[0]
    if not isinstance(node, dict) or not node.keys() & {"resultCode", "resultStatus"}:
        return "the result node is no result"
    words = [node.get(name) for name in ("resultCode", "resultStatus", "resultMessage")]
    if any(word is not None and not isinstance(word, str) for word in words):
        return "a member of the result is no text"
    code, status, message = (str(word) if word is not None else None for word in words)
    return Answer(Native(code=code, status=status, message=message, verified=verified), document.get("passId"), document)
