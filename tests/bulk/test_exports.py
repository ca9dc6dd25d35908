"""Exported rows, read back by other readers: each format carries every outcome as it is."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from passbridge import Outcome
from passbridge.bulk.exports import COLUMNS, EXPORTS
from passbridge.bulk.shapes import Entry, State
from passbridge.domain import Attempt, Native

STARTED = "2026-11-22T10:00:00.123+08:00"

APPLIED = {
    "schema": "passbridge.outcome/1", "code": "APPLIED", "effect": "applied", "next": "none", "who": "nobody", "ok": True, "certain": True,
    "mapped": True, "account": "hk-tickets", "action": "redeem", "pass_id": "2995228480402564890020", "key": "k-1",
    "at": "2026-11-22T10:00:00.000+08:00",
    "notes": ["a", "登"], "finding": None,
    "native": {"code": "SUCCESS", "status": "S", "sub_code": None, "message": "success", "result": None, "verified": True},
    "trace_id": "t", "rule": "hk.ticket#codes.SUCCESS", "text": "It holds.", "started": STARTED, "elapsed": 0.081,
    "attempts": [{"n": 1, "code": "APPLIED", "sent": True, "reason": None, "at": STARTED, "trace_id": "t", "elapsed": 0.08}],
}  # fmt: skip
NO_ANSWER = APPLIED | {"code": "NO_ANSWER", "effect": "unknown", "ok": False, "native": None, "key": None, "at": None, "notes": []}
UPDATE = '{"action":"redeem","to":"hk-tickets","pass":{"id":"2995228480402564890020"}}'


def entry(line: int, state: State, outcome: dict[str, Any] | None, text: str = UPDATE) -> Entry:
    return Entry(line, state, text, None if outcome is None else Outcome.model_validate(outcome).model_dump_json())


ENTRIES = [
    entry(2, State.APPLIED, APPLIED),
    entry(5, State.OPEN, None),
    entry(7, State.UNKNOWN, NO_ANSWER),
    entry(9, State.INVALID, NO_ANSWER | {"code": "INVALID_UPDATE"}, "no JSON"),
]


def exported(format_: str, entries: list[Entry], *, whole: bool = False) -> bytes:
    stream = io.BytesIO()
    lines = len(entries) if whole else sum(one.body is not None for one in entries)
    assert EXPORTS[format_](entries, stream, whole=whole) == lines
    return stream.getvalue()


def test_each_json_line_is_an_outcome_with_its_line() -> None:
    lines = [json.loads(line) for line in exported("jsonl", ENTRIES).decode().splitlines()]

    assert [line.pop("line") for line in lines] == [2, 7, 9]
    assert lines == [APPLIED, NO_ANSWER, NO_ANSWER | {"code": "INVALID_UPDATE"}]
    assert Outcome.model_validate(lines[0]).attempts == (Attempt(n=1, code="APPLIED", sent=True, at=STARTED, trace_id="t", elapsed=0.08),)


def test_whole_json_lines_hold_the_state_the_update_and_rows_without_an_outcome() -> None:
    lines = [json.loads(line) for line in exported("jsonl", ENTRIES, whole=True).decode().splitlines()]

    assert lines[0] == {"line": 2, "state": "applied", "update": json.loads(UPDATE), **APPLIED}
    assert lines[1] == {"line": 5, "state": "open", "update": json.loads(UPDATE)}
    assert (lines[3]["state"], lines[3]["update"]) == ("invalid", "no JSON")


def test_a_csv_has_a_column_for_each_member_that_fits_a_cell() -> None:
    data = exported("csv", ENTRIES)
    first, second, third = csv.DictReader(io.StringIO(data.decode(), newline=""))

    assert first == dict.fromkeys(COLUMNS, "") | {
        "line": "2", "state": "applied", "code": "APPLIED", "effect": "applied", "next": "none", "who": "nobody", "ok": "true",
        "certain": "true", "account": "hk-tickets", "action": "redeem", "pass_id": "2995228480402564890020", "key": "k-1",
        "at": "2026-11-22T10:00:00.000+08:00", "native_code": "SUCCESS", "native_status": "S", "native_message": "success",
        "verified": "true",
        "trace_id": "t", "rule": "hk.ticket#codes.SUCCESS", "text": "It holds.", "notes": "a; 登", "attempts": "1", "started": STARTED,
        "elapsed": "0.081", "update": UPDATE,
    }  # fmt: skip
    assert (second["ok"], second["native_code"], second["verified"], second["key"]) == ("false", "", "", "")
    assert third["line"] == "9"
    assert data.count(b"\r\n") == 4


@pytest.mark.parametrize("text", ["=1+1", "+852", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "\uff20SUM(A1)"])
def test_a_csv_runs_no_formula_in_a_spreadsheet(text: str) -> None:
    outcome = APPLIED | {"key": text, "notes": [text], "native": Native(message=text, verified=True).model_dump()}
    data = exported("csv", [entry(1, State.APPLIED, outcome, text)])

    (row,) = csv.DictReader(io.StringIO(data.decode(), newline=""))

    assert [row[name] for name in ("key", "notes", "native_message", "update")] == [f"'{text}"] * 4
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for cell in row.values())


def test_a_csv_quotes_what_would_break_its_rows() -> None:
    outcome = APPLIED | {"key": 'a,"b"\r\nc'}

    (row,) = csv.DictReader(io.StringIO(exported("csv", [entry(1, State.APPLIED, outcome)]).decode(), newline=""))

    assert row["key"] == 'a,"b"\r\nc'


def test_parquet_has_the_same_columns_with_types() -> None:
    table = pq.read_table(io.BytesIO(exported("parquet", ENTRIES, whole=True)))

    assert table.column_names == list(COLUMNS)
    assert table.schema.field("line").type == pa.int64()
    assert table.schema.field("started").type == pa.timestamp("ms", "UTC")
    first, open_, *_ = table.to_pylist()
    assert (first["line"], first["code"], first["ok"], first["elapsed"]) == (2, "APPLIED", True, 0.081)
    assert first["started"] == datetime.fromisoformat(STARTED)
    assert (open_["line"], open_["state"], open_["code"], open_["started"], open_["attempts"]) == (5, "open", None, None, 0)


@pytest.mark.parametrize("count", [0, 1, 4096, 9000])
def test_parquet_is_written_batch_by_batch(count: int) -> None:
    entries = [Entry(line, State.APPLIED, UPDATE, ENTRIES[0].body) for line in range(1, count + 1)]

    assert pq.read_table(io.BytesIO(exported("parquet", entries))).column("line").to_pylist() == list(range(1, count + 1))


def test_an_export_may_hold_nothing() -> None:
    assert exported("jsonl", [ENTRIES[1]]) == b""
    assert exported("csv", [ENTRIES[1]]) == ",".join(COLUMNS).encode() + b"\r\n"


@pytest.mark.parametrize("format_", ["jsonl", "csv"])
def test_rows_are_written_as_they_come(format_: str) -> None:
    stream, seen = io.BytesIO(), []

    def rows() -> Any:  # noqa: ANN401 - a generator
        for line in range(1, 4):
            seen.append(stream.getvalue().count(b"APPLIED"))
            yield Entry(line, State.APPLIED, UPDATE, ENTRIES[0].body)

    EXPORTS[format_](rows(), stream, whole=False)

    assert seen == sorted(set(seen))
