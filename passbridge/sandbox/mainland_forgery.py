"""What a fault makes of an answer of the mainland's before it is signed, while it is, or right after.

Owns one function a fault, from the parts of an honest answer to an answer. It must not know which request is struck,
nor how bytes travel.
"""

from __future__ import annotations

import base64
import codecs
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives import hashes

from passbridge.domain.strictjson import JsonObject, write_json
from passbridge.protocol.cipher import BLOCK
from passbridge.protocol.wire import WireResponse
from passbridge.sandbox.garbling import GARBLINGS, Garbling, ciphertext, twice
from passbridge.sandbox.mainland_answer import CERT_SN, MainlandDraft, Part, framed, honest, sign, unsealed
from passbridge.sandbox.papers import forged

__all__ = ["FORGERIES"]

_REFUSAL: Final[JsonObject] = {"code": "40004", "msg": "Business Failed", "sub_code": "KP.AE_ALIPASS_NOTEXIST", "sub_msg": "卡券不存在"}
_OTHER: Final[JsonObject] = {"serialNumber": "209919213-other", "passId": "000000000000", "operate": "UPDATE", "errorCode": "SUCCESS"}
_OTHER_NODE: Final = b'"alipay_pass_instance_add_response"'
_NOBODYS: Final = hashlib.sha256(b"sandbox").hexdigest()[:32]
"""A serial number that no certificate has."""
_UNDECIPHERED: Final[JsonObject] = {
    "code": "40003",
    "msg": "Insufficient Conditions",
    "sub_code": "isv.decryption-error-unknown",
    "sub_msg": "解密出错, 未知错误",
}

Forgery = Callable[[MainlandDraft, float], WireResponse]
"""From the parts of the answer and the number behind the fault's name."""


def _of(parts: Callable[[MainlandDraft, Part, Part], tuple[Part, ...]]) -> Forgery:
    """Other members, made from the honest node and its signature."""

    def made(draft: MainlandDraft, _number: float) -> WireResponse:
        return framed(draft, *parts(draft, (draft.name, draft.source), sign(draft, draft.source)))

    return made


def _saying(**members: str) -> Forgery:
    """Other words in the node, rightly signed."""
    return lambda draft, _: honest(replace(draft, members={**draft.members, **members}))


def _under(value: bytes) -> Forgery:
    """Another signature."""
    return _of(lambda _draft, node, _sign: (node, (b'"sign"', value)))


def _over(digest: hashes.HashAlgorithm) -> Forgery:
    """A signature over another hash."""
    return _of(lambda draft, node, _sign: (node, sign(draft, node[1], digest)))


def _garbled(garbling: Garbling) -> Forgery:
    return lambda draft, _: honest(draft, draft.closed(garbling(draft.text)))


def _body(body: bytes) -> Forgery:
    return lambda draft, _: unsealed(draft, body)


def _refusal(draft: MainlandDraft) -> bytes:
    return write_json(_REFUSAL).encode(draft.codec)


def _reserialised(draft: MainlandDraft, _node: Part, signature: Part) -> tuple[Part, ...]:
    return (draft.name, json.dumps(draft.members).encode()), signature


def _echo(draft: MainlandDraft, _node: Part, _sign: Part) -> tuple[Part, ...]:
    values = draft.form.values
    return (draft.name, values.get("biz_content", b"null")), (b'"sign"', b'"%b"' % values["sign"])


def _blanks(draft: MainlandDraft, _number: float) -> WireResponse:
    (sign_name, value), source = sign(draft, draft.source), draft.source
    paper = b'%b : "%b" \r\n,\r\n\t' % (CERT_SN, draft.serial.encode()) if draft.serial else b""
    return unsealed(draft, b" {\r\n  %b : %b \r\n,\r\n\t%b%b :\r\n %b\r\n} \r\n" % (draft.name, source, paper, sign_name, value))


def _escaped_slashes(draft: MainlandDraft, _number: float) -> WireResponse:
    source = replace(draft, members={**draft.members, "link": "https://open.alipay.com/api"}).source
    return framed(draft, (draft.name, source.replace(b"/", b"\\/")), sign(draft, source))


def _utf_16(draft: MainlandDraft, _number: float) -> WireResponse:
    """The node's bytes are signed as they stand, which is in UTF-16."""
    wide = replace(draft, codec="utf-16-le")
    _, value = sign(wide, wide.source)
    text = f'{{"{draft.node}":{write_json(draft.members)},"sign":{value.decode()}}}'
    return unsealed(draft, codecs.BOM_UTF16_LE + text.encode(wide.codec))


def _with_bom(draft: MainlandDraft, _number: float) -> WireResponse:
    return unsealed(draft, codecs.BOM_UTF8 + honest(draft).body)


