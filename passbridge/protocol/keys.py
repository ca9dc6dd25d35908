"""Keys in every form they are handed out in: PEM (PKCS#1, PKCS#8, certificates refused by name), DER, bare base64.

Owns reading key bytes and saying what is wrong with them. Reads no file, and no message ever quotes a byte of a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

if TYPE_CHECKING:
    from passbridge.protocol.signing import Algorithm

__all__ = ["KeyProblem", "private_key", "public_key", "same_pair", "too_short"]

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
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
    der = _der(data, wanted="private")
    key: object = _try(serialization.load_der_private_key, der, None)
    if isinstance(key, RSAPrivateKey):
        return key
    if key is not None:
        raise KeyProblem("is a private key, but not RSA", "this algorithm needs an RSA key")
    if _public(der) is not None:
        raise KeyProblem("is a public key where a private one is wanted", "give the file that was never uploaded anywhere")
    raise KeyProblem("holds no readable private key")


def public_key(data: bytes) -> RSAPublicKey:
    """Read an RSA public key.

    Raises:
        KeyProblem: empty, a private key or certificate, not RSA, or nothing readable.
    """
    der = _der(data, wanted="public")
    key = _public(der)
    if isinstance(key, RSAPublicKey):
        return key
    if key is not None:
        raise KeyProblem("is a public key, but not RSA", "this algorithm needs an RSA key")
    if _try(serialization.load_der_private_key, der, None) is not None:
        raise KeyProblem("is a private key where the gateway's public one is wanted", "download the gateway's public key from its console")
    raise KeyProblem("holds no readable public key")


def same_pair(ours: RSAPublicKey, theirs: RSAPublicKey) -> bool:
    """Whether two public keys are one and the same."""
    return ours.public_numbers() == theirs.public_numbers()


def too_short(key: RSAPrivateKey | RSAPublicKey, algorithm: Algorithm) -> KeyProblem | None:
    """What is wrong with the key's length for this algorithm, if anything."""
    if key.key_size >= algorithm.min_bits:
        return None
    return KeyProblem(
        f"has {key.key_size} bits; {algorithm.name} needs {algorithm.min_bits}", "make a longer key pair and upload its public half"
    )


def _der(data: bytes, wanted: str) -> bytes:
    """The DER inside: of a PEM block whatever its label, of bare base64, or the bytes themselves."""
    if not data.strip():
        raise KeyProblem("is empty", f"put the {wanted} key there")
    if data.startswith(b"0") and not data.isascii():
        return data
    block = _PEM.search(data)
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


def _public(der: bytes) -> object:
    return _try(serialization.load_der_public_key, der)


def _try(load: object, *arguments: object) -> object:
    """What the loader gives, or None: `cryptography` tells apart only what it can read."""
    try:
        return load(*arguments)  # type: ignore[operator]
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
