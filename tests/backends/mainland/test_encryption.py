"""AES: the gateway's own vectors, OpenSSL in both directions, and answers that are believed only as they were asked for."""

from __future__ import annotations

import base64
import json
import subprocess
from urllib.parse import parse_qsl

import pytest
from alipay.aop.api.domain.AlipayMarketingPassInstanceQueryModel import AlipayMarketingPassInstanceQueryModel
from alipay.aop.api.request.AlipayMarketingPassInstanceQueryRequest import AlipayMarketingPassInstanceQueryRequest
from hypothesis import given
from hypothesis import strategies as st

from passbridge import Code, ConfigError, InvalidUpdate
from passbridge.backends.mainland.backend import MainlandGateway
from passbridge.backends.mainland.encryption import UNDECRYPTABLE, Encryption, EncryptionType, console_key
from passbridge.protocol.settings import Secret
from passbridge.protocol.verdict import Verdict
from tests.backends.mainland.desk import ENCRYPT_KEY, NODE, NOW, UPDATES, body, judged, node, opened, reply, signature

KEY = bytes(range(16))
ZEROS = bytes(16)
BIZ_CONTENT = r'{"serial_number":"209919213","channel_id":"2088918273","status":"USED","tpl_params":"{\"title\":\"券标题\"}"}'
AES = (
    "yQdwPPnGRc5sRcRcs8ee0ssRPALVjnbUysshn48wHmi1dhSuEeoPWWQSXchcZy9P47WmImbeyUfW9WjQm+pEA9FwrOk20P41TV0qZKqf8mXhY1YzOjinD0I3rYQcYVHG"
    "DXEOAAXBWh4mEfaiiuAfetKezksoRsX2IPJr6C1ym+Q="
)
AES_V2 = (
    "EBESExQVFhcYGRobHB0eH34CxCmEyr3PqFErZxxbNqalnfeGNLg6exa3e9cnmPBsU4FrWDlItrKFjKcTOrLBEyLcFO1WQMi/ioEDjjphQWb+wwDWsxssSUZgHAK+6YPf"
    "OPQgSS0dStznOlQTwG4CLknule0TztwjJwqHaaLO+E57MzOepPS4WTTgFvv3nOwf"
)
KINDS: tuple[EncryptionType, ...] = ("AES", "AES_V2")


