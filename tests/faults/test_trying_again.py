"""When an update is sent again by itself, and what a later answer settles: the rules as tables, at both gateways."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway, Step, Talk
from tests.faults.keys import key
from tests.faults.regions import CN, HK, HK_CLIENT, Region, Request
from tests.faults.steps import again, by_pass, close, read, reset, send

RETRY = {"deadline": 5.0, "read_timeout": 2.0}
ACTIONS = ("redeem", "close", "revise", "refund")

SAYS = {"limit": "RATE_LIMITED", "unsure": "PROVIDER_ERROR", "unsure, too": "PROVIDER_ERROR", "unmapped": "UNMAPPED"}
REFUSALS = {
    "already": "ALREADY_IN_STATE",
    "no pass": "PASS_NOT_FOUND",
    "no holder": "HOLDER_NOT_FOUND",
    "unsupported": "UNSUPPORTED",
    "malformed": "MALFORMED_REQUEST",
    "missing": "MISSING_FIELD",
    "not gbk": "UNENCODABLE_TEXT",
    "bad value": "INVALID_VALUE",
    "denied": "ACCESS_DENIED",
    "refused": "REFUSED",
}


def _saying(says: str) -> Step:
    return send(lambda talk: talk.answer(says).wire())


def _forged(talk: Talk) -> bytes:
    """The right answer, its signature another's."""
    answer = talk.answer()
    return answer.but(body=answer.body.replace(b"said", b"SAID")).wire()


FAULTS: dict[str, tuple[Step, str]] = {
    "a cut connection": (close, "NO_ANSWER"),
    "a reset": (reset, "NO_ANSWER"),
    "a page": (send(b"HTTP/1.1 502 Bad\r\nContent-Length: 0\r\n\r\n"), "NO_ANSWER"),
    "a forged answer": (send(_forged), "UNTRUSTED_ANSWER"),
}

RESENT = {
    "RATE_LIMITED": ACTIONS,
    "NO_ANSWER": ("redeem", "close", "revise"),
    "PROVIDER_ERROR": ("redeem", "close", "revise"),
}
"""After what an update is sent again by itself; after everything else never."""


def _code(region: Region, action: str, says: str) -> str:
    if says == "already":
        return "ALREADY_IN_STATE" if action == "redeem" else "STATE_CONFLICT"
    if says == "state":
        return "STATE_CONFLICT" if region is HK else "REFUSED"
    return {**SAYS, **REFUSALS, "contradiction": "BAD_ANSWER", "success": "APPLIED"}[says]


EVERY = [pytest.param(region, action, id=f"{region.name} {action}") for region in (HK, CN) for action in region.updates]


@pytest.mark.parametrize(("region", "action"), EVERY)
def test_an_update_is_sent_again_by_itself_only_where_the_table_says_so(caller: Caller, region: Region, action: str) -> None:
    rows = FAULTS | {says: (_saying(says), _code(region, action, says)) for says in region.codes}
    times = {name: 3 if action in RESENT.get(code, ()) else 1 for name, (_, code) in rows.items()}
    with Gateway(region, by_pass({name: step for name, (step, _) in rows.items()})) as gateway:
        outcomes = caller.applies(region.config(gateway.url, attempts=3, **RETRY), *(region.update(action, name) for name in rows))
    assert {outcome.pass_id: told(outcome) for outcome in outcomes} == {name: [row[1]] * (times[name] + 1) for name, row in rows.items()}
    assert gateway.count() == times


SAME = "the refusal itself"
SETTLED: dict[str, dict[str, str]] = {
    "success": dict.fromkeys(ACTIONS, "APPLIED"),
    "already": {"redeem": "APPLIED_PRESUMED"},
    "no pass": {"revise": "PASS_NOT_FOUND"},
    **dict.fromkeys(["no holder", "unsupported", "malformed", "missing", "not gbk"], dict.fromkeys(ACTIONS, SAME)),
}
"""What a later answer settles while an earlier attempt is in doubt; after everything else the doubt stays."""

DOUBTS: dict[str, tuple[Step, str]] = {
    "a lost answer": (close, "NO_ANSWER"),
    "the gateway's own doubt": (_saying("unsure"), "PROVIDER_ERROR"),
}
ALARM = ["UNTRUSTED_ANSWER", "BAD_ANSWER", "UNMAPPED", "NO_ANSWER", "PROVIDER_ERROR"]


def _first(first: Step, later: Step) -> Step:
    """One step for the first request, another for all others."""
    steps = itertools.chain([first], itertools.repeat(later))
    return lambda talk: next(steps)(talk)  # noqa: PLW0108 - the next step at each call, not one for all


def _settled(region: Region, action: str, says: str, before: str) -> str:
    """The outcome that the table promises."""
    later, settled = _code(region, action, says), SETTLED.get(says, {}).get(action, "")
    return later if settled == SAME else settled or min({before, later} & set(ALARM), key=ALARM.index)


