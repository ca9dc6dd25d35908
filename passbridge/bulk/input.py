"""Updates from a file or standard input, row by row: JSON lines, CSV, Parquet.

Owns the formats and what becomes of a bad row: it is a `Row` with its problems, and the next one comes after it. Only an input that
can't be taken at all is an error. What has been read is not kept, so memory stays flat. Knows no ledger and sends nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, BinaryIO, Final, Self

from passbridge.bulk.columns import Columns, Filling, fill_in, fillings
from passbridge.bulk.lines import TooLong, first_bytes, lines_of, open_bytes, refused, unreadable
from passbridge.bulk.rows import Row
from passbridge.bulk.tables import KEPT, CsvTable, ParquetTable, Table, too_long
from passbridge.domain import JsonError, PassUpdate, load_update, read_json
from passbridge.errors import InvalidUpdate, Problem

__all__ = ["ENCODINGS", "FORMATS", "Input", "Reading"]

FORMATS: Final = ("jsonl", "csv", "parquet")

ENCODINGS: Final = ("utf-8", "gb18030", "gbk", "big5", "big5hkscs")
"""UTF-8, and what spreadsheets write in Chinese. In all of them no part of a character looks like a line end, a quote or a comma."""

_SUFFIXES: Final = MappingProxyType(
    {
        ".jsonl": "jsonl",
        ".ndjson": "jsonl",
        ".csv": "csv",
        ".tsv": "csv",
        ".parquet": "parquet",
        ".pq": "parquet",
    }
)

_PARQUET: Final = b"PAR1"

_NEEDED: Final = ("action", "pass.id")
"""What no update goes without."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How an input is read.

    Attributes:
        format: one of `FORMATS`; by default what the file's name or its first bytes say.
        columns: for a table, by a column's name the field it fills, as in `{"card_no": "pass.id"}`.
        fill: by a field the text of the value that every update gets which has none, as in `{"action": "close"}`.
        to: the account of every update, instead of its own.
        encoding: one of `ENCODINGS`.
        delimiter: between the cells of a CSV; by default a comma, or a tab in a `.tsv`.
    """

    format: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    fill: Mapping[str, str] = field(default_factory=dict)
    to: str | None = None
    encoding: str = "utf-8"
    delimiter: str | None = None


class Input:
    """One opened input: an iterator of rows, once, and a context manager that closes it.

    Attributes:
        format: one of `FORMATS`.
        columns: of a table, which columns fill what.
    """

    def __init__(self, name: str, reading: Reading | None = None, stream: BinaryIO | None = None) -> None:
        """Open an input and read its head.

        Args:
            name: a path; of a stream, what to call it.
            reading: how.
            stream: bytes to read instead of a file, as standard input's.

        Raises:
            InvalidUpdate: it can't be taken at all: not readable, an unknown format, a bad choice of columns. Every reason at once.
            ModuleNotFoundError: it is Parquet and the extra isn't installed.
        """
        how = reading or Reading()
        self._name, self._to, self._encoding = name, how.to, how.encoding
        self._filling = fillings(how.fill)
        self._streamed = stream is not None
        self._delimiter = how.delimiter or ("\t" if Path(name).suffix.lower() == ".tsv" else ",")
        self.columns: Columns | None = None
        with ExitStack() as opened:
            self._reader = opened.enter_context(open_bytes(name, stream))
            with unreadable(name):
                self.format = _format(name, how, first_bytes(self._reader))
                self._rows = self._guarded(self._lines() if self.format == "jsonl" else self._table(how, opened))
            self._opened = opened.pop_all()

    def _table(self, how: Reading, opened: ExitStack) -> Iterator[Row]:
        if self.format == "csv":
            table: Table = CsvTable(self._reader, self._name, self._encoding, self._delimiter, sure=how.delimiter is not None)
        else:
            table = opened.enter_context(ParquetTable(self._name))
        self.columns = Columns(table.names, how.columns)
        _require(self.columns, self._filling)
        return self._records(table, self.columns)

    def __iter__(self) -> Iterator[Row]:
        """The rows that are left.

        Raises:
            InvalidUpdate: the input can't be read to its end.
        """
        return self._rows

    def fingerprint(self) -> str | None:
        """What tells this input, and how it is read, from any other: of a file; a stream has nothing that could.

        Raises:
            InvalidUpdate: it can't be read.
        """
        if not Path(self._name).is_file() or self._streamed:
            return None
        with unreadable(self._name), Path(self._name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256")
        columns = [(column.index, str(column.field)) for column in self.columns.read] if self.columns else []
        found.update(repr((self.format, columns, sorted(self._filling, key=repr), self._to, self._encoding, self._delimiter)).encode())
        return found.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; a stream is its owner's to close."""
        self._opened.close()

    def _guarded(self, rows: Iterator[Row]) -> Iterator[Row]:
        with unreadable(self._name):
            yield from rows

    def _lines(self) -> Iterator[Row]:
        for number, line in lines_of(self._reader):
            if isinstance(line, TooLong):
                yield Row.bad(number, (too_long(),), line[:KEPT].decode("utf-8", "replace"))
            elif line.strip():
                yield self._line(number, line)

    def _line(self, number: int, line: bytes) -> Row:
        try:
            text = line if self._encoding == "utf-8" else line.decode(self._encoding)
            update = load_update(self._members(text.rstrip()))
            return Row.of(number, update.model_copy(update={"to": self._to}) if self._to else update)
        except UnicodeDecodeError as error:
            problems: tuple[Problem, ...] = (
                Problem("", "undecodable", f"is not {self._encoding} at byte {error.start}", "name its encoding"),
            )
        except InvalidUpdate as error:
            problems = error.problems
        return Row.bad(number, problems, line[:KEPT].decode(self._encoding, "replace").strip())

    def _members(self, text: bytes | str) -> bytes | str | Mapping[str, Any]:
        """The line, or its members together with what it lacks; what can't be read is left for `load_update` to say."""
        if not self._filling:
            return text
        try:
            members = read_json(text)
        except JsonError:
            return text
        if not isinstance(members, dict):
            return text
        fill_in(members, self._filling)
        return members

    def _records(self, table: Table, columns: Columns) -> Iterator[Row]:
        for record in table.records([column.name for column in columns.read]):
            update, problems = (None, record.problems) if record.problems else self._update(record.cells, columns)
            yield Row.of(record.line, update) if update else Row.bad(record.line, problems, record.text(table.names))

    def _update(self, cells: Sequence[Any], columns: Columns) -> tuple[PassUpdate | None, tuple[Problem, ...]]:
        """The update that a row of cells makes, or everything wrong with it."""
        members, problems = columns.members(cells)
        unread = {problem.path.rpartition(": ")[2] for problem in problems}
        fill_in(members, self._filling)
        if self._to:
            members["to"] = self._to
        try:
            update = load_update(members)
        except InvalidUpdate as error:
            problems += [columns.placed(problem) for problem in error.problems if problem.path not in unread]
        else:
            return (None if problems else update), tuple(problems)
        return None, tuple(problems)


