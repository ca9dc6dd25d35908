"""RSA_AES at AlipayHK over real sockets: the ciphertext is what is signed, and each answer brings its own key.

Ciphertexts are made and opened by hand here, and by OpenSSL's own command.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus, unquote_to_bytes

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from passbridge.sandbox import Sandbox
from tests.sandbox.conftest import MOMENT, PATH, USER, Answer, Hk, ask, last, state
from tests.sandbox.hk_clients import CREATE_PASS, CREATE_TEMPLATE, SWITCH_STATUS, Encrypting, HkClient, deciphered, enciphered

TICKET_ID = "2995228480402564890032"
SUCCESS = {"result": {"resultCode": "SUCCESS", "resultStatus": "S", "resultMessage": "success"}}
ILLEGAL = {
    "result": {
        "resultCode": "PARAM_ILLEGAL",
        "resultStatus": "F",
        "resultMessage": "Illegal parameters. For example, non-numeric input, invalid date.",
    }
}
UPDATE = {"updateDetailType": "UPDATE_PASS", "bizDate": MOMENT, "dataInfo": {"$gate_zh_HK$": "閘口"}}

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the OpenSSL command line")


@pytest.fixture
def shop(box: Sandbox) -> Encrypting:
    client = Encrypting(box)
    box.add_passes({"account": "hk-encrypted", "id": TICKET_ID, "user_id": USER})
    return client


def used(shop: Encrypting, **changed: str) -> Answer:
    return shop.send(shop.body(TICKET_ID, "USED"), **changed)


def plainly_refused(shop: HkClient, answer: Answer, expected: object = ILLEGAL) -> None:
    """Signed, in plain text, and nothing applied."""
    assert shop.verified(answer)
    assert answer.json == expected
    assert "encrypt" not in answer.headers
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    entry = last(shop.box)
    assert (entry["signature"], entry["applied"], entry["pass"], entry["account"]) == ("ok", False, None, None)
    assert state(shop.box, TICKET_ID)["state"] == "ACTIVE"


# --- both ways ---------------------------------------------------------------------------------------------------------


def test_an_encrypted_request_is_answered_encrypted_under_a_key_of_its_own(shop: Encrypting) -> None:
    answers = [shop.send(shop.body(TICKET_ID, "UPDATE", **UPDATE)) for _ in range(2)]
    assert [shop.opened(answer) for answer in answers] == [SUCCESS, SUCCESS]
    assert state(shop.box, TICKET_ID)["content"] == UPDATE["dataInfo"]
    keys = [shop.key_of(answer) for answer in answers]
    assert {len(key) for key in keys} == {32}
    assert len({shop.aes_key, *keys}) == 3
    assert answers[0].headers["encrypt"].startswith("algorithm=RSA_AES,keyVersion=1,symmetricKey=")
    assert answers[0].headers["content-type"] == "text/plain; charset=UTF-8"
    entry = last(shop.box)
    assert (entry["pass"], entry["account"], entry["action"], entry["result"]) == (TICKET_ID, "hk-encrypted", "UPDATE", "SUCCESS")


def test_a_refusal_is_encrypted_too(shop: Encrypting) -> None:
    shop.opened(used(shop))
    assert shop.opened(used(shop))["result"]["resultCode"] == "PASS_USED_OCCUPIED"
    assert shop.opened(shop.send(shop.body("404", "USED")))["result"]["resultCode"] == "PASS_HAS_NOT_EXIST"


def test_every_path_can_be_encrypted(shop: Encrypting) -> None:
    answer = shop.send({"merchantId": shop.merchant}, target=CREATE_TEMPLATE)
    assert shop.opened(answer, CREATE_TEMPLATE) == ILLEGAL


def test_what_comes_before_the_signature_is_refused_in_plain_text_unsigned(shop: Encrypting) -> None:
    answer = used(shop, Signature="algorithm=RSA256,keyVersion=1,signature=AAAA")
    assert answer.json["result"]["resultCode"] == "INVALID_SIGNATURE"
    assert not {"signature", "encrypt"} & answer.headers.keys()


def test_the_ciphertext_is_what_is_signed_in_both_directions(shop: Encrypting) -> None:
    plain = json.dumps(shop.body(TICKET_ID, "USED")).encode()
    answer = used(shop, Signature=shop.headers(plain, PATH)["Signature"])
    assert answer.json["result"]["resultCode"] == "INVALID_SIGNATURE"
    assert state(shop.box, TICKET_ID)["state"] == "ACTIVE"
    answer = used(shop)
    assert shop.verified(answer)
    opened = deciphered(shop.key_of(answer), base64.b64decode(answer.body))
    assert not shop.verified(Answer(answer.status, answer.headers, opened))


@needs_openssl
def test_openssl_encrypts_and_decrypts_the_same_bytes(shop: Encrypting, tmp_path: Path) -> None:
    def openssl(*arguments: str, data: bytes) -> bytes:
        command = ["openssl", *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True, cwd=tmp_path).stdout  # noqa: S603 - our own words

    (tmp_path / "gateway.pem").write_bytes(shop.gateway_key("1"))
    (tmp_path / "key.pem").write_bytes(shop.settings["private_key"])
    key = bytes(range(100, 132))
    body = base64.b64encode(openssl("enc", "-aes-256-ecb", "-K", key.hex(), data=json.dumps(shop.body(TICKET_ID, "USED")).encode()))
    wrapped = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", "gateway.pem", "-pkeyopt", "rsa_padding_mode:pkcs1", data=key)
    header = f"algorithm=RSA_AES,keyVersion=1,symmetricKey={quote_plus(base64.b64encode(wrapped))}"
    answer = shop.post(PATH, body, {"Encrypt": header})
    assert shop.verified(answer)
    theirs = base64.b64decode(unquote_to_bytes(answer.headers["encrypt"].partition("symmetricKey=")[2]))
    unwrapped = openssl("pkeyutl", "-decrypt", "-inkey", "key.pem", "-pkeyopt", "rsa_padding_mode:pkcs1", data=theirs)
    opened = openssl("enc", "-d", "-aes-256-ecb", "-K", unwrapped.hex(), data=base64.b64decode(answer.body))
    assert json.loads(opened) == SUCCESS


@pytest.mark.parametrize("size", [16, 24, 32])
def test_an_aes_key_has_any_of_the_three_lengths(shop: Encrypting, size: int) -> None:
    shop.aes_key = b"k" * size
    assert shop.opened(used(shop)) == SUCCESS


@pytest.mark.parametrize("media_type", ["text/plain", "text/plain;charset=utf-8", "application/json", "application/json; charset=UTF-8"])
def test_a_ciphertext_may_be_called_text_or_json(shop: Encrypting, media_type: str) -> None:
    shop.media_type = media_type
    assert shop.opened(used(shop)) == SUCCESS


def test_an_encrypted_answer_may_be_called_json(shop: Encrypting) -> None:
    shop.box.guess({"hk.encrypted_type": "json"})
    answer = used(shop)
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert shop.opened(answer) == SUCCESS


@pytest.mark.parametrize(
    "form",
    [
        "algorithm=RSA_AES,keyVersion=1,symmetricKey={}",
        "algorithm=RSA_AES, keyVersion=1, symmetricKey={}",
        "algorithm=rsa_aes,keyVersion=1,symmetricKey={}",
        "algorithm=RSA, keyVersion=1, symmetricKey={}",
        "algorithm=rsa,keyversion=1,symmetrickey={}",
    ],
)
def test_the_header_may_be_written_in_the_ways_the_documents_show(shop: Encrypting, form: str) -> None:
    assert shop.opened(used(shop, Encrypt=form.format(shop.wrapped().partition("symmetricKey=")[2]))) == SUCCESS


@pytest.mark.parametrize("named", ["keyVersion=2,", "keyVersion=9,", ""])
def test_a_key_may_be_wrapped_for_the_gateways_next_key(shop: Encrypting, named: str) -> None:
    value = shop.wrapped("2").partition("symmetricKey=")[2]
    assert shop.opened(used(shop, Encrypt=f"algorithm=RSA_AES,{named}symmetricKey={value}")) == SUCCESS


@pytest.mark.parametrize(
    ("reading", "wrapping"),
    [
        ("OAEP-SHA1", padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)),  # noqa: S303 - OAEP's default hash
        ("OAEP-SHA256", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)),
    ],
)
def test_how_a_key_is_wrapped_is_a_guess(shop: Encrypting, reading: str, wrapping: padding.AsymmetricPadding) -> None:
    shop.box.guess({"hk.key_wrapping": reading})
    plainly_refused(shop, used(shop))
    shop.wrapping = wrapping
    assert shop.opened(used(shop)) == SUCCESS


# --- what can't be decrypted ---------------------------------------------------------------------------------------------


def wrongs(shop: Encrypting) -> dict[str, Answer]:
    """Answers to rightly signed requests, each wrong in another way."""
    body = json.dumps(shop.body(TICKET_ID, "USED")).encode()
    good = base64.b64encode(enciphered(shop.aes_key, body))
    marks = shop.wrapped()
    value = marks.partition("symmetricKey=")[2]
    half = quote_plus(base64.b64encode(base64.b64decode(unquote_to_bytes(value))[:128]))
    short = Encrypting(shop.box)
    short.aes_key = b"k" * 15
    sent: dict[str, tuple[bytes, str]] = {
        "no base64": (b"*" + good, marks),
        "line breaks": (base64.encodebytes(base64.b64decode(good)), marks),
        "nothing": (b"", marks),
        "plain": (body, marks),
        "half a block": (base64.b64encode(base64.b64decode(good)[:-8]), marks),
        "a block missing": (base64.b64encode(base64.b64decode(good)[:-16]), marks),
        "another key": (base64.b64encode(enciphered(b"o" * 32, body)), marks),
        "no object": (base64.b64encode(enciphered(shop.aes_key, b"[]")), marks),
        "no JSON": (base64.b64encode(enciphered(shop.aes_key, b"\xff")), marks),
        "a member twice": (base64.b64encode(enciphered(shop.aes_key, b'{"passId":"1","passId":"2"}')), marks),
        "no key": (good, "algorithm=RSA_AES,keyVersion=1"),
        "an empty key": (good, "algorithm=RSA_AES,keyVersion=1,symmetricKey="),
        "half a key": (good, marks.replace(value, half)),
        "a key that is no base64": (good, marks.replace(value, "***")),
        "a key of an unfit length": (good, short.wrapped()),
        "a key for the next": (good, f"algorithm=RSA_AES,keyVersion=2,symmetricKey={value}"),
        "another algorithm": (good, marks.replace("RSA_AES", "RSA_DES")),
        "a name twice": (good, f"{marks},symmetricKey={value}"),
    }
    return {name: shop.post(PATH, data, {"Content-Type": shop.media_type, "Encrypt": header}) for name, (data, header) in sent.items()}


def test_whatever_is_wrong_with_a_ciphertext_is_answered_alike(shop: Encrypting) -> None:
    for answer in wrongs(shop).values():
        plainly_refused(shop, answer)
    assert {row["result"] for row in shop.box.requests()} == {"PARAM_ILLEGAL"}


def test_the_word_for_it_is_a_guess(shop: Encrypting) -> None:
    shop.box.guess({"hk.undecryptable": "MSG_PARSE_ERROR"})
    answers = [answer.json["result"]["resultCode"] for answer in wrongs(shop).values()]
    assert set(answers) == {"MSG_PARSE_ERROR"}
    assert len(answers) == 18


def test_a_plain_request_is_refused_unless_guessed_otherwise(shop: Encrypting) -> None:
    body = json.dumps(shop.body(TICKET_ID, "USED")).encode()
    plainly = shop.post(PATH, body)
    assert plainly.json == ILLEGAL
    shop.box.guess({"hk.plain_request": "ACCESS_DENIED"})
    assert shop.code(PATH, shop.body(TICKET_ID, "USED")) == "ACCESS_DENIED"
    assert state(shop.box, TICKET_ID)["state"] == "ACTIVE"
    shop.box.guess({"hk.plain_request": "accepted"})
    answer = shop.post(PATH, body)
    assert shop.verified(answer)
    assert (answer.json, "encrypt" in answer.headers) == (SUCCESS, False)


def test_a_plain_request_may_not_be_called_text(shop: Encrypting) -> None:
    body = json.dumps(shop.body(TICKET_ID, "USED")).encode()
    assert shop.post(PATH, body, {"Content-Type": "text/plain"}).json["result"]["resultCode"] == "MEDIA_TYPE_NOT_ACCEPTABLE"


def test_a_client_without_encryption_is_not_decrypted(shop: Encrypting, hk: Hk) -> None:
    plain = HkClient(hk.box, "hk-tickets")
    body = base64.b64encode(enciphered(shop.aes_key, json.dumps(plain.body(TICKET_ID, "USED")).encode()))
    answer = plain.post(PATH, body, {"Encrypt": shop.wrapped()})
    plainly_refused(plain, answer)


def test_an_encrypt_header_that_comes_twice_is_none(shop: Encrypting) -> None:
    import http.client  # noqa: PLC0415 - the one test that writes headers one by one

    body = base64.b64encode(enciphered(shop.aes_key, json.dumps(shop.body(TICKET_ID, "USED")).encode()))
    connection = http.client.HTTPConnection(shop.box.url.removeprefix("http://"), timeout=20)
    connection.putrequest("POST", PATH)
    fields = [
        *shop.headers(body, PATH).items(),
        ("Encrypt", shop.wrapped()),
        ("Encrypt", shop.wrapped()),
        ("Content-Length", str(len(body))),
    ]
    for name, value in fields:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert answer == ILLEGAL


# --- faults -----------------------------------------------------------------------------------------------------------------


def struck(shop: Encrypting, fault: str) -> Answer:
    """The rightly signed answer to a redemption that a fault strikes; the redemption has its effect."""
    shop.box.add_fault({"fault": fault, "gateway": "hk"})
    answer = used(shop)
    assert shop.verified(answer)
    assert (state(shop.box, TICKET_ID)["state"], shop.box.faults()) == ("USED", [])
    return answer


def read(key: bytes, answer: Answer) -> Any:  # noqa: ANN401 - JSON
    """What this key makes of an answer; nothing, if that is no JSON."""
    try:
        return json.loads(deciphered(key, base64.b64decode(answer.body, validate=True)))
    except ValueError:
        return None


def test_a_torn_ciphertext(shop: Encrypting) -> None:
    answer = struck(shop, "torn-ciphertext")
    data = base64.b64decode(answer.body, validate=True)
    assert data
    assert len(data) % 16 == 0
    with pytest.raises(ValueError, match="padding"):
        deciphered(shop.key_of(answer), data)


def test_a_key_wrapped_for_a_stranger(shop: Encrypting) -> None:
    answer = struck(shop, "bad-wrapped-key")
    value = base64.b64decode(unquote_to_bytes(answer.headers["encrypt"].partition("symmetricKey=")[2]), validate=True)
    assert len(value) == 256
    try:
        key = shop.key_of(answer)
    except ValueError:  # by the library's version: a wrong padding is told, or gives a random key
        key = b""
    assert read(key, answer) is None


def test_a_plain_answer_where_an_encrypted_one_is_due(shop: Encrypting) -> None:
    answer = struck(shop, "plain-answer")
    assert (answer.json, "encrypt" in answer.headers) == (SUCCESS, False)


def test_a_ciphertext_without_its_header(shop: Encrypting) -> None:
    answer = struck(shop, "no-encrypt-header")
    assert "encrypt" not in answer.headers
    assert read(shop.aes_key, answer) is None


def test_the_requests_own_key_is_right_for_those_who_know_it(shop: Encrypting) -> None:
    answer = struck(shop, "same-aes-key")
    assert answer.headers["encrypt"] == "algorithm=RSA_AES,keyVersion=1"
    assert read(shop.aes_key, answer) == SUCCESS


@pytest.mark.parametrize("fault", ["torn-ciphertext", "bad-wrapped-key", "plain-answer", "no-encrypt-header", "same-aes-key"])
def test_they_wait_for_an_encrypted_exchange(shop: Encrypting, hk: Hk, fault: str) -> None:
    shop.box.add_fault({"fault": fault, "gateway": "hk"})
    assert hk.code("404", "USED") == "PASS_HAS_NOT_EXIST"
    plainly_refused(shop, shop.post(PATH, b"{"))
    assert len(shop.box.faults()) == 1


@pytest.mark.parametrize(
    ("fault", "holds"),
    [
        ("unknown-letter", lambda found: found["result"]["resultStatus"] == "X"),
        ("two-results", lambda found: {"result", "resultInfo"} <= found.keys()),
        ("no-letter", lambda found: "resultStatus" not in found["result"]),
    ],
)
def test_the_faults_of_content_stand_inside_the_ciphertext(shop: Encrypting, fault: str, holds: Any) -> None:  # noqa: ANN401 - a test of JSON
    assert holds(shop.opened(struck(shop, fault)))


@pytest.mark.parametrize("fault", ["bad-signature", "reserialised", "signed-for-client", "sha1-signature"])
def test_the_faults_of_a_signature_cover_the_ciphertext(shop: Encrypting, fault: str) -> None:
    shop.box.add_fault({"fault": fault})
    answer = used(shop)
    assert not shop.verified(answer)
    assert json.loads(deciphered(shop.key_of(answer), base64.b64decode(answer.body))) == SUCCESS


def test_an_echo_brings_the_requests_own_header_back(shop: Encrypting) -> None:
    shop.box.add_fault({"fault": "echo"})
    header = shop.wrapped()
    body = base64.b64encode(enciphered(shop.aes_key, json.dumps(shop.body(TICKET_ID, "USED")).encode()))
    answer = shop.post(PATH, body, {"Encrypt": header})
    assert (answer.body, answer.headers["encrypt"]) == (body, header)


def test_the_gateway_may_change_its_key_meanwhile(shop: Encrypting) -> None:
    assert shop.mark(struck(shop, "next-gateway-key"))["keyVersion"] == "2"


# --- the accounts ---------------------------------------------------------------------------------------------------------------


def test_the_further_accounts_stand_in_no_configuration_unless_asked_for(box: Sandbox, tmp_path: Path) -> None:
    further = {"hk-ecc", "hk-encrypted", "hk-rotating", "hk-rotated"}
    assert not further & box.config()["accounts"].keys()
    every = box.config(all_accounts=True)["accounts"]
    assert further <= every.keys()
    assert every["hk-ecc"]["algorithm"] == "ECC224"
    assert every["hk-encrypted"]["encryption"] == {"algorithm": "RSA_AES"}
    assert set(every["hk-encrypted"]["gateway_public_keys"]) == {"1", "2"}
    box.write_config(tmp_path / "passbridge.toml", all_accounts=True)
    written = _toml(tmp_path / "passbridge.toml")
    for name in further:
        files = written[name]["gateway_public_keys"]
        assert {version: (tmp_path / file).read_bytes().partition(b"\n")[2] for version, file in files.items()} == every[name][
            "gateway_public_keys"
        ]
        assert (tmp_path / written[name]["private_key"]).read_bytes().endswith(every[name]["private_key"])
    assert written["hk-encrypted"]["encryption"] == {"algorithm": "RSA_AES"}


def _toml(path: Path) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - the one test that reads the file

    accounts: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["accounts"]
    return accounts


def test_the_sandboxs_own_page_names_every_path(box: Sandbox) -> None:
    page = ask(box.url, "GET", "/").body.decode()
    assert all(f"<code>POST {path}</code>: AlipayHK" in page for path in (PATH, CREATE_PASS, CREATE_TEMPLATE, SWITCH_STATUS))
