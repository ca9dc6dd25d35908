"""The mainland's official kit (alipay-sdk-python) as a judge: against the sandbox, and over our own parameters."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.domain.AlipayPassInstanceUpdateModel import AlipayPassInstanceUpdateModel
from alipay.aop.api.exception.Exception import ResponseException
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest
from alipay.aop.api.util import SignatureUtils
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from passbridge import CallFailed, Code, Content, PassRef, Redeem, Revise
from passbridge.protocol.wire import WireRequest
from passbridge.sandbox import Sandbox
from tests.backends.mainland.desk import NOW, SERIAL, account, body, judged, node
from tests.backends.support import pem, vector_file
from tests.contract.asking import Ask, state, update

CHANNEL = "2088918273"
SIGN = {"RSA2": SignatureUtils.sign_with_rsa2, "RSA": SignatureUtils.sign_with_rsa}
Kit = Callable[..., DefaultAlipayClient]


@pytest.fixture
def kit(box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Kit:
    """The kit's own client, with the sandbox's keys but for what is given. It ignores ports, so it is led to ours."""

    def connection(url: str, query: str, timeout: float) -> tuple[str, http.client.HTTPConnection]:
        return f"{url}?{query}", http.client.HTTPConnection(str(urlsplit(url).netloc), timeout=timeout)

    def made(**given: object) -> DefaultAlipayClient:
        ours = box.config()["accounts"]["cn"]
        config = AlipayClientConfig()
        config.server_url, config.app_id = ours["gateway"], ours["app_id"]
        config.app_private_key = _pkcs1(ours["private_key"])
        config.alipay_public_key = ours["gateway_public_key"].decode()
        for name, value in given.items():
            setattr(config, name, value)
        return DefaultAlipayClient(config)

    monkeypatch.setattr("alipay.aop.api.util.WebUtils.get_http_connection", connection)
    return made


def _pkcs1(key: bytes) -> str:
    """A private key as the kit wants it."""
    loaded = load_pem_private_key(key, None)
    assert isinstance(loaded, RSAPrivateKey)
    return loaded.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def request(status: str | None = "USED", serial: str = SERIAL, **params: str) -> Any:  # noqa: ANN401 - the kit has no types
    """The kit's request for an update."""
    model = AlipayPassInstanceUpdateModel()
    model.serial_number, model.channel_id, model.status = serial, CHANNEL, status
    model.tpl_params = json.dumps(params, ensure_ascii=False) if params else None
    return AlipayPassInstanceUpdateRequest(biz_model=model)


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("sign_type", ["RSA2", "RSA"])
def test_the_kit_redeems_and_believes_the_sandbox_s_answer(charset: str, sign_type: str, kit: Kit, ask: Ask, box: Sandbox) -> None:
    said = json.loads(kit(charset=charset, sign_type=sign_type).execute(request(title="券标题")))
    assert (said["code"], said["success"], json.loads(said["result"])["serialNumber"]) == ("10000", "true", SERIAL)
    assert json.loads(said["result"])["errorMsg"] == "处理成功"
    assert state(box, "cn") == ("USED", {"title": "券标题"})
    assert ask.apply(update("cn", "redeem")).code is Code.REFUSED


def test_the_kit_reads_a_signed_refusal(kit: Kit) -> None:
    said = json.loads(kit().execute(request(serial="404")))
    assert (said["code"], said["sub_code"], said["success"]) == ("40004", "KP.AE_ALIPASS_NOTEXIST", "false")


def test_the_kit_with_another_app_s_key_is_refused(kit: Kit, box: Sandbox) -> None:
    said = json.loads(kit(app_private_key=_pkcs1(pem("stranger"))).execute(request()))
    assert (said["code"], said["sub_code"]) == ("40002", "isv.invalid-signature")
    assert state(box, "cn") == ("ACTIVE", {})


def test_the_kit_with_another_gateway_s_key_believes_nothing(kit: Kit) -> None:
    with pytest.raises(ResponseException, match="response sign verify failed"):
        kit(alipay_public_key=pem("stranger-public").decode()).execute(request())


@pytest.mark.parametrize("fault", ["bad-signature", "unsigned"])
def test_the_kit_believes_no_forged_or_unsigned_answer(fault: str, kit: Kit, box: Sandbox) -> None:
    box.add_fault({"fault": fault})
    with pytest.raises(ResponseException):
        kit().execute(request())


