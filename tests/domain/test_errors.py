from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from passbridge import CallFailed, Code, ConfigError, InvalidUpdate, PassbridgeError, PassbridgeWarning, Problem
from passbridge.domain.problems import did_you_mean, place, problems_of

Complaints = Callable[[object], tuple[Problem, ...]]

PROBLEMS = (Problem("pass.id", "missing", "is missing", "add it"), Problem("", "unreadable_json", "not readable"))


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    number: int
    word: Literal["a", "b"] = "a"


def never_seven(value: int) -> int:
    if value == 7:
        raise ValueError("Seven is refused")
    return value


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Inner]
    table: dict[str, int] = {}
    either: Annotated[int, AfterValidator(never_seven)] | Inner = 0
    file: Path | int = 0


def caught(document: object) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        Outer.model_validate(document)
    return raised.value


@pytest.mark.parametrize("kind", [ConfigError, InvalidUpdate])
def test_an_error_lists_its_problems_one_a_line_and_survives_a_pickle(kind: type[ConfigError | InvalidUpdate]) -> None:
    error = kind(iter(PROBLEMS))
    assert error.problems == PROBLEMS
    assert str(error) == "pass.id: is missing (add it)\nnot readable"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is kind
    assert again.problems == PROBLEMS
    assert str(again) == str(error)


def test_the_exception_tree_is_the_documented_one() -> None:
    assert PassbridgeError.__bases__ == (Exception,)
    assert PassbridgeWarning.__bases__ == (UserWarning,)
    for kind in (ConfigError, InvalidUpdate, CallFailed):
        assert issubclass(kind, PassbridgeError)
    assert not issubclass(InvalidUpdate, ConfigError)
    assert not issubclass(ConfigError, InvalidUpdate)


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("a", "c", "is wrong", "mend it"), "a: is wrong (mend it)"),
        (Problem("a", "c", "is wrong"), "a: is wrong"),
        (Problem("", "c", "is wrong", "mend it"), "is wrong (mend it)"),
        (Problem("", "c", "is wrong"), "is wrong"),
    ],
)
def test_a_problem_is_one_line(problem: Problem, line: str) -> None:
    assert str(problem) == line


def test_a_problem_is_a_frozen_value_with_its_json() -> None:
    problem = Problem("a", "c", "is wrong", "mend it")
    assert problem.as_json() == {"path": "a", "code": "c", "message": "is wrong", "mend": "mend it"}
    assert len({problem, Problem("a", "c", "is wrong", "mend it")}) == 1
    with pytest.raises(AttributeError):
        problem.path = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("parts", "at", "expected"),
    [
        ((), "", ""),
        (("pass", "user_id"), "", "pass.user_id"),
        (("items", 3, "name"), "", "items[3].name"),
        ((0, 1), "", "[0][1]"),
        (("codes", "X"), "hk/card.toml: ", "hk/card.toml: codes.X"),
        (("exit",), "outcomes.toml: outcomes.APPLIED", "outcomes.toml: outcomes.APPLIED.exit"),
        ((2,), "items", "items[2]"),
    ],
)
def test_a_place_is_written_as_a_path(parts: tuple[object, ...], at: str, expected: str) -> None:
    assert place(parts, at) == expected


@pytest.mark.parametrize(
    ("word", "known", "mend"),
    [
        ("kee", ["key", "to"], "did you mean 'key'?"),
        ("zzz", ["to", "key"], "known: key, to"),
        ("zzz", [], ""),
        ("zzz", [f"a{n:02}" for n in range(12)], "known: " + ", ".join(f"a{n:02}" for n in range(12))),
        ("zzz", [f"a{n:02}" for n in range(13)], "known: " + ", ".join(f"a{n:02}" for n in range(12)) + ", … (13 in all)"),
        ("REFUSE", Code, "did you mean 'REFUSED'?"),
        ("redeme", ["revise", "redeem"], "did you mean 'redeem'?"),
    ],
)
def test_a_word_misspelt_is_met_with_the_likeliest_or_with_all(word: str, known: list[str], mend: str) -> None:
    assert did_you_mean(word, known) == mend


def test_places_inside_lists_and_tables_are_named() -> None:
    found = problems_of(
        caught({"items": [{"number": 1}, {"number": "x", "wort": 1}], "table": {"a": "x"}}), {"items[1]": ["number", "word"]}
    )
    assert found == (
        Problem("items[1].number", "int_parsing", "input should be a valid integer, unable to parse string as an integer"),
        Problem("items[1].wort", "unknown_member", "no such member", "did you mean 'word'?"),
        Problem("table.a", "int_parsing", "input should be a valid integer, unable to parse string as an integer"),
    )


def test_what_stands_before_a_place_is_put_there_and_suggestions_go_by_the_inner_place() -> None:
    error = caught({"items": [], "itmes": 1})
    assert problems_of(error, {"": ["items", "table"]}, at="a.toml: x") == (
        Problem("a.toml: x.itmes", "unknown_member", "no such member", "did you mean 'items'?"),
    )
    assert problems_of(error, at="a.toml: ") == (Problem("a.toml: itmes", "unknown_member", "no such member"),)


def test_a_key_that_is_wrong_is_named_without_pydantics_own_marks() -> None:
    (problem,) = problems_of(caught({"items": [], "table": {1: 1}}))
    assert problem == Problem("table[1]", "string_type", "input should be a valid string", "put it in quotes")


def test_the_readings_of_a_union_are_named_without_pydantics_own_marks() -> None:
    (first, second) = problems_of(caught({"items": [], "either": "x"}))
    assert (first.path, second.path) == ("either", "either.Inner")
    assert [problem.path for problem in problems_of(caught({"items": [], "file": []}))] == ["file", "file.int"]


def test_a_validators_own_words_begin_in_lower_case_without_their_label() -> None:
    (problem, _) = problems_of(caught({"items": [], "either": 7}))
    assert problem == Problem("either", "value_error", "seven is refused")


def test_a_public_name_is_found_at_its_home_and_no_other_is() -> None:
    import passbridge  # noqa: PLC0415 - the module itself is what is looked at

    assert set(passbridge.__all__) <= set(dir(passbridge))
    assert passbridge.__all__ == sorted(passbridge.__all__)
    for name in passbridge.__all__:
        assert getattr(passbridge, name).__name__ == name
    with pytest.raises(AttributeError, match="module 'passbridge' has no attribute 'Nothing'"):
        passbridge.Nothing  # noqa: B018 - looking it up is the test
