"""What each gateway answers, and how it signs: written from its documents, with nothing of the client's code.

A region knows its configuration, its updates, and how a right answer looks; everything wrong is made from that.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs, quote_plus

from passbridge import Close, Content, PassRef, PassUpdate, Redeem, Refund, Revise
from tests.faults.keys import public_pem, sign

__all__ = ["CN", "HK", "Answer", "Region", "Request", "hk_signed", "hong_kong_time", "signed_node"]

HK_PATH = "/api/open/alipay/v1/ipass/pass/manage/updatePass"
HK_CLIENT = "4Q5Y8W0WSG45P907917"
NODE = "alipay_pass_instance_update_response"
_EAST = timezone(timedelta(hours=8))
_COUNT = itertools.count(1)


@dataclass(frozen=True)
class Request:
    """A request as it came: its head to the byte, without the empty line, and its body."""

    head: bytes
    body: bytes

    @property
    def target(self) -> str:
        """What stands between the method and the version."""
        return self.head.split(b" ", 2)[1].decode("ascii")

    def field(self, name: str) -> str:
        """The value of a header field; empty where there is none."""
        lines = (line.partition(b":") for line in self.head.split(b"\r\n")[1:])
        return next((value.strip().decode("latin-1") for key, _, value in lines if key.decode().lower() == name.lower()), "")

    def member(self, name: str) -> str:
        """A parameter of the mainland's form, in the query or in the body."""
        found = parse_qs(self.target.partition("?")[2]) | parse_qs(self.body.decode("ascii"))
        return found.get(name, [""])[0]


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, to be sent as it is or bent."""

    body: bytes = field(repr=False)
    fields: tuple[str, ...] = ()
    status: str = "HTTP/1.1 200 OK"

    def head(self, *framing: str) -> bytes:
        """Everything before the body, framed like this."""
        return "\r\n".join([self.status, *framing, *self.fields, "", ""]).encode("latin-1")

    def wire(self) -> bytes:
        """The answer, rightly framed."""
        return self.head(f"Content-Length: {len(self.body)}") + self.body

    def chunked(self, *sizes: int, end: bytes = b"0\r\n\r\n") -> bytes:
        """The answer in chunks of these sizes, the last of whatever is left."""
        places = [0, *itertools.accumulate(sizes), len(self.body)]
        parts = [self.body[start:stop] for start, stop in itertools.pairwise(places)]
        return self.head("Transfer-Encoding: chunked") + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + end

    def but(self, *fields: str, **changes: Any) -> Answer:  # noqa: ANN401 - any part
        """The same with other parts, and with more header fields."""
        changed = replace(self, **changes)
        return replace(changed, fields=(*changed.fields, *fields))


@dataclass(frozen=True)
class Region:
    """One gateway, and a merchant's account there.

    Attributes:
        name: `hk` or `cn`.
        account: the settings of the account, for a gateway at this address.
        updates: by action, what makes the update for a pass of this id.
        reply: a right answer to a request, saying this, under this trace id.
        asked: the pass that a request is about.
        codes: what the account's gateway says, by what it means.
        usual: a request to answer where none was read.
    """

    name: str
    account: Callable[[str], dict[str, object]]
    updates: Mapping[str, Callable[[str], PassUpdate]]
    reply: Callable[[Request, str, str], Answer]
    asked: Callable[[Request], str]
    codes: Mapping[str, tuple[str, str]]
    usual: Request

    def config(self, url: str, http: Any = None, **retry: float) -> dict[str, Any]:  # noqa: ANN401 - a table of the configuration
        """A configuration of this one account."""
        return {"accounts": {self.name: self.account(url)}, "retry": retry, "http": http or {}}

    def update(self, action: str, pass_id: str = "2995228480402564890020") -> PassUpdate:  # noqa: S107 - a travel document's number
        """An update of a pass."""
        return self.updates[action](pass_id)

    def answer(self, request: Request, says: str = "success", trace: str = "") -> Answer:
        """A right answer; unless told otherwise, its trace id names the pass that was asked about."""
        return self.reply(request, says, trace or f"{self.asked(request)}/{next(_COUNT)}")


def hong_kong_time(off: float = 0.0) -> str:
    """The time by the gateways' clock, to the millisecond, so many seconds off."""
    return (datetime.now(_EAST) + timedelta(seconds=off)).isoformat(timespec="milliseconds")


def hk_signed(body: bytes, trace: str, time: str = "", target: str = HK_PATH) -> Answer:
    """Any body, signed as AlipayHK signs: `METHOD path LF client-id.time.body`, the value percent-encoded."""
    moment = time or hong_kong_time()
    value = quote_plus(base64.b64encode(sign(f"POST {target}\n{HK_CLIENT}.{moment}.".encode() + body)))
    signature = f"signature: algorithm=RSA256,keyVersion=1,signature={value}"
    kind = "content-type: application/json;charset=UTF-8"
    return Answer(body, (kind, f"client-id: {HK_CLIENT}", f"response-time: {moment}", signature, f"tracerid: {trace}"))


