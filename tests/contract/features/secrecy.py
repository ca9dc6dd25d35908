"""The rows about encrypted bodies."""

from __future__ import annotations

from typing import Any, Final

from passbridge import Code, Redeem
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk
from tests.contract.test_pass_life import filled, query_model, query_module

__all__ = ["SECRECY"]

SECRECY: Final = Chapter()


@SECRECY.yes(
    "`AES`: `biz_content` and answer | mainland | `encrypt_key` | off | documented; form: the official SDKs",
    "MainlandSettings.encrypt_key MainlandSettings.encrypt_type=AES mainland>encrypt_type",
)
def aes(desk: Desk) -> None:
    _hidden(desk, "cn-aes")
    desk.box.add_fault({"fault": "torn-ciphertext"})
    assert desk.apply(Redeem(to="cn-aes", pass_=desk.stocked("cn-aes"))).code is Code.BAD_ANSWER


@SECRECY.yes(
    '`AES_V2`: a random IV | mainland | `encrypt_type = "AES_V2"` | off | the official Java SDK; no page',
    "MainlandSettings.encrypt_type=AES_V2",
)
def aes_v2(desk: Desk) -> None:
    _hidden(desk, "cn-aes-v2")


def _hidden(desk: Desk, account: str) -> None:
    """An update is carried out, and nothing of it can be read on its way."""
    update = Redeem(to=account, pass_=desk.stocked(account))
    request = desk.render(update)
    assert b"serial_number" not in request.body
    assert b"passId" not in request.body
    assert desk.applied(update)["state"] == "USED"
    desk.box.reset()


@SECRECY.yes("any other API encrypted | mainland | `encrypt_key`; `request.need_encrypt` | off | the official SDKs")
def encrypted_call(desk: Desk) -> None:
    pass_ = desk.stocked("cn-aes")
    request: Any = query_module.AlipayMarketingPassInstanceQueryRequest(filled(query_model(), serial_number=pass_.id))
    request.need_encrypt = True
    (found,) = desk.execute("cn-aes", request).instance_list
    assert found.status == "CAN_USE"


@SECRECY.yes(
    "`RSA_AES`: AES-256 in ECB mode, its key under RSA (PKCS#1) | AlipayHK | `encryption = {}` | off | documented: the name "
    "alone; the rest a guess, after a sibling gateway's SDK",
    "HkSettings.encryption HkEncryption.{algorithm=RSA_AES,wrap=PKCS1,content_type=text/plain} hk>Encrypt "
    "hk>Encrypt.{algorithm,keyVersion,symmetricKey}",
)
def rsa_aes(desk: Desk) -> None:
    _hidden(desk, "hk-encrypted")
    pass_ = desk.stocked("hk-encrypted")
    desk.box.add_fault({"fault": "same-aes-key"})
    desk.applied(Redeem(to="hk-encrypted", pass_=pass_))
    desk.box.add_fault({"fault": "bad-wrapped-key"})
    assert not desk.apply(Redeem(to="hk-encrypted", pass_=pass_)).ok


@SECRECY.yes(
    'its key under RSA by OAEP | AlipayHK | `encryption.wrap = "OAEP-SHA1"` or `"OAEP-SHA256"` | off | guess',
    "HkEncryption.wrap={OAEP-SHA1,OAEP-SHA256}",
)
def oaep(desk: Desk) -> None:
    for account, wrapping in (("hk-oaep-1", "OAEP-SHA1"), ("hk-oaep-256", "OAEP-SHA256")):
        assert not desk.apply(Redeem(to=account, pass_=desk.stocked(account))).ok
        desk.box.reset()
        desk.box.guess({"hk.key_wrapping": wrapping})
        _hidden(desk, account)


@SECRECY.yes(
    'a ciphertext called JSON; which of their keys | AlipayHK | `encryption.content_type = "application/json"`, '
    "`encryption.key_version` | off | guess",
    "HkEncryption.content_type=application/json HkEncryption.key_version",
)
def called_json(desk: Desk) -> None:
    desk.box.guess({"hk.encrypted_type": "json"})
    pass_ = desk.stocked("hk-json")
    request = desk.render(Redeem(to="hk-json", pass_=pass_))
    assert request.headers["Content-Type"].startswith("application/json")
    assert "keyVersion=1," in request.headers["Encrypt"]
    assert "keyVersion=2," in desk.render(Redeem(to="hk-encrypted", pass_=pass_)).headers["Encrypt"]
    desk.applied(Redeem(to="hk-json", pass_=pass_))


@SECRECY.yes(
    "other keys for encryption than for signatures | AlipayHK | `encryption_private_key`, `encryption_public_key` | off | guess",
    "HkSettings.{encryption_private_key,encryption_public_key}",
)
def own_pair(desk: Desk) -> None:
    own = desk.accounts["hk-encrypted"]
    ours, theirs = own["private_key"], own["gateway_public_keys"]["1"]
    stranger = desk.accounts["hk-rotating"]["private_key"]
    pair = {"encryption": {"key_version": "1"}, "encryption_private_key": ours, "encryption_public_key": theirs}
    wrong = {"hk-encrypted": own | pair | {"encryption_private_key": stranger}}
    with desk.opened({"accounts": {"hk-encrypted": own | pair}}) as other:
        _hidden(other, "hk-encrypted")
    with desk.opened({"accounts": wrong, "retry": {"attempts": 1}}) as other:
        assert other.apply(Redeem(to="hk-encrypted", pass_=desk.stocked("hk-encrypted"))).code is Code.BAD_ANSWER
