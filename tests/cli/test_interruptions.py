"""Ctrl-C, bugs, warnings, and parts that are not installed: a message and an exit code, never a traceback."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from passbridge.cli import main
from passbridge.cli.app import run
from passbridge.sandbox import Sandbox
from tests.cli.conftest import REDEEM, Cli, wait_for


def interrupt() -> None:
    raise KeyboardInterrupt


def fail() -> None:
    raise RuntimeError("the moon is full")


def deprecate() -> None:
    warnings.warn("soon gone", DeprecationWarning, stacklevel=2)


def reading(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Something happens while standard input is read."""

    class Input(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            happens()
            return super().read(size)

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Input(b"{}")))


def test_ctrl_c_exits_130(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reading(monkeypatch, interrupt)

    assert run(["send"]) == 130
    assert capsys.readouterr() == ("", "\nerror: interrupted\n")


def test_ctrl_c_while_an_update_is_under_way_says_that_it_may_have_been_applied(cli: Cli, config: Path, box: Sandbox) -> None:
    box.add_fault({"fault": "delay:3"})

    def stop() -> None:
        wait_for(lambda: bool(box.requests()))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=stop)
    thread.start()

    done = cli("send", "--json", "--config", config, stdin=REDEEM)

    thread.join()
    assert (done.exit, done.json["error"]) == (130, "interrupted")
    assert "may have been applied" in done.err


def test_a_bug_exits_70_and_shows_its_traceback_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reading(monkeypatch, fail)

    assert run(["send"]) == 70
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith("error: a bug in passbridge: RuntimeError: the moon is full (set PASSBRIDGE_TRACEBACK=1")

    monkeypatch.setenv("PASSBRIDGE_TRACEBACK", "1")
    assert run(["send"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.filterwarnings("always")
def test_warnings_of_other_libraries_are_not_shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    reading(monkeypatch, deprecate)

    assert run(["send"]) == 2
    assert "soon gone" not in capsys.readouterr().err


def without(monkeypatch: pytest.MonkeyPatch, name: str, *users: str) -> None:
    """As if a distribution were not installed, and the modules that use it not yet imported."""
    for module in [module for module in sys.modules if module.startswith((f"{name}.", *users))]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize(
    ("missing", "command", "extra"),
    [
        ("rich", ["codes"], "cli"),
        ("starlette", ["demo"], "sandbox"),
        ("starlette", ["demo", "--json"], "sandbox"),
        ("uvicorn", ["sandbox", "fault", "list", "--json"], "sandbox"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_missing_extra_is_named_with_its_install_line(
    monkeypatch: pytest.MonkeyPatch, cli: Cli, missing: str, command: list[str], extra: str
) -> None:
    without(monkeypatch, missing, "passbridge.sandbox", "passbridge.cli.sandbox", "passbridge.cli.demo")

    done = cli(*command)

    assert done.exit == 3
    assert done.err == f"error: the extra {extra!r} is not installed (pip install 'passbridge[{extra}]')\n"
    assert done.problems == [("", "missing_extra")] if "--json" in command else done.out == ""


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "programs"])
def test_without_the_command_lines_own_extra_its_install_line_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    without(monkeypatch, "click", "passbridge.cli.app")
    monkeypatch.setattr(sys, "argv", ["passbridge", "codes", *form])

    with pytest.raises(SystemExit) as ended:
        main()

    out, err = capsys.readouterr()
    assert (ended.value.code, err) == (3, "error: the extra 'cli' is not installed (pip install 'passbridge[cli]')\n")
    assert out.startswith('{"schema": "passbridge.error/1", "error": "missing_extra", ') == bool(form)


def test_the_script_exits_as_its_command_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["passbridge", "codes", "NOPE"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2


def test_ctrl_c_while_modules_are_imported_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupting:
        @staticmethod
        def find_spec(*_: object) -> ModuleSpec | None:
            raise KeyboardInterrupt

    monkeypatch.delitem(sys.modules, "passbridge.cli.app")
    monkeypatch.setattr(sys, "meta_path", [Interrupting])
    monkeypatch.setattr(sys, "argv", ["passbridge", "--help"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 130
