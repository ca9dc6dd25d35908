"""What an account's settings may hold, for each backend."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from passbridge.backends.hk import HkSettings
from passbridge.backends.mainland import MainlandSettings
from passbridge.protocol.settings import Secret
from tests.backends.hk.desk import settings as hk
from tests.backends.mainland.desk import settings as mainland
from tests.backends.support import secret

OPENERS = {"hk": hk, "mainland": mainland}
KEY = secret("hk-gateway-public")


def wrong(backend: str, /, **given: object) -> list[tuple[str, str]]:
    """The members that are wrong, and how."""
    with pytest.raises(ValidationError) as caught:
        OPENERS[backend](**given)
    return [(".".join(map(str, error["loc"])), error["type"]) for error in caught.value.errors()]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (hk(), {"profile": "ticket", "key_version": "1", "algorithm": "RSA256", "gateway_public_keys": {}, "encryption": None}),
        (hk(algorithm="ECC224"), {"algorithm": "ECC224", "ecc_hash": None}),
        (hk(encryption={}).encryption, {"algorithm": "RSA_AES", "wrap": "PKCS1", "content_type": "text/plain", "key_version": None}),
        (hk(merchant_id=None, private_key=None), {"merchant_id": None, "private_key": None}),
        (mainland(), {"profile": "pass", "sign_type": "RSA2", "charset": "utf-8", "gbk_check": True, "app_auth_token": None}),
        (mainland(channel_id=None, private_key=None), {"channel_id": None, "private_key": None}),
    ],
    ids=["hk", "hk, a curve", "hk, encrypted", "hk, little", "mainland", "mainland, little"],
)
def test_what_is_left_out_has_its_documented_default(settings: BaseModel, expected: dict[str, object]) -> None:
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("backend", "member", "value", "kind"),
    [
        ("hk", "backend", "mainland", "literal_error"),
        ("hk", "profile", "coupon", "literal_error"),
        ("hk", "client_id", "", "string_pattern_mismatch"),
        ("hk", "client_id", "a b", "string_pattern_mismatch"),
        ("hk", "client_id", "a\n", "string_pattern_mismatch"),
        ("hk", "client_id", "é", "string_pattern_mismatch"),
        ("hk", "client_id", "a" * 129, "string_too_long"),
        ("hk", "client_id", 7, "string_type"),
        ("hk", "merchant_id", "", "string_too_short"),
        ("hk", "key_version", "one", "string_pattern_mismatch"),
        ("hk", "key_version", "1234567890", "string_pattern_mismatch"),
        ("hk", "algorithm", "RSA2", "literal_error"),
        ("hk", "algorithm", "ecc224", "literal_error"),
        ("hk", "ecc_hash", "SHA1", "literal_error"),
        ("hk", "gateway", "http://open.alipay.hk", "gateway_url"),
        ("hk", "gateway_public_key", "a path", "is_instance_of"),
        ("hk", "app_id", "1", "extra_forbidden"),
        ("mainland", "backend", "hk", "literal_error"),
        ("mainland", "profile", "ticket", "literal_error"),
        ("mainland", "app_id", "", "string_pattern_mismatch"),
        ("mainland", "app_id", "1" * 33, "string_pattern_mismatch"),
        ("mainland", "app_id", "2014-07", "string_pattern_mismatch"),
        ("mainland", "channel_id", "", "string_too_short"),
        ("mainland", "channel_id", "1" * 1000, "string_too_long"),
        ("mainland", "sign_type", "rsa2", "literal_error"),
        ("mainland", "sign_type", "RSA256", "literal_error"),
        ("mainland", "charset", "GBK", "literal_error"),
        ("mainland", "charset", "gb2312", "literal_error"),
        ("mainland", "app_auth_token", Secret(b"", "test"), "token"),
        ("mainland", "app_auth_token", Secret(b" \n", "test"), "token"),
        ("mainland", "app_auth_token", Secret(b"two words", "test"), "token"),
        ("mainland", "app_auth_token", Secret("é".encode(), "test"), "token"),
        ("mainland", "app_auth_token", "the token itself", "is_instance_of"),
        ("mainland", "gbk_check", "perhaps", "bool_parsing"),
        ("mainland", "client_id", "1", "extra_forbidden"),
    ],
)
def test_a_member_that_cannot_work_is_refused(backend: str, member: str, value: object, kind: str) -> None:
    assert wrong(backend, **{member: value}) == [(member, kind)]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("client_id", "A-b_c.9" + "x" * 121),
        ("key_version", "0"),
        ("key_version", "123456789"),
        ("profile", "card"),
        ("profile", "membership"),
    ],
)
def test_what_can_work_at_alipayhk_is_taken(member: str, value: str) -> None:
    assert getattr(hk(**{member: value}), member) == value


@pytest.mark.parametrize(("member", "value"), [("app_id", "a" * 32), ("channel_id", "1" * 999), ("sign_type", "RSA"), ("charset", "gbk")])
def test_what_can_work_on_the_mainland_is_taken(member: str, value: str) -> None:
    assert getattr(mainland(**{member: value}), member) == value


def test_the_gateway_s_key_is_named_in_one_way_and_not_in_two() -> None:
    message = "give gateway_public_key, or gateway_public_keys by version, and not both"
    ways: list[dict[str, object]] = [{"gateway_public_key": None}, {"gateway_public_keys": {"1": KEY}}]
    for given in ways:
        with pytest.raises(ValidationError) as caught:
            hk(**given)
        assert [(error["type"], error["msg"]) for error in caught.value.errors()] == [("gateway_key", message)]
    assert hk(gateway_public_key=None, gateway_public_keys={"1": KEY, "2": KEY}).gateway_public_keys == {"1": KEY, "2": KEY}


@pytest.mark.parametrize("version", ["one", "", "-1", "1234567890"])
def test_a_key_s_version_is_a_number(version: str) -> None:
    assert wrong("hk", gateway_public_key=None, gateway_public_keys={version: KEY}) == [
        (f"gateway_public_keys.{version}.[key]", "string_pattern_mismatch")
    ]


@pytest.mark.parametrize(
    ("member", "value", "kind"),
    [
        ("algorithm", "RSA", "literal_error"),
        ("wrap", "OAEP", "literal_error"),
        ("content_type", "text/html", "literal_error"),
        ("key_version", "one", "string_pattern_mismatch"),
        ("mode", "CBC", "extra_forbidden"),
        ("iv", "0" * 32, "extra_forbidden"),
    ],
)
def test_an_encryption_that_cannot_work_is_refused(member: str, value: str, kind: str) -> None:
    assert wrong("hk", encryption={member: value}) == [(f"encryption.{member}", kind)]


@pytest.mark.parametrize("wrap", ["PKCS1", "OAEP-SHA1", "OAEP-SHA256"])
def test_an_encryption_may_be_another_profile(wrap: str) -> None:
    settings = hk(encryption={"wrap": wrap, "content_type": "application/json", "key_version": "2"})
    assert settings.encryption is not None
    assert (settings.encryption.wrap, settings.encryption.content_type, settings.encryption.key_version) == (wrap, "application/json", "2")


UNUSED: dict[str, tuple[dict[str, object], str]] = {
    "a hash without its curve": ({"ecc_hash": "SHA256"}, "ecc_hash is for ECC224 alone: leave it out, or set algorithm"),
    **{
        f"{member} without encryption": (
            {member: KEY},
            "encryption_private_key and encryption_public_key are for encryption: set it, or leave them out",
        )
        for member in ("encryption_private_key", "encryption_public_key")
    },
}


@pytest.mark.parametrize(("given", "message"), UNUSED.values(), ids=UNUSED)
def test_what_would_go_unused_is_refused(given: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        hk(**given)
    assert [(error["type"], error["msg"]) for error in caught.value.errors()] == [("unused", message)]


def test_a_token_is_taken_without_the_blanks_around_it_and_shown_to_nobody() -> None:
    settings = mainland(app_auth_token=Secret(b" 201510BBb507\r\n", "$CN_AUTH_TOKEN"))
    assert settings.app_auth_token is not None
    assert (settings.app_auth_token.reveal(), settings.app_auth_token.origin) == (b"201510BBb507", "$CN_AUTH_TOKEN")
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert "201510BBb507" not in shown
        assert "BEGIN" not in shown


def test_a_wrong_token_does_not_stand_in_the_complaint() -> None:
    with pytest.raises(ValidationError) as caught:
        mainland(app_auth_token=Secret(b"top secret", "test"))
    assert "top secret" not in str(caught.value)
    assert [error["msg"] for error in caught.value.errors()] == ["is no token: one word of ASCII is wanted"]


@pytest.mark.parametrize("settings", [hk(), mainland()])
def test_settings_cannot_be_changed(settings: HkSettings | MainlandSettings) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings.gateway = "https://elsewhere.example"  # type: ignore[misc]
