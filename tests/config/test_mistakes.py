from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from passbridge import ConfigError, Problem
from tests.config.setup import CN, GATEWAYS, HK, OURS, config, opened, problems, written

HERE = "accounts.hk-tickets"

MISTAKES: dict[str, tuple[Mapping[str, Any], str, str, str]] = {
    # what is wrong: the configuration, then the path, code and mend of the one problem
    "a typo in a member": (config({"client_idd": "x"}), f"{HERE}.client_idd", "unknown_member", "did you mean 'client_id'?"),
    "a member of the other backend": (config({"app_id": "7"}), f"{HERE}.app_id", "unknown_member", ""),
    "a name set by hand": (config({"name": "x"}), f"{HERE}.name", "unknown_member", ""),
    "an origin set by hand": (config({"origin": "x"}), f"{HERE}.origin", "unknown_member", "known: "),
    "an unknown table": (config(retries={"attempts": 1}), "retries", "unknown_member", "did you mean 'retry'?"),
    "an unknown backend": (config({"backend": "hkk"}), f"{HERE}.backend", "unknown_backend", "did you mean 'hk'?"),
    "a backend that is no text": (config({"backend": 7}), f"{HERE}.backend", "unknown_backend", "known: hk, mainland"),
    "no backend": (config({"backend": None}), f"{HERE}.backend", "missing", "known: hk, mainland"),
    "no profile": (config({"profile": None}), f"{HERE}.profile", "missing", "add it"),
    "an unknown profile": (config({"profile": "tickets"}), f"{HERE}.profile", "literal_error", ""),
    "no client id": (config({"client_id": None}), f"{HERE}.client_id", "missing", "add it"),
    "no gateway": (config({"gateway": None}), f"{HERE}.gateway", "missing", "add it"),
    "no app id": (config(cn={"app_id": None}), "accounts.cn.app_id", "missing", "add it"),
    "no private key": (config({"private_key": None}), f"{HERE}.private_key", "missing", "name the key's file"),
    "no key of the gateway": (config({"gateway_public_key": None}), HERE, "gateway_key", ""),
    "no key of the mainland": (config(cn={"gateway_public_key": None}), "accounts.cn.gateway_public_key", "missing", "name the key's file"),
    "a number without its quotes": (config({"merchant_id": 2312314123123123}), f"{HERE}.merchant_id", "string_type", "put it in quotes"),
    "a merchant id too long": (config({"merchant_id": "7" * 65}), f"{HERE}.merchant_id", "too_long", "give the id AlipayHK assigned"),
    "an account that is no table": ({"accounts": {"hk-tickets": "ours.pem"}}, HERE, "not_a_table", "write [accounts.hk-tickets]"),
    "accounts that are no table": ({"accounts": ["hk"]}, "accounts", "not_a_table", "write [accounts]"),
    "a retry that is no table": (config(retry=3), "retry", "not_a_table", "write [retry]"),
    "an account's retry that is no table": (config({"retry": 3}), f"{HERE}.retry", "model_type", ""),
    "a http that is no table": (config(http=[]), "http", "not_a_table", "write [http]"),
    "mappings that are no table": (config(mappings="acme.toml"), "mappings", "not_a_table", "write [mappings]"),
    "overlays that are no list": (config(mappings={"overlays": "acme.toml"}), "mappings.overlays", "tuple_type", ""),
    "an unknown member of mappings": (config(mappings={"overlay": []}), "mappings.overlay", "unknown_member", "did you mean 'overlays'?"),
    "an overlay that isn't there": (config(mappings={"overlays": ["a.toml"]}), "mappings.overlays", "unreadable_file", "give the path"),
    "an overlay of nobody": (config(mappings={"overlays": ["~nobody-here/a.toml"]}), "mappings.overlays", "unreadable_file", ""),
    "a default that isn't there": (config(default="cnn"), "default", "unknown_account", "did you mean 'cn'?"),
    "a default that is no name": (config(default=["cn"]), "default", "unknown_account", ""),
    "an extends that isn't there": (config({"extends": "cnn"}), f"{HERE}.extends", "unknown_account", "did you mean 'cn'?"),
    "an extends that is no name": (config({"extends": ["cn"]}), f"{HERE}.extends", "unknown_account", ""),
    "an extends of itself": (config({"extends": "hk-tickets"}), f"{HERE}.extends", "unknown_account", "known: cn"),
    "a secrets_dir that is no path": (config(secrets_dir=7), "secrets_dir", "string_type", "put it in quotes"),
    "an http that is unknown": (config(http={"proxi": "x"}), "http.proxi", "unknown_member", "did you mean 'proxy'?"),
    "a proxy that speaks TLS": (config(http={"proxy": "https://proxy:3128"}), "http.proxy", "proxy", ""),
    "a proxy without http": (config(http={"proxy": "proxy:3128"}), "http.proxy", "proxy", ""),
    "a proxy without a host": (config(http={"proxy": "http://"}), "http.proxy", "proxy", ""),
    "a proxy whose port is none": (config(http={"proxy": "http://proxy:31z8"}), "http.proxy", "proxy", ""),
    "a ca_file that isn't there": (config(http={"ca_file": "ca.pem"}), "http.ca_file", "unreadable_file", "give a PEM file"),
    "a ca_file without certificates": (config(http={"ca_file": "gateway.pem"}), "http.ca_file", "unreadable_file", "give a PEM file"),
    "a ca_file of nobody": (config(http={"ca_file": "~nobody-here/ca.pem"}), "http.ca_file", "unreadable_file", ""),
    "a typo in encryption": (
        config({"encryption": {"warp": "PKCS1"}}),
        f"{HERE}.encryption.warp",
        "unknown_member",
        "did you mean 'wrap'?",
    ),
    "a mode of encryption": (config({"encryption": {"mode": "CBC"}}), f"{HERE}.encryption.mode", "unknown_member", "known: algorithm, "),
    "an encryption that is no table": (config({"encryption": True}), f"{HERE}.encryption", "model_type", ""),
    "a hash without its curve": (config({"ecc_hash": "SHA256"}), HERE, "unused", ""),
    "a trusted environment in words": (config(http={"trust_env": "perhaps"}), "http.trust_env", "bool_parsing", ""),
}

