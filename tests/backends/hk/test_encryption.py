"""RSA_AES: what leaves is what OpenSSL can open, and what comes is believed only as a verified, encrypted answer."""

from __future__ import annotations

import base64
import copy
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import settings as settled
from hypothesis import strategies as st

from passbridge import Client, Code, Finding
from passbridge.backends.hk import BACKEND
from passbridge.backends.hk.backend import HkGateway
from passbridge.backends.hk.encryption import EncryptedRequest
from passbridge.domain import Native
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from tests.backends.hk.desk import CLIENT, NOW, PATH, SUCCESS, TIME, UPDATES, account, field, native, opened, result, settings, signature
from tests.backends.support import VECTORS, openssl_verifies, pem, secret, tables
from tests.vectors.rsa_aes import ecb, encrypt_field, seal, unseal, wrapped

KEY = bytes(range(32))
OURS, OUR_PUBLIC = VECTORS / "keys/hk-app.pem", VECTORS / "keys/hk-app-public.pem"
THEIRS = VECTORS / "keys/hk-gateway.pem"
WRAPS = ("PKCS1", "OAEP-SHA1", "OAEP-SHA256")


@cache
def encrypted(**given: object) -> HkGateway:
    """An account that encrypts, under the key of these tests."""
    return opened(encryption=dict(given)).drawing(lambda size: KEY[:size])


def sealed(gateway: HkGateway, action: str = "redeem") -> WireRequest:
    return gateway.seal(gateway.prepare(UPDATES[action], NOW), NOW)


def answered(body: bytes, *said: str, signed: str | None = None) -> WireResponse:
    """An answer, rightly signed unless its `Signature` field is given ("" leaves it out), with these `Encrypt` fields."""
    signed = field(signature(body)) if signed is None else signed
    fields = [("client-id", CLIENT), ("response-time", TIME), ("tracerid", "t-1"), *(("encrypt", one) for one in said)]
    return WireResponse(200, Headers([*fields, ("signature", signed)] if signed else fields), body)


def judged(response: WireResponse, gateway: HkGateway | None = None) -> Verdict:
    gateway = gateway or encrypted()
    return gateway.judge(gateway.prepare(UPDATES["redeem"], NOW), sealed(gateway), response, NOW)


# What leaves


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("action", UPDATES)
def test_what_leaves_is_opened_by_openssl_and_is_what_a_plain_account_sends(action: str, wrap: str) -> None:
    request = sealed(encrypted(wrap=wrap), action)
    assert unseal(request.headers["Encrypt"], request.body, THEIRS, wrap) == sealed(account(), action).body


def test_the_script_that_opens_it_stands_on_its_own() -> None:
    request = sealed(encrypted())
    command = [sys.executable, "-I", "-S", str(VECTORS / "rsa_aes.py"), "open", str(THEIRS), "PKCS1"]
    envelope = json.dumps({"encrypt": request.headers["Encrypt"], "body": request.body.decode()})
    done = subprocess.run(command, input=envelope.encode(), capture_output=True, check=True)  # noqa: S603 - our own words
    assert done.stdout == sealed(account()).body
    command[4:] = ["seal", str(OUR_PUBLIC), "PKCS1", os.urandom(32).hex()]
    done = subprocess.run(command, input=SUCCESS, capture_output=True, check=True)  # noqa: S603 - our own words
    made = json.loads(done.stdout)
    assert judged(answered(made["body"].encode(), made["encrypt"])).code is Code.APPLIED


def test_the_ciphertext_is_what_is_signed() -> None:
    request = sealed(encrypted())
    text = f"POST {PATH}\n{CLIENT}.{TIME}.".encode() + request.body
    signed = base64.b64decode(unquote(request.headers["Signature"].partition("signature=")[2]), validate=True)
    assert openssl_verifies("hk-app", text, signed)
    assert base64.b64encode(base64.b64decode(request.body, validate=True)) == request.body


@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_the_fields_say_that_it_is_encrypted(content_type: str) -> None:
    headers = sealed(encrypted(content_type=content_type)).headers
    assert [name for name, _ in headers.pairs()] == ["Content-Type", "Client-Id", "Request-Time", "Signature", "Encrypt"]
    assert headers["Content-Type"] == f"{content_type}; charset=UTF-8"
    start, _, key = headers["Encrypt"].partition("symmetricKey=")
    assert start == "algorithm=RSA_AES,keyVersion=1,"
    assert not set("+/=, ") & set(key)


