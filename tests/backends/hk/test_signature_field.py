"""The `Signature` field of an answer: what every writer of it may write, and what proves nothing."""

from __future__ import annotations

import base64
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hashes import HashAlgorithm

from passbridge import Code, Finding
from passbridge.protocol.verdict import Verdict
from tests.backends.hk.desk import CLIENT, NOW, PATH, SUCCESS, TIME, UPDATES, field, judged, native, opened, reply, signature
from tests.backends.support import secret, sign

PLAIN = base64.b64encode(signature(SUCCESS)).decode()
QUOTED = quote(PLAIN, safe="")

MISMATCH = Finding(
    code="SIG-MISMATCH",
    message="the signature is not the gateway's over this answer",
    mend="if every answer fails so, gateway_public_key is not AlipayHK's current key",
)
TWICE = Finding(code="SIG-MALFORMED", message="the Signature field names a part twice")
NO_BASE64 = Finding(code="SIG-MALFORMED", message="the Signature field holds no base64 signature")
ALGORITHM = Finding(code="SIG-ALGORITHM", message="the answer announces another algorithm than RSA256")
KEY_VERSION = Finding(
    code="SIG-KEY-VERSION", message="the answer names a keyVersion that is not configured", mend="add it to gateway_public_keys"
)


def untrusted(finding: Finding) -> Verdict:
    """The verdict on a success that isn't believed."""
    claimed = native(verified=False)
    return Verdict(code=Code.UNTRUSTED_ANSWER, finding=finding, native=claimed, trace_id="t-1", reason=finding.message)


def test_the_sample_signature_holds_what_escaping_is_about() -> None:
    assert "+" in PLAIN
    assert "/" in PLAIN
    assert PLAIN.endswith("==")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"algorithm=RSA256,keyVersion=1,signature={QUOTED}", id="as the kits write it"),
        pytest.param(f"algorithm=RSA256, keyVersion=1, signature={QUOTED}", id="blanks after the commas"),
        pytest.param(f" algorithm = RSA256 ,keyVersion = 1 , signature = {QUOTED} ", id="blanks everywhere"),
        pytest.param(f"signature={QUOTED},keyVersion=1,algorithm=RSA256", id="another order"),
        pytest.param(f"ALGORITHM=RSA256,KeyVersion=1,Signature={QUOTED}", id="names in another case"),
        pytest.param(f"algorithm=rsa256,keyVersion=1,signature={QUOTED}", id="the algorithm in another case"),
        pytest.param(f"algorithm=SHA256withRSA,keyVersion=2,signature={QUOTED}", id="the algorithm by its older name"),
        pytest.param(f"algorithm=RSA256,signature={QUOTED}", id="no keyVersion"),
        pytest.param(f"algorithm=RSA256,keyVersion=,signature={QUOTED}", id="an empty keyVersion"),
        pytest.param(f"algorithm=RSA256,keyVersion=0,signature={QUOTED}", id="keyVersion 0"),
        pytest.param(f"keyVersion=1,signature={QUOTED}", id="no algorithm"),
        pytest.param(f"signature={QUOTED}", id="the signature alone"),
        pytest.param(f"algorithm=RSA256,keyVersion=1,nonce=7,signature={QUOTED}", id="a part nobody knows"),
        pytest.param(f"algorithm=RSA256,keyVersion=1,signature={PLAIN}", id="plain base64, with its plus signs"),
        pytest.param(f"signature={PLAIN.replace('+', '%2B')}", id="only the plus signs escaped"),
        pytest.param(f"signature={PLAIN.replace('+', '%2b').replace('/', '%2f').replace('=', '%3d')}", id="escapes in lower case"),
    ],
)
def test_every_known_way_of_writing_a_right_signature_is_believed(text: str) -> None:
    assert judged(reply(signed=text)) == Verdict(
        code=Code.APPLIED, rule="hk.ticket#codes.SUCCESS", native=native(), trace_id="t-1", mapped=True
    )


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        pytest.param(f"signature={QUOTED},signature={QUOTED}", TWICE, id="two signatures"),
        pytest.param(f"algorithm=RSA256,ALGORITHM=RSA256,signature={QUOTED}", TWICE, id="two algorithms"),
        pytest.param(f"keyVersion=1, keyversion=1,signature={QUOTED}", TWICE, id="two keyVersions"),
        pytest.param("algorithm=RSA256,keyVersion=1", NO_BASE64, id="no signature"),
        pytest.param("algorithm=RSA256,keyVersion=1,signature=", NO_BASE64, id="an empty signature"),
        pytest.param("signature=%20", NO_BASE64, id="a blank"),
        pytest.param(QUOTED, NO_BASE64, id="no names at all"),
        pytest.param(f"signature={quote(QUOTED)}", NO_BASE64, id="escaped twice"),
        pytest.param(f"signature={PLAIN.replace('+', ' ')}", NO_BASE64, id="plus signs read as blanks"),
        pytest.param(f"signature={PLAIN.replace('+', '-').replace('/', '_')}", NO_BASE64, id="the URL alphabet"),
        pytest.param(f"signature={PLAIN.rstrip('=')}", NO_BASE64, id="no padding"),
        pytest.param("signature=%FF%FE", NO_BASE64, id="escapes that are not UTF-8"),
        pytest.param(f"signature={PLAIN}é", NO_BASE64, id="beyond ASCII"),
        pytest.param(f"signature={PLAIN[:-4]}", MISMATCH, id="cut short"),
        pytest.param("signature=AAAA", MISMATCH, id="three bytes"),
        pytest.param(f"algorithm=ECC224,keyVersion=1,signature={QUOTED}", ALGORITHM, id="ECC224 announced"),
        pytest.param(f"algorithm=,signature={QUOTED}", ALGORITHM, id="an empty algorithm"),
        pytest.param(f"algorithm=SHA1withRSA,signature={QUOTED}", ALGORITHM, id="SHA-1 announced"),
    ],
)
def test_a_field_that_is_written_otherwise_proves_nothing(text: str, finding: Finding) -> None:
    assert judged(reply(signed=text)) == untrusted(finding)


