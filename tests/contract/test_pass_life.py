"""A mainland pass's whole life through both clients: template, issue, revise, redeem, query, close."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from passbridge import Close, Code, Content, PassRef, Redeem, Revise
from passbridge.sandbox import Sandbox
from tests.contract.asking import Ask

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    template_request = pytest.importorskip("alipay.aop.api.request.AlipayPassTemplateAddRequest").AlipayPassTemplateAddRequest
    change_request = pytest.importorskip("alipay.aop.api.request.AlipayPassTemplateUpdateRequest").AlipayPassTemplateUpdateRequest
    issue_request = pytest.importorskip("alipay.aop.api.request.AlipayPassInstanceAddRequest").AlipayPassInstanceAddRequest
    query_module = pytest.importorskip("alipay.aop.api.request.AlipayMarketingPassInstanceQueryRequest")
    template_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassTemplateAddModel").AlipayPassTemplateAddModel
    change_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassTemplateUpdateModel").AlipayPassTemplateUpdateModel
    issue_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassInstanceAddModel").AlipayPassInstanceAddModel
    query_model = pytest.importorskip("alipay.aop.api.domain.AlipayMarketingPassInstanceQueryModel").AlipayMarketingPassInstanceQueryModel

CONTENT = {
    "logo": "http://img.example/logo.png",
    "content": {
        "evoucherInfo": {"title": "$title$", "einfo": {"logoText": "$title$"}, "endDate": "2099-12-31 23:59:59"},
        "platform": {"channelID": "$channelID$"},
        "fileInfo": {"serialNumber": "$serialNumber$"},
    },
}
PARAMS = {"title": "券标题", "channelID": "2088918273", "serialNumber": "life-1"}


def filled(model: Any, **members: object) -> Any:  # noqa: ANN401 - the kit has no types
    for name, value in members.items():
        setattr(model, name, value)
    return model


def made(ask: Ask) -> str:
    model = filled(template_model(), unique_id="life", tpl_content=json.dumps(CONTENT))
    result = json.loads(ask.execute("cn", template_request(model)).result)
    assert result["tpl_params"] == ["title", "channelID", "serialNumber"]
    identity: str = result["tpl_id"]
    return identity


def issued(ask: Ask, tpl_id: str, **changes: str) -> Any:  # noqa: ANN401 - the kit has no types
    """The kit's response: a verified refusal is an answer, too."""
    model = filled(
        issue_model(),
        tpl_id=tpl_id,
        tpl_params=json.dumps(PARAMS | changes, ensure_ascii=False),
        recognition_type="2",
        recognition_info='{"user_id":"2088102146225135","user_token":"1"}',
    )
    return ask.execute("cn", issue_request(model))


def seen(ask: Ask) -> tuple[str, str]:
    """The status and the title that a query shows."""
    model = filled(query_model(), serial_number="life-1")
    (found,) = ask.execute("cn", query_module.AlipayMarketingPassInstanceQueryRequest(model)).instance_list
    return found.status, found.logo_text


@pytest.mark.usefixtures("box")
def test_a_pass_lives_from_its_template_to_its_end(ask: Ask) -> None:
    pass_ = PassRef(id="life-1")
    answer = issued(ask, made(ask))
    assert (answer.code, answer.success, json.loads(answer.result)["serialNumber"]) == ("10000", "true", "life-1")
    assert seen(ask) == ("CAN_USE", "券标题")
    assert ask.apply(Revise(to="cn", pass_=pass_, content=Content(params={"title": "新标题"}))).code is Code.APPLIED
    assert seen(ask) == ("CAN_USE", "新标题")
    assert ask.apply(Redeem(to="cn", pass_=pass_)).code is Code.APPLIED
    assert seen(ask) == ("USED", "新标题")
    assert ask.apply(Close(to="cn", pass_=pass_)).code is Code.APPLIED
    assert seen(ask) == ("CLOSED", "新标题")


def test_a_changed_template_is_for_later_passes(ask: Ask, box: Sandbox) -> None:
    tpl_id = made(ask)
    issued(ask, tpl_id)
    longer = json.loads(json.dumps(CONTENT))
    longer["content"]["evoucherInfo"]["product"] = "$product$"
    ask.execute("cn", change_request(filled(change_model(), tpl_id=tpl_id, tpl_content=json.dumps(longer))))
    assert box.templates()[0]["content"] == longer
    refused = issued(ask, tpl_id, serialNumber="life-2")
    assert (refused.sub_code, refused.sub_msg) == ("KP.AE_ALIPASS_PARAME_IS_NULL", "缺失必要属性product为空")
    assert issued(ask, tpl_id, serialNumber="life-2", product="air").sub_code is None
    assert "life-2" in {one["id"] for one in box.passes()}


def test_a_refused_issue_leaves_nothing(ask: Ask, box: Sandbox) -> None:
    tpl_id = made(ask)
    refused = issued(ask, tpl_id, channelID="2088000000000000")
    assert (refused.code, refused.sub_code, refused.sub_msg) == ("40004", "KP.AE_ALIPASS_APPID_NOSUPPORT", "该AppId不支持")
    assert "life-1" not in {one["id"] for one in box.passes()}