VERSIONS: dict[str, tuple[dict[str, object], str, str]] = {
    "one key": ({"encryption": {}}, "1", "hk-gateway"),
    "one key, its version named": ({"encryption": {"key_version": "7"}}, "7", "hk-gateway"),
    "the newest of two": ({"encryption": {}, "gateway_public_key": None}, "10", "hk-gateway-2"),
    "the older of two": ({"encryption": {"key_version": "9"}, "gateway_public_key": None}, "9", "hk-gateway"),
    "a key for this alone": ({"encryption": {}, "encryption_public_key": secret("stranger-public")}, "1", "stranger"),
}


@pytest.mark.parametrize(("given", "version", "key"), VERSIONS.values(), ids=VERSIONS)
def test_the_field_names_the_version_of_the_key_it_is_wrapped_under(given: dict[str, object], version: str, key: str) -> None:
    two = {"9": secret("hk-gateway-public"), "10": secret("hk-gateway-2-public")} if "gateway_public_key" in given else {}
    gateway = BACKEND.open(settings(**given, gateway_public_keys=two), tables(), None)
    request = sealed(gateway.drawing(os.urandom))
    assert request.headers["Encrypt"].startswith(f"algorithm=RSA_AES,keyVersion={version},symmetricKey=")
    assert unseal(request.headers["Encrypt"], request.body, VECTORS / f"keys/{key}.pem", "PKCS1") == sealed(account()).body


def test_a_client_draws_a_fresh_key_for_each_request() -> None:
    given: dict[str, Any] = {
        "backend": "hk",
        "profile": "ticket",
        "gateway": "https://open.alipay.hk",
        "client_id": CLIENT,
        "merchant_id": "2312314123123123",
        "private_key": pem("hk-app"),
        "gateway_public_key": pem("hk-gateway-public"),
        "encryption": {},
    }
    with Client.from_config({"default": "hk", "accounts": {"hk": given}}) as client:
        first, second = client.render(UPDATES["redeem"]), client.render(UPDATES["redeem"])
    assert first.body != second.body
    assert {unseal(one.headers["Encrypt"], one.body, THEIRS, "PKCS1") for one in (first, second)} == {sealed(account()).body}


def test_an_account_opened_without_randomness_sends_nothing() -> None:
    with pytest.raises(RuntimeError, match=r"^32 random bytes are wanted"):
        sealed(opened(encryption={}))


def test_an_account_that_encrypts_nothing_needs_no_randomness() -> None:
    assert sealed(opened().drawing(os.urandom)) == sealed(opened())


def test_a_request_shows_its_key_to_nobody() -> None:
    request = sealed(encrypted())
    assert isinstance(request, EncryptedRequest)
    assert request.key.reveal() == KEY
    assert KEY not in pickle.dumps(request)
    assert "key=" not in repr(request)
    for one in (pickle.loads(pickle.dumps(request)), copy.copy(request), copy.deepcopy(request)):  # noqa: S301 - our own
        assert type(one) is WireRequest
        assert (one.url, one.body, dict(one.headers)) == (request.url, request.body, dict(request.headers))


def test_any_other_call_is_encrypted_too() -> None:
    gateway = encrypted()
    calls, prepared = gateway.calling("/api/open/alipay/v1/ipass/template/manage/detail", {"templateCode": "1"})
    request = calls.seal(prepared, NOW)
    assert unseal(request.headers["Encrypt"], request.body, THEIRS, "PKCS1") == b'{"templateCode":"1"}'
    text = result(status="S", templateCode="1")
    said, body = seal(text, OUR_PUBLIC, "PKCS1", os.urandom(32))
    signed = field(signature(body, path="/api/open/alipay/v1/ipass/template/manage/detail"))
    assert calls.judge(prepared, request, answered(body, said, signed=signed), NOW).answer == json.loads(text)
    plain = field(signature(text, path="/api/open/alipay/v1/ipass/template/manage/detail"))
    assert calls.judge(prepared, request, answered(text, signed=plain), NOW).answer is None


