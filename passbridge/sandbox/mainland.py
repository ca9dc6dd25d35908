"""The mainland's gateway: the form-signed API behind `gateway.do`, simulated.

Owns the course of a request behind its form and what is said to it, written from the gateway's own documents and from
replies seen on its wire. It must not know the client's own reading of them, nor how bytes travel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonError, JsonObject, read_json
from passbridge.protocol.signing import ALGORITHMS
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.codes import Documented
from passbridge.sandbox.faults import Fault
from passbridge.sandbox.gateway import Call, Decision, Gateway, Said
from passbridge.sandbox.mainland_answer import MainlandDraft, framed, honest
from passbridge.sandbox.mainland_api import FORMAT_ERROR, IS_NULL, Api, Case, Refusal, Ruling, without_nulls
from passbridge.sandbox.mainland_certificates import DOWNLOAD
from passbridge.sandbox.mainland_cipher import Content, opened
from passbridge.sandbox.mainland_forgery import FORGERIES
from passbridge.sandbox.mainland_form import Form, form_of, refused
from passbridge.sandbox.mainland_frame import moment
from passbridge.sandbox.mainland_issue import INSTANCE_ADD
from passbridge.sandbox.mainland_query import QUERY
from passbridge.sandbox.mainland_rules import UPDATE, applied
from passbridge.sandbox.mainland_templates import TEMPLATE_ADD, TEMPLATE_UPDATE
from passbridge.sandbox.papers import Seal

__all__ = ["APIS", "METHOD", "UNSIGNED", "MainlandCall", "MainlandGateway"]

METHOD: Final = "alipay.pass.instance.update"
_DOWNLOAD: Final = "alipay.open.app.alipaycert.download"

APIS: Final[Mapping[str, Api]] = MappingProxyType(
    {
        "alipay.pass.template.add": TEMPLATE_ADD,
        "alipay.pass.template.update": TEMPLATE_UPDATE,
        "alipay.pass.instance.add": INSTANCE_ADD,
        METHOD: UPDATE,
        "alipay.marketing.pass.instance.query": QUERY,
        _DOWNLOAD: DOWNLOAD,
    }
)
"""Every method simulated, in the order of a pass's life."""

UNSIGNED: Final = frozenset(
    {"isv.missing-method", "isv.missing-app-id", "isv.invalid-app-id", "isv.missing-signature-config", "isv.missing-signature"}
)
"""Sub codes whose answers were seen without a signature, or come before one is possible."""

_ERROR: Final = "error_response"
_IN_ERROR_RESPONSE: Final = frozenset({"isv.missing-method", "isv.missing-signature", "isv.invalid-method"})
"""Sub codes that stand under `error_response`: there is no method to name the node by, or it was seen so."""

_WINDOWS: Final = MappingProxyType({"10min": 600, "30min": 1800})


_NOTHING: Final = Content()


@dataclass(frozen=True, slots=True, kw_only=True)
class MainlandCall(Call):
    """A request to the mainland as far as it was understood.

    Attributes:
        form: its parameters.
        keys: what is registered for its app, by a word.
        content: `biz_content`, opened.
        biz: the same as an object, without its nulls, where it is one.
    """

    form: Form
    keys: Mapping[str, bytes]
    content: Content = _NOTHING
    biz: JsonObject | None = None

    @property
    def api(self) -> Api:
        """The rules of its method; those of an update, where the method is unknown."""
        return APIS.get(self.method or "", UPDATE)


