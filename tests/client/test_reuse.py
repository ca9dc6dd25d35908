from __future__ import annotations

import socket
import time

import pytest

from passbridge import PassRef, Redeem
from tests.client.answers import SUCCESS, done, hang_up, hk, hk_answer, hk_fields, http, raw
from tests.client.gateway import Gateway, Received, Step
from tests.client.use import REDEEM, AnyClient, Call, Use, applying, hk_only

OTHER = Redeem(to="hk", pass_=PassRef(id="7", user_id="8"))
refused = hk("PASS_STATUS_ILLEGAL", "F")


def test_one_connection_serves_one_call_after_the_other(anywhere: Use) -> None:
    with Gateway(done) as gateway:
        anywhere.applies(hk_only(gateway.url), *[REDEEM] * 5)
    assert len(gateway.received) == 5
    assert gateway.connections == 1


def _chunked(request: Received) -> bytes:
    """A chunked answer, and another answer after its end."""
    head = "\r\n".join(["HTTP/1.1 200 OK", "Transfer-Encoding: chunked", *hk_fields(request, SUCCESS), "", ""]).encode()
    return head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(SUCCESS), SUCCESS) + hk_answer(request)


def _glued(connection: socket.socket, request: Received) -> bool:
    """The second answer comes in one segment with the end of the first."""
    whole = hk_answer(request)
    connection.sendall(whole[:-10])
    time.sleep(0.05)
    connection.sendall(whole[-10:] + whole)
    return True


def _late(connection: socket.socket, request: Received) -> bool:
    """The second answer comes while the connection is idle."""
    connection.sendall(hk_answer(request))
    time.sleep(0.05)
    connection.sendall(hk_answer(request))
    return True


LEFT_OVER: dict[str, Step] = {
    "in the same segment": raw(lambda request: hk_answer(request) * 2),
    "glued to the body's end": _glued,
    "after the last chunk": raw(_chunked),
    "while idle": _late,
    "half of one": raw(lambda request: hk_answer(request) + hk_answer(request)[:-7]),
    "a byte": raw(lambda request: hk_answer(request) + b"\n"),
}


@pytest.mark.parametrize("step", LEFT_OVER.values(), ids=LEFT_OVER)
def test_a_left_over_answer_never_reaches_the_next_call(anywhere: Use, step: Step) -> None:
    with Gateway(step, refused) as gateway:
        first, second = anywhere.in_turn(hk_only(gateway.url), applying(REDEEM), _after_a_while(applying(OTHER)))
    assert getattr(first, "code", None) == "APPLIED"
    assert getattr(second, "code", None) == "STATE_CONFLICT"
    assert len(gateway.received) == 2
    assert gateway.connections == 2


def _after_a_while(call: Call) -> Call:
    def waiting(client: AnyClient) -> object:
        time.sleep(0.1)
        return call(client)

    return waiting


def test_an_answer_that_ends_with_its_connection_is_whole_and_the_next_opens_another(anywhere: Use) -> None:
    def closing(request: Received) -> bytes:
        return "\r\n".join(["HTTP/1.1 200 OK", *hk_fields(request, SUCCESS), "", ""]).encode() + SUCCESS

    with Gateway(raw(closing, keep=False), done) as gateway:
        outcomes = anywhere.applies(hk_only(gateway.url), REDEEM, OTHER)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    assert gateway.connections == 2


def test_a_connection_that_the_gateway_announces_to_close_is_not_used_again(anywhere: Use) -> None:
    step = raw(lambda request: http(SUCCESS, *hk_fields(request, SUCCESS), "Connection: close"), keep=False)
    with Gateway(step) as gateway:
        outcomes = anywhere.applies(hk_only(gateway.url), REDEEM, OTHER)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    assert gateway.connections == 2


def test_a_connection_that_was_closed_while_idle_is_not_used_again(anywhere: Use) -> None:
    with Gateway(raw(hk_answer, keep=False)) as gateway:
        first, second = anywhere.in_turn(hk_only(gateway.url, attempts=1), applying(REDEEM), _after_a_while(applying(OTHER)))
    assert getattr(first, "code", None) == "APPLIED"
    assert getattr(second, "code", None) == "APPLIED"
    assert gateway.connections == 2


def test_a_fault_costs_its_connection(anywhere: Use) -> None:
    with Gateway(done, hang_up, done) as gateway:
        outcomes = anywhere.applies(hk_only(gateway.url, attempts=1), REDEEM, OTHER, OTHER)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "NO_ANSWER", "APPLIED"]
    assert gateway.connections == 2
