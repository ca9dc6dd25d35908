from __future__ import annotations

import base64
import json
from urllib.parse import unquote

import httpx
import pytest

from passbridge import Close, PassUpdate
from tests.client.answers import CLIENT_ID, done, forged, hang_up, hk, hk_body, page, reset, unsigned
from tests.client.gateway import Gateway, Received, Step
from tests.client.keys import key, require_signed
from tests.client.use import PASS, REDEEM, REFUND, REVISE, Use, codes, hk_only, mocked

CLOSE = Close(to="hk", pass_=PASS)
UPDATES: dict[str, PassUpdate] = {"redeem": REDEEM, "close": CLOSE, "revise": REVISE, "refund": REFUND}
HARMLESS = ("redeem", "close", "revise")
EVERY = (*HARMLESS, "refund")
NONE: tuple[str, ...] = ()

limited = hk("REQUEST_TRAFFIC_EXCEED_LIMIT", "F")

FAULTS: dict[str, tuple[Step, str, tuple[str, ...]]] = {
    "rate limit": (limited, "RATE_LIMITED", EVERY),
    "rate limit, perhaps executed": (hk("REQUEST_TRAFFIC_EXCEED_LIMIT", "U"), "PROVIDER_ERROR", HARMLESS),
    "the gateway doesn't know": (hk("UNKNOWN_EXCEPTION", "U"), "PROVIDER_ERROR", HARMLESS),
    "an undocumented doubt": (hk("SOMETHING_NEW", "U"), "PROVIDER_ERROR", HARMLESS),
    "a lost answer": (hang_up, "NO_ANSWER", HARMLESS),
    "a reset": (reset, "NO_ANSWER", HARMLESS),
    "a proxy's page": (page("503 Service Unavailable"), "NO_ANSWER", HARMLESS),
    "no signature": (unsigned, "UNTRUSTED_ANSWER", NONE),
    "somebody's signature": (forged, "UNTRUSTED_ANSWER", NONE),
    "unreadable": (hk_body(b'{"result":'), "BAD_ANSWER", NONE),
    "of another pass": (hk_body(b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"passId":"1"}'), "BAD_ANSWER", NONE),
    "an unknown letter": (hk("SUCCESS", "X"), "UNMAPPED", NONE),
    "an undocumented refusal": (hk("SOMETHING_NEW", "F"), "REFUSED", NONE),
    "a bad value": (hk("PARAM_ILLEGAL", "F"), "INVALID_VALUE", NONE),
    "a state": (hk("PASS_STATUS_ILLEGAL", "F"), "STATE_CONFLICT", NONE),
    "a denial": (hk("ACCESS_DENIED", "F"), "ACCESS_DENIED", NONE),
}


@pytest.mark.parametrize(("step", "code", "resent"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("action", UPDATES)
def test_what_is_sent_again_by_itself(use: Use, action: str, step: Step, code: str, resent: tuple[str, ...]) -> None:
    with Gateway(step) as gateway:
        outcome = use.apply(hk_only(gateway.url, attempts=2), UPDATES[action])
    times = 2 if action in resent else 1
    assert codes(outcome) == [code] * (times + 1)
    assert len(gateway.received) == times
    assert [attempt.n for attempt in outcome.attempts] == list(range(1, times + 1))


@pytest.mark.parametrize("action", UPDATES)
def test_what_was_never_sent_is_sent_whatever_it_is(use: Use, action: str) -> None:
    transport, asked = mocked(httpx.ConnectError("refused"), httpx.ConnectError("refused"), httpx.Response(503))
    outcome = use.apply(hk_only("http://127.0.0.1:9"), UPDATES[action], transport=transport)
    assert codes(outcome) == ["NO_ANSWER", "NOT_SENT", "NOT_SENT", "NO_ANSWER"]
    assert [attempt.sent for attempt in outcome.attempts] == [False, False, True]
    assert len(asked) == 3


@pytest.mark.parametrize("action", UPDATES)
def test_after_a_rate_limit_comes_an_answer(use: Use, action: str) -> None:
    with Gateway(limited, done) as gateway:
        outcome = use.apply(hk_only(gateway.url), UPDATES[action])
    assert codes(outcome) == ["APPLIED", "RATE_LIMITED", "APPLIED"]


def test_a_refund_in_doubt_needs_a_person(use: Use) -> None:
    with Gateway(limited, hang_up, done) as gateway:
        outcome = use.apply(hk_only(gateway.url), REFUND)
    assert codes(outcome) == ["NO_ANSWER", "RATE_LIMITED", "NO_ANSWER"]
    assert (outcome.next, outcome.who) == ("investigate", "operator")
    assert len(gateway.received) == 2


@pytest.mark.parametrize("action", HARMLESS)
def test_every_attempt_carries_the_same_body_under_a_signature_of_its_own(use: Use, action: str) -> None:
    with Gateway(hang_up, hang_up, done) as gateway:
        outcome = use.apply(hk_only(gateway.url), UPDATES[action])
    assert codes(outcome) == ["APPLIED", "NO_ANSWER", "NO_ANSWER", "APPLIED"]
    assert len({request.body for request in gateway.received}) == 1
    for request in gateway.received:
        _require_ours(request)
    assert ("bizDate" in json.loads(gateway.received[0].body)) is (action == "revise")


def _require_ours(request: Received) -> None:
    parts = dict(part.partition("=")[::2] for part in request.header("Signature").split(","))
    text = f"POST {request.target}\n{CLIENT_ID}.{request.header('Request-Time')}.".encode() + request.body
    require_signed(key("ours").public_key(), text, base64.b64decode(unquote(parts["signature"])))
    assert (parts["algorithm"], parts["keyVersion"], request.header("Client-Id")) == ("RSA256", "1", CLIENT_ID)
