"""One mainland account: prepare, seal, judge.

Owns the order of the steps and where each parameter travels. The signature, the answer, the SDK's classes and the
tables are others'.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType
from typing import Final
from urllib.parse import quote_plus

from passbridge.backends.mainland.answer import DONE, Reading, claim, parse
from passbridge.backends.mainland.certificates import Certificates, Download
from passbridge.backends.mainland.charset import held, unencodable
from passbridge.backends.mainland.encryption import UNDECRYPTABLE, Encryption
from passbridge.backends.mainland.opening import open_account
from passbridge.backends.mainland.query import Inquiry, wanted
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.backends.mainland.signature import Trust, Unverified, Verified, signed_text, verify
from passbridge.domain import Code, JsonObject, PassUpdate, read_json
from passbridge.errors import ConfigError, InvalidUpdate, Problem
from passbridge.protocol.conversation import GATEWAY_ZONE
from passbridge.protocol.gateway import Capabilities, Credential, Prepared, Sealed
from passbridge.protocol.mapping import OutcomeRow, Profile
from passbridge.protocol.signing import Signer, percent_encoded
from passbridge.protocol.tables import Tables
from passbridge.protocol.translate import carried, translate
from passbridge.protocol.verdict import HTTP_OK, Verdict, bad_answer, no_answer, untrusted
from passbridge.protocol.wire import Headers, WireRequest, WireResponse

__all__ = ["BACKEND", "MainlandBackend", "MainlandGateway"]

_IN_QUERY: Final = (
    *("app_id", "method", "format", "charset", "sign_type", "timestamp", "version"),
    *("encrypt_type", "app_cert_sn", "alipay_root_cert_sn"),
)
"""The public parameters, which travel in the URL (`charset` must). Business, and tokens above all, travel in the body."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of one method: its parameters but for those that change with every attempt.

    Attributes:
        method: the method.
        params: what is sent with every attempt alike.
        encrypted: whether its `biz_content` is, and its answer must be.
        delegated: whether it is made in the name of the merchant whose token the account has.
        document: an update's business members as they were before.
    """

    method: str
    params: Mapping[str, str] = field(repr=False)
    encrypted: bool = False
    delegated: bool = True
    document: JsonObject = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Execution:
    """Any request object of the official SDK: the same signatures, and the SDK's own response object."""

    gateway: MainlandGateway
    request: object

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        return self.gateway.seal(prepared, now)

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:  # noqa: ARG002 - the port's
        verified = self.gateway.verified(prepared, response, now)
        if isinstance(verified, Verdict):
            return verified
        trace, answer = response.headers.get("trace_id"), parse(verified)
        if isinstance(answer, str):
            return bad_answer(answer, None, trace)
        filled = sdk().response_object(self.request, verified.node)
        if filled is None:
            return bad_answer("the official SDK's own class can't take the answer", answer.native, trace)
        return Verdict(code=Code.APPLIED, native=answer.native, trace_id=trace, answer=filled)


