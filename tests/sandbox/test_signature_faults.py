"""Faults of the signature and of what it covers, each looked at over a real socket; OpenSSL's own command judges the hashes."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from cryptography.hazmat.primitives import hashes

from passbridge.sandbox.catalogue import FAULTS
from tests.sandbox.conftest import CARD, PATH, SERIAL, TICKET, Answer, Cn, Hk, public, raw_node, signed_by, state
from tests.sandbox.wire import BIZ, connected, hk_request

NODE = "alipay_pass_instance_update_response"


def hk_answer(hk: Hk, fault: str) -> Answer:
    """The answer to a redemption that a fault strikes; the redemption has its effect."""
    hk.box.add_fault({"fault": fault, "gateway": "hk"})
    answer = hk.send(hk.body(TICKET, "USED"))
    assert (answer.status, state(hk.box, TICKET)["state"], hk.box.faults()) == (200, "USED", [])
    return answer


def cn_answer(cn: Cn, fault: str) -> Answer:
    cn.box.add_fault({"fault": fault, "gateway": "mainland"})
    answer = cn.send(BIZ)
    assert (answer.status, state(cn.box, SERIAL)["state"], cn.box.faults()) == (200, "USED", [])
    return answer


def marks(answer: Answer) -> dict[str, str]:
    return dict(part.split("=", 1) for part in answer.headers["signature"].split(","))


def value(answer: Answer) -> bytes:
    return base64.b64decode(unquote_to_bytes(marks(answer)["signature"]), validate=True)


def text(hk: Hk, answer: Answer, method: str = "POST", path: str = PATH, client: str = "") -> bytes:
    return f"{method} {path}\n{client or hk.client}.{answer.headers['response-time']}.".encode() + answer.body


def hk_signed(hk: Hk, answer: Answer, signed: bytes) -> bool:
    return signed_by(public(hk.settings["gateway_public_key"]), value(answer), signed, hashes.SHA256())


def openssl(digest: str, key: bytes, signature: bytes, data: bytes, folder: Path) -> bool:
    for name, content in (("key", key), ("signature", signature), ("data", data)):
        (folder / name).write_bytes(content)
    command = ["openssl", "dgst", f"-{digest}", "-verify", "key", "-signature", "signature", "data"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed words


# --- both gateways -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "digest"), [("sha1-signature", "sha1"), ("md5-signature", "md5")])
def test_a_signature_over_another_hash(hk: Hk, cn: Cn, tmp_path: Path, fault: str, digest: str) -> None:
    answer = hk_answer(hk, fault)
    assert not hk.verified(answer)
    assert openssl(digest, hk.settings["gateway_public_key"], value(answer), text(hk, answer), tmp_path)
    answer = cn_answer(cn, fault)
    assert not cn.verified(answer)
    signature = base64.b64decode(answer.json["sign"])
    assert openssl(digest, cn.settings["gateway_public_key"], signature, raw_node(answer.body), tmp_path)


def test_an_honest_signature_convinces_openssl_too(hk: Hk, tmp_path: Path) -> None:
    answer = hk.send(hk.body(TICKET, "USED"))
    assert openssl("sha256", hk.settings["gateway_public_key"], value(answer), text(hk, answer), tmp_path)
    assert not openssl("sha1", hk.settings["gateway_public_key"], value(answer), text(hk, answer), tmp_path)


def test_an_empty_signature(hk: Hk, cn: Cn) -> None:
    assert hk_answer(hk, "empty-signature").headers["signature"] == "algorithm=RSA256,keyVersion=1,signature="
    assert cn_answer(cn, "empty-signature").json["sign"] == ""


def test_a_signature_that_is_no_base64(hk: Hk, cn: Cn) -> None:
    assert marks(hk_answer(hk, "malformed-signature"))["signature"] == "not*base64"
    assert cn_answer(cn, "malformed-signature").json["sign"] == "not*base64"


def test_a_signature_that_stands_twice(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "signature-twice", "gateway": "hk"})
    with connected(hk.box.url) as wire:
        wire.send(hk_request(hk))
        status, headers = wire.head()
        body = wire.take(int(dict(headers)["content-length"]))
    both = [Answer(status, {**dict(headers), name: given}, body) for name, given in headers if name == "signature"]
    assert [hk.verified(answer) for answer in both] == [True, False]
    pairs = json.loads(cn_answer(cn, "signature-twice").body, object_pairs_hook=list)
    assert [name for name, _ in pairs] == [NODE, "sign", "sign"]
    first, second = (base64.b64decode(sign) for name, sign in pairs[1:])
    assert len(first) == len(second) == 256
    assert first != second


def test_an_answer_that_is_written_anew_after_it_was_signed(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "reserialised")
    assert not hk.verified(answer)
    compact = json.dumps(answer.json, separators=(",", ":")).encode()
    assert hk.verified(Answer(200, answer.headers, compact))
    answer = cn_answer(cn, "reserialised")
    assert not cn.verified(answer)
    node = json.dumps(answer.json[NODE], ensure_ascii=False, separators=(",", ":")).encode()
    signature = base64.b64decode(answer.json["sign"])
    assert signed_by(public(cn.settings["gateway_public_key"]), signature, node, hashes.SHA256())


def test_the_last_answer_about_another_pass_comes_again(hk: Hk, cn: Cn) -> None:
    card = hk.send(hk.body(CARD, "USED"))
    hk.send(hk.body(TICKET, "UPDATE"))
    answer = hk_answer(hk, "replay")
    assert (answer.body, answer.headers["signature"], answer.headers["tracerid"]) == (
        card.body,
        card.headers["signature"],
        card.headers["tracerid"],
    )
    other = cn.send({**BIZ, "serial_number": "404"})
    assert cn_answer(cn, "replay").body == other.body


def test_without_another_pass_an_older_answer_about_this_one_comes_again(hk: Hk) -> None:
    first = hk.send(hk.body(TICKET, "UPDATE"))
    assert first.json["result"]["resultCode"] == "PARAM_ILLEGAL"
    assert hk_answer(hk, "replay").headers["tracerid"] == first.headers["tracerid"]


def test_an_unsigned_or_forged_answer_is_not_remembered(hk: Hk) -> None:
    hk.box.add_fault({"fault": "bad-signature"})
    hk.send(hk.body(CARD, "USED"))
    assert hk.verified(hk_answer(hk, "replay"))


def test_without_any_an_answer_of_an_hour_ago_or_about_another_pass_is_made(hk: Hk, cn: Cn) -> None:
    answer = hk_answer(hk, "replay")
    assert hk.verified(answer)
    assert 3600 <= age(answer) < 3620
    node = cn.node(cn_answer(cn, "replay"))
    assert json.loads(node["result"])["serialNumber"] != SERIAL


def test_only_the_last_few_passes_are_remembered_and_none_after_a_reset(hk: Hk, cn: Cn) -> None:
    for serial in range(10):
        cn.send({**BIZ, "serial_number": str(serial)})
    gateway = hk.box._simulator._gateways["mainland"]
    assert list(gateway._given) == [str(serial) for serial in range(2, 10)]
    hk.box.reset()
    assert gateway._given == {}


def test_the_request_comes_back_as_its_answer(hk: Hk, cn: Cn) -> None:
    hk.box.add_fault({"fault": "echo"})
    body = json.dumps(hk.body(TICKET, "USED")).encode()
    sent = hk.headers(body)
    answer = hk.send(body)
    assert answer.body == body
    assert answer.headers["signature"] == sent["Signature"]
    assert answer.headers["response-time"] == sent["Request-Time"]
    assert signed_by(hk.key.public_key(), value(answer), text(hk, answer), hashes.SHA256())
    params = cn.params(BIZ)
    answer = cn_answer(cn, "echo")
    assert raw_node(answer.body).decode() == params["biz_content"]
    assert answer.json["sign"] == cn.sign(params)


# --- AlipayHK ----------------------------------------------------------------------------------------------------------


def test_another_algorithm_is_announced(hk: Hk) -> None:
    answer = hk_answer(hk, "other-algorithm")
    assert marks(answer)["algorithm"] == "ECC224"
    assert hk_signed(hk, answer, text(hk, answer))


def test_an_unknown_key_version_is_named(hk: Hk) -> None:
    answer = hk_answer(hk, "unknown-key-version")
    assert marks(answer)["keyVersion"] == "999"
    assert hk_signed(hk, answer, text(hk, answer))


@pytest.mark.parametrize(
    ("fault", "parts"),
    [
        ("signed-for-path", {"path": "/api/open/alipay/v1/ipass/pass/manage/createPass"}),
        ("signed-for-client", {"client": "SANDBOX0000000002"}),
        ("signed-for-method", {"method": "GET"}),
    ],
)
def test_an_answer_is_signed_for_another_exchange(hk: Hk, fault: str, parts: dict[str, str]) -> None:
    answer = hk_answer(hk, fault)
    assert not hk.verified(answer)
    assert hk_signed(hk, answer, text(hk, answer, **parts))
    assert answer.headers["client-id"] == hk.client


def age(answer: Answer) -> float:
    moment = datetime.fromisoformat(answer.headers["response-time"])
    return (datetime.now(moment.tzinfo) - moment).total_seconds()


@pytest.mark.parametrize(("fault", "seconds"), [("stale:1000", 1000), ("clock:1000", -1000), ("clock:-1000.5", 1000.5), ("stale:3e8", 3e8)])
def test_the_gateways_clock_is_off(hk: Hk, fault: str, seconds: float) -> None:
    answer = hk_answer(hk, fault)
    assert hk.verified(answer)
    assert seconds - 1 <= age(answer) < seconds + 20


def test_a_signature_may_be_plain_base64(hk: Hk) -> None:
    answer = hk_answer(hk, "plain-signature")
    plain = marks(answer)["signature"]
    assert plain.endswith("==")
    assert "%" not in plain
    assert base64.b64encode(value(answer)).decode() == plain
    assert hk_signed(hk, answer, text(hk, answer))


def test_a_signature_may_be_escaped_throughout(hk: Hk) -> None:
    answer = hk_answer(hk, "percent-signature")
    assert marks(answer)["signature"].count("%") == 344
    assert len(marks(answer)["signature"]) == 3 * 344
    assert hk.verified(answer)


# --- the mainland ------------------------------------------------------------------------------------------------------


def pairs(answer: Answer) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in json.loads(answer.body, object_pairs_hook=list)]


def holds(cn: Cn, source: bytes, sign: str) -> bool:
    return signed_by(public(cn.settings["gateway_public_key"]), base64.b64decode(sign, validate=True), source, hashes.SHA256())


def test_the_node_of_another_method_is_rightly_signed(cn: Cn) -> None:
    answer = cn_answer(cn, "other-node")
    assert list(answer.json) == ["alipay_pass_instance_add_response", "sign"]
    assert cn.verified(answer)


@pytest.mark.parametrize(("fault", "second"), [("node-twice", NODE), ("error-response-beside", "error_response")])
def test_a_second_node_contradicts_the_signed_one(cn: Cn, fault: str, second: str) -> None:
    answer = cn_answer(cn, fault)
    assert [name for name, _ in pairs(answer)] == [NODE, second, "sign"]
    assert ("code", "40004") in pairs(answer)[1][1]
    source = answer.body.removeprefix(f'{{"{NODE}":'.encode()).partition(f',"{second}":'.encode())[0]
    assert json.loads(source)["code"] == "10000"
    assert holds(cn, source, dict(pairs(answer))["sign"])


@pytest.mark.parametrize(
    ("fault", "order"),
    [
        ("sign-first", ["sign", NODE]),
        ("escaped-name", [NODE, "sign"]),
        ("blanks", [NODE, "sign"]),
        ("braces", [NODE, "sign"]),
        ("cert-sn-before", ["alipay_cert_sn", NODE, "sign"]),
        ("cert-sn-after", [NODE, "sign", "alipay_cert_sn"]),
    ],
)
def test_a_rare_shape_is_rightly_signed(cn: Cn, fault: str, order: list[str]) -> None:
    answer = cn_answer(cn, fault)
    assert [name for name, _ in pairs(answer)] == order
    node = answer.json[NODE]
    source = json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode()
    assert node["code"] == "10000"
    assert source in answer.body
    assert holds(cn, source, answer.json["sign"])
    assert FAULTS[fault].valid


def test_each_rare_shape_is_what_its_name_says(cn: Cn) -> None:
    seen = {}
    for fault in ("escaped-name", "blanks", "braces", "cert-sn-after"):
        cn.box.reset()
        seen[fault] = cn_answer(cn, fault)
    assert rb'"\u0073ign":' in seen["escaped-name"].body
    assert b'"sign"' not in seen["escaped-name"].body
    assert seen["blanks"].body.count(b"\r\n") == 6
    assert seen["braces"].json[NODE]["extension"] == '}},"sign":"AAAA"}{"\\'
    assert len(seen["cert-sn-after"].json["alipay_cert_sn"]) == 32


def test_slashes_may_be_escaped_where_the_signature_covers_them_bare(cn: Cn) -> None:
    answer = cn_answer(cn, "escaped-slashes")
    source = raw_node(answer.body)
    assert rb"https:\/\/open.alipay.com\/api" in source
    assert not cn.verified(answer)
    assert holds(cn, source.replace(rb"\/", b"/"), answer.json["sign"])


def test_an_answer_may_come_in_gbk_whatever_was_asked_for(cn: Cn) -> None:
    answer = cn_answer(cn, "gbk-answer")
    assert answer.headers["content-type"] == "text/html;charset=gbk"
    assert "处理成功" in cn.node(answer, "gbk")["result"]
