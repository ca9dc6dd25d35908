"""Rows of a ledger with their outcomes, for programs, spreadsheets and warehouses.

Owns what each format holds: JSON lines are outcomes as they are, tables are the members that fit a cell. Streamed. Knows no ledger.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import Any, BinaryIO, Final

from passbridge.bulk.shapes import Entry

__all__ = ["COLUMNS", "EXPORTS"]

_BATCH: Final = 4096
"""Rows that are in memory at once."""

_STEERING: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would take for a formula: one set to Chinese also by the full-width signs."""

_NATIVE: Final = MappingProxyType(
    {"code": "native_code", "status": "native_status", "sub_code": "native_sub_code", "message": "native_message"}
)

COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "line": "int64",
        "state": "string",
        "code": "string",
        "effect": "string",
        "next": "string",
        "who": "string",
        "ok": "bool",
        "certain": "bool",
        "account": "string",
        "action": "string",
        "pass_id": "string",
        "key": "string",
        "at": "moment",
        **dict.fromkeys(_NATIVE.values(), "string"),
        "verified": "bool",
        "trace_id": "string",
        "rule": "string",
        "text": "string",
        "notes": "string",
        "finding": "string",
        "attempts": "int64",
        "started": "moment",
        "elapsed": "double",
        "update": "string",
    }
)
"""The columns of a table, and what they hold."""


def _json_lines(entries: Iterable[Entry], stream: BinaryIO, *, whole: bool) -> int:
    """One outcome a line, with its `line`; whole, also with its `state` and `update`, and rows that have no outcome yet."""
    written = 0
    for entry in entries:
        if entry.body is None and not whole:
            continue
        head = json.dumps({"line": entry.line, "state": entry.state, "update": _update(entry)} if whole else {"line": entry.line})
        stream.write(f"{head[:-1]}, {entry.body[1:]}\n".encode() if entry.body else f"{head}\n".encode())
        written += 1
    return written


def _csv(entries: Iterable[Entry], stream: BinaryIO, *, whole: bool) -> int:
    """A table in UTF-8; text that a spreadsheet would take for a formula has an apostrophe before it."""
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)
        writer.writerow(COLUMNS)
        written = 0
        for row in _flat(entries, whole=whole):
            writer.writerow([_cell(row[name], kind) for name, kind in COLUMNS.items()])
            written += 1
    finally:
        text.detach()
    return written


def _parquet(entries: Iterable[Entry], stream: BinaryIO, *, whole: bool) -> int:
    """A table with types; moments are UTC."""
    import pyarrow as pa  # noqa: PLC0415 - comes with the extra
    from pyarrow.parquet import ParquetWriter  # noqa: PLC0415 - likewise

    types = {"int64": pa.int64(), "string": pa.string(), "bool": pa.bool_(), "double": pa.float64(), "moment": pa.timestamp("ms", "UTC")}
    schema = pa.schema([(name, types[kind]) for name, kind in COLUMNS.items()])
    written = 0
    flat = _flat(entries, whole=whole)
    with ParquetWriter(stream, schema, compression="zstd") as writer:
        while rows := list(islice(flat, _BATCH)):
            table = pa.Table.from_pylist([{**row, "at": _moment(row["at"]), "started": _moment(row["started"])} for row in rows], schema)
            writer.write_table(table)
            written += len(rows)
    return written


EXPORTS: Final[Mapping[str, Callable[..., int]]] = MappingProxyType({"jsonl": _json_lines, "csv": _csv, "parquet": _parquet})
"""By a format's name what writes it: `(entries, stream, whole=…)`, where the stream takes bytes; gives the rows written.

With `whole`, rows that have no outcome yet are written too; without, they are passed over.
"""


def _flat(entries: Iterable[Entry], *, whole: bool) -> Iterator[dict[str, Any]]:
    """The rows of a table."""
    for entry in entries:
        if entry.body is None and not whole:
            continue
        outcome: dict[str, Any] = json.loads(entry.body) if entry.body else {}
        native, finding = outcome.get("native") or {}, outcome.get("finding")
        yield {
            **{name: outcome.get(name) for name in COLUMNS},
            **{column: native.get(name) for name, column in _NATIVE.items()},
            "line": entry.line,
            "state": entry.state.value,
            "verified": native.get("verified"),
            "notes": "; ".join(outcome.get("notes", ())) or None,
            "finding": finding and finding["code"],
            "attempts": len(outcome.get("attempts", ())),
            "update": entry.text,
        }


def _cell(value: object, kind: str) -> object:
    """A value as a CSV's cell. What steers a spreadsheet can only be text: the rest is of our own making."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if kind == "string" and isinstance(value, str) and value.startswith(_STEERING):
        return f"'{value}"
    return value


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _update(entry: Entry) -> object:
    """The update as JSON; of a row that is none, the text that stood there."""
    try:
        return json.loads(entry.text)
    except ValueError:
        return entry.text
