"""Keys in every form they are handed out in: PEM (PKCS#1, PKCS#8, SEC 1, certificates refused by name), DER, bare base64.

Owns reading key bytes and saying what is wrong with them. Reads no file, and no message ever quotes a byte of a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

if TYPE_CHECKING:
    from passbridge.protocol.signing import Algorithm, PrivateKey, PublicKey

__all__ = ["KeyProblem", "private_key", "private_key_for", "public_key", "public_key_for", "same_pair", "too_short"]

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_OURS = "this algorithm needs a key on {0}: openssl ecparam -name {0} -genkey -noout"
_THEIRS = "this algorithm needs the gateway's key on {0}: download it from the gateway's console"
_HELPFUL = "give the key as PEM, DER, or the console's one-line base64"


class KeyProblem(ValueError):
    """These bytes are not the key that is wanted. `mend` says what to do. Neither holds a byte of the key."""

    def __init__(self, message: str, mend: str = _HELPFUL) -> None:
        super().__init__(message)
        self.mend = mend


def private_key(data: bytes) -> RSAPrivateKey:
    """Read an RSA private key.

    Raises:
        KeyProblem: empty, a public key or certificate, protected by a password, not RSA, or nothing readable.
    """
    key = _private(data)
    if isinstance(key, RSAPrivateKey):
        return key
    raise KeyProblem("is a private key, but not RSA", "this algorithm needs an RSA key")


def public_key(data: bytes) -> RSAPublicKey:
    """Read an RSA public key.

    Raises:
        KeyProblem: empty, a private key or certificate, not RSA, or nothing readable.
    """
    key = _public(data)
    if isinstance(key, RSAPublicKey):
        return key
    raise KeyProblem("is a public key, but not RSA", "this algorithm needs an RSA key")


def private_key_for(algorithm: Algorithm, data: bytes) -> PrivateKey:
    """Read a private key of the kind that an algorithm needs: RSA, or on its curve.

    Raises:
        KeyProblem: as `private_key`; for an algorithm on a curve also a key on another one.
    """
    if algorithm.curve is None:
        return private_key(data)
    key = _private(data)
    if not isinstance(key, EllipticCurvePrivateKey):
        raise KeyProblem("is a private key, but not of an elliptic curve", _OURS.format(algorithm.curve.name))
    _require_curve(key.curve, algorithm.curve, _OURS)
    return key


def public_key_for(algorithm: Algorithm, data: bytes) -> PublicKey:
    """Read a public key of the kind that an algorithm needs: RSA, or on its curve.

    Raises:
        KeyProblem: as `public_key`; for an algorithm on a curve also a key on another one.
    """
    if algorithm.curve is None:
        return public_key(data)
    key = _public(data)
    if not isinstance(key, EllipticCurvePublicKey):
        raise KeyProblem("is a public key, but not of an elliptic curve", _THEIRS.format(algorithm.curve.name))
    _require_curve(key.curve, algorithm.curve, _THEIRS)
    return key


def same_pair(ours: PublicKey, theirs: PublicKey) -> bool:
    """Whether two public keys are one and the same."""
    return ours.public_numbers() == theirs.public_numbers()


def too_short(key: PrivateKey | PublicKey, algorithm: Algorithm) -> KeyProblem | None:
    """What is wrong with the key's length for this algorithm, if anything."""
    if key.key_size >= algorithm.min_bits:
        return None
    return KeyProblem(
        f"has {key.key_size} bits; {algorithm.name} needs {algorithm.min_bits}", "make a longer key pair and upload its public half"
    )


def _private(data: bytes) -> object:
    """A private key of any kind, or why it is none."""
    der = _der(data, wanted="private")
    key = _try(serialization.load_der_private_key, der, None)
    if key is None and _try(serialization.load_der_public_key, der) is not None:
        raise KeyProblem("is a public key where a private one is wanted", "give the file that was never uploaded anywhere")
    if key is None:
        raise KeyProblem("holds no readable private key")
    return key


def _public(data: bytes) -> object:
    """A public key of any kind, or why it is none."""
    der = _der(data, wanted="public")
    key = _try(serialization.load_der_public_key, der)
    if key is None and _try(serialization.load_der_private_key, der, None) is not None:
        raise KeyProblem("is a private key where the gateway's public one is wanted", "download the gateway's public key from its console")
    if key is None:
        raise KeyProblem("holds no readable public key")
    return key


def _require_curve(found: EllipticCurve, wanted: EllipticCurve, mend: str) -> None:
    if found.name != wanted.name:
        raise KeyProblem(f"lies on the curve {found.name}", mend.format(wanted.name))


def _der(data: bytes, wanted: str) -> bytes:
    """The DER inside: of a PEM block whatever its label, of bare base64, or the bytes themselves."""
    if not data.strip():
        raise KeyProblem("is empty", f"put the {wanted} key there")
    if data.startswith(b"0") and not data.isascii():
        return data
    # `openssl ecparam -genkey` writes the curve's name in a block of its own before the key.
    block = next((found for found in _PEM.finditer(data) if not found[1].endswith(b"PARAMETERS")), None)
    if block is None and b"-----" in data:
        raise KeyProblem("holds a damaged PEM block: its BEGIN and END lines don't match")
    label, text = (block[1], block[2]) if block else (b"", data.removeprefix(b"\xef\xbb\xbf"))
    if b"CERTIFICATE" in label:
        raise KeyProblem("is a certificate where a key is wanted", "give the key itself")
    if b"ENCRYPTED" in label or b"ENCRYPTED" in text:
        raise KeyProblem("is protected by a password", "store it without one, readable by its owner alone, or sign by a callable")
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise KeyProblem("is neither PEM, DER nor base64") from None


def _try(load: object, *arguments: object) -> object:
    """What the loader gives, or None: `cryptography` tells apart only what it can read."""
    try:
        return load(*arguments)  # type: ignore[operator]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
