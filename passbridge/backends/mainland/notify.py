"""The gateway's asynchronous notifications: whether one is really Alipay's, and what it proves.

Owns the signed text of a notification, which is another one than an answer's: `sign` and `sign_type` are both left out.
Knows no account and no transport: a merchant's own web server receives what is verified here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote_to_bytes

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from passbridge.domain import Finding
from passbridge.errors import ConfigError, Problem
from passbridge.protocol.certificates import leaves, read_certificates, rsa_key, serial_number
from passbridge.protocol.keys import KeyProblem, public_key, too_short
from passbridge.protocol.signing import ALGORITHMS, rsa_verify

__all__ = ["Form", "Notification", "verify_notify"]

Form: TypeAlias = bytes | str | Mapping[str, str] | Iterable[tuple[str, str]]
"""A form as it came: its raw body, or its parameters, already decoded."""

_CHARSETS: Final = MappingProxyType({"utf-8": "utf-8", "utf8": "utf-8", "gbk": "gbk", "gb2312": "gbk", "gb18030": "gb18030"})
_NEVER_SIGNED: Final = (b"sign", b"sign_type")
_SERIAL: Final = b"alipay_cert_sn"
_MEND: Final = "answer anything but `success`, and act on nothing it says"


@dataclass(frozen=True, slots=True)
class Notification:
    """What became of a notification: true only where it is verified.

    Attributes:
        params: exactly the parameters that the signature covers; empty where it proves nothing.
        finding: why it proves nothing; None where it is verified.
    """

    params: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    finding: Finding | None = None

    def __bool__(self) -> bool:
        return self.finding is None


class _Unproved(Exception):
    """Carries the finding out of the steps."""

    def __init__(self, code: str, message: str, mend: str = _MEND) -> None:
        super().__init__(message)
        self.finding = Finding(code=code, message=message, mend=mend)


def verify_notify(
    form: Form,
    *,
    gateway_public_key: bytes | str | None = None,
    gateway_cert: bytes | str | None = None,
    sign_type: Literal["RSA2", "RSA"] = "RSA2",
) -> Notification:
    """Verify an asynchronous notification (version 1: `notify_url`, `return_url`) of the mainland gateway.

    That it is Alipay's says neither that it is new, nor that it is about this merchant: compare `app_id`, the number and
    the amount with your own records, and expect the same one several times.

    Args:
        form: the request's raw body, which is best; or its decoded parameters as a mapping or as pairs. Give pairs where a
            framework's mapping would hide that a parameter came twice.
        gateway_public_key: Alipay's public key, in any form that an account takes.
        gateway_cert: in certificate mode, Alipay's certificate instead; one that has expired is taken too.
        sign_type: what the application uses; what the notification says of itself is not believed.

    Raises:
        ConfigError: neither or both of key and certificate are given, or it can't be read.
        TypeError: a parameter is no text, as in what `urllib.parse.parse_qs` gives.
    """
    keys = _keys(gateway_public_key, gateway_cert, sign_type)
    try:
        return Notification(_proved(_parameters(form), keys, sign_type))
    except _Unproved as unproved:
        return Notification(finding=unproved.finding)


def _keys(key: bytes | str | None, certificate: bytes | str | None, sign_type: str) -> Mapping[str, RSAPublicKey]:
    """The gateway's keys by certificate; under the empty name, the one for notifications that name none."""
    member, given = ("gateway_cert", certificate) if key is None else ("gateway_public_key", key)
    if given is None or (key is not None and certificate is not None):
        raise ConfigError([Problem(member, "one_of", "give either gateway_public_key or gateway_cert", "give the one of this application")])
    data = given.encode() if isinstance(given, str) else given
    try:
        found = {serial_number(one): rsa_key(one) for one in leaves(read_certificates(data))} if key is None else {"": public_key(data)}
        keys = {"": next(iter(found.values())), **found}
        short = next(filter(None, (too_short(one, ALGORITHMS[sign_type]) for one in keys.values())), None)
        if short is not None:
            raise short
    except KeyProblem as problem:
        raise ConfigError([Problem(member, "bad_key", str(problem), problem.mend)]) from None
    return keys


def _parameters(form: Form) -> dict[bytes, bytes]:
    """The parameters as bytes, each once."""
    if isinstance(form, bytes | str):
        pairs = list(_split(form.encode() if isinstance(form, str) else form))
    else:
        decoded = [*(form.items() if isinstance(form, Mapping) else form)]
        if not all(isinstance(text, str) for pair in decoded for text in pair):
            raise TypeError("a parameter's name and value are text: give the raw body, or pairs of names and values")
        codec = _codec(next((value for name, value in decoded if name == "charset"), ""))
        pairs = [(name.encode(codec, "replace"), value.encode(codec, "replace")) for name, value in decoded]
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _Unproved("NOTIFY-TWICE", f"the parameter {twice.decode('ascii', 'replace')!r} came twice")
    return dict(pairs)


def _split(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    for part in body.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            yield unquote_to_bytes(name), unquote_to_bytes(value)


def _codec(charset: str) -> str:
    codec = _CHARSETS.get(charset.lower() or "utf-8")
    if codec is None:
        raise _Unproved("NOTIFY-CHARSET", "its charset is none of the gateway's")
    return codec


def _proved(params: dict[bytes, bytes], keys: Mapping[str, RSAPublicKey], sign_type: str) -> Mapping[str, str]:
    codec = _codec(params.get(b"charset", b"").decode("ascii", "replace"))
    if params.get(b"sign_type", sign_type.encode()) != sign_type.encode():
        raise _Unproved("SIG-ALGORITHM", f"its sign_type is not {sign_type}, which is configured")
    key, signature = _key(params.get(_SERIAL, b""), keys), _signature(params.get(b"sign", b""))
    for names in _covered(params):
        text = b"&".join(name + b"=" + params[name] for name in names)
        if rsa_verify(key, ALGORITHMS[sign_type], text, signature):
            return _decoded({name: params[name] for name in names}, codec)
    raise _Unproved("SIG-MISMATCH", "the signature is not the gateway's over these parameters")


def _covered(params: Mapping[bytes, bytes]) -> Iterator[list[bytes]]:
    """What the signature may cover, in order: everything, as the pages say; else without what some of the official SDKs leave out."""
    every = sorted(name for name in params if name not in _NEVER_SIGNED)
    yield every
    yield [name for name in every if name != _SERIAL]
    yield [name for name in every if params[name]]
    yield [name for name in every if params[name] and name != _SERIAL]


def _key(serial: bytes, keys: Mapping[str, RSAPublicKey]) -> RSAPublicKey:
    named = serial.decode("ascii", "replace") if len(keys) > 1 else ""
    if named not in keys:
        raise _Unproved(
            "SIG-UNKNOWN-CERT", "it is signed with a certificate that is not in gateway_cert", "add the gateway's new certificate"
        )
    return keys[named]


def _signature(text: bytes) -> bytes:
    if not text:
        raise _Unproved("SIG-MISSING", "it is not signed")
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise _Unproved("SIG-MALFORMED", "sign holds no base64 signature") from None


def _decoded(params: Mapping[bytes, bytes], codec: str) -> Mapping[str, str]:
    try:
        return MappingProxyType({name.decode(codec): value.decode(codec) for name, value in params.items()})
    except UnicodeDecodeError:
        raise _Unproved("NOTIFY-CHARSET", "it is signed, but not text in the charset that it names") from None
