"""Signatures over bytes, RSA and elliptic curves: the primitives that both gateways and the sandbox share.

Owns which hash, which curve and which key length each algorithm's name stands for. It never learns what text is
signed: each side writes its own canonical form, so that one wrong form can't hide in both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP224R1, EllipticCurve, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

__all__ = [
    "ALGORITHMS",
    "ECC224",
    "Algorithm",
    "PrivateKey",
    "PublicKey",
    "Signer",
    "percent_decoded",
    "percent_encoded",
    "rsa_signer",
    "rsa_verify",
    "signer",
    "verify",
]

Signer = Callable[[bytes], bytes]
"""What signs: the bytes in, the raw signature out. A key here, or a merchant's KMS or HSM."""

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey
PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey


_PADDING: Final = padding.PKCS1v15()

_ESCAPES: Final = (("+", "%2B"), ("/", "%2F"), ("=", "%3D"))
"""What percent-encoding changes in base64. A signature holds a dozen of them: replacing is ten times faster than `urllib`."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """RSASSA-PKCS1-v1_5 with one hash, or ECDSA (the signature in DER) with one hash on one curve.

    Attributes:
        name: the gateway's word for it.
        hash: the hash; a signature made over another one never verifies.
        min_bits: a shorter key is refused.
        warn_bits: a shorter key is warned of.
        curve: the one curve its keys lie on; None for RSA.
    """

    name: str
    hash: hashes.HashAlgorithm
    min_bits: int
    warn_bits: int
    curve: EllipticCurve | None = None


ECC224: Final = MappingProxyType(
    {name: Algorithm("ECC224", made(), 224, 224, SECP224R1()) for name, made in (("SHA224", hashes.SHA224), ("SHA256", hashes.SHA256))}
)
"""AlipayHK's `ECC224` by its hash, SHA-224 first. No page defines more than the name: the curve (P-224), the encoding
(DER, as in Java) and the hash are guesses, by analogy with RSA256, which is Java's SHA256withRSA."""

ALGORITHMS: Final = MappingProxyType(
    {
        "RSA256": Algorithm("RSA256", hashes.SHA256(), 2048, 2048),
        "ECC224": ECC224["SHA224"],
        "RSA2": Algorithm("RSA2", hashes.SHA256(), 2048, 2048),
        # The mainland's legacy type; its keys were 1024 bits long when it was the only one.
        "RSA": Algorithm("RSA", hashes.SHA1(), 1024, 2048),  # noqa: S303 - what the gateway's legacy sign_type is
    }
)
"""The algorithms by the gateways' names: `RSA256` and `ECC224` (AlipayHK), `RSA2` and `RSA` (mainland, `sign_type`)."""


def signer(key: PrivateKey, algorithm: Algorithm) -> Signer:
    """The signer for a key held in memory, of the algorithm's kind.

    An ECDSA signature differs each time: its nonce is drawn by the library.
    """
    if isinstance(key, RSAPrivateKey):
        return rsa_signer(key, algorithm)
    scheme = ECDSA(algorithm.hash)
    return lambda data: key.sign(data, scheme)


def verify(key: PublicKey, algorithm: Algorithm, data: bytes, signature: bytes) -> bool:
    """Whether this key made this signature over these bytes with this hash; a key of another kind or curve made none.

    An ECDSA signature is DER, strictly: two numbers side by side (IEEE P1363) are none.
    """
    if algorithm.curve is None:
        return isinstance(key, RSAPublicKey) and rsa_verify(key, algorithm, data, signature)
    if not isinstance(key, EllipticCurvePublicKey) or key.curve.name != algorithm.curve.name:
        return False
    try:
        key.verify(signature, data, ECDSA(algorithm.hash))
    except InvalidSignature:
        return False
    return True


def rsa_signer(key: RSAPrivateKey, algorithm: Algorithm) -> Signer:
    """The signer for an RSA key held in memory."""
    return lambda data: key.sign(data, _PADDING, algorithm.hash)


def rsa_verify(key: RSAPublicKey, algorithm: Algorithm, data: bytes, signature: bytes) -> bool:
    """Whether this RSA key made this signature over these bytes with this hash, and no other."""
    try:
        key.verify(signature, data, _PADDING, algorithm.hash)
    except InvalidSignature:
        return False
    return True


def percent_encoded(signature: bytes) -> str:
    """Standard base64, percent-encoded: as a signature travels in a header field or a query."""
    text = base64.b64encode(signature).decode()
    for mark, escape in _ESCAPES:
        text = text.replace(mark, escape)
    return text


def percent_decoded(text: str) -> str:
    """Standard base64 without the percent-encoding of its own marks; a literal `+` stays what it is."""
    for mark, escape in _ESCAPES:
        text = text.replace(escape, mark)
    return text
