"""A request to the mainland's gateway: query and body, read as one and checked up to the signature.

Owns the reading of parameters as bytes, the checks up to the signature's, their order, and the text a request signs,
written from the gateway's own documents (seed 003, its signature page, its common error codes) and from replies seen
on its wire. It must not know the client's own reading of them.
"""

from __future__ import annotations

import base64
import binascii
import html
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from passbridge.protocol.keys import public_key
from passbridge.protocol.signing import ALGORITHMS, rsa_verify
from passbridge.protocol.wire import WireRequest
from passbridge.sandbox.mainland_frame import moment
from passbridge.sandbox.papers import certificate, serial_number
from passbridge.sandbox.world import World

__all__ = ["Form", "Wrong", "form_of", "refused"]

_CODECS: Final = MappingProxyType({"utf-8": "utf-8", "gbk": "gbk", "gb2312": "gbk"})
"""Python's codec for a charset (the page names these three; GBK holds all of GB2312)."""

_SIGN_TYPES: Final = frozenset({"RSA2", "RSA", "SM2", "HMAC_SHA1"})
_WRONG_CHARSET: Final = "验签出错，请确认charset参数放在了URL查询字符串中且各参数值使用charset参数指示的字符集编码"  # noqa: RUF001 - the gateway's text
_BUILT: Final = "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，网关生成的验签字符串为："  # noqa: RUF001 - the gateway's text


@dataclass(frozen=True, slots=True)
class Form:
    """Query and body, read as one.

    Attributes:
        values: every parameter's bytes, percent-decoded.
        in_query: the names that stand in the query.
        twice: a name that came twice, if any did.
    """

    values: Mapping[str, bytes]
    in_query: frozenset[str]
    twice: str

    def plain(self, name: str) -> str:
        """A public parameter, which is ASCII."""
        return self.values.get(name, b"").decode("ascii", "replace")

    @property
    def charset(self) -> str:
        """The charset asked for, in lower case."""
        return self.plain("charset").lower()

    @property
    def codec(self) -> str:
        """Python's codec for it; UTF-8 where it is unknown or missing: only ASCII gets further then."""
        return _CODECS.get(self.charset, "utf-8")

    @property
    def signed(self) -> bytes:
        """What is signed: every parameter but `sign` that isn't empty, by name, as bytes in the request's charset."""
        pairs = sorted((name.encode("latin-1"), value) for name, value in self.values.items() if name != "sign" and value)
        return b"&".join(name + b"=" + value for name, value in pairs)

    @property
    def undecodable(self) -> bool:
        """Whether the values aren't in the charset they are said to be in."""
        try:
            self.signed.decode(self.codec)
        except UnicodeDecodeError:
            return True
        return False


def form_of(request: WireRequest) -> Form:
    """Read query and body; nothing is believed yet."""
    query = list(_pairs(request.url.partition("?")[2].encode("latin-1", "replace")))
    pairs = [*query, *_pairs(request.body)]
    times = Counter(name for name, _ in pairs)
    twice = next((name for name, count in times.items() if count > 1), "")
    return Form(dict(pairs), frozenset(name for name, _ in query), twice)


