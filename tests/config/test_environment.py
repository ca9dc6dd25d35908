from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.config import Config, read_config
from tests.client.keys import key, private_bytes
from tests.config.setup import CN, HK, OURS, config, opened, problems, secret, written

HKS = "PASSBRIDGE_ACCOUNTS__HK_TICKETS__"
CNS = "PASSBRIDGE_ACCOUNTS__CN__"


def read(given: object, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Config:
    """A configuration without mistakes, under these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    found, wrong = read_config(given, {"hk": HkSettings, "mainland": MainlandSettings})  # type: ignore[arg-type]
    assert wrong == []
    return found


VALUES: dict[str, tuple[str, str, str, object]] = {
    # which: the variable, its text, the member of hk-tickets or cn, and its value
    "text": (f"{HKS}CLIENT_ID", "OTHER", "client_id", "OTHER"),
    "in lower case": (f"{HKS}CLIENT_ID".lower(), "OTHER", "client_id", "OTHER"),
    "digits stay text": (f"{HKS}MERCHANT_ID", "0042", "merchant_id", "0042"),
    "long digits stay text": (f"{CNS}APP_ID", "2014072300007149", "app_id", "2014072300007149"),
    "what looks like JSON stays text": (f"{HKS}CLIENT_ID", "null", "client_id", "null"),
    "a new member": (f"{CNS}CHARSET", "gbk", "charset", "gbk"),
    "a truth": (f"{CNS}GBK_CHECK", "false", "gbk_check", False),
}


@pytest.mark.parametrize("case", VALUES.values(), ids=VALUES)
def test_a_single_value_is_laid_over_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str, object]) -> None:
    variable, text, member, value = case
    found = read(written(tmp_path, config()), monkeypatch, **{variable: text})
    account = found.accounts["cn" if "CN__" in variable.upper() else "hk-tickets"]
    assert getattr(account, member) == value
    assert list(found.accounts) == ["hk-tickets", "cn"]


def test_values_of_the_other_tables_are_laid_over_the_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        written(tmp_path, config({"retry": {"deadline": 4}}, default="hk-tickets", retry={"attempts": 5})),
        monkeypatch,
        PASSBRIDGE_DEFAULT="cn",
        PASSBRIDGE_RETRY__DEADLINE="2.5",
        PASSBRIDGE_HTTP__PROXY="http://proxy:3128",
        PASSBRIDGE_ACCOUNTS__HK_TICKETS__RETRY__READ_TIMEOUT="1",
    )
    assert found.default == "cn"
    assert (found.accounts["cn"].retry.attempts, found.accounts["cn"].retry.deadline) == (5, 2.5)
    assert (found.accounts["hk-tickets"].retry.deadline, found.accounts["hk-tickets"].retry.read_timeout) == (4.0, 1.0)
    assert found.http.proxy is not None


def test_a_table_may_be_given_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acme.toml").write_text("schema = 1\n", encoding="utf-8")
    found = read(
        written(tmp_path, config()),
        monkeypatch,
        PASSBRIDGE_ACCOUNTS=json.dumps({"hk_tickets": {"client_id": "OTHER"}}),
        PASSBRIDGE_RETRY='{"attempts": 7}',
        PASSBRIDGE_MAPPINGS='{"overlays": ["acme.toml"]}',
    )
    account = found.accounts["hk-tickets"]
    assert isinstance(account, HkSettings)
    assert (account.client_id, account.merchant_id, account.retry.attempts) == ("OTHER", HK["merchant_id"], 7)
    assert list(found.overlays) == ["acme.toml"]


def test_an_account_may_come_from_the_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path / "here", "")
    (tmp_path / "here" / "passbridge.toml").unlink()
    for member, value in CN.items():
        monkeypatch.setenv(f"PASSBRIDGE_ACCOUNTS__CN_SHOP__{member.upper()}", value)
    assert opened() == ["cn-shop"]


def test_a_new_account_may_extend_one_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read(
        written(tmp_path, config()), monkeypatch, PASSBRIDGE_ACCOUNTS__CN_2__EXTENDS="cn", PASSBRIDGE_ACCOUNTS__CN_2__CHANNEL_ID="9"
    )
    account = found.accounts["cn-2"]
    assert isinstance(account, MainlandSettings)
    assert (account.app_id, account.channel_id) == (CN["app_id"], "9")


@pytest.mark.parametrize("name", ["HK-Cards", "hk_cards", "Hk_Cards"])
def test_an_account_is_found_again_under_the_name_it_has_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    found = read(written(tmp_path, {"accounts": {name: HK}}), monkeypatch, PASSBRIDGE_ACCOUNTS__HK_CARDS__CLIENT_ID="OTHER")
    account = found.accounts[name]
    assert isinstance(account, HkSettings)
    assert (account.name, account.client_id, list(found.accounts)) == (name, "OTHER", [name])


def test_a_path_in_the_environment_is_relative_to_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret(tmp_path / "here" / "another.pem", private_bytes(key("another")))
    monkeypatch.setenv(f"{HKS}PRIVATE_KEY", "another.pem")
    assert opened(written(tmp_path, config())) == ["hk-tickets", "cn"]
    monkeypatch.setenv(f"{HKS}PRIVATE_KEY", "ours.pem")
    assert "no such file: ours.pem" in str(problems(tmp_path / "passbridge.toml"))


def test_a_secret_in_the_environment_is_named_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", OURS.decode())
    found = read(written(tmp_path, config()), monkeypatch, **{f"{HKS}PRIVATE_KEY__ENV": "OUR_KEY"})
    account = found.accounts["hk-tickets"]
    assert isinstance(account, HkSettings)
    assert account.private_key is not None
    assert (account.private_key.reveal(), account.private_key.origin) == (OURS, "$OUR_KEY")


WRONG: dict[str, tuple[Mapping[str, str], str, str, str]] = {
    # which: the variables, then the path, code and mend of the one problem
    "a typo in a member": ({f"{HKS}CLIENTID": "x"}, f"environment: {HKS}CLIENTID", "unknown_member", "did you mean 'client_id'?"),
    "a typo deep inside": (
        {f"{HKS}RETRY__ATEMPTS": "1"},
        f"environment: {HKS}RETRY__ATEMPTS",
        "unknown_member",
        "did you mean 'attempts'?",
    ),
    "a bad value": ({f"{CNS}APP_ID": "a b"}, f"environment: {CNS}APP_ID", "string_pattern_mismatch", ""),
    "a typo in a table": ({"PASSBRIDGE_RETRI__ATTEMPTS": "1"}, "environment: PASSBRIDGE_RETRI__ATTEMPTS", "unknown_member", "'RETRY'?"),
    "a typo in retry": ({"PASSBRIDGE_RETRY__ATEMPTS": "1"}, "environment: PASSBRIDGE_RETRY__ATEMPTS", "unknown_member", "'attempts'?"),
    "a bad value of retry": ({"PASSBRIDGE_RETRY__ATTEMPTS": "0"}, "environment: PASSBRIDGE_RETRY__ATTEMPTS", "greater_than_equal", ""),
    "a bad proxy": ({"PASSBRIDGE_HTTP__PROXY": "x"}, "environment: PASSBRIDGE_HTTP__PROXY", "proxy", ""),
    "accounts that are no JSON": ({"PASSBRIDGE_ACCOUNTS": '{"hk_tickets'}, "environment: PASSBRIDGE_…", "unreadable_json", "single values"),
    "accounts that are a list": ({"PASSBRIDGE_ACCOUNTS": "[1]"}, "environment: PASSBRIDGE_ACCOUNTS", "not_a_table", ""),
    "a retry that is a list": ({"PASSBRIDGE_RETRY": "[1]"}, "environment: PASSBRIDGE_RETRY", "not_a_table", ""),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_a_mistake_in_the_environment_is_told_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[Mapping[str, str], str, str, str]
) -> None:
    variables, path, code, mend = case
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (problem,) = problems(written(tmp_path, config()))
    assert (problem.path, problem.code) == (path, code)
    assert mend in problem.mend


def test_a_mistake_of_the_file_is_not_blamed_on_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{HKS}CLIENT_ID", "OTHER")
    file = written(tmp_path, config({"merchant_idd": "x"}, {"app_id": "a b"}))
    assert [problem.path for problem in problems(file)] == [f"{file}: accounts.hk-tickets.merchant_idd", f"{file}: accounts.cn.app_id"]


def test_variables_of_others_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PASSBRIDGE_CONFIG", "PASSBRIDGE_LOG", "MY_PASSBRIDGE_RETRY__ATTEMPTS", "PASSBRIDGE"):
        monkeypatch.setenv(name, "whatever")
    assert opened(written(tmp_path, config())) == ["hk-tickets", "cn"]


def test_the_environments_reader_is_not_even_imported_where_it_has_nothing_to_read(tmp_path: Path) -> None:
    file = written(tmp_path, config())
    script = "import sys; from passbridge import Client; Client.from_config(sys.argv[1]); print('pydantic_settings' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, file], capture_output=True, text=True, check=True)  # noqa: S603 - our own
    assert done.stdout == "False\n"
