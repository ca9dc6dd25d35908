"""What a fault makes of an answer of AlipayHK before it is signed, while it is, or right after.

Owns one function a fault, from the parts of an honest answer to an answer. It must not know which request is struck,
nor how bytes travel.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final

from cryptography.hazmat.primitives import hashes

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.wire import Headers, WireResponse
from passbridge.sandbox.garbling import GARBLINGS, HTML, Garbling, ciphertext, twice
from passbridge.sandbox.hk_answer import HkDraft, honest, mark, sealed, signature, unsealed

__all__ = ["FORGERIES"]

_LONG_AGO: Final = 3600.0
_FAILURE: Final = "PASS_STATUS_ILLEGAL"

Forgery = Callable[[HkDraft, float], WireResponse]
"""From the parts of the answer and the number behind the fault's name."""


def _marked(spelt: Callable[[HkDraft], str]) -> Forgery:
    """The honest body under another `Signature` header."""
    return lambda draft, _: sealed(draft, draft.body, spelt(draft))


def _over(change: Callable[[HkDraft], bytes]) -> Forgery:
    """Another body, rightly signed."""
    return lambda draft, _: honest(draft, change(draft))


def _saying(**members: str) -> Forgery:
    """Other words in the result, rightly signed."""
    return lambda draft, _: honest(replace(draft, members={**draft.members, **members}))


def _signed_for(**parts: Any) -> Forgery:  # noqa: ANN401 - the parts' own types
    """The honest body, signed for another exchange."""
    return _marked(lambda draft: mark(signature(replace(draft, **parts), draft.body)))


def _garbled(garbling: Garbling) -> Forgery:
    return _over(lambda draft: draft.holding(garbling(draft.result)))


def _late(draft: HkDraft, seconds: float) -> WireResponse:
    return honest(replace(draft, now=draft.now + timedelta(seconds=seconds)))


def _twice(draft: HkDraft, _number: float) -> WireResponse:
    marks = [mark(signature(one, draft.body)) for one in (draft, replace(draft, key=draft.stranger()))]
    return sealed(draft, draft.body, *marks)


def _reserialised(draft: HkDraft, _number: float) -> WireResponse:
    again = json.dumps(json.loads(draft.body), indent=2).encode()
    return sealed(draft, again, mark(signature(draft, draft.body)))


def _echo(draft: HkDraft, _number: float) -> WireResponse:
    asked = draft.request.headers
    fields = {"client-id": asked["client-id"], "response-time": asked["request-time"], "signature": asked["signature"]}
    return WireResponse(200, Headers({"content-type": "application/json;charset=UTF-8", **fields}), draft.request.body)


def _encrypted(draft: HkDraft, _number: float) -> WireResponse:
    """A body and a header field as other deployments of the same gateway write them."""
    plain = honest(draft, ciphertext(draft.body))
    field = ("encrypt", f"algorithm=RSA_AES,keyVersion=1,symmetricKey={ciphertext(draft.trace.encode()).decode()}")
    return replace(plain, headers=Headers([*plain.headers.pairs(), field]))


def _two_results(draft: HkDraft) -> bytes:
    other: JsonObject = {**draft.members, "resultCode": _FAILURE, "resultStatus": "F"}
    beside = "result" if draft.member == "resultInfo" else "resultInfo"
    return write_json({draft.member: draft.members, beside: other}).encode()


def _without_letter(draft: HkDraft) -> bytes:
    return draft.holding(write_json({name: value for name, value in draft.members.items() if name != "resultStatus"}).encode())


def _every_character(text: bytes) -> str:
    return "".join(f"%{byte:02X}" for byte in text)


_SIGNATURE: Final[Mapping[str, Forgery]] = {
    "unsigned": lambda draft, _: unsealed(draft, draft.body),
    "bad-signature": lambda draft, _: honest(replace(draft, key=draft.stranger())),
    "empty-signature": _marked(lambda _draft: mark(b"")),
    "malformed-signature": _marked(lambda _draft: mark(b"", spelt=lambda _value: "not*base64")),
    "sha1-signature": _marked(lambda draft: mark(signature(draft, draft.body, hashes.SHA1()))),  # noqa: S303 - the fault itself
    "md5-signature": _marked(lambda draft: mark(signature(draft, draft.body, hashes.MD5()))),  # noqa: S303 - the fault itself
    "signature-twice": _twice,
    "reserialised": _reserialised,
    "replay": lambda draft, _: draft.old or _late(draft, -_LONG_AGO),
    "echo": _echo,
    "other-algorithm": _marked(lambda draft: mark(signature(draft, draft.body), algorithm="ECC224")),
    "unknown-key-version": _marked(lambda draft: mark(signature(draft, draft.body), version="999")),
    "signed-for-path": _signed_for(target="/api/open/alipay/v1/ipass/pass/manage/createPass"),
    "signed-for-client": _signed_for(client_id="SANDBOX0000000002"),
    "signed-for-method": _signed_for(method="GET"),
    "stale": lambda draft, seconds: _late(draft, -seconds),
    "clock": _late,
    "plain-signature": _marked(lambda draft: mark(signature(draft, draft.body), spelt=bytes.decode)),
    "percent-signature": _marked(lambda draft: mark(signature(draft, draft.body), spelt=_every_character)),
}

_CONTENT: Final[Mapping[str, Forgery]] = {
    "duplicate-member": _garbled(twice(b"resultCode")),
    "utf-16": _over(lambda draft: draft.body.decode().encode("utf-16")),
    "bom": _over(lambda draft: codecs.BOM_UTF8 + draft.body),
    "signed-page": _over(lambda _draft: HTML),
    "empty-body": _over(lambda _draft: b""),
    "null-body": _over(lambda _draft: b"null"),
    "encrypted": _encrypted,
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
