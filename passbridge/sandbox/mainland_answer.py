"""An answer of the mainland's gateway in the making: its node, the node's own bytes, which are signed, and the rest.

Owns the parts of an honest answer and how they are put together, written from the gateway's own documents and from
replies seen on its wire. It must not know which faults take the parts and put them together otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.wire import Headers, WireResponse
from passbridge.sandbox.mainland_form import Form

__all__ = ["CERT_SN", "MainlandDraft", "Part", "framed", "honest", "sign", "unsealed"]

CERT_SN: Final = b'"alipay_cert_sn"'

Part = tuple[bytes, bytes]
"""A member of the outermost object as it is written: its name with its quotes, and its value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MainlandDraft:
    """The parts of an answer, none of them put together yet.

    Attributes:
        form: the request.
        codec: Python's codec for the answer.
        node: the name of the node.
        members: what stands in it.
        digest: the hash that the request's sign type asks for.
        trace: the exchange's name.
        key: the gateway's key.
        stranger: a key nobody registered.
        old: an earlier answer.
        close: what encrypts the node's text, where an encrypted answer is due.
        serial: the serial number of the key's certificate, in certificate mode.
        place: where that stands: `first`, `between` node and signature, or `last`.
    """

    form: Form
    codec: str
    node: str
    members: JsonObject
    digest: hashes.HashAlgorithm
    trace: str
    key: RSAPrivateKey
    stranger: Callable[[], RSAPrivateKey]
    old: WireResponse | None = None
    close: Callable[[bytes], bytes] | None = None
    serial: str = ""
    place: str = "between"

    @property
    def text(self) -> bytes:
        """What the node says."""
        return write_json(self.members).encode(self.codec, "replace")

    @property
    def source(self) -> bytes:
        """The node's own bytes."""
        return self.closed(self.text)

    def closed(self, text: bytes) -> bytes:
        """The bytes of a node that says this: the text, or its ciphertext between quotes."""
        return self.close(text) if self.close else text

    @property
    def name(self) -> bytes:
        """The node's name as it is written."""
        return write_json(self.node).encode(self.codec, "replace")


def sign(draft: MainlandDraft, source: bytes, digest: hashes.HashAlgorithm | None = None, name: bytes = b'"sign"') -> Part:
    """The signature over these bytes."""
    value = draft.key.sign(source, padding.PKCS1v15(), digest or draft.digest)
    return name, b'"' + base64.b64encode(value) + b'"'


def unsealed(draft: MainlandDraft, body: bytes) -> WireResponse:
    """An answer with this body."""
    headers = {"content-type": f"text/html;charset={draft.codec}", "trace_id": draft.trace}
    return WireResponse(200, Headers(headers), body)


def framed(draft: MainlandDraft, *parts: Part) -> WireResponse:
    """An answer of these members; in certificate mode, the serial number beside them."""
    if draft.serial and CERT_SN not in dict(parts):
        at = {"first": 0, "between": 1, "last": len(parts)}[draft.place]
        parts = (*parts[:at], (CERT_SN, b'"%b"' % draft.serial.encode()), *parts[at:])
    return unsealed(draft, b"{" + b",".join(name + b":" + value for name, value in parts) + b"}")


def honest(draft: MainlandDraft, source: bytes | None = None) -> WireResponse:
    """`{"…_response": {…}, "sign": "…"}`, with the node's own bytes or others, rightly signed."""
    source = draft.source if source is None else source
    return framed(draft, (draft.name, source), sign(draft, source))
