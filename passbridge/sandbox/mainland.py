"""The mainland's gateway: the form-signed API behind `gateway.do`, simulated.

Owns the course of a request behind its form and what is said to it, written from the gateway's own documents and from
replies seen on its wire. It must not know the client's own reading of them, nor how bytes travel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonError, JsonObject, JsonValue, read_json, write_json
from passbridge.protocol.signing import ALGORITHMS
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.codes import Documented
from passbridge.sandbox.faults import Fault
from passbridge.sandbox.gateway import Call, Decision, Gateway, Said, World
from passbridge.sandbox.mainland_answer import MainlandDraft, framed, honest
from passbridge.sandbox.mainland_forgery import FORGERIES
from passbridge.sandbox.mainland_form import Form, form_of, moment, refused
from passbridge.sandbox.mainland_rules import FORMAT_ERROR, IS_NULL, judge
from passbridge.sandbox.store import Pass

__all__ = ["METHOD", "UNSIGNED", "MainlandCall", "MainlandGateway"]

METHOD: Final = "alipay.pass.instance.update"
"""The one API simulated."""

UNSIGNED: Final = frozenset(
    {"isv.missing-method", "isv.missing-app-id", "isv.invalid-app-id", "isv.missing-signature-config", "isv.missing-signature"}
)
"""Sub codes whose answers were seen without a signature, or come before one is possible."""

_ERROR: Final = "error_response"
_IN_ERROR_RESPONSE: Final = frozenset({"isv.missing-method", "isv.missing-signature", "isv.invalid-method"})
"""Sub codes that stand under `error_response`: there is no method to name the node by, or it was seen so."""

_WINDOWS: Final = MappingProxyType({"10min": 600, "30min": 1800})


@dataclass(frozen=True, slots=True, kw_only=True)
class MainlandCall(Call):
    """A request to the mainland as far as it was understood: its public parameters, and `biz_content`, if readable."""

    form: Form
    biz: JsonObject | None = None


class MainlandGateway(Gateway[MainlandCall]):
    """The mainland's gateway."""

    name = "mainland"

    def read(self, request: WireRequest) -> MainlandCall:
        """The checks up to the signature's; then what `biz_content` names, as far as it can be read."""
        form = form_of(request)
        call = MainlandCall(request=request, signature="ok", form=form, method=form.plain("method"))
        refusal = refused(form, self.world)
        if refusal:
            wrong, signed = refusal
            return replace(call, signature=wrong.why, refusal=self._failed(form, wrong.sub_code, wrong.text, signed=signed))
        return self._named(call, _object(form.values.get("biz_content", b"").decode(form.codec)))

    def decide(self, call: MainlandCall) -> Decision:
        """The public parameters that only matter now, then the rules of the page."""
        sub_code = next((code for code, unfit in _UNFIT if unfit(call.form, self.world)), "")
        if sub_code:
            return Decision(self._failed(call.form, sub_code))
        if call.biz is None:
            return Decision(self._failed(call.form, FORMAT_ERROR if call.form.values.get("biz_content") else IS_NULL))
        sub_code, change = judge(self.world, call.biz, self._found(call.biz))
        return Decision(self._failed(call.form, sub_code) if sub_code else self._succeeded(call), change)

    def documented(self, call: MainlandCall, row: Documented) -> Said:
        """A sub code under its gateway code, or a gateway code alone."""
        if row.code == "10000":
            return self._succeeded(call)
        if row.layer == "code":
            return Said(row.code, {"code": row.code, "msg": row.said}, signed=True, node=_node(call.form))
        return self._failed(call.form, row.code, variant=row.variant)

    def answer(self, call: MainlandCall, said: Said) -> WireResponse:
        """In the charset asked for."""
        draft = self._draft(call, said)
        return honest(draft) if said.signed else framed(draft, (draft.name, draft.source))

    def forged(self, call: MainlandCall, said: Said, fault: Fault, old: WireResponse | None) -> WireResponse:
        """One function a fault."""
        return FORGERIES[fault.name](replace(self._draft(call, said), old=old), fault.number)

    def unasked(self) -> WireResponse:
        """The node's result names the pass."""
        form = Form({"method": METHOD.encode(), "charset": b"utf-8", "sign_type": b"RSA2"}, frozenset(), "")
        pass_id = next((one.id for one in self.world.store.passes() if one.gateway == self.name), None)
        call = MainlandCall(request=WireRequest("POST", "/gateway.do", Headers(), b""), signature="ok", form=form, pass_id=pass_id)
        return self.answer(call, self._succeeded(call))

    def _draft(self, call: MainlandCall, said: Said) -> MainlandDraft:
        return MainlandDraft(
            form=call.form,
            codec=call.form.codec,
            node=said.node,
            members=said.members,
            digest=ALGORITHMS["RSA" if call.form.plain("sign_type") == "RSA" else "RSA2"].hash,
            trace=self.world.trace(),
            key=self.world.keys[self.name],
            stranger=self.world.stranger,
        )

    def _named(self, call: MainlandCall, biz: JsonObject | None) -> MainlandCall:
        """The call with what a fault can match and the log names."""
        found = self._found(biz or {})
        own = (name for name, account in self.world.accounts.items() if account.app == call.form.plain("app_id"))
        serial, status = (biz or {}).get("serial_number"), (biz or {}).get("status")
        return replace(
            call,
            biz=biz,
            account=found.account if found else next(own, None),
            pass_id=serial if isinstance(serial, str) else None,
            action=status if isinstance(status, str) else None,
        )

    def _found(self, biz: JsonObject) -> Pass | None:
        serial, channel = biz.get("serial_number"), biz.get("channel_id")
        known = isinstance(serial, str) and isinstance(channel, str)
        return self.world.store.find("mainland", str(serial), str(channel)) if known else None

    def _failed(self, form: Form, sub_code: str, text: str = "", variant: str = "", *, signed: bool = True) -> Said:
        row = self.world.codes.get("mainland", sub_code, variant)
        members: JsonObject = {
            "msg": self.world.codes.get("mainland", row.variant).said,
            "code": row.variant,
            "sub_msg": text or row.wording + _LOUD.get(sub_code, ""),
            "sub_code": sub_code,
        }
        if row.variant == "40004":
            members |= {"success": self._success(is_so=False), "result": '{"operate":"UPDATE"}'}
        nameless = sub_code in _IN_ERROR_RESPONSE or form.twice or not form.values.get("method")
        node = _ERROR if nameless else _node(form)
        return Said(sub_code, members, signed=signed and sub_code not in UNSIGNED, node=node)

    def _succeeded(self, call: MainlandCall) -> Said:
        """The page's sample answer, about this pass."""
        serial = call.pass_id or ""
        result = {"serialNumber": serial, "passId": _pass_id(serial), "operate": "UPDATE", "errorCode": "SUCCESS", "errorMsg": "处理成功"}
        members: JsonObject = {
            "msg": self.world.codes.get("mainland", "10000").said,
            "result": write_json({**result}),
            "code": "10000",
            "success": self._success(is_so=True),
        }
        return Said("10000", members, signed=True, node=_node(call.form))

    def _success(self, *, is_so: bool) -> JsonValue:
        return is_so if self.world.guesses["mainland.success_type"] == "bool" else str(is_so).lower()


