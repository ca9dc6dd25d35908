"""Every fault of a connection, through both clients: the outcome is honest, and nothing is sent once too often."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from tests.faults.calls import Caller
from tests.faults.floods import FLOODS, ROOM
from tests.faults.gateway import Gateway
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, read, send
from tests.faults.table import ANSWERS, CONNECTIONS, FRAMES, HEADS, SLOW, Case

AT_ONCE = {"attempts": 2, "deadline": 3.0}
"""For faults that show at once."""
IN_TIME = {"attempts": 2, "deadline": 0.3, "read_timeout": 0.1, "connect_timeout": 0.1}
"""For faults that only time ends."""
MEASURED = {"attempts": 1, "deadline": 1.0, "read_timeout": 0.15}

REGIONS = [pytest.param(HK, "refund", id="hk refund"), pytest.param(CN, "redeem", id="cn redeem")]
"""Both gateways, and both rules of trying again."""

UNSETTLED = {"NO_ANSWER", "NOT_SENT", "UNTRUSTED_ANSWER"}


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize("case", [*CONNECTIONS, *FRAMES, *HEADS, *ANSWERS, *SLOW], ids=str)
def test_a_fault_of_the_connection_is_told_as_what_it_is(caller: Caller, case: Case, region: Region, action: str) -> None:
    with Gateway(region, case.steps) as gateway:
        outcome = caller.apply(region.config(gateway.url, **(IN_TIME if case in SLOW else AT_ONCE)), region.update(action))
    assert outcome.code in case.expected.codes
    assert len(gateway.requests) in case.expected.requests(action)
    assert outcome.effect == {"APPLIED": "applied", "NOT_SENT": "not_sent"}.get(outcome.code, "unknown")
    assert [attempt.n for attempt in outcome.attempts] == list(range(1, len(outcome.attempts) + 1))
    assert all(attempt.sent == (attempt.code != "NOT_SENT") for attempt in outcome.attempts)
    assert all(attempt.reason for attempt in outcome.attempts if attempt.code in UNSETTLED)


@pytest.mark.parametrize("case", FLOODS, ids=str)
def test_a_flood_is_cut_off_in_time_and_in_little_memory(caller: Caller, case: Case) -> None:
    with Gateway(HK, case.steps) as gateway:
        outcome = caller.apply(HK.config(gateway.url, **IN_TIME), HK.update("refund"))
        caller.grace = 10.0  # while memory is measured, everything takes many times as long
        peak = _peak(lambda: caller.apply(HK.config(gateway.url, **MEASURED), HK.update("refund")))
    assert outcome.code in case.expected.codes
    assert len(gateway.requests) == 2
    assert peak < ROOM


def _peak(call: Callable[[], object]) -> int:
    """The most bytes that were held at a time."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


ELSEWHERE = {
    **dict.fromkeys(("301 Moved", "302 Found", "303 See", "307 Moved", "308 Moved"), ("HTTP/1.1 {status}", "Location: {url}/")),
    "302 by Refresh": ("HTTP/1.1 302 Found", "Refresh: 0;url={url}"),
    "200 by Refresh": ("HTTP/1.1 206 OK", "Refresh: 0;url={url}"),
    "503 by Alt-Svc": ("HTTP/1.1 503 Busy", 'Alt-Svc: http/1.1=":{port}"'),
}


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize("way", ELSEWHERE)
def test_a_signed_update_is_never_carried_to_another_port(caller: Caller, region: Region, action: str, way: str) -> None:
    status, field = ELSEWHERE[way]
    with Gateway(region, (again(read, answer),)) as elsewhere:
        place = field.format(url=elsewhere.url, port=elsewhere.port)
        steps = again(read, send(lambda talk: talk.answer().but(place, status=status.format(status=way)).wire()))
        with Gateway(region, (steps,)) as gateway:
            outcome = caller.apply(region.config(gateway.url, **AT_ONCE), region.update(action))
    assert outcome.code == "NO_ANSWER"
    assert elsewhere.connections == 0
    assert len(gateway.requests) == (1 if action == "refund" else 2)
