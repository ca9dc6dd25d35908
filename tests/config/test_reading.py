from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from passbridge import Client, ConfigError, PassRef, Redeem
from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.config import Config, read_config
from passbridge.protocol.settings import AccountSettings
from tests.client.certificates import self_signed
from tests.config.setup import CN, HK, config, opened, written

MODELS: dict[str, type[AccountSettings]] = {"hk": HkSettings, "mainland": MainlandSettings}


def read(file: Path) -> Config:
    """What stands in a configuration without mistakes."""
    found, problems = read_config(file, MODELS)
    assert problems == []
    return found


def test_a_configuration_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "acme.toml").write_text("schema = 1\n", encoding="utf-8")
    tables: dict[str, Any] = {
        "http": {"proxy": "http://proxy:3128", "ca_file": "ca.pem"},
        "mappings": {"overlays": ["acme.toml"]},
        "default": "cn",
    }
    file = written(tmp_path, config(**tables))
    found = read(file)
    assert (found.origin, found.default, list(found.accounts)) == (str(file), "cn", ["hk-tickets", "cn"])
    assert found.http.proxy is not None
    assert (found.http.proxy.get_secret_value(), found.http.trust_env) == ("http://proxy:3128", False)
    assert found.http.ca_file == str(tmp_path / "ca.pem")
    assert dict(found.overlays) == {"acme.toml": "schema = 1\n"}
    account = found.accounts["hk-tickets"]
    assert isinstance(account, HkSettings)
    assert (account.name, account.origin, account.client_id, account.key_version) == ("hk-tickets", str(file), HK["client_id"], "1")
    assert account.at("client_id") == f"{file}: accounts.hk-tickets.client_id"


def test_without_tables_the_defaults_hold(tmp_path: Path) -> None:
    found = read(written(tmp_path, config()))
    assert found.accounts["cn"].retry.model_dump() == {
        "attempts": 3,
        "deadline": 10.0,
        "connect_timeout": 3.0,
        "read_timeout": 5.0,
        "clock_window": 900.0,
    }
    assert found.http.model_dump() == {"proxy": None, "trust_env": False, "ca_file": None}
    assert (found.default, dict(found.overlays)) == (None, {})


def test_an_account_overrides_single_values_of_retry(tmp_path: Path) -> None:
    found = read(written(tmp_path, config({"retry": {"deadline": 4}}, retry={"attempts": 5, "deadline": 7})))
    hk, cn = (found.accounts[name].retry for name in ("hk-tickets", "cn"))
    assert (hk.attempts, hk.deadline, hk.read_timeout) == (5, 4.0, 5.0)
    assert (cn.attempts, cn.deadline, cn.read_timeout) == (5, 7.0, 5.0)


def test_an_account_builds_on_another_and_on_its_own(tmp_path: Path) -> None:
    shops = {
        "shop2": {"extends": "cn", "channel_id": "2", "retry": {"attempts": 9}},
        "shop3": {"extends": "shop2", "app_id": "3", "retry": {"deadline": 2}},
    }
    found = read(written(tmp_path, {"accounts": {**shops, "cn": CN | {"retry": {"attempts": 2, "deadline": 8}}}}))
    second, third = found.accounts["shop2"], found.accounts["shop3"]
    assert isinstance(second, MainlandSettings)
    assert isinstance(third, MainlandSettings)
    assert (second.name, second.app_id, second.channel_id) == ("shop2", CN["app_id"], "2")
    assert (third.name, third.app_id, third.channel_id) == ("shop3", "3", "2")
    assert (second.retry.attempts, second.retry.deadline) == (9, 8.0)
    assert (third.retry.attempts, third.retry.deadline) == (9, 2.0)
    assert third.private_key is not None
    assert third.private_key.origin == "ours.pem"


def test_an_account_whose_base_is_broken_is_left_out_with_one_complaint(tmp_path: Path) -> None:
    file = written(tmp_path, {"accounts": {"a": {"extends": "b", "channel_id": "2"}, "b": "cn", "cn": CN}})
    found, problems = read_config(file, MODELS)
    assert list(found.accounts) == ["cn"]
    assert {problem.path for problem in problems} == {f"{file}: accounts.b"}


def test_paths_may_begin_with_the_users_home(tmp_path: Path) -> None:
    (tmp_path / "home" / "ca.pem").write_bytes(self_signed())
    (tmp_path / "home" / "acme.toml").write_text("schema = 1\n", encoding="utf-8")
    file = written(tmp_path, config(http={"ca_file": "~/ca.pem"}, mappings={"overlays": ["~/acme.toml"]}))
    assert read(file).http.ca_file == str(tmp_path / "home" / "ca.pem")
    assert opened(file) == ["hk-tickets", "cn"]


def test_an_overlay_changes_what_a_code_means(tmp_path: Path) -> None:
    row = '{ outcome = "ALREADY_IN_STATE", status = "F", source = ["our tests"], confidence = "observed", accept_risk = "seen in 2026" }'
    (tmp_path / "acme.toml").write_text(f"schema = 1\n[hk.ticket.codes]\nPASS_STATUS_ILLEGAL = {row}\n", encoding="utf-8")
    with Client.from_config(written(tmp_path, config(mappings={"overlays": ["acme.toml"]}))) as client:
        assert client._accounts.tables.profiles["hk.ticket"].codes["PASS_STATUS_ILLEGAL"].outcome == "ALREADY_IN_STATE"


def test_a_mapping_knows_no_file_in_its_messages() -> None:
    found, problems = read_config({"accounts": {"hk": HK | {"private_key": b"x", "gateway_public_key": b"x"}}, "defalt": "hk"}, MODELS)
    assert [problem.path for problem in problems] == ["defalt"]
    assert found.origin == ""
    assert found.accounts["hk"].at("gateway") == "accounts.hk.gateway"


def test_paths_of_a_mapping_are_relative_to_where_the_program_runs(tmp_path: Path) -> None:
    written(tmp_path / "here", "")
    assert opened(config()) == ["hk-tickets", "cn"]


def test_the_default_account_takes_updates_that_name_none(tmp_path: Path) -> None:
    with Client.from_config(written(tmp_path, config(default="cn"))) as client:
        assert client.render(Redeem(pass_=PassRef(id="7"))).url.startswith(CN["gateway"])


def test_a_backend_that_cant_be_imported_is_a_mistake_of_its_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "site" / "acme_backend-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-backend\nVersion: 1.0\n", encoding="utf-8")
    (folder / "entry_points.txt").write_text("[passbridge.backends]\nacme = nowhere.at_all:BACKEND\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    with pytest.raises(ConfigError) as raised:
        opened(written(tmp_path, config()))
    (problem,) = raised.value.problems
    assert (problem.path, problem.code) == ("entry point acme of acme-backend", "unusable_backend")
