"""One mainland account: prepare, seal, judge.

Owns the order of the steps and where each parameter travels. The signature, the answer, the SDK's classes and the
tables are others'.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import ModuleType
from typing import Final
from urllib.parse import quote_plus

from passbridge.backends.credentials import KeyRing
from passbridge.backends.mainland.answer import Reading, claim, parse
from passbridge.backends.mainland.query import Inquiry, wanted
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.backends.mainland.signature import Trust, Unverified, Verified, signed_text, verify
from passbridge.domain import Code, JsonObject, PassUpdate
from passbridge.errors import ConfigError, InvalidUpdate, Problem
from passbridge.protocol.flow import GATEWAY_ZONE
from passbridge.protocol.gateway import Capabilities, Prepared, Sealed
from passbridge.protocol.mapping import OutcomeRow, Profile
from passbridge.protocol.signing import ALGORITHMS, Signer
from passbridge.protocol.tables import Tables
from passbridge.protocol.translate import carried, texts, translate
from passbridge.protocol.verdict import HTTP_OK, Verdict, bad_answer, no_answer, untrusted
from passbridge.protocol.wire import Headers, WireRequest, WireResponse

__all__ = ["BACKEND", "MainlandBackend", "MainlandGateway"]

_IN_QUERY: Final = ("app_id", "method", "format", "charset", "sign_type", "timestamp", "version", "sign")
"""The public parameters, which travel in the URL (`charset` must). Business, and tokens above all, travel in the body."""


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of one method: its parameters but for those that change with every attempt, and an update's document."""

    method: str
    params: Mapping[str, str] = field(repr=False)
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

    @property
    def capabilities(self) -> Capabilities:
        """What the account can carry."""
        return carried(self.settings.name, self.profile)

    def prepare(self, update: PassUpdate, now: datetime) -> Prepared:
        """The business parameters, encoded once."""
        said = translate(update, self.profile, {"channel": self.settings.channel_id}, now)
        problems = (*said.problems, *self._unencodable(update))
        content = None if problems else replace(self._call(sdk().update_params(said.document)), document=said.document)
        return Prepared(content, update.action, update.pass_.id, said.at, said.notes, problems)

    def executing(self, sdk_request: object) -> tuple[Sealed, Prepared]:
        """Any request object of the SDK, prepared.

        Raises:
            InvalidUpdate: it is none, or can't be carried.
        """
        call = self._call(sdk().request_params(sdk_request))
        problems = [problem for name, value in call.params.items() for problem in _held(value, name, self.settings.charset)]
        if problems:
            raise InvalidUpdate(problems)
        return _Execution(self, sdk_request), Prepared(call, call.method)

    def inquiring(self, prepared: Prepared) -> tuple[Sealed, Prepared] | None:
        """Whether the pass is in the wanted state, as a question; None unless the account asks, and the tables say what settles it."""
        update, row = prepared.content, self.profile.query.get(prepared.action)  # type: ignore[call-overload]  # absent: no action
        if self.settings.resolve != "query" or row is None or not isinstance(update, _Call):
            return None
        question = self._call(sdk().query_params(str(prepared.subject)))
        return Inquiry(self, row, wanted(prepared, update.document, self.profile)), Prepared(question, question.method)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign these parameters at this time; these parameters are sent."""
        call = prepared.content
        if not isinstance(call, _Call):
            raise TypeError("prepared by another backend")
        charset = self.settings.charset
        params = {**call.params, "timestamp": now.astimezone(GATEWAY_ZONE).strftime("%Y-%m-%d %H:%M:%S")}
        params["sign"] = base64.b64encode(self.sign(signed_text(params).encode(charset))).decode()
        query = _form({name: params[name] for name in _IN_QUERY}, charset)
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
        method = prepared.content.method if isinstance(prepared.content, _Call) else ""
        if response.status != HTTP_OK:
            return no_answer(response, f"HTTP status {response.status}", now)
        found = verify(response.body, method, self.trust)
        if isinstance(found, Unverified) and not found.shaped:
            return no_answer(response, "not an answer of the gateway: no signature and no node of this method", now)
        if isinstance(found, Unverified):
            return untrusted(found.finding, claim(found.claim), response.headers.get("trace_id"))
        return found

    def _call(self, params: Mapping[str, str]) -> _Call:
        ours = {
            "app_id": self.settings.app_id,
            "format": "JSON",
            "charset": self.settings.charset,
            "sign_type": self.settings.sign_type,
        }
        token = self.settings.app_auth_token
        defaults = {"version": "1.0"} | ({"app_auth_token": token.reveal().decode()} if token else {})
        return _Call(params["method"], {**defaults, **params, **ours})

    def _unencodable(self, update: PassUpdate) -> Iterator[Problem]:
        """Text that GBK can't hold: the gateway refuses it under any charset (KP.AE_ALIPASS_CHAR_NOT_GBK)."""
        if self.settings.gbk_check or self.settings.charset == "gbk":
            given = update.as_json()
            sent: JsonObject = {name: given[name] for name in ("proof", "content") if name in given}
            names: JsonObject = {name: getattr(update.pass_, name) for name in ("id", "user_id", "open_id")}
            sent["pass"] = names | {"channel": update.pass_.channel or self.settings.channel_id}
            for path, text in texts(sent, ""):
                yield from _held(text, path.lstrip("."), "gbk")


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


def _held(text: str, path: str, charset: str) -> Iterator[Problem]:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        bad = sorted({character for character in text if not _encodes(character, charset)})
        yield Problem(path, "unencodable_text", f"{', '.join(map(repr, bad))} can't be held by {charset.upper()}", "write it otherwise")


def _encodes(character: str, charset: str) -> bool:
    try:
        return bool(character.encode(charset))
    except UnicodeEncodeError:
        return False


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
        ring = KeyRing(settings, ALGORITHMS[settings.sign_type])
        sign = ring.signer(settings.private_key, signer)
        key = ring.gateway_key("gateway_public_key", settings.gateway_public_key)
        if ring.problems or sign is None or key is None:
            raise ConfigError(ring.problems)
        trust = Trust(ring.algorithm, key)
        return MainlandGateway(settings, tables.profiles["mainland.pass"], tables.outcomes, trust, sign)


BACKEND = MainlandBackend()
