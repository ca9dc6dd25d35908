"""Jobs as processes of their own: signals, a second process, terminals, missing parts."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from passbridge.sandbox import Sandbox
from tests.cli.bulk import coupon, job, lines, sent, ticket
from tests.cli.conftest import SCRIPT, child, wait_for

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="needs the installed command")

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


@pytest.mark.parametrize(("number", "exit_"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("workers", [1, 2])
def test_one_signal_finishes_what_is_in_flight_and_the_same_command_goes_on(
    config: Path, box: Sandbox, number: signal.Signals, exit_: int, workers: int
) -> None:
    job(box, [coupon(n) for n in range(ROWS)])
    with running(config, "--workers", workers) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        os.killpg(process.pid, number)
        out, err = process.communicate(timeout=30)

    summary = json.loads(out)
    assert (process.returncode, summary["exit"], summary["end"]) == (exit_, exit_, "stopped")
    assert summary["states"].get("unknown", 0) == 0
    assert summary["in_flight"] == 0
    assert 0 < summary["codes"]["APPLIED"] < ROWS
    assert b"finishing what is in flight" in err
    again = f"passbridge bulk run in.jsonl --config {config} --json --rate 20/s --workers {workers}"
    assert f"go on with: {again}" in err.decode()
    done = child("bulk", "run", "in.jsonl", "--config", config, "--json", "--workers", workers)
    assert (done.exit, done.json["codes"]) == (0, {"APPLIED": ROWS})
    assert sorted(sent(box)) == sorted(coupon(n)["pass"]["id"] for n in range(ROWS))


def test_two_signals_stop_at_once_and_nothing_is_lost(config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(5)])
    box.add_fault({"fault": "delay:20", "count": 1})
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 1)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.stderr
        wait_for(lambda: b"once more stops at once" in os.read(process.stderr.fileno(), 4096))  # type: ignore[union-attr] # just seen
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=15)

    assert (process.returncode, out) == (130, b"")
    assert time.monotonic() - began < 15
    done = child("bulk", "run", "in.jsonl", "--config", config, "--json")
    assert done.json["rows"] == 5
    assert done.json["states"].get("open", 0) == 0


def test_a_job_is_looked_at_while_it_runs_and_no_second_process_joins_it(config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(1000)])
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        status = child("bulk", "status", "in.jsonl", "--json")
        exported = child("bulk", "export", "in.jsonl", "--state", "applied")
        second = child("bulk", "run", "in.jsonl", "--config", config, "--json")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)

    assert (status.exit, status.json["rows"], status.json["end"]) == (0, 1000, None)
    assert status.json["schema"] == "passbridge.bulk/1"
    assert exported.exit == 0
    assert (second.exit, second.problems) == (6, [("in.jsonl.passbridge.db", "locked")])


def test_progress_goes_to_standard_error(config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(30)])

    done = child("bulk", "run", "in.jsonl", "--config", config, "--json", "--rate", "20/s")

    assert done.json["codes"] == {"APPLIED": 30}
    assert any(" of 30 rows (" in line or "reading the input" in line for line in done.err.splitlines())
    assert len(done.err.splitlines()) <= 3


def test_on_a_terminal_there_is_a_bar(config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(40)])
    ours, theirs = pty.openpty()
    command = [str(SCRIPT), "bulk", "run", "in.jsonl", "--config", str(config), "--rate", "20/s"]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    shown = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:  # noqa: S603 - our own command
        os.close(theirs)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if not select.select([ours], [], [], 1)[0]:
                continue
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other end is closed
                break
            shown += part
        out, _ = process.communicate(timeout=30)
    os.close(ours)

    assert process.returncode == 0
    assert b"APPLIED" in out
    assert "━".encode() in shown
    assert b" of 40 rows" in shown
    assert b"/s" in shown


def test_a_job_whose_answers_are_not_trustworthy_pauses_with_6(config: Path, box: Sandbox) -> None:
    job(box, [ticket(n) for n in range(200)])
    box.add_fault({"fault": "bad-signature", "count": 100_000})

    done = child("bulk", "run", "in.jsonl", "--config", config, "--json", "--workers", "1", "--patience", "1")

    assert (done.exit, done.json["end"]) == (6, "paused")
    assert 0 < done.json["codes"]["UNTRUSTED_ANSWER"] < 100
    assert "go on with: passbridge bulk run in.jsonl" in done.err


FULL = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE, SIZE))
from passbridge.cli import main
main()
"""


def test_a_disk_that_is_full_stops_the_job_with_5_and_it_can_go_on_later(config: Path, box: Sandbox) -> None:
    job(box, [coupon(n) for n in range(1500)])
    with running(config) as process:
        wait_for(lambda: len(sent(box)) >= 3)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    size = Path("in.jsonl.passbridge.db").stat().st_size + 2**18
    program = (sys.executable, "-c", FULL.replace("SIZE", str(size)))

    full = child("bulk", "run", "in.jsonl", "--config", config, "--json", "--workers", "1", program=program)

    assert (full.exit, full.json["error"]) == (5, "ledger")
    assert full.json["problems"][0]["code"] == "unusable"
    done = child("bulk", "run", "in.jsonl", "--config", config, "--json", "--workers", "1")
    assert (done.json["rows"], done.json["states"].get("open", 0), done.json["states"].get("unsent", 0)) == (1500, 0, 0)


def test_an_input_by_a_slow_pipe_can_be_interrupted(config: Path, box: Sandbox) -> None:
    job(box, [ticket(1)])
    command = [str(SCRIPT), "bulk", "run", "-", "--ledger", "own.db", "--config", str(config), "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own command
        assert process.stdin
        process.stdin.write(lines([ticket(1)]))
        process.stdin.flush()
        wait_for(Path("own.db").exists)
        time.sleep(0.5)  # until it waits for the next line
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
        out = process.stdout.read() if process.stdout else b""

    assert process.returncode == 130
    assert json.loads(out)["end"] == "stopped"


def test_without_psycopg_the_extra_is_named(config: Path, box: Sandbox) -> None:
    job(box, [ticket(1)])
    code = "import sys; sys.modules['psycopg'] = None; from passbridge.cli import main; main()"

    done = child("bulk", "run", "in.jsonl", "--ledger", "postgresql:///x", "--config", config, program=(sys.executable, "-c", code))

    assert (done.exit, done.out) == (3, "")
    assert done.err.startswith("error: ")
    assert done.err.endswith("(pip install 'passbridge[bulk]')\n")
