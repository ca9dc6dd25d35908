"""The certificates of certificate mode: an authority of the sandbox's own, what it issues, and the serial numbers.

Owns the root bundle with everything that real ones hold, the gateway's certificates one after the other, and the
gateway's rule for serial numbers, written from its documents. It must not know requests or answers.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from passbridge.domain.strictjson import JsonObject
from passbridge.protocol.keys import private_key
from passbridge.sandbox.outfit import Chest, new_rsa_key, private_pem

__all__ = ["Papers", "Seal", "certificate", "forged", "serial_number"]

_ROOTS: Final = ("R1", "R2")
_YEAR: Final = timedelta(days=365)
_LEAF_YEARS, _AUTHORITY_YEARS = 5, 30
_BEGUN: Final = timedelta(days=1)
"""How long before its making a certificate begins: clocks differ."""

_GATEWAY_KEY: Final = "cn-gateway"
_GATEWAY: Final = "cn-gateway-certificate-{}"

_WORDS: Final = MappingProxyType(
    {
        NameOID.COMMON_NAME: "CN",
        NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
        NameOID.ORGANIZATION_NAME: "O",
        NameOID.COUNTRY_NAME: "C",
    }
)
"""RFC 2253's words for the attributes that this authority uses."""


@dataclass(frozen=True, slots=True)
class Seal:
    """One of the gateway's certificates with its key.

    Attributes:
        serial: its serial number as the gateway writes it.
        key: the private key.
        chain: the certificate and its issuer's, as PEM: what a merchant downloads.
    """

    serial: str
    key: RSAPrivateKey
    chain: bytes

    def as_json(self) -> JsonObject:
        """The certificate as `GET /sandbox/certificates` lists it."""
        own = certificate(self.chain)
        return {
            "alipay_cert_sn": self.serial,
            "subject": _written(own.subject),
            "issuer": _written(own.issuer),
            "not_after": own.not_valid_after_utc.isoformat(),
        }


class Papers:
    """The authority's papers. What isn't kept yet is made when it is first needed."""

    def __init__(self, chest: Chest) -> None:
        self._chest = chest

    @property
    def roots(self) -> bytes:
        """The root bundle, as real ones are: two RSA roots, an elliptic one, one that no strict parser takes; CRLF."""
        return self._chest.kept("cn-root-bundle", self._bundle)

    @property
    def roots_serial(self) -> str:
        """`alipay_root_cert_sn`: the serial numbers of the roots that are signed with RSA."""
        return "_".join(serial_number(certificate(self._root(name))) for name in _ROOTS)

    def issued(self, name: str, subject: str, key: RSAPublicKey) -> bytes:
        """A certificate for this key, as PEM."""
        return self._chest.kept(name, lambda: self._leaf(subject, key))

    @property
    def seals(self) -> list[Seal]:
        """The gateway's certificates, the one in use last."""
        self._chest.kept(_GATEWAY.format(1), lambda: self._next(self._chest.rsa(_GATEWAY_KEY)))
        held: list[Seal] = []
        while blob := self._chest.held(_GATEWAY.format(len(held) + 1)):
            held.append(_seal(blob))
        return held

    def renew(self, *, new_key: bool) -> None:
        """Put a new certificate of the gateway in use, for the same key or for a new one."""
        held = self.seals
        self._chest.kept(_GATEWAY.format(len(held) + 1), lambda: self._next(new_rsa_key() if new_key else held[-1].key))

    def forget(self) -> None:
        """The first certificate is in use again, and no other was ever there."""
        number = 1
        while self._chest.held(_GATEWAY.format(number := number + 1)):
            self._chest.drop(_GATEWAY.format(number))

    def _next(self, key: RSAPrivateKey) -> bytes:
        """The key, its certificate and the issuer's, as one text."""
        return private_pem(key) + self._leaf("Passbridge Sandbox Gateway", key.public_key()) + self._middle

    def _leaf(self, subject: str, key: RSAPublicKey) -> bytes:
        issuer = _Issuer(certificate(self._middle).subject, self._chest.rsa("cn-authority-key"))
        return _pem(_made(_name(subject, "Online"), key, issuer, authority=False))

    @property
    def _middle(self) -> bytes:
        """The intermediate's certificate."""
        return self._chest.kept("cn-authority", self._authority)

    def _authority(self) -> bytes:
        issuer = _Issuer(certificate(self._root(_ROOTS[0])).subject, self._chest.rsa(f"cn-root-{_ROOTS[0]}-key"))
        key = self._chest.rsa("cn-authority-key").public_key()
        return _pem(_made(_name("Passbridge Sandbox Class 2 R1"), key, issuer, authority=True))

    def _root(self, name: str) -> bytes:
        return self._chest.kept(f"cn-root-{name}", lambda: self._self_signed(name))

    def _self_signed(self, name: str) -> bytes:
        key, own = self._chest.rsa(f"cn-root-{name}-key"), _name(f"Passbridge Sandbox Certification Authority {name}")
        return _pem(_made(own, key.public_key(), _Issuer(own, key), authority=True))

    def _bundle(self) -> bytes:
        elliptic = _elliptic()
        damaged = _armoured(_elliptic().public_bytes(Encoding.DER) + bytes(2))
        parts = [self._root("R1"), _pem(elliptic), damaged, self._root("R2")]
        return b"\n".join(parts).replace(b"\n", b"\r\n")


