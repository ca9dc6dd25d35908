"""AES over bytes, and an AES key under RSA: the primitives that both gateways and the sandbox share.

Owns the modes, the padding, and that every failure of decryption looks alike: what tells a wrong key from a wrong
padding is an oracle. It never learns which text is encrypted, nor how ciphertext is written on the wire.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, ECB

__all__ = ["AES_KEY_BYTES", "BLOCK", "DecryptionError", "Wrapping", "aes_decrypt", "aes_encrypt", "unwrap_key", "wrap_key"]

BLOCK: Final = 16
"""Bytes of an AES block, and of an IV."""

AES_KEY_BYTES: Final = frozenset({16, 24, 32})
"""The lengths an AES key can have."""

Wrapping: TypeAlias = Literal["PKCS1", "OAEP-SHA1", "OAEP-SHA256"]
"""How an AES key stands under RSA: PKCS#1 v1.5, or OAEP with one hash for both its parts."""

_WRAPPINGS: Final = MappingProxyType(
    {
        "PKCS1": PKCS1v15(),
        "OAEP-SHA1": OAEP(MGF1(hashes.SHA1()), hashes.SHA1(), None),  # noqa: S303 - OAEP's default hash, sound in this place
        "OAEP-SHA256": OAEP(MGF1(hashes.SHA256()), hashes.SHA256(), None),
    }
)


class DecryptionError(ValueError):
    """These bytes can't be decrypted. It never says why: wrong key, wrong length and wrong padding are one and the same."""

    def __init__(self) -> None:
        super().__init__("can't be decrypted")


def aes_encrypt(key: bytes, plain: bytes, iv: bytes | None = None) -> bytes:
    """AES with PKCS#7 padding: CBC under this IV (16 bytes), ECB without one."""
    padder = padding.PKCS7(BLOCK * 8).padder()
    encryptor = Cipher(AES(key), _mode(iv)).encryptor()
    return encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()


def aes_decrypt(key: bytes, data: bytes, iv: bytes | None = None) -> bytes:
    """The way back.

    Raises:
        DecryptionError: whatever is wrong with the key or the bytes.
    """
    try:
        decryptor = Cipher(AES(key), _mode(iv)).decryptor()
        unpadder = padding.PKCS7(BLOCK * 8).unpadder()
        return unpadder.update(decryptor.update(data) + decryptor.finalize()) + unpadder.finalize()
    except ValueError:
        raise DecryptionError from None


def wrap_key(theirs: RSAPublicKey, key: bytes, wrapping: Wrapping) -> bytes:
    """An AES key for the owner of this public key."""
    return theirs.encrypt(key, _padding(wrapping))


def unwrap_key(ours: RSAPrivateKey, wrapped: bytes, wrapping: Wrapping) -> bytes:
    """The AES key that was wrapped for us.

    Raises:
        DecryptionError: whatever is wrong with the bytes. Under PKCS#1 v1.5 a wrong padding may also give a random key,
            so that nobody can ask which bytes were padded rightly; what is decrypted with it fails in the same way.
    """
    try:
        return ours.decrypt(wrapped, _padding(wrapping))
    except ValueError:
        raise DecryptionError from None


def _mode(iv: bytes | None) -> ECB | CBC:
    return ECB() if iv is None else CBC(iv)  # noqa: S305 - the sibling gateway's own mode; whoever calls decides


def _padding(wrapping: Wrapping) -> AsymmetricPadding:
    return _WRAPPINGS[wrapping]