RETRY = ("attempts", "deadline", "connect_timeout", "read_timeout", "clock_window")
BAD_NUMBERS: dict[str, list[Any]] = {
    "attempts": [0, 101, -1, 1.5, "many"],
    **{name: [0, -1, 3601, float("inf"), float("nan"), "long"] for name in ("deadline", "connect_timeout", "read_timeout")},
    "clock_window": [0, -1, float("inf"), float("nan"), "long"],
}

GATEWAYS_REFUSED = [
    "http://open.alipay.hk",
    "http://127.0.0.1.example.com",
    "http://localhost.example.com",
    "http://10.0.0.1:8080",
    "ftp://open.alipay.hk",
    "open.alipay.hk",
    "https://",
    "https:///path",
    "https://user:pass@open.alipay.hk",
    "https://open.alipay.hk/?a=1",
    "https://open.alipay.hk/#a",
    "https://open.alipay.hk /",
    "https://öpen.alipay.hk",
    "https://open.alipay.hk:44e",
    "https://open.alipay.hk:99999",
    "https://open.alipay.hk:0x1",
    "https://[::1",
    "https://a\\b",
    "https://a..b",
    "",
]


def _expect(found: tuple[Problem, ...], file: Path, path: str, code: str, mend: str) -> None:
    assert [(problem.path, problem.code) for problem in found] == [(f"{file}: {path}", code)]
    assert mend in found[0].mend
    assert found[0].message
    assert str(file) in str(found[0])


@pytest.mark.parametrize(("wrong", "path", "code", "mend"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_its_mend(tmp_path: Path, wrong: Mapping[str, Any], path: str, code: str, mend: str) -> None:
    file = written(tmp_path, wrong)
    _expect(problems(file), file, path, code, mend)


@pytest.mark.parametrize("url", GATEWAYS_REFUSED)
def test_an_address_that_cant_be_a_gateways_is_refused(tmp_path: Path, url: str) -> None:
    file = written(tmp_path, config({"gateway": url}))
    _expect(problems(file), file, f"{HERE}.gateway", "gateway_url", "")


@pytest.mark.parametrize(
    "url", ["https://a.example:8443/x/y", "http://127.0.0.1:80", "http://localhost", "http://[::1]:9/x", "https://[2001:db8::1]"]
)
def test_an_address_that_may_be_a_gateways_is_taken(tmp_path: Path, url: str) -> None:
    assert opened(written(tmp_path, config({"gateway": url}))) == ["hk-tickets", "cn"]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD_NUMBERS.items() for value in values])
