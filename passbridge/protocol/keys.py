"""Keys in every form they are handed out in: PEM (PKCS#1, PKCS#8, SEC 1, certificates refused by name), DER, bare base64.

Owns reading key bytes and saying what is wrong with them. Reads no file, and no message ever quotes a byte of a key.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurve, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

if TYPE_CHECKING:
    from passbridge.protocol.signing import Algorithm, PrivateKey, PublicKey

__all__ = ["KeyProblem", "private_key", "private_key_for", "public_key", "public_key_for", "same_pair", "too_short"]

_PEM = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_HELPFUL = "give the key as PEM, DER, or the console's one-line base64"

_RsaT = TypeVar("_RsaT", RSAPrivateKey, RSAPublicKey)
_CurveT = TypeVar("_CurveT", EllipticCurvePrivateKey, EllipticCurvePublicKey)


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
    return _PRIVATE.rsa_key(data)


def public_key(data: bytes) -> RSAPublicKey:
    """Read an RSA public key.

    Raises:
        KeyProblem: empty, a private key or certificate, not RSA, or nothing readable.
    """
    return _PUBLIC.rsa_key(data)


def private_key_for(algorithm: Algorithm, data: bytes) -> PrivateKey:
    """Read a private key of the kind that an algorithm needs: RSA, or on its curve.

    Raises:
        KeyProblem: as `private_key`; for an algorithm on a curve also a key on another one.
    """
    return _PRIVATE.key_for(algorithm, data)


def public_key_for(algorithm: Algorithm, data: bytes) -> PublicKey:
    """Read a public key of the kind that an algorithm needs: RSA, or on its curve.

    Raises:
        KeyProblem: as `public_key`; for an algorithm on a curve also a key on another one.
    """
    return _PUBLIC.key_for(algorithm, data)


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


@dataclass(frozen=True, slots=True)
class _Half(Generic[_RsaT, _CurveT]):
    """One half of a key pair, and what is said where something else is found.

    Attributes:
        name: which half.
        load: reads it from DER.
        load_other: reads the other half.
        mistaken: what is said of the other half, and the mend.
        get_one: where to get one on a curve.
        rsa: its type for RSA.
        elliptic: its type for a curve.
    """

    name: str
    load: Callable[[bytes], object]
    load_other: Callable[[bytes], object]
    mistaken: tuple[str, str]
    get_one: str
    rsa: type[_RsaT]
    elliptic: type[_CurveT]

    def key_for(self, algorithm: Algorithm, data: bytes) -> _RsaT | _CurveT:
        """The key of the kind that the algorithm needs."""
        return self.rsa_key(data) if algorithm.curve is None else self.key_on(algorithm.curve, data)

    def rsa_key(self, data: bytes) -> _RsaT:
        """The RSA key in these bytes."""
        key = self.read(data)
        if isinstance(key, self.rsa):
            return key
        raise KeyProblem(f"is a {self.name} key, but not RSA", "this algorithm needs an RSA key")

    def key_on(self, curve: EllipticCurve, data: bytes) -> _CurveT:
        """The key on this curve in these bytes."""
        key = self.read(data)
        if not isinstance(key, self.elliptic):
            raise KeyProblem(f"is a {self.name} key, but not of an elliptic curve", self.get_one.format(curve.name))
        if key.curve.name != curve.name:
            raise KeyProblem(f"lies on the curve {key.curve.name}", self.get_one.format(curve.name))
        return key

    def read(self, data: bytes) -> object:
        """A key of any kind, or why it is none."""
        der = _der(data, self.name)
        key = _try(self.load, der)
        if key is None and _try(self.load_other, der) is not None:
            raise KeyProblem(*self.mistaken)
        if key is None:
            raise KeyProblem(f"holds no readable {self.name} key")
        return key


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


def _try(load: Callable[[bytes], object], der: bytes) -> object:
    """What the loader gives, or None: `cryptography` tells apart only what it can read."""
    try:
        return load(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


_load_private = partial(serialization.load_der_private_key, password=None)

_PRIVATE: Final = _Half(
    name="private",
    load=_load_private,
    load_other=serialization.load_der_public_key,
    mistaken=("is a public key where a private one is wanted", "give the file that was never uploaded anywhere"),
    get_one="this algorithm needs a key on {0}: openssl ecparam -name {0} -genkey -noout",
    rsa=RSAPrivateKey,  # type: ignore[type-abstract]  # only asked whether a key is one
    elliptic=EllipticCurvePrivateKey,  # type: ignore[type-abstract]  # likewise
)
_PUBLIC: Final = _Half(
    name="public",
    load=serialization.load_der_public_key,
    load_other=_load_private,
    mistaken=("is a private key where the gateway's public one is wanted", "download the gateway's public key from its console"),
    get_one="this algorithm needs the gateway's key on {0}: download it from the gateway's console",
    rsa=RSAPublicKey,  # type: ignore[type-abstract]  # likewise
    elliptic=EllipticCurvePublicKey,  # type: ignore[type-abstract]  # likewise
)
