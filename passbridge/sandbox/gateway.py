"""What both simulated gateways have in common: a request comes, perhaps a fault strikes, an answer goes.

Owns the course of one request and its line in the log. It must not know either gateway's protocol, nor how bytes
travel: a request is a value, an answer is a value, and a cut connection is the absence of one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Generic, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.domain.strictjson import JsonObject
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.codes import Documented, Inventory
from passbridge.sandbox.faults import HONEST, Fault, Faults
from passbridge.sandbox.guesses import Guesses
from passbridge.sandbox.store import Pass, Store

__all__ = ["Account", "Call", "Decision", "Gateway", "Handled", "Said", "World", "merged"]

_PAGE: Final = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Account:
    """One product of one merchant, as the sandbox registered it.

    Attributes:
        gateway: `hk` or `mainland`.
        app: the client id or app id it belongs to.
        profile: the API its passes are updated by.
        owner: the `merchantId`, or the usual `channel_id`.
    """

    gateway: str
    app: str
    profile: str
    owner: str


@dataclass(frozen=True, slots=True)
class World:
    """Everything a gateway reaches that isn't the request.

    Attributes:
        store: passes, registered apps, the log.
        codes: the documented codes.
        guesses: the readings in force.
        faults: the active faults.
        accounts: the merchants' products by name.
        keys: the gateways' own signing keys.
        stranger: a key nobody registered.
        now: the clock, with its zone.
        trace: a new name for an exchange.
    """

    store: Store
    codes: Inventory
    guesses: Guesses
    faults: Faults
    accounts: Mapping[str, Account]
    keys: Mapping[str, RSAPrivateKey]
    stranger: Callable[[], RSAPrivateKey]
    now: Callable[[], datetime]
    trace: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What a gateway says.

    Attributes:
        code: the code, as the log names it.
        members: the members of the answer's object.
        signed: whether the gateway signs this answer.
        node: the member under which the object stands, where the gateway has more than one.
    """

    code: str
    members: JsonObject
    signed: bool
    node: str = ""


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
    """

    request: WireRequest
    signature: str
    refusal: Said | None = None
    account: str | None = None
    pass_id: str | None = None
    action: str | None = None

    @property
    def named(self) -> dict[str, str | None]:
        """What a fault can match."""
        return {"pass": self.pass_id, "account": self.account, "status": self.action}


@dataclass(frozen=True, slots=True)
class Decision:
    """What a gateway makes of an update: its answer, and the pass as it is afterwards, if it was applied."""

    said: Said | None
    change: Pass | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """What becomes of a request: an answer after so many seconds, or a cut connection."""

    response: WireResponse | None
    delay: float = 0.0


CallT = TypeVar("CallT", bound=Call)


class Gateway(ABC, Generic[CallT]):
    """One simulated gateway: from a raw request to what becomes of it."""

    name: ClassVar[str]

    def __init__(self, world: World) -> None:
        self.world = world

    def handle(self, request: WireRequest) -> Handled:
        """Take one request through: checks, a fault perhaps, the update, the answer, the log. All of it or nothing."""
        with self.world.store.transaction():
            call = self.read(request)
            fault = self.world.faults.take(self.name, call.named) if call.signature == "ok" else None
            return self._course(call, fault)

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
    def answer(self, call: CallT, said: Said, key: RSAPrivateKey | None) -> WireResponse:
        """The answer's bytes, signed by this key or by none."""

    def _course(self, call: CallT, fault: Fault | None) -> Handled:
        kind = fault.kind if fault else HONEST
        decision = self._decision(call) if kind.applies else Decision(None)
        said = self.documented(call, fault.codes[self.name]) if fault and kind.sends == "code" else decision.said
        handled = Handled(self._sent(call, said, kind.sends), fault.delay if fault else 0.0)
        self._log(call, fault, decision, said, handled)
        return handled

    def _decision(self, call: CallT) -> Decision:
        decision = Decision(call.refusal) if call.refusal else self.decide(call)
        if decision.change:
            self.world.store.keep(decision.change)
        return decision

    def _sent(self, call: CallT, said: Said | None, sends: str) -> WireResponse | None:
        if sends == "page":
            return WireResponse(502, Headers({"content-type": "text/html"}), _PAGE)
        if said is None or sends == "nothing":
            return None
        keys = {"unsigned": lambda: None, "forged": self.world.stranger}
        key = keys.get(sends, lambda: self.world.keys[self.name])()
        return self.answer(call, said, key if said.signed else None)

    def _log(self, call: CallT, fault: Fault | None, decision: Decision, said: Said | None, handled: Handled) -> None:
        spoke = handled.response is not None and handled.response.status == 200  # noqa: PLR2004 - HTTP's OK
        self.world.store.log(
            {
                "at": self.world.now().isoformat(timespec="milliseconds"),
                "gateway": self.name,
                "account": call.account,
                "pass": call.pass_id,
                "action": call.action,
                "result": said.code if said and spoke else None,
                "applied": decision.change is not None,
                "signature": call.signature,
                "fault": fault.fault if fault else None,
                "status": handled.response.status if handled.response else None,
            }
        )


def merged(old: JsonObject, new: JsonObject) -> JsonObject:
    """The old object with the new one's members put in, objects inside objects likewise."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        result[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result
