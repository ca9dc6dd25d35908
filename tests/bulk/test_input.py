"""JSON lines, and what every input has in common: names, streams, packed files, lines without end."""

from __future__ import annotations

import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passbridge.bulk.input import Input, Reading
from passbridge.bulk.lines import LONGEST
from tests.bulk.reading import brief, refusal, rows

CLOSE: dict[str, Any] = {"action": "close", "to": "hk-tickets", "pass": {"id": "2995228480402564890020", "user_id": "2160400000000135"}}
LINE = json.dumps(CLOSE).encode()


def test_each_line_is_an_update_kept_as_json_of_one_spelling() -> None:
    revise = CLOSE | {"action": "revise", "kind": "air_ticket", "content": {"params": {"gate": "登", "seats": [1, None]}}}
    (first, second) = rows(
        b'{ "pass":{"user_id":"2160400000000135", "id" : "7"},"action":"close" }\n' + json.dumps(revise).encode() + b"\n"
    )

    assert first.text == '{"action":"close","pass":{"id":"7","user_id":"2160400000000135"}}'
    assert second.update is not None
    assert json.loads(second.text) == revise == second.update.as_json()
    assert "登" in second.text
    assert (first.problems, second.problems) == ((), ())


@pytest.mark.parametrize(
    "data",
    [LINE, LINE + b"\n", LINE + b"\r\n", b"\xef\xbb\xbf" + LINE + b"\n", LINE + b"\n\n \t\r\n\n"],
    ids=["no line end", "LF", "CRLF", "byte order mark", "blank lines after it"],
)
def test_how_a_line_ends_and_what_is_blank_is_all_the_same(data: bytes) -> None:
    assert [brief(row) for row in rows(data)] == [(1, "close")]


def test_blank_lines_count_as_lines() -> None:
    assert [row.line for row in rows(b"\n \r\n" + LINE + b"\n\n" + LINE)] == [3, 5]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"], ids=repr)
def test_an_input_may_hold_nothing(data: bytes) -> None:
    assert rows(data) == []
    assert rows(data, Reading()) == []


BAD = {
    "not JSON": (b"{", [("", "unreadable_json")]),
    "a member twice": (b'{"action": "close", "action": "refund", "pass": {"id": "1"}}', [("", "unreadable_json")]),
    "a list": (b"[]", [("", "not_an_object")]),
    "several mistakes": (
        b'{"action": "clos", "pass": {"user": "2"}, "at": "yesterday"}',
        [("action", "unknown_action"), ("pass.id", "missing"), ("pass.user", "unknown_member"), ("at", "date_time_text")],
    ),
    "not UTF-8": (b'{"action": "close", "pass": {"id": "\xff"}}', [("", "unreadable_json")]),
    "a second byte order mark": (b"\xef\xbb\xbf" + LINE, [("", "unreadable_json")]),
    "too long": (b'{"action": "close", "key": "' + b"x" * LONGEST + b'", "pass": {"id": "1"}}', [("", "too_large")]),
    "a bare carriage return": (LINE + b"\r" + LINE, [("", "unreadable_json")]),
}


@pytest.mark.parametrize(
    "reading", [Reading(format="jsonl"), Reading(format="jsonl", fill={"kind": "movie"}, to="cn")], ids=["plain", "filled"]
)
@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_a_row_with_every_reason_and_the_next_line_comes_after_it(case: str, reading: Reading) -> None:
    line, reasons = BAD[case]

    before, bad, after = rows(LINE + b"\n" + line + b"\n" + LINE, reading)

    assert [brief(before), brief(after)] == [(1, "close"), (3, "close")]
    assert bad.update is None
    assert (bad.line, sorted(brief(bad)[1])) == (2, sorted(reasons))
    assert len(bad.text) <= 4096
    assert bad.text[:9] == line.decode("utf-8", "replace").strip()[:9]


def test_a_line_may_be_as_long_as_the_bound_and_no_longer() -> None:
    def padded(length: int) -> bytes:
        return LINE + b" " * (length - len(LINE) - 1) + b"\n"

    assert [brief(row) for row in rows(padded(LONGEST) + padded(LONGEST + 1) + LINE)] == [
        (1, "close"),
        (2, [("", "too_large")]),
        (3, "close"),
    ]


def test_a_line_without_end_takes_no_memory() -> None:
    class Endless(io.RawIOBase):
        left = 40 * LONGEST

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any buffer
            size = min(len(buffer), self.left)
            buffer[:size] = b"x" * size
            self.left -= size
            return size

    tracemalloc.start()
    try:
        with Input("standard input", Reading(format="jsonl"), io.BufferedReader(Endless())) as given:
            (row,) = given
        assert tracemalloc.get_traced_memory()[1] < 5 * LONGEST
    finally:
        tracemalloc.stop()
    assert brief(row) == (1, [("", "too_large")])


def test_every_update_may_be_given_another_account() -> None:
    (row,) = rows(LINE, Reading(format="jsonl", to="hk-cards"))

    assert row.update is not None
    assert row.update.to == "hk-cards"
    assert json.loads(row.text) == CLOSE | {"to": "hk-cards"}


