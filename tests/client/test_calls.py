from __future__ import annotations

import json
import pickle
from typing import Any
from urllib.parse import parse_qs

import pytest
from alipay.aop.api.domain.AlipayPassInstanceUpdateModel import AlipayPassInstanceUpdateModel
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest

from passbridge import CallFailed, InvalidUpdate
from tests.client.answers import done, forged, hang_up, hk, mainland, page
from tests.client.gateway import Gateway, Step, deaf_port
from tests.client.use import Call, Use, cn_only, hk_account, hk_only

PATH = "/api/open/alipay/v1/ipass/pass/query"


def _call(path: str = PATH, body: Any = None, account: str = "hk") -> Call:  # noqa: ANN401 - any JSON, and what is none
    return lambda client: client.call(account, path, {"passId": "7"} if body is None else body)


def _execute(request: object, account: str = "cn") -> Call:
    return lambda client: client.execute(account, request)


def _sdk_request(number: str = "209919213") -> AlipayPassInstanceUpdateRequest:
    model = AlipayPassInstanceUpdateModel()
    model.serial_number = number
    model.channel_id = "2088918273"
    return AlipayPassInstanceUpdateRequest(biz_model=model)


@pytest.mark.parametrize(("code", "letter"), [("SUCCESS", "S"), ("PASS_HAS_NOT_EXIST", "F")])
def test_a_call_gives_the_verified_answer_be_it_a_refusal(use: Use, code: str, letter: str) -> None:
    with Gateway(hk(code, letter)) as gateway:
        (answer,) = use.in_turn(hk_only(gateway.url), _call())
    assert answer == {"result": {"resultCode": code, "resultStatus": letter, "resultMessage": "m"}}
    assert (gateway.received[0].target, json.loads(gateway.received[0].body)) == (PATH, {"passId": "7"})


FAILURES: dict[str, tuple[Step, str, str]] = {
    "no answer": (hang_up, "NO_ANSWER", "the connection ended early"),
    "a page": (page("502 Bad Gateway"), "NO_ANSWER", "HTTP status 502"),
    "a forged answer": (forged, "UNTRUSTED_ANSWER", "the signature is not the gateway's"),
}


@pytest.mark.parametrize(("step", "code", "reason"), FAILURES.values(), ids=FAILURES)
def test_a_call_without_a_believable_answer_fails_with_its_outcome_and_is_not_sent_again(
    use: Use, step: Step, code: str, reason: str
) -> None:
    with Gateway(step) as gateway, pytest.raises(CallFailed) as raised:
        use.in_turn(hk_only(gateway.url), _call())
    outcome = raised.value.outcome
    assert (outcome.code, outcome.account, outcome.action, outcome.pass_id) == (code, "hk", PATH, None)
    assert str(raised.value).startswith(f"hk: {code}: ")
    assert reason in str(raised.value)
    assert len(outcome.attempts) == len(gateway.received) == 1
    assert pickle.loads(pickle.dumps(raised.value)).outcome == outcome  # noqa: S301 - our own


def test_a_call_that_could_not_be_sent_is_not_tried_again(use: Use) -> None:
    with deaf_port() as port, pytest.raises(CallFailed) as raised:
        use.in_turn(hk_only(f"http://127.0.0.1:{port}"), _call())
    assert [attempt.code for attempt in raised.value.outcome.attempts] == ["NOT_SENT"]


def test_a_call_whose_deadline_came_before_any_try_says_so(use: Use) -> None:
    with Gateway(done) as gateway, pytest.raises(CallFailed, match=r"^hk: NOT_SENT: .") as raised:
        use.in_turn(hk_only(gateway.url, deadline=1e-9), _call())
    assert raised.value.outcome.attempts == ()
    assert gateway.received == []


def test_a_call_keeps_to_the_deadline_of_its_account(use: Use) -> None:
    with Gateway(done) as gateway:
        config = hk_only(gateway.url)
        config["accounts"] = {"hk": hk_account(gateway.url, retry={"deadline": 1e-9})}
        with pytest.raises(CallFailed, match="NOT_SENT"):
            use.in_turn(config, _call())


