"""X.509 certificates as the mainland gateway uses them: read leniently, named by its serial numbers, checked as a chain.

Owns the gateway's own name for a certificate and what makes a chain sound. Reads no file and no clock, and knows
neither a request nor an answer. Revocation is not checked: the gateway publishes no list that could be asked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import NameOID

from passbridge.protocol.keys import KeyProblem

__all__ = ["broken_chain", "issuer_text", "leaves", "read_bundle", "read_certificates", "root_serial_number", "rsa_key", "serial_number"]

_BLOCK: Final = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_RSA_SIGNED: Final = "1.2.840.113549.1.1"
"""The arc of every RSA signature's object identifier."""

_RSA_ARC: Final = bytes.fromhex("2a864886f70d0101")
"""The same as it stands in a certificate."""

_KEYWORDS: Final = MappingProxyType(
    {
        NameOID.COMMON_NAME: "CN",
        NameOID.LOCALITY_NAME: "L",
        NameOID.STATE_OR_PROVINCE_NAME: "ST",
        NameOID.ORGANIZATION_NAME: "O",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
        NameOID.COUNTRY_NAME: "C",
        NameOID.STREET_ADDRESS: "STREET",
        NameOID.DOMAIN_COMPONENT: "DC",
        NameOID.USER_ID: "UID",
    }
)
"""RFC 2253, 2.3: the attributes that have a keyword. Any other is written by its number and its value's bytes."""

_SOUND: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
_LONGEST_CHAIN: Final = 8
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_FORM: Final = "give the .crt file as the gateway's console offers it"


def read_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Every certificate of a file: PEM blocks, or one in DER.

    Raises:
        KeyProblem: empty, a key, nothing readable, or one of the certificates is not.
    """
    if not data.strip():
        raise KeyProblem("is empty", _FORM)
    ders = list(_ders(data))
    if not ders and b"KEY-----" in data:
        raise KeyProblem("is a key where a certificate is wanted", _FORM)
    found = tuple(map(_read, ders or [data]))
    if None in found:
        raise KeyProblem("holds no readable certificate", _FORM)
    return tuple(one for one in found if one is not None)


def read_bundle(data: bytes) -> tuple[x509.Certificate, ...]:
    """The roots of a bundle that are signed with RSA, in its order: those that count in a serial number, and that are trusted.

    The others are not even read: the gateway's own bundle holds one under a Chinese algorithm, and one whose algorithm has a
    parameter that it can't have, which a strict reader refuses. One that can't be read is left out, too.

    Raises:
        KeyProblem: it holds no certificate signed with RSA.
    """
    found = tuple(one for one in map(_read, filter(_may_be_rsa_signed, _ders(data))) if one is not None and _is_rsa_signed(one))
    if not found:
        raise KeyProblem("holds no root certificate that is signed with RSA", "give alipayRootCert.crt as the gateway's console offers it")
    return found


def serial_number(certificate: x509.Certificate) -> str:
    """The gateway's name for a certificate: the MD5 of its issuer's name and its serial number, in hexadecimal (2.3)."""
    text = f"{issuer_text(certificate.issuer)}{certificate.serial_number}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def root_serial_number(bundle: Iterable[x509.Certificate]) -> str:
    """The gateway's name for a root bundle: the serial numbers of those signed with RSA, in order, joined by `_` (2.3)."""
    return "_".join(map(serial_number, bundle))


def issuer_text(name: x509.Name) -> str:
    r"""A name in RFC 2253's form as Java's `getIssuerX500Principal().getName()` writes it, which the gateway goes by.

    Most significant part last. Java escapes `=` and `#` wherever they stand, and writes what is beyond ASCII as it is;
    other writers of this form differ in just these.
    """
    return ",".join("+".join(map(_attribute, part)) for part in reversed(name.rdns))


