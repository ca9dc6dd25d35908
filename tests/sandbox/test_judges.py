"""The gateways' makers as judges: their own SDKs sign requests to the sandbox and verify its answers."""

from __future__ import annotations

import base64
import http.client
import json
import logging
import warnings
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.sandbox.conftest import CHANNEL, PATH, SERIAL, TICKET, TIME, USER, Cn, Hk, ask, state
from tests.sandbox.mainland_life import NAMES, PARAMS, RECIPIENT, template

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    client_config = pytest.importorskip("alipay.aop.api.AlipayClientConfig")
    default_client = pytest.importorskip("alipay.aop.api.DefaultAlipayClient")
    update_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassInstanceUpdateModel")
    update_request = pytest.importorskip("alipay.aop.api.request.AlipayPassInstanceUpdateRequest")
    web_utils = pytest.importorskip("alipay.aop.api.util.WebUtils")
    add_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassTemplateAddModel")
    add_request = pytest.importorskip("alipay.aop.api.request.AlipayPassTemplateAddRequest")
    issue_model = pytest.importorskip("alipay.aop.api.domain.AlipayPassInstanceAddModel")
    issue_request = pytest.importorskip("alipay.aop.api.request.AlipayPassInstanceAddRequest")
    query_model = pytest.importorskip("alipay.aop.api.domain.AlipayMarketingPassInstanceQueryModel")
    query_request = pytest.importorskip("alipay.aop.api.request.AlipayMarketingPassInstanceQueryRequest")
    rsa = pytest.importorskip("rsa")
    signature_tool = pytest.importorskip("com.alipay.ams.api.tools.signature_tool")


