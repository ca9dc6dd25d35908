"""The rows about the APIs beside the two updates: templates, issue, query, notifications, and any other."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from passbridge import CallFailed, Close, Code, Content, PassRef, Redeem, Revise, verify_notify
from tests.backends.support import certificate, pem, sign
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk
from tests.contract.test_hk_life import SPAN, USER, Shop
from tests.contract.test_pass_life import CONTENT, change_model, change_request, filled, issued, made, seen

__all__ = ["APIS", "sdk_request"]

APIS: Final = Chapter()
_MERCHANT: Final = "2312314123123123"


def sdk_request(name: str) -> Any:  # noqa: ANN401 - the kit has no types
    """An empty request of the official kit's, by its class."""
    return getattr(pytest.importorskip(f"alipay.aop.api.request.{name}"), name)()


@APIS.yes(
    "update: `updatePass`, `alipay.pass.instance.update` | both | `client.apply` | call | documented",
    "hk/updatePass mainland/alipay.pass.instance.update",
)
def updates(desk: Desk) -> None:
    desk.applied(Close(to="hk-tickets", pass_=desk.stocked("hk-tickets")))
    desk.applied(Close(to="cn", pass_=desk.stocked("cn")))


@APIS.yes(
    "a template: `createTemplate`, `updateTemplate`, `detail`, `switchStatus` | AlipayHK | `client.call` | call | documented; "
    "refusals inferred",
    "hk/{createTemplate,updateTemplate,detail,switchStatus}",
)
def hk_templates(desk: Desk) -> None:
    shop = Shop(desk, "hk-tickets", _MERCHANT)
    code = shop.template()
    changed = shop.call("template/manage/updateTemplate", templateCode=code, requestId="2", detailLink="https://example.com/more")
    assert changed["result"]["resultCode"] == "SUCCESS"
    assert shop.call("template/manage/switchStatus", templateCode=code, status="paused")["status"] == "paused"
    assert shop.call("template/manage/detail", templateCode=code)["status"] == "paused"


@APIS.yes("issue: `createPass`, one pass for an order | AlipayHK | `client.call` | call | documented", "hk/createPass")
def hk_issue(desk: Desk) -> None:
    shop = Shop(desk, "hk-tickets", _MERCHANT)
    template = shop.template()
    pass_ = PassRef(id=shop.issue(template)["passId"], user_id=USER)
    assert shop.issue(template)["result"]["resultCode"] == "PASS_HAS_EXIT"
    at = datetime.fromtimestamp(SPAN["startDate"] / 1000, UTC)
    desk.applied(Revise(to="hk-tickets", pass_=pass_, kind="pass", content=Content(params={"gate": "1"}), at=at))


@APIS.yes(
    "a template: `alipay.pass.template.add`, `…update` | mainland | `client.execute` | call | documented; the official SDK's model",
    "mainland/alipay.pass.template.{add,update}",
)
def mainland_templates(desk: Desk) -> None:
    model = filled(change_model(), tpl_id=made(desk), tpl_content=json.dumps(CONTENT | {"logo": "http://img.example/new.png"}))
    desk.execute("cn", change_request(model))
    kept: Any = desk.box.templates()
    assert kept[0]["content"]["logo"] == "http://img.example/new.png"


@APIS.yes(
    "issue: `alipay.pass.instance.add` | mainland | `client.execute` | call | documented; the official SDK's model",
    "mainland/alipay.pass.instance.add",
)
def mainland_issue(desk: Desk) -> None:
    assert issued(desk, made(desk)).code == "10000"
    assert desk.applied(Redeem(to="cn", pass_=PassRef(id="life-1")))["state"] == "USED"


