"""What both simulated gateways have in common: a request comes, perhaps a fault strikes, an answer goes.

Owns the course of one request, its line in the log, and the memory of past answers. It must not know either gateway's
protocol, nor how bytes travel: a request is a value, an answer is a value, and so is what a fault makes of its bytes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar, Final, Generic, TypeVar

from passbridge.domain.strictjson import JsonObject
from passbridge.protocol.wire import WireRequest, WireResponse
from passbridge.sandbox.codes import Documented
from passbridge.sandbox.faults import NONE, Fault
from passbridge.sandbox.mischief import ALTERATIONS, HANG_UP, PAGES, SCRIPTS, Script, page
from passbridge.sandbox.records import Pass, Template
from passbridge.sandbox.world import World

__all__ = ["Call", "Decision", "Gateway", "Handled", "Said"]

_REMEMBERED: Final = 8
"""How many passes' last answers are kept to be given again."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway says.

    Attributes:
        code: the code, as the log names it.
        members: the members of the answer's object.
        signed: whether the gateway signs this answer.
        node: the member under which the object stands, where the gateway has more than one.
        beside: members that stand beside that one.
    """

    code: str
    members: JsonObject
    signed: bool
    node: str = ""
    beside: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What a gateway understood of a request.

    Attributes:
        request: the request.
        signature: `ok`, or why it isn't.
        refusal: the answer, where the request got no further than the checks up to the signature's.
        account: whose it is, as far as that is known.
        pass_id: the pass it names.
        action: the status word.
        method: the API's name: the mainland's `method`, AlipayHK's path.
        mode: what the app uses beyond plain signatures: `certificates`, `encryption`, or nothing.
    """

    request: WireRequest
    signature: str
    refusal: Said | None = None
    account: str | None = None
    pass_id: str | None = None
    action: str | None = None
    method: str | None = None
    mode: str = ""

    @property
    def named(self) -> dict[str, str | None]:
        """What a fault can match."""
        return {"pass": self.pass_id, "account": self.account, "status": self.action, "method": self.method, "mode": self.mode}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gateway makes of a request: its answer, and the pass or template as it is afterwards, if it was carried out."""

    said: Said | None
    change: Pass | Template | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """What becomes of a request: an answer, or what is written to the connection in its place, after so many seconds."""

    answer: WireResponse | Script
    delay: float = 0.0


CallT = TypeVar("CallT", bound=Call)


class Gateway(ABC, Generic[CallT]):
    """One simulated gateway: from a raw request to what becomes of it."""

    name: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world
        self._given: dict[str | None, WireResponse] = {}

    def handle(self, request: WireRequest) -> Handled:
        """Take one request through: checks, a fault perhaps, the update, the answer, the log. All of it or nothing."""
        with self.world.store.transaction():
            call = self.read(request)
            fault = self.world.faults.take(self.name, call.named) if call.signature == "ok" else NONE
            return self._course(call, fault)

    def forget(self) -> None:
        """No answer was ever given."""
        self._given = {}

    @abstractmethod
    def read(self, request: WireRequest) -> CallT:
        """Everything up to the signature."""

    @abstractmethod
    def decide(self, call: CallT) -> Decision:
        """Everything behind the signature."""

    @abstractmethod
    def documented(self, call: CallT, row: Documented) -> Said:
        """A documented code, as this gateway would answer it to this request."""

    @abstractmethod
    def answer(self, call: CallT, said: Said) -> WireResponse:
        """The answer's bytes, signed if the gateway signs what it says."""

    @abstractmethod
    def forged(self, call: CallT, said: Said, fault: Fault, old: WireResponse | None) -> WireResponse:
        """What a fault makes of the answer before it is signed, while it is, or right after; an earlier answer may serve."""

    @abstractmethod
    def unasked(self) -> WireResponse:
        """A signed success to the next update of the first pass, whatever it may be."""

    def _course(self, call: CallT, fault: Fault) -> Handled:
        decision = self._decision(call) if fault.kind.applies else Decision(None)
        said = self.documented(call, fault.codes[self.name]) if fault.kind.sends == "code" else decision.said
        response = self._response(call, said, fault)
        self._log(call, fault, decision, said, response)
        return Handled(_delivered(response, fault), fault.number if fault.name == "delay" else 0.0)

    def _decision(self, call: CallT) -> Decision:
        decision = Decision(call.refusal) if call.refusal else self.decide(call)
        if decision.change:
            self.world.store.keep(decision.change)
        return decision

    def _response(self, call: CallT, said: Said | None, fault: Fault) -> WireResponse | None:
        sends = fault.kind.sends
        if sends == "page":
            return page(PAGES[fault.name])
        if said is None or sends == "nothing":
            return None
        if sends == "forged":
            return self.forged(call, said, fault, self._old(call.pass_id))
        answer = self.answer(call, said)
        if sends == "own" and said.signed:
            self._remember(call.pass_id, answer)
        return ALTERATIONS[fault.name](answer, call.request.url, fault.number) if sends == "altered" else answer

    def _remember(self, pass_id: str | None, answer: WireResponse) -> None:
        self._given.pop(pass_id, None)
        self._given[pass_id] = answer
        self._given = dict(list(self._given.items())[-_REMEMBERED:])

    def _old(self, pass_id: str | None) -> WireResponse | None:
        """The last answer about another pass; without one, the last about this."""
        others = (answer for name, answer in reversed(self._given.items()) if name != pass_id)
        return next(others, self._given.get(pass_id))

    def _log(self, call: CallT, fault: Fault, decision: Decision, said: Said | None, response: WireResponse | None) -> None:
        spoke, change = fault.kind.sends not in {"page", "nothing"}, decision.change
        self.world.store.log(
            {
                "at": self.world.now().isoformat(timespec="milliseconds"),
                "gateway": self.name,
                "account": change.account if change else call.account,
                "pass": change.id if isinstance(change, Pass) else call.pass_id,
                "action": call.action,
                "result": said.code if said and spoke else None,
                "applied": change is not None,
                "signature": call.signature,
                "fault": fault.fault or None,
                "status": response.status if response else None,
            }
        )


def _delivered(response: WireResponse | None, fault: Fault) -> WireResponse | Script:
    """The answer as it goes to the connection."""
    if response is None:
        return HANG_UP
    return SCRIPTS[fault.name](response, fault.number) if fault.kind.sends == "raw" else response
