"""Rows of cells from a CSV or a Parquet file.

Owns what goes wrong in a table before a cell is read: an open quote, a row too short, bytes that are no text. Knows nothing of updates.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, Self

from passbridge.bulk.lines import LONGEST, TooLong, lines_of, refused, unreadable
from passbridge.errors import Problem

if TYPE_CHECKING:
    from passbridge.bulk.lines import Bytes

__all__ = ["KEPT", "CsvTable", "ParquetTable", "Record", "Table", "too_long"]

KEPT: Final = 4096
"""Characters kept of a row that is no update."""

_BATCH: Final = 1024
"""Rows of a Parquet file that are in memory as Python values at once."""


class Record(NamedTuple):
    """One row of a table: the line it begins on, its cells, or why they can't be told."""

    line: int
    cells: Sequence[Any]
    problems: tuple[Problem, ...] = ()

    def text(self, names: Sequence[str]) -> str:
        """What stood there, for a person: the cells by their columns' names, cut to `KEPT`."""
        return json.dumps(dict(zip(names, self.cells, strict=False)), default=str, ensure_ascii=False)[:KEPT] if self.cells else ""


class Table(Protocol):
    """A table: the names in its head, and its rows, once."""

    names: tuple[str, ...]

    def records(self, wanted: Sequence[str]) -> Iterator[Record]:
        """The rows; of other columns than those wanted the cells may be None."""
        ...


def too_long() -> Problem:
    """What is wrong with a line that has no end in sight."""
    return Problem("", "too_large", f"has more than {LONGEST} bytes", "look for a missing line end")


class _Text:
    """The lines of a CSV as text; remembers which was read last, and what was wrong since it was last asked."""

    def __init__(self, reader: Bytes, encoding: str) -> None:
        self._lines, self._encoding = lines_of(reader), encoding
        self.number = 0
        self._wrong: list[Problem] = []

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if isinstance(line, TooLong):
            self._wrong.append(too_long())
            return "\n"
        try:
            return line.decode(self._encoding)
        except UnicodeDecodeError as error:
            message = f"line {self.number} is not {self._encoding} at byte {error.start}"
            self._wrong.append(Problem("", "undecodable", message, "save the file as UTF-8, or name its encoding"))
            return line.decode(self._encoding, "replace")

    def wrong(self) -> tuple[Problem, ...]:
        """What was wrong since the last call."""
        found, self._wrong = tuple(self._wrong), []
        return found


class CsvTable:
    """A CSV: RFC 4180's quotes, either line end, a head with the columns' names."""

    def __init__(self, reader: Bytes, name: str, encoding: str, delimiter: str, *, sure: bool) -> None:
        """Read the head.

        Args:
            reader: the bytes.
            name: what to call them.
            encoding: of the text.
            delimiter: between cells.
            sure: whether somebody named that delimiter.

        Raises:
            InvalidUpdate: there is none, or it can't be told which columns it names.
        """
        self._text = _Text(reader, encoding)
        self._rows = csv.reader(self._text, delimiter=delimiter, strict=True)
        head = self._next()
        while head and not head.problems and not head.cells:
            head = self._next()
        if head is None:
            raise refused(name, "no_head", "has no first line with the columns' names", "add one")
        if head.problems:
            raise refused(name, head.problems[0].code, f"its first line: {head.problems[0].message}", head.problems[0].mend)
        self.names = tuple(cell.strip() for cell in head.cells)
        other = next((mark for mark in ",;\t|" if mark in self.names[0]), None)
        if other and len(self.names) == 1 and not sure:
            mend = f"--delimiter {'tab' if other == chr(9) else repr(other)}"
            raise refused(name, "delimiter", f"its first line is parted by {other!r}, not by {delimiter!r}", mend)

    def records(self, wanted: Sequence[str]) -> Iterator[Record]:  # noqa: ARG002 - the table's protocol: a CSV is read whole
        """The rows that aren't empty."""
        while (record := self._next()) is not None:
            if record.problems or any(record.cells):
                yield record

    def _next(self) -> Record | None:
        line = self._text.number + 1
        try:
            cells = next(self._rows)
        except StopIteration:
            return None
        except csv.Error as error:
            return Record(line, (), (*self._text.wrong(), self._unreadable(line, error)))
        return Record(line, cells, self._text.wrong() or tuple(self._narrow(cells)))

    def _unreadable(self, line: int, error: csv.Error) -> Problem:
        lines = f"lines {line} to {self._text.number}, read as one row: " if self._text.number > line else ""
        return Problem(
            "", "unreadable_csv", f"{lines}{error}", "look for a quote that isn't closed; a quote within quotes is written twice"
        )

    def _narrow(self, cells: Sequence[str]) -> Iterator[Problem]:
        width = len(getattr(self, "names", cells))
        if len(cells) != width and any(cells):
            yield Problem(
                "", "wrong_width", f"has {len(cells)} cells, the head has {width}", "put a cell that holds the delimiter in quotes"
            )


class ParquetTable:
    """A Parquet file, read in batches. A row's line is its number, counted from 1."""

    def __init__(self, name: str) -> None:
        """Read the schema.

        Raises:
            InvalidUpdate: it is no Parquet file.
            ModuleNotFoundError: the extra isn't installed.
        """
        from pyarrow import ArrowException  # noqa: PLC0415 - comes with the extra
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - likewise

        self._name, self._arrow_error = name, ArrowException
        try:
            with unreadable(name):
                self._file = ParquetFile(name, buffer_size=2**20, pre_buffer=False)
        except ArrowException:
            raise self._damaged() from None
        self.names = tuple(self._file.schema_arrow.names)

    def records(self, wanted: Sequence[str]) -> Iterator[Record]:
        """The rows."""
        line = 0
        try:
            for batch in self._file.iter_batches(
                _BATCH, columns=list(wanted), use_threads=False
            ):  # its threads hold memory and save nothing
                for found in _values(batch):
                    line += 1
                    cells, problems = ((), (found,)) if isinstance(found, Problem) else ([found.get(name) for name in self.names], ())
                    yield Record(line, cells, problems)
        except self._arrow_error:
            raise self._damaged() from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._file.close()

    def _damaged(self) -> Exception:
        return refused(self._name, "unreadable_file", "is no Parquet file, or a damaged one", "write it again, or name another format")


def _values(batch: Any) -> Iterator[dict[str, Any] | Problem]:  # noqa: ANN401 - pyarrow ships no types
    """A batch's rows; where one can't be had as Python values, each of them alone."""
    try:
        yield from batch.to_pylist(maps_as_pydicts="strict")
    except KeyError:
        if batch.num_rows == 1:
            yield Problem("", "unreadable_row", "holds a map with one key twice", "write each key once")
            return
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            yield Problem("", "undecodable", "holds text that is not UTF-8", "write the file again")
            return
    else:
        return
    for index in range(batch.num_rows):
        yield from _values(batch.slice(index, 1))