def _node(form: Form) -> str:
    return form.plain("method").replace(".", "_") + "_response"


def _pass_id(serial: str) -> str:
    """Alipay's own name for the pass: made up, but always the same."""
    return f"{int.from_bytes(hashlib.sha256(serial.encode()).digest()[:8]) % 10**12:012d}"


def _object(text: str) -> JsonObject | None:
    try:
        value = read_json(text)
    except JsonError:
        return None
    return value if isinstance(value, dict) else None


def _untimely(form: Form, world: World) -> bool:
    """Whether the timestamp lies outside the guessed window."""
    window, sent = _WINDOWS.get(world.guesses["mainland.time_window"]), moment(form.plain("timestamp"))
    return window is not None and sent is not None and abs((world.now() - sent).total_seconds()) > window


_UNFIT: Final[tuple[tuple[str, Callable[[Form, World], bool]], ...]] = (
    ("isv.invalid-timestamp", _untimely),
    ("isv.invalid-method", lambda form, _world: form.plain("method") != METHOD),
    ("isv.missing-encrypt-key", lambda form, _world: bool(form.values.get("encrypt_type"))),
    ("isv.app-cert-not-exist", lambda form, _world: bool(form.values.get("app_cert_sn"))),
)
"""What stops a well-signed request before its content is looked at: the apps here have neither an AES key nor a
certificate."""

_LOUD: Final = MappingProxyType({"isv.invalid-method": f" (this sandbox simulates {METHOD} alone)"})
"""What is added to the documented text, where the simulator's own limits are the cause."""
