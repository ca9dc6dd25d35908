"""`sandbox fault add` with everything a fault can wait for."""

from __future__ import annotations

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.catalogue import FAULTS, FaultKind
from tests.cli.conftest import TICKET, Cli


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_every_fault_is_added_by_its_name(cli: Cli, box: Sandbox, kind: FaultKind) -> None:
    name = kind.name + {"NAME": ":SUCCESS", "": ""}.get(kind.argument, ":20")

    done = cli("sandbox", "fault", "add", name, "--url", box.url, "--json")

    assert (done.exit, done.json["fault"]) == (0, name)
    assert box.faults() == [done.json]


def test_a_fault_waits_for_gateway_pass_call_chance_and_time(cli: Cli, box: Sandbox) -> None:
    options = {"gateway": "hk", "pass": TICKET, "count": 2, "nth": 3, "probability": 0.25, "seed": 7, "expires": 60}

    done = cli("sandbox", "fault", "add", "replay", *(f"--{name}={value}" for name, value in options.items()), "--url", box.url, "--json")

    wanted = {"fault": "replay", "gateway": "hk", "match": {"pass": TICKET}, "count": 2}
    assert {name: value for name, value in done.json.items() if name != "id"} == {
        **wanted,
        "after": 2,
        "probability": 0.25,
        "seed": 7,
        "expires": 60.0,
    }


@pytest.mark.parametrize("option", ["--nth=0", "--probability=0", "--probability=1.5", "--seed=a", "--expires=0"])
def test_what_can_not_be_is_a_usage_error(cli: Cli, box: Sandbox, option: str) -> None:
    assert cli("sandbox", "fault", "add", "replay", option, "--url", box.url, "--json").exit == 2
    assert box.faults() == []


def test_a_fault_of_the_other_gateway_is_refused(cli: Cli, box: Sandbox) -> None:
    done = cli("sandbox", "fault", "add", "node-twice", "--gateway", "hk", "--url", box.url, "--json")

    assert (done.exit, done.problems) == (2, [("gateway", "unfit")])
