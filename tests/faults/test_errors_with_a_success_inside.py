"""A signed success under an HTTP error is no answer; when the update is sent again is what `Retry-After` says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, read, send

RETRY = {"attempts": 2, "deadline": 0.6, "read_timeout": 0.4}


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


AT_ONCE = {
    "not there": None,
    "no seconds": "0",
    "a date that is past": _date(-60),
    "a date of the last century": "Sun, 06 Nov 1994 08:49:37 GMT",
    "the older form of a date": "Sunday, 06-Nov-94 08:49:37 GMT",
    "a word": "soon",
    "nothing": "",
    "a negative number": "-5",
    "two values": "0, 0",
    "no date at all": "Thu, 99 Zzz 2026 99:99:99 GMT",
    "half a date": "Sun, 06 Nov",
    "digits of another script": "\u00b2",
    "a date without a zone": "Fri, 31 Dec 2100 23:59:59 -0000",
}

NEVER = {
    "a second": "1",
    "an hour": "3600",
    "with blanks": " 3600 ",
    "nine digits": "9" * 9,
    "ten digits": "9" * 10,
    "a hundred digits": "9" * 100,
    "a date in an hour": _date(3600),
    "a date at the end of time": "Fri, 31 Dec 9999 23:59:59 GMT",
    "the older form of a date in an hour": (datetime.now(UTC) + timedelta(hours=1)).strftime("%A, %d-%b-%y %H:%M:%S GMT"),
}


@pytest.mark.parametrize(("region", "action"), [(HK, "refund"), (CN, "redeem")], ids=["hk refund", "cn redeem"])
@pytest.mark.parametrize("status", ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "429 Too Many Requests"])
def test_a_success_under_an_error_is_a_doubt(caller: Caller, region: Region, action: str, status: str) -> None:
    with Gateway(region, (again(read, send(lambda talk: talk.answer().but(status=f"HTTP/1.1 {status}").wire())),)) as gateway:
        outcome = caller.apply(region.config(gateway.url, **RETRY), region.update(action))
    assert set(told(outcome)) == {"NO_ANSWER"}
    assert outcome.native is None or not outcome.native.verified
    assert len(gateway.requests) == (1 if action == "refund" else 2)


@pytest.mark.parametrize("wanted", AT_ONCE.values(), ids=AT_ONCE)
def test_what_asks_for_no_wait_is_sent_again(caller: Caller, wanted: str | None) -> None:
    fields = [] if wanted is None else [f"Retry-After: {wanted}"]
    busy = send(lambda talk: talk.answer().but(*fields, status="HTTP/1.1 503 Service Unavailable").wire())
    with Gateway(HK, (read, busy, again(read, answer))) as gateway:
        outcome = caller.apply(HK.config(gateway.url, **RETRY), HK.update("redeem"))
    assert told(outcome) == ["APPLIED", "NO_ANSWER", "APPLIED"]
    assert len(gateway.requests) == 2


@pytest.mark.parametrize("wanted", NEVER.values(), ids=NEVER)
def test_no_wait_begins_that_would_end_past_the_deadline(caller: Caller, wanted: str) -> None:
    busy = send(lambda talk: talk.answer().but(f"Retry-After: {wanted}", status="HTTP/1.1 503 Service Unavailable").wire())
    with Gateway(HK, (read, busy, again(read, answer))) as gateway:
        outcome = caller.apply(HK.config(gateway.url, **RETRY), HK.update("redeem"))
    assert told(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert len(gateway.requests) == 1


def test_a_wait_that_fits_is_waited(caller: Caller) -> None:
    busy = send(lambda talk: talk.answer().but("Retry-After: 1", status="HTTP/1.1 503 Service Unavailable").wire())
    with Gateway(HK, (read, busy, again(read, answer))) as gateway:
        outcome = caller.apply(HK.config(gateway.url, attempts=2, deadline=3.0), HK.update("redeem"))
    assert told(outcome) == ["APPLIED", "NO_ANSWER", "APPLIED"]
    assert outcome.elapsed >= 1
