from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote_plus, unquote

import pytest

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import CARD, PATH, TIME, Hk, ask, last, private, state

SUCCESS = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}


def test_a_request_signed_over_the_documented_text_is_answered_over_the_documented_text(hk: Hk) -> None:
    body = hk.body(CARD, "USED")
    answer = hk.send(body)
    assert answer.json == SUCCESS
    assert hk.verified(answer)
    assert answer.headers["client-id"] == "SANDBOX0000000001"
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["response-time"].endswith("+08:00")
    assert len(answer.headers["response-time"]) == len(TIME)
    assert answer.headers["tracerid"]


def test_the_text_that_is_signed_is_written_out(hk: Hk) -> None:
    body = b'{"merchantId":"2312314123123123","userId":"2160400000000135","passId":"2995228480402564890018","status":"USED"}'
    text = (
        b"POST /api/open/alipay/v1/ipass/pass/manage/updatePass\n"
        b'SANDBOX0000000001.2024-05-22T06:42:21+05:30.{"merchantId":"2312314123123123","userId":"2160400000000135",'
        b'"passId":"2995228480402564890018","status":"USED"}'
    )
    headers = hk.headers(body) | {"Signature": f"algorithm=RSA256,keyVersion=1,signature={hk.sign(text)}"}
    assert ask(hk.box.url, "POST", PATH, body, headers).json == SUCCESS


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the OpenSSL command line")
def test_openssl_signs_and_verifies_the_same_bytes(hk: Hk, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(hk.settings["private_key"])
    (tmp_path / "gateway.pem").write_bytes(hk.settings["gateway_public_key"])
    body = json.dumps(hk.body(CARD, "USED", note="券")).encode()
    text = b"POST " + PATH.encode() + b"\nSANDBOX0000000001." + TIME.encode() + b"." + body
    signature = _openssl(tmp_path, ["-sign", "key.pem"], text)
    headers = hk.headers(body) | {"Signature": f"algorithm=RSA256,keyVersion=1,signature={quote_plus(base64.b64encode(signature))}"}
    answer = ask(hk.box.url, "POST", PATH, body, headers)
    assert answer.json == SUCCESS
    value = answer.headers["signature"].partition("signature=")[2]
    (tmp_path / "signature").write_bytes(base64.b64decode(unquote(value)))
    text = b"POST " + PATH.encode() + b"\nSANDBOX0000000001." + answer.headers["response-time"].encode() + b"." + answer.body
    assert b"Verified OK" in _openssl(tmp_path, ["-verify", "gateway.pem", "-signature", "signature"], text)


def _openssl(folder: Path, arguments: list[str], data: bytes) -> bytes:
    command = ["openssl", "dgst", "-sha256", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True, cwd=folder).stdout  # noqa: S603 - our own words


def refused(hk: Hk, code: str, method: str = "POST", target: str = PATH, **changed: str) -> None:
    """One thing wrong with a request that is right otherwise: the code, unsigned, and nothing applied."""
    body = json.dumps(hk.body(CARD, "USED")).encode()
    headers = hk.headers(body)
    for name, value in changed.items():
        headers.pop(name.replace("_", "-"))
        if value:
            headers[name.replace("_", "-")] = value
    answer = ask(hk.box.url, method, target, body, headers)
    assert (answer.status, answer.json["result"]["resultCode"], answer.json["result"]["resultStatus"]) == (200, code, "F")
    assert not {"signature", "response-time", "client-id"} & answer.headers.keys()
    assert answer.headers["tracerid"]
    assert state(hk.box, CARD)["state"] == "ACTIVE"
    assert (last(hk.box)["result"], last(hk.box)["signature"] != "ok", last(hk.box)["applied"]) == (code, True, False)


def test_everything_before_the_signature_is_refused_unsigned_and_in_order(hk: Hk) -> None:
    wrong = {"Content_Type": "text/plain", "Client_Id": "nobody", "Signature": "algorithm=RSA256,keyVersion=7,signature=AAAA"}
    refused(hk, "METHOD_NOT_SUPPORTED", method="PUT", target=PATH + "s", **wrong)
    refused(hk, "INVALID_API", target=PATH + "s", **wrong)
    refused(hk, "MEDIA_TYPE_NOT_ACCEPTABLE", **wrong)
    del wrong["Content_Type"]
    refused(hk, "INVALID_CLIENT", **wrong)
    del wrong["Client_Id"]
    refused(hk, "KEY_NOT_FOUND", **wrong)
    refused(hk, "INVALID_SIGNATURE", Signature="algorithm=RSA256,keyVersion=1,signature=AAAA")


def test_who_asks_may_be_looked_at_first(hk: Hk, box: Sandbox) -> None:
    box.guess({"hk.check_order": "client-first"})
    refused(hk, "INVALID_CLIENT", method="PUT", target=PATH + "s", Client_Id="nobody", Content_Type="text/plain")
    refused(hk, "INVALID_SIGNATURE", method="PUT", target=PATH + "s")
    refused(hk, "MEDIA_TYPE_NOT_ACCEPTABLE", Content_Type="text/plain")


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json; charset=GBK", "application/x-www-form-urlencoded"])
def test_another_media_type_is_not_acceptable(hk: Hk, media_type: str) -> None:
    refused(hk, "MEDIA_TYPE_NOT_ACCEPTABLE", Content_Type=media_type)


@pytest.mark.parametrize("media_type", ["application/json", "application/json;charset=utf-8", "Application/JSON; Charset=UTF-8"])
def test_json_in_utf_8_is_acceptable_however_it_is_written(hk: Hk, media_type: str) -> None:
    body = json.dumps(hk.body(CARD, "USED")).encode()
    assert ask(hk.box.url, "POST", PATH, body, hk.headers(body) | {"Content-Type": media_type, "Accept": "text/plain"}).json == SUCCESS


@pytest.mark.parametrize("header", ["Client_Id", "Request_Time", "Signature"])
def test_a_missing_header_is_refused(hk: Hk, header: str) -> None:
    refused(hk, "INVALID_CLIENT" if header == "Client_Id" else "INVALID_SIGNATURE", **{header: ""})


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("algorithm=ECC224,keyVersion=1,signature={}", "KEY_NOT_FOUND"),
        ("algorithm=RSA256,keyVersion=0,signature={}", "KEY_NOT_FOUND"),
        ("algorithm=RSA512,keyVersion=1,signature={}", "INVALID_SIGNATURE"),
        ("algorithm=RSA256,keyVersion=1", "INVALID_SIGNATURE"),
        ("algorithm=RSA256,keyVersion=1,signature={},signature={}", "INVALID_SIGNATURE"),
        ("algorithm=RSA256,keyVersion=1,signature=***", "INVALID_SIGNATURE"),
    ],
)
def test_a_signature_header_that_proves_nothing_is_refused(hk: Hk, header: str, code: str) -> None:
    text = f"POST {PATH}\n{hk.client}.{TIME}.{json.dumps(hk.body(CARD, 'USED'))}"
    value = hk.sign(text.encode())
    refused(hk, code, Signature=header.format(value, value))


