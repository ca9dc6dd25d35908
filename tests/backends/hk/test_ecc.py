"""ECC224: both directions by the configured hash alone, judged by the OpenSSL command line; and keys that rotate."""

from __future__ import annotations

import base64
import subprocess
from typing import Any
from urllib.parse import quote, unquote

import pytest

from passbridge import Code, ConfigError
from passbridge.backends.hk import BACKEND
from passbridge.backends.hk.backend import HkGateway
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from tests.backends.hk.desk import CLIENT, NOW, PATH, SUCCESS, TIME, UPDATES, account, field, judged, opened, reply, settings, signature
from tests.backends.support import VECTORS, openssl_verifies, secret, tables

HASHES = {"SHA224": "sha224", "SHA256": "sha256"}
ECC = {
    "algorithm": "ECC224",
    "private_key": secret("hk-app-ecc"),
    "gateway_public_key": secret("hk-gateway-ecc-public"),
}


def curved(**given: object) -> HkGateway:
    return BACKEND.open(settings(**ECC | given), tables(), None)


def sealed(gateway: HkGateway) -> WireRequest:
    return gateway.seal(gateway.prepare(UPDATES["redeem"], NOW), NOW)


def by_openssl(digest: str, key: str = "hk-gateway-ecc", body: bytes = SUCCESS) -> bytes:
    """OpenSSL's signature over an answer."""
    text = f"POST {PATH}\n{CLIENT}.{TIME}.".encode() + body
    command = ["openssl", "dgst", f"-{digest}", "-sign", str(VECTORS / f"keys/{key}.pem")]
    return subprocess.run(command, input=text, capture_output=True, check=True).stdout  # noqa: S603 - our own words


def said(signed: bytes, *, algorithm: str = "ECC224", version: str = "1") -> str:
    return f"algorithm={algorithm},keyVersion={version},signature={quote(base64.b64encode(signed).decode(), safe='')}"


@pytest.mark.parametrize(("given", "digest"), [({}, "sha224"), *(({"ecc_hash": name}, digest) for name, digest in HASHES.items())])
def test_openssl_verifies_what_leaves(given: dict[str, str], digest: str) -> None:
    request = sealed(curved(**given, key_version="3"))
    start, _, value = request.headers["Signature"].partition("signature=")
    assert start == "algorithm=ECC224,keyVersion=3,"
    signed = base64.b64decode(unquote(value), validate=True)
    text = f"POST {PATH}\n{CLIENT}.{TIME}.".encode() + request.body
    assert openssl_verifies("hk-app-ecc", text, signed, digest)
    assert not openssl_verifies("hk-gateway-ecc", text, signed, digest)
    assert (request.body, request.url) == (sealed(account()).body, sealed(account()).url)


@pytest.mark.parametrize("hash_name", HASHES)
@pytest.mark.parametrize("digest", ["sha1", "sha224", "sha256", "sha384"])
def test_an_answer_that_openssl_signed_is_believed_by_the_configured_hash_alone(hash_name: str, digest: str) -> None:
    verdict = judged(reply(signed=said(by_openssl(digest))), curved(ecc_hash=hash_name))
    assert verdict.code is (Code.APPLIED if digest == HASHES[hash_name] else Code.UNTRUSTED_ANSWER)


def finding(response: WireResponse, gateway: HkGateway) -> tuple[str | None, str | None]:
    """The code and the message of what is wrong with an answer that is not believed."""
    verdict = judged(response, gateway)
    assert verdict.code is Code.UNTRUSTED_ANSWER
    return (verdict.finding.code, verdict.finding.message) if verdict.finding else (None, None)


def test_the_algorithm_comes_from_the_configuration_and_never_from_the_message() -> None:
    announced = ("SIG-ALGORITHM", "the answer announces another algorithm than ECC224")
    assert finding(reply(), curved()) == announced
    assert finding(reply(signed=said(by_openssl("sha224"), algorithm="RSA256")), curved()) == announced
    by_rsa = ("SIG-ALGORITHM", "the answer announces another algorithm than RSA256")
    assert finding(reply(signed=said(by_openssl("sha224"))), account()) == by_rsa
    # Under the configured name, a signature of the other kind proves nothing either.
    assert finding(reply(signed=said(signature(SUCCESS))), curved())[0] == "SIG-MISMATCH"
    assert finding(reply(signed=field(by_openssl("sha256"))), account())[0] == "SIG-MISMATCH"