@dataclass(frozen=True, slots=True)
class MainlandGateway:
    """One account at the mainland gateway. Pure, but for a merchant's own signer."""

    settings: MainlandSettings
    profile: Profile
    outcomes: Mapping[Code, OutcomeRow]
    trust: Trust
    sign: Signer
    certificates: Certificates | None = None
    encryption: Encryption | None = None
    credentials: tuple[Credential, ...] = ()

    @property
    def capabilities(self) -> Capabilities:
        """What the account can carry."""
        return carried(self.settings.name, self.profile)

    def prepare(self, update: PassUpdate, now: datetime) -> Prepared:
        """The business parameters, encoded once."""
        said = translate(update, self.profile, {"channel": self.settings.channel_id}, now)
        problems = (*said.problems, *unencodable(update, self.settings))
        content = None if problems else replace(self._own(sdk().update_params(said.document)), document=said.document)
        return Prepared(content, update.action, update.pass_.id, said.at, said.notes, problems)

    def executing(self, sdk_request: object) -> tuple[Sealed, Prepared]:
        """Any request object of the SDK, prepared.

        Raises:
            InvalidUpdate: it is none, or can't be carried.
        """
        params = sdk().request_params(sdk_request, encrypts=self.encryption is not None)
        problems = [problem for name, value in params.items() for problem in held(value, name, self.settings.charset)]
        if problems:
            raise InvalidUpdate(problems)
        call = self._call(params, encrypted=bool(getattr(sdk_request, "need_encrypt", False)))
        return _Execution(self, sdk_request), Prepared(call, call.method)

    def inquiring(self, prepared: Prepared) -> tuple[Sealed, Prepared] | None:
        """Whether the pass is in the wanted state, as a question; None unless the account asks, and the tables say what settles it."""
        update, row = prepared.content, self.profile.query.get(prepared.action)  # type: ignore[call-overload]  # absent: no action
        if self.settings.resolve != "query" or row is None or not isinstance(update, _Call):
            return None
        question = self._own(sdk().query_params(str(prepared.subject)))
        return Inquiry(self, row, wanted(prepared, update.document, self.profile)), Prepared(question, question.method)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign these parameters at this time; these parameters are sent."""
        call = prepared.content
        if not isinstance(call, _Call):
            raise TypeError("prepared by another backend")
        charset = self.settings.charset
        stamp = {"timestamp": now.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S")}
        # Nothing within reach of a frame holds the token while a merchant's own signer runs: it may end in a traceback.
        signature = percent_encoded(self.sign(signed_text({**self._token(call), **call.params, **stamp}).encode(charset)))
        params = {**self._token(call), **call.params, **stamp}
        query = f"{_form({name: params[name] for name in _IN_QUERY if name in params}, charset)}&sign={signature}"
        body = _form({name: value for name, value in params.items() if name not in _IN_QUERY}, charset)
        headers = Headers({"Content-Type": f"application/x-www-form-urlencoded;charset={charset}"})
        return WireRequest("POST", f"{self.settings.gateway}?{query}", headers, body.encode())

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:  # noqa: ARG002 - the port's
        """Verify, read, weigh."""
        verified, trace = self.verified(prepared, response, now), response.headers.get("trace_id")
        if isinstance(verified, Verdict):
            return verified
        answer = parse(verified)
        if isinstance(answer, str):
            return bad_answer(answer, None, trace)
        return Reading(self.profile, self.outcomes, prepared.action, prepared.subject, trace).verdict(answer)

    def verified(self, prepared: Prepared, response: WireResponse, now: datetime) -> Verified | Verdict:
        """The node of this method, proved; else the verdict on what came instead."""
        call, trace = prepared.content if isinstance(prepared.content, _Call) else _Call("", {}), response.headers.get("trace_id")
        if response.status != HTTP_OK:
            return no_answer(response, f"HTTP status {response.status}", now)
        found = verify(response.body, call.method, self.trust)
        if isinstance(found, Unverified) and not found.shaped:
            return no_answer(response, "not an answer of the gateway: no signature and no node of this method", now)
        if isinstance(found, Unverified):
            return replace(untrusted(found.finding, claim(found.claim), trace), errand=self._errand(found.serial))
        return self._decrypted(found, self.encryption, trace) if call.encrypted and self.encryption else found

    def _errand(self, serial: str | None) -> tuple[Sealed, Prepared] | None:
        """Fetching the certificate that an answer names, where the account allows it."""
        if serial is None or self.certificates is None or not self.certificates.download:
            return None
        download = Download(self, self.certificates, serial)
        call = replace(self._call(download.params), delegated=False)  # the app's own affair
        return download, Prepared(call, call.method)

    def _decrypted(self, found: Verified, encryption: Encryption, trace: str | None) -> Verified | Verdict:
        """The plain text of what was verified. A plain answer to an encrypted call is what a failure looks like, never a success."""
        node = read_json(found.node)
        if isinstance(node, str):
            plain = encryption.decrypt(node)
            return Verified(plain) if plain is not None else replace(bad_answer(UNDECRYPTABLE.message, None, trace), finding=UNDECRYPTABLE)
        answer = parse(found)
        if not isinstance(answer, str) and answer.native.code == DONE:
            return bad_answer("a plain answer where an encrypted one was asked for", answer.native, trace)
        return found

    def _token(self, call: _Call) -> dict[str, str]:
        token = self.settings.app_auth_token if call.delegated else None
        return {"app_auth_token": token.reveal().decode()} if token else {}

    def _own(self, params: Mapping[str, str]) -> _Call:
        """A call that passbridge makes itself: encrypted wherever the account encrypts."""
        return self._call(params, encrypted=self.encryption is not None)

    def _call(self, params: Mapping[str, str], *, encrypted: bool = False) -> _Call:
        ours = {
            "app_id": self.settings.app_id,
            "format": "JSON",
            "charset": self.settings.charset,
            "sign_type": self.settings.sign_type,
        }
        if self.certificates:
            ours |= self.certificates.params
        if encrypted and self.encryption:
            secret = self.encryption.encrypt(params["biz_content"].encode(self.settings.charset))
            ours |= {"encrypt_type": self.encryption.kind, "biz_content": secret}
        return _Call(params["method"], {"version": "1.0", **params, **ours}, encrypted)


def sdk() -> ModuleType:
    """The official SDK's classes, imported at their first use.

    Raises:
        ConfigError: another distribution has overwritten the package `alipay`.
    """
    try:
        from passbridge.backends.mainland import sdk as module  # noqa: PLC0415 - 0.1 to 0.3 s, and only mainland accounts pay
    except ImportError as error:
        message = f"the package alipay is not alipay-sdk-python's: {error}"
        mend = "another distribution (python-alipay-sdk) overwrote it: uninstall that, then pip install --force-reinstall alipay-sdk-python"
        raise ConfigError([Problem("alipay-sdk-python", "overwritten", message, mend)]) from None
    return module


def _form(params: Mapping[str, str], charset: str) -> str:
    return "&".join(f"{name}={quote_plus(value, encoding=charset)}" for name, value in params.items() if value)


class MainlandBackend:
    """Speaks the mainland gateway's `alipay.pass.instance.update`, and any other method through `execute`."""

    settings = MainlandSettings

    def open(self, settings: MainlandSettings, tables: Tables, signer: Signer | None) -> MainlandGateway:
        """One account, its keys parsed once.

        Raises:
            ConfigError: with every problem of the account.
        """
        own = open_account(settings, signer)
        profile = tables.profiles["mainland.pass"]
        return MainlandGateway(settings, profile, tables.outcomes, own.trust, own.sign, own.certificates, own.encryption, own.credentials)


BACKEND = MainlandBackend()
