"""The rows about accounts, signatures, charsets and certificates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from passbridge import Close, Code, Content, InvalidUpdate, Redeem, Revise
from tests.contract.asking import PASSES
from tests.contract.asking import update as usual
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk
from tests.contract.features.marks import params_of

__all__ = ["SIGNING"]

SIGNING: Final = Chapter()


@SIGNING.yes(
    'an account: address, client id, profile | AlipayHK | `backend = "hk"`, `gateway`, `profile`, `client_id` | needed | documented',
    "HkSettings.{backend=hk,gateway,client_id} HkSettings.profile={card,membership,ticket} hk>{Client-Id,Content-Type,Request-Time}",
)
def hk_account(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets"):
        desk.applied(usual(account, "close"))


@SIGNING.yes(
    'an account: address, app id; public parameters | mainland | `backend = "mainland"`, `gateway`, `profile`, `app_id` | '
    "needed | documented",
    "MainlandSettings.{backend=mainland,profile=pass,gateway,app_id} "
    "mainland>{app_id,method,format,charset,sign_type,sign,timestamp,version,biz_content}",
)
def mainland_account(desk: Desk) -> None:
    desk.applied(usual("cn", "close"))
    moment = datetime.fromisoformat(params_of(desk.render(usual("cn", "close")))["timestamp"]).replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    assert abs(datetime.now(moment.tzinfo) - moment) < timedelta(minutes=5)


@SIGNING.yes(
    "`RSA256`: SHA-256 with RSA | AlipayHK | `algorithm`, `private_key`, `gateway_public_key` | needed | documented; form: "
    "the official SDKs",
    "HkSettings.algorithm=RSA256 HkSettings.{private_key,gateway_public_key} hk>Signature hk>Signature.{algorithm,keyVersion,signature}",
)
def rsa256(desk: Desk) -> None:
    desk.redeems("hk-tickets")
    for fault in ("unsigned", "bad-signature", "sha1-signature", "other-algorithm", "signed-for-path", "signed-for-client", "reserialised"):
        assert desk.told("hk-tickets", fault) is Code.UNTRUSTED_ANSWER
    for fault in ("plain-signature", "percent-signature"):
        assert desk.told("hk-tickets", fault) is Code.APPLIED


@SIGNING.yes(
    '`ECC224`: P-224, DER, SHA-224 | AlipayHK | `algorithm = "ECC224"`, `ecc_hash` | off | documented: the name alone; the rest a guess',
    "HkSettings.algorithm=ECC224 HkSettings.ecc_hash=SHA224",
)
def ecc224(desk: Desk) -> None:
    desk.redeems("hk-ecc", "hk-ecc-224")
    assert desk.told("hk-ecc", "bad-signature") is Code.UNTRUSTED_ANSWER


@SIGNING.yes('`ECC224` with SHA-256 | AlipayHK | `ecc_hash = "SHA256"` | off | guess', "HkSettings.ecc_hash=SHA256")
def ecc224_with_sha256(desk: Desk) -> None:
    pass_ = desk.stocked("hk-ecc-256")
    assert not desk.apply(Redeem(to="hk-ecc-256", pass_=pass_)).ok
    desk.box.guess({"hk.ecc224_hash": "SHA256"})
    desk.applied(Redeem(to="hk-ecc-256", pass_=pass_))


@SIGNING.yes(
    "changing keys: `keyVersion`, ours and theirs | AlipayHK | `key_version`, `gateway_public_keys` | off | documented",
    "HkSettings.{key_version,gateway_public_keys} hk>Signature.keyVersion",
)
def rotation(desk: Desk) -> None:
    desk.redeems("hk-rotating", "hk-rotated")
    for account in ("hk-rotating", "hk-rotated"):
        assert desk.told(account, "next-gateway-key") is Code.APPLIED
    assert desk.told("hk-rotated", "unknown-key-version") is Code.UNTRUSTED_ANSWER
    assert desk.told("hk-tickets", "next-gateway-key") is Code.UNTRUSTED_ANSWER


@SIGNING.yes(
    "`RSA2`: SHA-256 with RSA | mainland | `sign_type`, `private_key`, `gateway_public_key` | needed | documented; form: the official SDKs",
    "MainlandSettings.sign_type=RSA2 MainlandSettings.{private_key,gateway_public_key} mainland>{sign,sign_type}",
)
def rsa2(desk: Desk) -> None:
    desk.redeems("cn")
    for fault in ("unsigned", "bad-signature", "sha1-signature", "md5-signature", "other-node", "node-twice", "error-response-beside"):
        assert desk.told("cn", fault) is Code.UNTRUSTED_ANSWER


@SIGNING.yes('`RSA`: SHA-1 with RSA | mainland | `sign_type = "RSA"` | off | documented', "MainlandSettings.sign_type=RSA")
def rsa_with_sha1(desk: Desk) -> None:
    desk.redeems("cn-sha1")
    assert desk.told("cn-sha1", "md5-signature") is Code.UNTRUSTED_ANSWER


@SIGNING.yes("another hand signs (KMS, HSM) | both | `from_config(signers=…)` for `private_key` | off | our own: the same signature")
def own_signer(desk: Desk) -> None:
    signers = {name: _signer(desk.accounts[name]["private_key"]) for name in ("hk-tickets", "cn")}
    chosen = {name: {key: value for key, value in desk.accounts[name].items() if key != "private_key"} for name in signers}
    with desk.opened({"accounts": chosen}, signers=signers) as other:
        other.redeems("hk-tickets", "cn")


def _signer(pem: bytes) -> Callable[[bytes], bytes]:
    key = load_pem_private_key(pem, None)
    assert isinstance(key, RSAPrivateKey)
    return lambda text: key.sign(text, PKCS1v15(), SHA256())


@SIGNING.yes("UTF-8 | mainland | `charset` | on | documented", "MainlandSettings.charset=utf-8 mainland>charset")
def utf_8(desk: Desk) -> None:
    assert desk.applied(Revise(to="cn", pass_=PASSES["cn"], content=Content(params={"t": "券·镕"})))["content"] == {"t": "券·镕"}


@SIGNING.yes('GBK | mainland | `charset = "gbk"` | off | documented', "MainlandSettings.charset=gbk")
def gbk(desk: Desk) -> None:
    update = Revise(to="cn-gbk", pass_=PASSES["cn"], content=Content(params={"t": "券·镕"}))
    assert desk.applied(update)["content"] == {"t": "券·镕"}
    assert b"%C8%AF" in desk.render(update).body


@SIGNING.yes(
    "text that GBK can't hold is let out | mainland | `gbk_check = false` | off | documented: a business code",
    "MainlandSettings.gbk_check=False",
)
def gbk_check(desk: Desk) -> None:
    emoji = Content(params={"t": "🎫"})
    with pytest.raises(InvalidUpdate):
        desk.apply(Revise(to="cn", pass_=PASSES["cn"], content=emoji))
    assert desk.box.requests() == []
    desk.applied(Revise(to="cn-any-text", pass_=PASSES["cn"], content=Content(params={"t": "t"})))
    assert desk.apply(Revise(to="cn-any-text", pass_=PASSES["cn"], content=emoji)).code is Code.UNENCODABLE_TEXT


@SIGNING.yes(
    "certificate mode | mainland | `app_cert`, `gateway_cert`, `root_cert` | off | the official SDKs; codes documented",
    "MainlandSettings.{app_cert,gateway_cert,root_cert} mainland>{app_cert_sn,alipay_root_cert_sn}",
)
def certificates(desk: Desk) -> None:
    desk.redeems("cn-cert")
    for fault in ("cert-sn-before", "cert-sn-after"):
        assert desk.told("cn-cert", fault) is Code.APPLIED
    for fault in ("stranger-certificate", "cert-sn-unknown"):
        assert desk.told("cn-cert", fault) is Code.UNTRUSTED_ANSWER


@SIGNING.yes(
    "a new certificate of the gateway's is fetched: `alipay.open.app.alipaycert.download` | mainland | `cert_download = "
    "true` | off | the official SDKs",
    "MainlandSettings.cert_download=True",
)
def fetched_certificate(desk: Desk) -> None:
    desk.box.renew_certificate(new_key=True)
    pass_ = desk.stocked("cn-fetch")
    assert desk.apply(Redeem(to="cn-cert", pass_=pass_)).code is Code.UNTRUSTED_ANSWER
    desk.applied(Close(to="cn-fetch", pass_=pass_))


@SIGNING.yes(
    "on behalf of a merchant: `app_auth_token` | mainland | `app_auth_token` | off | documented",
    "MainlandSettings.app_auth_token mainland>app_auth_token",
)
def agent(desk: Desk) -> None:
    desk.redeems("cn-agent")
    token = desk.accounts["cn-agent"]["app_auth_token"].decode()
    assert token not in desk.render(Redeem(to="cn-agent", pass_=PASSES["cn"])).url
    assert desk.told("cn-agent", "code:aop.invalid-app-auth-token") is Code.ACCESS_DENIED
