"""Encrypted requests and answers at the mainland's gateway, and agents: OpenSSL's own command encrypts and decrypts."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes

from tests.sandbox.conftest import CHANNEL, SERIAL, Answer, Cn, last, public, raw_node, signed_by, state
from tests.sandbox.mainland_life import ADD, ISSUE, PARAMS, QUERY, RECIPIENT, UPDATE, made, template

NODE = "alipay_pass_instance_update_response"
OWN_CHANNEL = "2088918276"
PASS = {"serial_number": "e1", "channel_id": OWN_CHANNEL, "status": "USED"}
CHINESE = {**PASS, "tpl_params": '{"title":"券标题"}'}
FRESH = bytes(range(16, 32))


def openssl(direction: str, key: bytes, iv: bytes, data: bytes) -> bytes:
    """AES-128-CBC with PKCS#7 padding by OpenSSL; nothing, where it can't."""
    command = ["openssl", "enc", direction, "-aes-128-cbc", "-K", key.hex(), "-iv", iv.hex()]
    done = subprocess.run(command, input=data, capture_output=True, check=False)  # noqa: S603 - fixed words
    return done.stdout if done.returncode == 0 else b""


class Encrypting:
    """The merchant's own cipher, which is OpenSSL's."""

    def __init__(self, merchant: Cn, kind: str = "AES") -> None:
        self.merchant = merchant
        self.kind = kind
        self.key = base64.b64decode(merchant.settings["encrypt_key"], validate=True)

    def closed(self, text: bytes) -> str:
        iv = bytes(16) if self.kind == "AES" else FRESH
        return base64.b64encode((b"" if self.kind == "AES" else iv) + openssl("-e", self.key, iv, text)).decode()

    def opened(self, source: bytes) -> bytes:
        data = base64.b64decode(source, validate=True)
        iv, data = (bytes(16), data) if self.kind == "AES" else (data[:16], data[16:])
        return openssl("-d", self.key, iv, data)

    def send(self, biz: object, codec: str = "utf-8", /, **changes: object) -> Answer:
        text = json.dumps(biz, ensure_ascii=False).encode(codec)
        return self.merchant.send(self.closed(text), codec, encrypt_type=self.kind, **changes)

    def node(self, answer: Answer, codec: str = "utf-8") -> dict[str, Any]:
        """The node of a verified, encrypted answer."""
        assert self.merchant.verified(answer)
        source = raw_node(answer.body)
        assert (source[:1], source[-1:]) == (b'"', b'"')
        node: dict[str, Any] = json.loads(self.opened(source[1:-1]).decode(codec))
        return node


@pytest.fixture
def secret(cn_aes: Cn) -> Encrypting:
    cn_aes.box.add_passes({"account": "cn-aes", "id": "e1"})
    return Encrypting(cn_aes)


def test_the_key_is_the_consoles_base64_of_16_bytes(secret: Encrypting) -> None:
    assert len(secret.key) == 16


def test_a_request_is_decrypted_and_answered_in_kind(secret: Encrypting) -> None:
    answer = secret.send(CHINESE)
    node = secret.node(answer)
    assert (node["code"], json.loads(node["result"])["serialNumber"]) == ("10000", "e1")
    assert "处理成功" in node["result"]
    assert (state(secret.merchant.box, "e1")["state"], state(secret.merchant.box, "e1")["content"]) == ("USED", {"title": "券标题"})
    entry = last(secret.merchant.box)
    assert (entry["account"], entry["pass"], entry["action"], entry["signature"]) == ("cn-aes", "e1", "USED", "ok")


def test_the_quotes_are_signed_too(secret: Encrypting) -> None:
    answer = secret.send(PASS)
    signature, source = base64.b64decode(answer.json["sign"]), answer.json[NODE].encode()
    key = public(secret.merchant.settings["gateway_public_key"])
    assert signed_by(key, signature, b'"' + source + b'"', hashes.SHA256())
    assert not signed_by(key, signature, source, hashes.SHA256())


def test_gbk_is_encrypted_as_gbk(secret: Encrypting) -> None:
    node = secret.node(secret.send(CHINESE, "gbk"), "gbk")
    assert json.loads(node["result"])["errorMsg"] == "处理成功"
    assert state(secret.merchant.box, "e1")["content"] == {"title": "券标题"}


def test_a_business_failure_is_encrypted_or_plain(secret: Encrypting) -> None:
    wrong = {**PASS, "serial_number": "1"}
    assert secret.node(secret.send(wrong))["sub_code"] == "KP.AE_ALIPASS_NOTEXIST"
    secret.merchant.box.guess({"mainland.encrypted_failures": "plain"})
    assert secret.merchant.node(secret.send(wrong))["sub_code"] == "KP.AE_ALIPASS_NOTEXIST"
    assert secret.node(secret.send(PASS))["code"] == "10000"


