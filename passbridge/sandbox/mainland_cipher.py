"""Encrypted content at the mainland's gateway: `biz_content` opened, and how the answer to it is closed.

Owns the reading of `encrypt_type` and where the initial vector stands, written from the gateway's own documents and the
official SDKs. It shares AES itself with the client, and nothing else.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from passbridge.protocol.cipher import BLOCK, DecryptionError, aes_decrypt, aes_encrypt
from passbridge.sandbox.mainland_form import Form
from passbridge.sandbox.world import World

__all__ = ["Content", "opened"]

_ZEROS: Final = bytes(BLOCK)


@dataclass(frozen=True, slots=True)
class Content:
    """What a request carries, out of its envelope.

    Attributes:
        text: the bytes of `biz_content`, in the request's charset.
        refusal: the sub code, where it can't be opened.
        close: what encrypts the answer, where the request was encrypted.
    """

    text: bytes = b""
    refusal: str = ""
    close: Callable[[bytes], bytes] | None = None


def opened(form: Form, world: World) -> Content:
    """`biz_content` as it stands, or decrypted with the app's key where the request says how."""
    raw, kind = form.values.get("biz_content", b""), form.plain("encrypt_type")
    if not kind:
        return Content(raw)
    key = (world.store.app_keys("mainland", form.plain("app_id")) or {}).get("AES")
    if key is None:
        return Content(refusal="isv.missing-encrypt-key")
    if kind != "AES" and (kind != "AES_V2" or world.guesses["mainland.aes_v2"] != "accepted"):
        return Content(refusal="isv.invalid-encrypt-type")
    secret, fresh = base64.b64decode(key), b"" if kind == "AES" else bytes.fromhex(world.trace())
    try:
        data = base64.b64decode(raw, validate=True)
        plain = aes_decrypt(secret, data[len(fresh) :], data[: len(fresh)] or _ZEROS) if raw else b""
    except (binascii.Error, DecryptionError):
        return Content(refusal="isv.decryption-error-unknown")

    def close(answer: bytes) -> bytes:
        """AES: an initial vector of zeros; AES_V2: a fresh one in front."""
        return b'"' + base64.b64encode(fresh + aes_encrypt(secret, answer, fresh or _ZEROS)) + b'"'

    return Content(plain, close=close)
