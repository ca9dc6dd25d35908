from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passbridge.domain import JsonError, JsonValue, read_json, write_json
from passbridge.domain.strictjson import MAX_DEPTH, flaws, require_shallow
from tests.strategies import json_values

ACCEPTED: dict[str, tuple[str, object]] = {
    "blanks of all four kinds": (" \t\r\n[ \t\r\n1 \t\r\n] \t\r\n", [1]),
    "a scalar alone": ("42", 42),
    "text alone": ('"asd"', "asd"),
    "constants": ("[true, false, null]", [True, False, None]),
    "an empty object": ("{}", {}),
    "an empty name": ('{"":0}', {"": 0}),
    "members that differ in case": ('{"a":1,"A":2}', {"a": 1, "A": 2}),
    "the same name at two depths": ('{"a":{"a":1}}', {"a": {"a": 1}}),
    "minus zero": ("-0", 0),
    "a fraction and an exponent": ("[0.5e1, 1E+2, 1e-2, -1.5]", [5.0, 100.0, 0.01, -1.5]),
    "a number too small for a float": ("1e-400", 0.0),
    "the largest float": ("1.7976931348623157e308", 1.7976931348623157e308),
    "an integer of 300 digits": ("1" * 300, int("1" * 300)),
    "a fraction of 300 characters": ("0." + "1" * 298, float("0." + "1" * 298)),
    "every escape": (r'"\"\\\/\b\f\n\r\t\u0041"', '"\\/\b\f\n\r\tA'),
    "a pair of surrogate escapes": (r'"\ud83d\ude00"', "😀"),
    "a pair in a name": (r'{"\uD83D\uDE00":1}', {"😀": 1}),
    "an escaped backslash before ud800": (r'"\\ud800"', r"\ud800"),
    "an escaped nul": (r'"\u0000"', "\0"),
    "text beyond the first plane": ('"😀"', "😀"),
    "a delete character": ('"\x7f"', "\x7f"),
    "a line separator": ('"\u2028"', "\u2028"),
    "brackets inside text": ('"' + "[" * 100 + r"\"{" + '"', "[" * 100 + '"{'),
    "64 levels": ("[" * 64 + "]" * 64, None),
    "64 levels of objects": ('{"a":' * 63 + "{}" + "}" * 63, None),
    "many brackets side by side": ("[" + "[]," * 100 + "[]]", [[]] * 101),
}

REFUSED: dict[str, str | bytes] = {
    "nothing": "",
    "blanks alone": " ",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a byte order mark in text": "\ufeff{}",
    "UTF-16": "{}".encode("utf-16-le") + b"\xd8",
    "bytes that are no UTF-8": b'"\xff"',
    "an overlong encoding": b'"\xc0\xaf"',
    "an encoded surrogate": b'"\xed\xa0\x80"',
    "a cut sequence": b'"\xe2\x82"',
    "a member twice": '{"a":1,"a":1}',
    "a member twice by an escape": r'{"a":1,"\u0061":2}',
    "a member twice deep inside": '[{"b":{"a":1,"a":1}}]',
    "NaN": "[NaN]",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "a float too large": "1e400",
    "a float too large and negative": "[-1e400]",
    "an integer of 301 digits": "1" * 301,
    "an integer of 300 digits and a sign": "-" + "1" * 300,
    "a fraction of 301 characters": "0." + "1" * 299,
    "65 levels": "[" * 65 + "]" * 65,
    "65 levels of objects": '{"a":' * 64 + "{}" + "}" * 64,
    "100000 levels never closed": "[" * 100_000,
    "a lone high surrogate": r'"\ud800"',
    "a lone low surrogate": r'"\uDFFF"',
    "a lone surrogate in a name": r'{"\ud800":1}',
    "surrogates the wrong way round": r'"\ude00\ud83d"',
    "a lone surrogate as it is": '"\ud800"',
    "a comma at the end": "[1,]",
    "a comma at an object's end": '{"a":1,}',
    "two commas": "[1,,2]",
    "no comma": "[1 2]",
    "no colon": '{"a" 1}',
    "a bare name": "{a:1}",
    "single quotes": "['a']",
    "a number as a name": "{1:1}",
    "a comment": "[1/* */]",
    "text after the end": "{} x",
    "two documents": "{}{}",
    "an open array": "[1",
    "an open object": '{"a":1',
    "open text": '"a',
    "crossed brackets": "[1}",
    "a leading zero": "01",
    "a minus alone": "-",
    "a plus": "+1",
    "no digit before the point": ".5",
    "no digit after the point": "1.",
    "no digit after the exponent": "1e",
    "a hexadecimal number": "0x1",
    "digits that are not ASCII": "[\uff11]",
    "a constant in capitals": "[True]",
    "a constant cut": "[nul]",
    "a raw line break in text": '"a\nb"',
    "a raw tab in text": '"a\tb"',
    "a raw nul in text": '"a\0b"',
    "an unknown escape": r'"\x41"',
    "a short escape": r'"\u00A"',
    "a backslash at the end": '"\\',
    "a no-break space between": "[1,\u00a01]",
    "a form feed between": "[\f]",
}


