from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import CHANNEL, SERIAL, Answer, Cn, ask, encoded, last, private, raw_node, state

USED = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}
CHINESE = {**USED, "tpl_params": '{"title":"券标题"}'}
RESULT = '{"serialNumber":"209919213","passId":"698496810724","operate":"UPDATE","errorCode":"SUCCESS","errorMsg":"处理成功"}'


def test_the_answer_is_the_samples(cn: Cn) -> None:
    answer = cn.send(CHINESE)
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html;charset=utf-8"
    assert answer.headers["trace_id"]
    assert list(answer.json) == ["alipay_pass_instance_update_response", "sign"]
    assert cn.node(answer) == {"msg": "Success", "code": "10000", "success": "true", "result": RESULT}
    assert state(cn.box, SERIAL)["content"] == {"title": "券标题"}


def test_the_text_that_is_signed_is_written_out(cn: Cn) -> None:
    text = (
        'app_id=2021000000000001&biz_content={"serial_number":"209919213","channel_id":"2088918273","status":"USED",'
        '"tpl_params":"{\\"title\\":\\"券标题\\"}"}&charset=utf-8&format=JSON&method=alipay.pass.instance.update'
        "&sign_type=RSA2&timestamp=2014-07-24 03:07:50&version=1.0"
    )
    params = dict(pair.split("=", 1) for pair in text.split("&"))
    signature = cn.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    params["sign"] = base64.b64encode(signature).decode()
    assert cn.node(cn.post(params))["code"] == "10000"


def refused(answer: Answer, code: str, sub_code: str, node: str = "alipay_pass_instance_update_response") -> None:
    assert answer.status == 200
    assert list(answer.json) == [node]
    assert (answer.json[node]["code"], answer.json[node]["sub_code"]) == (code, sub_code)
    assert not {"success", "result"} & answer.json[node].keys()


def test_everything_before_the_signature_in_its_order(cn: Cn) -> None:
    params = cn.params(USED, sign_type=..., version="2.0", timestamp="now", app_id="nobody", format="xml", charset="utf-16")
    refused(cn.post(params | {"method": ""}), "40001", "isv.missing-method", "error_response")
    refused(cn.post(params | {"app_id": ""}), "40001", "isv.missing-app-id")
    refused(cn.post(params), "40002", "isv.invalid-app-id")
    params["app_id"] = "2014072300007148"
    refused(cn.post(params | {"sign_type": "RSA2"}), "40003", "isv.missing-signature-config")
    params["app_id"] = cn.settings["app_id"]
    refused(cn.post(params | {"sign_type": "SM2"}), "40003", "isv.missing-signature-config")
    refused(cn.post(params), "40001", "isv.missing-signature", "error_response")
    params["sign"] = "AAAA"
    refused(cn.post(params), "40001", "isv.missing-signature-type")
    refused(cn.post(params | {"sign_type": "RSA3"}), "40002", "isv.invalid-signature-type")
    params["sign_type"] = "RSA2"
    refused(cn.post(params), "40002", "isv.invalid-charset")
    params["charset"] = "utf-8"
    refused(cn.post(params), "40002", "isv.invalid-timestamp")
    refused(cn.post(params | {"timestamp": ""}), "40001", "isv.missing-timestamp")
    refused(cn.post(params | {"timestamp": "2014-02-30 03:07:50"}), "40002", "isv.invalid-timestamp")
    params["timestamp"] = "2014-07-24 03:07:50"
    refused(cn.post(params), "40002", "isv.invalid-format")
    params["format"] = "JSON"
    refused(cn.post(params), "40002", "isv.invalid-parameter")
    refused(cn.post(params | {"version": ""}), "40001", "isv.missing-version")
    params["version"] = "1.0"
    assert cn.node(cn.post(params))["sub_code"] == "isv.invalid-signature"
    assert last(cn.box)["result"] == "isv.invalid-signature"
    assert {entry["signature"] == "ok" for entry in cn.box.requests()} == {False}
    assert state(cn.box, SERIAL)["state"] == "ACTIVE"


def test_the_format_can_be_looked_at_after_the_signature(cn: Cn) -> None:
    cn.box.guess({"mainland.check_order": "signature-first"})
    params = cn.params(USED, version="2.0")
    assert cn.node(cn.post({**params, "sign": "AAAA"}))["sub_code"] == "isv.invalid-signature"
    assert cn.node(cn.post({**params, "sign": cn.sign(params)}))["sub_code"] == "isv.invalid-parameter"