# What is believed


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize(("body", "code"), [(SUCCESS, Code.APPLIED), (result("PASS_STATUS_ILLEGAL", "F"), Code.STATE_CONFLICT)])
def test_an_answer_under_its_own_key_is_read(wrap: str, body: bytes, code: Code) -> None:
    said, ciphertext = seal(body, OUR_PUBLIC, wrap, os.urandom(32))
    verdict = judged(answered(ciphertext, said), encrypted(wrap=wrap))
    assert (verdict.code, verdict.finding) == (code, None)
    assert verdict.native is not None
    assert verdict.native.verified


FIELD = encrypt_field(wrapped(KEY, OUR_PUBLIC, "PKCS1"))
WRAPPED = FIELD.partition("symmetricKey=")[2]
SPELLINGS = {
    "no key: the request's own": "algorithm=RSA_AES,keyVersion=1",
    "no key and nothing else": "algorithm=RSA_AES",
    "blanks after the commas": FIELD.replace(",", ", "),
    "blanks everywhere": f" algorithm = RSA_AES ,keyVersion = 1 , symmetricKey = {WRAPPED} ",
    "the algorithm as in a sample of seed 001": FIELD.replace("RSA_AES", "RSA"),
    "the algorithm as in a sample of seed 000": FIELD.replace("RSA_AES", "rsa"),
    "another version of our key": FIELD.replace("keyVersion=1", "keyVersion=7"),
    "names in another case": FIELD.replace("symmetricKey", "SYMMETRICKEY"),
    "plain base64": unquote(FIELD),
}


@pytest.mark.parametrize("said", SPELLINGS.values(), ids=SPELLINGS)
def test_every_spelling_of_the_field_is_read(said: str) -> None:
    assert judged(answered(base64.b64encode(ecb(KEY, SUCCESS)), said)).code is Code.APPLIED


def test_a_shorter_key_is_read_too() -> None:
    said, body = seal(SUCCESS, OUR_PUBLIC, "PKCS1", os.urandom(16))
    assert judged(answered(body, said)).code is Code.APPLIED


def test_answers_are_opened_by_the_key_named_for_them() -> None:
    gateway = opened(encryption={}, encryption_private_key=secret("hk-app-2")).drawing(os.urandom)
    said, body = seal(SUCCESS, VECTORS / "keys/hk-app-2-public.pem", "PKCS1", os.urandom(32))
    assert judged(answered(body, said), gateway).code is Code.APPLIED
    said, body = seal(SUCCESS, OUR_PUBLIC, "PKCS1", os.urandom(32))
    assert judged(answered(body, said), gateway) == UNREADABLE


# What can't be decrypted


UNREADABLE = Verdict(
    code=Code.BAD_ANSWER,
    reason="the answer can't be decrypted",
    trace_id="t-1",
    finding=Finding(
        code="ENC-UNREADABLE",
        message="the answer can't be decrypted",
        mend="if every answer fails so, AlipayHK encrypts to another key than ours, or in another way: see encryption in the configuration",
    ),
)


def b64(data: bytes) -> bytes:
    return base64.b64encode(data)


