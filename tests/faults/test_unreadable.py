"""Answers that nobody can read alike: signed, they are bad answers; unsigned, they are nothing. None is ever sent again
that was signed, and none makes the reader fail.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import pytest

from tests.faults.calls import Caller
from tests.faults.gateway import Gateway, Talk
from tests.faults.regions import CN, HK, NODE, Answer, Region, hk_signed, signed_node
from tests.faults.steps import by_pass, send

RETRY = {"attempts": 2, "deadline": 3.0}

GOOD = '"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"'
DEEP = 100_000

HK_BODIES: dict[str, bytes] = {
    "empty": b"",
    "a blank": b" ",
    "null": b"null",
    "a number": b"7",
    "a text": b'"SUCCESS"',
    "a list": f'[{{"result":{{{GOOD}}}}}]'.encode(),
    "an empty object": b"{}",
    "a page": b"<html><body>SUCCESS</body></html>",
    "cut off": f'{{"result":{{{GOOD}'.encode(),
    "text behind": f'{{"result":{{{GOOD}}}}}x'.encode(),
    "two documents": f'{{"result":{{{GOOD}}}}}{{"result":{{{GOOD}}}}}'.encode(),
    "a comma too many": f'{{"result":{{{GOOD},}}}}'.encode(),
    "a comment": f'{{"result":{{{GOOD}}}/* done */}}'.encode(),
    "single quotes": str(json.loads(f'{{"result":{{{GOOD}}}}}')).encode(),
    "a byte order mark": b"\xef\xbb\xbf" + f'{{"result":{{{GOOD}}}}}'.encode(),
    "UTF-16": f'{{"result":{{{GOOD}}}}}'.encode("utf-16"),
    "UTF-16 without a mark": f'{{"result":{{{GOOD}}}}}'.encode("utf-16-le"),
    "UTF-32": f'{{"result":{{{GOOD}}}}}'.encode("utf-32"),
    "Latin-1": f'{{"result":{{{GOOD}}},"x":"\u00e9"}}'.encode("latin-1"),
    "the result twice": f'{{"result":{{{GOOD}}},"result":{{{GOOD}}}}}'.encode(),
    "a code twice": f'{{"result":{{{GOOD},"resultCode":"PASS_UPDATE_FAIL"}}}}'.encode(),
    "a code twice, once with an escape": f'{{"result":{{{GOOD},"result\\u0043ode":"X"}}}}'.encode(),
    "twice, deep inside": f'{{"result":{{{GOOD}}},"x":[{{"y":{{"z":1,"z":1}}}}]}}'.encode(),
    "NaN": f'{{"result":{{{GOOD}}},"x":NaN}}'.encode(),
    "Infinity": f'{{"result":{{{GOOD}}},"x":-Infinity}}'.encode(),
    "an infinite number": f'{{"result":{{{GOOD}}},"x":1e999}}'.encode(),
    "a number of 5,000 digits": f'{{"result":{{{GOOD}}},"x":{"9" * 5000}}}'.encode(),
    "a number of 500,000 digits": f'{{"result":{{{GOOD}}},"x":{"9" * 500_000}}}'.encode(),
    "a fraction of 500,000 digits": f'{{"result":{{{GOOD}}},"x":0.{"9" * 500_000}}}'.encode(),
    "a lone surrogate": f'{{"result":{{{GOOD}}},"x":"\\ud800"}}'.encode(),
    "a lone surrogate in the words": b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"\\udfff"}}',
    "a surrogate in UTF-8": f'{{"result":{{{GOOD}}},"x":"'.encode() + b'\xed\xa0\x80"}',
    "lists 100,000 deep": f'{{"result":{{{GOOD}}},"x":{"[" * DEEP}{"]" * DEEP}}}'.encode(),
    "objects 100,000 deep": f'{{"result":{{{GOOD}}},"x":{chr(123) + chr(34) + "a" + chr(34) + ":"}'.encode() + b'{"a":' * DEEP,
    "lists that never end": b"[" * DEEP,
    "no result": b'{"resultCode":"SUCCESS","resultStatus":"S"}',
    "a result that is null": b'{"result":null}',
    "a result that is text": b'{"result":"SUCCESS"}',
    "a result without words": b'{"result":{}}',
    "a code that is a number": b'{"result":{"resultCode":1,"resultStatus":"S"}}',
    "a code that is a list": b'{"result":{"resultCode":["SUCCESS"],"resultStatus":"S"}}',
    "a code without a letter": b'{"result":{"resultCode":"SUCCESS"}}',
    "a letter without a code": b'{"result":{"resultStatus":"S"}}',
    "an empty code": b'{"result":{"resultCode":"","resultStatus":"S"}}',
    "a success that failed": b'{"result":{"resultCode":"SUCCESS","resultStatus":"F"}}',
    "a success that is unknown": b'{"result":{"resultCode":"SUCCESS","resultStatus":"U"}}',
    "a refusal that succeeded": b'{"result":{"resultCode":"PASS_UPDATE_FAIL","resultStatus":"S"}}',
    "a doubt that failed": b'{"result":{"resultCode":"UNKNOWN_EXCEPTION","resultStatus":"F"}}',
    "an unknown code that succeeded": b'{"result":{"resultCode":"DONE","resultStatus":"S"}}',
    "two results that differ": f'{{"result":{{{GOOD}}},"resultInfo":{{"resultCode":"PASS_UPDATE_FAIL","resultStatus":"F"}}}}'.encode(),
    "of another pass": f'{{"result":{{{GOOD}}},"passId":"7"}}'.encode(),
    "of a pass that is a number": f'{{"result":{{{GOOD}}},"passId":7}}'.encode(),
}

_OK = '"code":"10000","msg":"Success","success":"true"'
_RESULT = '"result":"{\\"operate\\":\\"UPDATE\\"}"'

CN_NODES: dict[str, str] = {
    "null": "null",
    "a number": "7",
    "a text": '"10000"',
    "a list": "[]",
    "an empty object": "{}",
    "a code twice": f'{{{_OK},{_RESULT},"code":"40004"}}',
    "twice, deep inside": f'{{{_OK},{_RESULT},"x":[{{"z":1,"z":1}}]}}',
    "twice, inside the result": f'{{{_OK},"result":"{{\\"errorCode\\":\\"SUCCESS\\",\\"errorCode\\":\\"SUCCESS\\"}}"}}',
    "NaN": f'{{{_OK},{_RESULT},"x":NaN}}',
    "an infinite number": f'{{{_OK},{_RESULT},"x":1e999}}',
    "a number of 500,000 digits": f'{{{_OK},{_RESULT},"x":{"9" * 500_000}}}',
    "a lone surrogate": f'{{{_OK},{_RESULT},"x":"\\ud800"}}',
    "a lone surrogate in the words": f'{{{_OK},{_RESULT},"sub_msg":"\\ud800"}}',
    "a lone surrogate in the result": f'{{{_OK},"result":"{{\\"x\\":\\"\\\\ud800\\"}}"}}',
    "lists 100,000 deep": f'{{{_OK},{_RESULT},"x":{"[" * DEEP}{"]" * DEEP}}}',
    "lists 100,000 deep in the result": f'{{{_OK},"result":"{"[" * DEEP}"}}',
    "a code that is a number": f'{{"code":10000,"success":"true",{_RESULT}}}',
    "no code": f'{{"msg":"Success","success":"true",{_RESULT}}}',
    "no success": f'{{"code":"10000","msg":"Success",{_RESULT}}}',
    "success that is neither": f'{{"code":"10000","success":"yes",{_RESULT}}}',
    "success that is a number": f'{{"code":"10000","success":1,{_RESULT}}}',
    "no result": f"{{{_OK}}}",
    "a result that is a list": f'{{{_OK},"result":"[]"}}',
    "a result that can't be read": f'{{{_OK},"result":"{{"}}',
    "a success that failed": f'{{"code":"10000","success":"false",{_RESULT}}}',
    "a success with a reason": f'{{{_OK},{_RESULT},"sub_code":"KP.AE_ALIPASS_NOTEXIST"}}',
    "a success whose result failed": f'{{{_OK},"result":"{{\\"errorCode\\":\\"KP.AE_ALIPASS_NOTEXIST\\"}}"}}',
    "a failure that succeeded": '{"code":"40004","success":"true","sub_code":"KP.AE_ALIPASS_NOTEXIST"}',
    "a failure whose result succeeded": '{"code":"40004","success":"false","result":"{\\"errorCode\\":\\"SUCCESS\\"}"}',
    "of another pass": f'{{{_OK},"result":"{{\\"serialNumber\\":\\"7\\"}}"}}',
    "of another pass by its id": f'{{{_OK},"result":"{{\\"passId\\":\\"7\\"}}"}}',
    "encrypted": '"yQdwPPnGRc5sRcRcs8ee0g=="',
}


UNCUT = dict.fromkeys(
    ["a code twice", "twice, deep inside", "NaN", "an infinite number", "a number of 500,000 digits", "lists 100,000 deep"],
    "UNTRUSTED_ANSWER",
)


def _wire(make: Callable[[Talk], Answer], talk: Talk) -> bytes:
    return make(talk).wire()


def _all(caller: Caller, region: Region, action: str, answers: Mapping[str, Callable[[Talk], Answer]]) -> dict[str, str]:
    """What each of these answers comes to, by one client; no update may be sent a second time."""
    steps = {name: send(partial(_wire, make)) for name, make in answers.items()}
    with Gateway(region, by_pass(steps)) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **RETRY), *(region.update(action, name) for name in answers))
    assert gateway.count() == dict.fromkeys(answers, 1)
    assert all(len(outcome.attempts) == 1 and outcome.attempts[0].reason for outcome in outcomes)
    return {str(outcome.pass_id): str(outcome.code) for outcome in outcomes}


def test_a_signed_answer_of_alipayhk_that_cant_be_read_is_a_bad_answer(caller: Caller) -> None:
    answers = {name: lambda _, body=body: hk_signed(body, "t") for name, body in HK_BODIES.items()}
    assert _all(caller, HK, "redeem", answers) == dict.fromkeys(HK_BODIES, "BAD_ANSWER")


def test_an_unsigned_one_is_nothing(caller: Caller) -> None:
    answers = {name: lambda talk, body=body: talk.answer().but(body=body, fields=()) for name, body in HK_BODIES.items()}
    assert set(_all(caller, HK, "refund", answers).values()) == {"NO_ANSWER", "UNTRUSTED_ANSWER"}


def test_a_signed_node_of_the_mainland_that_cant_be_read_is_a_bad_answer(caller: Caller) -> None:
    answers = {name: lambda _, node=node: signed_node(node, "t") for name, node in CN_NODES.items()}
    # A node that breaks the whole document can't be cut out of it to be verified: then it is not trusted either.
    assert _all(caller, CN, "redeem", answers) == {name: UNCUT.get(name, "BAD_ANSWER") for name in CN_NODES}


@pytest.mark.parametrize("sign", ["", ',"sign":"AAAA"'], ids=["unsigned", "wrongly signed"])
def test_one_that_is_not_signed_is_not_trusted(caller: Caller, sign: str) -> None:
    bodies = {name: f'{{"{NODE}":{node}{sign}}}'.encode() for name, node in CN_NODES.items()}
    answers = {name: lambda talk, body=body: talk.answer().but(body=body) for name, body in bodies.items()}
    assert set(_all(caller, CN, "redeem", answers).values()) == {"UNTRUSTED_ANSWER"}
