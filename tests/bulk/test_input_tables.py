"""CSV and Parquet: which column fills what, and what a cell is worth."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from passbridge.bulk.columns import field_of
from passbridge.bulk.input import Input, Reading
from passbridge.bulk.rows import Row
from passbridge.errors import InvalidUpdate
from tests.bulk.reading import brief, refusal, rows

HK = {"action": "revise", "to": "hk-members", "pass": {"id": "1", "user_id": "2"}}


def table(text: str | bytes, **how: Any) -> list[Row]:  # noqa: ANN401 - the members of a Reading
    return rows(text.encode() if isinstance(text, str) else text, Reading(format="csv", **how))


def updates(found: list[Row]) -> list[Any]:
    assert [row.problems for row in found] == [()] * len(found)
    return [json.loads(row.text) for row in found]


def test_a_head_of_field_paths_needs_no_mapping() -> None:
    found = table(
        "action,to,pass.id,pass.user_id,content.params.points:int,valid_until\nrevise,hk-members,1,2,12000,2027-12-31T23:59:59+08:00\n"
    )

    assert updates(found) == [HK | {"content": {"params": {"points": 12000}}, "valid_until": "2027-12-31T23:59:59+08:00"}]
    assert found[0].line == 2


def test_columns_are_mapped_and_others_left_out() -> None:
    how = Reading(
        format="csv",
        columns={"card_no": "pass.id", "holder": "pass.user_id", "points": "content.params.points", "kind": ""},
        fill={"action": "revise", "to": "hk-members"},
    )
    (row,) = rows(b"card_no,name,holder,kind,points,key\n1,Chan,2,gold,12000,k\n", how)

    assert json.loads(row.text) == HK | {"content": {"params": {"points": "12000"}}, "key": "k"}
    with Input("x.csv", how, io.BytesIO(b"card_no,name,holder,kind,points,key\n")) as given:
        assert given.columns is not None
        assert given.columns.left_out == ("name", "kind")
        assert [(column.name, str(column.field)) for column in given.columns.read] == [
            ("card_no", "pass.id"),
            ("holder", "pass.user_id"),
            ("points", "content.params.points"),
            ("key", "key"),
        ]


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("", "007", "007"),
        ("text", " x ", " x "),
        ("int", " -12 ", -12),
        ("int", "007", 7),
        ("number", "12.50", 12.5),
        ("number", "12", 12),
        ("bool", "TRUE", True),
        ("bool", "0", False),
        ("json", "null", None),
        ("json", '""""""', ""),
        ("json", '"{""a"": [1, true]}"', {"a": [1, True]}),
    ],
)
def test_a_cell_is_text_unless_its_field_says_otherwise(kind: str, cell: str, value: object) -> None:
    head = "content.params.v" + (f":{kind}" if kind else "")

    (update,) = updates(table(f"action,pass.id,{head}\nrevise,1,{cell}\n"))

    assert update["content"] == {"params": {"v": value}}


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("int", "1.5"),
        ("int", "twelve"),
        ("int", "\uff11\uff12"),
        ("int", "9" * 301),
        ("number", "1e999"),
        ("number", "true"),
        ("number", '"1,5"'),
        ("number", "007"),
        ("bool", "yes"),
        ("json", "{"),
        ("json", "NaN"),
    ],
)
def test_a_cell_that_is_not_of_its_type_is_a_problem_of_its_row_alone(kind: str, cell: str) -> None:
    found = table(f"action,pass.id,n\nrevise,1,{cell}\nrevise,2,\n", columns={"n": f"content.params.n:{kind}"})

    assert [brief(row) for row in found] == [(2, [("column n: content.params.n", "unreadable_cell")]), (3, "revise")]
    assert found[0].problems[0].mend
    assert json.loads(found[0].text)["pass.id"] == "1"


def test_an_empty_cell_makes_no_member() -> None:
    found = table("action,pass.id,pass.user_id,proof.code,code_info\nclose,1,,,\nredeem,2,3,4,null\n")

    assert updates(found) == [
        {"action": "close", "pass": {"id": "1"}},
        {"action": "redeem", "pass": {"id": "2", "user_id": "3"}, "proof": {"code": "4"}, "code_info": None},
    ]


def test_a_parameter_s_name_may_hold_dots_and_colons() -> None:
    (update,) = updates(table("action,pass.id,content.params.a.b,content.params.c:d:text,content.locales.zh_HK.e.f\nrevise,1,2,3,4\n"))

    assert update["content"] == {"params": {"a.b": "2", "c:d": "3"}, "locales": {"zh_HK": {"e.f": "4"}}}


@pytest.mark.parametrize(("field", "mend"), [("content.params.points:integer", "did you mean 'int'?"), ("pass.id:str", "known: bool, int")])
def test_a_mistyped_type_is_no_part_of_a_name(field: str, mend: str) -> None:
    with pytest.raises(InvalidUpdate) as caught:
        table("action,pass.id,n\nrevise,1,2\n", columns={"n": field} if field.startswith("content") else {"pass.id": field})
    (problem,) = caught.value.problems
    assert (problem.code, problem.path) == ("unknown_type", f"column {'n' if field.startswith('content') else 'pass.id'}: {field}")
    assert mend in problem.mend


def test_every_update_may_be_given_another_account() -> None:
    (update,) = updates(table("action,to,pass.id\nclose,cn,1\n", to="hk-tickets"))

    assert update["to"] == "hk-tickets"


def test_whole_objects_are_json() -> None:
    (update,) = updates(table('action,pass,content.locales.zh_HK,content.params\nrevise,"{""id"": ""1""}","{""a"": 1}","{""b"": 2}"\n'))

    assert update == {"action": "revise", "pass": {"id": "1"}, "content": {"locales": {"zh_HK": {"a": 1}}, "params": {"b": 2}}}


def test_every_reason_is_given_with_the_column_it_comes_from() -> None:
    (row,) = table(
        "what,card,when,n\nclos,,now,x\n", columns={"what": "action", "card": "pass.id", "when": "at", "n": "content.params.n:int"}
    )

    assert sorted(brief(row)[1]) == [
        ("column card: pass.id", "missing"),
        ("column n: content.params.n", "unreadable_cell"),
        ("column what: action", "unknown_action"),
        ("column when: at", "date_time_text"),
    ]


def test_a_needed_cell_that_was_not_readable_is_not_called_missing_too() -> None:
    (row,) = table("action,pass\nclose,{\n")

    assert brief(row) == (2, [("pass", "unreadable_cell")])


HEADS = {
    "unknown column": ("action,pass.id,pass.usr\n", {}, [("column pass.usr", "unmapped_column")]),
    "column twice": ("action,pass.id,action\n", {}, [("column action", "duplicate_column"), ("column action", "same_field")]),
    "mapped column that isn't there": ("action,pass.id\n", {"card": "key"}, [("column card", "unknown_column")]),
    "unknown field": ("action,pass.id,a\n", {"a": "pass.usr_id"}, [("column a: pass.usr_id", "unknown_field")]),
    "empty name": ("action,pass.id,a\n", {"a": "content.params."}, [("column a: content.params.", "unknown_field")]),
    "something in a moment": ("action,pass.id,a\n", {"a": "at.x"}, [("column a: at.x", "unknown_field")]),
    "one field twice": ("action,pass.id,card\n", {"card": "pass.id"}, [("column card", "same_field")]),
    "an object and something in it": ("action,pass.id,p\n", {"p": "pass"}, [("column p", "same_field")]),
    "nothing for what is needed": ("key\n", {}, [("action", "no_column"), ("pass.id", "no_column")]),
    "no head": ("", {}, [("", "no_head")]),
    "no head but blank lines": ("\n\n", {}, [("", "no_head")]),
    "another delimiter": ("action;pass.id\n", {}, [("", "delimiter")]),
    "an open quote": ('"action,pass.id\nclose,1\n', {}, [("", "unreadable_csv")]),
    "several": ("x,y\n", {"x": "nope", "z": "key"}, [("column z", "unknown_column"), ("column x: nope", "unknown_field")]),
}  # fmt: skip


@pytest.mark.parametrize("case", HEADS)
def test_a_bad_choice_of_columns_is_one_error_before_anything_starts(case: str) -> None:
    head, columns, expected = HEADS[case]

    problems = refusal(lambda: table(head, columns=columns))

    assert [(problem.path.removeprefix("standard input"), problem.code) for problem in problems] == expected


@pytest.mark.parametrize(
    ("columns", "mend"),
    [
        ({"pass.id": "card_no"}, "--map 'card_no'=pass.id"),
        ({"card": "pass.id"}, "did you mean 'card_no'?"),
    ],
    ids=["turned round", "misspelt"],
)
def test_the_mend_of_a_mapping_says_what_was_meant(columns: dict[str, str], mend: str) -> None:
    problems = refusal(lambda: table("card_no,action\n", columns=columns))

    assert mend in problems[0].mend


CSV = {
    "CRLF": b"action,pass.id\r\nclose,1\r\nclose,2\r\n",
    "no last line end": b"action,pass.id\nclose,1\nclose,2",
    "byte order mark": b"\xef\xbb\xbfaction,pass.id\nclose,1\nclose,2\n",
    "blanks in the head": b" action , pass.id \nclose,1\nclose,2\n",
    "blank lines first": b"\n\r\naction,pass.id\nclose,1\nclose,2\n",
    "a spreadsheet's empty column": b"action,pass.id,\nclose,1,\nclose,2,\n",
}


@pytest.mark.parametrize("case", CSV)
def test_a_csv_is_read_as_programs_write_it(case: str) -> None:
    assert [update["pass"]["id"] for update in updates(table(CSV[case]))] == ["1", "2"]


def test_empty_rows_are_passed_over_and_rows_of_several_lines_are_known_by_their_first() -> None:
    text = 'action,pass.id,content.params.n\n\nrevise,1,"two\r\n\r\nlines, ""quoted"""\n,,\nrevise,2,\n'

    found = table(text)

    assert [row.line for row in found] == [3, 7]
    assert updates(found)[0]["content"]["params"]["n"] == 'two\r\n\r\nlines, "quoted"'


