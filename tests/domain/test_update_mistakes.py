from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest

from passbridge import Problem

Complaints = Callable[[object], tuple[Problem, ...]]

ZONED = "write it as text with an offset, as in 2026-11-22T10:00:00+08:00"
BARE = "write the name without '$': each gateway's own spelling is added"
README = "the README shows an update of each kind"
TOO_DEEP: object = [[[]]]
for _ in range(63):
    TOO_DEEP = [TOO_DEEP]


def close(**members: object) -> dict[str, object]:
    return {"action": "close", "pass": {"id": "1"}} | members


def redeem(**members: object) -> dict[str, object]:
    return {"action": "redeem", "pass": {"id": "1"}} | members


MISTAKES: dict[str, tuple[dict[str, object], Problem]] = {
    "a member named as pydantic names the place of a key": (
        close(**{"[key]": {}}),
        Problem("[key]", "unknown_member", "no such member", "did you mean 'key'?"),
    ),
    "a member named as pydantic names a validator": (
        close(**{"pass": {"id": "1", "function-after": 1}}),
        Problem("pass.function-after", "unknown_member", "no such member", "known: channel, id, merchant, open_id, template, user_id"),
    ),
    "no pass": ({"action": "close"}, Problem("pass", "missing", "is missing", "add it")),
    "the Python name of pass": (
        redeem(pass_={"id": "1"}),
        Problem("pass_", "unknown_member", "no such member", "did you mean 'pass'?"),
    ),
    "only the Python name of pass": ({"action": "close", "pass_": {"id": "1"}}, Problem("pass", "missing", "is missing", "add it")),
    "no id": (close(**{"pass": {}}), Problem("pass.id", "missing", "is missing", "add it")),
    "an empty id": (
        close(**{"pass": {"id": ""}}),
        Problem("pass.id", "empty", "must not be empty", "leave it out, or give its text"),
    ),
    "a number as an id": (
        close(**{"pass": {"id": 7}}),
        Problem("pass.id", "string_type", "input should be a valid string", "put it in quotes"),
    ),
    "an unknown member": (close(keys="k"), Problem("keys", "unknown_member", "no such member", "did you mean 'key'?")),
    "an unknown member of the pass": (
        close(**{"pass": {"id": "1", "userid": "2"}}),
        Problem("pass.userid", "unknown_member", "no such member", "did you mean 'user_id'?"),
    ),
    "an unknown member of the proof": (
        redeem(proof={"code": "1", "methode": "wave"}),
        Problem("proof.methode", "unknown_member", "no such member", "did you mean 'method'?"),
    ),
    "an unknown member of the content": (
        close(content={"param": {}}),
        Problem("content.param", "unknown_member", "no such member", "did you mean 'params'?"),
    ),
    "an unknown member like no other": (
        redeem(proof={"code": "1", "zzz": "wave"}),
        Problem("proof.zzz", "unknown_member", "no such member", "known: code, method"),
    ),
    "a proof for a close": (
        close(proof={"code": "1"}),
        Problem("proof", "unknown_member", "no such member", "known: action, at, code_info, content, key, kind, pass, to, valid_until"),
    ),
    "half a proof": (redeem(proof={"method": "wave"}), Problem("proof.code", "missing", "is missing", "add it")),
    "an unknown method": (
        redeem(proof={"code": "1", "method": "nfc"}),
        Problem("proof.method", "literal_error", "input should be 'wave', 'qrcode', 'barcode' or 'input'"),
    ),
    "a naive moment": (
        close(at="2026-11-22T10:00:00"),
        Problem("at", "naive_datetime", "a date and time needs its zone", "write the offset, as in 2026-11-22T10:00:00+08:00"),
    ),
    "a naive datetime": (
        close(valid_until=datetime(2026, 11, 22)),  # noqa: DTZ001 - it is the mistake
        Problem("valid_until", "naive_datetime", "a date and time needs its zone", "write the offset, as in 2026-11-22T10:00:00+08:00"),
    ),
    "a number as a moment": (close(at=1795312800000), Problem("at", "date_time_text", "is not a date and time in ISO 8601", ZONED)),
    "a number as text as a moment": (
        close(at="1795312800000"),
        Problem("at", "date_time_text", "is not a date and time in ISO 8601", ZONED),
    ),
    "a date without a time": (
        close(valid_until="2026-11-22"),
        Problem("valid_until", "date_time_text", "is not a date and time in ISO 8601", ZONED),
    ),
    "a date object": (
        close(valid_until=date(2026, 11, 22)),
        Problem("valid_until", "date_time_text", "is not a date and time in ISO 8601", ZONED),
    ),
    "a name with $": (
        close(content={"params": {"$gate$": 1}}),
        Problem("content.params", "bad_name", "names are not empty and hold no '$': '$gate$'", BARE),
    ),
    "two bad names at once": (
        close(content={"params": {"a$b": 1, "": 2, "c": 3}}),
        Problem("content.params", "bad_name", "names are not empty and hold no '$': 'a$b', ''", BARE),
    ),
    "a name with $ in a language": (
        close(content={"locales": {"zh_HK": {"$a": 1}}}),
        Problem("content.locales.zh_HK", "bad_name", "names are not empty and hold no '$': '$a'", BARE),
    ),
    "raw with params": (
        close(content={"raw": {}, "params": {"a": 1}}),
        Problem(
            "content",
            "raw_alone",
            "raw is the whole object: give it, or params and locales, not both",
            "put everything into raw, or leave raw out",
        ),
    ),
    "raw with locales": (
        close(content={"raw": {"a": 1}, "locales": {"zh_HK": {}}}),
        Problem(
            "content",
            "raw_alone",
            "raw is the whole object: give it, or params and locales, not both",
            "put everything into raw, or leave raw out",
        ),
    ),
    "NaN in the params": (
        close(content={"params": {"a": [1, float("nan")]}}),
        Problem("content.params", "not_json", "a[1]: NaN and Infinity are not JSON"),
    ),
    "two flaws in raw": (
        close(content={"raw": {"a": float("inf"), "b": {"c": 10**300}}}),
        Problem("content.raw", "not_json", "a: NaN and Infinity are not JSON; b.c: a number of more than 300 digits"),
    ),
    "a flaw in code_info": (
        close(code_info={"a": {"b": -(10**300)}}),
        Problem("code_info", "not_json", "a.b: a number of more than 300 digits"),
    ),
    "a set in the params": (
        close(content={"params": {"a": {1}}}),
        Problem("content.params.a", "invalid-json-value", "input was not a valid JSON value"),
    ),
    "a lone surrogate in a parameter's name": (
        close(content={"params": {"\ud800": 1}}),
        Problem("content.params", "not_json", "text holds a lone surrogate, which no encoding can carry"),
    ),
    "a lone surrogate in a name of code_info": (
        close(code_info={"\ud800": 1}),
        Problem("code_info", "not_json", "text holds a lone surrogate, which no encoding can carry"),
    ),
    "a lone surrogate in a name of the model": (
        close(key="\ud800"),
        Problem("key", "unencodable", "text holds a lone surrogate, which no encoding can carry"),
    ),
    "no action": ({"pass": {"id": "1"}}, Problem("action", "missing", "is missing", "add it: redeem, close, revise or refund")),
    "a null action": (
        {"action": None, "pass": {"id": "1"}},
        Problem("action", "missing", "is missing", "add it: redeem, close, revise or refund"),
    ),
    "an action misspelt": (
        {"action": "redeam", "pass": {"id": "1"}},
        Problem("action", "unknown_action", "no such action", "did you mean 'redeem'?"),
    ),
    "an action like no other": (
        {"action": "USED", "pass": {"id": "1"}},
        Problem("action", "unknown_action", "no such action", "known: close, redeem, refund, revise"),
    ),
    "an action that is no text": (
        {"action": ["close"], "pass": {"id": "1"}},
        Problem("action", "unknown_action", "no such action", "did you mean 'close'?"),
    ),
}


