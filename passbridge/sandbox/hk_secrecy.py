"""RSA_AES as the gateway does it: a body under a fresh AES key, and that key under the receiver's RSA key.

Owns the `Encrypt` header's meaning and the ciphertext's form on the wire. AlipayHK's pages name RSA_AES and say that
the whole body is encrypted before it is signed, and no more; the rest is read from the official SDK of a sibling
gateway: AES in ECB mode with PKCS#5 padding, standard base64, PKCS#1 v1.5 over the raw key. It must not know
signatures, nor what a body says.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from passbridge.protocol.cipher import DecryptionError, Wrapping, aes_decrypt, aes_encrypt, unwrap_key, wrap_key
from passbridge.sandbox.hk_headers import decoded, encoded, newest, only_base64, pairs

__all__ = ["Cover", "covered", "opened_cover"]

_KEY_BYTES: Final = 32
_NAMES: Final = frozenset({"rsa_aes", "rsa"})
"""The pages say that only RSA_AES is supported, and their samples also write `RSA` and `rsa` (seeds 000 and 001)."""


@dataclass(frozen=True, slots=True)
class Cover:
    """What a body is put under.

    Attributes:
        key: the AES key.
        header: the `Encrypt` header.
    """

    key: bytes
    header: str

    def over(self, plain: bytes) -> bytes:
        """The body as it travels; the same for the same plain text."""
        return base64.b64encode(aes_encrypt(self.key, plain))


def covered(receiver: RSAPublicKey, version: str, wrapping: Wrapping) -> Cover:
    """A new cover that only the receiver can lift; the header names the receiver's key version."""
    key = secrets.token_bytes(_KEY_BYTES)
    return Cover(key, f"algorithm=RSA_AES,keyVersion={version},symmetricKey={encoded(wrap_key(receiver, key, wrapping))}")


def opened_cover(header: str, body: bytes, ours: Mapping[str, RSAPrivateKey], wrapping: Wrapping) -> tuple[bytes, bytes]:
    """The plain body under this `Encrypt` header, and its AES key.

    Args:
        header: the header's text.
        body: the ciphertext as it travelled.
        ours: our keys by version; the newest opens what names no version of ours.
        wrapping: how the AES key stands under ours.

    Raises:
        DecryptionError: whatever is wrong with header, key or bytes; it is always the same.
    """
    marks, ciphertext = pairs(header), only_base64(body)
    if marks.get("algorithm", "RSA_AES").lower() not in _NAMES or not ciphertext:
        raise DecryptionError
    ours_key = ours.get(marks.get("keyversion", "")) or ours[newest(ours)]
    key = unwrap_key(ours_key, decoded(marks.get("symmetrickey", "")), wrapping)
    return aes_decrypt(key, ciphertext), key
