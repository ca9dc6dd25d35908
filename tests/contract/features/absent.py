"""The rows about what is not there, why, and what is said to whoever tries."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest

from passbridge import CallFailed, Code, ConfigError, Content, InvalidUpdate, Redeem, Revise
from tests.contract.asking import PASSES
from tests.contract.features.apis import sdk_request
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk
from tests.contract.test_pass_life import PARAMS, filled, issue_model, issue_request, made

__all__ = ["ABSENT"]

ABSENT: Final = Chapter()


def _refuses(desk: Desk, account: str, **settings: object) -> None:
    """A configuration that says so can't work, and the member is named."""
    config = {"accounts": {account: desk.accounts[account] | settings}}
    with pytest.raises(ConfigError) as caught, desk.opened(config):
        pass
    assert {problem.path.rsplit(".", 1)[-1] for problem in caught.value.problems} == set(settings)


@ABSENT.no("`SM2` signatures | mainland | of the official SDKs only Java's has it | the official Java SDK")
def sm2(desk: Desk) -> None:
    _refuses(desk, "cn", sign_type="SM2")


@ABSENT.no("`SM4` encryption | mainland | of the official SDKs only Java's has it | the official Java SDK")
def sm4(desk: Desk) -> None:
    _refuses(desk, "cn-aes", encrypt_type="SM4")


@ABSENT.no("`charset` `gb2312` | mainland | `gbk` holds all of it, and more | documented")
def gb2312(desk: Desk) -> None:
    _refuses(desk, "cn", charset="gb2312")


@ABSENT.no("answers in XML: `format` | mainland | the page: JSON alone | documented")
def xml(desk: Desk) -> None:
    request = sdk_request("AlipaySystemOauthTokenRequest")
    request.udf_params = {"format": "XML"}
    with pytest.raises(InvalidUpdate):
        desk.execute("cn", request)


@ABSENT.no("files in a request | mainland | no API of a pass has them | the official SDK's request classes")
def files(desk: Desk) -> None:
    request = sdk_request("AlipayOfflineMaterialImageUploadRequest")
    request.image_content = pytest.importorskip("alipay.aop.api.FileItem").FileItem("a.png", b"png")
    with pytest.raises(InvalidUpdate):
        desk.execute("cn", request)
    assert desk.box.requests() == []


@ABSENT.no("the recipient by an order: `recognition_type` 1 | mainland | withdrawn; the gateway refuses it | documented, and observed")
def by_order(desk: Desk) -> None:
    order = '{"partner_id":"2088918273","out_trade_no":"1"}'
    model = filled(issue_model(), tpl_id=made(desk), tpl_params=json.dumps(PARAMS), recognition_type="1", recognition_info=order)
    assert desk.execute("cn", issue_request(model)).sub_code == "KP.AE_ALIPASS_APPID_NOSUPPORT"


@ABSENT.no(
    "the older pass APIs: `alipay.pass.tpl.…`, `alipay.pass.code.…` | mainland | `client.execute` sends them; not simulated "
    "| the official SDK",
)
def older_apis(desk: Desk) -> None:
    assert desk.execute("cn", sdk_request("AlipayPassTplAddRequest")).sub_code == "isv.invalid-method"


@ABSENT.no("the v3 gateway (REST) | mainland | another protocol | documented")
def rest(desk: Desk) -> None:
    with pytest.raises(InvalidUpdate):
        desk.call("cn", "/v3/alipay/pass/instance/update", {})


ABSENT.unseen("revoked certificates (CRL, OCSP) | mainland | the gateway's pages name no list to ask | the official SDKs ask none")


@ABSENT.no("a call for another: `Agent-Token` | AlipayHK | named on one page about another API | documented elsewhere")
def agent_token(desk: Desk) -> None:
    _refuses(desk, "hk-tickets", agent_token="1")  # noqa: S106 - it opens nothing


@ABSENT.no(
    "`UPDATE_TEMPLATE`, `UPDATE_DATA_INFO` of the gift card page | AlipayHK | not on the four pages; an overlay can add a "
    "`kind` | documented elsewhere",
)
def gift_kinds(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets"):
        with pytest.raises(InvalidUpdate) as caught:
            desk.apply(Revise(to=account, pass_=PASSES[account], kind="data_info", content=Content(params={"t": "t"})))
        assert [problem.path for problem in caught.value.problems] == ["kind"]
    file = desk.folder / "overlay.toml"
    file.write_text('schema = 1\n[hk.ticket.kinds]\ndata_info = "UPDATE_DATA_INFO"\n', encoding="utf-8")
    with desk.opened({"accounts": {"hk-tickets": desk.accounts["hk-tickets"]}, "mappings": {"overlays": [str(file)]}}) as other:
        update = Revise(to="hk-tickets", pass_=PASSES["hk-tickets"], kind="data_info", content=Content(params={"t": "t"}))
        assert other.body(update)["updateDetailType"] == "UPDATE_DATA_INFO"


@ABSENT.no("a pass's state can be asked for | AlipayHK | no such API is published; `resolve` is the mainland's | none found")
def hk_query(desk: Desk) -> None:
    _refuses(desk, "hk-tickets", resolve="query")


@ABSENT.no(
    "answers that come later: letter `A`, asynchronous APIs | AlipayHK | no API of a pass has them; an unknown letter is "
    "`UNMAPPED` | documented elsewhere",
)
def later(desk: Desk) -> None:
    desk.box.add_fault({"fault": "unknown-letter"})
    outcome = desk.apply(Redeem(to="hk-tickets", pass_=PASSES["hk-tickets"]))
    assert (outcome.code, outcome.certain) == (Code.UNMAPPED, False)


@ABSENT.no("order sync, performance notification | AlipayHK | `client.call` sends them; not simulated | documented elsewhere")
def orders(desk: Desk) -> None:
    for path in ("/api/open/alipay/v1/merchant/order/sync", "/api/open/alipay/intl/promotion/order/contractCardSync"):
        with pytest.raises(CallFailed) as caught:
            desk.call("hk-tickets", path, {})
        native: Any = caught.value.outcome.native
        assert native.code == "INVALID_API"


ABSENT.unseen("notifications and the merchant's own SPI | AlipayHK | none about a pass is published | none found")
ABSENT.unseen(
    "typed contents of air, train and membership | AlipayHK | their fields are on no page we have; `content.params` takes any | none found",
)
ABSENT.unseen('the older envelope, `{"request": {"head", "body"}}` | AlipayHK | another protocol, without passes | documented elsewhere')
