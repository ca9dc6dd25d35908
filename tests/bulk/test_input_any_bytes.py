"""Whatever bytes come in: rows or one refusal, never a crash, and no line lost."""

from __future__ import annotations

import csv
import gzip
import io
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from passbridge import InvalidUpdate
from passbridge.bulk.input import ENCODINGS, FORMATS, Input, Reading
from tests.bulk.reading import rows

PIECES = st.sampled_from([
    b"\n", b"\r\n", b"\r", b'"', b'""', b",", b";", b"{", b"}", b"[]", b"{}", b"\xef\xbb\xbf", b"\xff", b"\x00", b"\x1f\x8b", b"PAR1", b" ",
    b"action", b"pass.id", b"close", b'{"action": "close", "pass": {"id": "1"}}', "登".encode(), "登".encode("gbk"), b"1" * 200_000,
])  # fmt: skip
BYTES = st.lists(PIECES | st.binary(max_size=5), max_size=30).map(b"".join)


@settings(max_examples=150)
@given(data=BYTES, form=st.sampled_from([*FORMATS[:2], None]), encoding=st.sampled_from(ENCODINGS), fill=st.booleans())
def test_any_bytes_are_rows_or_one_refusal(data: bytes, form: str | None, encoding: str, fill: bool) -> None:  # noqa: FBT001 - drawn
    reading = Reading(format=form, encoding=encoding, fill={"action": "close", "pass.id": "1"} if fill else {})
    with suppress(InvalidUpdate):
        found = rows(data, reading)
        assert [row.line for row in found] == sorted({row.line for row in found})
        assert all((row.update is None) == bool(row.problems) for row in found)
        assert all(problem.message for row in found for problem in row.problems)


@settings(max_examples=100)
@given(data=BYTES.filter(lambda data: not data.startswith((b"\x1f\x8b", b"\xff\xfe", b"\xfe\xff"))))
def test_every_json_line_that_is_not_blank_is_a_row(data: bytes) -> None:
    wanted = [number for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1) if line.strip()]

    assert [row.line for row in rows(data, Reading(format="jsonl"))] == wanted


@settings(max_examples=100)
@given(cells=st.lists(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=8))
def test_a_csv_of_another_writer_is_read_as_it_was_written(cells: list[tuple[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    writer.writerow(["pass.id", "content.params.gate"])
    writer.writerows(cells)

    found = rows(text.getvalue().encode(), Reading(format="csv", fill={"action": "revise"}))

    assert [(row.update.pass_.id, row.update.content and row.update.content.params["gate"]) for row in found if row.update] == [
        (name, gate or None) for name, gate in cells
    ]


@pytest.mark.parametrize("size", [0, 1, 2, 17])
def test_a_packed_stream_cut_anywhere_at_its_head_is_refused(size: int) -> None:
    data = gzip.compress(b"{}\n")[: 2 + size]

    with pytest.raises(InvalidUpdate), Input("x.jsonl.gz", stream=io.BytesIO(data)) as given_:
        list(given_)