def leaves(certificates: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Those that issued none of the others: a gateway's certificate comes with the one that issued it."""
    return tuple(one for one in certificates if not any(other is not one and other.issuer == one.subject for other in certificates))


def rsa_key(certificate: x509.Certificate) -> RSAPublicKey:
    """The certificate's key.

    Raises:
        KeyProblem: it is no RSA key.
    """
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if isinstance(key, RSAPublicKey):
        return key
    raise KeyProblem("is a certificate of a key that is not RSA", "give the RSA2 certificate")


def broken_chain(
    leaf: x509.Certificate, between: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], now: datetime
) -> str | None:
    """What is wrong with the chain from a certificate to one of these roots; None where nothing is.

    Checked are each certificate's signature by the next one (RSA or elliptic curves over SHA-2), that each is valid now,
    the root too, and that each issuer is an authority: `CA:TRUE`, and `keyCertSign` where a key usage is given. The leaf
    may not be an authority itself. A root is trusted for standing in the bundle; its own signature proves nothing.
    """
    if _is_authority(leaf):
        return f"{_called(leaf)} is an authority's own certificate"
    current, left, length = leaf, list(between), 0
    while length < _LONGEST_CHAIN:
        if not current.not_valid_before_utc <= now <= current.not_valid_after_utc:
            return f"{_called(current)} is not valid now: {current.not_valid_before_utc:%Y-%m-%d} to {current.not_valid_after_utc:%Y-%m-%d}"
        if current in roots:
            return None
        issuers = [one for one in (*roots, *left) if one.subject == current.issuer]
        issuer = next((one for one in issuers if _issued(current, one)), None)
        if issuer is None:
            reason = f"is not signed by {_called(issuers[0])}" if issuers else "was issued by none of the known authorities"
            return f"{_called(current)} {reason}"
        if not _is_authority(issuer) or not _has_room(issuer, length):
            return f"{_called(issuer)} may not issue {_called(current)}"
        left = [one for one in left if one is not issuer]
        current, length = issuer, length + 1
    return "the chain is too long"


def _ders(data: bytes) -> Iterator[bytes]:
    for block in _BLOCK.finditer(data):
        yield b"-----BEGIN CERTIFICATE-----\n" + b"\n".join(block[1].split()) + b"\n-----END CERTIFICATE-----\n"


def _read(data: bytes) -> x509.Certificate | None:
    load = x509.load_pem_x509_certificate if data.startswith(b"-----") else x509.load_der_x509_certificate
    try:
        certificate = load(data)
        # These are read when they are first asked for, and may not be readable.
        _ = (
            certificate.issuer,
            certificate.subject,
            certificate.extensions,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
        )
    except Exception:  # noqa: BLE001 - the reader fails in many ways on bytes that are no certificate (KeyError for a text's unknown tag)
        return None
    return certificate


def _may_be_rsa_signed(pem: bytes) -> bool:
    """Whether an RSA signature's identifier stands anywhere in it."""
    try:
        return _RSA_ARC in base64.b64decode(b"".join(pem.split(b"-----")[2].split()), validate=True)
    except binascii.Error:
        return False


def _is_rsa_signed(certificate: x509.Certificate) -> bool:
    return certificate.signature_algorithm_oid.dotted_string.startswith(_RSA_SIGNED)


def _attribute(attribute: x509.NameAttribute) -> str:
    keyword = _KEYWORDS.get(attribute.oid)
    if keyword is None:
        return f"{attribute.oid.dotted_string}=#{_der(attribute).hex()}"
    text = str(attribute.value)
    escaped = re.sub(r'([,=+<>#;"\\])', r"\\\1", text).replace("\0", "\\00")
    inner = escaped.strip(" ")
    before, after = len(escaped) - len(escaped.lstrip(" ")), len(escaped) - len(escaped.rstrip(" "))
    return f"{keyword}=" + ("\\ " * len(escaped) if not inner else "\\ " * before + inner + "\\ " * after)


def _der(attribute: x509.NameAttribute) -> bytes:
    """The value as it stands in the certificate: what follows the type in a name of this attribute alone."""
    inside = x509.Name([attribute]).public_bytes()
    for _ in ("the name", "its one part", "the attribute"):
        inside = inside[2 + (inside[1] & 0x7F if inside[1] & 0x80 else 0) :]
    return inside[2 + inside[1] :]


def _called(certificate: x509.Certificate) -> str:
    return f"certificate {serial_number(certificate)}"


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        if not isinstance(certificate.signature_hash_algorithm, _SOUND):
            return False
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    """Whether it may issue others. A merchant's own certificate has the same issuer as the gateway's, and may not."""
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def _has_room(issuer: x509.Certificate, below: int) -> bool:
    constraints = _extension(issuer, x509.BasicConstraints)
    return constraints is None or constraints.path_length is None or below <= constraints.path_length


def _extension(certificate: x509.Certificate, kind: type[_Extension]) -> _Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
