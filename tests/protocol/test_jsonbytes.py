from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passbridge.domain import JsonError, JsonObject, read_json
from passbridge.protocol.jsonbytes import Member, members
from tests.strategies import json_objects

blanks = st.text(" \t\r\n", max_size=3)


@given(document=json_objects, before=blanks, between=blanks, after=blanks, ascii_only=st.booleans())
def test_each_members_source_is_its_value_and_all_of_them_are_the_text(
    document: JsonObject, before: str, between: str, after: str, *, ascii_only: bool
) -> None:  # fmt: skip
    def spelled(value: object) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)

    parts = [f"{before}{spelled(name)}{between}:{after}{spelled(value)}{before}" for name, value in document.items()]
    text = f"{between}{{{','.join(parts)}{between}}}{after}"
    found = members(text)
    assert {name: member.value for name, member in found.items()} == document
    assert all(read_json(member.source) == member.value for member in found.values())
    joined = [f"{before}{spelled(name)}{between}:{after}{member.source}{before}" for name, member in found.items()]
    assert f"{between}{{{','.join(joined)}{between}}}{after}" == text


def test_the_source_is_the_text_as_it_came() -> None:
    text = ' { "response" : { "code" : "10000", "msg":"\\u5238\\/" ,"n":1.50e1 } ,\r\n"sign":"a+b=" , "x" : [ 1 ] }\n'
    assert members(text) == {
        "response": Member({"code": "10000", "msg": "券/", "n": 15.0}, '{ "code" : "10000", "msg":"\\u5238\\/" ,"n":1.50e1 }'),
        "sign": Member("a+b=", '"a+b="'),
        "x": Member([1], "[ 1 ]"),
    }


def test_an_object_without_members_has_none() -> None:
    assert members(" { } ") == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Expecting '{' at line 1, column 1"),
        ("[]", "Expecting '{' at line 1, column 1"),
        ('"a"', "Expecting '{' at line 1, column 1"),
        ("\ufeff{}", "Expecting '{' at line 1, column 1"),
        ('{"a":1', "Expecting '}' at line 1, column 7"),
        ('{"a":1]', "Expecting '}' at line 1, column 7"),
        ('{"a" 1}', "Expecting ':' at line 1, column 6"),
        ('{"a":\n}', "Expecting value at line 2, column 1"),
        ('{"a":1,}', "Expecting value at line 1, column 8"),
        ("{a:1}", "Expecting value at line 1, column 2"),
        ('{"a":1} x', "text after the object's end"),
        ('{"a":1}{"b":2}', "text after the object's end"),
        ("{1:1}", "a member's name is no text"),
        ('{[1]:1,"a":2}', "a member's name is no text"),
        ('{"a":1,"b":2,"a":3}', "member 'a' stands twice"),
        (r'{"a":1,"\u0061":2}', "member 'a' stands twice"),
        ('{"x":{"a":1,"a":2}}', "member 'a' stands twice"),
        ('{"a":NaN}', "NaN is not JSON"),
        ('{"a":1e999}', "a number too large or too long"),
        ('{"a":' + "1" * 301 + "}", "a number of more than 300 digits"),
        ('{"a":' + "[" * 64 + "]" * 64 + "}", "nested deeper than 64 levels"),
        ('{"a":"\n"}', "Invalid control character at at line 1, column 7"),
    ],
)
def test_what_is_not_strictly_an_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(JsonError) as caught:
        members(text)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_an_object_of_64_levels_is_read() -> None:
    deep = "[" * 63 + "]" * 63
    assert members(f'{{"a":{deep}}}')["a"].source == deep


@given(st.text('[]{}",:\\aud8019.- \n', max_size=40))
def test_what_is_read_here_is_read_alike_by_the_strict_reader(text: str) -> None:
    try:
        found = members(text)
    except JsonError:
        return
    assert {name: member.value for name, member in found.items()} == json.loads(text)