def test_refusals_of_the_format_can_be_signed(cn: Cn) -> None:
    cn.box.guess({"mainland.format_errors": "signed"})
    assert cn.node(cn.send(USED, version="2.0"))["sub_code"] == "isv.invalid-parameter"
    assert cn.node(cn.send(USED, sign_type="RSA3"))["sub_code"] == "isv.invalid-signature-type"
    refused(cn.post(cn.params(USED)), "40001", "isv.missing-signature", "error_response")


def test_a_parameter_that_comes_twice_is_refused_wherever_it_stands(cn: Cn) -> None:
    params = cn.params(USED)
    query = encoded({**params, "sign": cn.sign(params)}, "utf-8")
    for target, body in [(query + "&method=x", b""), (query, b"version=1.0"), (query, b"extra=1&extra=1")]:
        answer = ask(cn.box.url, "POST", "/gateway.do?" + target, body)
        refused(answer, "40002", "isv.invalid-parameter", "error_response")


@pytest.mark.parametrize(
    ("method", "in_body"),
    [
        ("GET", ()),
        ("POST", ()),
        ("POST", ("biz_content",)),
        ("POST", ("biz_content", "app_id", "method", "format", "sign_type", "timestamp", "version", "sign")),
    ],
)
def test_query_and_body_are_one(cn: Cn, method: str, in_body: tuple[str, ...]) -> None:
    params = cn.params(CHINESE)
    params["sign"] = cn.sign(params)
    query = encoded({name: value for name, value in params.items() if name not in in_body}, "utf-8")
    body = encoded({name: value for name, value in params.items() if name in in_body}, "utf-8").encode()
    assert cn.node(ask(cn.box.url, method, "/gateway.do?" + query, body or None))["code"] == "10000"


def test_empty_parameters_are_not_signed_and_others_are(cn: Cn) -> None:
    assert cn.node(cn.send(USED, app_auth_token="", notify_url=""))["code"] == "10000"
    assert cn.node(cn.send(USED, notify_url="https://shop.example/"))["sub_code"] == "KP.AE_ALIPASS_UPDATE_ERROR"
    params = cn.params(USED)
    answer = cn.post({**params, "sign": cn.sign(params), "app_auth_token": "added later"})
    assert cn.node(answer)["sub_code"] == "isv.invalid-signature"


def test_blanks_may_be_written_as_plus(cn: Cn) -> None:
    params = cn.params(USED)
    query = encoded({**params, "sign": cn.sign(params)}, "utf-8").replace("%20", "+")
    assert cn.node(ask(cn.box.url, "GET", "/gateway.do?" + query))["code"] == "10000"


def test_a_signature_whose_plus_was_not_escaped_is_wrong(cn: Cn) -> None:
    params = cn.params(USED)
    numbered = ({**params, "nonce": str(number)} for number in range(1000))
    signed = next({**one, "sign": cn.sign(one)} for one in numbered if "+" in cn.sign(one))
    query = encoded(signed, "utf-8").replace("%2B", "+")
    assert cn.node(ask(cn.box.url, "GET", "/gateway.do?" + query))["sub_code"] == "isv.invalid-signature"


def test_a_wrong_signature_is_answered_with_the_text_the_gateway_built(cn: Cn) -> None:
    params = cn.params(CHINESE, note="<a>'b'")
    node = cn.node(cn.post({**params, "sign": cn.sign({**params, "version": "2.0"})}))
    sentence, _, text = node["sub_msg"].partition("网关生成的验签字符串为：")  # noqa: RUF001 - the gateway's text
    assert sentence == "验签出错，建议检查签名字符串或签名私钥与应用公钥是否匹配，"  # noqa: RUF001 - the gateway's text
    assert text.startswith("app_id=2021000000000001&amp;biz_content={&quot;serial_number&quot;: &quot;209919213&quot;")
    assert "note=&lt;a&gt;'b'" in text
    assert html.unescape(text) == "&".join(f"{name}={params[name]}" for name in sorted(params))
    assert (node["code"], node["msg"]) == ("40002", "Invalid Arguments")


