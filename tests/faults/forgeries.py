"""Answers that are not the gateway's to this request, as a table: what is sent, and the finding that must name it.

Each row makes the bytes from the request as it came. `None` as finding: the answer is right, only oddly written.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from cryptography.hazmat.primitives import hashes

from tests.faults.keys import sign
from tests.faults.regions import HK_CLIENT, NODE, Answer, Request, hong_kong_time

__all__ = ["CN_FORGERIES", "HK_FORGERIES", "Forgery"]


@dataclass(frozen=True)
class Forgery:
    """One answer.

    Attributes:
        name: what is wrong with it.
        make: the answer to a request.
        finding: the code of the finding; None where the answer is to be believed.
    """

    name: str
    make: Callable[[Request], Answer]
    finding: str | None

    def __str__(self) -> str:
        return self.name


BODY = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'


def _signature(text: bytes, key: str = "gateway", digest: hashes.HashAlgorithm | None = None) -> str:
    return base64.b64encode(sign(text, key, digest)).decode()


def _field(signature: str, algorithm: str = "RSA256", version: str = "1") -> str:
    return f"algorithm={algorithm},keyVersion={version},signature={quote(signature, safe='')}"


def _hk(  # noqa: PLR0913 - every part of what is signed
    name: str,
    finding: str | None,
    *,
    field: Callable[[str], str | None] = _field,
    method: str = "POST",
    path: Callable[[str], str] = str,
    client: str = HK_CLIENT,
    signed_time: Callable[[str], str] = str,
    signed: bytes = BODY,
    sent: bytes = BODY,
    key: str = "gateway",
    digest: hashes.HashAlgorithm | None = None,
    off: float = 0.0,
    more: tuple[str, ...] = (),
) -> Forgery:
    def make(request: Request) -> Answer:
        time = hong_kong_time(off)
        text = f"{method} {path(request.target)}\n{client}.{signed_time(time)}.".encode() + signed
        value = field(_signature(text, key, digest))
        fields = [f"Response-Time: {time}", *([] if value is None else [f"Signature: {value}"])]
        return Answer(sent, (*fields, *(one.format(value=value, time=time) for one in more)))

    return Forgery(name, make, finding)


def _echo(request: Request) -> Answer:
    """Our own request, sent back with its own signature."""
    return Answer(request.body, (f"Signature: {request.field('Signature')}", f"Response-Time: {request.field('Request-Time')}"))


def _echo_around_a_success(request: Request) -> Answer:
    return Answer(BODY, (f"Signature: {request.field('Signature')}", f"Response-Time: {request.field('Request-Time')}"))


def _untimed(request: Request) -> Answer:
    return Answer(BODY, (f"Signature: {_field(_signature(f'POST {request.target}'.encode() + BODY))}",))


_COMPACT = json.dumps(json.loads(BODY), indent=1).encode()

HK_FORGERIES = [
    _hk("the right answer", None),
    _hk("base64 without percent-encoding", None, field=lambda text: f"algorithm=RSA256,keyVersion=1,signature={text}"),
    _hk("blanks after the commas", None, field=lambda text: _field(text).replace(",", ", ")),
    _hk("an older name of the algorithm", None, field=lambda text: _field(text, "sha256withrsa")),
    _hk("no keyVersion", None, field=lambda text: _field(text).replace("keyVersion=1,", "")),
    _hk("no Signature field", "SIG-MISSING", field=lambda _: None),
    _hk("an empty Signature field", "SIG-MISSING", field=lambda _: ""),
    Forgery("no Response-Time", _untimed, "SIG-MISSING"),
    _hk("the Signature field twice, alike", "SIG-TWICE", more=("Signature: {value}",)),
    _hk("another Signature field besides", "SIG-TWICE", more=("SIGNATURE: algorithm=RSA256,keyVersion=1,signature=AAAA",)),
    _hk("Response-Time twice, alike", "SIG-TWICE", more=("Response-Time: {time}",)),
    _hk("a signature that is no base64", "SIG-MALFORMED", field=lambda _: _field("&&&&")),
    _hk("a signature of no bytes", "SIG-MALFORMED", field=lambda _: _field("")),
    _hk("a signature encoded twice", "SIG-MALFORMED", field=lambda text: _field(quote(text, safe=""))),
    _hk("base64 of the URL alphabet", "SIG-MALFORMED", field=lambda text: _field("-_" + text[2:])),
    _hk("one part twice", "SIG-MALFORMED", field=lambda text: f"{_field(text)},signature={quote(text, safe='')}"),
    _hk("a signature cut short", "SIG-MISMATCH", field=lambda text: _field(text[:-4])),
    _hk("a signature of zeros", "SIG-MISMATCH", field=lambda _: _field(base64.b64encode(bytes(256)).decode())),
    _hk("ECC224 announced", "SIG-ALGORITHM", field=lambda text: _field(text, "ECC224")),
    _hk("SHA-1 announced and used", "SIG-ALGORITHM", field=lambda text: _field(text, "sha1withrsa"), digest=hashes.SHA1()),  # noqa: S303
    _hk("no algorithm at all announced", "SIG-ALGORITHM", field=lambda text: _field(text, "none")),
    _hk("SHA-1 used", "SIG-MISMATCH", digest=hashes.SHA1()),  # noqa: S303 - a downgrade
    _hk("MD5 used", "SIG-MISMATCH", digest=hashes.MD5()),  # noqa: S303 - a downgrade
    _hk("SHA-512 used", "SIG-MISMATCH", digest=hashes.SHA512()),
    _hk("a stranger's key", "SIG-MISMATCH", key="stranger"),
    _hk("our own key", "SIG-MISMATCH", key="ours"),
    _hk("another path", "SIG-MISMATCH", path=lambda text: text.replace("updatePass", "createPass")),
    _hk("another client id", "SIG-MISMATCH", client="5Y4Q8W0WSG45P907917"),
    _hk("another method", "SIG-MISMATCH", method="GET"),
    _hk("another time", "SIG-MISMATCH", signed_time=lambda _: hong_kong_time(-1)),
    _hk("re-serialised", "SIG-MISMATCH", sent=_COMPACT),
    _hk("a line end added", "SIG-MISMATCH", sent=BODY + b"\n"),
    _hk("a refusal made a success", "SIG-MISMATCH", signed=BODY.replace(b"SUCCESS", b"PASS_UPDATE_FAIL")),
    Forgery("our own request sent back", _echo, "SIG-MISMATCH"),
    Forgery("our own signature around a success", _echo_around_a_success, "SIG-MISMATCH"),
    _hk("an old answer played again", "SIG-STALE", off=-86400),
    _hk("an answer of tomorrow", "SIG-STALE", off=86400),
]


def _node(pass_id: str, **more: str) -> str:
    result = json.dumps({"serialNumber": pass_id, "operate": "UPDATE"})
    return json.dumps({"code": "10000", "msg": "Success", "success": "true", "result": result, **more})


def _serial(request: Request) -> str:
    return str(json.loads(request.member("biz_content"))["serial_number"])


def _cn(name: str, finding: str | None, text: Callable[[str, str], str], **signing: object) -> Forgery:
    """An answer written from the node and its signature; `over` changes what is signed."""
    over: object = signing.pop("over", None)

    def make(request: Request) -> Answer:
        node = _node(_serial(request))
        signed = over(node) if callable(over) else node
        return Answer(text(node, _signature(str(signed).encode(), **signing)).encode())  # type: ignore[arg-type]

    return Forgery(name, make, finding)


def _usual(node: str, signature: str) -> str:
    return f'{{"{NODE}":{node},"sign":"{signature}"}}'


def _echoed(request: Request) -> Answer:
    """Our own parameters and signature, sent back as if they were the node's."""
    return Answer(_usual(_node(_serial(request)), request.member("sign")).encode())