@pytest.mark.parametrize("table", ["", f"{HERE}."], ids=["for all", "for one account"])
def test_a_number_of_retry_out_of_its_bounds_is_refused(table: str, name: str, value: object) -> None:
    keys = {"private_key": OURS, "gateway_public_key": GATEWAYS}
    wrong = config({**keys, "retry": {name: value}}, keys) if table else config(keys, keys, retry={name: value})
    (problem,) = problems(wrong)
    assert problem.path == f"{table}retry.{name}"


@pytest.mark.parametrize("name", RETRY)
def test_a_typo_in_retry_is_told_with_what_was_meant(tmp_path: Path, name: str) -> None:
    file = written(tmp_path, config({"retry": {f"{name}s_": 1}}, retry={f"{name}s_": 1}))
    assert [(problem.path, problem.code, problem.mend) for problem in problems(file)] == [
        (f"{file}: retry.{name}s_", "unknown_member", f"did you mean {name!r}?"),
        (f"{file}: {HERE}.retry.{name}s_", "unknown_member", f"did you mean {name!r}?"),
    ]


def test_a_circle_of_accounts_is_told_once_for_each() -> None:
    found = problems({"accounts": {"a": {"extends": "b"}, "b": {"extends": "c"}, "c": {"extends": "a"}, "d": {"extends": "c"}}})
    assert {(problem.code, problem.message) for problem in found} == {("unknown_account", "extends itself")}
    assert {problem.path for problem in found} <= {f"accounts.{name}.extends" for name in "abcd"}


@pytest.mark.parametrize("twin", ["hk_tickets", "HK-Tickets", "Hk_tickets"])
def test_two_names_that_the_environment_cant_tell_apart_are_refused(tmp_path: Path, twin: str) -> None:
    file = written(tmp_path, {"accounts": {"hk-tickets": HK, "cn": CN, twin: HK}})
    _expect(problems(file), file, f"accounts.{twin}", "same_name", "rename one of them")


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    wrong = config({"client_idd": "x", "gateway": "http://a.example"}, {"private_key": "nowhere.pem"}, retry={"attempts": 0}, default="x")
    file = written(tmp_path, {**wrong, "htp": {}, "mappings": {"overlays": ["a.toml"]}, "http": {"ca_file": "ca.pem", "proxy": "x"}})
    with pytest.raises(ConfigError) as raised:
        opened(file)
    places = {problem.path.removeprefix(f"{file}: ") for problem in raised.value.problems}
    assert places == {
        "htp",
        "retry.attempts",
        f"{HERE}.client_idd",
        f"{HERE}.gateway",
        "accounts.cn.private_key",
        "http.proxy",
        "default",
        "mappings.overlays",
    }
    assert str(raised.value).splitlines() == [str(problem) for problem in raised.value.problems]
    assert len(set(raised.value.problems)) == len(raised.value.problems)


def test_a_broken_overlay_is_told_with_the_rest(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text("schema = 2\n[hk.tickets.codes]\n", encoding="utf-8")
    file = written(tmp_path, config({"merchant_idd": "x"}, mappings={"overlays": ["acme.toml"]}))
    assert sorted(problem.path for problem in problems(file)) == [
        f"{file}: {HERE}.merchant_idd",
        "acme.toml: hk.tickets",
        "acme.toml: schema",
    ]


def test_a_signer_for_nobody_is_refused(tmp_path: Path) -> None:
    (problem,) = problems(written(tmp_path, config()), signers={"hk-ticket": bytes})
    assert (problem.path, problem.code, problem.mend) == ("signers.hk-ticket", "unknown_account", "did you mean 'hk-tickets'?")