@pytest.mark.parametrize("wrong", ["by another key", "of another hash", "of other bytes", "not base64"])
def test_a_signature_that_proves_nothing_is_refused(cn: Cn, wrong: str) -> None:
    params = cn.params(USED)
    other = Cn(cn.box)
    other.key = private(cn.box.config()["accounts"]["hk-cards"]["private_key"])
    ways: dict[str, Callable[[], str]] = {
        "by another key": lambda: other.sign(params),
        "of another hash": lambda: cn.sign({**params, "sign_type": "RSA"}),
        "of other bytes": lambda: cn.sign({**params, "sign_type": ""}),
        "not base64": lambda: "***",
    }
    assert cn.node(cn.post({**params, "sign": ways[wrong]()}))["sub_code"] == "isv.invalid-signature"
    assert last(cn.box)["signature"] == "the signature does not match"


def test_the_legacy_sign_type_is_checked_and_answered_with_sha_1(cn: Cn) -> None:
    answer = cn.send(USED, sign_type="RSA")
    assert cn.verified(answer, hashes.SHA1())  # noqa: S303 - the gateway's legacy type
    assert not cn.verified(answer)
    assert json.loads(raw_node(answer.body))["code"] == "10000"


@pytest.mark.parametrize("charset", ["gbk", "GBK", "gb2312"])
def test_a_gbk_request_is_read_and_answered_in_gbk(cn: Cn, charset: str) -> None:
    answer = cn.send(CHINESE, "gbk", charset=charset)
    assert answer.headers["content-type"] == "text/html;charset=gbk"
    assert "处理成功".encode("gbk") in answer.body
    assert json.loads(cn.node(answer, "gbk")["result"])["errorMsg"] == "处理成功"
    assert state(cn.box, SERIAL)["content"] == {"title": "券标题"}


def test_a_gbk_request_is_refused_in_gbk(cn: Cn) -> None:
    params = cn.params(CHINESE, charset="gbk")
    node = cn.node(cn.post({**params, "sign": "AAAA"}, "gbk"), "gbk")
    assert "券标题" in node["sub_msg"]


@pytest.mark.parametrize("wrong", ["in the body", "missing", "not the values' own"])
def test_the_charset_must_stand_in_the_query_and_be_that_of_the_values(cn: Cn, wrong: str) -> None:
    params = cn.params(CHINESE, charset=... if wrong == "missing" else "utf-8")
    codec = "gbk" if wrong == "not the values' own" else "utf-8"
    body = ("biz_content", "charset") if wrong == "in the body" else ("biz_content",)
    node = cn.node(cn.post({**params, "sign": cn.sign(params, codec)}, codec, body))
    assert node["sub_code"] == "isv.invalid-signature"
    assert node["sub_msg"] == (
        "验签出错，请确认charset参数放在了URL查询字符串中且各参数值使用charset参数指示的字符集编码"  # noqa: RUF001 - the gateway's text
    )


def test_ascii_needs_no_charset_in_the_query(cn: Cn) -> None:
    params = cn.params(USED, charset=...)
    assert cn.node(cn.post({**params, "sign": cn.sign(params)}))["code"] == "10000"


@pytest.mark.parametrize("method", ["alipay.trade.query", '<&"é券', "x"])
def test_another_method_is_refused_loudly(cn: Cn, method: str) -> None:
    answer = cn.send(USED, method=method)
    assert list(answer.json) == ["error_response", "sign"]
    assert answer.json["error_response"]["sub_code"] == "isv.invalid-method"
    assert "this sandbox simulates alipay.pass.template.add, " in answer.json["error_response"]["sub_msg"]


@pytest.mark.parametrize(
    ("extra", "code", "sub_code"),
    [("encrypt_type", "40001", "isv.missing-encrypt-key"), ("app_cert_sn", "40002", "isv.app-cert-not-exist")],
)
def test_what_the_app_was_not_set_up_for_is_refused(cn: Cn, extra: str, code: str, sub_code: str) -> None:
    node = cn.node(cn.send(USED, **{extra: "AES"}))
    assert (node["code"], node["sub_code"]) == (code, sub_code)


def test_the_timestamp_counts_only_where_there_is_a_window(cn: Cn, box: Sandbox) -> None:
    assert cn.node(cn.send(USED))["code"] == "10000"
    box.guess({"mainland.time_window": "10min"})
    assert cn.node(cn.send(USED))["sub_code"] == "isv.invalid-timestamp"


def test_only_get_and_post_reach_the_gateway(cn: Cn) -> None:
    assert ask(cn.box.url, "PUT", "/gateway.do").status == 405
    assert cn.box.requests() == []