GOOD = b64(ecb(KEY, SUCCESS))
BLOCKS = base64.b64decode(GOOD)
OTHER = encrypt_field(wrapped(bytes(32), OUR_PUBLIC, "PKCS1"))
CANT: Mapping[str, tuple[bytes, tuple[str, ...]]] = {
    "a wrong key": (GOOD, (OTHER,)),
    "a key for somebody else": (GOOD, (encrypt_field(wrapped(KEY, VECTORS / "keys/stranger-public.pem", "PKCS1")),)),
    "a key wrapped in another way": (GOOD, (encrypt_field(wrapped(KEY, OUR_PUBLIC, "OAEP-SHA1")),)),
    "a key of a wrong length": (GOOD, (encrypt_field(wrapped(KEY[:31], OUR_PUBLIC, "PKCS1")),)),
    "an empty key": (GOOD, (encrypt_field(wrapped(b"", OUR_PUBLIC, "PKCS1")),)),
    "a key that was never wrapped": (GOOD, (encrypt_field(KEY),)),
    "a wrapped key cut short": (GOOD, (FIELD[:-9],)),
    "a wrapped key of zeros": (GOOD, (encrypt_field(bytes(256)),)),
    "a wrapped key beyond the modulus": (GOOD, (encrypt_field(b"\xff" * 256),)),
    "no base64 for a key": (GOOD, ("algorithm=RSA_AES,symmetricKey=*",)),
    "no ASCII for a key": (GOOD, ("algorithm=RSA_AES,symmetricKey=é",)),
    "no text for a key": (GOOD, ("algorithm=RSA_AES,symmetricKey=%ff%fe",)),
    "nothing for a key": (GOOD, ("algorithm=RSA_AES,symmetricKey=",)),
    "a part twice": (GOOD, (f"{FIELD},symmetricKey={WRAPPED}",)),
    "the field twice": (GOOD, (FIELD, FIELD)),
    "an empty field": (GOOD, ("",)),
    "no algorithm": (GOOD, (f"symmetricKey={WRAPPED}",)),
    "another algorithm": (GOOD, (FIELD.replace("RSA_AES", "SM2_SM4"),)),
    "an empty body": (b"", (FIELD,)),
    "no base64": (SUCCESS, (FIELD,)),
    "base64 with a line break": (GOOD[:64] + b"\n" + GOOD[64:], (FIELD,)),
    "base64 for URLs": (b64(b"\xff" * 16).replace(b"/", b"_"), (FIELD,)),
    "a block cut short": (b64(BLOCKS[:-1]), (FIELD,)),
    "the last block missing": (b64(BLOCKS[:-16]), (FIELD,)),
    "the last block flipped": (b64(BLOCKS[:-1] + bytes([BLOCKS[-1] ^ 1])), (FIELD,)),
    "no padding": (b64(ecb(KEY, b" " * 16, "-nopad")), (FIELD,)),
    "a padding of zero": (b64(ecb(KEY, bytes(16), "-nopad")), (FIELD,)),
    "a padding of seventeen": (b64(ecb(KEY, b"\x11" * 32, "-nopad")), (FIELD,)),
    "an empty text": (b64(ecb(KEY, b"")), (FIELD,)),
    "a text that is no UTF-8": (b64(ecb(KEY, b"\xff" * 20)), (FIELD,)),
    "a text that is no JSON": (b64(ecb(KEY, b"<html></html>")), (FIELD,)),
    "a text that is no object": (b64(ecb(KEY, b"[]")), (FIELD,)),
    "a member twice in the text": (b64(ecb(KEY, SUCCESS[:-1] + b"," + SUCCESS[1:])), (FIELD,)),
}


@pytest.mark.parametrize(("body", "said"), CANT.values(), ids=CANT)
def test_whatever_can_t_be_decrypted_ends_in_one_and_the_same_verdict(body: bytes, said: tuple[str, ...]) -> None:
    assert judged(answered(body, *said)) == UNREADABLE


@settled(max_examples=150)
@given(
    body=st.binary(max_size=64) | st.binary(max_size=64).map(base64.b64encode),
    said=st.text(st.characters(max_codepoint=255), max_size=80) | st.text("algorithm=RSA_AES,keyVersion=1,symmetricKey=%4A/+", max_size=80),
)
def test_no_field_and_no_body_breaks_anything(body: bytes, said: str) -> None:
    assert judged(answered(body, said)) == UNREADABLE


def test_without_a_key_in_the_answer_the_request_must_have_brought_one() -> None:
    gateway = encrypted()
    plain = sealed(account())
    assert gateway.judge(gateway.prepare(UPDATES["redeem"], NOW), plain, answered(GOOD, "algorithm=RSA_AES"), NOW) == UNREADABLE


@pytest.mark.parametrize("position", range(0, len(BLOCKS) - 16, 16))
def test_no_flipped_bit_of_the_ciphertext_is_believed_even_if_signed(position: int) -> None:
    flipped = bytes([*BLOCKS[:position], BLOCKS[position] ^ 1, *BLOCKS[position + 1 :]])
    assert judged(answered(b64(flipped), FIELD)) == UNREADABLE


def test_what_was_decrypted_is_read_as_strictly_as_what_was_not() -> None:
    for text, reason in ((b"{}", "no result node"), (result(code=None), "the answer has no resultCode")):
        said, body = seal(text, OUR_PUBLIC, "PKCS1", KEY)
        verdict = judged(answered(body, said))
        assert (verdict.code, verdict.reason, verdict.finding) == (Code.BAD_ANSWER, reason, None)


