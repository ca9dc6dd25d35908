"""RSA_AES: the body under a fresh AES key, that key under the reader's RSA key in an `Encrypt` field (protocol, section 2).

Owns how both are written and read, and that whatever can't be decrypted ends in one finding. No page of AlipayHK
defines the profile: this one is the sibling gateway's, whose official SDK works so, and must be confirmed before use.
It knows neither signatures nor what a body says, and draws no key itself: randomness is handed in.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote_plus, unquote

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from passbridge.backends.hk.signature import Verified
from passbridge.domain import Finding
from passbridge.protocol.cipher import Wrapping, aes_decrypt, aes_encrypt, wrap_key
from passbridge.protocol.settings import Secret
from passbridge.protocol.wire import Headers, WireRequest

__all__ = ["NOT_ENCRYPTED", "UNREADABLE", "Drawing", "EncryptedRequest", "Encryption", "decrypt", "encrypt"]

Drawing = Callable[[int], bytes]
"""Gives so many random bytes, fit for keys."""

_KEY_BYTES: Final = 32
"""AES-256: what AlipayHK's page recommends."""

_NAMES: Final = frozenset({"rsa_aes", "rsa"})
"""The words for the one algorithm: the text of all three pages says RSA_AES, two of their samples RSA (protocol, section 6)."""

UNREADABLE: Final = Finding(
    code="ENC-UNREADABLE",
    message="the answer can't be decrypted",
    mend="if every answer fails so, AlipayHK encrypts to another key than ours, or in another way: see encryption in the configuration",
)
"""For every wrong key, wrapping, padding, text and field alike: what tells them apart is an oracle, since the field is not signed."""

NOT_ENCRYPTED: Final = Finding(
    code="ENC-PLAIN",
    message="the answer is not encrypted, though this account's answers are",
    mend="if every answer fails so, ask AlipayHK whether encryption is switched on for this client id",
)


@dataclass(frozen=True, slots=True)
class Encryption:
    """How one account's bodies are encrypted.

    Attributes:
        wrapping: how an AES key stands under RSA.
        content_type: what an encrypted body is called.
        key_version: of AlipayHK's key, as the `Encrypt` field names it.
        theirs: AlipayHK's key, for what we send.
        unwrap: gives the AES key that was wrapped for us.
        draw: gives the random bytes of each request's key.
    """

    wrapping: Wrapping
    content_type: str
    key_version: str
    theirs: RSAPublicKey
    unwrap: Callable[[bytes], bytes]
    draw: Drawing = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedRequest(WireRequest):
    """A request whose body is encrypted; it remembers its AES key, since an answer may come under the same one.

    A pickle or a copy is the request as it travels, without the key.
    """

    key: Secret = field(repr=False, compare=False)

    def __reduce__(self) -> tuple[type[WireRequest], tuple[str, str, Headers, bytes]]:
        return WireRequest, (self.method, self.url, self.headers, self.body)


def encrypt(encryption: Encryption, body: bytes) -> tuple[bytes, str, Secret]:
    """What is signed and sent (base64 of AES-256-ECB), the `Encrypt` field that goes with it, and the fresh key itself."""
    key = encryption.draw(_KEY_BYTES)
    wrapped = quote_plus(base64.b64encode(wrap_key(encryption.theirs, key, encryption.wrapping)))
    said = f"algorithm=RSA_AES,keyVersion={encryption.key_version},symmetricKey={wrapped}"
    return base64.b64encode(aes_encrypt(key, body)), said, Secret(key, "drawn for one request")


def decrypt(encryption: Encryption, request: WireRequest, said: tuple[str, ...], verified: Verified) -> Verified | None:
    """The text of a verified answer, under the key its `Encrypt` fields bring, else under our request's; None where it can't be."""
    parts = _parts(said)
    if parts is None:
        return None
    try:
        wrapped = parts.get("symmetrickey")
        key = _requests_own(request) if wrapped is None else encryption.unwrap(_bytes(unquote(wrapped, errors="strict")))
        return replace(verified, body=aes_decrypt(key, _bytes(verified.body)))
    except ValueError:  # `DecryptionError`, and every error of base64 and percent-encoding
        return None


def _requests_own(request: WireRequest) -> bytes:
    return request.key.reveal() if isinstance(request, EncryptedRequest) else b""


def _bytes(text: str | bytes) -> bytes:
    return base64.b64decode(text, validate=True)


def _parts(said: tuple[str, ...]) -> dict[str, str] | None:
    """The parts of the one `Encrypt` field by their names in lower case; None where it is not one, or not of this algorithm."""
    if len(said) != 1:
        return None
    pairs = [part.partition("=") for part in said[0].split(",")]
    parts = {name.strip().lower(): value.strip() for name, _, value in pairs}
    known = parts.get("algorithm", "").lower() in _NAMES
    return parts if known and len(parts) == len(pairs) else None
