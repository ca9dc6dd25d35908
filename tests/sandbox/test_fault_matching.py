"""Which requests a fault strikes: gateway, method, pass, the n-th call, chance that repeats, and an end by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.catalogue import FAULTS, GATEWAYS, FaultKind
from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import NONE, Faults
from passbridge.sandbox.hk_forgery import FORGERIES as HK
from passbridge.sandbox.inputs import BadInput
from passbridge.sandbox.mainland_forgery import FORGERIES as MAINLAND
from passbridge.sandbox.mischief import ALTERATIONS, PAGES, SCRIPTS
from tests.sandbox.conftest import CARD, CHANNEL, PATH, SERIAL, TICKET, Cn, Hk

CODES = Inventory()


@dataclass
class Desk:
    """Faults, and a clock that stands still."""

    now: float = 0.0
    faults: Faults = field(init=False)

    def __post_init__(self) -> None:
        self.faults = Faults(CODES, ["cn", "hk-cards"], lambda: self.now)

    def add(self, **asked: object) -> Mapping[str, Any]:
        return self.faults.add({"fault": "unsigned", **asked}).as_json()

    def strikes(self, calls: int, gateway: str = "hk", **named: str) -> str:
        """A mark for each call: x where a fault struck."""
        return "".join("." if self.faults.take(gateway, named) is NONE else "x" for _ in range(calls))


@pytest.fixture
def desk() -> Desk:
    return Desk()


# --- the catalogue -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("gateway", "forgeries"), [("hk", HK), ("mainland", MAINLAND)])
def test_each_gateway_can_do_just_what_the_catalogue_says(gateway: str, forgeries: Mapping[str, object]) -> None:
    assert {name for name, kind in FAULTS.items() if kind.sends == "forged" and gateway in kind.gateways} == forgeries.keys()


def test_every_other_fault_is_carried_out_somewhere() -> None:
    for sends, table in {"raw": SCRIPTS, "altered": ALTERATIONS, "page": PAGES}.items():
        assert {name for name, kind in FAULTS.items() if kind.sends == sends} == table.keys()


@pytest.mark.parametrize("kind", FAULTS.values(), ids=FAULTS)
def test_every_fault_can_be_asked_for_by_name(desk: Desk, kind: FaultKind) -> None:
    argument = {"NAME": ":SUCCESS", "": ""}.get(kind.argument, ":20")
    row = desk.add(fault=kind.name + argument)
    assert row["fault"] == kind.name + argument
    assert row["gateway"] == ("hk" if kind.argument == "NAME" else kind.gateways[0] if len(kind.gateways) == 1 else None)
    with pytest.raises(BadInput):
        desk.add(fault=kind.name + ("" if argument else ":20"))


@pytest.mark.parametrize("kind", [kind for kind in FAULTS.values() if len(kind.gateways) == 1], ids=lambda kind: kind.name)
def test_a_fault_that_one_gateway_can_do_is_refused_for_the_other(desk: Desk, kind: FaultKind) -> None:
    (other,) = set(GATEWAYS) - set(kind.gateways)
    with pytest.raises(BadInput) as caught:
        desk.add(fault=kind.spelling.replace("SECONDS", "1"), gateway=other)
    assert [problem.path for problem in caught.value.problems] == ["gateway"]


@pytest.mark.parametrize(
    ("fault", "fits"),
    [
        ("reset-at:0", True),
        ("reset-at:1048576", True),
        ("reset-at:1048577", False),
        ("reset-at:-1", False),
        ("reset-at:1.5", False),
        ("reset-at:" + "9" * 400, False),
        ("drip-body:300", True),
        ("drip-body:300.1", False),
        ("stale:86400", True),
        ("stale:-1", False),
        ("clock:-86400", True),
        ("clock:1e10", False),
        ("http-503:inf", False),
        ("http-503:soon", False),
    ],
)
def test_the_number_behind_a_name_has_its_bounds(desk: Desk, fault: str, *, fits: bool) -> None:
    if fits:
        assert desk.add(fault=fault)["fault"] == fault
        return
    with pytest.raises(BadInput) as caught:
        desk.add(fault=fault)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("fault", "bad_number")]


# --- the n-th call -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "strikes"),
    [
        ({}, "x....."),
        ({"count": 3}, "xxx..."),
        ({"nth": 1}, "x....."),
        ({"nth": 3}, "..x..."),
        ({"after": 0}, "x....."),
        ({"after": 2, "count": 2}, "..xx.."),
        ({"nth": 3, "count": 9}, "..xxxx"),
    ],
)
def test_so_many_calls_pass_first(desk: Desk, asked: Mapping[str, object], strikes: str) -> None:
    desk.add(**asked)
    assert desk.strikes(6) == strikes


def test_only_calls_that_match_are_counted(desk: Desk) -> None:
    desk.add(nth=2, gateway="hk", match={"pass": "1"})
    assert desk.strikes(3, "mainland", **{"pass": "1"}) == "..."
    assert desk.strikes(3, **{"pass": "2"}) == "..."
    assert desk.strikes(3, **{"pass": "1"}) == ".x."


def test_a_call_that_another_fault_strikes_is_counted_too(desk: Desk) -> None:
    desk.add(fault="lose-answer", nth=1)
    desk.add(fault="unsigned", nth=2)
    desk.add(fault="echo", nth=2)
    assert [desk.faults.take("hk", {}).fault for _ in range(4)] == ["lose-answer", "unsigned", "echo", ""]


def test_what_is_left_to_pass_is_shown(desk: Desk) -> None:
    shown = desk.add(nth=3)
    assert shown == {"id": 1, "fault": "unsigned", "gateway": None, "match": {}, "count": 1, "after": 2}
    assert desk.strikes(1) == "."
    assert desk.faults.active() == [{**shown, "after": 1}]


# --- chance ------------------------------------------------------------------------------------------------------------


def test_a_seed_repeats_a_run(desk: Desk) -> None:
    runs = []
    for seed in (7, 7, 8):
        desk.faults.clear()
        desk.add(probability=0.5, seed=seed, count=1000)
        runs.append(desk.strikes(200))
    assert runs[0] == runs[1] != runs[2]
    assert 60 < runs[0].count("x") < 140


def test_each_fault_has_its_own_dice(desk: Desk) -> None:
    desk.add(probability=0.5, seed=7, count=1000, gateway="hk")
    alone = desk.strikes(50)
    desk.faults.clear()
    desk.add(probability=0.5, seed=7, count=1000, gateway="hk")
    desk.add(probability=0.5, seed=7, count=1000, gateway="mainland")
    assert [desk.strikes(1, gateway) for _ in range(50) for gateway in GATEWAYS] == [mark for mark in alone for _ in GATEWAYS]


def test_a_seed_that_was_not_given_is_told(desk: Desk) -> None:
    first = desk.add(probability=0.5, count=100)
    struck = desk.strikes(50)
    desk.faults.clear()
    desk.add(probability=0.5, count=100, seed=first["seed"])
    assert desk.strikes(50) == struck
    assert desk.add(probability=0.5)["seed"] != desk.add(probability=0.5)["seed"]
    assert "seed" not in desk.add(seed=1)


def test_a_certain_fault_throws_no_luck(desk: Desk) -> None:
    desk.add(probability=1, count=50)
    assert desk.strikes(50) == "x" * 50


def test_an_unlikely_fault_lasts(desk: Desk) -> None:
    desk.add(probability=1e-12, seed=1)
    assert desk.strikes(100) == "." * 100
    assert len(desk.faults.active()) == 1


# --- the end -----------------------------------------------------------------------------------------------------------


def test_a_fault_ends_by_itself(desk: Desk) -> None:
    shown = desk.add(expires=10, count=9)
    assert shown["expires"] == 10
    desk.now = 9.9
    assert desk.strikes(2) == "xx"
    desk.now = 10.0
    assert desk.strikes(2) == ".."
    assert desk.faults.active() == []
    assert desk.faults.clear() == 0


def test_an_expired_fault_is_not_listed_though_nobody_called(desk: Desk) -> None:
    desk.add(expires=0.5)
    desk.add()
    desk.now = 1
    assert [fault["id"] for fault in desk.faults.active()] == [2]
    assert desk.faults.clear(1) == 0


def test_a_fault_without_an_end_stays(desk: Desk) -> None:
    desk.add()
    desk.now = 10.0**6
    assert desk.strikes(1) == "x"


# --- what makes no sense -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "paths"),
    [
        ({"nth": 0, "after": -1, "count": 0}, ["nth", "after", "count"]),
        ({"nth": 2, "after": 1}, ["nth"]),
        ({"probability": 0, "seed": 1.5, "expires": 0}, ["probability", "seed", "expires"]),
        ({"probability": 1.1, "seed": True, "expires": float("nan")}, ["probability", "seed", "expires"]),
        ({"probability": "1", "expires": True}, ["probability", "expires"]),
        ({"expires": float("inf")}, ["expires"]),
        ({"match": {"method": ""}}, ["match.method"]),
        ({"match": {"method": ""}, "nth": 1, "after": 1}, ["match.method", "nth"]),
        ({"fault": "early-answer", "match": {"pass": "1"}}, ["match"]),
        ({"fault": "early-answer", "gateway": "eu"}, ["gateway"]),
    ],
)
def test_every_reason_is_named(desk: Desk, asked: Mapping[str, object], paths: list[str]) -> None:
    with pytest.raises(BadInput) as caught:
        desk.add(**asked)
    assert [problem.path for problem in caught.value.problems] == paths
    assert desk.faults.active() == []


# --- over the wire -----------------------------------------------------------------------------------------------------


def test_a_fault_waits_for_its_method(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "code:KP.AE_SYSTEM_ERROR", "match": {"method": "alipay.pass.instance.query"}})
    hk.box.add_fault({"fault": "code:PASS_UPDATE_FAIL", "match": {"method": PATH}})
    biz = {"serial_number": SERIAL, "channel_id": CHANNEL, "status": "USED"}
    assert cn.code("USED") == "10000"
    answer = cn.send(biz, method="alipay.pass.instance.query").json["alipay_pass_instance_query_response"]
    assert answer["sub_code"] == "KP.AE_SYSTEM_ERROR"
    assert hk.code(TICKET, "USED") == "PASS_UPDATE_FAIL"
    assert hk.box.faults() == []


def test_the_second_call_of_one_pass_is_struck(hk: Hk) -> None:
    hk.box.add_fault({"fault": "code:UNKNOWN_EXCEPTION", "match": {"pass": TICKET}, "nth": 2})
    assert hk.code(TICKET, "UPDATE") == "PARAM_ILLEGAL"
    assert hk.code(CARD, "USED") == "SUCCESS"
    assert hk.code(TICKET, "USED") == "UNKNOWN_EXCEPTION"
    assert hk.code(TICKET, "USED") == "SUCCESS"


def test_a_run_with_a_seed_repeats_over_the_wire(box: Sandbox) -> None:
    hk, runs = Hk(box), []
    for _ in range(2):
        box.reset()
        box.add_fault({"fault": "code:UNKNOWN_EXCEPTION", "probability": 0.5, "seed": 3, "count": 20})
        runs.append([hk.code(TICKET, "UPDATE") for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {"PARAM_ILLEGAL", "UNKNOWN_EXCEPTION"}
