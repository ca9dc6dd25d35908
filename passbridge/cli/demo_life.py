"""A pass's whole life in both regions: template, issue, revise, redeem, query; and each further way to sign and encrypt.

Owns what is asked, in which order, and what is expected of it. Updates are steps like the demo's others; templates and
issues are calls that updates have no words for: `call` at AlipayHK, `execute` with the official SDK's own request
objects on the mainland.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from passbridge.cli.demo_steps import USER, Step
from passbridge.client import Client

__all__ = ["FURTHER", "Asked", "life"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call and its verified answer.

    Attributes:
        title: what it shows.
        account: whose call it is.
        api: the path, or the method.
        answer: the answer's own members.
        word: what the answer says, in the gateway's word.
        expected: what it should say.
    """

    title: str
    account: str
    api: str
    answer: dict[str, Any]
    word: str
    expected: str


_IPASS: Final = "/api/open/alipay/v1/ipass/"
_SPAN: Final = MappingProxyType({"startDate": 1_700_000_000_000, "endDate": 4_000_000_000_000})
_LOOK: Final = MappingProxyType({"codeType": "none", "imageUrl": "https://example.com/i.png", "button": {}})
_TICKET: Final = MappingProxyType({"type": "TICKET", "product": "PASS"})

_NUMBER, _CHANNEL = "demo-coupon-1", "2088918273"
_CARD: Final = MappingProxyType(
    {
        "logo": "https://example.com/logo.png",
        "content": {
            "evoucherInfo": {"title": "$title$", "einfo": {"logoText": "$title$"}, "endDate": "2099-12-31 23:59:59"},
            "platform": {"channelID": "$channelID$"},
            "fileInfo": {"serialNumber": "$serialNumber$"},
        },
    }
)

FURTHER: Final = MappingProxyType(
    {
        "hk-ecc": "ECC224",
        "hk-encrypted": "RSA_AES",
        "hk-rotating": "before its keys rotate",
        "hk-rotated": "after its keys rotated",
        "cn-cert": "certificates",
        "cn-aes": "AES",
        "cn-agent": "an agent's token",
    }
)
"""The sandbox's further accounts, and what each is for."""


def life(client: Client, config: Mapping[str, Any]) -> Iterator[Step | Asked]:
    """The calls, made when they are reached, and the updates between them, which the caller applies in this order."""
    yield from _ticket(client, config["accounts"]["hk-tickets"]["merchant_id"])
    yield from _coupon(client)
    for account, what in FURTHER.items():
        yield Step(f"{account}, redeem ({what})", _update("redeem", account, f"demo-{account}"), "APPLIED")


def _ticket(client: Client, merchant: str) -> Iterator[Step | Asked]:
    """AlipayHK's: it has no query of a pass, but of a template."""

    def called(title: str, name: str, body: Mapping[str, Any]) -> Asked:
        answer: Any = client.call("hk-tickets", _IPASS + name, {"merchantId": merchant, **body})
        return Asked(f"ticket, {title}", "hk-tickets", _IPASS + name, answer, answer["result"]["resultCode"], "SUCCESS")

    made = called(
        "new template",
        "template/manage/createTemplate",
        {"requestId": "demo-1", "localeInfo": {"zh_HK": {"name": "入場券"}}, **_TICKET, **_SPAN, **_LOOK},
    )
    template = {"templateCode": made.answer["templateCode"]}
    order = {"bizSerialId": "demo-1", "bizSerialType": "OUT_PLAT_FORM", "bizCreate": _SPAN["startDate"], "userId": USER}
    content = {"dataInfo": {"$address_zh_HK$": "中環"}}
    issued = called("issue", "pass/manage/createPass", {**template, **order, **content, **_TICKET, **_SPAN})
    pass_id = issued.answer["passId"]
    yield from (made, issued)
    yield Step(
        "issued ticket, revise", _update("revise", "hk-tickets", pass_id, kind="pass", content={"params": {"gate": "B12"}}), "APPLIED"
    )
    yield Step("issued ticket, redeem", _update("redeem", "hk-tickets", pass_id), "APPLIED")
    yield called("its template, queried", "template/manage/detail", template)


def _coupon(client: Client) -> Iterator[Step | Asked]:
    """The mainland's, until its redeem is in doubt and a query settles it."""

    def executed(title: str, api: str, members: Mapping[str, object], expected: str = "10000") -> Asked:
        answer: Any = client.execute("cn", _request(api, members))
        shown = {name: value for name, value in vars(answer).items() if value is not None}
        passes = [_members(one) for one in getattr(answer, "instance_list", None) or ()]
        word = passes[0]["status"] if passes else answer.code
        return Asked(f"coupon, {title}", "cn", api, _members(shown) | ({"instance_list": passes} if passes else {}), word, expected)

    made = executed("new template", "alipay.pass.template.add", {"unique_id": "demo", "tpl_content": json.dumps({**_CARD})})
    template = json.loads(made.answer["result"])["tpl_id"]
    params = {"title": "券标题", "channelID": _CHANNEL, "serialNumber": _NUMBER}
    holder = {"recognition_type": "2", "recognition_info": json.dumps({"user_id": "2088102146225135", "user_token": "demo"})}
    issue = {"tpl_id": template, "tpl_params": json.dumps(params, ensure_ascii=False), **holder}
    yield from (made, executed("issue", "alipay.pass.instance.add", issue))
    yield Step("issued coupon, revise", _update("revise", "cn", _NUMBER, content={"params": {"title": "新标题"}}), "APPLIED")
    query = "alipay.marketing.pass.instance.query"
    yield executed("queried", query, {"serial_number": _NUMBER}, "CAN_USE")
    lost = _update("redeem", "cn-asking", _NUMBER)
    yield Step("issued coupon, redeem, the answer lost, then queried", lost, "APPLIED_PRESUMED", "lose-answer")
    yield executed("queried again", query, {"serial_number": _NUMBER}, "USED")


def _update(action: str, account: str, pass_id: str, **more: object) -> dict[str, Any]:
    holder = {"user_id": USER} if account.startswith("hk") else {}
    return {"action": action, "to": account, "pass": {"id": pass_id, **holder}, **more}


def _request(api: str, members: Mapping[str, object]) -> object:
    """The official SDK's request object of a method; its classes are named after the methods."""
    name = "".join(part.capitalize() for part in api.split("."))
    model = getattr(import_module(f"alipay.aop.api.domain.{name}Model"), f"{name}Model")()
    for member, value in members.items():
        setattr(model, member, value)
    return getattr(import_module(f"alipay.aop.api.request.{name}Request"), f"{name}Request")(biz_model=model)


def _members(of: object) -> dict[str, Any]:
    """What one of the SDK's objects holds, as JSON can: its attributes stand behind an underscore."""
    held = of if isinstance(of, dict) else vars(of)
    return {name.lstrip("_"): value for name, value in held.items() if isinstance(value, str | bool | int | float)}