ROWS = {
    "too few cells": (b"close\n", "wrong_width"),
    "too many cells": (b"close,1,2\n", "wrong_width"),
    "text after a quote": (b'close,"1"2\n', "unreadable_csv"),
    "not UTF-8": (b"close,\xff\n", "undecodable"),
    "too long": (b"close," + b"1" * 2**20 + b"\n", "too_large"),
    "a cell too long": (b"close," + b"1" * 2**18 + b"\n", "unreadable_csv"),
    "a bare carriage return": (b"close,1\rclose,2\n", "unreadable_csv"),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_bad_row_is_told_and_the_next_one_comes_after_it(case: str) -> None:
    line, code = ROWS[case]

    found = table(b"action,pass.id\nclose,1\n" + line + b"close,3\n")

    assert [brief(row) for row in found] == [(2, "close"), (3, [("", code)]), (4, "close")]
    assert len(found[1].text) <= 4096


def test_a_quote_that_is_never_closed_is_told_with_the_lines_it_swallowed() -> None:
    found = table('action,pass.id\nclose,1\nclose,"2\nclose,3\nclose,4\n')

    assert [brief(row) for row in found] == [(2, "close"), (3, [("", "unreadable_csv")])]
    assert "lines 3 to 5, read as one row" in found[1].problems[0].message


def test_gbk_is_read_when_it_is_named_and_told_when_it_is_not() -> None:
    data = "action,pass.id,content.params.title\nrevise,1,券标题\n".encode("gbk")

    assert updates(table(data, encoding="gbk"))[0]["content"]["params"] == {"title": "券标题"}
    assert [brief(row) for row in table(data)] == [(2, [("", "undecodable")])]


def test_another_delimiter_may_be_named() -> None:
    assert len(updates(table("action;pass.id\nclose;1\n", delimiter=";"))) == 1
    assert len(updates(table("action|x;pass.id\nclose|1\n", delimiter="|", columns={"x;pass.id": "pass.id"}))) == 1


def test_a_tsv_is_parted_by_tabs(tmp_path: Path) -> None:
    path = tmp_path / "in.tsv"
    path.write_text("action\tpass.id\nclose\t1,5\n", encoding="utf-8")

    with Input(str(path)) as given:
        assert updates(list(given))[0]["pass"] == {"id": "1,5"}


def parquet(path: Path, columns: dict[str, Any], how: Reading | None = None) -> list[Row]:
    pq.write_table(pa.table(columns), path)
    with Input(str(path), how) as given:
        return list(given)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "in.parquet"


def test_parquet_keeps_its_types_and_identifiers_are_digits(file: Path) -> None:
    found = parquet(
        file,
        {
            "action": ["revise", "revise"],
            "pass.id": pa.array([2995228480402564890, None], pa.int64()),
            "pass.user_id": pa.array([decimal.Decimal(2160400000000135), None], pa.decimal128(20)),
            "content.params.points": [12000, 1],
            "content.params.rate": [0.5, None],
            "content.params.gone": [None, True],
            "at": pa.array([dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)] * 2, pa.timestamp("ms", "+08:00")),
            "notes": ["x", "y"],
        },
        Reading(columns={"notes": ""}),
    )

    assert json.loads(found[0].text) == {
        "action": "revise",
        "pass": {"id": "2995228480402564890", "user_id": "2160400000000135"},
        "content": {"params": {"points": 12000, "rate": 0.5}},
        "at": "2026-11-22T10:00:00+08:00",
    }
    assert brief(found[1]) == (2, [("pass.id", "missing")])
    assert '"at": "2026-11-22 10:00:00+08:00"' in found[1].text


