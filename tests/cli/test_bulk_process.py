"""Jobs under way: signals, a second process, terminals, full disks."""

from __future__ import annotations

import json
import os
import pty
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from passbridge.sandbox import Sandbox
from tests.cli.bulk import coupon, job, lines, sent, ticket
from tests.cli.conftest import SCRIPT, Cli, child, wait_for

ROWS = 60


@contextmanager
def running(config: Path, *more: object) -> Iterator[subprocess.Popen[bytes]]:
    """A job under way, slowly: its command in a session of its own, as a shell starts one."""
    command = [str(SCRIPT), "bulk", "run", "in.jsonl", "--config", str(config), "--json", "--rate", "20/s", *map(str, more)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603 - our own command
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """Something happens in another thread."""
    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield
    finally:
        thread.join()


@pytest.mark.parametrize(("number", "workers"), [(signal.SIGINT, 2), (signal.SIGTERM, 1)], ids=["SIGINT", "SIGTERM"])
def test_one_signal_finishes_what_is_in_flight_and_the_same_command_goes_on(
    cli: Cli, config: Path, box: Sandbox, number: signal.Signals, workers: int
) -> None:
    job(box, [coupon(n) for n in range(ROWS)])
    with running(config, "--workers", workers) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)

    summary, exit_ = json.loads(out), 128 + number
    assert (process.returncode, summary["exit"], summary["end"]) == (exit_, exit_, "stopped")
    assert (summary["states"].get("unknown", 0), summary["in_flight"]) == (0, 0)
    assert 0 < summary["codes"]["APPLIED"] < ROWS
    assert b"finishing what is in flight" in err
    assert f"go on with: passbridge bulk run in.jsonl --config {config} --json --rate 20/s --workers {workers}" in err.decode()
    done = cli("bulk", "run", "in.jsonl", "--config", config, "--json")
    assert (done.exit, done.json["codes"]) == (0, {"APPLIED": ROWS})
    assert sorted(sent(box)) == sorted(coupon(n)["pass"]["id"] for n in range(ROWS))


def test_ctrl_c_is_taken_while_the_job_runs_and_given_back_after_it(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [coupon(n) for n in range(ROWS)])
    before = signal.getsignal(signal.SIGINT)

    def interrupt() -> None:
        wait_for(lambda: len(sent(box)) >= 3)
        os.kill(os.getpid(), signal.SIGINT)

    with meanwhile(interrupt):
        done = cli("bulk", "run", path, "--config", config, "--json", "--rate", "20/s")

    assert (done.exit, done.json["end"]) == (130, "stopped")
    assert signal.getsignal(signal.SIGINT) is before


def test_two_signals_stop_at_once_and_nothing_is_lost(cli: Cli, config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(5)])
    box.add_fault({"fault": "delay:20", "count": 1})
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 1)
        assert process.stderr
        process.send_signal(signal.SIGINT)
        said = b""
        while b"once more stops at once" not in said:
            said += os.read(process.stderr.fileno(), 4096)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=15)

    assert (process.returncode, out) == (130, b"")
    assert b"stopped at once: what was in flight is in doubt" in err
    done = cli("bulk", "run", "in.jsonl", "--config", config, "--json")
    assert (done.json["rows"], done.json["states"].get("open", 0)) == (5, 0)


def test_a_job_is_looked_at_while_it_runs_and_no_second_process_joins_it(cli: Cli, config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(1000)])
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        status = cli("bulk", "status", "in.jsonl", "--json")
        exported = cli("bulk", "export", "in.jsonl", "--state", "applied")
        second = cli("bulk", "run", "in.jsonl", "--config", config, "--json")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert (status.exit, status.json["rows"], status.json["end"]) == (0, 1000, None)
    assert status.json["schema"] == "passbridge.bulk/1"
    assert exported.exit == 0
    assert (second.exit, second.problems) == (6, [("in.jsonl.passbridge.db", "locked")])


