"""AlipayHK's gateway: the header-signed JSON API, simulated.

Owns the course of a request behind its envelope and what is said to it, written from AlipayHK's pages alone. It must
not know the client's own reading of those pages, nor how bytes travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import Final, cast

from passbridge.domain.strictjson import JsonError, JsonObject, read_json
from passbridge.protocol.cipher import DecryptionError, Wrapping
from passbridge.protocol.keys import public_key
from passbridge.protocol.signing import ALGORITHMS, Algorithm
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.codes import Documented
from passbridge.sandbox.faults import Fault
from passbridge.sandbox.gateway import Call, Decision, Gateway, Said
from passbridge.sandbox.hk_answer import HONG_KONG, HkDraft, honest, unsealed
from passbridge.sandbox.hk_asked import ILLEGAL, SUCCESS, Asked, Ruling
from passbridge.sandbox.hk_envelope import (
    CREATE_PASS,
    CREATE_TEMPLATE,
    PATH,
    SWITCH_STATUS,
    TEMPLATE_DETAIL,
    UNSIGNED,
    UPDATE_TEMPLATE,
    Letter,
    opened,
    refused,
)
from passbridge.sandbox.hk_forgery import FORGERIES
from passbridge.sandbox.hk_issue import create_pass
from passbridge.sandbox.hk_keys import GatewayKeys
from passbridge.sandbox.hk_rules import held, update_pass
from passbridge.sandbox.hk_secrecy import Cover, covered, opened_cover
from passbridge.sandbox.hk_templates import create, detail, found, switch, update
from passbridge.sandbox.outfit import Chest, new_p224_key
from passbridge.sandbox.world import World

__all__ = ["HkCall", "HkGateway"]

_APIS: Final[Mapping[str, Callable[[Asked], Ruling]]] = MappingProxyType(
    {
        PATH: update_pass,
        CREATE_PASS: create_pass,
        CREATE_TEMPLATE: create,
        UPDATE_TEMPLATE: update,
        TEMPLATE_DETAIL: detail,
        SWITCH_STATUS: switch,
    }
)
"""Every API by its path."""

_SPOKEN: Final = MappingProxyType({SUCCESS: "success"})
"""Texts that the samples give otherwise than the tables (seed 000)."""

_WINDOWS: Final = MappingProxyType({"15min": 900, "30min": 1800})

_CIPHERTEXT: Final = MappingProxyType({"text": "text/plain; charset=UTF-8", "json": "application/json;charset=UTF-8"})
"""What a ciphertext is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HkCall(Call):
    """A request to AlipayHK as far as it was understood.

    Attributes:
        client_id: whose it is.
        target: the path with its query: an answer's signature covers those of its request.
        algorithm: what it is signed by.
        body: the body, where the signature is right and it is a JSON object.
        secrecy: the public key that the answer is encrypted for, if the request was.
        aes_key: the request's own AES key, likewise.
    """

    client_id: str
    target: str
    algorithm: Algorithm = ALGORITHMS["RSA256"]
    body: JsonObject | None = None
    secrecy: bytes | None = None
    aes_key: bytes | None = None


class HkGateway(Gateway[HkCall]):
    """AlipayHK's gateway."""

    name = "hk"

    def __init__(self, world: World, chest: Chest) -> None:
        super().__init__(world)
        self._keys = GatewayKeys(chest)
        self._strange_curve_key = cache(new_p224_key)

    def read(self, request: WireRequest) -> HkCall:
        """The checks up to the signature's; then what the body names, as far as it can be read."""
        letter = opened(self.world, request)
        call = HkCall(request=request, signature="ok", client_id=letter.client_id, target=letter.target, method=letter.path)
        refusal = refused(self.world, letter)
        if refusal or not letter.algorithm:
            code, why = refusal or ("INVALID_SIGNATURE", "the algorithm is unknown")
            return replace(call, signature=why, refusal=self._said(code))
        return self._named(self._uncovered(replace(call, algorithm=letter.algorithm), letter))

    def decide(self, call: HkCall) -> Decision:
        """The time window, if there is one, the body's JSON, and the rules of the API's page."""
        if call.body is None or self._untimely(call.request.headers["request-time"]):
            return Decision(self._said(ILLEGAL))
        ruling = _APIS[str(call.method)](Asked(self.world, call.client_id, call.body))
        return Decision(replace(self._said(ruling.code, call.account), beside=ruling.beside), ruling.change)

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

    def _uncovered(self, call: HkCall, letter: Letter) -> HkCall:
        """The call with its body: under its encryption, where that is due, and not without it, unless a guess allows that.

        Whatever is wrong with a ciphertext, what comes out of it included, is answered alike, in plain text.
        """
        if not letter.encrypt:
            reading = self.world.guesses["hk.plain_request"] if letter.secrecy else "accepted"
            return replace(call, body=_object(call.request.body), refusal=None if reading == "accepted" else self._said(reading))
        try:
            plain, key = opened_cover(letter.encrypt, call.request.body, self._keys.unwrapping(), self._wrapping)
        except DecryptionError:
            plain, key = b"", b""
        body = _object(plain) if letter.secrecy else None
        if body is None:
            return replace(call, refusal=self._said(self.world.guesses["hk.undecryptable"]))
        return replace(call, body=body, secrecy=letter.secrecy, aes_key=key, mode="encryption")

    def _named(self, call: HkCall) -> HkCall:
        """The call with what a fault can match and the log names."""
        asked = Asked(self.world, call.client_id, call.body or {})
        one = held(self.world, call.client_id, asked.text("passId")) or found(asked)
        return replace(
            call, account=one.account if one else None, pass_id=asked.text("passId") or None, action=asked.text("status") or None
        )

    def _draft(self, call: HkCall, said: Said) -> HkDraft:
        curve = call.algorithm.curve is not None
        draft = HkDraft(
            request=call.request,
            method=call.request.method,
            target=call.target,
            client_id=call.client_id,
            member=self.world.guesses["hk.result_node"],
            members=said.members,
            beside=said.beside,
            now=self.world.now(),
            trace=self.world.trace(),
            algorithm=call.algorithm,
            key=self._keys.signing(call.algorithm.name),
            next_key=lambda: self._keys.signing(call.algorithm.name, "2"),
            stranger=self._strange_curve_key if curve else self.world.stranger,
        )
        return self._covered(draft, call) if said.signed else draft

    def _covered(self, draft: HkDraft, call: HkCall) -> HkDraft:
        """The draft under a new cover, where the request came under one."""
        if call.secrecy is None:
            return draft
        return replace(
            draft,
            cover=covered(public_key(call.secrecy), "1", self._wrapping),
            same_cover=Cover(call.aes_key or b"", "algorithm=RSA_AES,keyVersion=1"),
            strange_cover=lambda: covered(self.world.stranger().public_key(), "1", self._wrapping),
            media_type=_CIPHERTEXT[self.world.guesses["hk.encrypted_type"]],
        )

    @property
    def _wrapping(self) -> Wrapping:
        return cast("Wrapping", self.world.guesses["hk.key_wrapping"])

    def _said(self, code: str, account: str | None = None, variant: str = "") -> Said:
        page = f"hk.{self.world.accounts[account].profile}" if account else ""
        row = self.world.codes.get("hk", code, variant, page)
        message = _SPOKEN.get(code, row.said)
        members: JsonObject = {"resultCode": code, "resultStatus": row.variant, "resultMessage": message}
        return Said(code, members, signed=code not in UNSIGNED)

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