def test_parquet_may_hold_updates_as_nested_structures(file: Path) -> None:
    found = parquet(file, {"action": ["close", "revise"], "pass": [{"id": "1", "user_id": None}, {"id": "2", "user_id": "3"}],
                           "content": [None, {"params": {"a": None, "b": [1, None]}}]})  # fmt: skip

    assert updates(found) == [
        {"action": "close", "pass": {"id": "1"}},
        {"action": "revise", "pass": {"id": "2", "user_id": "3"}, "content": {"params": {"b": [1, None]}}},
    ]


def test_parquet_maps_are_objects(file: Path) -> None:
    params = pa.array([[("a", "1"), ("b", "2")]], pa.map_(pa.string(), pa.string()))

    assert updates(parquet(file, {"action": ["revise"], "pass.id": ["1"], "content.params": params}))[0]["content"]["params"] == {
        "a": "1",
        "b": "2",
    }


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        (pa.array([7]), "text", "7"),
        (pa.array([True]), "text", "true"),
        (pa.array([dt.date(2026, 11, 22)]), "text", "2026-11-22"),
        (pa.array([decimal.Decimal("1.50")]), "text", "1.50"),
        (pa.array([decimal.Decimal("1.50")]), "number", 1.5),
        (pa.array([12.0]), "int", 12),
        (pa.array([12]), "int", 12),
        (pa.array(["[1]"]), "json", [1]),
        (pa.array([True]), "bool", True),
    ],
    ids=str,
)
def test_a_typed_cell_may_be_read_as_another_type(file: Path, cells: Any, field: str, value: object) -> None:  # noqa: ANN401 - an array
    (update,) = updates(
        parquet(file, {"action": ["revise"], "pass.id": ["1"], "v": cells}, Reading(columns={"v": f"content.params.v:{field}"}))
    )

    assert update["content"]["params"]["v"] == value


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        (pa.array([2995228480402564890.0]), "pass.id"),
        (pa.array([1.5]), "content.params.v:int"),
        (pa.array([float("nan")]), "content.params.v:int"),
        (pa.array([True]), "content.params.v:number"),
        (pa.array([[1]]), "content.params.v:text"),
    ],
    ids=str,
)
def test_a_typed_cell_that_is_no_such_value_is_a_problem_of_its_row(file: Path, cells: Any, field: str) -> None:  # noqa: ANN401 - an array
    columns = {"action": ["revise"], "v": cells} | ({} if field == "pass.id" else {"pass.id": ["1"]})

    (row,) = parquet(file, columns, Reading(columns={"v": field}))

    assert brief(row) == (1, [(f"column v: {field.partition(':')[0]}", "unreadable_cell")])


