"""`passbridge bulk export`: what a job came to, in every form."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from passbridge import Outcome
from passbridge.cli.app import run
from passbridge.sandbox import Sandbox
from tests.cli.bulk import job, ticket
from tests.cli.conftest import SCRIPT, Cli


@pytest.fixture
def ledger(cli: Cli, config: Path, box: Sandbox) -> str:
    """The ledger of a job with one row applied, one refused, one invalid."""
    path = job(box, [ticket(1), ticket(2), ticket(3, "revise")])
    box.add_fault({"fault": "code:PASS_STATUS_ILLEGAL", "match": {"pass": ticket(2)["pass"]["id"]}})
    assert cli("bulk", "run", path, "--config", config, "--json").exit == 2
    return f"{path}.passbridge.db"


def test_each_line_is_an_outcome_with_its_line_in_the_order_of_the_input(cli: Cli, ledger: str) -> None:
    done = cli("bulk", "export", ledger)

    rows = [json.loads(line) for line in done.out.splitlines()]
    assert [(row.pop("line"), Outcome.model_validate(row).code.value) for row in rows] == [
        (1, "APPLIED"),
        (2, "STATE_CONFLICT"),
        (3, "INVALID_UPDATE"),
    ]
    assert (done.exit, done.err) == (0, "3 rows\n")


@pytest.mark.parametrize("form", [[], ["--json"]], ids=["people", "programs"])
def test_only_the_states_that_are_asked_for(cli: Cli, ledger: str, form: list[str]) -> None:
    done = cli("bulk", "export", ledger, "--state", "refused", "--state", "invalid", *form)

    assert [json.loads(line)["line"] for line in done.out.splitlines()] == [2, 3]


def test_whole_rows_hold_their_updates(cli: Cli, ledger: str) -> None:
    row, *_ = map(json.loads, cli("bulk", "export", ledger, "--whole").out.splitlines())

    assert (row["state"], row["update"]) == ("applied", ticket(1))


def test_tables_come_on_standard_output_or_in_a_file(cli: Cli, ledger: str) -> None:
    shown = cli("bulk", "export", ledger, "--format", "csv")
    filed = cli("bulk", "export", ledger, "--format", "parquet", "--output", "out.parquet")

    assert [row["code"] for row in csv.DictReader(io.StringIO(shown.out))] == ["APPLIED", "STATE_CONFLICT", "INVALID_UPDATE"]
    assert pq.read_table("out.parquet").column("code").to_pylist() == ["APPLIED", "STATE_CONFLICT", "INVALID_UPDATE"]
    assert (filed.exit, filed.out) == (0, "")
    assert not Path("out.parquet.part").exists()


def test_parquet_may_go_through_a_pipe(ledger: str) -> None:
    done = subprocess.run([str(SCRIPT), "bulk", "export", ledger, "--format", "parquet"], capture_output=True, check=True)  # noqa: S603 - our own command

    assert pq.read_table(io.BytesIO(done.stdout)).num_rows == 3


def test_parquet_is_nothing_for_a_terminal(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdout", terminal)
        assert run(["bulk", "export", ledger, "--format", "parquet"]) == 2


def test_a_file_that_cannot_be_written_is_named(cli: Cli, ledger: str) -> None:
    done = cli("bulk", "export", ledger, "--output", "no/such/folder/out", "--json")

    assert (done.exit, done.problems) == (2, [("no/such/folder/out", "unwritable")])


def test_a_reader_who_leaves_early_is_no_error(ledger: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run([str(SCRIPT), "bulk", "export", ledger], stdout=writing, stderr=subprocess.PIPE, check=False)  # noqa: S603 - our own command

    os.close(writing)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("command", [["export", "--format", "parquet"], ["run", "x.parquet"]], ids=lambda value: value[0])
def test_without_pyarrow_the_extra_is_named(cli: Cli, ledger: str, command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("x.parquet").write_bytes(b"PAR1")
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)

    done = cli("bulk", *command, *([ledger] if command[0] == "export" else []))

    assert (done.exit, done.out) == (3, "")
    assert done.err == "error: the extra 'parquet' is not installed (pip install 'passbridge[parquet]')\n"
