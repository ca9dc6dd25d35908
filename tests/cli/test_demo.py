from __future__ import annotations

import sys
from collections import Counter

import pytest

from passbridge import Outcome, load_update
from passbridge.shipped import shipped_tables
from tests.cli.conftest import Cli, Done, child

PROFILES = {"hk-cards": "hk.card", "hk-members": "hk.membership", "hk-tickets": "hk.ticket", "cn": "mainland.pass"}

LIFE = {
    *("createTemplate", "createPass", "detail"),
    *("alipay.pass.template.add", "alipay.pass.instance.add", "alipay.marketing.pass.instance.query"),
}
"""The calls of a pass's life that no update has words for."""

OTHER_EXPECTATION = """
from dataclasses import replace
from passbridge.cli import demo_steps, main
demo_steps.STEPS = (replace(demo_steps.STEPS[0], expected="REFUSED"),)
main()
"""


@pytest.fixture(scope="module")
def everything() -> Done:
    return child("demo", "--all", "--json")


def test_every_action_and_every_code_of_the_seeds_ends_as_expected_in_every_profile(everything: Done) -> None:
    done = everything

    assert (done.exit, done.err) == (0, "")
    assert set(done.json) == {"schema", "steps", "calls"}
    assert done.json["schema"] == "passbridge.demo/1"
    steps = done.json["steps"]
    assert all(set(step) == {"title", "update", "outcome", "expected"} for step in steps)
    assert [step["title"] for step in steps if step["outcome"]["code"] != step["expected"]] == []
    assert [title for title, count in Counter(step["title"] for step in steps).items() if count > 1] == []
    for step in steps:
        assert load_update(step["update"]).as_json() == step["update"]
        assert Outcome.model_validate(step["outcome"]).pass_id == step["update"]["pass"]["id"]
    calls = done.json["calls"]
    assert all(set(call) == {"title", "account", "api", "answer", "word", "expected"} for call in calls)
    assert [call["title"] for call in calls if call["word"] != call["expected"]] == []
    assert {call["api"].rpartition("/")[2] for call in calls} == LIFE
    profiles = shipped_tables().profiles
    shown = {(PROFILES[step["update"]["to"]], step["update"]["action"]) for step in steps if step["update"]["to"] in PROFILES}
    assert shown == {(name, action) for name, profile in profiles.items() for action in profile.actions}
    documented = {
        f"{name}: {code}"
        for name, profile in profiles.items()
        for code, row in [*profile.codes.items(), *profile.sub_codes.items()]
        if profile.source in row.source
    }
    assert documented <= {step["title"] for step in steps}
    assert len(documented) > 20


def test_people_get_a_table(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PASSBRIDGE_ACCOUNTS__HK_TICKETS__CLIENT_ID", "not the demo's own")

    done = cli("demo")

    assert (done.exit, done.err) == (0, "")
    assert done.out.count("✓") == 27
    assert done.out.endswith("27 updates, every outcome as expected; simulated gateways, real signatures\n")
    assert "(SUCCESS, unproved)" in done.out
    assert "\x1b" not in done.out


def test_an_unexpected_outcome_is_shown_and_exits_1() -> None:
    done = child("demo", program=(sys.executable, "-c", OTHER_EXPECTATION))

    assert (done.exit, done.err) == (1, "")
    assert done.out.count("✗") == 1
    assert "NOT every outcome as expected" in done.out


def test_an_account_that_asks_settles_what_the_others_leave_in_doubt(everything: Done) -> None:
    steps = {step["title"]: step["outcome"] for step in everything.json["steps"]}

    settled = steps["issued coupon, redeem, the answer lost, then queried"]
    assert [attempt["code"] for attempt in settled["attempts"]] == ["NO_ANSWER", "ALREADY_IN_STATE"]
    assert settled["native"]["result"]["status"] == "USED"
    assert steps["mainland, redeem, the answer lost"]["code"] == "NO_ANSWER"