@pytest.mark.parametrize(
    "header",
    [
        "algorithm=RSA256, keyVersion=1, signature={escaped}",
        "signature={escaped}",
        "algorithm=sha256withrsa,keyVersion=1,signature={escaped}",
        "Algorithm=rsa256,KeyVersion=1,Signature={lower}",
        "algorithm=RSA256,keyVersion=1,signature={plain}",
    ],
)
def test_a_signature_header_may_be_written_in_the_ways_the_documents_show(hk: Hk, header: str) -> None:
    body = json.dumps(hk.body(CARD, "USED")).encode()
    escaped = hk.headers(body)["Signature"].partition("signature=")[2]
    lower = escaped.replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")
    written = header.format(escaped=escaped, plain=unquote(escaped), lower=lower)
    assert ask(hk.box.url, "POST", PATH, body, hk.headers(body) | {"Signature": written}).json == SUCCESS


@pytest.mark.parametrize(
    "text",
    [
        "POST {path}\n{client}.{time}.{body} ",
        "POST {path}\r\n{client}.{time}.{body}",
        "post {path}\n{client}.{time}.{body}",
        "POST {path}?\n{client}.{time}.{body}",
        "POST http://127.0.0.1{path}\n{client}.{time}.{body}",
        "POST {path}\n{client}.2024-05-22T01:12:21Z.{body}",
        "POST {path}\n{client}{time}{body}",
        "{body}",
    ],
)
def test_a_signature_over_other_bytes_is_refused(hk: Hk, text: str) -> None:
    body = json.dumps(hk.body(CARD, "USED"))
    signed = text.format(path=PATH, client=hk.client, time=TIME, body=body).encode()
    refused(hk, "INVALID_SIGNATURE", Signature=f"algorithm=RSA256,keyVersion=1,signature={hk.sign(signed)}")


