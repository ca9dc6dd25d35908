"""One AlipayHK account: prepare, seal, judge.

Owns the order of the steps and the request's header fields. The signature, the answer and the tables are others'.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from passbridge.backends.credentials import KeyRing
from passbridge.backends.hk.answer import Answer, claim, normalise, parse, readable, refuses, shaped, trace_id
from passbridge.backends.hk.encryption import NOT_ENCRYPTED, UNREADABLE, Drawing, EncryptedRequest, Encryption, decrypt, encrypt
from passbridge.backends.hk.opening import algorithm_of, encryption_of, gateway_keys
from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.hk.signature import Trust, Verified, signature_field, signed_path, signed_text, verify
from passbridge.domain import Code, Finding, JsonObject, PassUpdate, write_json
from passbridge.domain.strictjson import flaws
from passbridge.errors import ConfigError, InvalidUpdate, Problem
from passbridge.protocol.conversation import GATEWAY_ZONE
from passbridge.protocol.gateway import Capabilities, Credential, Prepared, Sealed
from passbridge.protocol.mapping import Profile
from passbridge.protocol.signing import Signer
from passbridge.protocol.tables import Tables
from passbridge.protocol.translate import carried, translate
from passbridge.protocol.verdict import HTTP_OK, Verdict, bad_answer, no_answer, untrusted
from passbridge.protocol.wire import Headers, WireRequest, WireResponse

__all__ = ["BACKEND", "UPDATE_PASS", "HkBackend", "HkGateway"]

UPDATE_PASS: Final = "/api/open/alipay/v1/ipass/pass/manage/updatePass"  # noqa: S105 - a path (all three HK seeds)

_PATH: Final = re.compile(r"/[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*")
"""A path with its query: what RFC 3986 lets stand unencoded, and what is encoded."""


@dataclass(frozen=True, slots=True)
class _Body:
    """What is signed and sent: the path below the gateway's address, and the bytes."""

    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Calls:
    """Any other API of the gateway: the same signatures, and the verified document as it came."""

    gateway: HkGateway

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        return self.gateway.seal(prepared, now)

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:  # noqa: ARG002 - the port's
        answer = self.gateway.verified(request, response, now)
        if isinstance(answer, Verdict):
            return answer
        native, document = answer.native, answer.document
        return Verdict(code=Code.APPLIED, native=native, trace_id=trace_id(response.headers), answer=document)


