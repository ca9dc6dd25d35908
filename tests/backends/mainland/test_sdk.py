"""The official kit's classes: what is taken from them, what is refused of them, and `execute` both ways."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from alipay.aop.api.domain.AlipayMarketingPassInstanceQueryModel import AlipayMarketingPassInstanceQueryModel
from alipay.aop.api.domain.AlipayPassInstanceUpdateModel import AlipayPassInstanceUpdateModel
from alipay.aop.api.FileItem import FileItem
from alipay.aop.api.request.AlipayMarketingPassInstanceQueryRequest import AlipayMarketingPassInstanceQueryRequest
from alipay.aop.api.request.AlipayOfflineMaterialImageUploadRequest import AlipayOfflineMaterialImageUploadRequest
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest
from alipay.aop.api.response.AlipayMarketingPassInstanceQueryResponse import AlipayMarketingPassInstanceQueryResponse
from alipay.aop.api.response.AlipayPassInstanceUpdateResponse import AlipayPassInstanceUpdateResponse

from passbridge import Code, ConfigError, InvalidUpdate, PassRef, Redeem
from passbridge.protocol.settings import Secret
from passbridge.protocol.verdict import Verdict
from tests.backends.mainland.desk import NOW, account, body, node, opened, reply
from tests.backends.support import openssl_verifies


def update_request(**members: object) -> Any:  # noqa: ANN401 - the kit has no types
    """The kit's request for an update, with these attributes."""
    model = AlipayPassInstanceUpdateModel()
    model.serial_number, model.channel_id, model.status = "209919213", "2088918273", "USED"
    request = AlipayPassInstanceUpdateRequest(biz_model=model)
    for name, value in members.items():
        setattr(request, name, value)
    return request


def refused(request: object) -> list[tuple[str, str, str, str]]:
    """Every problem of a request object."""
    with pytest.raises(InvalidUpdate) as caught:
        account().executing(request)
    return [(problem.path, problem.code, problem.message, problem.mend) for problem in caught.value.problems]


def test_any_request_of_the_kit_is_signed_and_its_own_response_object_comes_back() -> None:
    model = AlipayMarketingPassInstanceQueryModel()
    model.serial_number = "209919213"
    model.page_num = 1
    sealed, prepared = account().executing(AlipayMarketingPassInstanceQueryRequest(biz_model=model))
    assert (prepared.action, prepared.subject, prepared.problems) == ("alipay.marketing.pass.instance.query", None, ())
    request = sealed.seal(prepared, NOW)
    query, form = (dict(parse_qsl(text)) for text in (request.url.partition("?")[2], request.body.decode()))
    assert query["method"] == "alipay.marketing.pass.instance.query"
    assert json.loads(form["biz_content"]) == {"serial_number": "209919213", "page_num": 1}
    signature = base64.b64decode(query.pop("sign"))
    assert openssl_verifies("cn-app", "&".join(f"{name}={value}" for name, value in sorted((query | form).items())).encode(), signature)
    source = '{"code":"10000","msg":"Success","instance_list":[{"pass_id":"7","status":"USED"}],"total":1}'
    verdict = sealed.judge(prepared, request, reply(body(source, name="alipay_marketing_pass_instance_query_response")), NOW)
    assert (verdict.code, verdict.trace_id) == (Code.APPLIED, "t-1")
    answer = verdict.answer
    assert isinstance(answer, AlipayMarketingPassInstanceQueryResponse)
    assert (answer.code, answer.is_success(), answer.instance_list[0].status, answer.body) == ("10000", True, "USED", source)


def test_a_verified_refusal_is_an_answer_too() -> None:
    sealed, prepared = account().executing(update_request())
    source = node(code="40004", sub_code="KP.AE_ALIPASS_NOTEXIST", success="false", result='{"operate":"UPDATE"}')
    verdict = sealed.judge(prepared, sealed.seal(prepared, NOW), reply(body(source)), NOW)
    assert verdict.code is Code.APPLIED
    assert verdict.native is not None
    assert (verdict.native.sub_code, verdict.native.verified) == ("KP.AE_ALIPASS_NOTEXIST", True)
    assert isinstance(verdict.answer, AlipayPassInstanceUpdateResponse)
    assert not verdict.answer.is_success()


@pytest.mark.parametrize(
    ("raw", "code", "reason"),
    [
        pytest.param(body(node(), signed=""), Code.UNTRUSTED_ANSWER, None, id="unsigned"),
        pytest.param(body(node(), name="alipay_pass_instance_add_response"), Code.UNTRUSTED_ANSWER, None, id="another method's node"),
        pytest.param(body('{"code":10000}'), Code.BAD_ANSWER, "code is no text", id="a code that is no text"),
        pytest.param(body('"MTAwMDA="'), Code.BAD_ANSWER, "an encrypted answer to a call that was not encrypted", id="encrypted"),
        pytest.param(b"<html></html>", Code.NO_ANSWER, None, id="a page"),
    ],
)
def test_nothing_else_than_a_verified_readable_answer_comes_back(raw: bytes, code: Code, reason: str | None) -> None:
    sealed, prepared = account().executing(update_request())
    verdict = sealed.judge(prepared, sealed.seal(prepared, NOW), reply(raw), NOW)
    assert (verdict.code, verdict.answer) == (code, None)
    if reason:
        assert verdict == Verdict(code=code, reason=reason, trace_id="t-1")


