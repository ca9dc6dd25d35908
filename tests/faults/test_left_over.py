"""Bytes that nobody asked for, on a connection that is kept: the next call must never receive them.

Every answer is rightly signed and its trace id names the pass it is about, so that a stale one would be believed
and is known by its trace.
"""

from __future__ import annotations

import threading
import time

import pytest

from passbridge import Client, Outcome
from tests.faults.calls import Caller
from tests.faults.gateway import Gateway, Script, Talk
from tests.faults.keys import sign
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, close, read, send, sent, sleep

RETRY = {"attempts": 1, "deadline": 2.0, "read_timeout": 0.3}
FIRST, SECOND = "2995228480402564890001", "2995228480402564890002"


def _wire(talk: Talk) -> bytes:
    return talk.answer().wire()


def _stale(talk: Talk) -> bytes:
    return talk.answer(trace="stale").wire()


def _twice(talk: Talk) -> bytes:
    return _wire(talk) + _stale(talk)


def _chunked(talk: Talk) -> bytes:
    return talk.answer().chunked(20) + talk.answer(trace="stale").chunked(20)


def _trailing(talk: Talk) -> bytes:
    return talk.answer().chunked(20, end=b"0\r\nName: value\r\n\r\n") + _stale(talk)


def _tail(count: int) -> Script:
    """All but the last bytes; then those, with another answer behind them in one segment."""

    def start(talk: Talk) -> bytes:
        talk.waiting = _wire(talk)
        return talk.waiting[:-count]

    def rest(talk: Talk) -> bytes:
        end, talk.waiting = talk.waiting[-count:], b""
        return end + _stale(talk)

    return (read, send(start), sleep(0.05), send(rest))


LEFT_OVER: dict[str, Script] = {
    "in the same segment": (read, send(_twice)),
    "glued to the body's last byte": _tail(1),
    "glued to the body": _tail(20),
    "in a segment of its own": (read, answer, sleep(0.02), send(_stale)),
    "later, while idle": (read, answer, sleep(0.02), send(_stale)),
    "three more": (read, send(lambda talk: _wire(talk) + _stale(talk) * 3)),
    "both chunked": (read, send(_chunked)),
    "after trailers": (read, send(_trailing)),
    "half of one": (read, send(lambda talk: _wire(talk) + _stale(talk)[:80])),
    "all but its last byte": (read, send(lambda talk: _wire(talk) + _stale(talk)[:-1])),
    "an interim answer": (read, send(lambda talk: _wire(talk) + b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "an interim answer while idle": (read, answer, sleep(0.02), send(b"HTTP/1.1 103 Early Hints\r\n\r\n")),
    "a line end": (read, send(lambda talk: _wire(talk) + b"\r\n")),
    "a zero byte while idle": (read, answer, sleep(0.02), send(b"\0")),
    "after an answer without a body": (read, send(lambda talk: talk.answer().but(status="HTTP/1.1 204 OK").wire() + _stale(talk))),
    "after an error": (read, send(lambda talk: talk.answer().but(status="HTTP/1.1 503 Busy").wire() + _stale(talk))),
    "after a length too short": (read, send(lambda talk: talk.answer().head("Content-Length: 5") + talk.answer().body + _stale(talk))),
    "after an answer that ends the connection": (read, send(lambda talk: talk.answer().but("Connection: close").wire() + _stale(talk))),
    "after an answer of HTTP/1.0": (read, send(lambda talk: talk.answer().but(status="HTTP/1.0 200 OK").wire() + _stale(talk))),
}


def _settle(gateway: Gateway) -> None:
    """Wait until everything is sent, and has arrived."""
    assert gateway.sent.wait(5)
    time.sleep(0.01)


def _own(outcome: Outcome, pass_id: str) -> bool:
    return outcome.trace_id is None or outcome.trace_id.startswith(f"{pass_id}/")


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("steps", LEFT_OVER.values(), ids=LEFT_OVER)
def test_a_left_over_answer_is_nobodys(caller: Caller, region: Region, steps: Script) -> None:
    with Gateway(region, (*steps, sent, again(read, answer)), (again(read, answer),)) as gateway:
        caller.between = lambda: _settle(gateway)
        updates = [region.update("redeem", FIRST), region.update("close", SECOND)]
        first, second = caller.applies(region.config(gateway.url, **RETRY), *updates)
    assert _own(first, FIRST)
    assert second.code == "APPLIED"
    assert _own(second, SECOND)
    assert [region.asked(request) for request in gateway.requests] == [FIRST, SECOND]
    assert gateway.connections == 2


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
def test_an_answer_sent_before_it_was_asked_for_costs_its_connection(caller: Caller, region: Region) -> None:
    with Gateway(region, (send(_stale), sent, again(read, answer)), (again(read, answer),)) as gateway:
        caller.between = lambda: _settle(gateway)
        updates = [region.update("redeem", FIRST), region.update("close", SECOND)]
        first, second = caller.applies(region.config(gateway.url, **RETRY), *updates)
    assert first.code in {"NOT_SENT", "NO_ANSWER", "APPLIED", "UNTRUSTED_ANSWER"}
    assert second.code == "APPLIED"
    assert _own(second, SECOND)
    assert gateway.connections == 2


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("words", [{}, {"status": "HTTP/1.0 200 OK"}], ids=["HTTP/1.1", "HTTP/1.0"])
def test_a_connection_closed_while_idle_leaves_no_doubt(caller: Caller, region: Region, words: dict[str, str]) -> None:
    caller.between = lambda: time.sleep(0.05)
    script = (read, send(lambda talk: talk.answer().but("Connection: keep-alive", **words).wire()), close)
    with Gateway(region, script) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **RETRY), *[region.update("redeem")] * 4)
    assert [(outcome.code, len(outcome.attempts)) for outcome in outcomes] == [("APPLIED", 1)] * 4
    assert len(gateway.requests) == gateway.connections == 4


def test_a_kept_connection_serves_many_calls(caller: Caller) -> None:
    with Gateway(HK, (again(read, send(lambda talk: b"HTTP/1.1 100 Continue\r\n\r\n" + talk.answer().chunked(20))),)) as gateway:
        outcomes = caller.applies(HK.config(gateway.url, **RETRY), *[HK.update("redeem", str(n)) for n in range(12)])
    assert all(outcome.code == "APPLIED" and _own(outcome, str(n)) for n, outcome in enumerate(outcomes))
    assert gateway.connections == 1


def test_threads_that_share_a_client_receive_their_own_answers_alone() -> None:
    outcomes: dict[str, Outcome] = {}
    script = (read, send(_twice), read, answer, sleep(0.01), send(_stale), again(read, answer))
    with Gateway(CN, script) as gateway, _client(gateway.url) as client:

        def work(worker: int) -> None:
            for n in range(12):
                name = f"{worker}-{n}"
                outcomes[name] = client.apply(CN.update("redeem", name))

        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(outcomes) == 72
    assert all(_own(outcome, name) for name, outcome in outcomes.items())
    assert {outcome.code for outcome in outcomes.values()} <= {"APPLIED", "NO_ANSWER"}


def _client(url: str) -> Client:
    return Client.from_config(CN.config(url, **RETRY), signers={"cn": lambda data: sign(data, "ours")})
