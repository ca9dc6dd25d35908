"""What the pages promise about codes, written out, against the files as TOML alone reads them."""

from __future__ import annotations

from typing import Any

import pytest

from passbridge import Code
from passbridge.protocol.tables import Tables
from passbridge.resources import mapping_texts

Files = dict[str, Any]

LETTERS = {"S": {"applied"}, "F": {"not_applied", "in_state"}, "U": {"unknown"}}

HK = {
    "SUCCESS": "APPLIED",
    "PARAM_ILLEGAL": "INVALID_VALUE",
    "USER_NOT_EXIST": "HOLDER_NOT_FOUND",
    "PASS_HAS_NOT_EXIST": "PASS_NOT_FOUND",
    "PASS_USED_OCCUPIED": "STATE_CONFLICT",
    "PASS_STATUS_ILLEGAL": "STATE_CONFLICT",
    "PASS_UPDATE_FAIL": "STATE_CONFLICT",
    "PASS_HAS_NOT_USED": "STATE_CONFLICT",
    "BIZ_NOT_SUPPORT": "UNSUPPORTED",
    "UNKNOWN_EXCEPTION": "PROVIDER_ERROR",
    "REQUEST_TRAFFIC_EXCEED_LIMIT": "RATE_LIMITED",
}
MAINLAND = {
    "KP.AE_SYSTEM_ERROR": "PROVIDER_ERROR",
    "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR": "MALFORMED_REQUEST",
    "KP.AE_ALIPASS_NOTEXIST": "PASS_NOT_FOUND",
    "KP.AE_ALIPASS_UPDATE_ERROR": "REFUSED",
    "KP.AE_ALIPASS_PARAME_IS_NULL": "MISSING_FIELD",
    "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD": "INVALID_VALUE",
    "KP.AE_ALIPASS_CHAR_NOT_GBK": "UNENCODABLE_TEXT",
}
FROM_NO_ROW = {
    "APPLIED_PRESUMED": "the wanted state, after an attempt in doubt",
    "NOT_SENT": "no byte left",
    "INVALID_UPDATE": "a row of a bulk job that the account can't carry",
    "NO_ANSWER": "nothing came",
    "BAD_ANSWER": "an answer that contradicts itself",
    "UNTRUSTED_ANSWER": "an answer whose signature proves nothing",
}
"""Outcomes that no code of a gateway stands for, and what they come from."""


@pytest.mark.parametrize("profile", ["hk.card", "hk.membership", "hk.ticket"])
@pytest.mark.parametrize(("code", "outcome"), HK.items())
def test_an_alipayhk_code_means_what_is_promised_for_every_action(profile: str, code: str, outcome: str, tables: Tables) -> None:
    row = tables.profiles[profile].codes[code]
    for action in ("redeem", "close", "revise", "refund"):
        special = "ALREADY_IN_STATE" if (code, action) == ("PASS_USED_OCCUPIED", "redeem") else outcome
        assert row.read(action, row.status[0]).value == special


@pytest.mark.parametrize("profile", ["hk.card", "hk.membership", "hk.ticket"])
def test_a_rate_limit_under_u_may_have_been_executed_and_waits_like_one(profile: str, tables: Tables) -> None:
    row = tables.profiles[profile].codes["REQUEST_TRAFFIC_EXCEED_LIMIT"]
    assert (row.read("close", "F"), row.read("close", "U"), row.slow) == (Code.RATE_LIMITED, Code.PROVIDER_ERROR, True)


@pytest.mark.parametrize(("code", "outcome"), MAINLAND.items())
def test_a_mainland_code_means_what_is_promised_for_every_action(code: str, outcome: str, tables: Tables) -> None:
    row = tables.profiles["mainland.pass"].sub_codes[code]
    assert {row.read(action).value for action in ("redeem", "close", "revise")} == {outcome}


def test_the_mainlands_own_codes_and_what_is_undocumented_are_read_as_promised(tables: Tables) -> None:
    profile = tables.profiles["mainland.pass"]
    assert (profile.codes["10000"].outcome, profile.codes["20000"].outcome) == (Code.APPLIED, Code.PROVIDER_ERROR)
    assert list(profile.fallback.items()) == [("isp.", Code.PROVIDER_ERROR), ("aop.unknow", Code.PROVIDER_ERROR), ("", Code.REFUSED)]
    for name in ("hk.card", "hk.membership", "hk.ticket"):
        assert tables.profiles[name].fallback == {"F": Code.REFUSED, "U": Code.PROVIDER_ERROR}


def test_a_letter_and_an_effect_never_contradict_each_other(raw: Files) -> None:
    effects = {code: row["effect"] for code, row in raw["outcomes.toml"]["outcomes"].items()}
    rows = raw["hk/base.toml"]["codes"]
    assert len(rows) > 30
    for code, row in rows.items():
        assert row["status"] in {"S", "F", "U", "FU"}, code
        assert set(row.get("by_status", {})) <= set(row["status"]), code
        for letter in row["status"]:
            special = row.get("by_status", {}).get(letter)
            for outcome in [special] if special else [row["outcome"], *row.get("on", {}).values()]:
                assert effects[outcome] in LETTERS[letter], (code, letter, outcome)
    for letter, outcome in raw["hk/base.toml"]["fallback"].items():
        assert effects[outcome] in LETTERS[letter]


@pytest.mark.parametrize("name", [name for name in mapping_texts() if not name.startswith("documented/") and name != "outcomes.toml"])
def test_only_a_refusal_settles_a_doubt_and_only_a_refused_signature_is_one(name: str, raw: Files) -> None:
    effects = {code: row["effect"] for code, row in raw["outcomes.toml"]["outcomes"].items()}
    for section in ("codes", "sub_codes"):
        for code, row in raw[name].get(section, {}).items():
            if row.get("settles"):
                assert effects[row["outcome"]] == "not_applied", code
            if row.get("signature"):
                assert row["outcome"] == "ACCESS_DENIED", code
            if row.get("slow"):
                assert row["outcome"] == "RATE_LIMITED", code


def test_every_outcome_can_be_reached(raw: Files) -> None:
    reached: set[str] = set()
    for name, page in raw.items():
        if name.partition("/")[0] in {"hk", "mainland"}:
            rows = [row for section in ("codes", "sub_codes") for row in page.get(section, {}).values()]
            reached |= {row["outcome"] for row in rows} | set(page.get("fallback", {}).values())
            reached |= {outcome for row in rows for table in ("on", "by_status") for outcome in row.get(table, {}).values()}
    assert reached & set(FROM_NO_ROW) == set()
    assert reached | set(FROM_NO_ROW) == {code.value for code in Code}


def test_every_contradiction_chose_one_of_its_readings_and_says_how_to_flip_it(raw: Files) -> None:
    rows = [row for page in raw.values() for row in page.get("contradictions", ())]
    assert len(rows) == 13
    assert sum("overlay" in row for row in rows) == 11
    for row in rows:
        assert len(set(row["readings"])) == len(row["readings"]) >= 2
        assert row["chosen"]
        assert row["why"].endswith(".")