def test_progress_goes_to_standard_error(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [coupon(n) for n in range(30)])

    done = cli("bulk", "run", path, "--config", config, "--json", "--rate", "20/s")

    assert done.json["codes"] == {"APPLIED": 30}
    assert any(" of 30 rows (" in line or "reading the input" in line for line in done.err.splitlines())
    assert len(done.err.splitlines()) <= 3


def test_on_a_terminal_there_is_a_bar(cli: Cli, config: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = job(box, [coupon(n) for n in range(30)])
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def read() -> None:
        while not shown or shown[-1]:
            try:
                shown.append(os.read(ours, 4096))
            except OSError:  # the other end is closed
                return

    with meanwhile(read):
        with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
            monkeypatch.setattr(sys, "stderr", terminal)
            done = cli("bulk", "run", path, "--config", config, "--rate", "20/s")
        monkeypatch.undo()
    os.close(ours)

    text = b"".join(shown).decode()
    assert (done.exit, "APPLIED" in done.out) == (0, True)
    assert "━" in text
    assert " of 30 rows (" in text
    assert "/s" in text


def test_a_job_whose_answers_are_not_trustworthy_pauses_with_6(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(n) for n in range(200)])
    box.add_fault({"fault": "bad-signature", "count": 100_000})

    done = cli("bulk", "run", path, "--config", config, "--json", "--workers", "1", "--patience", "1")

    assert (done.exit, done.json["end"]) == (6, "paused")
    assert 0 < done.json["codes"]["UNTRUSTED_ANSWER"] < 100
    assert "go on with: passbridge bulk run in.jsonl" in done.err


def test_an_input_by_a_slow_pipe_can_be_interrupted(
    config: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from passbridge.cli.app import run  # noqa: PLC0415 - with its own standard input, a real pipe

    job(box, [ticket(1)])
    reading, writing = os.pipe()

    def interrupt() -> None:
        os.write(writing, lines([ticket(1)]))
        wait_for(Path("own.db").exists)
        time.sleep(0.3)  # until it waits for the next line
        os.kill(os.getpid(), signal.SIGINT)

    with os.fdopen(reading, encoding="utf-8") as stream, meanwhile(interrupt):
        monkeypatch.setattr(sys, "stdin", stream)
        code = run(["bulk", "run", "-", "--ledger", "own.db", "--config", str(config), "--json"])

    os.close(writing)
    out, err = capsys.readouterr()
    assert (code, json.loads(out)["end"]) == (130, "stopped")
    assert "go on with: passbridge bulk run - --ledger own.db" in err
    assert sent(box) == []


def test_an_input_by_a_pipe_is_carried_out(config: Path, box: Sandbox) -> None:
    job(box, [ticket(n) for n in range(20)])

    done = child("bulk", "run", "-", "--ledger", "own.db", "--config", config, "--json", stdin=lines([ticket(n) for n in range(20)]))

    assert (done.exit, done.json["codes"]) == (0, {"APPLIED": 20})


def test_a_disk_that_is_full_stops_the_job_with_5_and_it_can_go_on_later(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [coupon(n) for n in range(400)])
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    size = Path("in.jsonl.passbridge.db").stat().st_size + 2**16
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, kept[1]))
    try:
        full = cli("bulk", "run", path, "--config", config, "--json", "--workers", "1")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)

    assert (full.exit, full.json["error"]) == (5, "ledger")
    assert full.json["problems"][0]["code"] == "unusable"
    done = cli("bulk", "run", path, "--config", config, "--json", "--workers", "1")
    assert (done.json["rows"], done.json["states"].get("open", 0), done.json["states"].get("unsent", 0)) == (400, 0, 0)


def test_without_psycopg_the_extra_is_named(cli: Cli, config: Path, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    path = job(box, [ticket(1)])
    monkeypatch.setitem(sys.modules, "psycopg", None)

    done = cli("bulk", "run", path, "--ledger", "postgresql:///x", "--config", config)

    assert (done.exit, done.out) == (3, "")
    assert done.err.startswith("error: ")
    assert done.err.endswith("(pip install 'passbridge[bulk]')\n")
