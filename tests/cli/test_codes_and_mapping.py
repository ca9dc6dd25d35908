"""The catalogue of codes, the rule behind an outcome, and overlays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from passbridge import Code
from passbridge.shipped import shipped_tables
from tests.cli.conftest import Cli

HEAD = "schema = 1\n[hk.ticket.codes."
NEW = HEAD + 'QUEUE_FULL]\noutcome = "REFUSED"\nstatus = "F"\nsource = ["our own log"]\nconfidence = "observed"\n'
SOFTER = HEAD + 'PARAM_ILLEGAL]\noutcome = "REFUSED"\n'
RISKY = HEAD + 'UNKNOWN_EXCEPTION]\noutcome = "REFUSED"\nstatus = "F"\n'
LETTER = HEAD + 'PARAM_ILLEGAL]\noutcome = "APPLIED"\n'


def overlay(text: str | bytes, name: str = "acme.toml") -> str:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return name


def test_codes_lists_every_code_of_every_profile(cli: Cli) -> None:
    rows = cli("codes", "--json").json

    profiles = shipped_tables().profiles
    expected = [(name, code) for name, profile in profiles.items() for code in [*profile.codes, *profile.sub_codes]]
    assert [(row["profile"], row["code"]) for row in rows] == expected
    assert all(row["rule"] == f"{row['profile']}#{row['layer']}.{row['code']}" for row in rows)
    assert cli("codes").out.count("\n") > len(rows)


OWN = {"ALREADY_IN_STATE": (1,), "INVALID_UPDATE": (2,)}
"""The exit code of outcomes that are looked up."""


@pytest.mark.parametrize(
    ("word", "profiles"),
    [
        ("PASS_USED_OCCUPIED", {"hk.card", "hk.membership", "hk.ticket"}),
        ("KP.AE_ALIPASS_NOTEXIST", {"mainland.pass"}),
        ("ALREADY_IN_STATE", {"hk.card", "hk.membership", "hk.ticket"}),
        ("INVALID_UPDATE", set()),
    ],
)
def test_a_code_of_a_gateway_or_an_outcome_is_looked_up(cli: Cli, word: str, profiles: set[str]) -> None:
    rows = cli("codes", word, "--json").json
    shown = cli("codes", word).out

    own = [rows.pop(0)] if word in Code.__members__ else []
    assert [(row["layer"], row["outcome"], row["exit"]) for row in own] == [("outcomes", word, exit_) for exit_ in OWN.get(word, ())]
    assert {row["profile"] for row in rows} == profiles
    assert all(word in {row["code"], row["outcome"], *row["on"].values()} for row in rows)
    assert shown.startswith(f"{word}: ") == (word in Code.__members__)
    assert all(profile in shown for profile in profiles)


@pytest.mark.parametrize(
    ("words", "place", "mend"),
    [
        (["codes", "PASS_USED_OCUPIED"], "CODE", "did you mean 'PASS_USED_OCCUPIED'?"),
        (["mapping", "explain", "hk.tickets", "SUCCESS"], "PROFILE", "did you mean 'hk.ticket'?"),
        (["mapping", "explain", "hk.ticket", "SUCESS"], "CODE", "did you mean 'SUCCESS'?"),
        (["mapping", "explain", "hk.card", "SUCCESS", "--action", "refund"], "--action", "known: close, redeem, revise"),
        (["mapping", "explain", "hk.card", "SUCCESS", "--status", "F"], "--status", "known: S"),
        (["mapping", "explain", "mainland.pass", "10000", "--status", "S"], "--status", ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_is_in_no_table_exits_2_with_a_suggestion(cli: Cli, words: list[str], place: str, mend: str) -> None:
    done = cli(*words, "--json")

    assert (done.exit, done.problems) == (2, [(place, "unknown_code")])
    assert done.json["problems"][0]["mend"] == mend


def explained(cli: Cli, *words: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = cli("mapping", "explain", *words, "--json").json
    return rows


def test_explain_gives_the_row_its_evidence_and_what_it_means_for_each_action(cli: Cli) -> None:
    rows = explained(cli, "hk.ticket", "PASS_USED_OCCUPIED")

    assert {row["action"]: row["outcome"] for row in rows} == {
        "redeem": "ALREADY_IN_STATE",
        "close": "STATE_CONFLICT",
        "revise": "STATE_CONFLICT",
        "refund": "STATE_CONFLICT",
    }
    assert {(row["file"], row["rule"], row["confidence"]) for row in rows} == {
        ("hk/base.toml", "hk.ticket#codes.PASS_USED_OCCUPIED", "documented")
    }
    text = cli("mapping", "explain", "hk.ticket", "PASS_USED_OCCUPIED").out
    assert text.startswith("PASS_USED_OCCUPIED in hk/base.toml, documented: seed 000, seed 002\n")
    assert "\n  redeem under F: ALREADY_IN_STATE (in_state). " in text


def test_explain_can_be_narrowed(cli: Cli) -> None:
    limited = explained(cli, "hk.ticket", "REQUEST_TRAFFIC_EXCEED_LIMIT", "--action", "refund", "--status", "U")

    assert [row["outcome"] for row in limited] == ["PROVIDER_ERROR"]


def test_explain_says_which_rows_settle_a_doubt(cli: Cli) -> None:
    assert "; settles an earlier doubt). " in cli("mapping", "explain", "mainland.pass", "KP.AE_ALIPASS_CHAR_NOT_GBK").out


@pytest.mark.parametrize(
    ("action", "text"),
    [
        ("redeem", 'If resolve = "query" and it shows USED. USED: 已使用'),
        ("close", 'If resolve = "query" and it shows CLOSED or a pass deleted by its holder. CLOSED: '),
        ("revise", 'If resolve = "query" and it shows every parameter as it was sent.'),
    ],
)
def test_explain_gives_the_rule_by_which_a_query_settles_a_doubt(cli: Cli, action: str, text: str) -> None:
    name = overlay(
        'schema = 1\n[mainland.pass.query.revise]\ncontent = true\nsource = ["us"]\nconfidence = "observed"\naccept_risk = "x"\n'
    )
    (row,) = explained(cli, "mainland.pass", f"query.{action}", "--overlay", name)

    assert (row["rule"], row["outcome"], row["settles_doubt"]) == (f"mainland.pass#query.{action}", "APPLIED_PRESUMED", True)
    assert row["file"] == ("an overlay" if action == "revise" else "mainland/pass.toml")
    assert row["note"].startswith(text)
    assert text in cli("mapping", "explain", "mainland.pass", f"query.{action}", "--overlay", name).out
    changed = cli("mapping", "diff", name, "--json").json
    assert [(one["row"], one["was"]) for one in changed] == [("mainland.pass.query.revise", None)]


def test_explain_reads_overlays(cli: Cli) -> None:
    name = overlay(NEW)

    text = cli("mapping", "explain", "hk.ticket", "QUEUE_FULL", "--overlay", name).out

    assert text.startswith("QUEUE_FULL in an overlay, observed: our own log\n  redeem under F: REFUSED (not_applied). ")


def test_the_table_has_a_row_for_each_code_letter_and_action(cli: Cli) -> None:
    rows = cli("mapping", "table", "--json").json

    places = [(row["profile"], row["code"], row["status"], row["action"]) for row in rows]
    assert len(set(places)) == len(places) > 400
    assert {row["profile"] for row in rows} == {"hk.card", "hk.membership", "hk.ticket", "mainland.pass"}
    assert cli("mapping", "table").out.count("\n") == len(rows) + 1


def test_a_fitting_overlay_passes_the_check(cli: Cli) -> None:
    names = [overlay(NEW), overlay(SOFTER, "more.toml")]

    assert cli("mapping", "check", *names, "--json").json == [{"file": name, "ok": True} for name in names]
    assert cli("mapping", "check", *names).out == "acme.toml: fits\nmore.toml: fits\n"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        pytest.param("schema = ", {"unreadable_toml", "unknown_schema"}, id="no TOML"),
        pytest.param("", {"unknown_schema"}, id="no schema"),
        pytest.param(RISKY, {"risk"}, id="changes what is known"),
        pytest.param(LETTER, {"incoherent"}, id="contradicts its letter"),
        pytest.param("schema = 1\n[hk.tickets]\n[hk.ticket.actions]\n", {"unknown_member", "fixed"}, id="two mistakes"),
    ],
)
def test_a_mistaken_overlay_exits_3_with_every_problem(cli: Cli, text: str, codes: set[str]) -> None:
    done = cli("mapping", "check", overlay(text), "--json")

    assert (done.exit, done.json["error"]) == (3, "config")
    assert {code for _, code in done.problems} <= codes
    assert all("acme.toml" in place for place, _ in done.problems)


@pytest.mark.parametrize("command", ["check", "diff"])
@pytest.mark.parametrize("content", [b"\xff", None], ids=["not UTF-8", "missing"])
def test_an_unreadable_overlay_exits_2(cli: Cli, command: str, content: bytes | None) -> None:
    name = "missing.toml" if content is None else overlay(content)

    done = cli("mapping", command, name, "--json")

    assert (done.exit, done.problems) == (2, [(name, "unreadable_file")])


def test_diff_shows_what_an_overlay_changes(cli: Cli) -> None:
    names = [overlay(SOFTER), overlay(NEW, "new.toml")]

    rows = {row["row"]: row for row in cli("mapping", "diff", *names, "--json").json}

    assert set(rows) == {"hk.ticket.codes.PARAM_ILLEGAL", "hk.ticket.codes.QUEUE_FULL"}
    changed, new = rows["hk.ticket.codes.PARAM_ILLEGAL"], rows["hk.ticket.codes.QUEUE_FULL"]
    assert (changed["was"]["outcome"], changed["is"]["outcome"]) == ("INVALID_VALUE", "REFUSED")
    assert (new["was"], new["is"]["source"]) == (None, ["our own log"])
    assert "QUEUE_FULL" in cli("mapping", "diff", *names).out


def test_an_overlay_may_change_nothing(cli: Cli) -> None:
    assert cli("mapping", "diff", overlay("schema = 1\n")).out == "nothing changes\n"
