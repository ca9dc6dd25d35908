"""The tables against the inventory of what the documents say: two readings, made apart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from passbridge.protocol.mapping import CodeRow
from passbridge.protocol.tables import Tables

Files = dict[str, Any]

EFFECTS = {"ok": {"applied"}, "failed": {"not_applied", "in_state"}, "unknown": {"unknown"}, "none": None}
"""What each verdict of the inventory lets a row say about the pass; `none`: the document doesn't speak of passes."""

LAYERS = {"result": "codes", "code": "codes", "sub_code": "sub_codes"}

DISAGREEMENTS = {
    ("REQUEST_TRAFFIC_EXCEED_LIMIT", "U", "failed"): (
        "unknown",
        "The wording is a refusal and the letter says that it may have been executed: the letter is believed.",
    ),
}
"""Where the tables read a code otherwise than the inventory: the effect they give it, and why."""

OWN = {
    ("mainland.pass", "sub_codes", "isv.not-online-app"): "the common table writes it without isv., the gateway was seen to send it with",
    ("mainland.pass", "sub_codes", "isv.invalid-auth-relations"): "likewise",
}
"""Rows that stand in no document of the inventory, and why they are there all the same."""


@dataclass(frozen=True)
class Documented:
    """One code on one page, for one profile."""

    file: str
    source: str
    profile: str
    section: str
    code: str
    status: str
    verdict: str


def inventory(raw: Files) -> Iterator[Documented]:
    for file, page in raw.items():
        if file.startswith("documented/"):
            for row in page["codes"]:
                for profile in page["profiles"]:
                    section = LAYERS[row["layer"]]
                    yield Documented(file, page["source"], profile, section, row["code"], row.get("status", ""), row["verdict"])


def row_of(documented: Documented, tables: Tables) -> CodeRow | None:
    found: CodeRow | None = getattr(tables.profiles[documented.profile], documented.section).get(documented.code)
    return found


def test_every_page_of_the_inventory_says_where_it_comes_from(raw: Files) -> None:
    pages = {file: page for file, page in raw.items() if file.startswith("documented/")}
    assert {file.removeprefix("documented/") for file in pages} == {
        "hk-card.toml", "hk-gateway.toml", "hk-membership.toml", "hk-template.toml", "hk-ticket.toml",
        "mainland-gateway.toml", "mainland-pass.toml",
    }  # fmt: skip
    for page in pages.values():
        assert page["schema"] == 1
        assert page["page"]
        assert page["source"]
        assert all(row["where"] and "wording" in row and row["verdict"] in EFFECTS for row in page["codes"])
        if page["source"].startswith("seed:"):
            assert len(bytes.fromhex(page["sha256"])) == 32


def test_every_profile_has_its_page_and_the_inventory_speaks_of_no_other(raw: Files, tables: Tables) -> None:
    assert {documented.profile for documented in inventory(raw)} == set(tables.profiles)
    assert len(list(inventory(raw))) > 150


def test_every_documented_code_is_mapped_under_every_action_of_its_profile(raw: Files, tables: Tables) -> None:
    missing = [documented for documented in inventory(raw) if row_of(documented, tables) is None]
    assert not missing
    for documented in inventory(raw):
        row = row_of(documented, tables)
        assert row is not None
        for action in tables.profiles[documented.profile].actions:
            assert row.read(action, documented.status) in tables.outcomes


def test_every_documented_letter_is_taken(raw: Files, tables: Tables) -> None:
    for documented in inventory(raw):
        row = row_of(documented, tables)
        assert row is not None
        assert set(documented.status) <= set(row.status), documented
        assert bool(row.status) is documented.profile.startswith("hk."), documented


def test_both_readings_agree_on_what_a_code_says_about_the_pass(raw: Files, tables: Tables) -> None:
    seen = set()
    for documented in inventory(raw):
        row, profile = row_of(documented, tables), tables.profiles[documented.profile]
        assert row is not None
        allowed = EFFECTS[documented.verdict]
        for action in profile.actions:
            for letter in documented.status or row.status or "-":
                effect = tables.outcomes[row.read(action, letter)].effect.value
                exception = (documented.code, letter, documented.verdict)
                if exception in DISAGREEMENTS:
                    seen.add(exception)
                    assert effect == DISAGREEMENTS[exception][0], documented
                else:
                    assert allowed is None or effect in allowed, (documented, action, letter)
    assert seen == set(DISAGREEMENTS)


def test_no_row_is_dead(raw: Files, tables: Tables) -> None:
    """AlipayHK's profiles share the union of their pages, so a row counts where any page of its backend has it."""
    documented = {(row.profile.partition(".")[0], row.section, row.code) for row in inventory(raw)}
    dead = {
        (name, section, code)
        for name, profile in tables.profiles.items()
        for section in ("codes", "sub_codes")
        for code in getattr(profile, section)
        if (name.partition(".")[0], section, code) not in documented
    }
    assert dead == set(OWN)


def test_a_row_names_every_seed_it_stands_in_and_no_other(raw: Files, tables: Tables) -> None:
    seeds: dict[tuple[str, str, str], set[str]] = {}
    for row in inventory(raw):
        key = (row.profile.partition(".")[0], row.section, row.code)
        seeds.setdefault(key, set())
        if row.source.startswith("seed:"):
            seeds[key].add(row.source.replace(":", " "))
    for name, profile in tables.profiles.items():
        for section in ("codes", "sub_codes"):
            for code, found in getattr(profile, section).items():
                named = {source for source in found.source if source.startswith("seed ")}
                assert named == seeds.get((name.partition(".")[0], section, code), set()), code


@pytest.mark.parametrize("profile", ["hk.card", "hk.membership", "hk.ticket"])
def test_what_no_document_gives_a_letter_is_not_called_documented_unless_it_says_so(profile: str, raw: Files, tables: Tables) -> None:
    lettered = {row.code for row in inventory(raw) if row.profile.startswith("hk.") and row.status}
    for code, row in tables.profiles[profile].codes.items():
        if code not in lettered and row.confidence == "documented":
            assert "inferred" in row.note, code
