"""AES over `biz_content` and over answers (protocol, 2.4): how ciphertext is written on the wire.

Owns the two encryption types and that every bad ciphertext looks alike. It is given only what is verified; AES itself is
`protocol.cipher`'s.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from passbridge.domain import Finding, JsonError
from passbridge.protocol.cipher import BLOCK, DecryptionError, aes_decrypt, aes_encrypt
from passbridge.protocol.jsonbytes import members

__all__ = ["UNDECRYPTABLE", "Encryption", "EncryptionType", "console_key"]

EncryptionType: TypeAlias = Literal["AES", "AES_V2"]
"""`AES`: CBC under an IV of zeros, as the gateway documents it. `AES_V2`: the IV stands before the ciphertext, as the
official Java SDK has it; that the gateway takes it is documented nowhere."""

KEY_BYTES: Final = 16
_ZEROS: Final = bytes(BLOCK)
_CODECS: Final = ("utf-8", "gb18030")

UNDECRYPTABLE: Final = Finding(
    code="ENC-UNREADABLE",
    message="the answer is the gateway's, but encrypt_key doesn't decrypt it",
    mend="compare encrypt_key with the one that the console shows for this app",
)
"""The one finding for a wrong key, no base64, a cut block, a wrong padding, and text that is no answer: which of them it
was is told to nobody."""


def console_key(data: bytes) -> bytes:
    """The key as the console shows it: 16 bytes in base64.

    Raises:
        ValueError: it is something else. The message holds nothing of it.
    """
    try:
        key = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"is no AES key: base64 of {KEY_BYTES} bytes is wanted")
    return key


@dataclass(frozen=True, slots=True, repr=False)
class Encryption:
    """What one account encrypts with. Its key stays inside, and it is neither shown nor pickled.

    Attributes:
        kind: the encryption type.
        key: gives the key.
    """

    kind: EncryptionType
    key: Callable[[], bytes]

    def encrypt(self, plain: bytes, iv: bytes | None = None) -> str:
        """The ciphertext as it is sent, in base64.

        Args:
            plain: `biz_content` in the request's charset.
            iv: for `AES_V2`; by default drawn from key and text.
        """
        key = self.key()
        if self.kind == "AES":
            return base64.b64encode(aes_encrypt(key, plain, _ZEROS)).decode()
        iv = _drawn(key, plain) if iv is None else iv
        return base64.b64encode(iv + aes_encrypt(key, plain, iv)).decode()

    def decrypt(self, text: str) -> str | None:
        """A verified node's text; None for whatever is no answer under this key."""
        try:
            data = base64.b64decode(text, validate=True)
            iv, data = (_ZEROS, data) if self.kind == "AES" else (data[:BLOCK], data[BLOCK:])
            plain = aes_decrypt(self.key(), data, iv)
        except (DecryptionError, ValueError):
            return None
        return next((found for found in (_node(plain, codec) for codec in _CODECS) if found is not None), None)


def _drawn(key: bytes, plain: bytes) -> bytes:
    """An IV that nobody without the key can foresee, made of the text as in RFC 5297: only equal texts share one."""
    return hmac.digest(key, b"passbridge AES_V2 IV" + plain, "sha256")[:BLOCK]


def _node(plain: bytes, codec: str) -> str | None:
    """The text, if it is a JSON object in this encoding."""
    try:
        text = plain.decode(codec)
        members(text)
    except (UnicodeDecodeError, JsonError):
        return None
    return text
