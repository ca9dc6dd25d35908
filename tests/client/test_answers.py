from __future__ import annotations

import base64
import json
from urllib.parse import unquote

import pytest

from tests.client.answers import CLIENT_ID, done, hk, mainland
from tests.client.gateway import Gateway
from tests.client.keys import key, private_bytes, require_signed
from tests.client.use import MAINLAND, Use, cn_only, codes, hk_account, hk_only


def test_a_success_is_told_with_everything_that_is_known(use: Use) -> None:
    with Gateway(done) as gateway:
        outcome = use.apply(hk_only(gateway.url))
    told = json.loads(outcome.model_dump_json(by_alias=True))
    assert told.pop("elapsed") <= use.took[-1] + 0.001
    started, (attempt,) = told.pop("started"), told.pop("attempts")
    assert started.endswith("+08:00")
    assert attempt.pop("at") >= started
    assert attempt.pop("elapsed") <= use.took[-1] + 0.001
    assert attempt == {"n": 1, "code": "APPLIED", "sent": True, "reason": None, "trace_id": "trace-7"}
    assert told == {
        "schema": "passbridge.outcome/1",
        "code": "APPLIED",
        "effect": "applied",
        "next": "none",
        "who": "nobody",
        "ok": True,
        "certain": True,
        "mapped": True,
        "account": "hk",
        "action": "redeem",
        "pass_id": "2995228480402564890020",
        "key": "order-77",
        "at": None,
        "notes": [],
        "finding": None,
        "native": {"code": "SUCCESS", "status": "S", "sub_code": None, "message": "success", "result": None, "verified": True},
        "trace_id": "trace-7",
        "rule": "hk.ticket#codes.SUCCESS",
        "text": "The gateway confirmed the update.",
    }


def test_a_private_key_of_the_configuration_signs(use: Use) -> None:
    with Gateway(done) as gateway:
        config = {"accounts": {"hk": hk_account(gateway.url, private_key=private_bytes(key("ours")))}, "retry": {"deadline": 5.0}}
        outcome = use.apply(config, signers={})
    (request,) = gateway.received
    assert outcome.code == "APPLIED"
    signature = unquote(request.header("Signature").rpartition("signature=")[2])
    text = f"POST {request.target}\n{CLIENT_ID}.{request.header('Request-Time')}.".encode() + request.body
    require_signed(key("ours").public_key(), text, base64.b64decode(signature))


HK_ANSWERS = {
    "USER_NOT_EXIST": ("F", "HOLDER_NOT_FOUND"),
    "PASS_HAS_NOT_EXIST": ("F", "PASS_NOT_FOUND"),
    "PASS_USED_OCCUPIED": ("F", "ALREADY_IN_STATE"),
    "BIZ_NOT_SUPPORT": ("F", "UNSUPPORTED"),
    "INVALID_SIGNATURE": ("F", "ACCESS_DENIED"),
}


@pytest.mark.parametrize(("native", "letter", "code"), [(native, *row) for native, row in HK_ANSWERS.items()])
def test_a_verified_refusal_of_alipayhk_is_told(use: Use, native: str, letter: str, code: str) -> None:
    with Gateway(hk(native, letter)) as gateway:
        outcome = use.apply(hk_only(gateway.url))
    assert codes(outcome) == [code, code]
    assert outcome.native is not None
    assert (outcome.native.code, outcome.native.verified, outcome.ok) == (native, True, False)


DONE = '{"code":"10000","msg":"Success","success":"true","result":"{\\"serialNumber\\":\\"209919213\\"}"}'
MAINLAND_ANSWERS = {
    "done": (DONE, "APPLIED"),
    "of another pass": (DONE.replace("209919213", "1"), "BAD_ANSWER"),
    "no such pass": ('{"code":"40004","msg":"Business Failed","sub_code":"KP.AE_ALIPASS_NOTEXIST","sub_msg":"x"}', "PASS_NOT_FOUND"),
    "unknown": ('{"code":"55555","msg":"?"}', "UNMAPPED"),
}


@pytest.mark.parametrize(("node", "code"), MAINLAND_ANSWERS.values(), ids=MAINLAND_ANSWERS)
def test_a_verified_answer_of_the_mainland_is_told(use: Use, node: str, code: str) -> None:
    with Gateway(mainland(node)) as gateway:
        assert codes(use.apply(cn_only(gateway.url), MAINLAND)) == [code, code]
    assert len(gateway.received) == 1