@pytest.mark.parametrize(
    "signed",
    [
        pytest.param(signature(SUCCESS, digest=hashes.SHA1()), id="SHA-1"),  # noqa: S303 - a downgrade
        pytest.param(signature(SUCCESS, digest=hashes.MD5()), id="MD5"),  # noqa: S303 - a downgrade
        pytest.param(signature(SUCCESS, digest=hashes.SHA512()), id="SHA-512"),
        pytest.param(signature(SUCCESS, key="stranger"), id="a key nobody registered"),
        pytest.param(signature(SUCCESS, key="hk-app"), id="our own key"),
        pytest.param(signature(SUCCESS, key="weak"), id="a shorter key"),
        pytest.param(signature(SUCCESS, path=PATH.replace("updatePass", "createPass")), id="another path"),
        pytest.param(signature(SUCCESS, path=PATH + "?a=1"), id="a query"),
        pytest.param(signature(SUCCESS, path="https://open.alipay.hk" + PATH), id="the whole URL"),
        pytest.param(signature(SUCCESS, method="GET"), id="another method"),
        pytest.param(signature(SUCCESS, client="5Y4Q8W0WSG45P907917"), id="another client id"),
        pytest.param(signature(SUCCESS, time="2024-05-22T09:12:22+08:00"), id="another time"),
        pytest.param(signature(SUCCESS, time="2024-05-22T01:12:21Z"), id="the same moment, written otherwise"),
        pytest.param(signature(SUCCESS + b"\n"), id="a line end after the body"),
        pytest.param(signature(SUCCESS.replace(b" ", b"")), id="the body without its blanks"),
        pytest.param(signature(b""), id="no body"),
        pytest.param(sign("hk-gateway", SUCCESS), id="the body alone"),
        pytest.param(sign("hk-gateway", f"POST {PATH}\r\n{CLIENT}.{TIME}.".encode() + SUCCESS), id="CR LF"),
    ],
)
def test_a_signature_over_anything_else_proves_nothing(signed: bytes) -> None:
    assert judged(reply(signed=field(signed))) == untrusted(MISMATCH)


KEYS = {"9": secret("hk-gateway-public"), "10": secret("hk-gateway-2-public")}


@pytest.mark.parametrize(
    ("version", "key", "finding"),
    [
        pytest.param("keyVersion=9,", "hk-gateway", None, id="the one it names"),
        pytest.param("keyVersion=10,", "hk-gateway-2", None, id="the other one"),
        pytest.param("keyVersion=9,", "hk-gateway-2", MISMATCH, id="named 9, signed by 10"),
        pytest.param("keyVersion=10,", "hk-gateway", MISMATCH, id="named 10, signed by 9"),
        pytest.param("", "hk-gateway-2", None, id="no name: the newest, which is 10 and not 9"),
        pytest.param("", "hk-gateway", MISMATCH, id="no name: never the older one"),
        pytest.param("keyVersion=,", "hk-gateway-2", None, id="an empty name is none"),
        pytest.param("keyVersion=1,", "hk-gateway-2", KEY_VERSION, id="a version nobody configured"),
        pytest.param("keyVersion=newest,", "hk-gateway-2", KEY_VERSION, id="no version at all"),
    ],
)
def test_of_two_keys_only_the_one_that_the_answer_names_is_tried(version: str, key: str, finding: Finding | None) -> None:
    gateway = opened(gateway_public_key=None, gateway_public_keys=KEYS)
    text = f"algorithm=RSA256,{version}signature={quote(base64.b64encode(signature(SUCCESS, key=key)), safe='')}"
    assert judged(reply(signed=text), gateway).finding == finding


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA1()], ids=["SHA-256", "SHA-1"])  # noqa: S303 - a downgrade
def test_the_algorithm_comes_from_the_configuration_and_never_from_the_message(digest: HashAlgorithm) -> None:
    for name in ("RSA256", "sha256withrsa", "sha1withrsa"):
        text = field(signature(SUCCESS, digest=digest)).replace("RSA256", name)
        believed = judged(reply(signed=text)).code is Code.APPLIED
        assert believed == (digest.name == "sha256" and name != "sha1withrsa")


def test_a_path_with_a_query_is_signed_with_its_query() -> None:
    gateway = opened()
    path = "/api/open/alipay/v1/other?page=1"
    sealed, prepared = gateway.calling(path, {})
    request = sealed.seal(prepared, NOW)
    right, short = (reply(signed=field(signature(SUCCESS, path=signed))) for signed in (path, path.partition("?")[0]))
    assert sealed.judge(prepared, request, right, NOW).code is Code.APPLIED
    assert sealed.judge(prepared, request, short, NOW).finding == MISMATCH


def test_the_field_we_send_is_percent_encoded_base64_without_blanks() -> None:
    gateway = opened(key_version="27")
    sent = gateway.seal(gateway.prepare(UPDATES["redeem"], NOW), NOW).headers["Signature"]
    head, _, value = sent.partition("signature=")
    assert head == "algorithm=RSA256,keyVersion=27,"
    assert len(base64.b64decode(unquote(value), validate=True)) == 256
    assert not set(value) & set("+/= ")