@pytest.mark.parametrize("name", ["ECC224", "ecc224", "Ecc224"])
def test_the_algorithm_s_name_is_not_case_sensitive(name: str) -> None:
    assert judged(reply(signed=said(by_openssl("sha224"), algorithm=name)), curved()).code is Code.APPLIED


def test_a_signature_of_two_numbers_side_by_side_is_none() -> None:
    der = by_openssl("sha224")
    first = der[4 : 4 + der[3]]
    second = der[6 + der[3] :]
    flat = b"".join(number.lstrip(b"\0").rjust(28, b"\0") for number in (first, second))
    assert len(flat) == 56
    assert finding(reply(signed=said(flat)), curved())[0] == "SIG-MISMATCH"


# Keys that rotate


def rotating(**given: object) -> HkGateway:
    keys = {"9": secret("hk-gateway-public"), "10": secret("hk-gateway-2-public")}
    return BACKEND.open(settings(gateway_public_key=None, gateway_public_keys=keys, **given), tables(), None)


@pytest.mark.parametrize(
    ("version", "key", "believed"),
    [
        ("9", "hk-gateway", True),
        ("10", "hk-gateway-2", True),
        ("9", "hk-gateway-2", False),
        ("10", "hk-gateway", False),
        (None, "hk-gateway-2", True),  # no keyVersion: the newest, by number and not by letter
        (None, "hk-gateway", False),
    ],
)
def test_an_answer_is_verified_by_the_key_it_names_and_no_other(version: str | None, key: str, believed: object) -> None:
    value = field(signature(SUCCESS, key=key)).replace("keyVersion=1,", f"keyVersion={version}," if version else "")
    assert judged(reply(signed=value), rotating()).code is (Code.APPLIED if believed else Code.UNTRUSTED_ANSWER)


@pytest.mark.parametrize("version", ["1", "11", "010", "x"])
def test_a_key_version_that_is_not_configured_is_told(version: str) -> None:
    value = field(signature(SUCCESS)).replace("keyVersion=1,", f"keyVersion={version},")
    assert finding(reply(signed=value), rotating()) == ("SIG-KEY-VERSION", "the answer names a keyVersion that is not configured")


@pytest.mark.parametrize("version", ["0", "2", "123456789"])
def test_our_own_key_version_is_what_we_say(version: str) -> None:
    assert f",keyVersion={version}," in sealed(opened(key_version=version)).headers["Signature"]


# Keys that don't fit


def problems(**given: object) -> list[tuple[str, str, str]]:
    with pytest.raises(ConfigError) as caught:
        BACKEND.open(settings(**given), tables(), None)
    return [(one.path.removeprefix("accounts.hk-tickets."), one.code, one.message) for one in caught.value.problems]