# What is not believed at all


def spied(gateway: HkGateway) -> tuple[HkGateway, list[bytes]]:
    """The account, and what it unwraps."""
    assert gateway.encryption is not None
    seen: list[bytes] = []
    unwrap = gateway.encryption.unwrap

    def spy(data: bytes) -> bytes:
        seen.append(data)
        return unwrap(data)

    return replace(gateway, encryption=replace(gateway.encryption, unwrap=spy)), seen


@pytest.mark.parametrize(
    ("signed", "finding"),
    [
        ("", "SIG-MISSING"),
        (field(signature(GOOD, key="stranger")), "SIG-MISMATCH"),
        (field(signature(SUCCESS)), "SIG-MISMATCH"),  # over the text instead of the ciphertext
        (field(signature(GOOD)).replace("RSA256", "ECC224"), "SIG-ALGORITHM"),
    ],
)
def test_nothing_is_decrypted_that_was_not_verified(signed: str, finding: str) -> None:
    gateway, seen = spied(encrypted())
    verdict = judged(answered(GOOD, FIELD, signed=signed), gateway)
    assert (verdict.code, verdict.native, verdict.finding and verdict.finding.code) == (Code.UNTRUSTED_ANSWER, None, finding)
    assert seen == []
    assert judged(answered(GOOD, FIELD), gateway).code is Code.APPLIED
    assert len(seen) == 1


NOT_ENCRYPTED = Finding(
    code="ENC-PLAIN",
    message="the answer is not encrypted, though this account's answers are",
    mend="if every answer fails so, ask AlipayHK whether encryption is switched on for this client id",
)


@pytest.mark.parametrize(
    ("body", "claimed"),
    [
        (SUCCESS, native(verified=False)),
        (result("NO_SUCH_CODE", "F"), native("NO_SUCH_CODE", "F", verified=False)),
        (result("SUCCESS", "F"), native("SUCCESS", "F", verified=False)),
        (result("PARAM_ILLEGAL", "S"), native("PARAM_ILLEGAL", "S", verified=False)),
        (result("PARAM_ILLEGAL", None), native("PARAM_ILLEGAL", None, verified=False)),
        (GOOD, None),
        (b"", None),
    ],
    ids=["a success", "an unknown code", "F with SUCCESS", "S with a failure", "no letter", "ciphertext without its field", "nothing"],
)
def test_a_plain_answer_is_not_believed_though_it_is_signed(body: bytes, claimed: Native | None) -> None:
    verdict = judged(answered(body))
    assert verdict == Verdict(
        code=Code.UNTRUSTED_ANSWER,
        finding=NOT_ENCRYPTED,
        native=claimed,
        trace_id="t-1",
        reason=NOT_ENCRYPTED.message,
    )


@pytest.mark.parametrize(
    ("code", "letter", "read"),
    [
        ("PARAM_ILLEGAL", "F", Code.INVALID_VALUE),
        ("KEY_NOT_FOUND", "F", Code.ACCESS_DENIED),
        ("UNKNOWN_EXCEPTION", "U", Code.PROVIDER_ERROR),
    ],
)
def test_a_documented_failure_may_come_plain_if_it_is_signed(code: str, letter: str, read: Code) -> None:
    verdict = judged(answered(result(code, letter)))
    assert (verdict.code, verdict.native) == (read, native(code, letter))
    unsigned = judged(answered(result(code, letter), signed=""))
    assert (unsigned.code, unsigned.finding and unsigned.finding.code) == (Code.UNTRUSTED_ANSWER, "SIG-MISSING")


def test_what_is_no_answer_of_the_gateway_is_none_here_either() -> None:
    assert judged(answered(b"<html></html>", signed="")).code is Code.NO_ANSWER
    assert judged(answered(GOOD, FIELD, signed=""), account()).code is Code.UNTRUSTED_ANSWER


def test_an_encrypted_answer_to_an_account_that_encrypts_nothing_is_a_bad_answer() -> None:
    verdict = judged(answered(GOOD, FIELD), account())
    assert (verdict.code, verdict.reason) == (Code.BAD_ANSWER, "it is encrypted, and no encryption is configured")
    # The field is not signed: whoever adds it to a plain answer changes nothing.
    assert judged(answered(SUCCESS, FIELD), account()).code is Code.APPLIED
