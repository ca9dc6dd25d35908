"""Notifications, signed by hand over text that is put together here: true only where they are the gateway's."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from alipay.aop.api.util.SignatureUtils import sign_with_rsa2
from cryptography.hazmat.primitives.hashes import SHA1
from hypothesis import given
from hypothesis import strategies as st

from passbridge import ConfigError, Notification, verify_notify
from tests.backends.support import certificate, openssl_verifies, pem, sign, vector_file

SERIALS = {name: rows[0]["serial"] for name, rows in vector_file("certificates/serials.json").items()}
KEY = pem("cn-gateway-public")
CERT = certificate("gateway").reveal()
TEXT = (
    "app_id=2014072300007148&body=券 标题&charset=utf-8&notify_time=2026-11-22 10:00:00&notify_type=trade_status_sync"
    "&seller_email=a+b@example.com&total_amount=8.80&trade_status=TRADE_SUCCESS&version=1.0"
)
PARAMS = dict(part.split("=", 1) for part in TEXT.split("&"))


def signed(params: Mapping[str, str], text: str | None = None, *, key: str = "cn-gateway", charset: str = "utf-8") -> dict[str, str]:
    """A notification; the signed text is the sorted parameters unless it is given."""
    text = "&".join(f"{name}={params[name]}" for name in sorted(params)) if text is None else text
    return {**params, "sign_type": "RSA2", "sign": base64.b64encode(sign(key, text.encode(charset))).decode()}


def raw(params: Mapping[str, str], charset: str = "utf-8") -> bytes:
    return urlencode(params, encoding=charset).encode()


def code(found: Notification) -> str | None:
    assert bool(found) == (found.finding is None) == bool(found.params)
    return found.finding.code if found.finding else None


def test_openssl_agrees_about_the_signed_text() -> None:
    assert openssl_verifies("cn-gateway", TEXT.encode(), base64.b64decode(signed(PARAMS)["sign"]))


FORMS: dict[str, Any] = {
    "the raw body": raw(signed(PARAMS)),
    "the raw body as text": raw(signed(PARAMS)).decode(),
    "a mapping": signed(PARAMS),
    "pairs": list(signed(PARAMS).items())[::-1],
    "an iterator of pairs": None,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("trust", [{"gateway_public_key": KEY}, {"gateway_public_key": KEY.decode()}, {"gateway_cert": CERT}], ids=str)
def test_a_notification_is_verified_in_every_form(form: Any, trust: dict[str, Any]) -> None:  # noqa: ANN401 - any form
    found = verify_notify(iter(signed(PARAMS).items()) if form is None else form, **trust)
    assert (code(found), dict(found.params)) == (None, PARAMS)


def test_the_official_kits_signature_is_believed() -> None:
    params = {**PARAMS, "sign": sign_with_rsa2(pem("cn-gateway").decode(), TEXT, "utf-8"), "sign_type": "RSA2"}
    assert verify_notify(raw(params), gateway_public_key=KEY)


@pytest.mark.parametrize("charset", ["GBK", "gb2312", "gb18030"])
def test_the_charset_is_the_notifications_own(charset: str) -> None:
    params = signed(PARAMS | {"charset": charset}, charset=charset)
    for form in (raw(params, charset), params):
        assert dict(verify_notify(form, gateway_public_key=KEY).params) == PARAMS | {"charset": charset}


def test_the_legacy_type_is_believed_where_it_is_configured() -> None:
    signature = base64.b64encode(sign("cn-gateway", TEXT.encode(), SHA1())).decode()  # noqa: S303 - the legacy type
    params = {**PARAMS, "sign_type": "RSA", "sign": signature}
    assert code(verify_notify(params, gateway_public_key=KEY, sign_type="RSA")) is None
    assert code(verify_notify(params, gateway_public_key=KEY)) == "SIG-ALGORITHM"
    assert code(verify_notify(params | {"sign_type": "RSA2"}, gateway_public_key=KEY)) == "SIG-MISMATCH"


def test_a_certificate_is_chosen_by_its_number() -> None:
    both = CERT + certificate("gateway-2").reveal()
    for name, key in (("gateway", "cn-gateway"), ("gateway-2", "cn-gateway-2")):
        params = PARAMS | {"alipay_cert_sn": SERIALS[name]}
        assert code(verify_notify(signed(params, key=key), gateway_cert=both)) is None
        assert code(verify_notify(signed(params, key="stranger"), gateway_cert=both)) == "SIG-MISMATCH"
        assert code(verify_notify(signed(params, key="cn-gateway"), gateway_public_key=KEY)) is None
    assert code(verify_notify(signed(PARAMS | {"alipay_cert_sn": SERIALS["app"]}), gateway_cert=both)) == "SIG-UNKNOWN-CERT"


def test_only_what_is_covered_is_given() -> None:
    """Some senders leave out empty parameters or the certificate's number: then nobody vouches for those."""
    more = PARAMS | {"memo": "", "alipay_cert_sn": SERIALS["gateway"]}
    covered = {
        "everything": more,
        "without the number": PARAMS | {"memo": ""},
        "without empty ones": PARAMS | {"alipay_cert_sn": SERIALS["gateway"]},
        "without both": PARAMS,
    }
    for params in covered.values():
        text = "&".join(f"{name}={params[name]}" for name in sorted(params))
        assert dict(verify_notify(signed(more, text), gateway_cert=CERT).params) == params