def test_what_json_cannot_carry_is_a_problem_of_its_row(file: Path) -> None:
    found = parquet(
        file,
        {
            "action": ["revise"] * 2,
            "pass.id": ["1"] * 2,
            "content.params.v": [float("nan"), 1.0],
            "at": pa.array([0, 0], pa.timestamp("ms")),
        },
    )

    assert [len(row.problems) for row in found] == [2, 1]
    assert ("at", "naive_datetime") in brief(found[1])[1]


def test_parquet_is_read_batch_by_batch(file: Path) -> None:
    found = parquet(file, {"action": ["close"] * 2500, "pass.id": [str(n) for n in range(2500)]})

    assert [row.line for row in found] == list(range(1, 2501))
    assert [update["pass"]["id"] for update in updates(found)] == [str(n) for n in range(2500)]


def test_a_row_that_python_cannot_hold_is_told_and_the_others_come(file: Path) -> None:
    params = pa.array([[("a", "1")], [("a", "1"), ("a", "2")], [("b", "1")]], pa.map_(pa.string(), pa.string()))
    twice = parquet(file, {"action": ["revise"] * 3, "pass.id": ["1"] * 3, "content.params": params})
    texts = pa.array([b"1", b"2", b"\xff"], pa.binary()).view(pa.string())
    undecodable = parquet(file, {"action": ["close"] * 3, "pass.id": texts})

    assert [brief(row) for row in twice] == [(1, "revise"), (2, [("", "unreadable_row")]), (3, "revise")]
    assert [brief(row) for row in undecodable] == [(1, "close"), (2, "close"), (3, [("", "undecodable")])]


