"""AlipayHK's gateway: the header-signed JSON API, simulated.

Owns the course of a request behind its envelope and what is said to it, written from AlipayHK's pages alone. It must
not know the client's own reading of those pages, nor how bytes travel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonError, JsonObject, read_json
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.codes import Documented
from passbridge.sandbox.faults import Fault
from passbridge.sandbox.gateway import Call, Decision, Gateway, Said
from passbridge.sandbox.hk_answer import HONG_KONG, HkDraft, honest, unsealed
from passbridge.sandbox.hk_envelope import PATH, UNSIGNED, opened, refused
from passbridge.sandbox.hk_forgery import FORGERIES
from passbridge.sandbox.hk_rules import SUCCESS, judge

__all__ = ["HkCall", "HkGateway"]

_SPOKEN: Final = MappingProxyType({SUCCESS: "success"})
"""Texts that the samples give otherwise than the tables (seed 000)."""

_WINDOWS: Final = MappingProxyType({"15min": 900, "30min": 1800})


@dataclass(frozen=True, slots=True, kw_only=True)
class HkCall(Call):
    """A request to AlipayHK as far as it was understood.

    Attributes:
        client_id: whose it is.
        target: the path with its query: an answer's signature covers those of its request.
        body: the body, where the signature is right and it is a JSON object.
    """

    client_id: str
    target: str
    body: JsonObject | None = None


class HkGateway(Gateway[HkCall]):
    """AlipayHK's gateway."""

    name = "hk"

    def read(self, request: WireRequest) -> HkCall:
        """The checks up to the signature's; then what the body names, as far as it can be read."""
        letter = opened(self.world, request)
        call = HkCall(request=request, signature="ok", client_id=letter.client_id, target=letter.target, method=letter.path)
        refusal = refused(self.world, letter)
        if refusal:
            return replace(call, signature=refusal[1], refusal=self._said(refusal[0]))
        body = _object(request.body)
        pass_id, action = _text(body, "passId"), _text(body, "status")
        found = self.world.store.find("hk", pass_id or "")
        return replace(call, body=body, account=found.account if found else None, pass_id=pass_id, action=action)

    def decide(self, call: HkCall) -> Decision:
        """The time window, if there is one, the body's JSON, and the rules of the pass's page."""
        if call.body is None or self._untimely(call.request.headers["request-time"]):
            return Decision(self._said("PARAM_ILLEGAL"))
        found = self.world.store.find("hk", call.pass_id or "")
        code, change = judge(self.world, self._merchant(call.client_id), call.body, found)
        return Decision(self._said(code, call.account), change)

    def documented(self, call: HkCall, row: Documented) -> Said:
        """The code with its letter, in the wording of the page of the pass's own product."""
        return self._said(row.code, call.account, row.variant)

    def answer(self, call: HkCall, said: Said) -> WireResponse:
        """Signed over the time and the bytes it goes out with."""
        draft = self._draft(call, said)
        return honest(draft) if said.signed else unsealed(draft, draft.body)

    def forged(self, call: HkCall, said: Said, fault: Fault, old: WireResponse | None) -> WireResponse:
        """One function a fault."""
        return FORGERIES[fault.name](replace(self._draft(call, said), old=old), fault.number)

    def unasked(self) -> WireResponse:
        """Nothing in the signed text tells one update from another, but the time."""
        client = next(account.app for account in self.world.accounts.values() if account.gateway == "hk")
        request = WireRequest("POST", PATH, Headers(), b"")
        return self.answer(HkCall(request=request, signature="ok", client_id=client, target=PATH), self._said(SUCCESS))

    def _draft(self, call: HkCall, said: Said) -> HkDraft:
        return HkDraft(
            request=call.request,
            method=call.request.method,
            target=call.target,
            client_id=call.client_id,
            member=self.world.guesses["hk.result_node"],
            members=said.members,
            now=self.world.now(),
            trace=self.world.trace(),
            key=self.world.keys[self.name],
            stranger=self.world.stranger,
        )

    def _said(self, code: str, account: str | None = None, variant: str = "") -> Said:
        profile = f"hk.{self.world.accounts[account].profile}" if account else ""
        row = self.world.codes.get("hk", code, variant, profile)
        message = _SPOKEN.get(code, row.said)
        members: JsonObject = {"resultCode": code, "resultStatus": row.variant, "resultMessage": message}
        return Said(code, members, signed=code not in UNSIGNED)

    def _merchant(self, client_id: str) -> str:
        return next(account.owner for account in self.world.accounts.values() if account.app == client_id)

    def _untimely(self, time: str) -> bool:
        """Whether Request-Time lies outside the guessed window, or can't be read while there is one."""
        window = _WINDOWS.get(self.world.guesses["hk.time_window"])
        moment = _moment(time)
        return window is not None and (moment is None or abs((self.world.now() - moment).total_seconds()) > window)


def _moment(time: str) -> datetime | None:
    """Request-Time as clients write it: ISO 8601 in any of its forms, or milliseconds since 1970."""
    try:
        moment = datetime.fromtimestamp(int(time) / 1000, HONG_KONG) if time.isdigit() else datetime.fromisoformat(time)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if moment.tzinfo else None


def _object(body: bytes) -> JsonObject | None:
    try:
        value = read_json(body)
    except JsonError:
        return None
    return value if isinstance(value, dict) else None


def _text(body: JsonObject | None, name: str) -> str | None:
    value = (body or {}).get(name)
    return value if isinstance(value, str) else None