UNFIT: dict[str, tuple[str, Any]] = {
    "a path without its slash": ("a/b", None),
    "another port": (":9/a", None),
    "another host": (".example.com/a", None),
    "credentials": ("@example.com/a", None),
    "a fragment": ("/a#b", None),
    "a blank": ("/a b", None),
    "a line": ("/a\r\nX-Injected: 1", None),
    "a letter that no URL holds": ("/é", None),
    "a mark that no URL holds": ("/{a}", None),
    "no path": ("", None),
    "a body that is no object": ("/a", [1]),
    "not a number": ("/a", {"n": float("nan")}),
    "a lone surrogate": ("/a", {"n": "\ud800"}),
    "no JSON": ("/a", {"n": {1}}),
}


@pytest.mark.parametrize(("path", "body"), UNFIT.values(), ids=UNFIT)
def test_a_call_that_cant_be_carried_is_refused_before_it_is_signed(use: Use, path: str, body: object) -> None:
    signed: list[bytes] = []

    def signer(data: bytes) -> bytes:
        signed.append(data)
        return b"x"

    with Gateway(done) as gateway, pytest.raises(InvalidUpdate):
        use.in_turn(hk_only(gateway.url), _call(path, body), signers={"hk": signer})
    assert gateway.received == []
    assert signed == []


NODE = '{"code":"10000","msg":"Success","success":"true","result":"{\\"serialNumber\\":\\"209919213\\"}"}'


def test_an_sdk_request_is_executed_and_its_response_filled(use: Use) -> None:
    with Gateway(mainland(NODE)) as gateway:
        (response,) = use.in_turn(cn_only(gateway.url), _execute(_sdk_request()))
    assert type(response).__name__ == "AlipayPassInstanceUpdateResponse"
    assert getattr(response, "success", None) == "true"
    sent = parse_qs(gateway.received[0].body.decode())
    assert json.loads(sent["biz_content"][0]) == {"channel_id": "2088918273", "serial_number": "209919213"}


def test_a_refusal_is_an_answer_of_execute_too(use: Use) -> None:
    with Gateway(mainland('{"code":"40004","msg":"Business Failed","sub_code":"KP.AE_ALIPASS_NOTEXIST"}')) as gateway:
        (response,) = use.in_turn(cn_only(gateway.url), _execute(_sdk_request()))
    assert getattr(response, "sub_code", None) == "KP.AE_ALIPASS_NOTEXIST"


def test_an_execution_without_an_answer_fails_and_is_not_sent_again(use: Use) -> None:
    with Gateway(hang_up) as gateway, pytest.raises(CallFailed) as raised:
        use.in_turn(cn_only(gateway.url), _execute(_sdk_request()))
    assert (raised.value.outcome.code, raised.value.outcome.action) == ("NO_ANSWER", "alipay.pass.instance.update")
    assert len(gateway.received) == 1


REFUSED: dict[str, tuple[Call, str]] = {
    "an SDK request for AlipayHK": (_execute(_sdk_request(), "hk"), "account: hk takes no SDK request"),
    "a path for the mainland": (_call(account="cn"), "account: cn takes no path and body"),
    "something else than a request": (_execute("alipay.pass.instance.update"), "sdk_request: str is no request object"),
    "an account that isn't there, executed": (_execute(_sdk_request(), "ccn"), "account: no such account (did you mean 'cn'?)"),
    "an account that isn't there, called": (_call(account="hkk"), "account: no such account (did you mean 'hk'?)"),
}


@pytest.mark.parametrize(("call", "message"), REFUSED.values(), ids=REFUSED)
def test_what_an_account_cant_do_is_refused_and_nothing_sent(use: Use, call: Call, message: str) -> None:
    with Gateway(done) as gateway:
        accounts: Any = {**hk_only(gateway.url)["accounts"], **cn_only(gateway.url)["accounts"]}  # type: ignore[dict-item]
        with pytest.raises(InvalidUpdate) as raised:
            use.in_turn({"accounts": accounts}, call)
    assert str(raised.value).startswith(message)
    assert gateway.received == []
