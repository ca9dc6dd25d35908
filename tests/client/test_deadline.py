from __future__ import annotations

import random
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tests.client.answers import done, hang_up, hk, page, silence
from tests.client.gateway import Gateway
from tests.client.keys import sign
from tests.client.use import GRACE, REDEEM, REFUND, Use, codes, hk_only


def test_a_deadline_that_passes_before_any_try_proves_that_nothing_was_sent(anywhere: Use) -> None:
    with Gateway(done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=1e-9))
    assert codes(outcome) == ["NOT_SENT"]
    assert gateway.received == []


@pytest.mark.parametrize("update", [REDEEM, REFUND], ids=["redeem", "refund"])
def test_a_signer_that_uses_up_the_deadline_sends_nothing(anywhere: Use, update: Any) -> None:  # noqa: ANN401 - either of two
    def slow(data: bytes) -> bytes:
        time.sleep(0.15)
        return sign(data)

    with Gateway(done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.1), update, signers={"hk": slow})
    assert codes(outcome)[0] == "NOT_SENT"
    assert [attempt.sent for attempt in outcome.attempts] == [False]
    assert gateway.received == []


def test_the_deadline_ends_a_silence_before_the_read_timeout_does(anywhere: Use) -> None:
    with Gateway(silence) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.3, read_timeout=3.0))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]


def test_all_attempts_together_keep_to_the_deadline(anywhere: Use) -> None:
    with Gateway(silence) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.4, read_timeout=0.15, attempts=100))
    assert outcome.code == "NO_ANSWER"
    assert 2 <= len(gateway.received) <= 4
    assert len(outcome.attempts) == len(gateway.received)


@pytest.mark.parametrize(
    "bounds", [{"deadline": 0.2}, {"deadline": 0.9, "connect_timeout": 0.1, "attempts": 1}], ids=["deadline", "connect timeout"]
)
def test_a_name_that_nobody_resolves_in_time_ends_in_time(anywhere: Use, monkeypatch: pytest.MonkeyPatch, bounds: dict[str, Any]) -> None:
    known, ready = socket.getaddrinfo, threading.Event()

    def slow(host: Any, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever is asked
        if host not in {"slow.example", b"slow.example"}:
            return known(host, *arguments, **options)
        flags = options.get("flags", arguments[-1] if arguments else 0)
        if not flags & socket.AI_NUMERICHOST:
            ready.wait(1.0)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    outcome = anywhere.apply(hk_only("https://slow.example", **bounds))
    ready.set()
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert anywhere.took[-1] < 0.2 + GRACE


def test_a_handshake_that_is_never_answered_sends_nothing(anywhere: Use) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}"
        outcome = anywhere.apply(hk_only(url, deadline=1.0, connect_timeout=0.1, attempts=2))
    assert codes(outcome) == ["NOT_SENT"] * 3
    assert "connecting took too long" in (outcome.attempts[0].reason or "")


def test_a_gateway_that_asks_to_wait_is_given_its_time(use: Use) -> None:
    with Gateway(page("503 Service Unavailable", "Retry-After: 1"), done) as gateway:
        outcome = use.apply(hk_only(gateway.url))
    assert codes(outcome) == ["APPLIED", "NO_ANSWER", "APPLIED"]
    first, second = gateway.received
    assert second.at - first.at >= 1


def _in_an_hour() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


@pytest.mark.parametrize("wanted", ["30", "1", _in_an_hour()], ids=["seconds", "just too long", "a date"])
def test_no_wait_begins_that_would_end_past_the_deadline(anywhere: Use, wanted: str) -> None:
    with Gateway(page("503 Service Unavailable", f"Retry-After: {wanted}"), done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.9))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert len(gateway.received) == 1
    assert anywhere.took[-1] < 0.9


def test_a_wish_to_wait_that_nobody_understands_is_passed_over(anywhere: Use) -> None:
    with Gateway(page("503 Service Unavailable", "Retry-After: soon"), done) as gateway:
        assert codes(anywhere.apply(hk_only(gateway.url))) == ["APPLIED", "NO_ANSWER", "APPLIED"]


@pytest.mark.parametrize(("step", "wait"), [(hang_up, 0.2), (hk("REQUEST_TRAFFIC_EXCEED_LIMIT", "F"), 1.0)], ids=["plain", "rate limit"])
def test_waits_between_attempts_are_drawn_up_to_a_bound(anywhere: Use, step: Any, wait: float, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    monkeypatch.setattr(random, "random", lambda: 0.5)
    with Gateway(step, done) as gateway:
        assert anywhere.apply(hk_only(gateway.url)).code == "APPLIED"
    first, second = gateway.received
    assert second.at - first.at >= wait / 2