def test_what_is_no_parquet_file_is_refused(file: Path) -> None:
    file.write_bytes(b"PAR1 and nothing more")

    assert [problem.code for problem in refusal(lambda: Input(str(file)))] == ["unreadable_file"]


@pytest.mark.parametrize("compression", ["none", "zstd"], ids=["what Arrow says", "what the system says"])
def test_a_damaged_parquet_file_is_an_error_where_it_breaks(file: Path, compression: str) -> None:
    table = pa.table({"action": ["close"] * 5000, "pass.id": [str(n) * 5 for n in range(5000)]})
    pq.write_table(table, file, compression=compression, use_dictionary=False)
    data = bytearray(file.read_bytes())
    data[200:2000] = b"\xff" * 1800
    file.write_bytes(data)

    def read() -> None:
        with Input(str(file)) as given:
            for _ in given:
                pass

    assert [problem.code for problem in refusal(read)] == ["unreadable_file"]


def test_parquet_cannot_come_by_a_stream(file: Path) -> None:
    pq.write_table(pa.table({"action": ["close"], "pass.id": ["1"]}), file)

    assert [problem.code for problem in refusal(lambda: rows(file.read_bytes(), Reading(format="parquet")))] == ["not_a_file"]


@pytest.mark.parametrize("text", ["pass.id", "content.params.points:int", "content.locales.zh_HK.gate", "content.raw:json", "at"])
def test_a_field_is_written_as_it_is_read(text: str) -> None:
    assert str(field_of(text)) == text
