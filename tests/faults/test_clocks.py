"""Time: the machine's zone changes nothing, and a clock that is off is named with how far."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway
from tests.faults.keys import public_pem
from tests.faults.regions import CN, HK, hk_signed, hong_kong_time
from tests.faults.steps import again, answer, read, send

ROOT = Path(__file__).parents[2]
BODY = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}'
WINDOWS = [60.0, 900.0]


def _told_at(off: float, _: object) -> bytes:
    return hk_signed(BODY, "t", hong_kong_time(off)).wire()


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("side", [1, -1], ids=["ahead of", "behind"])
def test_a_gateways_clock_may_be_off_by_the_window_and_no_more(caller: Caller, window: float, side: int) -> None:
    for off, believed in ((window - 1, True), (window + 1, False)):
        with Gateway(HK, (again(read, send(partial(_told_at, side * off))),)) as gateway:
            outcome = caller.apply(HK.config(gateway.url, deadline=2.0, clock_window=window), HK.update("refund"))
        assert outcome.code == ("APPLIED" if believed else "UNTRUSTED_ANSWER")
        assert len(gateway.requests) == 1
        if not believed:
            assert outcome.finding
            assert outcome.finding.code == "SIG-STALE"
            seconds, where = re.findall(r"is (\d+) s (ahead of|behind) our clock", outcome.finding.message)[0]
            assert abs(int(seconds) - window - 1) <= 1
            assert where == ("ahead of" if side > 0 else "behind")
            assert "clock" in outcome.finding.mend


FORMS: dict[str, Callable[[datetime], str]] = {
    "UTC": lambda now: now.astimezone(UTC).isoformat(timespec="seconds"),
    "Z": lambda now: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "offset without a colon": lambda now: now.strftime("%Y-%m-%dT%H:%M:%S%z"),
    "nanoseconds": lambda now: now.strftime("%Y-%m-%dT%H:%M:%S.%f789") + "+08:00",
    "milliseconds since 1970": lambda now: str(int(now.timestamp() * 1000)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_way_of_writing_the_same_moment_is_the_same_moment(caller: Caller, form: str) -> None:
    def reply(_: object) -> bytes:
        now = datetime.fromisoformat(hong_kong_time())
        return hk_signed(BODY, "t", FORMS[form](now)).wire()

    with Gateway(HK, (again(read, send(reply)),)) as gateway:
        assert told(caller.apply(HK.config(gateway.url, deadline=2.0, clock_window=30.0), HK.update("refund"))) == ["APPLIED"] * 2


PROGRAM = """
import os, time
from passbridge import Client, PassRef, Redeem
key = KEY
shared = {"gateway_public_key": key}
config = {"accounts": {
    "hk": {"backend": "hk", "profile": "ticket", "gateway": "HK_URL", "client_id": "4Q5Y8W0WSG45P907917", "merchant_id": "1", **shared},
    "cn": {"backend": "mainland", "gateway": "CN_URL/gateway.do", "app_id": "1", "channel_id": "1", **shared}},
    "retry": {"deadline": 5.0, "attempts": 1, "clock_window": 60.0}}
signers = {"hk": lambda data: b"x", "cn": lambda data: b"x"}
updates = [Redeem(to=name, pass_=PassRef(id="1", user_id="1")) for name in ("hk", "cn")]
with Client.from_config(config, signers=signers) as client:
    for zone in (os.environ["TZ"], "NEXT"):
        os.environ["TZ"] = zone
        time.tzset()
        for update in updates:
            print(client.apply(update).model_dump_json())
"""


def _summer_time_begins_now() -> str:
    """A zone whose summer time begins at this minute."""
    now = datetime.now(UTC)
    return f"AAA0BBB-1,J{_day(now)}/{now:%H:%M},J365/23"


def _day(now: datetime) -> int:
    """The day of the year as POSIX counts it: 29 February is never counted."""
    return (datetime(2001, now.month, min(now.day, 28 if now.month == 2 else 31), tzinfo=UTC) - datetime(2000, 12, 31, tzinfo=UTC)).days


ZONES = {
    "UTC": ("UTC", "UTC"),
    "Hong Kong": ("Asia/Hong_Kong", "UTC"),
    "far west": ("Pacific/Pago_Pago", "Pacific/Kiritimati"),
    "far east": ("Pacific/Kiritimati", "Pacific/Pago_Pago"),
    "half an hour": ("Asia/Kolkata", "Australia/Lord_Howe"),
    "winter, then summer": ("EST5", "EST5EDT,M1.1.0,M12.5.0"),
    "summer time begins now": (_summer_time_begins_now(), "UTC"),
    "nonsense": ("Nowhere/At_All", ":"),
}


@pytest.mark.parametrize(("first", "then"), ZONES.values(), ids=ZONES)
def test_the_machines_zone_and_its_changes_change_nothing(first: str, then: str) -> None:
    with Gateway(HK, (again(read, answer),)) as hk, Gateway(CN, (again(read, answer),)) as cn:
        names = {"HK_URL": hk.url, "CN_URL": cn.url, "NEXT": then, "KEY": repr(public_pem("gateway"))}
        program = re.sub("|".join(names), lambda found: names[found[0]], PROGRAM)
        done = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30, cwd=ROOT, env={"TZ": first}
        )
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [outcome["code"] for outcome in outcomes] == ["APPLIED"] * 4
    assert all(outcome["started"].endswith("+08:00") for outcome in outcomes)
    for request in (*hk.requests, *cn.requests):
        written = request.field("Request-Time") or request.member("timestamp").replace(" ", "T") + "+08:00"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", written)
        assert abs(datetime.fromisoformat(written) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_clock_that_is_set_during_a_call_moves_no_deadline(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    jumps = iter([0.0, *[-86400.0, 86400.0] * 500])
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    with Gateway(HK, (again(read, answer),)) as gateway:
        outcome = caller.apply(HK.config(gateway.url, deadline=2.0, attempts=1), HK.update("refund"))
    assert told(outcome) == ["APPLIED", "APPLIED"]
    assert 0 <= outcome.elapsed <= 2.5