@dataclass(frozen=True, slots=True)
class HkGateway:
    """One account at AlipayHK. Pure, but for a merchant's own signer and the randomness handed in."""

    settings: HkSettings
    profile: Profile
    trust: Trust
    sign: Signer
    encryption: Encryption | None = None
    credentials: tuple[Credential, ...] = ()

    def drawing(self, draw: Drawing) -> HkGateway:
        """The same account; the keys of its encrypted bodies are drawn from here."""
        return replace(self, encryption=self.encryption and replace(self.encryption, draw=draw))

    @property
    def capabilities(self) -> Capabilities:
        """What the account can carry."""
        return carried(self.settings.name, self.profile)

    def prepare(self, update: PassUpdate, now: datetime) -> Prepared:
        """The body, encoded once."""
        said = translate(update, self.profile, {"merchant": self.settings.merchant_id}, now)
        content = _Body(UPDATE_PASS, write_json(said.document).encode())
        return Prepared(content, update.action, update.pass_.id, said.at, said.notes, said.problems)

    def calling(self, path: str, body: JsonObject) -> tuple[Sealed, Prepared]:
        """Any path and body, prepared.

        Raises:
            InvalidUpdate: the path is none that a URL holds, or the body no JSON object.
        """
        problems = [*_wrong_path(path), *_wrong_body(body)]
        if problems:
            raise InvalidUpdate(problems)
        return _Calls(self), Prepared(_Body(path, write_json(body).encode()), path)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign these bytes at this time; these bytes are sent. Where they are encrypted, the ciphertext is what is signed."""
        content = prepared.content
        if not isinstance(content, _Body):
            raise TypeError("prepared by another backend")
        if self.encryption is None:
            return self._signed(content, "application/json; charset=UTF-8", {}, now)
        body, said, key = encrypt(self.encryption, content.body)
        plain = self._signed(_Body(content.path, body), self.encryption.content_type, {"Encrypt": said}, now)
        return EncryptedRequest(plain.method, plain.url, plain.headers, plain.body, key)

    def _signed(self, content: _Body, content_type: str, more: dict[str, str], now: datetime) -> WireRequest:
        url = self.settings.gateway + content.path
        time = now.astimezone(GATEWAY_ZONE).isoformat(timespec="seconds")
        signature = self.sign(signed_text("POST", signed_path(url), self.settings.client_id, time, content.body))
        headers = {
            "Content-Type": content_type,
            "Client-Id": self.settings.client_id,
            "Request-Time": time,
            "Signature": signature_field(self.trust.algorithm, signature, self.settings.key_version),
        }
        return WireRequest("POST", url, Headers(headers | more), content.body)

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        """Verify, read, normalise."""
        answer = self.verified(request, response, now)
        if isinstance(answer, Verdict):
            return answer
        return normalise(answer, self.profile, prepared.action, prepared.subject, trace_id(response.headers))

    def verified(self, request: WireRequest, response: WireResponse, now: datetime) -> Answer | Verdict:
        """The answer, read from verified bytes alone; else the verdict on what came instead."""
        trace = trace_id(response.headers)
        if response.status != HTTP_OK:
            return no_answer(response, f"HTTP status {response.status}", now)
        trusted = verify(request, response, self.trust, now)
        if isinstance(trusted, Finding):
            return self._unverified(trusted, response, trace, now)
        said = response.headers.all("Encrypt")
        if self.encryption is not None:
            return self._decrypted(self.encryption, request, said, trusted, trace)
        answer = parse(trusted)
        if isinstance(answer, str):
            return bad_answer("it is encrypted, and no encryption is configured" if said else answer, None, trace)
        return answer

    def _decrypted(
        self, encryption: Encryption, request: WireRequest, said: tuple[str, ...], trusted: Verified, trace: str | None
    ) -> Answer | Verdict:
        """The answer under its encryption. A plain one is believed only as a refusal that the documents name."""
        if not said:
            answer = parse(trusted)
            if isinstance(answer, Answer) and refuses(answer, self.profile):
                return answer
            return untrusted(NOT_ENCRYPTED, claim(trusted.body), trace)
        plain = decrypt(encryption, request, said, trusted)
        if plain is None or not readable(plain):
            return replace(bad_answer(UNREADABLE.message, None, trace), finding=UNREADABLE)
        answer = parse(plain)
        return bad_answer(answer, None, trace) if isinstance(answer, str) else answer

    def _unverified(self, finding: Finding, response: WireResponse, trace: str | None, now: datetime) -> Verdict:
        """Unsigned, unencrypted and nothing of the protocol's shape came from something in between; anything else is not trusted."""
        if not any(map(response.headers.all, ("Signature", "Encrypt"))) and not shaped(response.body):
            return no_answer(response, "not an answer of the gateway: no signature and no result", now)
        return untrusted(finding, claim(response.body), trace)


def _wrong_path(path: object) -> Iterator[Problem]:
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        yield Problem("path", "bad_path", "is no path of a URL", "begin it with / and percent-encode what a URL can't hold")


def _wrong_body(body: object) -> Iterator[Problem]:
    if not isinstance(body, dict):
        yield Problem("body", "not_an_object", "is no JSON object", "give a dict")
    else:
        yield from (Problem(f"body.{place}", "not_json", message, "give JSON values alone") for place, message in flaws(body))


class HkBackend:
    """Speaks AlipayHK's `updatePass`."""

    settings = HkSettings

    def open(self, settings: HkSettings, tables: Tables, signer: Signer | None) -> HkGateway:
        """One account, its keys parsed once.

        Raises:
            ConfigError: with every problem of the account.
        """
        profile = tables.profiles[f"hk.{settings.profile}"]
        ring = KeyRing(settings, algorithm_of(settings))
        sign = ring.signer(settings.private_key, signer)
        keys = gateway_keys(ring, settings)
        encryption = encryption_of(ring, settings, keys)
        limit = profile.fields["merchant"].max_length
        if settings.merchant_id and limit and len(settings.merchant_id) > limit:
            message = f"has {len(settings.merchant_id)} characters, the document allows {limit}"
            ring.problems.append(Problem(settings.at("merchant_id"), "too_long", message, "give the id AlipayHK assigned"))
        if ring.problems or sign is None:
            raise ConfigError(ring.problems)
        trust = Trust(settings.client_id, ring.algorithm, keys, settings.retry.clock_window)
        return HkGateway(settings, profile, trust, sign, encryption, tuple(ring.credentials))


BACKEND = HkBackend()