def _pairs(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """Form encoding, taken apart as bytes: the charset is one of the parameters."""
    for part in filter(None, raw.split(b"&")):
        name, _, value = part.replace(b"+", b" ").partition(b"=")
        yield unquote_to_bytes(name).decode("latin-1"), unquote_to_bytes(value)


class Wrong(NamedTuple):
    """Why a request got no further: the sub code, the reason in the log, the text where it isn't the documented one."""

    sub_code: str
    why: str
    text: str = ""


def _once(form: Form, _world: World) -> Wrong | None:
    return Wrong("isv.invalid-parameter", f"{form.twice[:64]!r} came twice") if form.twice else None


def _method(form: Form, _world: World) -> Wrong | None:
    return None if form.values.get("method") else Wrong("isv.missing-method", "there is no method")


def _app(form: Form, world: World) -> Wrong | None:
    if not form.values.get("app_id"):
        return Wrong("isv.missing-app-id", "there is no app id")
    known = world.store.app_keys("mainland", form.plain("app_id")) is not None
    return None if known else Wrong("isv.invalid-app-id", "the app id is unknown")


def _key(form: Form, world: World) -> Wrong | None:
    """Only for a sign type the gateway knows: another is found out later."""
    if form.plain("sign_type") not in _SIGN_TYPES or _registered(form, world):
        return None
    return Wrong("isv.missing-signature-config", "the app has no public key for this sign type")


def _sign(form: Form, _world: World) -> Wrong | None:
    return None if form.values.get("sign") else Wrong("isv.missing-signature", "there is no sign")


def _sign_type(form: Form, _world: World) -> Wrong | None:
    if not form.values.get("sign_type"):
        return Wrong("isv.missing-signature-type", "there is no sign type")
    return None if form.plain("sign_type") in _SIGN_TYPES else Wrong("isv.invalid-signature-type", "the sign type is unknown")


def _charset(form: Form, _world: World) -> Wrong | None:
    return None if form.charset in {"", *_CODECS} else Wrong("isv.invalid-charset", "the charset is unknown")


def _timestamp(form: Form, _world: World) -> Wrong | None:
    if not form.values.get("timestamp"):
        return Wrong("isv.missing-timestamp", "there is no timestamp")
    return None if moment(form.plain("timestamp")) else Wrong("isv.invalid-timestamp", "the timestamp is not yyyy-MM-dd HH:mm:ss")


def _format(form: Form, _world: World) -> Wrong | None:
    return None if form.plain("format").lower() in {"", "json"} else Wrong("isv.invalid-format", "the format is not JSON")


def _version(form: Form, _world: World) -> Wrong | None:
    if not form.values.get("version"):
        return Wrong("isv.missing-version", "there is no version")
    return None if form.plain("version") == "1.0" else Wrong("isv.invalid-parameter", "the version is not 1.0")


def _encoding(form: Form, _world: World) -> Wrong | None:
    """The charset must stand in the query as soon as a value isn't ASCII, and be the values' own."""
    if ("charset" in form.in_query or form.signed.isascii()) and not form.undecodable:
        return None
    return Wrong("isv.invalid-signature", "the charset is not in the query, or not that of the values", _WRONG_CHARSET)


def _signature(form: Form, world: World) -> Wrong | None:
    key = _registered(form, world)
    if key and rsa_verify(_public(key), ALGORITHMS[form.plain("sign_type")], form.signed, _decoded(form.values["sign"])):
        return None
    built = html.escape(form.signed.decode(form.codec), quote=False).replace('"', "&quot;")
    return Wrong("isv.invalid-signature", "the signature does not match", _BUILT + built)


def _registered(form: Form, world: World) -> bytes | None:
    """The app's public key for the request's sign type."""
    return (world.store.app_keys("mainland", form.plain("app_id")) or {}).get(form.plain("sign_type"))


_public = lru_cache(public_key)


def _decoded(value: bytes) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        return b""


def _papers(form: Form, world: World) -> Wrong | None:
    """In certificate mode: which certificate the signature is of, and which roots the merchant goes by."""
    own = (world.store.app_keys("mainland", form.plain("app_id")) or {}).get("CERT")
    if own is None:
        return None
    paper = certificate(own)
    told = (("app_cert_sn", serial_number(paper), _APP_PAPERS), ("alipay_root_cert_sn", world.papers.roots_serial, _ROOT_PAPERS))
    for name, serial, (missing, wrong) in told:
        if not form.values.get(name):
            return Wrong(missing, f"there is no {name}")
        if form.plain(name) != serial:
            return Wrong(wrong, f"the {name} is unknown")
    return Wrong("isv.app-cert-expired", "the app's certificate has expired") if paper.not_valid_after_utc < world.now() else None


_APP_PAPERS: Final = ("isv.missing-app-cert-sn", "isv.app-cert-not-exist")
_ROOT_PAPERS: Final = ("isv.missing-alipay-root-cert-sn", "isv.invalid-alipay-root-cert-sn")

_Check = Callable[[Form, World], Wrong | None]
_EARLY: Final[tuple[_Check, ...]] = (_once, _method, _app, _key, _sign, _sign_type, _charset)
_FORMAT: Final[tuple[_Check, ...]] = (_timestamp, _format, _version)
_PROOF: Final[tuple[_Check, ...]] = (_encoding, _papers, _signature)
_ORDERS: Final[Mapping[str, tuple[_Check, ...]]] = MappingProxyType(
    {"format-first": (*_EARLY, *_FORMAT, *_PROOF), "signature-first": (*_EARLY, *_PROOF, *_FORMAT)}
)


def refused(form: Form, world: World) -> tuple[Wrong, bool] | None:
    """The first check that fails, and whether its refusal is signed; nothing, if the signature is right.

    From the signature's own refusal on, answers are signed; before it, the documents don't say.
    """
    order = _ORDERS[world.guesses["mainland.check_order"]]
    for place, check in enumerate(order):
        wrong = check(form, world)
        if wrong:
            return wrong, place >= order.index(_encoding) or world.guesses["mainland.format_errors"] == "signed"
    return None
