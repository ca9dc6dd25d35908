"""An AlipayHK pass's whole life through both clients, plain, on a curve, encrypted and with rotating keys, and what goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from passbridge import Close, Code, Content, PassRef, Redeem, Refund, Revise
from passbridge.sandbox import Sandbox
from tests.contract.asking import Ask
from tests.contract.conftest import _Async, _Sync

ACCOUNTS = ("hk-tickets", "hk-ecc", "hk-encrypted", "hk-rotating", "hk-rotated")
IPASS = "/api/open/alipay/v1/ipass/"
USER = "2160400000000135"
SPAN = {"startDate": 1_700_000_000_000, "endDate": 4_000_000_000_000}


@pytest.fixture(scope="module", params=[_Sync, _Async], ids=["Client", "AsyncClient"])
def asking(request: pytest.FixtureRequest, running: Sandbox) -> Iterator[Ask]:
    """Either client with every AlipayHK account; it tries only once."""
    accounts = running.config(all_accounts=True)["accounts"]
    chosen = {name: accounts[name] for name in ACCOUNTS}
    chosen["hk-ecc-256"] = accounts["hk-ecc"] | {"ecc_hash": "SHA256"}
    made = request.param({"default": "hk-tickets", "accounts": chosen, "retry": {"attempts": 1}})
    yield made
    made.close()


class Shop:
    """One account of a client, and the calls that updates have no words for."""

    def __init__(self, asking: Ask, account: str, merchant: str) -> None:
        self._asking, self._account, self._merchant = asking, account, merchant

    def call(self, name: str, **members: object) -> dict[str, Any]:
        answer: dict[str, Any] = self._asking.call(self._account, IPASS + name, {"merchantId": self._merchant, **members})
        return answer

    def template(self) -> str:
        look = {"codeType": "none", "imageUrl": "https://example.com/i.png", "button": {}, "localeInfo": {"zh_HK": {"name": "入場券"}}}
        made = self.call("template/manage/createTemplate", requestId="1", type="TICKET", product="PASS", **SPAN, **look)
        code: str = made["templateCode"]
        return code

    def issue(self, template: str) -> dict[str, Any]:
        order = {"bizSerialId": "order-1", "bizSerialType": "OUT_PLAT_FORM", "bizCreate": SPAN["startDate"], "userId": USER}
        content = {"$address_zh_HK$": "中環"}
        return self.call("pass/manage/createPass", templateCode=template, type="TICKET", product="PASS", dataInfo=content, **SPAN, **order)

    def issued(self) -> PassRef:
        return PassRef(id=self.issue(self.template())["passId"], user_id=USER)


def shop(asking: Ask, box: Sandbox, account: str) -> Shop:
    return Shop(asking, account, box.config(all_accounts=True)["accounts"][account]["merchant_id"])


def kept(box: Sandbox, pass_: PassRef) -> dict[str, Any]:
    return next(dict(one) for one in box.passes() if one["id"] == pass_.id)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_pass_lives_from_its_template_to_its_end(asking: Ask, box: Sandbox, account: str) -> None:
    own = shop(asking, box, account)
    template = own.template()
    pass_ = PassRef(id=own.issue(template)["passId"], user_id=USER)
    assert own.issue(template)["result"]["resultCode"] == "PASS_HAS_EXIT"
    assert own.call("template/manage/switchStatus", templateCode=template, status="paused")["status"] == "paused"
    assert own.call("template/manage/detail", templateCode=template)["status"] == "paused"
    gate = Content(params={"gate": "B12"})
    at = datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert asking.apply(Revise(to=account, pass_=pass_, kind="pass", content=gate, at=at)).code is Code.APPLIED
    assert kept(box, pass_)["content"] == {"$gate_zh_HK$": "B12", "$gate_en_US$": "B12"}
    assert asking.apply(Redeem(to=account, pass_=pass_)).code is Code.APPLIED
    assert asking.apply(Redeem(to=account, pass_=pass_)).code is Code.ALREADY_IN_STATE
    assert asking.apply(Refund(to=account, pass_=pass_)).code is Code.APPLIED
    assert asking.apply(Close(to=account, pass_=pass_)).code is Code.STATE_CONFLICT
    assert kept(box, pass_)["state"] == "REFUNDED"
    assert asking.apply(Redeem(to=account, pass_=PassRef(id="404", user_id=USER))).code is Code.PASS_NOT_FOUND


@pytest.mark.parametrize(
    ("account", "fault", "code"),
    [
        ("hk-ecc", "next-gateway-key", Code.APPLIED),
        ("hk-ecc", "plain-signature", Code.APPLIED),
        ("hk-ecc", "percent-signature", Code.APPLIED),
        ("hk-ecc", "bad-signature", Code.UNTRUSTED_ANSWER),
        ("hk-ecc", "sha1-signature", Code.UNTRUSTED_ANSWER),
        ("hk-ecc", "other-algorithm", Code.UNTRUSTED_ANSWER),
        ("hk-ecc", "unknown-key-version", Code.UNTRUSTED_ANSWER),
        ("hk-rotating", "next-gateway-key", Code.APPLIED),
        ("hk-rotated", "next-gateway-key", Code.APPLIED),
        ("hk-tickets", "next-gateway-key", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "next-gateway-key", Code.APPLIED),
        ("hk-encrypted", "same-aes-key", Code.APPLIED),
        ("hk-encrypted", "torn-ciphertext", Code.BAD_ANSWER),
        ("hk-encrypted", "bad-wrapped-key", Code.BAD_ANSWER),
        ("hk-encrypted", "encrypted", Code.BAD_ANSWER),
        ("hk-encrypted", "plain-answer", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "no-encrypt-header", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "bad-signature", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "reserialised", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "echo", Code.UNTRUSTED_ANSWER),
        ("hk-encrypted", "duplicate-member", Code.BAD_ANSWER),
        ("hk-encrypted", "unknown-letter", Code.UNMAPPED),
        ("hk-encrypted", "code:PASS_HAS_NOT_EXIST", Code.PASS_NOT_FOUND),
    ],
)
def test_a_fault_comes_out_as_what_it_is(asking: Ask, box: Sandbox, account: str, fault: str, code: Code) -> None:
    pass_ = shop(asking, box, account).issued()
    box.add_fault({"fault": fault, "gateway": "hk"})
    assert asking.apply(Redeem(to=account, pass_=pass_)).code is code
    assert box.faults() == []
    assert kept(box, pass_)["state"] == ("ACTIVE" if fault.startswith("code:") else "USED")


def test_both_sides_have_to_mean_the_same_hash(asking: Ask, box: Sandbox) -> None:
    pass_ = shop(asking, box, "hk-ecc").issued()
    assert asking.apply(Redeem(to="hk-ecc-256", pass_=pass_)).code is Code.UNTRUSTED_ANSWER
    assert kept(box, pass_)["state"] == "ACTIVE"
    box.guess({"hk.ecc224_hash": "SHA256"})
    assert asking.apply(Redeem(to="hk-ecc-256", pass_=pass_)).code is Code.APPLIED


@pytest.mark.parametrize("reading", ["text", "json"])
def test_an_encrypted_answer_is_read_whatever_it_is_called(asking: Ask, box: Sandbox, reading: str) -> None:
    pass_ = shop(asking, box, "hk-encrypted").issued()
    box.guess({"hk.encrypted_type": reading})
    assert asking.apply(Redeem(to="hk-encrypted", pass_=pass_)).code is Code.APPLIED


def test_a_plain_refusal_of_a_ciphertext_is_believed_for_what_it_is(asking: Ask, box: Sandbox) -> None:
    """The sandbox unwraps in another way than the client wraps."""
    pass_ = shop(asking, box, "hk-encrypted").issued()
    box.guess({"hk.key_wrapping": "OAEP-SHA256"})
    outcome = asking.apply(Redeem(to="hk-encrypted", pass_=pass_))
    assert (outcome.code, outcome.native and outcome.native.code) == (Code.INVALID_VALUE, "PARAM_ILLEGAL")
    assert kept(box, pass_)["state"] == "ACTIVE"


@pytest.mark.parametrize("fault", ["lose-answer", "unsigned"])
def test_a_doubtful_update_is_settled_under_encryption_too(asking: Ask, box: Sandbox, fault: str) -> None:
    pass_ = shop(asking, box, "hk-encrypted").issued()
    box.add_fault({"fault": fault, "gateway": "hk"})
    doubt = asking.apply(Redeem(to="hk-encrypted", pass_=pass_))
    assert not doubt.certain
    assert asking.apply(Redeem(to="hk-encrypted", pass_=pass_), after=doubt).code is Code.APPLIED_PRESUMED