def signed_node(node: str, trace: str) -> Answer:
    """Any node, signed as the mainland signs: its own source text, braces included."""
    signature = base64.b64encode(sign(node.encode())).decode()
    return Answer(f'{{"{NODE}":{node},"sign":"{signature}"}}'.encode(), ("Content-Type: text/html;charset=utf-8", f"trace_id: {trace}"))


_HK_CODES = {
    "success": ("SUCCESS", "S"),
    "already": ("PASS_USED_OCCUPIED", "F"),
    "no pass": ("PASS_HAS_NOT_EXIST", "F"),
    "no holder": ("USER_NOT_EXIST", "F"),
    "unsupported": ("BIZ_NOT_SUPPORT", "F"),
    "bad value": ("PARAM_ILLEGAL", "F"),
    "state": ("PASS_STATUS_ILLEGAL", "F"),
    "denied": ("ACCESS_DENIED", "F"),
    "refused": ("SOMETHING_NEW", "F"),
    "limit": ("REQUEST_TRAFFIC_EXCEED_LIMIT", "F"),
    "unsure": ("UNKNOWN_EXCEPTION", "U"),
    "unmapped": ("SUCCESS", "X"),
    "contradiction": ("SUCCESS", "F"),
}

_CN_CODES = {
    "success": ("10000", ""),
    "no pass": ("40004", "KP.AE_ALIPASS_NOTEXIST"),
    "malformed": ("40004", "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"),
    "missing": ("40004", "KP.AE_ALIPASS_PARAME_IS_NULL"),
    "not gbk": ("40004", "KP.AE_ALIPASS_CHAR_NOT_GBK"),
    "bad value": ("40004", "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"),
    "state": ("40004", "KP.AE_ALIPASS_UPDATE_ERROR"),
    "denied": ("40006", "isv.insufficient-isv-permissions"),
    "refused": ("40004", "SOMETHING_NEW"),
    "limit": ("40005", ""),
    "unsure": ("20000", "isp.unknow-error"),
    "unsure, too": ("40004", "KP.AE_SYSTEM_ERROR"),
    "unmapped": ("55555", ""),
    "contradiction": ("10000", "KP.AE_ALIPASS_NOTEXIST"),
}


def _hk_reply(request: Request, says: str, trace: str) -> Answer:
    code, letter = _HK_CODES[says]
    body = json.dumps({"result": {"resultCode": code, "resultStatus": letter, "resultMessage": "said"}}).encode()
    return hk_signed(body, trace, target=request.target)


def _cn_reply(request: Request, says: str, trace: str) -> Answer:
    code, sub_code = _CN_CODES[says]
    result = json.dumps({"operate": "UPDATE"})
    words = {"code": code, "msg": "said", "sub_code": sub_code, "success": str(says == "success").lower(), "result": result}
    assert request.target
    return signed_node(json.dumps({name: word for name, word in words.items() if word}, ensure_ascii=False), trace)


def _hk_account(url: str) -> dict[str, object]:
    names = {"client_id": HK_CLIENT, "merchant_id": "2312314123123123"}
    return {"backend": "hk", "profile": "ticket", "gateway": url, "gateway_public_key": public_pem("gateway"), **names}


def _cn_account(url: str) -> dict[str, object]:
    names = {"app_id": "2014072300007148", "channel_id": "2088918273"}
    return {"backend": "mainland", "gateway": f"{url}/gateway.do", "gateway_public_key": public_pem("gateway"), **names}


def _whose(pass_id: str) -> PassRef:
    return PassRef(id=pass_id, user_id="2160400000000135")


_CHANGED = Content(params={"gate": "B12"})

HK = Region(
    "hk",
    _hk_account,
    {
        "redeem": lambda pass_id: Redeem(to="hk", pass_=_whose(pass_id)),
        "close": lambda pass_id: Close(to="hk", pass_=_whose(pass_id)),
        "revise": lambda pass_id: Revise(to="hk", pass_=_whose(pass_id), kind="air_ticket", content=_CHANGED),
        "refund": lambda pass_id: Refund(to="hk", pass_=_whose(pass_id)),
    },
    _hk_reply,
    lambda request: str(json.loads(request.body)["passId"]),
    _HK_CODES,
    Request(f"POST {HK_PATH} HTTP/1.1".encode(), b'{"passId":"nobody asked"}'),
)

CN = Region(
    "cn",
    _cn_account,
    {
        "redeem": lambda pass_id: Redeem(to="cn", pass_=PassRef(id=pass_id)),
        "close": lambda pass_id: Close(to="cn", pass_=PassRef(id=pass_id)),
        "revise": lambda pass_id: Revise(to="cn", pass_=PassRef(id=pass_id), content=_CHANGED),
    },
    _cn_reply,
    lambda request: str(json.loads(request.member("biz_content"))["serial_number"]),
    _CN_CODES,
    Request(b"POST /gateway.do HTTP/1.1", b"biz_content=%7B%22serial_number%22%3A%22nobody%20asked%22%7D"),
)
