from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.config import read_config
from passbridge.config.secrets import secret_members
from passbridge.errors import PassbridgeWarning
from tests.config.setup import GATEWAYS, HK, OURS, config, opened, problems, secret, written

HERE = "accounts.hk-tickets.private_key"
NOT_SHOWN = "(not shown: it may be the secret itself)"
no_modes = pytest.mark.skipif(os.name == "nt", reason="this system keeps no modes of files")


def _read(file: Path, name: str = "hk-tickets") -> HkSettings:
    found, wrong = read_config(file, {"hk": HkSettings, "mainland": MainlandSettings})
    assert wrong == []
    account = found.accounts[name]
    assert isinstance(account, HkSettings)
    return account


def test_the_members_that_are_read_as_secrets_are_known() -> None:
    assert secret_members(HkSettings) == {
        "private_key": True,
        "gateway_public_key": False,
        "gateway_public_keys": False,
        "encryption_private_key": True,
        "encryption_public_key": False,
    }
    public = dict.fromkeys(("gateway_public_key", "app_cert", "gateway_cert", "root_cert"), False)
    assert secret_members(MainlandSettings) == {"private_key": True, "encrypt_key": True, "app_auth_token": True, **public}


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    secret(tmp_path / "keys" / "mine.pem", b"the key of the folder")
    key = _read(written(tmp_path, config({"private_key": "keys/mine.pem"}))).private_key
    assert key is not None
    assert (key.reveal(), key.origin) == (b"the key of the folder", "keys/mine.pem")


def test_a_path_may_be_absolute_or_begin_with_the_users_home(tmp_path: Path) -> None:
    secret(tmp_path / "home" / "mine.pem", b"the key at home")
    for path in ("~/mine.pem", str(tmp_path / "home" / "mine.pem")):
        key = _read(written(tmp_path, config({"private_key": path}))).private_key
        assert key is not None
        assert key.reveal() == b"the key at home"