GOOD = signed(PARAMS)
FORGED: dict[str, tuple[Any, str]] = {
    "another amount": (GOOD | {"total_amount": "0.01"}, "SIG-MISMATCH"),
    "one more": (GOOD | {"refund_fee": "1"}, "SIG-MISMATCH"),
    "one less": ({name: value for name, value in GOOD.items() if name != "body"}, "SIG-MISMATCH"),
    "by a stranger": (signed(PARAMS, key="stranger"), "SIG-MISMATCH"),
    "by ourselves": (signed(PARAMS, key="cn-app"), "SIG-MISMATCH"),
    "unsigned": (PARAMS, "SIG-MISSING"),
    "an empty signature": (GOOD | {"sign": ""}, "SIG-MISSING"),
    "no base64": (GOOD | {"sign": "!"}, "SIG-MALFORMED"),
    "another type": (GOOD | {"sign_type": "RSA"}, "SIG-ALGORITHM"),
    "the type in the text": (signed(PARAMS, TEXT.replace("&total", "&sign_type=RSA2&total")), "SIG-MISMATCH"),
    "twice, as pairs": ([*GOOD.items(), ("total_amount", "8.80")], "NOTIFY-TWICE"),
    "twice, raw": (raw(GOOD) + b"&total_amount=0.01", "NOTIFY-TWICE"),
    "twice, otherwise escaped": (raw(GOOD) + b"&total%5Famount=0.01", "NOTIFY-TWICE"),
    "two signatures": (raw(GOOD) + b"&sign=x", "NOTIFY-TWICE"),
    "an unknown charset": (GOOD | {"charset": "utf-16"}, "NOTIFY-CHARSET"),
    "signed, but not in its charset": (raw(signed(PARAMS, charset="gbk"), "gbk"), "NOTIFY-CHARSET"),
    "nothing": (b"", "SIG-MISSING"),
}


@pytest.mark.parametrize(("form", "expected"), FORGED.values(), ids=FORGED)
def test_whatever_is_not_the_gateways_is_not_believed_and_says_why(form: Any, expected: str) -> None:  # noqa: ANN401 - any form
    found = verify_notify(form, gateway_public_key=KEY)
    assert (code(found), dict(found.params)) == (expected, {})
    assert found.finding is not None
    assert found.finding.mend


@given(at=st.integers(0, 10_000), by=st.integers(1, 255))
def test_a_byte_changed_anywhere_never_changes_what_is_believed(at: int, by: int) -> None:
    body = bytearray(raw(GOOD))
    body[at % len(body)] ^= by
    found = verify_notify(bytes(body), gateway_public_key=KEY)
    assert not found or dict(found.params) == PARAMS


@given(body=st.binary(max_size=200))
def test_no_bytes_at_all_make_it_fail(body: bytes) -> None:
    assert not verify_notify(body, gateway_public_key=KEY)


def test_lists_of_values_are_a_programs_mistake() -> None:
    with pytest.raises(TypeError, match="name and value are text"):
        verify_notify(parse_qs(raw(GOOD).decode()), gateway_public_key=KEY)  # type: ignore[arg-type]


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "neither": ({}, "gateway_cert", "one_of"),
    "both": ({"gateway_public_key": KEY, "gateway_cert": CERT}, "gateway_public_key", "one_of"),
    "a private key": ({"gateway_public_key": pem("cn-gateway")}, "gateway_public_key", "bad_key"),
    "a key for a certificate": ({"gateway_cert": KEY}, "gateway_cert", "bad_key"),
    "too short": ({"gateway_public_key": pem("weak-public")}, "gateway_public_key", "bad_key"),
}


@pytest.mark.parametrize(("trust", "path", "problem"), WRONG.values(), ids=WRONG)
def test_a_key_that_cant_work_is_a_configuration_error(trust: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        verify_notify(GOOD, **trust)
    assert [(one.path, one.code) for one in caught.value.problems] == [(path, problem)]