@pytest.mark.parametrize(("text", "value"), ACCEPTED.values(), ids=ACCEPTED)
def test_what_every_reader_understands_alike_is_read(text: str, value: object) -> None:
    for source in (text, text.encode()):
        read = read_json(source)
        assert read == (json.loads(text) if value is None else value)


@pytest.mark.parametrize("source", REFUSED.values(), ids=REFUSED)
def test_what_two_readers_could_understand_differently_is_refused(source: str | bytes) -> None:
    with pytest.raises(JsonError):
        read_json(source)
    if isinstance(source, str) and "\ud800" not in source:
        with pytest.raises(JsonError):
            read_json(source.encode())


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"\xef\xbb\xbf{}", "begins with a byte order mark"),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        ('{"b": 1, "a": 1, "a": 2}', "member 'a' stands twice"),
        ("NaN", "NaN is not JSON"),
        ("-Infinity", "-Infinity is not JSON"),
        ("1e999", "a number too large or too long"),
        ("1." + "0" * 299, "a number too large or too long"),
        ("1" * 301, "a number of more than 300 digits"),
        ("[" * 65, "nested deeper than 64 levels"),
        ('[1,\n "\\ud800"]', "[1]: text holds a lone surrogate, which no encoding can carry"),
        ('"\\ud800"', "text holds a lone surrogate, which no encoding can carry"),
        ('{"a":\n  tru}', "Expecting value at line 2, column 3"),
    ],
)
def test_a_refusal_says_what_and_where_and_quotes_no_value(source: str | bytes, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        read_json(source)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


@given(json_values)
def test_what_is_written_is_read_again(value: JsonValue) -> None:
    text = write_json(value)
    assert read_json(text) == value
    assert read_json(text.encode()) == value
    assert not list(flaws(value))


@given(st.text(max_size=40) | st.text('[]{}",:\\ud8019eE+-. \n', max_size=60))
def test_any_text_is_read_as_the_standard_library_does_or_refused_by_name(text: str) -> None:
    try:
        value = read_json(text)
    except JsonError:
        return
    assert value == json.loads(text)


def test_json_is_written_in_one_spelling() -> None:
    assert write_json({"b": 1, "a": [True, None, "登\n/é\u2028"]}) == '{"b":1,"a":[true,null,"登\\n/é\u2028"]}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(math.nan)


@pytest.mark.parametrize(
    "text", ["[" * MAX_DEPTH, "{" * MAX_DEPTH + "}", "[]" * 200, "{}" * 200, '"' + "[" * 200, '"\\"' + "[" * 200 + '"' + "[" * MAX_DEPTH]
)
def test_only_brackets_that_are_open_and_outside_text_count(text: str) -> None:
    require_shallow(text)


@pytest.mark.parametrize(
    "text", ["[" * (MAX_DEPTH + 1), "[]" * 99 + "{" * 65, "{}" * 99 + "[" * 65, '"' + "]" * 9 + '"' + "[{" * 33, '"\\\\"' + "[" * 65 + '"']
)
def test_one_level_too_many_is_refused(text: str) -> None:
    with pytest.raises(JsonError, match="nested deeper than 64 levels"):
        require_shallow(text)


def nested(levels: int, innermost: JsonValue) -> JsonValue:
    value = innermost
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def test_a_value_may_nest_as_deep_as_text_may() -> None:
    assert not list(flaws(nested(MAX_DEPTH, 1)))
    read_json(write_json(nested(MAX_DEPTH, 1)))
    (flaw,) = flaws(nested(MAX_DEPTH + 1, 1))
    assert flaw[1] == "nested deeper than 64 levels"


@pytest.mark.parametrize("innermost", [{}, []], ids=["object", "array"])
def test_a_level_counts_though_nothing_is_in_it(innermost: JsonValue) -> None:
    assert not list(flaws(nested(MAX_DEPTH - 1, innermost)))
    with pytest.raises(JsonError):
        read_json(write_json(nested(MAX_DEPTH, innermost)))
    assert list(flaws(nested(MAX_DEPTH, innermost)))


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": {"b": [1, math.inf]}}, [("a.b[1]", "NaN and Infinity are not JSON")]),
        (math.nan, [("", "NaN and Infinity are not JSON")]),
        ([10**300], [("[0]", "a number of more than 300 digits")]),
        ([-(10**300)], [("[0]", "a number of more than 300 digits")]),
        ([10**300 - 1, 1 - 10**300, True, None, "a", 1e308], []),
        ({"a": [{1}, (), b"x"]}, [
            ("a[0]", "set is no JSON value"), ("a[1]", "tuple is no JSON value"), ("a[2]", "bytes is no JSON value"),
        ]),
        ({"a": "\ud800"}, [("a", "text holds a lone surrogate, which no encoding can carry")]),
        ({"a": {"\udfff": 1}}, [("a", "text holds a lone surrogate, which no encoding can carry")]),
        ({"\ud800": math.nan}, [
            ("", "text holds a lone surrogate, which no encoding can carry"),
            ("?", "NaN and Infinity are not JSON"),
        ]),
    ],
)  # fmt: skip
def test_flaws_names_each_place_that_json_cannot_carry(value: object, found: list[tuple[str, str]]) -> None:
    assert list(flaws(value)) == found