def _escaped(node: str, signature: str) -> str:
    return _usual(node, signature.replace("/", "\\/"))


CN_FORGERIES = [
    _cn("the right answer", None, _usual),
    _cn("sign first", None, lambda node, signature: f'{{"sign":"{signature}","{NODE}":{node}}}'),
    _cn("slashes escaped in sign", None, _escaped),
    _cn("another member between", None, lambda node, signature: f'{{"{NODE}":{node},"alipay_cert_sn":"75","sign":"{signature}"}}'),
    _cn("no sign", "SIG-MISSING", lambda node, _: f'{{"{NODE}":{node}}}'),
    _cn("an empty sign", "SIG-MISSING", lambda node, _: _usual(node, "")),
    _cn("sign in another case", "SIG-MISSING", lambda node, signature: f'{{"{NODE}":{node},"SIGN":"{signature}"}}'),
    _cn("sign that is no text", "SIG-MALFORMED", lambda node, _: f'{{"{NODE}":{node},"sign":7}}'),
    _cn("sign that is no base64", "SIG-MALFORMED", lambda node, _: _usual(node, "&&&&")),
    _cn("sign percent-encoded", "SIG-MALFORMED", lambda node, signature: _usual(node, quote(signature, safe=""))),
    _cn("sign twice", "SIG-UNREADABLE", lambda node, signature: f'{{"{NODE}":{node},"sign":"AAAA","sign":"{signature}"}}'),
    _cn("the node twice", "SIG-UNREADABLE", lambda node, signature: f'{{"{NODE}":{{}},"{NODE}":{node},"sign":"{signature}"}}'),
    _cn("another node", "SIG-OTHER-NODE", lambda node, signature: f'{{"alipay_trade_query_response":{node},"sign":"{signature}"}}'),
    _cn("two nodes", "SIG-TWO-NODES", lambda node, signature: f'{{"{NODE}":{node},"error_response":{node},"sign":"{signature}"}}'),
    _cn("sign cut short", "SIG-MISMATCH", lambda node, signature: _usual(node, signature[:-4])),
    _cn("SHA-1", "SIG-MISMATCH", _usual, digest=hashes.SHA1()),  # noqa: S303 - a downgrade
    _cn("MD5", "SIG-MISMATCH", _usual, digest=hashes.MD5()),  # noqa: S303 - a downgrade
    _cn("a stranger's key", "SIG-MISMATCH", _usual, key="stranger"),
    _cn("our own key", "SIG-MISMATCH", _usual, key="ours"),
    _cn("the whole answer signed", "SIG-MISMATCH", _usual, over=lambda node: f'{{"{NODE}":{node}}}'),
    _cn("re-serialised", "SIG-MISMATCH", lambda node, signature: _usual(json.dumps(json.loads(node), indent=1), signature)),
    _cn("another answer's sign", "SIG-MISMATCH", _usual, over=lambda _: _node("7")),
    Forgery("our own signature sent back", _echoed, "SIG-MISMATCH"),
]
