"""What is not the gateway's answer to this request is never believed, never sent again, and named for what it is."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.faults.calls import Caller, told
from tests.faults.forgeries import CN_FORGERIES, HK_FORGERIES, Forgery
from tests.faults.gateway import Gateway, Step, Talk
from tests.faults.keys import public_pem, sign
from tests.faults.regions import CN, HK, NODE, Region, hk_signed, hong_kong_time, signed_node
from tests.faults.steps import again, by_pass, read, send

RETRY = {"attempts": 3, "deadline": 2.0}
FORGERIES = {"hk": HK_FORGERIES, "cn": CN_FORGERIES}


def _forging(forgery: Forgery) -> Step:
    def step(talk: Talk) -> None:
        assert talk.request
        talk.send(forgery.make(talk.request).wire())

    return step


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("action", ["redeem", "close"])
def test_an_answer_is_believed_only_if_the_gateway_signed_it_for_this_request(caller: Caller, region: Region, action: str) -> None:
    rows = {forgery.name: forgery for forgery in FORGERIES[region.name]}
    with Gateway(region, by_pass({name: _forging(row) for name, row in rows.items()})) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **RETRY), *(region.update(action, name) for name in rows))
    findings = {outcome.pass_id: outcome.finding.code if outcome.finding else None for outcome in outcomes}
    assert findings == {name: row.finding for name, row in rows.items()}
    assert [told(outcome) for outcome in outcomes] == [["UNTRUSTED_ANSWER" if row.finding else "APPLIED"] * 2 for row in rows.values()]
    assert gateway.count() == dict.fromkeys(rows, 1)
    for outcome in outcomes:
        if outcome.finding:
            assert (outcome.effect, outcome.next, outcome.who, outcome.ok) == ("unknown", "investigate", "operator", False)
            assert outcome.native is None or not outcome.native.verified


@pytest.mark.parametrize("action", ["redeem", "revise"])
def test_an_old_answer_about_another_pass_is_no_answer_about_this_one(caller: Caller, action: str) -> None:
    recorded = signed_node('{"code":"10000","msg":"Success","success":"true","result":"{\\"serialNumber\\":\\"7\\"}"}', "old").wire()
    with Gateway(CN, (again(read, send(recorded)),)) as gateway:
        outcome = caller.apply(CN.config(gateway.url, **RETRY), CN.update(action))
    assert told(outcome) == ["BAD_ANSWER", "BAD_ANSWER"]
    assert len(gateway.requests) == 1


def test_an_answer_about_another_pass_is_no_answer_about_this_one(caller: Caller) -> None:
    body = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"},"passId":"7"}'
    with Gateway(HK, (again(read, send(lambda _: hk_signed(body, "t").wire())),)) as gateway:
        outcome = caller.apply(HK.config(gateway.url, **RETRY), HK.update("redeem"))
    assert told(outcome) == ["BAD_ANSWER", "BAD_ANSWER"]


VERSIONS = {
    "the one it names": ("keyVersion=1,", "gateway", None),
    "the other one": ("keyVersion=2,", "second", None),
    "the wrong one of the two": ("keyVersion=1,", "second", "SIG-MISMATCH"),
    "no name, the newest": ("", "second", None),
    "no name, the older": ("", "gateway", "SIG-MISMATCH"),
    "one that nobody knows": ("keyVersion=3,", "gateway", "SIG-KEY-VERSION"),
    "a word": ("keyVersion=latest,", "second", "SIG-KEY-VERSION"),
}


@pytest.mark.parametrize(("version", "key", "finding"), VERSIONS.values(), ids=VERSIONS)
def test_while_keys_rotate_only_the_key_that_is_named_is_tried(caller: Caller, version: str, key: str, finding: str | None) -> None:
    body = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}'

    def reply(talk: Talk) -> bytes:
        assert talk.request
        time = hong_kong_time()
        text = f"POST {talk.request.target}\n4Q5Y8W0WSG45P907917.{time}.".encode() + body
        signature = f"Signature: algorithm=RSA256,{version}signature={base64.b64encode(sign(text, key)).decode()}"
        return talk.answer().but(body=body, fields=(f"Response-Time: {time}", signature)).wire()

    with Gateway(HK, (again(read, send(reply)),)) as gateway:
        config: dict[str, Any] = HK.config(gateway.url, **RETRY)
        account = config["accounts"]["hk"]
        del account["gateway_public_key"]
        account["gateway_public_keys"] = {"1": public_pem("gateway"), "2": public_pem("second")}
        outcome = caller.apply(config, HK.update("redeem"))
    assert (outcome.finding.code if outcome.finding else None) == finding
    assert outcome.code == ("UNTRUSTED_ANSWER" if finding else "APPLIED")


WITHOUT_SHAPE = {
    "a page": b"<html><body>Welcome to the hotel's network</body></html>",
    "nothing": b"",
    "null": b"null",
    "another document": b'{"error":"maintenance"}',
    "a list": b"[]",
    "a page in GBK": "<html>系统繁忙</html>".encode("gbk"),
}
SHAPED = {
    "hk": {"a result": b'{"result":{"resultCode":"SUCCESS","resultStatus":"S"}}', "its other name": b'{"resultInfo":{}}'},
    "cn": {"a node": f'{{"{NODE}":{{"code":"10000"}}}}'.encode(), "an error": b'{"error_response":{"code":"40002"}}'},
}


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("body", WITHOUT_SHAPE.values(), ids=WITHOUT_SHAPE)
def test_what_is_neither_signed_nor_of_the_protocols_shape_is_no_answer(caller: Caller, region: Region, body: bytes) -> None:
    with Gateway(region, (again(read, send(lambda talk: talk.answer().but(body=body, fields=()).wire())),)) as gateway:
        outcome = caller.apply(region.config(gateway.url, **RETRY), region.update("redeem"))
    assert told(outcome) == ["NO_ANSWER"] * 4
    assert len(gateway.requests) == 3


@pytest.mark.parametrize(("region", "shape"), [(region, shape) for region in (HK, CN) for shape in SHAPED[region.name]])
def test_what_has_the_protocols_shape_and_no_signature_is_not_trusted(caller: Caller, region: Region, shape: str) -> None:
    body = SHAPED[region.name][shape]
    with Gateway(region, (again(read, send(lambda talk: talk.answer().but(body=body, fields=()).wire())),)) as gateway:
        outcome = caller.apply(region.config(gateway.url, **RETRY), region.update("redeem"))
    assert told(outcome) == ["UNTRUSTED_ANSWER"] * 2
    assert len(gateway.requests) == 1