@pytest.mark.parametrize(("region", "action"), EVERY)
@pytest.mark.parametrize("doubt", DOUBTS)
def test_a_later_answer_settles_an_earlier_doubt_only_where_the_table_says_so(
    caller: Caller, region: Region, action: str, doubt: str
) -> None:
    first, before = DOUBTS[doubt]
    rows = {says: _settled(region, action, says, before) for says in region.codes if _code(region, action, says) not in RESENT}
    with Gateway(region, by_pass({says: _first(first, _saying(says)) for says in rows})) as gateway:
        config, updates = region.config(gateway.url, attempts=3, **RETRY), [region.update(action, says) for says in rows]
        outcomes = caller.applies(config, *updates)
        if action == "refund":  # is never sent again by itself: a second call takes the doubt up
            assert [told(outcome) for outcome in outcomes] == [[before, before]] * len(rows)
            outcomes = caller.applies(config, *zip(updates, outcomes, strict=True))
    expected = {says: [code, before, _code(region, action, says)] for says, code in rows.items()}
    assert {outcome.pass_id: told(outcome) for outcome in outcomes} == expected
    assert gateway.count() == dict.fromkeys(rows, 2)
    for outcome in outcomes:
        doubted = outcome.code in ALARM
        assert outcome.effect == ("unknown" if doubted else EFFECTS.get(outcome.code, "not_applied"))
        if doubted and (action == "refund" or outcome.attempts[-1].code not in ALARM):
            assert (outcome.next, outcome.who) == ("investigate", "operator")


EFFECTS = {"APPLIED": "applied", "APPLIED_PRESUMED": "in_state"}


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
def test_every_attempt_carries_the_same_update_under_a_time_and_signature_of_its_own(caller: Caller, region: Region) -> None:
    wait = b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    with Gateway(region, (again(read, send(wait)),)) as gateway:
        outcome = caller.apply(region.config(gateway.url, attempts=2, **RETRY), region.update("revise"))
    assert told(outcome) == ["NO_ANSWER"] * 3
    assert len({_business(region, request) for request in gateway.requests}) == 1
    times, signatures = zip(*(_proved(region, request) for request in gateway.requests), strict=True)
    assert len(set(times)) == len(set(signatures)) == 2


def _business(region: Region, request: Request) -> bytes:
    return request.body if region is HK else request.member("biz_content").encode()


def _proved(region: Region, request: Request) -> tuple[str, str]:
    """The time and the signature of a request whose signature holds."""
    time, signature, text = _SIGNED[region.name](request)
    key("ours").public_key().verify(base64.b64decode(signature, validate=True), text, padding.PKCS1v15(), hashes.SHA256())
    return time, signature


def _hk_signature(request: Request) -> tuple[str, str, bytes]:
    time, value = request.field("Request-Time"), unquote(request.field("Signature").partition("signature=")[2])
    return time, value, f"POST {request.target}\n{HK_CLIENT}.{time}.".encode() + request.body


def _cn_signature(request: Request) -> tuple[str, str, bytes]:
    query, form = request.target.partition("?")[2], request.body.decode()
    names = sorted({pair.partition("=")[0] for pair in f"{query}&{form}".split("&")} - {"sign"})
    text = "&".join(f"{name}={request.member(name)}" for name in names)
    assert json.loads(request.member("biz_content"))
    return request.member("timestamp"), request.member("sign"), text.encode()


_SIGNED: dict[str, Callable[[Request], tuple[str, str, bytes]]] = {"hk": _hk_signature, "cn": _cn_signature}


def test_after_a_hundred_unanswered_attempts_a_client_no_longer_sends_anything_again(caller: Caller) -> None:
    with Gateway(HK, (read, close)) as gateway:
        config = HK.config(gateway.url, attempts=34, deadline=30.0)
        outcomes = caller.applies(config, *[HK.update("redeem")] * 6)
    assert [len(outcome.attempts) for outcome in outcomes] == [34, 34, 34, 2, 1, 1]
    assert len(gateway.requests) == 34 * 3 + 4
    assert [any("too many attempts" in note for note in outcome.notes) for outcome in outcomes] == [False] * 3 + [True] * 3


def test_an_answer_that_decides_gives_an_attempt_back(caller: Caller) -> None:
    refused = send(lambda talk: talk.answer("state").but("Connection: close").wire())
    with Gateway(HK, *[(read, close)] * 101, (read, refused), (read, close)) as gateway:
        config = HK.config(gateway.url, attempts=100, deadline=30.0)
        outcomes = caller.applies(config, *[HK.update("redeem")] * 5)
    assert [len(outcome.attempts) for outcome in outcomes] == [100, 2, 2, 1, 1]
    assert len(gateway.requests) == 106