def test_what_an_update_lacks_is_filled_in_and_what_it_has_stays() -> None:
    lacking, having, odd = rows(
        b'{"pass": {"id": "1"}}\n{"action": "redeem", "pass": {"id": "2", "user_id": "3"}}\n{"pass": 5}',
        Reading(format="jsonl", fill={"action": "close", "pass.user_id": "9", "content.params.points:int": "12"}),
    )

    content = {"params": {"points": 12}}
    assert json.loads(lacking.text) == {"action": "close", "pass": {"id": "1", "user_id": "9"}, "content": content}
    assert json.loads(having.text) == {"action": "redeem", "pass": {"id": "2", "user_id": "3"}, "content": content}
    assert brief(odd) == (3, [("pass", "model_type")])


def test_what_is_to_be_filled_in_is_checked_before_anything_starts() -> None:
    problems = refusal(lambda: rows(b"", Reading(format="jsonl", fill={"pass.usr_id": "1", "content.params.n:int": "x", "kind": "movie"})))

    assert [(problem.path, problem.code) for problem in problems] == [
        ("pass.usr_id", "unknown_field"),
        ("content.params.n:int", "unreadable_value"),
    ]
    assert problems[0].mend == "did you mean 'pass.user_id'?"


@pytest.mark.parametrize("name", ["in.jsonl", "in.NDJSON", "in.jsonl.gz", "in.txt", "in.gz", "in"])
def test_a_file_is_known_by_its_name_or_its_first_bytes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(LINE) if name.endswith("gz") else LINE)

    with Input(str(path)) as given:
        assert given.format == "jsonl"
        assert [brief(row) for row in given] == [(1, "close")]


def test_packed_bytes_may_come_by_a_stream() -> None:
    assert [brief(row) for row in rows(gzip.compress(LINE) + gzip.compress(b"\n" + LINE))] == [(1, "close"), (2, "close")]


def test_lines_come_as_a_pipe_delivers_them() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as writer:
        writer.write(LINE[:20])
        with Input("standard input", stream=stream) as given:
            writer.write(LINE[20:] + b"\n")
            assert brief(next(iter(given))) == (1, "close")
            writer.write(b"{}\n")
            assert brief(next(iter(given)))[0] == 2


def test_big5_is_read_when_it_is_named() -> None:
    line = b'{"action": "revise", "pass": {"id": "1"}, "content": {"params": {"gate": "' + "登機口許功蓋".encode("big5") + b'"}}}'

    (row,) = rows(line, Reading(format="jsonl", encoding="big5"))
    (bad,) = rows(b'{"key": "\xff\xff"}', Reading(format="jsonl", encoding="big5"))

    assert row.update is not None
    assert row.update.content is not None
    assert row.update.content.params == {"gate": "登機口許功蓋"}
    assert brief(bad) == (1, [("", "undecodable")])


@pytest.mark.parametrize(
    ("data", "reading", "code"),
    [
        (b"action,pass.id\n", Reading(), "unknown_format"),
        (b"[{}]", Reading(), "unknown_format"),
        (LINE.decode().encode("utf-16"), Reading(format="jsonl"), "utf16"),
        (LINE, Reading(format="jsonl", columns={"a": "pass.id"}), "no_columns"),
        (LINE, Reading(format="xlsx"), "unknown_format"),
        (LINE, Reading(encoding="utf-7"), "unknown_encoding"),
        (b"PAR1", Reading(), "not_a_file"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_cannot_be_taken_at_all_is_refused_before_anything_starts(data: bytes, reading: Reading, code: str) -> None:
    (problem,) = refusal(lambda: rows(data, reading))

    assert problem.code == code


@pytest.mark.parametrize("name", ["nowhere.jsonl", "."])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    (problem,) = refusal(lambda: Input(str(tmp_path / name)))

    assert (problem.path, problem.code) == (str(tmp_path / name), "unreadable_file")


@pytest.mark.parametrize("harm", [lambda data: data[:-30], lambda data: data[:400] + b"\0\0\0\0" + data[404:]], ids=["cut", "changed"])
def test_a_damaged_packed_file_is_an_error_where_it_breaks(tmp_path: Path, harm: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "in.jsonl.gz"
    lines = [json.dumps(CLOSE | {"key": os.urandom(8).hex()}).encode() + b"\n" for _ in range(5000)]
    path.write_bytes(harm(gzip.compress(b"".join(lines))))

    def read() -> None:
        with Input(str(path)) as given:
            for _ in given:
                pass

    assert [problem.code for problem in refusal(read)] == ["unreadable_file"]


def test_a_file_is_told_from_any_other_by_its_content_and_how_it_is_read(tmp_path: Path) -> None:
    def fingerprint(data: bytes, reading: Reading | None = None, name: str = "in.jsonl") -> str:
        (tmp_path / name).write_bytes(data)
        with Input(str(tmp_path / name), reading) as given:
            found = given.fingerprint()
        assert found is not None
        return found

    first = fingerprint(LINE)
    assert fingerprint(LINE, Reading(format="jsonl"), "same") == first
    others = [fingerprint(LINE + b"\n"), fingerprint(LINE, Reading(to="cn")), fingerprint(LINE, Reading(fill={"kind": "movie"}))]
    assert len({first, *others}) == 4
    table = b"action,pass.id,card\nclose,1,2\n"
    mapped = Reading(columns={"card": "key"})
    assert fingerprint(table, mapped, "a.csv") != fingerprint(table, Reading(columns={"card": ""}), "a.csv")
    assert fingerprint(table, mapped, "a.csv") == fingerprint(table, Reading(columns={"card": "key", "pass.id": "pass.id"}), "b.csv")


def test_a_stream_has_no_fingerprint() -> None:
    with Input("standard input", stream=io.BytesIO(LINE)) as given:
        assert given.fingerprint() is None
