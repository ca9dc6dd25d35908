from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from passbridge.config import find_config
from tests.config.setup import GATEWAYS, HK, OURS, opened, problems, written


def _named(folder: Path, name: str) -> Path:
    """A configuration whose one account has this name."""
    return written(folder, {"accounts": {name: HK}})


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration in each of the four places."""
    monkeypatch.setenv("PASSBRIDGE_CONFIG", str(_named(tmp_path / "variable", "of-the-variable")))
    _named(tmp_path / "here", "of-this-folder")
    _named(tmp_path / "home" / ".config" / "passbridge", "of-the-user")
    return _named(tmp_path / "argument", "of-the-argument")


def test_each_place_is_searched_in_its_order(places: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(places) == opened(str(places)) == ["of-the-argument"]
    assert opened() == ["of-the-variable"]
    monkeypatch.delenv("PASSBRIDGE_CONFIG")
    assert opened() == ["of-this-folder"]
    (tmp_path / "here" / "passbridge.toml").unlink()
    assert opened() == ["of-the-user"]


@pytest.mark.usefixtures("places")
def test_a_mapping_is_taken_as_it_is() -> None:
    mapping = {"accounts": {"of-the-mapping": HK | {"private_key": OURS, "gateway_public_key": GATEWAYS}}}
    assert opened(mapping) == ["of-the-mapping"]


@pytest.mark.usefixtures("places")
def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSBRIDGE_CONFIG", "")
    assert opened() == ["of-this-folder"]


def test_the_users_folder_is_where_the_system_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _named(tmp_path / "xdg" / "passbridge", "of-the-user")
    assert find_config() is None
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    assert find_config() == file
    assert opened() == ["of-the-user"]


def test_on_windows_the_users_folder_is_below_appdata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _named(tmp_path / "roaming" / "passbridge", "of-the-user")
    system = SimpleNamespace(name="nt", environ={"APPDATA": str(tmp_path / "roaming")})
    monkeypatch.setattr("passbridge.config.search.os", system)
    assert find_config() == file


def test_nothing_anywhere_names_every_place_that_was_searched() -> None:
    (problem,) = problems()
    assert (problem.path, problem.code) == ("accounts", "missing")
    assert "none given, $PASSBRIDGE_CONFIG not set, no ./passbridge.toml, none in the user's folder" in problem.message
    assert "[accounts.NAME]" in problem.mend


def test_a_file_without_accounts_is_no_configuration(tmp_path: Path) -> None:
    file = written(tmp_path, "[retry]\nattempts = 2\n")
    (problem,) = problems(file)
    assert (problem.path, problem.code, problem.message) == (f"{file}: accounts", "missing", "no account is configured")


UNREADABLE = {
    "a folder": ("", "unreadable_file", "can't be read: Is a directory"),
    "nothing": ("nowhere.toml", "unreadable_file", "can't be read: No such file or directory"),
    "not UTF-8": ("latin.toml", "unreadable_file", "is not UTF-8 at byte 11"),
    "no TOML": ("broken.toml", "unreadable_toml", "not readable as TOML: "),
}


@pytest.mark.parametrize(("name", "code", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_cant_be_read_is_named_with_the_reason(tmp_path: Path, name: str, code: str, message: str) -> None:
    (tmp_path / "latin.toml").write_bytes(b'default = "\xe9"\n')
    (tmp_path / "broken.toml").write_text('default = "cn"\n[accounts.cn\n', encoding="utf-8")
    (problem,) = problems(tmp_path / name)
    assert (problem.path, problem.code) == (str(tmp_path / name), code)
    assert problem.message.startswith(message)
    assert problem.mend


def test_a_mistake_in_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(written(tmp_path, 'default = "cn"\n[accounts.cn\n'))
    assert "line 2" in problem.message


def test_a_path_that_no_system_takes_is_a_mistake_like_any_other() -> None:
    (problem,) = problems("a\0b")
    assert problem.code == "unreadable_file"


def test_a_variable_that_names_no_file_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSBRIDGE_CONFIG", "nowhere.toml")
    (problem,) = problems()
    assert (problem.path, problem.code) == ("nowhere.toml", "unreadable_file")
