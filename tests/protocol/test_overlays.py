from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from passbridge import ConfigError, Problem
from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts
from tests.protocol.overlaid import Texts, laid, refused


def recorded() -> dict[str, tuple[str, str]]:
    """Each recorded contradiction that has an overlay: the profile, and the overlay's text."""
    found = {}
    for file, text in mapping_texts().items():
        for row in tomllib.loads(text).get("contradictions", ()):
            if row.get("overlay"):
                found[f"{file}: {row['field']}"] = (file.removesuffix(".toml").replace("/", "."), row["overlay"])
    return found


CONTRADICTIONS = recorded()


def differences(before: Any, after: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # noqa: ANN401 - JSON
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before | after:
            yield from differences(before.get(name), after.get(name), (*at, name))
    elif before != after:
        yield at, after


def dumped(tables: Tables) -> dict[str, Any]:
    return {name: profile.model_dump(mode="json") for name, profile in tables.profiles.items()}


def flat(raw: Any, at: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:  # noqa: ANN401 - TOML
    if not isinstance(raw, dict):
        return {at: raw}
    return {key: value for name, inner in raw.items() for key, value in flat(inner, (*at, name)).items()}


@pytest.mark.parametrize(("profile", "overlay"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_recorded_contradictions_overlay_changes_what_it_says_and_nothing_else(
    profile: str, overlay: str, texts: Texts, tables: Tables
) -> None:
    backend, _, stem = profile.partition(".")
    wanted = flat(tomllib.loads(overlay)[backend][stem])
    wanted = {(*path[:-1], "transform" if path[-1] == "as" else path[-1]): value for path, value in wanted.items()}
    changed = dict(differences(dumped(tables), dumped(laid(texts, overlay))))
    assert changed == {(profile, *path): value for path, value in wanted.items()}
    assert changed


def test_every_contradiction_names_the_field_its_overlay_changes() -> None:
    assert len(CONTRADICTIONS) == 11
    for name, (_, overlay) in CONTRADICTIONS.items():
        assert f"fields.{name.partition(': ')[2]}]" in overlay


def test_an_overlay_over_shared_rows_reaches_every_profile_that_has_them(texts: Texts) -> None:
    tables = laid(texts, '[hk.base.codes.SYSTEM_ERROR]\nnote = "mine"')
    assert [profile.codes["SYSTEM_ERROR"].note for name, profile in tables.profiles.items() if name.startswith("hk.")] == ["mine"] * 3


def test_of_two_overlays_the_last_wins(texts: Texts) -> None:
    card, ticket = ('[hk.card.codes.SYSTEM_ERROR]\nnote = "a"', '[hk.card.codes.SYSTEM_ERROR]\nnote = "b"')
    assert laid(texts, card, ticket).profiles["hk.card"].codes["SYSTEM_ERROR"].note == "b"
    assert laid(texts, ticket, card).profiles["hk.card"].codes["SYSTEM_ERROR"].note == "a"


def test_an_overlay_may_add_kinds_fields_and_lengths(texts: Texts) -> None:
    profile = laid(
        texts,
        '[hk.ticket.kinds]\nferry = "UPDATE_FERRY"\n[hk.ticket.lengths.ferry]\npier = { zh_HK = 3 }\n'
        '[hk.ticket.fields.template]\nwire = "templateCode"\nconfidence = "observed"',
    ).profiles["hk.ticket"]
    assert profile.kinds["ferry"] == "UPDATE_FERRY"
    assert profile.lengths["ferry"] == {"pier": {"zh_HK": 3}}
    assert profile.fields["template"].wire == "templateCode"


SHAPES: dict[str, tuple[str, Problem]] = {
    "no such profile": (
        "[hk.tickets.kinds]\na = 'A'",
        Problem("0.toml: hk.tickets", "unknown_member", "no such profile", "did you mean 'hk.ticket'?"),
    ),
    "no such backend": (
        "[macau.pass.kinds]\na = 'A'",
        Problem("0.toml: macau.pass", "unknown_member", "no such profile", "did you mean 'mainland.pass'?"),
    ),
    "the outcomes": (
        "[outcomes.APPLIED]\nexit = 1",
        Problem("0.toml: outcomes.APPLIED", "unknown_member", "no such profile",
                "known: hk.base, hk.card, hk.membership, hk.ticket, mainland.pass"),
    ),
    **{
        section: (
            text,
            Problem(f"0.toml: hk.card.{section}", "fixed", "an overlay can't change this",
                    "it may change codes, sub_codes, fields, kinds, lengths, query"),
        )
        for section, text in {
            "actions": "[hk.card.actions]\nredeem = 'X'",
            "title": "hk.card.title = 'x'",
            "source": "hk.card.source = 'x'",
            "extends": "hk.card.extends = 'x'",
            "one_of": "hk.card.one_of = []",
            "fallback": "[hk.card.fallback]\nF = 'UNMAPPED'",
            "contradictions": "hk.card.contradictions = []",
        }.items()
    },
    "a wrong row": (
        "[hk.card.fields.id]\nmax_length = 0",
        Problem("hk/card.toml, 0.toml: fields.id.max_length", "greater_than_equal", "input should be greater than or equal to 1"),
    ),
    "a letter against its outcome": (
        "[hk.card.codes.PARAM_ILLEGAL]\nstatus = 'U'",
        Problem(
            "hk/card.toml, 0.toml: codes.PARAM_ILLEGAL",
            "incoherent",
            "letter U and outcome INVALID_VALUE (not_applied) contradict each other on redeem",
            "change the outcome or the letter",
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("overlay", "problem"), SHAPES.values(), ids=SHAPES)
def test_what_an_overlay_may_not_do_is_named(overlay: str, problem: Problem, texts: Texts) -> None:
    found = refused(texts, overlay)
    assert found[0] == problem
    assert {other.code for other in found} == {problem.code}


@pytest.mark.parametrize(
    "overlay",
    ["hk = 1", "hk.card = 1", "hk.card = ''", "hk.card = []", "hk.card.codes = 1", "hk.card.codes.X = 1", "hk.card.fields.id = 1"],
)
def test_an_overlay_of_the_wrong_shape_is_a_problem_like_any_other(overlay: str, texts: Texts) -> None:
    assert refused(texts, overlay)


def test_an_overlay_that_is_no_toml_is_named(texts: Texts) -> None:
    (problem,) = refused(texts, "[hk")
    assert (problem.path, problem.code, problem.mend) == ("0.toml", "unreadable_toml", "mend the line")
    assert problem.message.startswith("not readable as TOML: ")


def test_an_overlay_without_its_schema_is_refused(texts: Texts) -> None:
    with pytest.raises(ConfigError) as caught:
        load_tables(texts, {"acme.toml": "[hk.card.kinds]\na = 'A'"})
    assert caught.value.problems == (Problem("acme.toml: schema", "unknown_schema", "this release reads schema 1", "write schema = 1"),)


def test_every_mistake_of_every_overlay_is_given_at_once(texts: Texts) -> None:
    found = refused(texts, "[hk.tickets.kinds]\na = 'A'\n[hk.card.actions]\nredeem = 'X'", "[hk.card.fields.id]\nwire = ''")
    *shapes, row = (problem.path for problem in found)
    assert shapes == ["0.toml: hk.tickets", "0.toml: hk.card.actions"]
    assert row.startswith("hk/card.toml, ")
    assert row.endswith("1.toml: fields.id.wire")


def test_the_files_mistakes_come_before_any_overlays(texts: Texts) -> None:
    broken = dict(texts) | {"hk/card.toml": "schema = 2"}
    with pytest.raises(ConfigError) as caught:
        load_tables(broken, {"acme.toml": "no TOML"})
    assert [problem.path for problem in caught.value.problems] == ["hk/card.toml: schema"]