def test_the_second_kind_carries_its_initial_vector(cn_aes: Cn, secret: Encrypting) -> None:
    second = Encrypting(cn_aes, "AES_V2")
    first, again = (second.send({**PASS, "status": None}) for _ in range(2))
    assert second.node(first) == second.node(again)
    assert raw_node(first.body) != raw_node(again.body)
    cn_aes.box.guess({"mainland.aes_v2": "refused"})
    assert cn_aes.node(second.send(PASS))["sub_code"] == "isv.invalid-encrypt-type"
    assert secret.node(secret.send(PASS))["code"] == "10000"


@pytest.mark.parametrize("kind", ["aes", "SM4", "RSA"])
def test_an_unknown_kind_is_refused(cn_aes: Cn, kind: str) -> None:
    node = cn_aes.node(cn_aes.send(PASS, encrypt_type=kind))
    assert (node["code"], node["sub_code"]) == ("40002", "isv.invalid-encrypt-type")


def test_whoever_encrypts_nothing_is_answered_plainly(cn_aes: Cn, secret: Encrypting) -> None:
    assert cn_aes.node(cn_aes.send(PASS))["code"] == "10000"
    assert secret.node(secret.send({**PASS, "status": "CLOSED"}))["code"] == "10000"


def damaged(secret: Encrypting) -> dict[str, str]:
    good = base64.b64decode(secret.closed(b'{"serial_number":"e1"}'))
    other = Encrypting(secret.merchant)
    other.key = bytes(16)
    return {
        "plain": json.dumps(PASS),
        "another key": other.closed(b"{}"),
        "another vector": Encrypting(secret.merchant, "AES_V2").closed(b"{}")[:-4],
        "half a block": base64.b64encode(good[:-8]).decode(),
        "a block less": base64.b64encode(good[:-16]).decode(),
        "not base64": "***",
    }


@pytest.mark.parametrize("way", ["plain", "another key", "another vector", "half a block", "a block less", "not base64"])
def test_what_cant_be_decrypted_is_refused_plainly_and_signed(secret: Encrypting, way: str) -> None:
    answer = secret.merchant.send(damaged(secret)[way], encrypt_type="AES")
    assert secret.merchant.node(answer) == {
        "msg": "Insufficient Conditions",
        "code": "40003",
        "sub_code": "isv.decryption-error-unknown",
        "sub_msg": "解密出错, 未知错误",
    }
    assert state(secret.merchant.box, "e1")["state"] == "ACTIVE"


@pytest.mark.parametrize(("text", "code"), [(b"\xff\xfe", "FORMAT_ERROR"), (b"[]", "FORMAT_ERROR"), (b"", "IS_NULL")])
def test_what_is_decrypted_must_be_an_object(secret: Encrypting, text: bytes, code: str) -> None:
    answer = secret.merchant.send(secret.closed(text), encrypt_type="AES")
    assert code in secret.node(answer)["sub_code"]


def test_an_empty_content_is_missing_whatever_the_kind(secret: Encrypting) -> None:
    assert "IS_NULL" in secret.node(secret.merchant.send("", encrypt_type="AES"))["sub_code"]


def test_an_app_without_a_key_cant_encrypt(cn: Cn, secret: Encrypting) -> None:
    node = cn.node(cn.send(secret.closed(b"{}"), encrypt_type="AES"))
    assert (node["code"], node["sub_code"], node["sub_msg"]) == ("40001", "isv.missing-encrypt-key", "缺少加密配置")


def test_a_whole_life_is_encrypted(secret: Encrypting) -> None:
    tpl_id = made(secret.merchant)
    biz = {"tpl_id": tpl_id, "tpl_params": {**PARAMS, "channelID": OWN_CHANNEL}, "recognition_type": "2", "recognition_info": RECIPIENT}
    assert secret.node(secret.send(biz, method=ISSUE))["code"] == "10000"
    (shown,) = secret.node(secret.send({"tpl_id": tpl_id}, method=QUERY))["instance_list"]
    assert (shown["status"], shown["channel_id"]) == ("CAN_USE", OWN_CHANNEL)


# --- faults ------------------------------------------------------------------------------------------------------------


def struck(secret: Encrypting, fault: str) -> Answer:
    secret.merchant.box.add_fault({"fault": fault})
    answer = secret.send(PASS)
    assert (state(secret.merchant.box, "e1")["state"], secret.merchant.box.faults()) == ("USED", [])
    return answer


def test_ciphertext_that_means_nothing_is_rightly_signed(secret: Encrypting) -> None:
    answer = struck(secret, "encrypted")
    assert secret.merchant.verified(answer)
    assert not secret.opened(raw_node(answer.body)[1:-1])


