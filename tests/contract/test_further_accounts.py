"""Certificate mode, AES and agents through both clients, and everything that goes wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from passbridge import Close, Code, Content, PassRef, Redeem, Revise
from passbridge.sandbox import Sandbox
from tests.contract.asking import Ask, state
from tests.contract.conftest import _Async, _Sync

ACCOUNTS = ("cn-agent", "cn-cert", "cn-aes")


@pytest.fixture(scope="module", params=[_Sync, _Async], ids=["Client", "AsyncClient"])
def asking(request: pytest.FixtureRequest, running: Sandbox) -> Iterator[Ask]:
    """Either client with the further accounts; `cn-fetch` may fetch certificates."""
    config: dict[str, Any] = running.config(all_accounts=True)
    accounts = {name: config["accounts"][name] for name in ACCOUNTS}
    accounts["cn-fetch"] = accounts["cn-cert"] | {"cert_download": True}
    made = request.param({"default": "cn-cert", "accounts": accounts, "retry": {"attempts": 1}})
    yield made
    made.close()


@pytest.fixture
def stocked(box: Sandbox) -> Sandbox:
    """The sandbox with one pass for each account."""
    box.add_passes([{"account": name, "id": "1"} for name in ACCOUNTS])
    return box


@pytest.mark.parametrize("account", ACCOUNTS)
def test_an_update_of_each_kind_is_applied(asking: Ask, stocked: Sandbox, account: str) -> None:
    pass_ = PassRef(id="1")
    assert asking.apply(Revise(to=account, pass_=pass_, content=Content(params={"title": "券"}))).code is Code.APPLIED
    assert asking.apply(Redeem(to=account, pass_=pass_)).code is Code.APPLIED
    assert asking.apply(Close(to=account, pass_=pass_)).code is Code.APPLIED
    assert state(stocked, account) == ("CLOSED", {"title": "券"})
    assert asking.apply(Redeem(to=account, pass_=PassRef(id="2"))).code is Code.PASS_NOT_FOUND


@pytest.mark.parametrize(
    ("account", "fault", "code"),
    [
        ("cn-cert", "cert-sn-before", Code.APPLIED),
        ("cn-cert", "cert-sn-after", Code.APPLIED),
        ("cn-cert", "sign-first", Code.APPLIED),
        ("cn-cert", "cert-sn-unknown", Code.UNTRUSTED_ANSWER),
        ("cn-fetch", "cert-sn-unknown", Code.UNTRUSTED_ANSWER),
        ("cn-cert", "stranger-certificate", Code.UNTRUSTED_ANSWER),
        ("cn-cert", "unsigned", Code.UNTRUSTED_ANSWER),
        ("cn-aes", "encrypted", Code.BAD_ANSWER),
        ("cn-aes", "torn-ciphertext", Code.BAD_ANSWER),
        ("cn-aes", "plain-answer", Code.BAD_ANSWER),
        ("cn-aes", "plain-error", Code.UNTRUSTED_ANSWER),
        ("cn-aes", "code:isv.decryption-error-unknown", Code.ACCESS_DENIED),
        ("cn-agent", "code:aop.invalid-app-auth-token", Code.ACCESS_DENIED),
    ],
)
def test_a_fault_comes_out_as_what_it_is(asking: Ask, stocked: Sandbox, account: str, fault: str, code: Code) -> None:
    stocked.add_fault({"fault": fault, "gateway": "mainland"})
    assert asking.apply(Redeem(to=account, pass_=PassRef(id="1"))).code is code
    assert stocked.faults() == []


@pytest.mark.parametrize("new_key", [False, True])
def test_a_renewed_certificate_is_believed_where_it_may_be_fetched(asking: Ask, stocked: Sandbox, new_key: bool) -> None:  # noqa: FBT001
    stocked.renew_certificate(new_key=new_key)
    refused = asking.apply(Redeem(to="cn-cert", pass_=PassRef(id="1")))
    assert (refused.code, refused.finding is not None) == (Code.UNTRUSTED_ANSWER, True)
    assert asking.apply(Close(to="cn-fetch", pass_=PassRef(id="1"))).code is Code.APPLIED


def test_a_strangers_certificate_is_not_believed_though_its_serial_number_is_right(asking: Ask, stocked: Sandbox) -> None:
    stocked.renew_certificate(new_key=True)
    stocked.add_fault({"fault": "stranger-certificate", "count": 2})
    assert asking.apply(Redeem(to="cn-fetch", pass_=PassRef(id="1"))).code is Code.UNTRUSTED_ANSWER
    assert stocked.faults() == []
