"""The configuration as the command line shows it: every mistake at once, and never a secret."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from passbridge.sandbox import Sandbox
from tests.cli.conftest import REDEEM, Cli, Done

TOKEN = "201208134b203fe6c11548bcabd8da5bb087a83b"  # noqa: S105 - made up


def texts_of(done: Done) -> str:
    return done.out + done.err


def key_lines() -> list[str]:
    """The lines of the private keys in the test's folder."""
    lines = [line for path in Path("keys").glob("*-app.pem") for line in path.read_text(encoding="utf-8").splitlines()[2:-1]]
    assert len(lines) > 40
    return lines


def test_every_account_is_shown_with_what_it_inherits(cli: Cli, rewritten: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CN_TOKEN", TOKEN)
    more = (
        '\n[accounts.cn-shop2]\nextends = "cn"\nchannel_id = "2088918274"\napp_auth_token = { env = "CN_TOKEN" }\n[retry]\nattempts = 2\n'
    )
    path = rewritten(more=more + '[http]\nproxy = "http://operator:hunter2@127.0.0.1:9"\n')

    done = cli("config", "show", "--config", path, "--json")

    assert (done.exit, done.err) == (0, "")
    assert set(done.json) == {"schema", "file", "default", "http", "accounts"}
    assert (done.json["file"], done.json["default"]) == ("own.toml", "hk-tickets")
    shop = done.json["accounts"]["cn-shop2"]
    assert (shop["channel_id"], shop["app_id"], shop["retry"]["attempts"]) == ("2088918274", "2021000000000001", 2)
    assert (shop["private_key"], shop["app_auth_token"]) == ("(from keys/cn-app.pem)", "(from $CN_TOKEN)")
    for text in (texts_of(done), texts_of(cli("config", "show", "--config", path))):
        assert "hunter2" not in text
        assert TOKEN not in text
        assert "BEGIN" not in text
        assert [line for line in key_lines() if line in text] == []


def test_people_read_one_member_a_line(cli: Cli, config: Path) -> None:
    text = cli("config", "show", "--config", config).out

    assert text.startswith(f"file: {config}\ndefault: hk-tickets\n[hk-tickets]\n")
    assert "\n  private_key = (from keys/hk-app.pem)\n" in text
    assert "\n  profile = ticket\n" in text


def test_a_configuration_from_the_environment_alone_has_no_file(cli: Cli, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    account = box.config()["accounts"]["cn"]
    for member in ("private_key", "gateway_public_key"):
        Path(f"{member}.pem").write_bytes(account[member])
        Path(f"{member}.pem").chmod(0o600)
    for member, value in account.items():
        text = f"{member}.pem" if isinstance(value, bytes) else value
        monkeypatch.setenv(f"PASSBRIDGE_ACCOUNTS__CN__{member.upper()}", text)

    assert cli("config", "show", "--json").json["file"] is None
    assert cli("config", "path").exit == 3


@pytest.mark.parametrize("how", ["argument", "environment", "folder", "user"])
def test_path_tells_which_file_is_read(cli: Cli, monkeypatch: pytest.MonkeyPatch, folder: Path, how: str) -> None:
    mine = folder / "home" / "passbridge" / "passbridge.toml"
    mine.parent.mkdir(parents=True)
    mine.touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "home"))
    expected = str(mine)
    if how != "user":
        (folder / "passbridge.toml").touch()
        expected = "passbridge.toml"
    if how in {"environment", "argument"}:
        monkeypatch.setenv("PASSBRIDGE_CONFIG", expected := "named.toml")
    arguments = ["--config", expected := "given.toml"] if how == "argument" else []

    assert cli("config", "path", *arguments, "--json").json == {"path": expected}
    assert cli("config", "path", *arguments).out == f"{expected}\n"


def test_without_any_file_path_and_show_exit_3(cli: Cli) -> None:
    assert (cli("config", "path").exit, cli("config", "path").out) == (3, "no configuration file\n")
    assert cli("config", "path", "--json").json == {"path": None}
    done = cli("config", "show", "--json")
    assert (done.exit, done.problems) == (3, [("accounts", "missing")])


def test_a_key_that_others_can_read_is_a_warning_on_standard_error(cli: Cli, rewritten: Callable[..., Path]) -> None:
    path = rewritten()
    Path("keys/cn-app.pem").chmod(0o644)

    done = cli("config", "show", "--json", "--config", path)

    assert done.exit == 0
    assert set(done.json["accounts"]) == {"hk-tickets", "cn"}
    assert done.err == "warning: own.toml: accounts.cn.private_key: keys/cn-app.pem can be read by others; chmod 600 it\n"


