"""What every command shares: help, `--json` at every place, mistaken arguments."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli

COMMANDS = [
    (),
    ("demo",),
    ("send",),
    ("bulk",),
    ("bulk", "run"),
    ("bulk", "status"),
    ("bulk", "retry"),
    ("bulk", "export"),
    ("bulk", "settle"),
    ("codes",),
    ("mapping",),
    ("mapping", "explain"),
    ("mapping", "table"),
    ("mapping", "check"),
    ("mapping", "diff"),
    ("config",),
    ("config", "show"),
    ("config", "path"),
    ("keys",),
    ("keys", "generate"),
    ("sandbox",),
    ("sandbox", "start"),
    ("sandbox", "fault"),
    ("sandbox", "fault", "add"),
    ("sandbox", "fault", "list"),
    ("sandbox", "fault", "clear"),
]
GROUPS = [(), ("bulk",), ("mapping",), ("config",), ("keys",), ("sandbox",), ("sandbox", "fault")]


def spelt(words: tuple[str, ...]) -> str:
    return " ".join(words) or "passbridge"


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS, ids=spelt)
def test_every_command_has_help(cli: Cli, command: tuple[str, ...], flag: str) -> None:
    done = cli(*command, flag)

    assert (done.exit, done.err) == (0, "")
    assert done.out.startswith(f"Usage: {' '.join(['passbridge', *command])} ")
    assert "--json" in done.out


def test_the_help_names_every_command_and_every_exit_code(cli: Cli) -> None:
    text = cli("--help").out

    assert [name for name in ("demo", "send", "codes", "mapping", "config", "keys", "sandbox") if f"\n  {name} " not in text] == []
    assert [
        code for code in ("0 done", "1 refused", "2 bad", "3 conf", "4 sign", "5 unk", "6 noth", "70 a bug", "130") if code not in text
    ] == []


def test_the_shell_can_complete_commands(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"_PASSBRIDGE_COMPLETE": "bash_complete", "COMP_WORDS": "passbridge s", "COMP_CWORD": "1"}.items():
        monkeypatch.setenv(name, value)

    assert cli().out == "plain,send\nplain,sandbox\n"


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").out.startswith("passbridge, version ")


@pytest.mark.parametrize("at", range(4))
def test_json_may_stand_anywhere(cli: Cli, at: int) -> None:
    words = ["mapping", "explain", "hk.ticket", "SUCCESS"]

    assert cli(*words[:at], "--json", *words[at:]).json[0]["outcome"] == "APPLIED"


def test_json_after_a_double_dash_is_an_argument(cli: Cli) -> None:
    done = cli("codes", "--", "--json")

    assert (done.exit, done.out) == (2, "")
    assert done.err.startswith("error: CODE: '--json' is in no table")


@pytest.mark.parametrize("group", GROUPS, ids=spelt)
def test_a_group_without_a_command_shows_its_help_on_standard_error(cli: Cli, group: tuple[str, ...]) -> None:
    done = cli(*group)

    assert (done.exit, done.out) == (2, "")
    assert done.err.startswith("Usage: passbridge")
    assert done.err.endswith("error: a command is missing (see --help)\n")


@pytest.mark.parametrize("group", GROUPS, ids=spelt)
def test_a_group_without_a_command_is_an_error_for_programs(cli: Cli, group: tuple[str, ...]) -> None:
    for arguments in ((*group, "--json"), ("--json", *group)):
        done = cli(*arguments)

        assert (done.exit, done.problems) == (2, [("", "usage")])


@pytest.mark.parametrize(
    "arguments",
    [
        ("sned",),
        ("send", "--form", "x"),
        ("send", "left over"),
        ("bulk", "run"),
        ("bulk", "run", "in.jsonl", "--rate", "fast"),
        ("bulk", "run", "in.jsonl", "--format", "xlsx"),
        ("bulk", "retry", "in.db", "--state", "applied"),
        ("bulk", "export", "in.db", "--state", "lost"),
        ("bulk", "settle", "in.db", "1"),
        ("bulk", "settle", "in.db", "0", "--as", "applied", "--reason", "x"),
        ("mapping", "explain", "hk.ticket"),
        ("mapping", "explain", "hk.ticket", "SUCCESS", "--action", "burn"),
        ("mapping", "check"),
        ("keys", "generate", "--bits", "1024"),
        ("keys", "generate", "--format", "jwk"),
        ("sandbox", "start", "--port", "65536"),
        ("sandbox", "start", "--port", "http"),
        ("sandbox", "fault", "add"),
        ("sandbox", "fault", "add", "unsigned", "--count", "0"),
        ("sandbox", "fault", "list", "--url", "127.0.0.1:8765"),
    ],
    ids=" ".join,
)
def test_a_mistaken_argument_is_told_and_exits_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert (done.exit, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert done.err.endswith(" (see --help)\n")

    done = cli("--json", *arguments)
    assert (done.exit, done.problems) == (2, [("", "usage")])
    assert done.json["error"] == "usage"


@pytest.mark.parametrize(
    "arguments",
    [
        ("send", "--from", ""),
        ("send", "--to", ""),
        ("send", "--after", ""),
        ("send", "--config", ""),
        ("bulk", "run", ""),
        ("bulk", "run", "in.jsonl", "--ledger", ""),
        ("bulk", "run", "in.jsonl", "--to", ""),
        ("bulk", "run", "in.csv", "--map", ""),
        ("bulk", "status", ""),
        ("bulk", "export", "in.db", "-o", ""),
        ("config", "show", "--config", ""),
        ("keys", "generate", "--name", ""),
        ("sandbox", "fault", "add", "unsigned", "--pass", ""),
    ],
    ids=" ".join,
)
def test_an_empty_value_is_not_the_same_as_none(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments, "--json")

    assert (done.exit, done.problems) == (2, [("", "usage")])
