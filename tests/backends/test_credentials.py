"""An account's keys: every mistake that shows in the keys themselves is told when the account is opened."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

from passbridge import Client, Code, ConfigError, PassRef, Redeem
from passbridge.backends.hk import BACKEND as HK
from passbridge.backends.mainland import BACKEND as MAINLAND
from passbridge.errors import PassbridgeWarning
from passbridge.protocol.settings import Secret
from tests.backends.hk.desk import NOW, UPDATES, field, judged, reply, signature
from tests.backends.hk.desk import SUCCESS as HK_SUCCESS
from tests.backends.hk.desk import settings as hk
from tests.backends.mainland.desk import UPDATES as CN_UPDATES
from tests.backends.mainland.desk import settings as mainland
from tests.backends.support import pem, secret, sign, tables

Told = list[tuple[str, str, str, str]]
OPENERS: dict[str, Callable[[dict[str, object]], object]] = {
    "hk": lambda given: HK.open(hk(**given), tables(), None),
    "mainland": lambda given: MAINLAND.open(mainland(**given), tables(), None),
}


def told(backend: str, **given: object) -> Told:
    """Every problem of an account, in the order it is told."""
    with pytest.raises(ConfigError) as caught:
        OPENERS[backend](given)
    return [(problem.path, problem.code, problem.message, problem.mend) for problem in caught.value.problems]


NAMES = {"hk": "hk-tickets", "mainland": "cn"}
OWN = "download the gateway's public key from its console: it is another one than the key uploaded there"
LONGER = "make a longer key pair and upload its public half"


@pytest.mark.parametrize(("backend", "app"), [("hk", "hk-app"), ("mainland", "cn-app")])
def test_our_own_key_in_the_gateway_s_place_is_told(backend: str, app: str) -> None:
    message = f"{app}-public.pem is the public half of our own key, not the gateway's"
    assert told(backend, gateway_public_key=secret(f"{app}-public")) == [
        (f"accounts.{NAMES[backend]}.gateway_public_key", "own_key", message, OWN)
    ]


def test_our_own_key_is_told_among_keys_by_version_and_in_any_form() -> None:
    der = load_pem_private_key(pem("hk-app"), None).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = {"1": secret("hk-gateway-public"), "2": Secret(der, "second.der")}
    assert told("hk", gateway_public_key=None, gateway_public_keys=keys) == [
        (
            "accounts.hk-tickets.gateway_public_keys.2",
            "own_key",
            "second.der is the public half of our own key, not the gateway's",
            OWN,
        )
    ]


@pytest.mark.parametrize("backend", ["hk", "mainland"])
@pytest.mark.parametrize("sign_type", ["RSA2", "RSA256"])
def test_a_short_key_of_either_side_is_refused(backend: str, sign_type: str) -> None:
    name = "RSA256" if backend == "hk" else "RSA2"
    if sign_type != name:
        return
    for member, key in (("private_key", "weak"), ("gateway_public_key", "weak-public")):
        message = f"{key}.pem has 1024 bits; {name} needs 2048"
        assert told(backend, **{member: secret(key)}) == [(f"accounts.{NAMES[backend]}.{member}", "short_key", message, LONGER)]


@pytest.mark.parametrize("backend", ["hk", "mainland"])
def test_the_wrong_half_is_told(backend: str) -> None:
    problems = told(backend, private_key=secret("stranger-public"), gateway_public_key=secret("stranger"))
    assert [(path.rpartition(".")[2], code, message) for path, code, message, _ in problems] == [
        ("private_key", "bad_key", "stranger-public.pem is a public key where a private one is wanted"),
        ("gateway_public_key", "bad_key", "stranger.pem is a private key where the gateway's public one is wanted"),
    ]
    assert all(mend for *_, mend in problems)


def test_every_missing_key_is_told_at_once_with_its_place() -> None:
    assert told("mainland", private_key=None, gateway_public_key=None, origin="shop.toml") == [
        ("shop.toml: accounts.cn.private_key", "missing", "is missing", "name the key's file"),
        ("shop.toml: accounts.cn.gateway_public_key", "missing", "is missing", "name the key's file"),
    ]
    assert told("hk", private_key=None) == [("accounts.hk-tickets.private_key", "missing", "is missing", "name the key's file")]


def test_no_complaint_holds_a_byte_of_a_key() -> None:
    broken = pem("cn-app").replace(b"-----END", b"-----TEND")
    (_, _, message, mend), *_ = told("mainland", private_key=Secret(broken, "broken.pem"))
    assert "broken.pem" in message
    assert not any(line.decode() in message + mend for line in broken.split() if len(line) > 20)


def test_everything_wrong_with_an_account_is_told_at_once() -> None:
    problems = told("hk", private_key=None, gateway_public_key=secret("weak-public"), merchant_id="1" * 65)
    assert [(path.rpartition(".")[2], code) for path, code, *_ in problems] == [
        ("private_key", "missing"),
        ("gateway_public_key", "short_key"),
        ("merchant_id", "too_long"),
    ]


@pytest.mark.parametrize(("profile", "limit"), [("card", 32), ("membership", 64), ("ticket", 64)])
def test_a_merchant_id_longer_than_its_profile_allows_is_told(profile: str, limit: int) -> None:
    HK.open(hk(profile=profile, merchant_id="1" * limit), tables(), None)
    message = f"has {limit + 1} characters, the document allows {limit}"
    assert told("hk", profile=profile, merchant_id="1" * (limit + 1)) == [
        ("accounts.hk-tickets.merchant_id", "too_long", message, "give the id AlipayHK assigned")
    ]


def test_without_a_documented_limit_a_merchant_id_may_be_long() -> None:
    unlimited = tables("schema = 1\n[hk.ticket.fields.merchant]\nmax_length = 1000\n")
    HK.open(hk(merchant_id="1" * 999), unlimited, None)


@pytest.mark.parametrize(("ours", "theirs", "times"), [("weak", "cn-gateway-public", 1), ("cn-app", "weak-public", 1)])
def test_a_short_key_of_the_legacy_sign_type_is_warned_of(ours: str, theirs: str, times: int) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        MAINLAND.open(mainland(sign_type="RSA", private_key=secret(ours), gateway_public_key=secret(theirs)), tables(), None)
    member, key = ("private_key", ours) if ours == "weak" else ("gateway_public_key", theirs)
    assert [(warning.category, str(warning.message)) for warning in caught] == [
        (PassbridgeWarning, f"accounts.cn.{member}: {key}.pem has 1024 bits; 2048 are safe today")
    ] * times


def test_a_long_key_of_the_legacy_sign_type_is_not_warned_of() -> None:
    MAINLAND.open(mainland(sign_type="RSA"), tables(), None)


@pytest.mark.parametrize("form", ["PKCS#1", "PKCS#8", "DER", "one line of base64"])
def test_a_key_may_come_in_every_form_it_is_handed_out_in(form: str) -> None:
    key = load_pem_private_key(pem("hk-app"), None)
    pkcs8 = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    forms = {
        "PKCS#1": pem("hk-app"),
        "PKCS#8": pkcs8,
        "DER": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        "one line of base64": b"".join(pkcs8.split(b"\n")[1:-2]),
    }
    gateway = HK.open(hk(private_key=Secret(forms[form], "key")), tables(), None)
    assert gateway.sign(b"text") == sign("hk-app", b"text")


def test_a_signer_stands_in_for_the_private_key() -> None:
    seen: list[bytes] = []

    def signer(data: bytes) -> bytes:
        seen.append(data)
        return b"signature"

    for gateway in (
        HK.open(hk(private_key=None), tables(), signer),
        MAINLAND.open(mainland(private_key=None), tables(), signer),
        MAINLAND.open(mainland(private_key=Secret(b"no key at all", "unused")), tables(), signer),
    ):
        update = UPDATES["close"] if gateway.capabilities.backend == "hk" else CN_UPDATES["close"]
        request = gateway.seal(gateway.prepare(update, NOW), NOW)
        assert "c2lnbmF0dXJl" in request.url + str(request.headers["Content-Type"]) + str(dict(request.headers))
    assert len(seen) == 3
    assert seen[0].startswith(b"POST /api/open/")
    assert seen[1].startswith(b"app_id=")


def test_with_a_signer_the_gateway_s_key_is_still_needed_and_used() -> None:
    with pytest.raises(ConfigError):
        MAINLAND.open(mainland(private_key=None, gateway_public_key=None), tables(), lambda data: data)
    gateway = HK.open(hk(private_key=None), tables(), lambda data: data)
    assert judged(reply(), gateway).code is Code.APPLIED
    assert judged(reply(signed=field(signature(HK_SUCCESS, key="stranger"))), gateway).code is Code.UNTRUSTED_ANSWER


def test_a_client_tells_the_problems_of_every_account_at_once() -> None:
    def configured(**more: object) -> dict[str, Any]:
        return {"gateway": "https://gateway.example", "private_key": pem("hk-app"), "gateway_public_key": pem("hk-app-public"), **more}

    accounts = {
        "hk": configured(backend="hk", profile="card", client_id="1", merchant_id="1" * 33),
        "cn": configured(backend="mainland", app_id="1"),
        "good": configured(backend="mainland", app_id="1", channel_id="2", gateway_public_key=pem("cn-gateway-public")),
    }
    with pytest.raises(ConfigError) as caught:
        Client.from_config({"accounts": accounts})
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [
        ("accounts.hk.gateway_public_key", "own_key"),
        ("accounts.hk.merchant_id", "too_long"),
        ("accounts.cn.gateway_public_key", "own_key"),
    ]
    with Client.from_config({"accounts": {"good": accounts["good"]}}) as client:
        assert client.check(Redeem(to="good", pass_=PassRef(id="1"))) == ()