def _format(name: str, how: Reading, first: bytes) -> str:
    if how.encoding not in ENCODINGS:
        raise refused("encoding", "unknown_encoding", f"{how.encoding!r} can't be read", f"known: {', '.join(ENCODINGS)}")
    said = how.format or _SUFFIXES.get(Path(name.lower().removesuffix(".gz")).suffix) or _sniffed(first)
    if said not in FORMATS:
        raise refused(name, "unknown_format", "its name and its first bytes don't say what it is", f"name its format: {', '.join(FORMATS)}")
    if how.columns and said == "jsonl":
        raise refused(name, "no_columns", "is JSON lines, which have no columns to map", "leave the mapping out, or name its format")
    if said == "parquet" and not Path(name).is_file():
        raise refused(name, "not_a_file", "is no file, and Parquet can't be read from a stream", "write it to a file first")
    return said


def _sniffed(first: bytes) -> str | None:
    if first.startswith(_PARQUET):
        return "parquet"
    return "jsonl" if first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b""} else None


def _require(columns: Columns, filling: Filling) -> None:
    """Refuse a table none of whose rows can be an update."""
    filled = {column.field.path for column in columns.read} | {path for path, _ in filling}
    missing = [need for need in _NEEDED if not any(tuple(need.split("."))[: len(path)] == path for path in filled)]
    if missing:
        mends = {"action": "--set action=redeem, or --map COLUMN=action", "pass.id": "--map COLUMN=pass.id"}
        raise InvalidUpdate([Problem(need, "no_column", "no column fills it", mends[need]) for need in missing])
