"""Where the output goes wrong: the reader has left, the disk is full, the terminal is odd, the words are hostile."""

from __future__ import annotations

import http.server
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from passbridge.cli.app import run
from tests.cli.conftest import REDEEM, REVISE, Cli

FULL = Path("/dev/full")


@contextmanager
def nobody_reads() -> Iterator[io.TextIOWrapper]:
    """A pipe whose other end is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    with suppress(BrokenPipeError), os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield stream


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "programs"])
@pytest.mark.parametrize(
    ("command", "exit_code"),
    [(["codes"], 0), (["codes", "NOPE"], 2), (["mapping", "explain", "hk.ticket", "SUCCESS"], 0), (["--help"], 0), (["config", "path"], 3)],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_reader_who_has_left_changes_no_exit_code(
    monkeypatch: pytest.MonkeyPatch, command: list[str], exit_code: int, form: list[str]
) -> None:
    with nobody_reads() as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        assert run([*command, *form]) == exit_code


def test_a_refusal_stays_one_when_nobody_reads_it(
    monkeypatch: pytest.MonkeyPatch, cli: Cli, config: Path, update: Callable[[object], Path]
) -> None:
    path = update(REDEEM)
    assert cli("send", "--config", config, "--from", path).exit == 0

    with nobody_reads() as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert run(["send", "--config", str(config), "--from", str(path)]) == 1


def test_errors_that_nobody_reads_change_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_reads() as stream:
        monkeypatch.setattr(sys, "stderr", stream)

        assert run(["codes", "NOPE"]) == 2


def test_closed_streams_change_no_exit_code(monkeypatch: pytest.MonkeyPatch, config: Path, update: Callable[[object], Path]) -> None:
    path = update(REDEEM)
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)

    assert run(["send", "--config", str(config), "--from", str(path)]) == 0
    assert run(["send", "--config", str(config)]) == 2
    assert run(["codes"]) == 0


@pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "programs"])
def test_a_result_that_can_not_be_written_is_unknown_to_the_caller(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: Path, update: Callable[[object], Path], form: list[str]
) -> None:
    path = update(REDEEM)
    with FULL.open("w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdout", stream)

        assert run(["send", "--config", str(config), "--from", str(path), *form]) == 5
    assert capsys.readouterr().err == (
        "error: standard output: can't be written, so the result is lost: No space left on device (make room)\n"
    )


@pytest.mark.parametrize("codec", ["cp1252", "big5", "utf-8"])
def test_no_character_stops_the_output(monkeypatch: pytest.MonkeyPatch, config: Path, update: Callable[[object], Path], codec: str) -> None:
    path = update(REVISE)

    def shown(*form: str) -> str:
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=codec))
        assert run(["send", "-n", "--config", str(config), "--from", str(path), *form]) == 0
        return raw.getvalue().decode(codec)

    people, programs = shown(), shown("--json")
    assert ("登" in people) == ("登" in programs) == (codec != "cp1252")
    assert "登" in json.loads(programs)["body"]


@pytest.mark.parametrize("columns", ["20", "80", "400"])
def test_a_table_for_a_file_is_not_cut_to_the_terminal(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    monkeypatch.setenv("COLUMNS", columns)

    line = next(line for line in cli("codes", "PASS_USED_OCCUPIED").out.splitlines() if line.startswith("hk.ticket"))

    assert "PASS_USED_OCCUPIED" in line
    assert "redeem: ALREADY_IN_STATE" in line


@pytest.mark.parametrize("colour", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=["colours", "no colours", "dumb"])
def test_a_table_on_a_narrow_terminal_is_folded_and_loses_nothing(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, colour: dict[str, str]
) -> None:
    for name, value in ({"FORCE_COLOR": "1", "COLUMNS": "60"} | colour).items():
        monkeypatch.setenv(name, value)

    text = cli("codes", "KP.AE_SYSTEM_ERROR").out

    assert max(map(len, text.splitlines())) <= (80 if "TERM" in colour else 60)  # a dumb terminal has no width of its own
    assert text.count("\n") > 2


def test_names_that_steer_a_terminal_are_shown_as_escapes(cli: Cli) -> None:
    done = cli("send", "--from", "\x1b[2J\u202e\nAPPLIED")

    assert done.err.startswith("error: \\x1b[2J\\u202e\\nAPPLIED: can't be read")


class _Hostile(http.server.BaseHTTPRequestHandler):
    """Answers without a signature, in words made for a terminal."""

    def do_POST(self) -> None:
        words = "\x1b]0;owned\x07\r\nAPPLIED  redeem"
        body = json.dumps({"result": {"resultCode": words, "resultStatus": "S", "resultMessage": words}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_words_of_an_unproved_answer_can_not_steer_the_terminal(cli: Cli, rewritten: Callable[..., Path], config: Path) -> None:
    real = config.read_text(encoding="utf-8").partition('gateway = "')[2].partition('"')[0]
    with http.server.HTTPServer(("127.0.0.1", 0), _Hostile) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        done = cli("send", "--config", rewritten((real, f"http://127.0.0.1:{server.server_port}")), stdin=REDEEM)
        server.shutdown()

    assert done.exit == 5
    assert "\\x1b]0;owned\\x07\\r\\nAPPLIED" in done.out
    assert [mark for mark in done.out if not mark.isprintable() and mark != "\n"] == []
    assert [line for line in done.out.splitlines() if line.startswith("APPLIED")] == []