def openssl(*words: str, data: bytes, iv: bytes = ZEROS, key: bytes = KEY) -> bytes:
    command = ["openssl", "enc", "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex(), *words]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout  # noqa: S603 - our own words


def encryption(kind: EncryptionType = "AES") -> Encryption:
    return Encryption(kind, lambda: KEY)


def test_the_gateways_vectors() -> None:
    assert encryption().encrypt(BIZ_CONTENT.encode()) == AES
    assert encryption("AES_V2").encrypt(BIZ_CONTENT.encode(), iv=bytes(range(0x10, 0x20))) == AES_V2
    assert encryption().decrypt(AES) == encryption("AES_V2").decrypt(AES_V2) == BIZ_CONTENT


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_reads_what_we_encrypt(kind: EncryptionType, charset: str) -> None:
    plain = BIZ_CONTENT.encode(charset)
    data = base64.b64decode(encryption(kind).encrypt(plain))
    iv, rest = (ZEROS, data) if kind == "AES" else (data[:16], data[16:])
    assert openssl("-d", data=rest, iv=iv) == plain


def test_an_iv_belongs_to_its_text_and_key() -> None:
    first, again, other = (encryption("AES_V2").encrypt(text) for text in (b"{}", b"{}", b"[]"))
    elsewhere = Encryption("AES_V2", lambda: ZEROS).encrypt(b"{}")
    heads = {base64.b64decode(text)[:16] for text in (first, other, elsewhere)}
    assert first == again
    assert len(heads) == 3


def encrypted(kind: EncryptionType, plain: bytes) -> str:
    """What the gateway would send, by OpenSSL."""
    iv = ZEROS if kind == "AES" else bytes(range(50, 66))
    return base64.b64encode((b"" if kind == "AES" else iv) + openssl("-e", data=plain, iv=iv)).decode()


def account(kind: EncryptionType = "AES", charset: str = "utf-8") -> MainlandGateway:
    return opened(encrypt_key=ENCRYPT_KEY, encrypt_type=kind, charset=charset)


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_encrypted_answer_is_verified_with_its_quotes_then_read(kind: EncryptionType, charset: str) -> None:
    source = f'"{encrypted(kind, node().encode(charset))}"'
    verdict = judged(body(source), account(kind, charset))
    assert verdict.native is not None
    assert (verdict.code, verdict.native.message) == (Code.APPLIED, "Success")
    assert judged(body(source, signed=signature(source.strip('"').encode())), account(kind, charset)).code is Code.UNTRUSTED_ANSWER


def test_slashes_in_base64_may_be_escaped() -> None:
    plain = next(text for text in (node(msg=f"{n}") for n in range(99)) if "/" in encrypted("AES", text.encode()))
    source = f'"{encrypted("AES", plain.encode())}"'
    for escaped in (source, source.replace("/", "\\/")):
        assert judged(body(escaped, signed=signature(source.encode())), account()).code is Code.APPLIED


def test_what_is_not_verified_is_never_decrypted() -> None:
    raw = body(f'"{encrypted("AES", node().encode())}"', signed=signature(b"other"))
    verdict = judged(raw, account())
    assert (verdict.code, verdict.native) == (Code.UNTRUSTED_ANSWER, None)


LONG = "A" * 64
BAD = {
    "another key": base64.b64encode(openssl("-e", data=node().encode(), key=ZEROS)).decode(),
    "no base64": "not base64!",
    "nothing": "",
    "half a block": base64.b64encode(bytes(24)).decode(),
    "a wrong padding": LONG,
    "an IV alone": base64.b64encode(bytes(16)).decode(),
    "no JSON": encrypted("AES", b"hello"),
    "no object": encrypted("AES", b'"10000"'),
    "a member twice": encrypted("AES", b'{"code":"10000","code":"40004"}'),
    "no text": encrypted("AES", b"\xff\xff{}"),
    "the other type": encrypted("AES_V2", node().encode()),
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_every_bad_ciphertext_is_told_in_the_same_way(text: str) -> None:
    expected = Verdict(code=Code.BAD_ANSWER, reason=UNDECRYPTABLE.message, finding=UNDECRYPTABLE, trace_id="t-1")
    assert judged(body(f'"{text}"'), account()) == expected


@given(data=st.binary(max_size=100))
def test_no_bytes_at_all_make_decryption_fail_in_another_way(data: bytes) -> None:
    for kind in KINDS:
        assert encryption(kind).decrypt(base64.b64encode(data).decode()) is None


def test_a_plain_answer_is_a_failure_or_nothing() -> None:
    """What can't be decrypted comes back plain (protocol, 2.4); a plain success was not what was asked for."""
    success = judged(body(node()), account())
    assert (success.code, success.reason) == (Code.BAD_ANSWER, "a plain answer where an encrypted one was asked for")
    failed = node(code="40003", msg="Insufficient Conditions", sub_code="isv.decryption-error-unknown", success=..., result=...)
    assert judged(body(failed), account()).code is Code.ACCESS_DENIED
    assert judged(body(failed, signed=""), account()).code is Code.UNTRUSTED_ANSWER
    assert judged(body("7"), account()).code is Code.BAD_ANSWER


def test_an_encrypted_answer_to_a_plain_call_is_not_believed() -> None:
    verdict = judged(body(f'"{encrypted("AES", node().encode())}"'))
    assert (verdict.code, verdict.reason) == (Code.BAD_ANSWER, "an encrypted answer to a call that was not encrypted")


def query(*, need_encrypt: bool) -> AlipayMarketingPassInstanceQueryRequest:
    model = AlipayMarketingPassInstanceQueryModel()
    model.serial_number = "209919213"
    request = AlipayMarketingPassInstanceQueryRequest(biz_model=model)
    request.need_encrypt = need_encrypt
    return request


@pytest.mark.parametrize("need_encrypt", [True, False])
def test_a_request_of_the_sdk_is_encrypted_where_it_asks_for_it(*, need_encrypt: bool) -> None:
    gateway = account()
    sealed, prepared = gateway.executing(query(need_encrypt=need_encrypt))
    request = sealed.seal(prepared, NOW)
    params = dict(parse_qsl(request.url.partition("?")[2]) + parse_qsl(request.body.decode()))
    assert ("encrypt_type" in params) == need_encrypt
    sent = params["biz_content"].encode()
    assert (openssl("-d", data=base64.b64decode(sent)) if need_encrypt else sent) == b'{"serial_number":"209919213"}'
    plain = b'{"code":"10000","msg":"Success","total":0}'
    source = f'"{encrypted("AES", plain)}"' if need_encrypt else plain.decode()
    verdict = sealed.judge(prepared, request, reply(body(source, name="alipay_marketing_pass_instance_query_response")), NOW)
    assert verdict.code is Code.APPLIED
    assert verdict.answer is not None


def test_there_must_be_something_to_encrypt() -> None:
    request = AlipayMarketingPassInstanceQueryRequest()
    request.need_encrypt = True
    with pytest.raises(InvalidUpdate) as caught:
        account().executing(request)
    assert [(problem.path, problem.message) for problem in caught.value.problems] == [
        ("sdk_request.need_encrypt", "there is no biz_content to encrypt")
    ]


@pytest.mark.parametrize("key", [b"AAECAwQFBgcICQoLDA0ODw==", b" AAECAwQFBgcI\r\nCQoLDA0ODw==\n"], ids=["as shown", "with blanks"])
def test_the_consoles_key_is_read(key: bytes) -> None:
    assert console_key(key) == KEY


KEYS = {
    "empty": b"",
    "raw": KEY,
    "24 bytes": base64.b64encode(bytes(24)),
    "32 bytes": base64.b64encode(bytes(32)),
    "hex": KEY.hex().encode(),
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_another_key_is_refused_without_being_shown(key: bytes) -> None:
    with pytest.raises(ConfigError) as caught:
        opened(encrypt_key=Secret(key, "aes.txt"))
    (problem,) = caught.value.problems
    assert (problem.path, problem.code) == ("accounts.cn.encrypt_key", "bad_key")
    assert problem.message == "aes.txt is no AES key: base64 of 16 bytes is wanted"


def test_a_type_without_a_key_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as caught:
        opened(encrypt_type="AES_V2")
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("accounts.cn.encrypt_key", "missing")]


def test_the_node_may_not_be_taken_for_another_methods() -> None:
    source = f'"{encrypted("AES", node().encode())}"'
    assert judged(body(source, name="alipay_trade_pay_response"), account()).code is Code.UNTRUSTED_ANSWER
    assert NODE != "alipay_trade_pay_response"


def test_the_question_about_a_doubt_is_encrypted_too() -> None:
    gateway = opened(encrypt_key=ENCRYPT_KEY, resolve="query")
    update = gateway.prepare(UPDATES["redeem"], NOW)
    question = gateway.inquiring(update)
    assert question is not None
    sealed, prepared = question
    request = sealed.seal(prepared, NOW)
    params = dict(parse_qsl(request.url.partition("?")[2]) + parse_qsl(request.body.decode()))
    assert params["encrypt_type"] == "AES"
    assert openssl("-d", data=base64.b64decode(params["biz_content"])) == b'{"serial_number":"209919213"}'
    one = {"serial_number": "209919213", "channel_id": "2088918273", "status": "USED"}
    plain = json.dumps({"code": "10000", "msg": "Success", "instance_list": [one]}).encode()
    source = f'"{encrypted("AES", plain)}"'
    verdict = sealed.judge(prepared, request, reply(body(source, name="alipay_marketing_pass_instance_query_response")), NOW)
    assert verdict.code is Code.ALREADY_IN_STATE