class MainlandGateway(Gateway[MainlandCall]):
    """The mainland's gateway."""

    name = "mainland"

    def read(self, request: WireRequest) -> MainlandCall:
        """The checks up to the signature's; then what `biz_content` names, as far as it can be read."""
        form = form_of(request)
        keys = self.world.store.app_keys(self.name, form.plain("app_id")) or {}
        call = MainlandCall(request=request, signature="ok", form=form, keys=keys, method=form.plain("method"))
        refusal = refused(form, self.world)
        if refusal:
            wrong, signed = refusal
            return replace(call, signature=wrong.why, refusal=self._failed(call, wrong.sub_code, wrong.text, signed=signed))
        return self._named(replace(call, content=opened(form, self.world)))

    def decide(self, call: MainlandCall) -> Decision:
        """The public parameters that only matter now, then the rules of the method's page."""
        sub_code = next((code for code, unfit in _UNFIT if unfit(self, call)), call.content.refusal)
        ruling = Ruling(Refusal(sub_code)) if sub_code else self._ruling(call)
        said = self._failed(call, *ruling.refusal) if ruling.refusal else self._succeeded(call, ruling.members)
        return Decision(said, ruling.change)

    def documented(self, call: MainlandCall, row: Documented) -> Said:
        """A sub code under its gateway code, or a gateway code alone."""
        if row.code == "10000":
            return self._succeeded(call, self._ruling(call).members)
        if row.layer == "code":
            return Said(row.code, {"code": row.code, "msg": row.said}, signed=True, node=_node(call.form))
        return self._failed(call, row.code, variant=row.variant)

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
        first = next((one for one in self.world.store.passes() if one.gateway == self.name), None)
        call = MainlandCall(request=WireRequest("POST", "/gateway.do", Headers(), b""), signature="ok", form=form, keys={}, method=METHOD)
        return self.answer(call, self._succeeded(call, applied(self.world, first.id if first else "", first)))

    def untimely(self, form: Form) -> bool:
        """Whether the timestamp lies outside the guessed window."""
        window, sent = _WINDOWS.get(self.world.guesses["mainland.time_window"]), moment(form.plain("timestamp"))
        return window is not None and sent is not None and abs((self.world.now() - sent).total_seconds()) > window

    def _draft(self, call: MainlandCall, said: Said) -> MainlandDraft:
        seal = self._seal(call) if said.signed else None
        failures = {"40004"} if self.world.guesses["mainland.encrypted_failures"] == "encrypted" else set()
        return MainlandDraft(
            form=call.form,
            codec=call.form.codec,
            node=said.node,
            members=said.members,
            digest=ALGORITHMS["RSA" if call.form.plain("sign_type") == "RSA" else "RSA2"].hash,
            trace=self.world.trace(),
            key=seal.key if seal else self.world.keys[self.name],
            stranger=self.world.stranger,
            close=call.content.close if said.members.get("code") in {"10000", *failures} else None,
            serial=seal.serial if seal else "",
            place=self.world.guesses["mainland.cert_sn_place"],
        )

    def _seal(self, call: MainlandCall) -> Seal | None:
        """The certificate that signs, in certificate mode."""
        if "CERT" not in call.keys:
            return None
        first = call.method == _DOWNLOAD and self.world.guesses["mainland.download_signer"] == "first"
        return self.world.papers.seals[0 if first else -1]

    def _named(self, call: MainlandCall) -> MainlandCall:
        """The call with what a fault can match and the log names."""
        call = replace(call, biz=_object(call.content.text, call.form.codec))
        biz = call.biz or {}
        serial, status = call.api.serial(biz), biz.get("status")
        found = self._case(call).find(biz.get("serial_number"), biz.get("channel_id"))
        return replace(
            call,
            account=found.account if found else next(iter(self._accounts(call)), None),
            pass_id=serial if isinstance(serial, str) else None,
            action=status if isinstance(status, str) else None,
            mode="certificates" if "CERT" in call.keys else "encryption" if call.content.close else "",
        )

    def _accounts(self, call: MainlandCall) -> tuple[str, ...]:
        """The account of the merchant whose token came along; without one, the app's own."""
        other, app = call.keys.get(f"TOKEN {call.form.plain('app_auth_token')}"), call.form.plain("app_id")
        if other:
            return (other.decode(),)
        return tuple(name for name, account in self.world.accounts.items() if account.app == app and not account.by_token)

    def _case(self, call: MainlandCall) -> Case:
        return Case(self.world, call.form.plain("app_id"), self._accounts(call), call.biz or {})

    def _ruling(self, call: MainlandCall) -> Ruling:
        if call.biz is None:
            return Ruling(Refusal(FORMAT_ERROR if call.content.text else IS_NULL))
        return call.api.judge(self._case(call))

    def _failed(self, call: MainlandCall, sub_code: str, text: str = "", variant: str = "", *, signed: bool = True) -> Said:
        form, row = call.form, self.world.codes.get("mainland", sub_code, variant)
        said = text or row.wording + _LOUD.get(sub_code, "")
        members: JsonObject = {
            "msg": self.world.codes.get("mainland", row.variant).said,
            "code": row.variant,
            "sub_msg": said,
            "sub_code": sub_code,
        }
        if row.variant == "40004":
            members |= call.api.failed(self.world, sub_code, said)
        nameless = sub_code in _IN_ERROR_RESPONSE or form.twice or not form.values.get("method")
        node = _ERROR if nameless else _node(form)
        return Said(sub_code, members, signed=signed and sub_code not in UNSIGNED, node=node)

    def _succeeded(self, call: MainlandCall, members: JsonObject) -> Said:
        said = {"msg": self.world.codes.get("mainland", "10000").said, "code": "10000", **members}
        return Said("10000", said, signed=True, node=_node(call.form))


def _node(form: Form) -> str:
    return form.plain("method").replace(".", "_") + "_response"


def _object(raw: bytes, codec: str) -> JsonObject | None:
    try:
        value = read_json(raw.decode(codec))
    except (UnicodeDecodeError, JsonError):
        return None
    return without_nulls(value) if isinstance(value, dict) else None


def _untokened(_gateway: MainlandGateway, call: MainlandCall) -> bool:
    """Whether a token came along that nobody gave to this app."""
    token = call.form.plain("app_auth_token")
    return bool(token) and f"TOKEN {token}" not in call.keys


_UNFIT: Final[tuple[tuple[str, Callable[[MainlandGateway, MainlandCall], bool]], ...]] = (
    ("isv.invalid-timestamp", lambda gateway, call: gateway.untimely(call.form)),
    ("isv.invalid-method", lambda _gateway, call: call.method not in APIS),
    ("aop.invalid-app-auth-token", _untokened),
    ("isv.app-cert-not-exist", lambda _gateway, call: bool(call.form.values.get("app_cert_sn")) and "CERT" not in call.keys),
)
"""What stops a well-signed request before its content is looked at."""

_LOUD: Final = MappingProxyType({"isv.invalid-method": f" (this sandbox simulates {', '.join(APIS)})"})
"""What is added to the documented text, where the simulator's own limits are the cause."""
