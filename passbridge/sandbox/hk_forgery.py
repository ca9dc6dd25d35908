"""What a fault makes of an answer of AlipayHK before it is signed, while it is, or right after.

Owns one function a fault, from the parts of an honest answer to an answer. It must not know which request is struck,
nor how bytes travel.
"""

from __future__ import annotations

import base64
import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.cipher import BLOCK
from passbridge.protocol.wire import Headers, WireResponse
from passbridge.sandbox.garbling import GARBLINGS, HTML, Garbling, ciphertext, twice
from passbridge.sandbox.hk_answer import GatewayKey, HkDraft, honest, mark, sealed, signature, unsealed
from passbridge.sandbox.hk_envelope import CREATE_PASS, PATH
from passbridge.sandbox.hk_secrecy import Cover

__all__ = ["FORGERIES"]

_LONG_AGO: Final = 3600.0
_FAILURE: Final = "PASS_STATUS_ILLEGAL"
_OTHER: Final = MappingProxyType({"RSA256": "ECC224", "ECC224": "RSA256"})

Forgery = Callable[[HkDraft, float], WireResponse]
"""From the parts of the answer and the number behind the fault's name."""


def _marked(spelt: Callable[[HkDraft], str]) -> Forgery:
    """The honest body under another `Signature` header."""
    return lambda draft, _: sealed(draft, draft.body, spelt(draft))


def _over(change: Callable[[HkDraft], bytes]) -> Forgery:
    """Another body, encrypted where that is due, and rightly signed."""
    return lambda draft, _: honest(draft, draft.travelling(change(draft)))


def _saying(**members: str) -> Forgery:
    """Other words in the result, rightly signed."""
    return lambda draft, _: honest(replace(draft, members={**draft.members, **members}))


def _signed_for(**parts: Any) -> Forgery:  # noqa: ANN401 - the parts' own types
    """The honest body, signed for another exchange."""
    return _marked(lambda draft: mark(draft, signature(replace(draft, **parts), draft.body)))


def _signed_for_path(draft: HkDraft, number: float) -> WireResponse:
    return _signed_for(target=PATH if draft.target == CREATE_PASS else CREATE_PASS)(draft, number)


def _under(version: Callable[[HkDraft], GatewayKey]) -> Forgery:
    """Rightly signed by another of the gateway's keys."""
    return lambda draft, _: honest(replace(draft, key=version(draft)))


def _by_stranger(draft: HkDraft) -> GatewayKey:
    return replace(draft.key, key=draft.stranger())


def _garbled(garbling: Garbling) -> Forgery:
    return _over(lambda draft: draft.holding(garbling(draft.result)))


def _late(draft: HkDraft, seconds: float) -> WireResponse:
    return honest(replace(draft, now=draft.now + timedelta(seconds=seconds)))


def _twice(draft: HkDraft, _number: float) -> WireResponse:
    marks = [mark(one, signature(one, draft.body)) for one in (draft, replace(draft, key=_by_stranger(draft)))]
    return sealed(draft, draft.body, *marks)


def _reserialised(draft: HkDraft, _number: float) -> WireResponse:
    again = json.dumps(json.loads(draft.plain), indent=2).encode()
    return sealed(draft, draft.travelling(again), mark(draft, signature(draft, draft.body)))


def _echo(draft: HkDraft, _number: float) -> WireResponse:
    asked = draft.request.headers
    fields = {"client-id": asked["client-id"], "response-time": asked["request-time"], "signature": asked["signature"]}
    fields |= {"encrypt": asked["encrypt"]} if "encrypt" in asked else {}
    return WireResponse(200, Headers({"content-type": draft.media_type, **fields}), draft.request.body)


def _encrypted(draft: HkDraft, _number: float) -> WireResponse:
    """A body and a header field as other deployments of the same gateway write them."""
    field = f"algorithm=RSA_AES,keyVersion=1,symmetricKey={ciphertext(draft.trace.encode()).decode()}"
    return honest(replace(draft, cover=Cover(b"", field)), ciphertext(draft.plain))