def test_what_the_kit_changed_our_client_finds_changed_and_the_other_way_round(kit: Kit, ask: Ask, box: Sandbox) -> None:
    kit().execute(request(None, title="由官方"))
    assert state(box, "cn") == ("ACTIVE", {"title": "由官方"})
    assert ask.apply(update("cn", "revise")).code is Code.APPLIED
    assert state(box, "cn") == ("ACTIVE", {"title": "新的 title"})
    assert json.loads(kit().execute(request("CLOSED")))["code"] == "10000"
    assert ask.apply(update("cn", "redeem")).code is Code.REFUSED
    assert state(box, "cn")[0] == "CLOSED"


def test_the_kit_s_request_travels_through_our_client_too(ask: Ask, box: Sandbox) -> None:
    done = ask.execute("cn", request(title="券"))
    assert (done.code, done.success, done.is_success()) == ("10000", "true", True)
    assert json.loads(done.result)["errorCode"] == "SUCCESS"
    again = ask.execute("cn", request())
    assert (again.code, again.sub_code, again.is_success()) == ("40004", "KP.AE_ALIPASS_UPDATE_ERROR", False)
    assert state(box, "cn") == ("USED", {"title": "券"})
    assert len(box.requests()) == 2


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("unsigned", Code.UNTRUSTED_ANSWER),
        ("bad-signature", Code.UNTRUSTED_ANSWER),
        ("http-502", Code.NO_ANSWER),
        ("lose-answer", Code.NO_ANSWER),
    ],
)
def test_execute_gives_a_verified_answer_or_fails_with_the_outcome_and_never_sends_again(
    fault: str, code: Code, ask: Ask, box: Sandbox
) -> None:
    box.add_fault({"fault": fault})
    with pytest.raises(CallFailed) as caught:
        ask.execute("cn", request())
    outcome = caught.value.outcome
    assert (outcome.code, outcome.account, outcome.action, len(outcome.attempts)) == (code, "cn", "alipay.pass.instance.update", 1)
    assert len(box.requests()) == 1


def parameters(wire: WireRequest, charset: str) -> dict[str, str]:
    """Everything that is sent, query and body as one."""
    texts = (wire.url.partition("?")[2], wire.body.decode("ascii"))
    return dict(pair for text in texts for pair in parse_qsl(text, strict_parsing=True, encoding=charset, errors="strict"))


def kit_signature(params: dict[str, str], charset: str, sign_type: str) -> str:
    """What the kit signs for the same parameters."""
    signed: str = SIGN[sign_type](pem("cn-app").decode(), SignatureUtils.get_sign_content(params), charset)
    return signed


@pytest.mark.parametrize("vector", vector_file("mainland.json")["vectors"], ids=lambda vector: vector["name"])
def test_the_kit_s_signature_of_a_golden_request_is_the_golden_one(vector: dict[str, Any]) -> None:
    wire = WireRequest(
        "POST", vector["url"], account().seal(account().prepare(update("cn", "close"), NOW), NOW).headers, vector["body"].encode()
    )
    params = parameters(wire, vector["charset"])
    assert params.pop("sign") == kit_signature(params, vector["charset"], vector["sign_type"]) == vector["signature"]


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("sign_type", ["RSA2", "RSA"])
@settings(max_examples=8, deadline=None)
@given(
    text=st.text(st.characters(codec="gbk"), max_size=20),
    name=st.text(st.characters(codec="gbk", exclude_characters="$"), min_size=1, max_size=5),
)
def test_our_signature_is_the_kit_s_own_for_the_same_parameters(charset: str, sign_type: str, text: str, name: str) -> None:
    gateway = account(charset, sign_type)
    for given_update in (Redeem(pass_=PassRef(id=name)), Revise(pass_=PassRef(id=SERIAL), content=Content(params={name: text}))):
        prepared = gateway.prepare(given_update, NOW)
        assert not prepared.problems
        params = parameters(gateway.seal(prepared, NOW), charset)
        assert params.pop("sign") == kit_signature(params, charset, sign_type)


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("sign_type", ["RSA2", "RSA"])
def test_an_answer_that_the_kit_signed_is_believed(charset: str, sign_type: str) -> None:
    source = node()
    signed = SIGN[sign_type](pem("cn-gateway").decode(), source, charset)
    raw = body(source, charset=charset, signed=signed)
    assert judged(raw, account(charset, sign_type)).code is Code.APPLIED
    assert judged(raw.replace(b"10000", b"10003"), account(charset, sign_type)).code is Code.UNTRUSTED_ANSWER
