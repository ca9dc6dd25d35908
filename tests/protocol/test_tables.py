from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from passbridge import Code, Problem
from passbridge.protocol.tables import Tables, load_tables
from tests.protocol.overlaid import Texts, refused


def edited(texts: Texts, file: str, old: str, new: str) -> dict[str, str]:
    """The files with the first occurrence of one text replaced."""
    assert old in texts[file]
    return dict(texts) | {file: texts[file].replace(old, new, 1)}


def test_the_tables_are_the_four_profiles_and_every_outcome(tables: Tables) -> None:
    assert set(tables.profiles) == {"hk.card", "hk.membership", "hk.ticket", "mainland.pass"}
    assert all(profile.name == name for name, profile in tables.profiles.items())
    assert set(tables.outcomes) == set(Code)


def test_the_tables_cannot_be_changed(tables: Tables) -> None:
    for table in (tables.outcomes, tables.profiles):
        with pytest.raises(TypeError):
            table["x"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        tables.outcomes = {}  # type: ignore[misc]


def test_a_profile_has_what_the_file_it_extends_has_and_its_own_on_top(tables: Tables, texts: Texts) -> None:
    card = tables.profiles["hk.card"]
    assert card.title == "AlipayHK card (alipay.intl.user.pass.updatePass)"
    assert card.codes == tables.profiles["hk.ticket"].codes
    own = '\n[codes.SUCCESS]\nnote = "mine"\n[codes.MINE]\noutcome = "REFUSED"\nstatus = "F"\nsource = ["x"]\nconfidence = "observed"\n'
    changed = load_tables(dict(texts) | {"hk/card.toml": texts["hk/card.toml"] + own}).profiles
    assert changed["hk.card"].codes["SUCCESS"] == card.codes["SUCCESS"].model_copy(update={"note": "mine"})
    assert changed["hk.card"].codes["MINE"].outcome is Code.REFUSED
    assert list(changed["hk.card"].codes) == [*card.codes, "MINE"]
    assert changed["hk.ticket"] == tables.profiles["hk.ticket"]


def test_the_inventory_is_not_read(tables: Tables, texts: Texts) -> None:
    assert any(name.startswith("documented/") for name in texts)
    assert load_tables(dict(texts) | {"documented/x.toml": "no TOML at all ["}) == tables


def test_a_file_of_shared_rows_is_no_profile(texts: Texts) -> None:
    assert "hk.base" not in load_tables(texts).profiles


MISTAKES: dict[str, tuple[Callable[[Texts], dict[str, str]], Problem]] = {
    "another schema": (
        lambda texts: edited(texts, "hk/ticket.toml", "schema = 1", "schema = 2"),
        Problem("hk/ticket.toml: schema", "unknown_schema", "this release reads schema 1", "write schema = 1"),
    ),
    "no schema": (
        lambda texts: edited(texts, "outcomes.toml", "schema = 1", ""),
        Problem("outcomes.toml: schema", "unknown_schema", "this release reads schema 1", "write schema = 1"),
    ),
    "an outcome missing": (
        lambda texts: edited(texts, "outcomes.toml", "[outcomes.REFUSED]", "[outcomes.REFUSE]"),
        Problem("outcomes.toml: outcomes.REFUSED", "missing", "is missing", "add the row"),
    ),
    "an outcome unknown": (
        lambda texts: edited(texts, "outcomes.toml", "[outcomes.REFUSED]", "[outcomes.REFUSE]"),
        Problem("outcomes.toml: outcomes.REFUSE", "unknown_member", "no such outcome", "did you mean 'REFUSED'?"),
    ),
    "an outcome's member misspelt": (
        lambda texts: edited(texts, "outcomes.toml", "exit = 0", "exits = 0"),
        Problem("outcomes.toml: outcomes.APPLIED.exits", "unknown_member", "no such member"),
    ),
    "an outcome that contradicts itself": (
        lambda texts: edited(texts, "outcomes.toml", 'effect = "applied"', 'effect = "unknown"'),
        Problem("outcomes.toml: outcomes.APPLIED", "incoherent", "ok needs the effect applied or in_state"),
    ),
    "extends nothing": (
        lambda texts: edited(texts, "hk/card.toml", "hk/base.toml", "hk/bas.toml"),
        Problem("hk/card.toml: extends", "missing", "extends a file that isn't there", "did you mean 'hk/base.toml'?"),
    ),
    "an unknown section": (
        lambda texts: edited(texts, "mainland/pass.toml", "[fallback]", "[fallbacks]"),
        Problem("mainland/pass.toml: fallbacks", "unknown_member", "no such member"),
    ),
    "a row's member misspelt": (
        lambda texts: edited(texts, "mainland/pass.toml", 'outcome = "REFUSED"', 'outcom = "REFUSED"'),
        Problem("mainland/pass.toml: codes.40004.outcom", "unknown_member", "no such member"),
    ),
    "a row's member missing": (
        lambda texts: edited(texts, "mainland/pass.toml", 'outcome = "REFUSED"', 'outcom = "REFUSED"'),
        Problem("mainland/pass.toml: codes.40004.outcome", "missing", "is missing", "add it"),
    ),
    "the Python name of a member": (
        lambda texts: edited(texts, "hk/card.toml", 'as = "iso8601"', 'transform = "iso8601"'),
        Problem("hk/card.toml: fields.valid_until.transform", "unknown_member", "no such member"),
    ),
    "no title": (
        lambda texts: edited(texts, "hk/card.toml", "title", "# title"),
        Problem("hk/card.toml: title", "missing", "is missing", "add it"),
    ),
    "a letter that is none": (
        lambda texts: edited(texts, "hk/base.toml", 'status = "S"', 'status = "X"'),
        Problem("hk/card.toml: codes.SUCCESS.status", "string_pattern_mismatch", "string should match pattern '^[SFU]*$'"),
    ),
    "a success under F": (
        lambda texts: edited(texts, "hk/base.toml", 'status = "S"', 'status = "F"'),
        Problem(
            "hk/ticket.toml: codes.SUCCESS",
            "incoherent",
            "letter F and outcome APPLIED (applied) contradict each other on close",
            "change the outcome or the letter",
        ),
    ),
    "a refusal under U": (
        lambda texts: edited(texts, "hk/base.toml", 'by_status.U = "PROVIDER_ERROR"', ""),
        Problem(
            "hk/card.toml: codes.REQUEST_TRAFFIC_EXCEED_LIMIT",
            "incoherent",
            "letter U and outcome RATE_LIMITED (not_applied) contradict each other on redeem",
            "change the outcome or the letter",
        ),
    ),
    "an unknown under F for one action": (
        lambda texts: edited(texts, "hk/base.toml", 'on.redeem = "ALREADY_IN_STATE"', 'on.redeem = "UNMAPPED"'),
        Problem(
            "hk/card.toml: codes.PASS_USED_OCCUPIED",
            "incoherent",
            "letter F and outcome UNMAPPED (unknown) contradict each other on redeem",
            "change the outcome or the letter",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_file_and_row(change: Callable[[Texts], dict[str, str]], problem: Problem, texts: Texts) -> None:
    assert problem in refused(change(texts))


def test_a_file_that_is_no_toml_is_named(texts: Texts) -> None:
    (problem,) = refused(dict(texts) | {"hk/card.toml": "schema = 1\n[actions"})
    assert (problem.path, problem.code, problem.mend) == ("hk/card.toml", "unreadable_toml", "mend the line")
    assert problem.message.startswith("not readable as TOML: ")


def test_a_profile_that_contradicts_itself_is_named_by_its_file(texts: Texts) -> None:
    found = refused(edited(texts, "hk/card.toml", 'wire = "userId"', 'wire = "openId"'))
    assert found == (Problem("hk/card.toml", "incoherent", "two fields are called 'openId' on the wire"),)


def test_every_mistake_in_every_file_is_given_at_once_and_none_twice(texts: Texts) -> None:
    broken = edited(texts, "outcomes.toml", "exit = 0", "exit = 99")
    broken = edited(broken, "hk/card.toml", 'wire = "userId"', 'wire = ""')
    broken = edited(broken, "mainland/pass.toml", "schema = 1", "schema = 3")
    broken = edited(broken, "mainland/pass.toml", 'confidence = "documented"', 'confidence = "certain"')
    found = refused(broken | {"hk/ticket.toml": "="})
    assert sorted(problem.path for problem in found) == [
        "hk/card.toml: fields.user_id.wire",
        "hk/ticket.toml",
        "mainland/pass.toml: fields.id.confidence",
        "mainland/pass.toml: schema",
        "outcomes.toml: outcomes.APPLIED.exit",
    ]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("file", "line"),
    [("outcomes.toml", "outcomes = 1"), ("outcomes.toml", "[outcomes]\nAPPLIED = 1"), ("hk/card.toml", "extends = []\nactions = 1")],
)
def test_a_table_that_is_none_is_a_problem_like_any_other(file: str, line: str, texts: Texts) -> None:
    assert refused(dict(texts) | {file: f"schema = 1\n{line}\n"})


def test_nothing_at_all_misses_every_outcome() -> None:
    assert [problem.path for problem in refused({})] == [f"outcomes.toml: outcomes.{code}" for code in Code]


def test_rows_say_who_says_so(tables: Tables) -> None:
    rows: list[Any] = [row for profile in tables.profiles.values() for row in (profile.codes | profile.sub_codes).values()]
    assert all(row.source and row.confidence for row in rows)
    assert len(rows) > 150