def _torn(draft: HkDraft, _number: float) -> WireResponse:
    return honest(draft, base64.b64encode(base64.b64decode(draft.body)[:-BLOCK]))


def _covered_by(cover: Callable[[HkDraft], Cover | None]) -> Forgery:
    """Under another cover or none, rightly signed."""
    return lambda draft, _: honest(replace(draft, cover=cover(draft)))


def _without_header(draft: HkDraft) -> Cover | None:
    return draft.cover and replace(draft.cover, header="")


def _two_results(draft: HkDraft) -> bytes:
    other: JsonObject = {**draft.members, "resultCode": _FAILURE, "resultStatus": "F"}
    beside = "result" if draft.member == "resultInfo" else "resultInfo"
    return write_json({draft.member: draft.members, beside: other, **draft.beside}).encode()


def _without_letter(draft: HkDraft) -> bytes:
    return draft.holding(write_json({name: value for name, value in draft.members.items() if name != "resultStatus"}).encode())


def _every_character(text: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in text)


_SIGNATURE: Final[Mapping[str, Forgery]] = {
    "unsigned": lambda draft, _: unsealed(draft, draft.body),
    "bad-signature": _under(_by_stranger),
    "empty-signature": _marked(lambda draft: mark(draft, b"")),
    "malformed-signature": _marked(lambda draft: mark(draft, b"", spelt=lambda _value: "not*base64")),
    "sha1-signature": _marked(lambda draft: mark(draft, signature(draft, draft.body, hashes.SHA1()))),  # noqa: S303 - the fault itself
    "md5-signature": _marked(lambda draft: mark(draft, signature(draft, draft.body, hashes.MD5()))),  # noqa: S303 - the fault itself
    "signature-twice": _twice,
    "reserialised": _reserialised,
    "replay": lambda draft, _: draft.old or _late(draft, -_LONG_AGO),
    "echo": _echo,
    "other-algorithm": _marked(lambda draft: mark(draft, signature(draft, draft.body), algorithm=_OTHER[draft.algorithm.name])),
    "unknown-key-version": _marked(lambda draft: mark(draft, signature(draft, draft.body), version="999")),
    "next-gateway-key": _under(lambda draft: draft.next_key()),
    "signed-for-path": _signed_for_path,
    "signed-for-client": _signed_for(client_id="SANDBOX0000000002"),
    "signed-for-method": _signed_for(method="GET"),
    "stale": lambda draft, seconds: _late(draft, -seconds),
    "clock": _late,
    "plain-signature": _marked(lambda draft: mark(draft, signature(draft, draft.body), spelt=bytes.decode)),
    "percent-signature": _marked(lambda draft: mark(draft, signature(draft, draft.body), spelt=_every_character)),
}

_CONTENT: Final[Mapping[str, Forgery]] = {
    "duplicate-member": _garbled(twice(b"resultCode")),
    "utf-16": _over(lambda draft: draft.plain.decode().encode("utf-16")),
    "bom": _over(lambda draft: codecs.BOM_UTF8 + draft.plain),
    "signed-page": _over(lambda _draft: HTML),
    "empty-body": _over(lambda _draft: b""),
    "null-body": _over(lambda _draft: b"null"),
    "encrypted": _encrypted,
    "torn-ciphertext": _torn,
    "bad-wrapped-key": _covered_by(lambda draft: draft.strange_cover()),
    "plain-answer": _covered_by(lambda _draft: None),
    "no-encrypt-header": _covered_by(_without_header),
    "same-aes-key": _covered_by(lambda draft: draft.same_cover),
    "s-with-failure": _saying(resultStatus="S", resultCode=_FAILURE),
    "f-with-success": _saying(resultStatus="F", resultCode="SUCCESS"),
    "two-results": _over(_two_results),
    "no-letter": _over(_without_letter),
    "unknown-letter": _saying(resultStatus="X"),
}

FORGERIES: Final[Mapping[str, Forgery]] = MappingProxyType(
    {**_SIGNATURE, **_CONTENT, **{name: _garbled(garbling) for name, garbling in GARBLINGS.items()}}
)
"""By its name, what each fault makes of an answer."""