def test_ciphertext_that_lost_its_end_is_rightly_signed(secret: Encrypting) -> None:
    answer = struck(secret, "torn-ciphertext")
    assert secret.merchant.verified(answer)
    source = raw_node(answer.body)[1:-1]
    assert len(base64.b64decode(source)) % 16 == 0
    assert not secret.opened(source)


def test_a_plain_success_is_rightly_signed(secret: Encrypting) -> None:
    assert secret.merchant.node(struck(secret, "plain-answer"))["code"] == "10000"


def test_a_plain_error_is_unsigned(secret: Encrypting) -> None:
    answer = struck(secret, "plain-error")
    assert list(answer.json) == [NODE]
    assert answer.json[NODE]["sub_code"] == "isv.decryption-error-unknown"


@pytest.mark.parametrize("fault", ["nan", "giant-number", "lone-surrogate", "duplicate-member"])
def test_bad_json_is_encrypted_too(secret: Encrypting, fault: str) -> None:
    answer = struck(secret, fault)
    assert secret.merchant.verified(answer)
    plain = secret.opened(raw_node(answer.body)[1:-1])
    assert {"nan": b"NaN", "giant-number": b"9" * 1000, "lone-surrogate": rb"\ud800", "duplicate-member": b"TWICE"}[fault] in plain


@pytest.mark.parametrize("fault", ["torn-ciphertext", "plain-answer", "plain-error"])
def test_a_fault_of_encryption_waits_for_an_encrypted_request(cn_aes: Cn, secret: Encrypting, fault: str) -> None:
    cn_aes.box.add_fault({"fault": fault})
    assert cn_aes.node(cn_aes.send({**PASS, "status": None}))["code"] == "10000"
    assert len(cn_aes.box.faults()) == 1
    secret.send(PASS)
    assert cn_aes.box.faults() == []


# --- agents ------------------------------------------------------------------------------------------------------------


def test_an_agent_acts_for_whoever_gave_it_the_token(cn_agent: Cn) -> None:
    channel = cn_agent.settings["channel_id"]
    tpl_id = made(cn_agent)
    biz = {"tpl_id": tpl_id, "tpl_params": {**PARAMS, "channelID": channel}, "recognition_type": "2", "recognition_info": RECIPIENT}
    assert cn_agent.call(ISSUE, biz)["code"] == "10000"
    assert cn_agent.box.templates()[0]["account"] == "cn-agent"
    (one,) = (one for one in cn_agent.box.passes() if one["template"] == tpl_id)
    assert (one["account"], one["channel"]) == ("cn-agent", channel)


def test_an_agent_and_its_own_merchant_keep_their_passes_apart(cn: Cn, cn_agent: Cn) -> None:
    cn_agent.box.add_passes({"account": "cn-agent", "id": "a1"})
    theirs = {"serial_number": "a1", "channel_id": cn_agent.settings["channel_id"], "status": "USED"}
    own = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}
    for merchant, biz in ((cn, theirs), (cn_agent, own)):
        assert merchant.call(UPDATE, biz)["sub_code"] == "KP.AE_ALIPASS_NOTEXIST"
        assert merchant.call(QUERY, {"serial_number": biz["serial_number"]})["total"] == 0
    for merchant, biz in ((cn, own), (cn_agent, theirs)):
        assert merchant.call(UPDATE, biz)["code"] == "10000"
        assert merchant.call(QUERY, {"serial_number": biz["serial_number"]})["total"] == 1
    assert last(cn.box)["account"] == "cn-agent"
    tpl_id = made(cn)
    again = cn_agent.call(ADD, {"unique_id": "1", "tpl_content": template()})
    assert again["sub_code"].endswith("VALUE_INVAILD")
    assert cn_agent.call(ISSUE, {"tpl_id": tpl_id, "tpl_params": PARAMS, "recognition_type": "2", "recognition_info": RECIPIENT})[
        "sub_code"
    ].endswith("VALUE_INVAILD")


@pytest.mark.parametrize("token", ["202211BBunknown", "cn-agent", "é"])
def test_an_unknown_token_is_refused(cn: Cn, cn_agent: Cn, token: str) -> None:
    node = cn.node(cn.send({"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}, app_auth_token=token))
    assert (node["code"], node["sub_code"], node["sub_msg"]) == ("20001", "aop.invalid-app-auth-token", "无效的应用授权令牌")
    assert (state(cn.box, SERIAL)["state"], cn_agent.settings["app_id"]) == ("ACTIVE", cn.settings["app_id"])


def test_a_token_is_of_no_use_to_another_app(cn_aes: Cn, cn_agent: Cn) -> None:
    node = cn_aes.node(cn_aes.send(PASS, **cn_agent.always))
    assert node["sub_code"] == "aop.invalid-app-auth-token"