def test_a_caller_s_own_token_and_text_parameters_travel_in_the_body() -> None:
    request = update_request(notify_url="https://shop.example/notify?a=1&b=2")
    request.add_other_text_param("app_auth_token", "their own")
    request.add_other_text_param("ext", {"券": [1]})
    request.add_other_text_param("nothing", None)
    sealed, prepared = opened(app_auth_token=Secret(b"ours", "test")).executing(request)
    wire = sealed.seal(prepared, NOW)
    form = dict(parse_qsl(wire.body.decode(), strict_parsing=True))
    assert (form["app_auth_token"], form["ext"], form["notify_url"]) == ("their own", '{"券":[1]}', "https://shop.example/notify?a=1&b=2")
    assert "nothing" not in form
    assert "their+own" not in wire.url


@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_the_kit_s_version_is_sent(version: str) -> None:
    sealed, prepared = account().executing(update_request(version=version))
    assert dict(parse_qsl(sealed.seal(prepared, NOW).url.partition("?")[2]))["version"] == version


RESERVED = (
    "app_id",
    "format",
    "charset",
    "sign_type",
    "sign",
    "timestamp",
    "alipay_sdk",
    "encrypt_type",
    "app_cert_sn",
    "alipay_root_cert_sn",
)


@pytest.mark.parametrize("name", RESERVED)
def test_what_passbridge_sends_itself_cannot_be_overridden(name: str) -> None:
    assert refused(update_request(udf_params={name: "x", "ext": "1"})) == [
        (f"sdk_request.{name}", "reserved", "is sent by passbridge itself", "leave it out of udf_params")
    ]


def test_a_request_cannot_carry_another_method_under_its_name() -> None:
    expected = [
        ("sdk_request.method", "reserved", "AlipayPassInstanceUpdateRequest carries another method", "leave it out of udf_params"),
    ]
    for method in ("alipay.trade.refund", "", None, "alipay.pass.instance.updater"):
        assert refused(update_request(udf_params={"method": method})) == expected


def test_files_and_encryption_are_refused_and_everything_is_said_at_once() -> None:
    upload = AlipayOfflineMaterialImageUploadRequest()
    upload.image_type, upload.image_name = "jpg", "card"
    upload.image_content = FileItem(file_name="card.jpg", file_content=b"\xff\xd8")
    upload.need_encrypt = True
    upload.udf_params = {"sign": "x"}
    assert refused(upload) == [
        ("sdk_request.sign", "reserved", "is sent by passbridge itself", "leave it out of udf_params"),
        ("sdk_request", "files", "carries files, which are not supported", "send it by other means"),
        (
            "sdk_request.need_encrypt",
            "encryption",
            "this account has no encryption",
            "give the account its encrypt_key, or leave need_encrypt off",
        ),
    ]


@pytest.mark.parametrize(
    "thing",
    [
        None,
        "alipay.pass.instance.update",
        {"method": "alipay.pass.instance.update"},
        AlipayPassInstanceUpdateModel(),
        AlipayPassInstanceUpdateResponse(),
        SimpleNamespace(get_params=lambda: {"method": "alipay.pass.instance.update"}),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_no_request_of_the_kit_is_refused(thing: object) -> None:
    message = f"{type(thing).__name__} is no request object of alipay-sdk-python"
    assert refused(thing) == [("sdk_request", "not_a_request", message, "give one of alipay.aop.api.request")]


def test_text_that_the_charset_cannot_hold_is_refused_in_a_call_too() -> None:
    request = update_request(udf_params={"ext": "a😀€"})
    with pytest.raises(InvalidUpdate) as caught:
        account("gbk").executing(request)
    assert [(problem.path, problem.code, problem.message) for problem in caught.value.problems] == [
        ("ext", "unencodable_text", "'€', '😀' can't be held by GBK")
    ]
    assert account("utf-8").executing(request)


def test_an_overlay_that_renames_a_field_to_one_the_api_lacks_is_a_configuration_error() -> None:
    gateway = opened(
        'schema = 1\n[mainland.pass.fields.channel]\nwire = "channel"\n[mainland.pass.fields.action]\nwire = "to_alipay_dict"\n'
    )
    with pytest.raises(ConfigError) as caught:
        gateway.prepare(Redeem(pass_=PassRef(id="1")), NOW)
    assert [(problem.path, problem.code, problem.message, problem.mend) for problem in caught.value.problems] == [
        (f"mainland.pass.fields: {name}", "unknown_member", "the API has no such field", "mend the overlay that renamed it")
        for name in ("channel", "to_alipay_dict")
    ]


def test_an_overlay_may_send_the_content_as_an_object() -> None:
    gateway = opened('schema = 1\n[mainland.pass.fields.content]\nas = "params"\n')
    given = Redeem.model_validate({"pass": {"id": "1"}, "content": {"params": {"title": "券"}}})
    wire = gateway.seal(gateway.prepare(given, NOW), NOW)
    assert json.loads(dict(parse_qsl(wire.body.decode()))["biz_content"])["tpl_params"] == {"title": "券"}


@pytest.mark.parametrize("rows", [["pass_id"], [["pass_id"]]], ids=["text", "list"])
def test_a_verified_node_that_the_kit_s_own_class_cannot_take_is_a_bad_answer(rows: list[Any]) -> None:
    sealed, prepared = account().executing(AlipayMarketingPassInstanceQueryRequest(biz_model=AlipayMarketingPassInstanceQueryModel()))
    source = json.dumps({"code": "10000", "msg": "Success", "instance_list": rows})
    raw = body(source, name="alipay_marketing_pass_instance_query_response")
    verdict = sealed.judge(prepared, sealed.seal(prepared, NOW), reply(raw), NOW)
    assert verdict.native is not None
    assert (verdict.native.code, verdict.native.verified) == ("10000", True)
    reason = "the official SDK's own class can't take the answer"
    assert verdict == Verdict(code=Code.BAD_ANSWER, reason=reason, native=verdict.native, trace_id="t-1")