NO_CURVE = "a public key, but not of an elliptic curve"
MISSING_OURS = "is missing: the account's own key is no RSA key held here, and answers are encrypted for one"
MISSING_THEIRS = "is missing: the gateway's own key is no RSA key, and requests are encrypted for one"
TWO_KEYS: dict[str, object] = {
    "gateway_public_key": None,
    "gateway_public_keys": {"1": secret("hk-gateway-public"), "2": secret("hk-gateway-2-public")},
}
WRONG: dict[str, tuple[dict[str, object], list[tuple[str, str, str]]]] = {
    "RSA keys under ECC224": (
        {"algorithm": "ECC224"},
        [
            ("private_key", "bad_key", "hk-app.pem is a private key, but not of an elliptic curve"),
            ("gateway_public_key", "bad_key", f"hk-gateway-public.pem is {NO_CURVE}"),
        ],
    ),
    "keys on a curve under RSA256": (
        ECC | {"algorithm": "RSA256"},
        [
            ("private_key", "bad_key", "hk-app-ecc.pem is a private key, but not RSA"),
            ("gateway_public_key", "bad_key", "hk-gateway-ecc-public.pem is a public key, but not RSA"),
        ],
    ),
    "our own key on a curve for the gateway's": (
        ECC | {"gateway_public_key": secret("hk-app-ecc-public")},
        [("gateway_public_key", "own_key", "hk-app-ecc-public.pem is the public half of our own key, not the gateway's")],
    ),
    "encryption under ECC224 without RSA keys": (
        ECC | {"encryption": {}},
        [("encryption_private_key", "missing", MISSING_OURS), ("encryption_public_key", "missing", MISSING_THEIRS)],
    ),
    "encryption with keys on a curve": (
        ECC | {"encryption": {}, "encryption_private_key": secret("hk-app-ecc"), "encryption_public_key": secret("hk-gateway-ecc-public")},
        [
            ("encryption_private_key", "bad_key", "hk-app-ecc.pem is a private key, but not RSA"),
            ("encryption_public_key", "bad_key", "hk-gateway-ecc-public.pem is a public key, but not RSA"),
        ],
    ),
    "encryption with short keys": (
        {"encryption": {}, "encryption_private_key": secret("weak"), "encryption_public_key": secret("weak-public")},
        [
            ("encryption_private_key", "short_key", "weak.pem has 1024 bits; RSA256 needs 2048"),
            ("encryption_public_key", "short_key", "weak-public.pem has 1024 bits; RSA256 needs 2048"),
        ],
    ),
    "encryption to our own key": (
        {"encryption": {}, "encryption_public_key": secret("hk-app-public")},
        [("encryption_public_key", "own_key", "hk-app-public.pem is the public half of our own key, not the gateway's")],
    ),
    "encryption to our own other key": (
        {"encryption": {}, "encryption_private_key": secret("hk-app-2"), "encryption_public_key": secret("hk-app-2-public")},
        [("encryption_public_key", "own_key", "hk-app-2-public.pem is the public half of our own key, not the gateway's")],
    ),
    "a missing private key is told once": (
        {"encryption": {}, "private_key": None},
        [("private_key", "missing", "is missing")],
    ),
    "a broken gateway's key is told once": (
        {"encryption": {}, "gateway_public_key": secret("hk-gateway")},
        [("gateway_public_key", "bad_key", "hk-gateway.pem is a private key where the gateway's public one is wanted")],
    ),
    "a version that is not there": (
        TWO_KEYS | {"encryption": {"key_version": "3"}},
        [("encryption.key_version", "unknown_version", "no such version in gateway_public_keys")],
    ),
}


@pytest.mark.parametrize(("given", "expected"), WRONG.values(), ids=WRONG)
def test_keys_that_don_t_fit_are_all_told_at_once(given: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert problems(**given) == expected


def test_with_a_signer_answers_need_a_key_to_be_opened_with() -> None:
    with pytest.raises(ConfigError) as caught:
        BACKEND.open(settings(private_key=None, encryption={}), tables(), lambda data: data)
    assert [(one.path, one.message) for one in caught.value.problems] == [("accounts.hk-tickets.encryption_private_key", MISSING_OURS)]
    assert BACKEND.open(settings(private_key=None, encryption={}, encryption_private_key=secret("hk-app-2")), tables(), bytes).encryption


def test_an_account_on_a_curve_may_encrypt_by_rsa_keys_of_their_own() -> None:
    gateway = curved(encryption={}, encryption_private_key=secret("hk-app-2"), encryption_public_key=secret("hk-gateway-public"))
    request = sealed(gateway.drawing(bytes))
    text = f"POST {PATH}\n{CLIENT}.{TIME}.".encode() + request.body
    signed = base64.b64decode(unquote(request.headers["Signature"].partition("signature=")[2]))
    assert openssl_verifies("hk-app-ecc", text, signed, "sha224")
    assert isinstance(request.headers, Headers)