def _encrypted(draft: MainlandDraft, _number: float) -> WireResponse:
    """An encrypted node is text, and signed with its quotes."""
    return honest(draft, b'"%b"' % ciphertext(draft.text))


def _about_another(draft: MainlandDraft, number: float) -> WireResponse:
    return _saying(code="10000", success="true", result=write_json(_OTHER))(draft, number)


def _by_a_stranger(draft: MainlandDraft, _number: float) -> WireResponse:
    """A stranger signs; or, where a certificate is handed out, it is the stranger's, with the real one's serial number."""
    real = draft.members.get("alipay_cert_content")
    if not isinstance(real, str):
        return honest(replace(draft, key=draft.stranger()))
    theirs = base64.b64encode(forged(base64.b64decode(real), draft.stranger())).decode()
    return honest(replace(draft, members={**draft.members, "alipay_cert_content": theirs}))


def _torn(source: bytes) -> bytes:
    """Ciphertext without its last block: what is left is whole blocks, and badly padded."""
    return b'"%b"' % base64.b64encode(base64.b64decode(source.strip(b'"'))[:-BLOCK])


_SIGNATURE: Final[Mapping[str, Forgery]] = {
    "unsigned": _of(lambda _draft, node, _sign: (node,)),
    "bad-signature": lambda draft, _: honest(replace(draft, key=draft.stranger())),
    "empty-signature": _under(b'""'),
    "malformed-signature": _under(b'"not*base64"'),
    "sha1-signature": _over(hashes.SHA1()),  # noqa: S303 - the fault itself
    "md5-signature": _over(hashes.MD5()),  # noqa: S303 - the fault itself
    "signature-twice": _of(lambda draft, node, right: (node, right, sign(replace(draft, key=draft.stranger()), node[1]))),
    "reserialised": _of(_reserialised),
    "replay": lambda draft, number: draft.old or _about_another(draft, number),
    "echo": _of(_echo),
}

_SHAPE: Final[Mapping[str, Forgery]] = {
    "other-node": _of(lambda _draft, node, right: ((_OTHER_NODE, node[1]), right)),
    "node-twice": _of(lambda draft, node, right: (node, (draft.name, _refusal(draft)), right)),
    "error-response-beside": _of(lambda draft, node, right: (node, (b'"error_response"', _refusal(draft)), right)),
    "sign-first": _of(lambda _draft, node, right: (right, node)),
    "escaped-name": _of(lambda draft, node, _sign: (node, sign(draft, node[1], name=rb'"\u0073ign"'))),
    "blanks": _blanks,
    "braces": _saying(extension='}},"sign":"AAAA"}{"\\'),
    "escaped-slashes": _escaped_slashes,
    "cert-sn-before": lambda draft, _: honest(replace(draft, serial=draft.serial or _NOBODYS, place="first")),
    "cert-sn-after": lambda draft, _: honest(replace(draft, serial=draft.serial or _NOBODYS, place="last")),
    "gbk-answer": lambda draft, _: honest(replace(draft, codec="gbk")),
}

_MODES: Final[Mapping[str, Forgery]] = {
    "cert-sn-unknown": lambda draft, _: honest(replace(draft, serial=_NOBODYS)),
    "cert-sn-missing": lambda draft, _: honest(replace(draft, serial="")),
    "stranger-certificate": _by_a_stranger,
    "torn-ciphertext": lambda draft, _: honest(draft, _torn(draft.source)),
    "plain-answer": lambda draft, _: honest(replace(draft, close=None)),
    "plain-error": lambda draft, _: framed(draft, (draft.name, write_json(_UNDECIPHERED).encode(draft.codec))),
}

_CONTENT: Final[Mapping[str, Forgery]] = {
    "duplicate-member": _garbled(twice(b"code")),
    "utf-16": _utf_16,
    "bom": _with_bom,
    "empty-body": _body(b""),
    "null-body": _body(b"null"),
    "encrypted": _encrypted,
    "success-false": _saying(code="10000", success="false"),
    "success-with-sub-code": _saying(code="10000", sub_code="KP.AE_SYSTEM_ERROR"),
    "failure-with-success": _saying(code="40004", sub_code="KP.AE_ALIPASS_NOTEXIST", success="true"),
    "result-not-json": _saying(code="10000", success="true", result="OK"),
    "result-other-pass": _about_another,
}

FORGERIES: Final[Mapping[str, Forgery]] = MappingProxyType(
    {**_SIGNATURE, **_SHAPE, **_MODES, **_CONTENT, **{name: _garbled(garbling) for name, garbling in GARBLINGS.items()}}
)
"""By its name, what each fault makes of an answer."""
