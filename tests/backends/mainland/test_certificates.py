"""Certificate mode: what can be wrong with the files, which certificate an answer is believed by, and how one is fetched."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import settings as searched
from hypothesis import strategies as st

from passbridge import Code, ConfigError
from passbridge.backends.mainland import BACKEND
from passbridge.backends.mainland.backend import MainlandGateway
from passbridge.protocol.gateway import Credential, Prepared, Sealed
from passbridge.protocol.settings import Secret
from passbridge.protocol.verdict import Verdict
from tests.backends.mainland.desk import CERTIFIED, NODE, NOW, UPDATES, judged, node, opened, reply, settings
from tests.backends.support import certificate, pem, secret, sign, tables, vector_file

SERIALS = {name: rows[0]["serial"] for name, rows in vector_file("certificates/serials.json").items()}
KNOWN, UNKNOWN = SERIALS["gateway"], SERIALS["gateway-2"]
DOWNLOAD = "alipay.open.app.alipaycert.download"
VALID = datetime(2030, 1, 1, tzinfo=UTC)
TOKEN = Secret(b"201510BBb507dc9f5efe41a0b98ae22f01519X62", "test")

_WHERE = "download it from the application's page in the gateway's console"


def certified(**given: object) -> MainlandGateway:
    return BACKEND.open(settings(**{**CERTIFIED, **given}), tables(), None)


def signed(source: str, serial: object = KNOWN, *, key: str = "cn-gateway", name: str = NODE, first: bool = False) -> bytes:
    """An answer that names its certificate, before its node or after it."""
    named = f'"alipay_cert_sn":{json.dumps(serial)}'
    whole = [named, f'"{name}":{source}'] if first else [f'"{name}":{source}', named]
    signature = base64.b64encode(sign(key, source.encode())).decode()
    return f'{{{",".join(whole)},"sign":"{signature}"}}'.encode()


PROBLEMS: dict[str, tuple[Mapping[str, object], list[tuple[str, str, str, str]]]] = {
    "a public key beside": (
        {"gateway_public_key": secret("cn-gateway-public")},
        [
            (
                "gateway_public_key",
                "two_modes",
                "stands beside certificates; an app has one mode only",
                "leave it out, or leave out app_cert, gateway_cert, root_cert",
            )
        ],
    ),
    "one of three": (
        {"gateway_cert": None, "root_cert": None},
        [(name, "missing", "is missing: certificate mode needs all three", _WHERE) for name in ("gateway_cert", "root_cert")],
    ),
    "the legacy type": (
        {"sign_type": "RSA"},
        [("sign_type", "rsa2_only", "must be RSA2 in certificate mode", 'write sign_type = "RSA2", or leave it out')],
    ),
    "another app's": (
        {"private_key": secret("stranger")},
        [("app_cert", "other_key", "app.pem is not of the key in private_key", "give the certificate that was issued for this key")],
    ),
    "our own as the gateway's": (
        {"gateway_cert": certificate("app")},
        [
            (
                "gateway_cert",
                "own_key",
                "app.pem is the certificate of our own key, not the gateway's",
                f"{_WHERE}: alipayCertPublicKey_RSA2",
            )
        ],
    ),
    "keys in the places of certificates": (
        {"app_cert": secret("cn-app"), "gateway_cert": secret("cn-gateway-public"), "root_cert": secret("cn-app")},
        [
            (
                "app_cert",
                "bad_certificate",
                "cn-app.pem is a key where a certificate is wanted",
                "give the .crt file as the gateway's console offers it",
            ),
            (
                "gateway_cert",
                "bad_certificate",
                "cn-gateway-public.pem is a key where a certificate is wanted",
                "give the .crt file as the gateway's console offers it",
            ),
            (
                "root_cert",
                "bad_certificate",
                "cn-app.pem holds no root certificate that is signed with RSA",
                "give alipayRootCert.crt as the gateway's console offers it",
            ),
        ],
    ),
    "a key that is too short": (
        {"gateway_cert": certificate("weak")},
        [("gateway_cert", "bad_key", "weak.pem has 1024 bits; RSA2 needs 2048", "make a longer key pair and upload its public half")],
    ),
    "a key on a curve": (
        {"gateway_cert": certificate("curve")},
        [("gateway_cert", "bad_key", "curve.pem is a certificate of a key that is not RSA", "give the RSA2 certificate")],
    ),
}


@pytest.mark.parametrize(("given", "problems"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_cant_work_is_told_all_at_once(given: Mapping[str, object], problems: list[tuple[str, str, str, str]]) -> None:
    with pytest.raises(ConfigError) as caught:
        certified(**given)
    told = [(problem.path.removeprefix("accounts.cn."), problem.code, problem.message, problem.mend) for problem in caught.value.problems]
    assert told == problems


def test_fetching_is_for_certificate_mode() -> None:
    with pytest.raises(ConfigError) as caught:
        opened(cert_download=True)
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("accounts.cn.cert_download", "no_certificates")]


def test_a_callers_own_signer_is_not_compared() -> None:
    own = settings(**CERTIFIED, private_key=None)
    gateway = BACKEND.open(own, tables(), lambda data: sign("stranger", data))
    assert [one.member for one in gateway.credentials] == ["app_cert", "gateway_cert"]


def test_what_everybody_may_know_is_told() -> None:
    mine, app, theirs = certified().credentials
    assert mine == Credential("private_key", "RSA private key", 2048)
    assert opened().credentials == (mine, Credential("gateway_public_key", "RSA public key", 2048))
    for one, member in ((app, "app_cert"), (theirs, "gateway_cert")):
        assert (one.member, one.kind, one.bits) == (member, "RSA certificate", 2048)
        assert one.begins is not None
        assert one.ends is not None
        assert (one.ends - one.begins).days == 36500


@pytest.mark.parametrize("first", [True, False], ids=["before the node", "after it"])
def test_an_answer_is_believed_by_the_certificate_it_names(*, first: bool) -> None:
    assert judged(signed(node(), first=first), certified()).code is Code.APPLIED


@pytest.mark.parametrize("serial", [None, ""], ids=["none", "an empty one"])
def test_an_answer_that_names_none_is_believed_by_the_configured_one(serial: str | None) -> None:
    raw = signed(node(), serial) if serial is not None else signed(node()).replace(f',"alipay_cert_sn":"{KNOWN}"'.encode(), b"")
    assert (b"alipay_cert_sn" in raw) == (serial is not None)
    assert judged(raw, certified()).code is Code.APPLIED


def test_two_certificates_may_be_known_while_they_change() -> None:
    both = Secret(certificate("gateway").reveal() + certificate("gateway-2").reveal(), "both.pem")
    gateway = certified(gateway_cert=both)
    assert judged(signed(node(), KNOWN), gateway).code is Code.APPLIED
    assert judged(signed(node(), UNKNOWN, key="cn-gateway-2"), gateway).code is Code.APPLIED
    assert judged(signed(node(), KNOWN, key="cn-gateway-2"), gateway).code is Code.UNTRUSTED_ANSWER
    assert judged(signed(node(), UNKNOWN), gateway).code is Code.UNTRUSTED_ANSWER


@pytest.mark.parametrize("serial", [7, ["a"], "A" * 32, KNOWN.upper(), KNOWN + " ", "../" + KNOWN], ids=str)
def test_what_is_no_serial_number_is_never_looked_up(serial: object) -> None:
    verdict = judged(signed(node(), serial), certified(cert_download=True))
    assert verdict.finding is not None
    assert (verdict.code, verdict.finding.code, verdict.errand) == (Code.UNTRUSTED_ANSWER, "SIG-MALFORMED", None)


def test_the_certificate_named_means_nothing_to_an_account_with_a_public_key() -> None:
    assert judged(signed(node(), UNKNOWN)).code is Code.APPLIED


def test_an_unknown_certificate_is_told_and_fetched_only_with_leave() -> None:
    verdict = judged(signed(node(), UNKNOWN, key="cn-gateway-2"), certified())
    assert verdict.finding is not None
    assert (verdict.code, verdict.errand, verdict.finding.code) == (Code.UNTRUSTED_ANSWER, None, "SIG-UNKNOWN-CERT")
    assert verdict.finding.message == f"the answer is signed with certificate {UNKNOWN}, which is not known"
    assert verdict.finding.mend == "add the gateway's new certificate to gateway_cert, or set cert_download = true"


def test_an_unsigned_answer_never_makes_anybody_fetch() -> None:
    raw = f'{{"{NODE}":{node()},"alipay_cert_sn":"{UNKNOWN}"}}'.encode()
    verdict = judged(raw, certified(cert_download=True))
    assert verdict.finding is not None
    assert (verdict.finding.code, verdict.errand) == ("SIG-MISSING", None)


def errand(gateway: MainlandGateway, serial: str = UNKNOWN) -> tuple[Sealed, Prepared]:
    """What an answer under an unknown certificate asks for."""
    verdict = judged(signed(node(), serial, key="cn-gateway-2"), gateway)
    assert verdict.code is Code.UNTRUSTED_ANSWER
    assert verdict.errand is not None
    return verdict.errand


def test_the_certificate_is_asked_for_by_its_number_as_the_app_itself() -> None:
    sealed, prepared = errand(certified(cert_download=True, app_auth_token=TOKEN, encrypt_key=Secret(base64.b64encode(bytes(16)), "test")))
    request = sealed.seal(prepared, NOW)
    query, body = dict(parse_qsl(request.url.partition("?")[2])), dict(parse_qsl(request.body.decode()))
    assert (query["method"], query["app_cert_sn"]) == (DOWNLOAD, SERIALS["app"])
    assert body == {"biz_content": json.dumps({"alipay_cert_sn": UNKNOWN}, separators=(",", ":"))}
    assert "encrypt_type" not in query


def content(name: str = "gateway-2") -> str:
    return base64.b64encode(certificate(name).reveal()).decode()


def fetched(
    given: object, *, serial: object = KNOWN, key: str = "cn-gateway", wanted: str = UNKNOWN, **more: object
) -> tuple[Verdict, Verdict]:
    """The verdict on what was fetched, and on the first answer after it."""
    gateway = certified(cert_download=True)
    sealed, prepared = errand(gateway, wanted)
    source = json.dumps({"code": "10000", "msg": "Success", "alipay_cert_content": given, **more}, ensure_ascii=False)
    raw = signed(source, serial, key=key, name=DOWNLOAD.replace(".", "_") + "_response")
    brought = sealed.judge(prepared, sealed.seal(prepared, VALID), reply(raw), VALID)
    return brought, judged(signed(node(), wanted, key="cn-gateway-2"), gateway)


def test_a_sound_certificate_is_known_from_then_on() -> None:
    brought, after = fetched(content())
    assert (brought.code, brought.note) == (Code.APPLIED, f"certificate {UNKNOWN} was fetched; its chain is sound")
    assert (after.code, after.errand) == (Code.APPLIED, None)


REFUSED = {
    "another certificate": (content("gateway"), f"what was fetched is not certificate {UNKNOWN}"),
    "no base64": ("!", "what was fetched is no certificate in base64"),
    "no text": (7, "what was fetched is empty"),
    "nothing": (None, "what was fetched is empty"),
    "a key": (base64.b64encode(pem("cn-gateway-2-public")).decode(), "what was fetched is a key where a certificate is wanted"),
}


@pytest.mark.parametrize(("given", "reason"), REFUSED.values(), ids=REFUSED)
def test_anything_else_is_not_taken_and_said(given: object, reason: str) -> None:
    brought, after = fetched(given)
    assert brought.finding is not None
    assert (brought.code, brought.finding.code, brought.finding.message) == (Code.UNTRUSTED_ANSWER, "CERT-CHAIN", reason)
    assert after.code is Code.UNTRUSTED_ANSWER


@pytest.mark.parametrize("name", ["odd-order", "class-2", "app"])
def test_a_certificate_with_another_chain_or_of_our_own_is_not_taken(name: str) -> None:
    brought, after = fetched(content(name), wanted=SERIALS[name])
    assert brought.finding is not None
    reason = f"certificate {SERIALS[name]} is " + ("of our own key" if name == "app" else "an authority's own certificate")
    assert (brought.finding.code, brought.reason) == ("CERT-CHAIN", reason)
    assert after.code is Code.UNTRUSTED_ANSWER


def test_only_a_known_certificate_vouches_for_another() -> None:
    """A chain alone proves too little: the certificates of all merchants have the same authorities."""
    for serial, key in ((UNKNOWN, "cn-gateway-2"), (KNOWN, "cn-gateway-2"), (KNOWN, "cn-app")):
        brought, after = fetched(content(), serial=serial, key=key)
        assert (brought.code, brought.errand, after.code) == (Code.UNTRUSTED_ANSWER, None, Code.UNTRUSTED_ANSWER)


def test_a_refusal_to_give_the_certificate_is_told() -> None:
    brought, after = fetched(None, code="40006", sub_code="isv.insufficient-isv-permissions")
    assert (brought.code, brought.reason) == (Code.BAD_ANSWER, "refused: isv.insufficient-isv-permissions")
    assert after.code is Code.UNTRUSTED_ANSWER


def test_a_download_that_can_not_be_read_is_told() -> None:
    sealed, prepared = errand(certified(cert_download=True))
    raw = signed('"x"', name=DOWNLOAD.replace(".", "_") + "_response")
    assert sealed.judge(prepared, sealed.seal(prepared, NOW), reply(raw), NOW).code is Code.BAD_ANSWER


@cache
def learner() -> MainlandGateway:
    return certified(cert_download=True)


@searched(deadline=None, max_examples=60)  # a machine may be busy; each example reads certificates
@given(at=st.integers(0, 5000), by=st.integers(1, 255))
def test_a_certificate_with_one_byte_changed_is_never_taken(at: int, by: int) -> None:
    gateway = learner()
    assert gateway.certificates is not None
    data = bytearray(base64.b64decode("".join(certificate("gateway-2").reveal().decode().split("-----")[2].split())))
    data[at % len(data)] ^= by
    text = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(data)) + b"-----END CERTIFICATE-----\n"
    assert gateway.certificates.learn(UNKNOWN, base64.b64encode(text).decode(), VALID) is not None
    assert set(gateway.certificates.known) == {KNOWN}


def test_every_update_names_our_certificate_and_the_roots() -> None:
    gateway = certified()
    request = gateway.seal(gateway.prepare(UPDATES["close"], NOW), NOW)
    query = dict(parse_qsl(request.url.partition("?")[2]))
    assert query["app_cert_sn"] == SERIALS["app"]
    roots = [row["serial"] for row in vector_file("certificates/serials.json")["root"][1:]]
    assert query["alipay_root_cert_sn"] == "_".join(roots)
