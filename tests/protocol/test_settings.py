from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from passbridge.domain.problems import problems_of
from passbridge.protocol.settings import AccountSettings, RetrySettings, Secret, gateway_url

ACCOUNT = {"name": "cn", "origin": "passbridge.toml", "backend": "mainland", "gateway": "https://gateway.example/gateway.do"}


class Holder(BaseModel):
    key: Secret


def test_a_secret_is_shown_to_nobody() -> None:
    secret = Secret(b"sesame", "keys/app.pem")
    holder = Holder(key=secret)
    assert secret.reveal() == b"sesame"
    assert secret.origin == "keys/app.pem"
    shown = [repr(secret), str(secret), f"{secret}", repr(holder), str(holder.model_dump()), holder.model_dump_json()]
    assert not [text for text in shown if "sesame" in text]
    assert repr(secret) == "Secret(…)"
    assert holder.model_dump() == {"key": "Secret(…)"}
    with pytest.raises(TypeError):
        vars(secret)


def test_a_secret_is_not_pickled_and_a_copy_is_itself() -> None:
    secret = Secret(b"sesame", "")
    with pytest.raises(TypeError, match=r"^secrets are not pickled$"):
        pickle.dumps(secret)
    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_only_a_secret_is_taken_for_one() -> None:
    with pytest.raises(ValidationError):
        Holder.model_validate({"key": b"sesame"})


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://open.alipay.hk", "https://open.alipay.hk"),
        ("https://open.alipay.hk/", "https://open.alipay.hk"),
        ("https://openapi.alipay.com/gateway.do", "https://openapi.alipay.com/gateway.do"),
        ("https://gateway.example:8443/a/", "https://gateway.example:8443/a"),
        ("https://gateway.example/a://X", "https://gateway.example/a://X"),
        ("https://gateway.example/a/%20b;c=1", "https://gateway.example/a/%20b;c=1"),
        ("https://gateway_1.example.:65535", "https://gateway_1.example.:65535"),
        ("https://gateway.example:1", "https://gateway.example:1"),
        (f"https://{'a' * 63}.example", f"https://{'a' * 63}.example"),
        ("https://[2001:db8::1]/x", "https://[2001:db8::1]/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://127.0.0.1", "http://127.0.0.1"),
        ("http://localhost:1/gateway.do", "http://localhost:1/gateway.do"),
        ("http://[::1]", "http://[::1]"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
    ],
)
def test_a_gateway_is_a_plain_absolute_url(url: str, kept: str) -> None:
    assert gateway_url(url) == kept
    assert AccountSettings.model_validate(ACCOUNT | {"gateway": url}).gateway == kept


PLAIN = "is not a plain absolute URL; write it as https://host/path"
LOOPBACK = "must be https: plain http is taken for 127.0.0.1, localhost and [::1] alone"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("", PLAIN),
        ("open.alipay.hk", PLAIN),
        ("ftp://open.alipay.hk", PLAIN),
        ("https://", PLAIN),
        ("https:///path", PLAIN),
        ("https://:443", PLAIN),
        ("https://user@host", PLAIN),
        ("HTTPS://host", PLAIN),
        ("https:/host", PLAIN),
        ("https://host:", PLAIN),
        ("https://host:0", PLAIN),
        ("https://host:65536", PLAIN),
        ("https://host:000443", PLAIN),
        ("https://host:a", PLAIN),
        ("https://a..b", PLAIN),
        ("https://.a", PLAIN),
        (f"https://{'a' * 64}.example", PLAIN),
        ("https://[::1", PLAIN),
        ("https://[]", PLAIN),
        ("https://[::g]", PLAIN),
        ("https://host\\path", PLAIN),
        ('https://host/a"b', PLAIN),
        ("https://host/支付", PLAIN),
        ("https://host\x00", PLAIN),
        ("https://host?a=1", PLAIN),
        ("https://host#a", PLAIN),
        ("https://ho st", PLAIN),
        ("https://host\t", PLAIN),
        ("https://host\r", PLAIN),
        ("https://host\n", PLAIN),
        ("https://支付.example", PLAIN),
        ("http://open.alipay.hk", LOOPBACK),
        ("http://127.0.0.1.example", LOOPBACK),
        ("http://127.0.0.1.", LOOPBACK),
        ("http://[::2]", LOOPBACK),
        ("http://localhost.example:80", LOOPBACK),
        ("http://192.168.0.1", LOOPBACK),
    ],
)
def test_any_other_url_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        AccountSettings.model_validate(ACCOUNT | {"gateway": url})
    (problem,) = problems_of(caught.value)
    assert (problem.path, problem.code, problem.message) == ("gateway", "gateway_url", message)


BOUNDS: dict[str, tuple[list[Any], list[Any]]] = {
    "attempts": ([1, 100], [0, 101, 1.5]),
    "deadline": ([0.001, 3600], [0, -1, 3600.001, float("inf"), float("nan")]),
    "connect_timeout": ([0.001, 3600], [0, 3600.001, float("inf"), float("nan")]),
    "read_timeout": ([0.001, 3600], [0, 3600.001, float("inf"), float("nan")]),
    "clock_window": ([0.001, 10**6], [0, -1, float("inf"), float("nan")]),
}


@pytest.mark.parametrize(("member", "taken"), [(name, value) for name, (good, _) in BOUNDS.items() for value in good])
def test_retry_settings_reach_to_their_bounds(member: str, taken: float) -> None:
    assert getattr(RetrySettings.model_validate({member: taken}), member) == taken


@pytest.mark.parametrize(("member", "refused"), [(name, value) for name, (_, bad) in BOUNDS.items() for value in bad])
def test_retry_settings_end_at_their_bounds(member: str, refused: float) -> None:
    with pytest.raises(ValidationError):
        RetrySettings.model_validate({member: refused})


def test_the_defaults_are_the_documented_ones() -> None:
    assert RetrySettings().model_dump() == {
        "attempts": 3,
        "deadline": 10.0,
        "connect_timeout": 3.0,
        "read_timeout": 5.0,
        "clock_window": 900.0,
    }
    assert AccountSettings.model_validate(ACCOUNT).retry == RetrySettings()


def test_settings_are_frozen_refuse_unknown_members_and_quote_no_input() -> None:
    settings = AccountSettings.model_validate(ACCOUNT)
    with pytest.raises(ValidationError, match="frozen"):
        settings.name = "x"  # type: ignore[misc]
    with pytest.raises(ValidationError) as caught:
        AccountSettings.model_validate(ACCOUNT | {"token": "sesame", "gateway": "sesame"})
    assert "sesame" not in str(caught.value)
    assert {problem.path for problem in problems_of(caught.value)} == {"token", "gateway"}


def test_a_member_is_named_with_its_file_where_there_is_one() -> None:
    assert AccountSettings.model_validate(ACCOUNT).at("app_id") == "passbridge.toml: accounts.cn.app_id"
    assert AccountSettings.model_validate(ACCOUNT | {"origin": ""}).at("app_id") == "accounts.cn.app_id"