@pytest.mark.parametrize(("source", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_place_and_its_mend(source: dict[str, object], problem: Problem, complaints: Complaints) -> None:
    assert problem in complaints(source)


def test_all_problems_are_given_at_once(complaints: Complaints) -> None:
    found = complaints(
        {
            "action": "redeme",
            "to": "",
            "pass": {"user": "2"},
            "proof": {"method": "nfc"},
            "at": 5,
            "valid_until": "2026-11-22T10:00:00",
            "content": {"params": {"$a$": 1}, "locales": {"en_US": {"b$": 1}}, "extra": 1},
            "code_info": 3,
            "zzz": 1,
        }
    )
    assert sorted((problem.path, problem.code) for problem in found) == [
        ("action", "unknown_action"),
        ("at", "date_time_text"),
        ("code_info", "dict_type"),
        ("content.extra", "unknown_member"),
        ("content.locales.en_US", "bad_name"),
        ("content.params", "bad_name"),
        ("pass.id", "missing"),
        ("pass.user", "unknown_member"),
        ("proof.code", "missing"),
        ("proof.method", "literal_error"),
        ("to", "empty"),
        ("valid_until", "naive_datetime"),
        ("zzz", "unknown_member"),
    ]
    assert found[0].code == "unknown_action"


def test_a_language_with_a_dollar_sign_is_refused(complaints: Complaints) -> None:
    (problem,) = complaints(close(content={"locales": {"zh$": {}, "en_US": {}}}))
    assert problem.path.startswith("content.locales")
    assert (problem.code, problem.mend) == ("bad_name", BARE)
    assert problem.message == "names are not empty and hold no '$': 'zh$'"


def test_a_bad_language_is_named_together_with_the_bad_names_inside_it(complaints: Complaints) -> None:
    found = complaints(close(content={"locales": {"zh$": {"$a": 1}}}))
    assert {problem.message for problem in found} == {f"names are not empty and hold no '$': '{name}'" for name in ("zh$", "$a")}


@pytest.mark.parametrize("member", ["code_info", "content"])
def test_what_nests_too_deep_is_refused_by_its_place(member: str, complaints: Complaints) -> None:
    value = {"a": TOO_DEEP}
    (problem,) = complaints(close(**{member: value if member == "code_info" else {"raw": value}}))
    assert (problem.path, problem.code) == (member if member == "code_info" else "content.raw", "not_json")
    assert problem.message.startswith("a[0][0]")
    assert problem.message.endswith(": nested deeper than 64 levels")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "not readable as JSON: Expecting value at column 1"),
        (b"\xff", "not readable as JSON: not UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "not readable as JSON: begins with a byte order mark"),
        ('{"action": "close", "action": "redeem"}', "not readable as JSON: member 'action' stands twice"),
        ('{"pass": {"id": "1", "id": "2"}}', "not readable as JSON: member 'id' stands twice"),
        ('{"code_info": {"a": NaN}}', "not readable as JSON: NaN is not JSON"),
        ('{"code_info": {"a": "\\ud800"}}', "not readable as JSON: code_info.a: text holds a lone surrogate, which no encoding can carry"),
        ('{"code_info": ' + "1" * 301 + "}", "not readable as JSON: a number of more than 300 digits"),
        ('{"code_info": ' + "[" * 64 + "]" * 64 + "}", "not readable as JSON: nested deeper than 64 levels"),
    ],
)
def test_unreadable_text_is_one_problem(source: str | bytes, message: str, complaints: Complaints) -> None:
    assert complaints(source) == (Problem("", "unreadable_json", message, README),)


@pytest.mark.parametrize("source", ["[]", "null", '"close"', "1"])
def test_an_update_is_an_object(source: str, complaints: Complaints) -> None:
    assert complaints(source) == (Problem("", "not_an_object", "an update is one JSON object", README),)


def test_a_problem_never_quotes_the_value_it_complains_of(complaints: Complaints) -> None:
    found = complaints({"action": "sesame", "pass": {"id": ["sesame"]}, "at": "sesame", "code_info": "sesame", "key": {"a": "sesame"}})
    assert len(found) == 5
    assert "sesame" not in "".join(map(str, found))
