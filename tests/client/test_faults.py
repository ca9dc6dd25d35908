from __future__ import annotations

import socket

import pytest

from passbridge import Code
from tests.client.answers import (
    SUCCESS,
    compressed,
    done,
    dripping,
    forged,
    half_a_body,
    hang_up,
    hk_answer,
    hk_fields,
    http,
    huge,
    no_http,
    page,
    raw,
    reset,
    silence,
    unsigned,
)
from tests.client.gateway import Gateway, Received, Step, deaf_port
from tests.client.use import Use, codes, hk_only

LOST: dict[str, tuple[Step, str]] = {
    "reset after the request was read": (reset, "the connection"),
    "closed without a word": (hang_up, "the connection ended early or spoke no HTTP"),
    "half a body": (half_a_body, "the connection ended early or spoke no HTTP"),
    "another protocol": (no_http, "the connection ended early or spoke no HTTP"),
    "silence": (silence, "no answer in time"),
    "a proxy's page": (page("502 Bad Gateway"), "HTTP status 502"),
    "a page under 200": (page("200 OK"), "not an answer of the gateway"),
    "a redirect": (page("302 Found", "Location: /elsewhere"), "HTTP status 302"),
    "an endless body": (huge, "the answer is larger than 1048576 bytes"),
    "a compressed body": (compressed, "the answer is compressed, which was not asked for"),
    "headers without end": (raw(lambda request: hk_answer(request, SUCCESS, *(f"X-{n}: {n}" for n in range(5_000)))), ""),
    "interim answers without end": (raw(lambda request: b"HTTP/1.1 103 Early Hints\r\n\r\n" * 1000 + hk_answer(request)), ""),
}


@pytest.mark.parametrize(("step", "reason"), LOST.values(), ids=LOST)
def test_a_request_without_a_believable_answer_leaves_a_doubt(anywhere: Use, step: Step, reason: str) -> None:
    with Gateway(step) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, attempts=1, read_timeout=0.3))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    assert [attempt.sent for attempt in outcome.attempts] == [True]
    assert reason in (outcome.attempts[0].reason or "nothing")
    assert len(gateway.received) == 1


@pytest.mark.parametrize("step", [unsigned, forged], ids=["unsigned", "signed by somebody"])
def test_an_answer_of_the_protocols_shape_that_is_not_the_gateways_is_not_trusted(anywhere: Use, step: Step) -> None:
    with Gateway(step) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url))
    assert codes(outcome) == ["UNTRUSTED_ANSWER", "UNTRUSTED_ANSWER"]
    assert outcome.native is not None
    assert (outcome.native.code, outcome.native.verified) == ("SUCCESS", False)
    assert len(gateway.received) == 1


def test_nobody_listening_proves_that_nothing_was_sent(anywhere: Use) -> None:
    with deaf_port() as port:
        outcome = anywhere.apply(hk_only(f"http://127.0.0.1:{port}", attempts=2))
    assert codes(outcome) == ["NOT_SENT"] * 3
    assert [attempt.sent for attempt in outcome.attempts] == [False, False]
    assert "no connection" in (outcome.attempts[0].reason or "")


def _split(at: int, pause: float, size: int) -> Step:
    """The signed answer, its bytes from `at` on in drops."""

    def step(connection: socket.socket, request: Received) -> bool:
        whole = hk_answer(request)
        drops = [whole[place : place + size] for place in range(at, len(whole), size)]
        return dripping(lambda _: whole[:at], drops, pause)(connection, request)

    return step


DRIPS: dict[str, Step] = {
    "the head": _split(20, 0.05, 8),
    "the body": dripping(lambda request: http(b"", *hk_fields(request, SUCCESS), length=len(SUCCESS)), [b" "] * len(SUCCESS), 0.05),
    "interim answers": dripping(lambda _: b"", [b"HTTP/1.1 103 Early Hints\r\n\r\n"] * 60, 0.05),
}


@pytest.mark.parametrize("step", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_cut_at_the_deadline(anywhere: Use, step: Step) -> None:
    with Gateway(step) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, deadline=0.3))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]


LATE: dict[str, Step] = {
    "head": dripping(lambda _: b"HTTP/1.1 200 OK\r\n", [b"X-A: 1\r\n"], 0.8),
    "body": dripping(lambda _: http(b"", length=10), [b"12345"], 0.8),
}


@pytest.mark.parametrize("step", LATE.values(), ids=LATE)
def test_a_word_just_before_the_deadline_does_not_move_it(use: Use, step: Step) -> None:
    with Gateway(step) as gateway:
        outcome = use.apply(hk_only(gateway.url, deadline=0.9, read_timeout=3.0))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]


def test_an_answer_in_many_pieces_is_one_answer(anywhere: Use) -> None:
    with Gateway(_split(20, 0.0, 64)) as gateway:
        assert anywhere.apply(hk_only(gateway.url)).code is Code.APPLIED


def test_a_few_interim_answers_are_passed_over(anywhere: Use) -> None:
    with Gateway(raw(lambda request: b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3 + hk_answer(request))) as gateway:
        assert anywhere.apply(hk_only(gateway.url)).code is Code.APPLIED


def test_a_chunked_answer_is_read_whole(anywhere: Use) -> None:
    def chunked(request: Received) -> bytes:
        fields = hk_fields(request, SUCCESS)
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (SUCCESS[:30], SUCCESS[30:], b""))
        return "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *fields, "", ""]).encode() + body

    with Gateway(raw(chunked)) as gateway:
        assert anywhere.apply(hk_only(gateway.url)).code is Code.APPLIED


def test_a_second_answer_after_a_fault_is_believed(anywhere: Use) -> None:
    with Gateway(hang_up, done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url))
    assert codes(outcome) == ["APPLIED", "NO_ANSWER", "APPLIED"]
    assert len(gateway.received) == 2