def test_a_bare_name_is_looked_up_in_the_secrets_folder_after_the_files_own(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    secret(tmp_path / "run" / "hk-key", b"the key of the secrets")
    file = written(tmp_path, config({"private_key": "hk-key"}, secrets_dir="run"))
    key = _read(file).private_key
    assert key is not None
    assert key.reveal() == b"the key of the secrets"
    secret(tmp_path / "hk-key", b"the key beside the file")
    nearer = _read(file).private_key
    assert nearer is not None
    assert nearer.reveal() == b"the key beside the file"


def test_only_a_bare_name_is_looked_up_in_the_secrets_folder(tmp_path: Path) -> None:
    (tmp_path / "run" / "deep").mkdir(parents=True)
    secret(tmp_path / "run" / "deep" / "key.pem", OURS)
    (problem,) = problems(written(tmp_path, config({"private_key": "deep/key.pem"}, secrets_dir="run")))
    assert problem.message == "no such file: deep/key.pem"


def test_the_secrets_folder_may_be_at_home(tmp_path: Path) -> None:
    secret(tmp_path / "home" / "hk-key", b"the key at home")
    key = _read(written(tmp_path, config({"private_key": "hk-key"}, secrets_dir="~"))).private_key
    assert key is not None
    assert key.reveal() == b"the key at home"


def test_a_variable_holds_the_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", "the content \udce9")
    key = _read(written(tmp_path, config({"private_key": {"env": "OUR_KEY"}}))).private_key
    assert key is not None
    assert (key.reveal(), key.origin) == (b"the content \xe9", "$OUR_KEY")


def test_a_mapping_may_hold_the_bytes_themselves() -> None:
    accounts = {"hk": HK | {"private_key": OURS, "gateway_public_key": GATEWAYS}}
    assert opened({"accounts": accounts}) == ["hk"]


def test_keys_by_version_are_read_each_from_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECOND", GATEWAYS.decode())
    keys = {"gateway_public_key": None, "gateway_public_keys": {"1": "gateway.pem", "2": {"env": "SECOND"}}}
    account = _read(written(tmp_path, config(keys)))
    assert {version: key.origin for version, key in account.gateway_public_keys.items()} == {"1": "gateway.pem", "2": "$SECOND"}


UNREADABLE: dict[str, tuple[Any, str]] = {
    "no such file": ("nowhere.pem", "no such file: nowhere.pem"),
    "a file of nobody": ("~nobody-here/key.pem", "~nobody-here/key.pem can't be read: "),
    "a folder": ("home.d", "home.d can't be read: Is a directory"),
    "a name too long": ("x" * 5000, f"{NOT_SHOWN} can't be read: File name too long"),
    "a path that no system takes": ("key\0.pem", f"no such file: {NOT_SHOWN}"),
    "bare base64 in place of a path": (OURS.decode().splitlines()[1], f"no such file: {NOT_SHOWN}"),
    "a token in place of a path": ("201509BBeff9351ad1874306903e96b91d248A36", f"no such file: {NOT_SHOWN}"),
    "key text in place of a path": (OURS.decode(), "holds a key itself where its file is wanted"),
    "key text without its lines": (OURS.decode().replace("\n", " "), "holds a key itself where its file is wanted"),
    "several lines": ("a\nb", "holds a key itself where its file is wanted"),
    "a variable that is not set": ({"env": "OUR_KEY"}, "the environment variable OUR_KEY is not set"),
    "a variable that is no name": ({"env": 7}, "the environment variable "),
    "a number": (7, "is no path"),
    "a list": (["ours.pem"], "is no path"),
    "a truth": (True, "is no path"),
}


@pytest.mark.parametrize(("value", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_secret_that_cant_be_read_is_told_once_with_its_place(tmp_path: Path, value: object, message: str) -> None:
    (tmp_path / "home.d").mkdir()
    file = written(tmp_path, config({"private_key": value}))
    (problem,) = problems(file)
    assert (problem.path, problem.code) == (f"{file}: {HERE}", "unreadable_secret")
    assert problem.message.startswith(message)
    assert problem.mend == 'give the path of a file, { env = "NAME" }, or a name in secrets_dir'


MISPLACED = {"a key": OURS.decode(), "a line of it": OURS.decode().splitlines()[3], "a token": "201509BBeff9351ad1874306903e96b91d248A36/"}


@pytest.mark.parametrize("text", MISPLACED.values(), ids=MISPLACED)
def test_a_secret_in_place_of_a_variables_name_is_not_shown(tmp_path: Path, text: str) -> None:
    found = problems(written(tmp_path, config({"private_key": {"env": text}})))
    assert not [line for line in text.splitlines() if len(line) > 30 and line in str(found)]


def test_a_key_by_version_that_cant_be_read_is_told_with_its_version(tmp_path: Path) -> None:
    keys = {"gateway_public_key": None, "gateway_public_keys": {"1": "gateway.pem", "2": "nowhere.pem"}}
    file = written(tmp_path, config(keys))
    (problem,) = problems(file)
    assert problem.path == f"{file}: accounts.hk-tickets.gateway_public_keys.2"
    assert problem.message == "no such file: nowhere.pem"


@no_modes
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, config())
    (tmp_path / "ours.pem").chmod(0)
    assert "ours.pem can't be read: Permission denied" in str(problems(file))


@no_modes
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_private_file_that_others_can_read_is_warned_of(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, config())
    (tmp_path / "ours.pem").chmod(mode)
    with pytest.warns(PassbridgeWarning) as caught:
        assert opened(file) == ["hk-tickets", "cn"]
    assert [str(warning.message) for warning in caught] == [
        f"{file}: accounts.{name}.private_key: ours.pem can be read by others; chmod 600 it" for name in ("hk-tickets", "cn")
    ]


@no_modes
@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_private_file_of_its_owner_alone_is_fine_and_a_public_one_may_be_anybodys(tmp_path: Path, mode: int) -> None:
    file = written(tmp_path, config())
    (tmp_path / "ours.pem").chmod(mode)
    (tmp_path / "gateway.pem").chmod(0o644)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opened(file) == ["hk-tickets", "cn"]


def test_where_files_have_no_modes_nothing_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(tmp_path, config())
    (tmp_path / "ours.pem").chmod(0o644)
    monkeypatch.setattr("passbridge.config.secrets.os", SimpleNamespace(name="nt", environ={}))
    assert opened(file) == ["hk-tickets", "cn"]


def test_a_token_of_an_app_is_read_without_its_blanks(tmp_path: Path) -> None:
    secret(tmp_path / "token.txt", b" 201509BB7\n")
    found, _ = read_config(written(tmp_path, config(cn={"app_auth_token": "token.txt"})), {"hk": HkSettings, "mainland": MainlandSettings})
    account = found.accounts["cn"]
    assert isinstance(account, MainlandSettings)
    assert account.app_auth_token is not None
    assert account.app_auth_token.reveal() == b"201509BB7"


BROKEN: Mapping[str, Mapping[str, Any]] = {
    "keys by version in place of one": {"private_key": {"1": "ours.pem"}},
    "one in place of keys by version": {"gateway_public_key": None, "gateway_public_keys": "gateway.pem"},
    "a version that is no number": {"gateway_public_key": None, "gateway_public_keys": {"v1": "gateway.pem"}},
    "no versions": {"gateway_public_key": None, "gateway_public_keys": {}},
    "one and by version": {"gateway_public_keys": {"1": "gateway.pem"}},
}


@pytest.mark.parametrize("members", BROKEN.values(), ids=BROKEN)
def test_secrets_of_the_wrong_shape_are_refused(tmp_path: Path, members: Mapping[str, Any]) -> None:
    file = written(tmp_path, config(members))
    (problem,) = problems(file)
    assert problem.path.startswith(f"{file}: accounts.hk-tickets")
