"""An answer's `Response-Time`: in every form the family of gateways writes, and no further off than the window."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from passbridge import Code, Finding
from tests.backends.hk.desk import NOW, SUCCESS, TIME, field, judged, opened, reply, signature

CLOCK = "if every answer fails so, set this machine's clock; a single one may be an old answer, replayed"


def stale(seconds: str, side: str, window: str = "900") -> Finding:
    """What is said of an answer from another time."""
    message = f"the answer's Response-Time is {seconds} s {side} our clock, more than {window} s"
    return Finding(code="SIG-STALE", message=message, mend=CLOCK)


@pytest.mark.parametrize(
    ("off", "finding"),
    [
        pytest.param(0, None, id="at this moment"),
        pytest.param(900, None, id="as far ahead as it may be"),
        pytest.param(-900, None, id="as far behind as it may be"),
        pytest.param(901, stale("901", "ahead of"), id="a second too far ahead"),
        pytest.param(-901, stale("901", "behind"), id="a second too far behind"),
        pytest.param(900.001, stale("900", "ahead of"), id="a millisecond too far ahead"),
        pytest.param(-900.001, stale("900", "behind"), id="a millisecond too far behind"),
        pytest.param(-86400 * 365, stale("31536000", "behind"), id="an answer of last year"),
    ],
)
@pytest.mark.parametrize("form", ["iso", "milliseconds"])
def test_a_time_outside_the_window_proves_nothing_and_the_clock_is_named(off: float, finding: Finding | None, form: str) -> None:
    moment = NOW + timedelta(seconds=off)
    text = moment.isoformat() if form == "iso" else str(round(moment.timestamp() * 1000))
    verdict = judged(reply(time=text))
    assert verdict.finding == finding
    assert verdict.code is (Code.UNTRUSTED_ANSWER if finding else Code.APPLIED)


def test_it_is_our_clock_when_the_answer_came_that_counts() -> None:
    assert judged(reply(), now=NOW + timedelta(seconds=900)).code is Code.APPLIED
    assert judged(reply(), now=NOW + timedelta(seconds=901)).finding == stale("901", "behind")


def test_the_window_is_the_account_s_own() -> None:
    gateway = opened(retry={"clock_window": 60.0})
    assert judged(reply(), gateway, now=NOW - timedelta(seconds=60)).code is Code.APPLIED
    assert judged(reply(), gateway, now=NOW - timedelta(seconds=61)).finding == stale("61", "ahead of", "60")
    strict = opened(retry={"clock_window": 0.5})
    assert judged(reply(), strict, now=NOW - timedelta(seconds=1)).finding == stale("1", "ahead of", "0")
    assert judged(reply(), strict, now=NOW + timedelta(seconds=1)).finding == stale("1", "behind", "0")


@pytest.mark.parametrize(
    "text",
    [
        TIME,
        "2024-05-22T06:42:21+05:30",
        "2024-05-22T06:42:21+0530",
        "2024-05-22T01:12:21Z",
        "2024-05-22T01:12:21+00:00",
        "2024-05-22 01:12:21+00:00",
        "2024-05-22T01:12:21.5Z",
        "2024-05-22T01:12:21.123456789Z",
        "2024-05-22T01:12:21.1234567+00:00",
        "1716340341000",
        "1716340341999",
    ],
)
def test_every_known_way_of_writing_a_time_is_read(text: str) -> None:
    assert judged(reply(time=text)).code is Code.APPLIED


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2024-05-22T01:12:21", id="no zone"),
        pytest.param("2024-05-22", id="no time"),
        pytest.param("1716340341", id="seconds"),
        pytest.param("17163403410000", id="a digit too many"),
        pytest.param("171634034100", id="a digit too few"),
        pytest.param("1716340341000Z", id="milliseconds with a zone"),
        pytest.param("١٧١٦٣٤٠٣٤١٠٠٠", id="other digits"),
        pytest.param("2024-13-22T01:12:21Z", id="month 13"),
        pytest.param("Wed, 22 May 2024 01:12:21 GMT", id="the form of HTTP"),
        pytest.param("now", id="a word"),
    ],
)
def test_what_is_no_time_with_a_zone_proves_nothing(text: str) -> None:
    verdict = judged(reply(time=text))
    assert verdict.finding == Finding(code="SIG-TIME", message="the answer's Response-Time is not a time with a zone")
    assert verdict.code is Code.UNTRUSTED_ANSWER


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "9999999999999"])
def test_a_time_at_the_calendar_s_ends_is_only_stale(time: str) -> None:
    finding = judged(reply(time=time)).finding
    assert finding is not None
    assert finding.code == "SIG-STALE"


def test_a_wrong_signature_is_named_before_a_stale_time() -> None:
    old = (NOW - timedelta(days=1)).isoformat()
    finding = judged(reply(time=old, signed=field(signature(SUCCESS, key="stranger", time=old)))).finding
    assert finding is not None
    assert finding.code == "SIG-MISMATCH"


def test_our_own_time_is_hong_kong_s_to_the_second() -> None:
    gateway = opened()
    moment = datetime.fromisoformat("2023-12-31T20:59:59.987654-03:00")
    request = gateway.seal(gateway.calling("/x", {})[1], moment)
    assert request.headers["Request-Time"] == "2024-01-01T07:59:59+08:00"
