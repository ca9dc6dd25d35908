from __future__ import annotations

import base64
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from passbridge import Client, PassRef, Redeem
from passbridge.errors import PassbridgeWarning
from tests.client.certificates import self_signed
from tests.client.keys import DER, PKCS1, key, private_bytes, public_bytes
from tests.config.setup import CN, GATEWAYS, HK, OURS, opened, problems

HERE = "accounts.hk"


def _hk(**members: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a configuration's values
    """One AlipayHK account with its keys as bytes, and these members on top; None takes one out."""
    whole = HK | {"private_key": OURS, "gateway_public_key": GATEWAYS, **members}
    return {"accounts": {"hk": {name: value for name, value in whole.items() if value is not None}}}


def _cn(**members: Any) -> Mapping[str, Any]:  # noqa: ANN401 - likewise
    return {"accounts": {"cn": CN | {"private_key": OURS, "gateway_public_key": GATEWAYS, **members}}}


def _bare(der: bytes) -> bytes:
    return base64.b64encode(der)


PRIVATE = {
    "PEM, PKCS#8": OURS,
    "PEM, PKCS#1": private_bytes(key("ours"), form=PKCS1),
    "DER, PKCS#8": private_bytes(key("ours"), DER),
    "DER, PKCS#1": private_bytes(key("ours"), DER, PKCS1),
    "bare base64, PKCS#8": _bare(private_bytes(key("ours"), DER)),
    "bare base64, PKCS#1": _bare(private_bytes(key("ours"), DER, PKCS1)) + b"\n",
    "PEM with Windows' line ends": OURS.replace(b"\n", b"\r\n"),
}
PUBLIC = {
    "PEM": GATEWAYS,
    "DER": public_bytes(key("gateway"), DER),
    "bare base64": _bare(public_bytes(key("gateway"), DER)),
}


@pytest.mark.parametrize("form", PRIVATE.values(), ids=PRIVATE)
def test_a_private_key_is_read_in_every_form_it_is_handed_out_in(form: bytes) -> None:
    update = Redeem(to="hk", pass_=PassRef(id="7", user_id="8"))
    with Client.from_config(_hk(private_key=form)) as client:
        assert "signature=" in client.render(update).headers["Signature"]


@pytest.mark.parametrize("form", PUBLIC.values(), ids=PUBLIC)
def test_a_public_key_is_read_in_every_form_it_is_handed_out_in(form: bytes) -> None:
    assert opened(_hk(gateway_public_key=form)) == ["hk"]


BAD_PRIVATE = {
    "empty": (b"", "is empty"),
    "blank": (b" \n", "is empty"),
    "public": (GATEWAYS, "is a public key where a private one is wanted"),
    "a certificate": (self_signed(), "is a certificate where a key is wanted"),
    "locked": (private_bytes(key("ours"), password=b"sesame"), "is protected by a password"),
    "of another kind": (b"", "is a private key, but not RSA"),
    "damaged": (OURS.replace(b"-----END", b"-----AND"), "holds a damaged PEM block"),
    "no key": (b"hello world", "is neither PEM, DER nor base64"),
    "base64 of no key": (b"aGVsbG8=", "holds no readable private key"),
    "too short": (private_bytes(key("short", 1024)), "has 1024 bits; RSA256 needs 2048"),
}


def _elliptic() -> bytes:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - here alone

    pair = ec.generate_private_key(ec.SECP256R1())
    return pair.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize(("data", "message"), BAD_PRIVATE.values(), ids=BAD_PRIVATE)
def test_what_is_no_private_key_is_refused_with_the_reason(data: bytes, message: str) -> None:
    data = _elliptic() if "not RSA" in message else data
    (problem,) = problems(_hk(private_key=data))
    assert problem.path == f"{HERE}.private_key"
    assert problem.message.startswith(f"accounts.hk.private_key {message}")
    assert problem.mend


BAD_PUBLIC = {
    "empty": (b"", "bad_key", "is empty"),
    "private": (private_bytes(key("gateway")), "bad_key", "is a private key where the gateway's public one is wanted"),
    "a certificate": (self_signed(), "bad_key", "is a certificate where a key is wanted"),
    "no key": (b"aGVsbG8=", "bad_key", "holds no readable public key"),
    "too short": (public_bytes(key("short", 1024)), "short_key", "has 1024 bits; RSA256 needs 2048"),
    "our own": (public_bytes(key("ours")), "own_key", "is the public half of our own key, not the gateway's"),
}


@pytest.mark.parametrize(("data", "code", "message"), BAD_PUBLIC.values(), ids=BAD_PUBLIC)
@pytest.mark.parametrize("member", ["gateway_public_key", "gateway_public_keys"])
def test_what_is_no_key_of_the_gateway_is_refused_with_the_reason(member: str, data: bytes, code: str, message: str) -> None:
    keys = {"gateway_public_key": None, "gateway_public_keys": {"1": GATEWAYS, "2": data}}
    place = f"{HERE}.{member}.2" if member == "gateway_public_keys" else f"{HERE}.{member}"
    (problem,) = problems(_hk(**keys) if member == "gateway_public_keys" else _hk(gateway_public_key=data))
    assert (problem.path, problem.code) == (place, code)
    assert message in problem.message


def test_our_own_key_in_the_gateways_place_is_told_for_the_mainland_too() -> None:
    (problem,) = problems(_cn(gateway_public_key=public_bytes(key("ours"))))
    assert (problem.path, problem.code) == ("accounts.cn.gateway_public_key", "own_key")


def test_both_keys_wrong_are_told_at_once() -> None:
    found = problems(_hk(private_key=GATEWAYS, gateway_public_key=OURS))
    assert [problem.path for problem in found] == [f"{HERE}.private_key", f"{HERE}.gateway_public_key"]


def test_a_signer_makes_the_private_key_unnecessary() -> None:
    assert opened(_hk(private_key=None), signers={"hk": bytes}) == ["hk"]
    (problem,) = problems(_hk(private_key=None))
    assert (problem.path, problem.code) == (f"{HERE}.private_key", "missing")


def test_a_short_key_of_the_legacy_kind_is_warned_of() -> None:
    short = _cn(sign_type="RSA", private_key=private_bytes(key("short", 1024)), gateway_public_key=GATEWAYS)
    with pytest.warns(PassbridgeWarning, match=r"^accounts\.cn\.private_key: .* has 1024 bits; 2048 are safe today$"):
        assert opened(short) == ["cn"]


def test_a_long_key_of_the_legacy_kind_is_fine() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opened(_cn(sign_type="RSA")) == ["cn"]


@pytest.mark.parametrize("algorithm", ["RSA", "rsa256", "none", ""])
def test_an_unknown_algorithm_is_refused(algorithm: str) -> None:
    (problem,) = problems(_hk(algorithm=algorithm))
    assert problem.path == f"{HERE}.algorithm"


def test_the_key_of_one_place_is_that_of_every_account_that_extends_it(tmp_path: Path) -> None:
    (tmp_path / "here" / "unused").mkdir()
    accounts = {**_cn()["accounts"], "cn-2": {"extends": "cn", "channel_id": "2"}}
    assert opened({"accounts": accounts}) == ["cn", "cn-2"]