@APIS.yes(
    "what became of a pass: `alipay.marketing.pass.instance.query` | mainland | `client.execute` | call | the official SDK's model",
    "mainland/alipay.marketing.pass.instance.query",
)
def query(desk: Desk) -> None:
    issued(desk, made(desk))
    assert seen(desk) == ("CAN_USE", "券标题")
    desk.applied(Close(to="cn", pass_=PassRef(id="life-1")))
    assert seen(desk) == ("CLOSED", "券标题")


@APIS.yes(
    'a doubt is settled by that query | mainland | `resolve = "query"` | off | inferred from the SDK\'s model',
    "MainlandSettings.resolve=query",
)
def resolved(desk: Desk) -> None:
    pass_ = desk.stocked("cn-query")
    desk.applied(Revise(to="cn-query", pass_=pass_, content=Content(params={"t": "t"})))
    desk.box.add_fault({"fault": "lose-answer"})
    outcome = desk.apply(Redeem(to="cn-query", pass_=pass_))
    assert (outcome.code, len(outcome.attempts)) == (Code.APPLIED_PRESUMED, 2)
    assert [request["applied"] for request in desk.box.requests()] == [True, True, False]


@APIS.yes(
    'a doubt is settled by the tables alone | both | `resolve = "resend"` (mainland) | on | inferred',
    "MainlandSettings.resolve=resend",
)
def presumed(desk: Desk) -> None:
    for account, code in (("hk-tickets", Code.APPLIED_PRESUMED), ("cn", Code.NO_ANSWER)):
        desk.box.reset()
        desk.box.add_fault({"fault": "lose-answer"})
        assert desk.apply(Redeem(to=account, pass_=desk.stocked(account))).code is code
    desk.box.reset()
    desk.applied(Close(to="cn", pass_=desk.stocked("cn")))


@APIS.yes(
    "the gateway's certificate: `alipay.open.app.alipaycert.download` | mainland | `cert_download`, or `client.execute` | "
    "off | the official SDKs",
    "mainland/alipay.open.app.alipaycert.download MainlandSettings.cert_download=True",
)
def download(desk: Desk) -> None:
    desk.box.renew_certificate()
    serial = desk.box.certificates()[-1]["alipay_cert_sn"]
    request = sdk_request("AlipayOpenAppAlipaycertDownloadRequest")
    request.biz_content = {"alipay_cert_sn": serial}
    desk.applied(Close(to="cn-fetch", pass_=desk.stocked("cn-fetch")))
    answer = desk.execute("cn-fetch", request)
    assert b"BEGIN CERTIFICATE" in base64.b64decode(answer.alipay_cert_content)


@APIS.yes(
    "any other API of either gateway: signed, verified, sent once | both | `client.execute`, `client.call` | call | the "
    "official SDKs; not simulated",
)
def any_other(desk: Desk) -> None:
    answer = desk.execute("cn", sdk_request("AlipaySystemOauthTokenRequest"))
    assert answer.sub_code == "isv.invalid-method"
    with pytest.raises(CallFailed) as caught:
        desk.call("hk-tickets", "/api/open/alipay/v1/merchant/order/sync", {})
    claim: Any = caught.value.outcome.native
    assert (claim.code, claim.verified) == ("INVALID_API", False)


_NOTIFY: Final = {"app_id": "2014072300007148", "charset": "utf-8", "notify_type": "trade_status_sync", "version": "1.0"}


@APIS.yes("asynchronous notifications are verified | mainland | `verify_notify` | call | documented; the official SDKs")
def notification(_: Desk) -> None:
    text = "&".join(f"{name}={value}" for name, value in sorted(_NOTIFY.items()))
    form = {**_NOTIFY, "sign_type": "RSA2", "sign": base64.b64encode(sign("cn-gateway", text.encode())).decode()}
    trusts: tuple[Mapping[str, Any], ...] = (
        {"gateway_public_key": pem("cn-gateway-public")},
        {"gateway_cert": certificate("gateway").reveal()},
    )
    for trust in trusts:
        assert verify_notify(form, **trust)
        assert not verify_notify(form | {"version": "1.1"}, **trust)