OURS, GATEWAYS = '"keys/cn-app.pem"', '"keys/cn-gateway.pem"'

MISTAKES = {
    "a typo in a member's name": (("sign_type", "sing_type"), ("sing_type", "unknown_member")),
    "a missing key file": ((OURS, '"keys/none.pem"'), ("private_key", "unreadable_secret")),
    "a folder for a key": ((OURS, '"keys"'), ("private_key", "unreadable_secret")),
    "an empty key file": ((OURS, '"empty.pem"'), ("private_key", "bad_key")),
    "a key file of noise": ((OURS, '"noise.pem"'), ("private_key", "bad_key")),
    "a public key for the private one": ((OURS, GATEWAYS), ("private_key", "bad_key")),
    "a private key for the gateway's": ((GATEWAYS, OURS), ("gateway_public_key", "bad_key")),
    "our own key for the gateway's": ((GATEWAYS, '"own-public.pem"'), ("gateway_public_key", "own_key")),
    "a variable that is not set": ((OURS, '{ env = "UNSET" }'), ("private_key", "unreadable_secret")),
    "a form no app id has": (('app_id = "', 'app_id = "/'), ("app_id", "string_pattern_mismatch")),
}


@pytest.fixture
def mistaken_files(rewritten: Callable[..., Path]) -> None:
    """Files that are easily taken for keys."""
    rewritten()
    ours = load_pem_private_key(Path("keys/cn-app.pem").read_bytes(), None).public_key()
    Path("own-public.pem").write_bytes(ours.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    Path("noise.pem").write_bytes(b"\xff\x00")
    Path("empty.pem").touch()


@pytest.mark.usefixtures("mistaken_files")
@pytest.mark.parametrize(("change", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_nothing_is_sent(
    cli: Cli, rewritten: Callable[..., Path], box: Sandbox, change: tuple[str, str], problem: tuple[str, str]
) -> None:
    path, (member, code) = rewritten(change), problem

    done = cli("send", "--config", path, "--json", stdin=REDEEM)

    assert (done.exit, done.json["error"]) == (3, "config")
    place = f"own.toml: accounts.cn.{member}"
    assert (place, code) in done.problems
    assert {found for found, _ in done.problems} == {place}
    assert [line for line in key_lines() if line in texts_of(done)] == []
    assert cli("send", "--config", path, stdin=REDEEM).out == ""
    assert box.requests() == []


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"a = [", "unreadable_toml"), (b"\xff", "unreadable_file"), (None, "unreadable_file")],
    ids=["syntax", "bytes", "none"],
)
def test_an_unreadable_file_exits_3(cli: Cli, content: bytes | None, code: str) -> None:
    if content is not None:
        Path("own.toml").write_bytes(content)

    done = cli("config", "show", "--config", "own.toml", "--json")

    assert (done.exit, done.problems) == (3, [("own.toml", code)])
    assert cli("config", "show", "--config", ".", "--json").problems == [(".", "unreadable_file")]


def test_mistakes_of_every_kind_are_told_at_once_and_no_secret_among_them(cli: Cli, rewritten: Callable[..., Path]) -> None:
    inline = base64.b64encode(b"a private key that stands where its path belongs").decode()
    path = rewritten(
        ('default = "hk-tickets"', 'default = "hk-ticket"\nretries = 3'),
        ('"keys/cn-app.pem"', f'"{inline}"'),
        more=f"""
[retry]
attempts = 0
[accounts.hk-cards]
extends = "hk-tickets"
profile = "cards"
[accounts.HK_CARDS]
extends = "nobody"
app_auth_token = "{TOKEN}"
[http]
proxy = "https://a:hunter2@b"
""",
    )
    Path("keys/hk-gateway.pem").write_bytes(b"")

    done = cli("config", "show", "--config", path, "--json")

    assert done.exit == 3
    told = [(re.sub(r"^own.toml: (accounts\.)?", "", place), code) for place, code in done.problems]
    expected = {
        "default": "unknown_account",
        "retries": "unknown_member",
        "cn.private_key": "unreadable_secret",
        "hk-cards.profile": "literal_error",
        "HK_CARDS": "same_name",
        "HK_CARDS.extends": "unknown_account",
        "retry.attempts": "greater_than_equal",
        "http.proxy": "proxy",
        "hk-tickets.gateway_public_key": "bad_key",
    }
    assert expected.items() <= set(told)
    assert {place for place, _ in told} == set(expected)
    assert [word for word in (inline, TOKEN, "hunter2") if word in texts_of(done)] == []
    assert done.err.count("error: ") == len(done.problems)
