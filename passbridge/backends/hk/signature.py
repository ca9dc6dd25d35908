"""AlipayHK's signature: the signed text, the header field's grammar, and verification (protocol, section 1).

Owns the canonical form and `Verified`, which nothing else makes. Knows nothing of what a body says.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote, urlsplit

from passbridge.domain import Finding
from passbridge.protocol.signing import Algorithm, PublicKey, percent_decoded, percent_encoded
from passbridge.protocol.signing import verify as key_verify
from passbridge.protocol.wire import WireRequest, WireResponse

__all__ = ["SignatureField", "Trust", "Verified", "signature_field", "signed_path", "signed_text", "verify"]

_NAMES: Final = MappingProxyType({"RSA256": frozenset({"rsa256", "sha256withrsa"}), "ECC224": frozenset({"ecc224"})})
"""The words for each algorithm: the pages' own, and what older editions call RSA256. They are not case-sensitive."""

_MILLISECONDS: Final = re.compile(r"\d{13}", re.ASCII)
_TOO_FINE: Final = re.compile(r"(\.\d{6})\d+")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Trust:
    """What an answer is verified with.

    Attributes:
        client_id: ours: it is part of the signed text.
        algorithm: from the configuration, never from the message.
        keys: the gateway's keys by version; a single key under `""` stands for every version.
        window: how far `Response-Time` may be off (seconds).
    """

    client_id: str
    algorithm: Algorithm
    keys: Mapping[str, PublicKey]
    window: float


@dataclass(frozen=True, slots=True)
class Verified:
    """A body whose signature held, over exactly these bytes (or those they were decrypted from), for our client id and path."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignatureField:
    """The three parts of a `Signature` header field."""

    algorithm: str | None
    key_version: str | None
    signature: bytes


def signed_text(method: str, path: str, client_id: str, time: str, body: bytes) -> bytes:
    """The text both sides sign: `METHOD path LF client-id.time.body`, the body to the byte."""
    return f"{method} {path}\n{client_id}.{time}.".encode() + body


def signed_path(url: str) -> str:
    """The path as it is signed: with its query, if any, without host."""
    parts = urlsplit(url)
    return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"


def signature_field(algorithm: Algorithm, signature: bytes, key_version: str) -> str:
    """A `Signature` header field as the official SDKs write it: no blanks, standard base64, percent-encoded."""
    return f"algorithm={algorithm.name},keyVersion={key_version},signature={percent_encoded(signature)}"


def verify(request: WireRequest, response: WireResponse, trust: Trust, now: datetime) -> Verified | Finding:
    """Verify an answer over the bytes that came, or say exactly why it proves nothing."""
    found = _single(response, "Signature") or _single(response, "Response-Time")
    if found:
        return found
    signed = _parsed(response.headers["Signature"])
    if isinstance(signed, Finding):
        return signed
    if signed.algorithm is not None and signed.algorithm.lower() not in _NAMES[trust.algorithm.name]:
        return Finding(code="SIG-ALGORITHM", message=f"the answer announces another algorithm than {trust.algorithm.name}")
    key = _key(signed.key_version, trust)
    if key is None:
        return Finding(
            code="SIG-KEY-VERSION", message="the answer names a keyVersion that is not configured", mend="add it to gateway_public_keys"
        )
    time = response.headers["Response-Time"]
    text = signed_text(request.method, signed_path(request.url), trust.client_id, time, response.body)
    if not key_verify(key, trust.algorithm, text, signed.signature):
        return Finding(code="SIG-MISMATCH", message="the signature is not the gateway's over this answer", mend=_WRONG_KEY)
    return _fresh(time, trust.window, now) or Verified(response.body)


_WRONG_KEY = "if every answer fails so, gateway_public_key is not AlipayHK's current key"


def _single(response: WireResponse, name: str) -> Finding | None:
    values = response.headers.all(name)
    if len(values) == 1 and values[0].strip():
        return None
    state = "stands twice in" if len(values) > 1 else "is missing from" if not values else "is empty in"
    return Finding(code="SIG-MISSING" if len(values) < 2 else "SIG-TWICE", message=f"{name} {state} the answer", mend=_UNSIGNED)  # noqa: PLR2004 - twice


_UNSIGNED = "AlipayHK leaves unsigned what fails before or at its signature check: check client_id, private_key and the key uploaded there"


def _parsed(text: str) -> SignatureField | Finding:
    parts = [part.partition("=") for part in text.split(",")]
    values = {name.strip().lower(): value.strip() for name, _, value in parts}
    if len(values) != len(parts):
        return Finding(code="SIG-MALFORMED", message="the Signature field names a part twice")
    signature = _decoded(values.get("signature", ""))
    if signature is None:
        return Finding(code="SIG-MALFORMED", message="the Signature field holds no base64 signature")
    return SignatureField(values.get("algorithm"), values.get("keyversion"), signature)


def _decoded(value: str) -> bytes | None:
    """Standard base64, percent-encoded or plain. A literal `+` is base64's own: it is never read as a blank."""
    try:
        return base64.b64decode(unquote(percent_decoded(value), errors="strict"), validate=True) or None
    except (binascii.Error, ValueError):
        return None


def _key(version: str | None, trust: Trust) -> PublicKey | None:
    """Only the key the answer names is tried; without a name, the newest."""
    if "" in trust.keys:
        return trust.keys[""]
    return trust.keys.get(version or max(trust.keys, key=int))


def _fresh(time: str, window: float, now: datetime) -> Finding | None:
    """A signed answer that is too old, or from the future, may be another exchange's, replayed."""
    moment = _moment(time)
    if moment is None:
        return Finding(code="SIG-TIME", message="the answer's Response-Time is not a time with a zone")
    off = (moment - now).total_seconds()
    if abs(off) <= window:
        return None
    side = "ahead of" if off > 0 else "behind"
    mend = "if every answer fails so, set this machine's clock; a single one may be an old answer, replayed"
    return Finding(
        code="SIG-STALE", message=f"the answer's Response-Time is {abs(off):.0f} s {side} our clock, more than {window:.0f} s", mend=mend
    )


def _moment(text: str) -> datetime | None:
    """ISO 8601 with an offset, or milliseconds since 1970: what the family of gateways writes (protocol, section 3)."""
    try:
        if _MILLISECONDS.fullmatch(text):
            return _EPOCH + timedelta(milliseconds=int(text))
        moment = datetime.fromisoformat(_TOO_FINE.sub(r"\1", text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
