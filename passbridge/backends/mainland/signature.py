"""The mainland's signature: the signed text of a request, and verification over a node's exact source (protocol, 2).

Owns the canonical form and `Verified`, which nothing else makes. Knows nothing of what a node says.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from passbridge.domain import Finding, JsonError, JsonValue
from passbridge.protocol.jsonbytes import Member, members
from passbridge.protocol.signing import Algorithm, rsa_verify

__all__ = ["Trust", "Unverified", "Verified", "signed_text", "verify"]

_ERROR_NODE: Final = "error_response"
_SERIAL: Final = re.compile("[0-9a-f]{32}")
_CODECS: Final = ("utf-8", "gb18030")
"""How an answer may be encoded, whatever was asked: the gateway's own errors come in GBK even under utf-8. UTF-8 is tried
first, for Chinese text in GBK is hardly ever UTF-8 too, the other way round often; GB 18030 holds all of GBK."""


@dataclass(frozen=True, slots=True)
class Trust:
    """What an answer is verified with: the algorithm of the configuration, never of the message.

    Attributes:
        algorithm: the algorithm.
        key: the gateway's key, for answers that name no certificate.
        known: in certificate mode, the gateway's keys by `alipay_cert_sn`.
    """

    algorithm: Algorithm
    key: RSAPublicKey
    known: Mapping[str, RSAPublicKey] | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """The node of the method that was called, its signature proved over exactly this text."""

    node: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unverified:
    """What came instead.

    Attributes:
        shaped: whether it has the protocol's shape, so that it was the gateway or somebody playing it.
        finding: why it proves nothing.
        claim: the node's value, unproved.
        serial: the certificate it says it is signed with, where that is not known.
    """

    shaped: bool
    finding: Finding
    claim: JsonValue = None
    serial: str | None = None


def signed_text(params: Mapping[str, str]) -> str:
    """The text both sides sign: `name=value` sorted by name, joined by `&`, without empty values and without `sign`."""
    return "&".join(f"{name}={params[name]}" for name in sorted(params) if params[name] and name != "sign")


def verify(body: bytes, method: str, trust: Trust) -> Verified | Unverified:
    """Verify an answer over the source text of the node of this very method, or say exactly why it proves nothing."""
    node = method.replace(".", "_") + "_response"
    failed: list[Unverified] = []
    for found in _readings(body, node, trust):
        if isinstance(found, Verified):
            return found
        failed.append(found)
    return max(failed, key=lambda found: found.shaped)


def _readings(body: bytes, node: str, trust: Trust) -> Iterator[Verified | Unverified]:
    for codec in _CODECS:
        try:
            text = body.decode(codec)
        except UnicodeDecodeError as error:
            yield Unverified(
                _looks_alike(body, node), Finding(code="SIG-UNREADABLE", message=f"the answer is not {codec} at byte {error.start}")
            )
            continue
        yield _reading(text, codec, node, trust)


def _reading(text: str, codec: str, node: str, trust: Trust) -> Verified | Unverified:
    try:
        found = members(text)
    except JsonError as error:
        finding = Finding(code="SIG-UNREADABLE", message=f"the answer is not readable as JSON: {error}")
        return Unverified(_looks_alike(text.encode(codec), node), finding)
    nodes = [found[name] for name in (node, _ERROR_NODE) if name in found]
    if len(nodes) != 1:
        return _no_node(found, node, both=bool(nodes))
    signature = _signature(found.get("sign"))
    if isinstance(signature, Finding):
        return Unverified(shaped=True, finding=signature, claim=nodes[0].value)
    key = _key(found.get("alipay_cert_sn"), trust)
    if isinstance(key, Unverified):
        return replace(key, claim=nodes[0].value)
    for source in dict.fromkeys((nodes[0].source, nodes[0].source.replace("\\/", "/"))):
        if rsa_verify(key, trust.algorithm, source.encode(codec), signature):
            return Verified(source)
    mismatch = Finding(code="SIG-MISMATCH", message="the signature is not the gateway's over this answer", mend=_WRONG_KEY)
    return Unverified(shaped=True, finding=mismatch, claim=nodes[0].value)


def _key(member: Member | None, trust: Trust) -> RSAPublicKey | Unverified:
    """The key of the certificate that an answer names, before its node or after it; in public-key mode, the one key."""
    if trust.known is None or member is None or member.value == "":
        return trust.key
    serial = member.value
    if not isinstance(serial, str) or not _SERIAL.fullmatch(serial):
        return Unverified(shaped=True, finding=Finding(code="SIG-MALFORMED", message="alipay_cert_sn is no serial number"))
    message = f"the answer is signed with certificate {serial}, which is not known"
    unknown = Finding(
        code="SIG-UNKNOWN-CERT", message=message, mend="add the gateway's new certificate to gateway_cert, or set cert_download = true"
    )
    return trust.known.get(serial) or Unverified(shaped=True, finding=unknown, serial=serial)


_WRONG_KEY = "if every answer fails so, the key or certificate configured is not Alipay's for this app_id and sign_type"


def _no_node(found: Mapping[str, Member], node: str, *, both: bool) -> Unverified:
    if both:
        return Unverified(shaped=True, finding=Finding(code="SIG-TWO-NODES", message=f"the answer holds both {node} and {_ERROR_NODE}"))
    shaped = "sign" in found or any(name.endswith("_response") for name in found)
    return Unverified(shaped, Finding(code="SIG-OTHER-NODE", message=f"the answer holds no {node}"))


def _signature(member: Member | None) -> bytes | Finding:
    if member is None or member.value == "":
        message = "the answer is not signed: the gateway signs neither what fails before its signature check nor what others answer"
        return Finding(code="SIG-MISSING", message=message, mend="check app_id, the gateway's address and the key uploaded there")
    try:
        signature = base64.b64decode(member.value, validate=True) if isinstance(member.value, str) else b""
    except (binascii.Error, ValueError):
        signature = b""
    return signature or Finding(code="SIG-MALFORMED", message="sign holds no base64 signature")


def _looks_alike(body: bytes, node: str) -> bool:
    """Whether what can't be read still names a node: then it is no proxy's page."""
    return any(name.encode() in body for name in (node, _ERROR_NODE))
