"""An answer of the mainland's gateway in the making: its node, the node's own bytes, which are signed, and the rest.

Owns the parts of an honest answer and how they are put together, written from the gateway's own documents and from
replies seen on its wire. It must not know which faults take the parts and put them together otherwise.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.wire import Headers, WireResponse
from passbridge.sandbox.mainland_form import Form

__all__ = ["MainlandDraft", "Part", "framed", "honest", "sign", "unsealed"]

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

    @property
    def source(self) -> bytes:
        """The node's own bytes."""
        return write_json(self.members).encode(self.codec, "replace")

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
    """An answer of these members."""
    return unsealed(draft, b"{" + b",".join(name + b":" + value for name, value in parts) + b"}")


def honest(draft: MainlandDraft, source: bytes | None = None) -> WireResponse:
    """`{"…_response": {…}, "sign": "…"}`, with the node's own bytes or others, rightly signed."""
    source = draft.source if source is None else source
    return framed(draft, (draft.name, source), sign(draft, source))
