"""What everybody may know of an AlipayHK account's keys."""

from __future__ import annotations

from passbridge.backends.hk import BACKEND
from passbridge.protocol.gateway import Credential, TellsCredentials
from tests.backends.hk.desk import opened, settings
from tests.backends.support import secret, sign, tables


def test_the_keys_are_told_with_their_kind_and_bits() -> None:
    gateway = opened()
    assert isinstance(gateway, TellsCredentials)
    assert gateway.credentials == (
        Credential("private_key", "RSA private key", 2048),
        Credential("gateway_public_key", "RSA public key", 2048),
    )


def test_keys_on_a_curve_and_by_version_are_told_as_such() -> None:
    keys = {"1": secret("hk-gateway-ecc-public"), "2": secret("hk-gateway-ecc-public")}
    told = opened(algorithm="ECC224", private_key=secret("hk-app-ecc"), gateway_public_key=None, gateway_public_keys=keys).credentials
    assert [(one.member, one.kind, one.bits) for one in told] == [
        ("private_key", "elliptic-curve private key", 224),
        ("gateway_public_keys.1", "elliptic-curve public key", 224),
        ("gateway_public_keys.2", "elliptic-curve public key", 224),
    ]


def test_a_callers_own_signer_has_no_key_to_tell() -> None:
    gateway = BACKEND.open(settings(private_key=None), tables(), lambda data: sign("hk-app", data))
    assert [one.member for one in gateway.credentials] == ["gateway_public_key"]