def serial_number(paper: x509.Certificate) -> str:
    """The gateway's serial number: MD5 over the issuer's name as RFC 2253 writes it, and the number in decimals."""
    text = _written(paper.issuer) + str(paper.serial_number)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def forged(chain: bytes, key: RSAPrivateKey) -> bytes:
    """The first certificate with the same names and number, and so with the same serial number, made by a stranger."""
    real = certificate(chain)
    return _pem(_made(real.subject, key.public_key(), _Issuer(real.issuer, key), authority=False, number=real.serial_number))


certificate: Final[Callable[[bytes], x509.Certificate]] = lru_cache(x509.load_pem_x509_certificate)
"""The first certificate of a PEM text."""


@lru_cache
def _seal(blob: bytes) -> Seal:
    key, begin, rest = blob.partition(b"-----BEGIN CERTIFICATE-----")
    return Seal(serial_number(certificate(begin + rest)), private_key(key), begin + rest)


def _written(name: x509.Name) -> str:
    """RFC 2253: the last attribute first. No name of this authority needs escaping."""
    return ",".join(f"{_WORDS[part.oid]}={part.value!s}" for part in reversed(list(name)))


def _name(common: str, unit: str = "Certification Authority") -> x509.Name:
    texts = {NameOID.COUNTRY_NAME: "CN", NameOID.ORGANIZATION_NAME: "Passbridge Sandbox", NameOID.ORGANIZATIONAL_UNIT_NAME: unit}
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in {**texts, NameOID.COMMON_NAME: common}.items()])


@dataclass(frozen=True, slots=True)
class _Issuer:
    """Who signs: a name and a key."""

    name: x509.Name
    key: RSAPrivateKey | ec.EllipticCurvePrivateKey


def _made(
    subject: x509.Name, key: RSAPublicKey | ec.EllipticCurvePublicKey, issuer: _Issuer, *, authority: bool, number: int = 0
) -> x509.Certificate:
    """A certificate as RFC 5280 wants it, to the extensions that strict checks ask for."""
    now, years = datetime.now(UTC), _AUTHORITY_YEARS if authority else _LEAF_YEARS
    serial = number or x509.random_serial_number()
    theirs = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
    return (
        x509.CertificateBuilder(issuer.name, subject, key, serial, now - _BEGUN, now + years * _YEAR)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_USAGE[authority], critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(theirs, critical=False)
        .sign(issuer.key, hashes.SHA256())
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


_USAGE: Final = MappingProxyType({authority: _usage(authority=authority) for authority in (True, False)})


def _elliptic() -> x509.Certificate:
    """A root on an elliptic curve, which counts for no serial number."""
    key, own = ec.generate_private_key(ec.SECP256R1()), _name("Passbridge Sandbox Certification Authority E1")
    return _made(own, key.public_key(), _Issuer(own, key), authority=True)


def _pem(paper: x509.Certificate) -> bytes:
    return paper.public_bytes(Encoding.PEM)


def _armoured(der: bytes) -> bytes:
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"