def test_a_signature_by_another_key_is_refused(hk: Hk) -> None:
    hk.key = private(hk.box.config()["accounts"]["cn"]["private_key"])
    body = json.dumps(hk.body(CARD, "USED")).encode()
    refused(hk, "INVALID_SIGNATURE", Signature=hk.headers(body)["Signature"])


def test_the_raw_bytes_are_signed_not_what_they_mean(hk: Hk) -> None:
    pretty = json.dumps(hk.body(CARD, "USED"), indent=4).encode()
    assert hk.send(pretty).json == SUCCESS
    compact = json.dumps(hk.body(CARD, "USED")).encode()
    answer = ask(hk.box.url, "POST", PATH, compact, hk.headers(pretty))
    assert answer.json["result"]["resultCode"] == "INVALID_SIGNATURE"


def test_the_query_is_part_of_what_is_signed(hk: Hk) -> None:
    body, target = json.dumps(hk.body(CARD, "USED")).encode(), PATH + "?a=1"
    answer = ask(hk.box.url, "POST", target, body, hk.headers(body, target))
    assert answer.json == SUCCESS
    assert hk.verified(answer, target)
    assert ask(hk.box.url, "POST", target, body, hk.headers(body)).json["result"]["resultCode"] == "INVALID_SIGNATURE"


@pytest.mark.parametrize(
    "time",
    ["1716340341000", "2024-05-22T01:12:21Z", "2024-05-22T01:12:21.123456789+08:00", "2024-05-22T01:12:21+0000", "yesterday", "9" * 40],
)
def test_the_time_is_text_unless_there_is_a_window(hk: Hk, box: Sandbox, time: str) -> None:
    assert hk.send(hk.body(CARD, "UPDATE", updateDetailType="UPDATE_SCORE"), time).json == SUCCESS
    box.guess({"hk.time_window": "15min"})
    answer = hk.send(hk.body(CARD, "UPDATE", updateDetailType="UPDATE_SCORE"), time)
    assert answer.json["result"]["resultCode"] == "PARAM_ILLEGAL"
    assert hk.verified(answer)


def test_a_time_inside_the_window_is_accepted(hk: Hk, box: Sandbox) -> None:
    box.guess({"hk.time_window": "15min"})
    now = hk.send(hk.body(CARD, "UPDATE", updateDetailType="UPDATE_SCORE")).headers["response-time"]
    assert hk.send(hk.body(CARD, "UPDATE", updateDetailType="UPDATE_SCORE"), now).json == SUCCESS
    assert hk.send(hk.body(CARD, "USED"), now.removesuffix("+08:00")).json["result"]["resultCode"] == "PARAM_ILLEGAL"


def test_a_header_that_comes_twice_is_none(hk: Hk) -> None:
    import http.client  # noqa: PLC0415 - the one test that writes headers one by one

    body = json.dumps(hk.body(CARD, "USED")).encode()
    connection = http.client.HTTPConnection(hk.box.url.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", PATH)
    for name, value in [*hk.headers(body).items(), ("Client-Id", hk.client), ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer["result"]["resultCode"] == "INVALID_CLIENT"