def pkcs1(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def bare(pem: str) -> str:
    """The one line that the consoles hand out."""
    return "".join(line for line in pem.splitlines() if not line.startswith("-----"))


def mainland_sdk(cn: Cn, monkeypatch: pytest.MonkeyPatch, sign_type: str, charset: str) -> Any:  # noqa: ANN401 - it has no types
    """The official client, whose connections go to the sandbox: by itself it can't speak to another port than 80."""
    host = cn.box.url.removeprefix("http://")

    def connection(url: str, query: str, timeout: float) -> tuple[str, http.client.HTTPConnection]:
        return f"{url}?{query}", http.client.HTTPConnection(host, timeout=timeout)

    monkeypatch.setattr(web_utils, "get_http_connection", connection)
    config = client_config.AlipayClientConfig()
    config.server_url, config.app_id = "http://127.0.0.1/gateway.do", cn.settings["app_id"]
    config.app_private_key = bare(pkcs1(cn.key))
    config.alipay_public_key = bare(cn.settings["gateway_public_key"].decode())
    config.sign_type, config.charset = sign_type, charset
    return default_client.DefaultAlipayClient(config, logging.getLogger("judge"))


@pytest.mark.parametrize("sign_type", ["RSA2", "RSA"])
@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_mainlands_sdk_agrees(cn: Cn, monkeypatch: pytest.MonkeyPatch, sign_type: str, charset: str) -> None:
    model = update_model.AlipayPassInstanceUpdateModel()
    model.serial_number, model.channel_id, model.status = SERIAL, CHANNEL, "USED"
    model.tpl_params, model.verify_code, model.verify_type = '{"title":"券标题"}', "8612231273", "wave"
    sdk = mainland_sdk(cn, monkeypatch, sign_type, charset)
    node = json.loads(sdk.execute(update_request.AlipayPassInstanceUpdateRequest(model)))
    assert (node["code"], json.loads(node["result"])["errorMsg"]) == ("10000", "处理成功")
    assert state(cn.box, SERIAL)["content"] == {"title": "券标题"}
    node = json.loads(sdk.execute(update_request.AlipayPassInstanceUpdateRequest(model)))
    assert node["sub_msg"] == "更新卡券失败"


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_mainlands_sdk_makes_issues_and_finds_a_pass(cn: Cn, monkeypatch: pytest.MonkeyPatch, charset: str) -> None:
    """Each answer is verified by the SDK over the node's own bytes."""
    sdk = mainland_sdk(cn, monkeypatch, "RSA2", charset)
    template_to_add = add_model.AlipayPassTemplateAddModel()
    template_to_add.unique_id, template_to_add.tpl_content = "1", json.dumps(template(), ensure_ascii=False)
    node = json.loads(sdk.execute(add_request.AlipayPassTemplateAddRequest(template_to_add)))
    result = json.loads(node["result"])
    assert (node["code"], result["tpl_params"]) == ("10000", NAMES)
    to_issue = issue_model.AlipayPassInstanceAddModel()
    to_issue.tpl_id, to_issue.recognition_type = result["tpl_id"], "2"
    to_issue.tpl_params, to_issue.recognition_info = json.dumps(PARAMS, ensure_ascii=False), json.dumps(RECIPIENT)
    node = json.loads(sdk.execute(issue_request.AlipayPassInstanceAddRequest(to_issue)))
    number = json.loads(node["result"])["serialNumber"]
    assert state(cn.box, number)["content"]["title"] == "登机牌"
    to_find = query_model.AlipayMarketingPassInstanceQueryModel()
    to_find.serial_number, to_find.page_num, to_find.page_size = number, 1, 20
    node = json.loads(sdk.execute(query_request.AlipayMarketingPassInstanceQueryRequest(to_find)))
    assert [one["logo_text"] for one in node["instance_list"]] == ["登机牌"]


def test_alipayhks_sdk_agrees(hk: Hk) -> None:
    body = json.dumps(hk.body(TICKET, "USED", note="券標題"), ensure_ascii=False)
    signature = signature_tool.sign("POST", PATH, hk.client, TIME, body, pkcs1(hk.key))
    headers = hk.headers(b"") | {"Signature": f"algorithm=RSA256,keyVersion=1,signature={signature}"}
    answer = ask(hk.box.url, "POST", PATH, body.encode(), headers)
    assert answer.json["result"]["resultCode"] == "SUCCESS"
    value = answer.headers["signature"].partition("signature=")[2]
    text = answer.body.decode()
    key = bare(hk.settings["gateway_public_key"].decode())
    assert base64.b64decode(key)
    assert signature_tool.verify("POST", PATH, hk.client, answer.headers["response-time"], text, value, key)
    with pytest.raises(rsa.VerificationError):
        signature_tool.verify("POST", PATH, hk.client, answer.headers["response-time"], text + " ", value, key)


def test_alipayhks_sdk_agrees_about_templates_and_passes(hk: Hk) -> None:
    """It has no class for these calls; its signature tool signs and verifies any."""

    def call(name: str, members: dict[str, Any]) -> dict[str, Any]:
        path = f"/api/open/alipay/v1/ipass/{name}"
        body = json.dumps({"merchantId": hk.settings["merchant_id"], **members}, ensure_ascii=False)
        signature = signature_tool.sign("POST", path, hk.client, TIME, body, pkcs1(hk.key))
        headers = hk.headers(b"") | {"Signature": f"algorithm=RSA256,keyVersion=1,signature={signature}"}
        answer = ask(hk.box.url, "POST", path, body.encode(), headers)
        value = answer.headers["signature"].partition("signature=")[2]
        key = bare(hk.settings["gateway_public_key"].decode())
        assert signature_tool.verify("POST", path, hk.client, answer.headers["response-time"], answer.body.decode(), value, key)
        assert answer.json["result"]["resultCode"] == "SUCCESS"
        document: dict[str, Any] = answer.json
        return document

    span = {"startDate": 1_700_000_000_000, "endDate": 4_000_000_000_000}
    look = {"codeType": "none", "imageUrl": "https://example.com/i.png", "button": {}, "localeInfo": {"zh_HK": {"name": "入場券"}}}
    template = call("template/manage/createTemplate", {"requestId": "1", "type": "TICKET", "product": "PASS", **span, **look})[
        "templateCode"
    ]
    assert call("template/manage/detail", {"templateCode": template})["localeInfo"] == look["localeInfo"]
    order = {"bizSerialId": "order-1", "bizSerialType": "OUT_PLAT_FORM", "bizCreate": 1_700_000_000_000, "userId": USER}
    content = {"$address_zh_HK$": "中環"}
    issue = {"templateCode": template, "type": "TICKET", "product": "PASS", "dataInfo": content, **span, **order}
    pass_id = call("pass/manage/createPass", issue)["passId"]
    call("pass/manage/updatePass", {"userId": USER, "passId": pass_id, "status": "USED"})
    assert (state(hk.box, pass_id)["state"], state(hk.box, pass_id)["content"]) == ("USED", content)
