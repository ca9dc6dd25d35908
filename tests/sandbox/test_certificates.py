"""Certificate mode: papers judged by OpenSSL, serial numbers computed from what it prints, and answers under certificates."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from passbridge.protocol.wire import Headers, WireRequest
from passbridge.sandbox import Sandbox
from passbridge.sandbox.mainland_form import form_of
from passbridge.sandbox.mainland_form import refused as refused_by
from tests.sandbox.conftest import Answer, Cn, ask, encoded, last, signed_by

DOWNLOAD = "alipay.open.app.alipaycert.download"
NODE = "alipay_pass_instance_update_response"
PASS = {"serial_number": "c1", "channel_id": "2088918275", "status": "USED"}
BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def openssl(*arguments: str, given: bytes = b"") -> str:
    done = subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=False)  # noqa: S603, S607 - fixed words
    return done.stdout.decode() if done.returncode == 0 else ""


def printed(pem: bytes) -> str:
    return openssl("x509", "-noout", "-issuer", "-serial", "-nameopt", "RFC2253", given=pem)


def sn(pem: bytes) -> str:
    """The serial number, from what OpenSSL prints of a certificate: `issuer=CN=…` and `serial=0A…`."""
    found = re.fullmatch(r"issuer=(.*)\nserial=([0-9A-F]+)\n", printed(pem))
    assert found
    return hashlib.md5(f"{found[1]}{int(found[2], 16)}".encode(), usedforsecurity=False).hexdigest()


def blocks(bundle: bytes) -> list[bytes]:
    return [block.replace(b"\r\n", b"\n") + b"\n" for block in BLOCK.findall(bundle)]


def root_sn(bundle: bytes) -> str:
    """Of the certificates whose signature is PKCS#1's."""
    texts = {block: openssl("x509", "-noout", "-text", given=block) for block in blocks(bundle)}
    return "_".join(sn(block) for block, text in texts.items() if "Signature Algorithm: sha256WithRSAEncryption" in text)


def key_of(pem: bytes) -> RSAPublicKey:
    key = load_pem_public_key(openssl("x509", "-noout", "-pubkey", given=pem).encode())
    assert isinstance(key, RSAPublicKey)
    return key


@pytest.fixture
def cert(box: Sandbox) -> Cn:
    """A merchant in certificate mode, with a pass."""
    merchant = Cn(box, "cn-cert")
    papers = merchant.settings
    merchant.always |= {"app_cert_sn": sn(papers["app_cert"]), "alipay_root_cert_sn": root_sn(papers["root_cert"])}
    box.add_passes({"account": "cn-cert", "id": "c1"})
    return merchant


def believed(answer: Answer, pem: bytes) -> bool:
    """Whether the certificate's key signed the node as it stands in the body."""
    (name, node), *_ = [(name, node) for name, node in answer.json.items() if name.endswith("_response")]
    source = json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode()
    assert f'"{name}":'.encode() + source in answer.body
    return signed_by(key_of(pem), base64.b64decode(answer.json["sign"], validate=True), source, hashes.SHA256())


def fetched(cert: Cn, serial: str) -> Answer:
    return cert.send({"alipay_cert_sn": serial}, method=DOWNLOAD)


def chain(answer: Answer) -> bytes:
    return base64.b64decode(answer.json["alipay_open_app_alipaycert_download_response"]["alipay_cert_content"], validate=True)


# --- the papers --------------------------------------------------------------------------------------------------------


def test_the_root_bundle_is_as_awkward_as_a_real_one(cert: Cn) -> None:
    bundle = cert.settings["root_cert"]
    assert bundle.count(b"\n") == bundle.count(b"\r\n")
    assert len(blocks(bundle)) == 4
    whole = [openssl("x509", "-noout", "-text", given=block) for block in blocks(bundle)]
    algorithms = [re.findall(r"Signature Algorithm: (\S+)", text)[:1] for text in whole]
    assert (algorithms[0], algorithms[1], algorithms[3]) == (
        ["sha256WithRSAEncryption"],
        ["ecdsa-with-SHA256"],
        ["sha256WithRSAEncryption"],
    )
    der = base64.b64decode(b"".join(blocks(bundle)[2].split(b"\n")[1:-2]))
    length = int.from_bytes(der[2:4]) + 4
    assert (der[:2], der[length:]) == (b"\x30\x82", bytes(2))


def test_openssl_believes_the_chains(cert: Cn, tmp_path: Path) -> None:
    leaf, middle = blocks(cert.settings["gateway_cert"])
    roots = b"".join(block for block in blocks(cert.settings["root_cert"]) if "CN=" in printed(block))
    for name, content in {"roots": roots, "middle": middle, "leaf": leaf, "app": cert.settings["app_cert"]}.items():
        (tmp_path / name).write_bytes(content)
    for name in ("leaf", "app"):
        told = openssl("verify", "-x509_strict", "-CAfile", f"{tmp_path}/roots", "-untrusted", f"{tmp_path}/middle", f"{tmp_path}/{name}")
        assert told.strip() == f"{tmp_path}/{name}: OK"
        assert "CA:FALSE" in openssl("x509", "-noout", "-text", "-in", f"{tmp_path}/{name}")
    assert "CA:TRUE" in openssl("x509", "-noout", "-text", "-in", f"{tmp_path}/middle")
    assert not openssl("verify", "-CAfile", f"{tmp_path}/roots", f"{tmp_path}/leaf")


def test_the_apps_certificate_is_of_the_apps_key(cert: Cn) -> None:
    assert key_of(cert.settings["app_cert"]).public_numbers() == cert.key.public_key().public_numbers()


def test_the_list_of_certificates_says_what_openssl_says(cert: Cn) -> None:
    (listed,) = ask(cert.box.url, "GET", "/sandbox/certificates").json
    leaf = blocks(cert.settings["gateway_cert"])[0]
    assert listed["alipay_cert_sn"] == sn(leaf)
    assert f"issuer={listed['issuer']}\n" in printed(leaf)
    assert openssl("x509", "-noout", "-subject", "-nameopt", "RFC2253", given=leaf) == f"subject={listed['subject']}\n"
    assert datetime.fromisoformat(listed["not_after"]) > datetime.now(UTC) + timedelta(days=1500)
    assert cert.box.certificates() == [listed]


# --- requests ----------------------------------------------------------------------------------------------------------


def test_a_request_names_its_certificates_and_so_does_the_answer(cert: Cn) -> None:
    answer = cert.send(PASS)
    assert list(answer.json) == [NODE, "alipay_cert_sn", "sign"]
    assert answer.json[NODE]["code"] == "10000"
    assert answer.json["alipay_cert_sn"] == sn(cert.settings["gateway_cert"])
    assert believed(answer, cert.settings["gateway_cert"])
    assert (last(cert.box)["account"], last(cert.box)["applied"]) == ("cn-cert", True)


@pytest.mark.parametrize(
    ("changes", "sub_code", "why"),
    [
        ({"app_cert_sn": ...}, "isv.missing-app-cert-sn", "there is no app_cert_sn"),
        ({"app_cert_sn": ""}, "isv.missing-app-cert-sn", "there is no app_cert_sn"),
        ({"app_cert_sn": "0" * 32}, "isv.app-cert-not-exist", "the app_cert_sn is unknown"),
        ({"alipay_root_cert_sn": ...}, "isv.missing-alipay-root-cert-sn", "there is no alipay_root_cert_sn"),
        ({"alipay_root_cert_sn": "0" * 32}, "isv.invalid-alipay-root-cert-sn", "the alipay_root_cert_sn is unknown"),
    ],
)
def test_a_request_without_the_right_serial_numbers_is_refused(cert: Cn, changes: dict[str, object], sub_code: str, why: str) -> None:
    answer = cert.send(PASS, **changes)
    assert (answer.json[NODE]["code"], answer.json[NODE]["sub_code"]) == ("40002", sub_code)
    assert answer.json["alipay_cert_sn"] == sn(cert.settings["gateway_cert"])
    assert believed(answer, cert.settings["gateway_cert"])
    assert last(cert.box)["signature"] == why


def test_serial_numbers_are_signed_like_the_rest(cert: Cn) -> None:
    params = cert.params(PASS)
    unsigned = {name: value for name, value in params.items() if name not in cert.always}
    answer = cert.post({**params, "sign": cert.sign(unsigned)})
    assert answer.json[NODE]["sub_code"] == "isv.invalid-signature"


def test_certificate_mode_knows_no_sha_1(cert: Cn) -> None:
    answer = cert.send(PASS, sign_type="RSA")
    assert list(answer.json) == [NODE]
    assert answer.json[NODE]["sub_code"] == "isv.missing-signature-config"


def test_an_expired_certificate_is_refused(cert: Cn) -> None:
    """The one thing a running sandbox can't show: its clock is put six years ahead."""
    params = cert.params(PASS)
    request = WireRequest("POST", "/gateway.do?" + encoded({**params, "sign": cert.sign(params)}, "utf-8"), Headers(), b"")
    world = cert.box._simulator._world
    assert refused_by(form_of(request), world) is None
    later = refused_by(form_of(request), replace(world, now=lambda: datetime.now(UTC) + timedelta(days=6 * 365)))
    assert later is not None
    assert (later[0].sub_code, later[1]) == ("isv.app-cert-expired", True)


def test_an_app_with_a_plain_key_has_no_certificate(cn: Cn, cert: Cn) -> None:
    assert cn.node(cn.send(PASS, **cert.always))["sub_code"] == "isv.app-cert-not-exist"


# --- answers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "order"),
    [
        ("between", [NODE, "alipay_cert_sn", "sign"]),
        ("first", ["alipay_cert_sn", NODE, "sign"]),
        ("last", [NODE, "sign", "alipay_cert_sn"]),
    ],
)
def test_the_serial_number_may_stand_anywhere(cert: Cn, place: str, order: list[str]) -> None:
    cert.box.guess({"mainland.cert_sn_place": place})
    answer = cert.send(PASS)
    assert list(answer.json) == order
    assert believed(answer, cert.settings["gateway_cert"])


@pytest.mark.parametrize(
    ("fault", "order"),
    [
        ("cert-sn-before", ["alipay_cert_sn", NODE, "sign"]),
        ("cert-sn-after", [NODE, "sign", "alipay_cert_sn"]),
        ("sign-first", ["sign", "alipay_cert_sn", NODE]),
        ("escaped-name", [NODE, "alipay_cert_sn", "sign"]),
        ("blanks", [NODE, "alipay_cert_sn", "sign"]),
        ("braces", [NODE, "alipay_cert_sn", "sign"]),
    ],
)
def test_a_rare_shape_names_the_right_certificate_too(cert: Cn, fault: str, order: list[str]) -> None:
    cert.box.add_fault({"fault": fault})
    answer = cert.send(PASS)
    assert list(answer.json) == order
    assert answer.json["alipay_cert_sn"] == sn(cert.settings["gateway_cert"])
    source = json.dumps(answer.json[NODE], ensure_ascii=False, separators=(",", ":")).encode()
    assert source in answer.body
    assert signed_by(key_of(cert.settings["gateway_cert"]), base64.b64decode(answer.json["sign"]), source, hashes.SHA256())


def test_an_answer_may_name_an_unknown_certificate_or_none(cert: Cn) -> None:
    cert.box.add_fault({"fault": "cert-sn-unknown"})
    answer = cert.send(PASS)
    assert believed(answer, cert.settings["gateway_cert"])
    refusal = fetched(cert, answer.json["alipay_cert_sn"])
    assert refusal.json["alipay_open_app_alipaycert_download_response"]["sub_code"] == "isv.alipay-cert-not-exist"
    cert.box.add_fault({"fault": "cert-sn-missing"})
    answer = cert.send(PASS)
    assert list(answer.json) == [NODE, "sign"]
    assert believed(answer, cert.settings["gateway_cert"])


def test_a_stranger_signs_and_a_stranger_is_handed_out(cert: Cn) -> None:
    real = sn(cert.settings["gateway_cert"])
    cert.box.add_fault({"fault": "stranger-certificate", "count": 2})
    forged = cert.send(PASS)
    assert forged.json["alipay_cert_sn"] == real
    assert not believed(forged, cert.settings["gateway_cert"])
    answer = fetched(cert, real)
    assert believed(answer, cert.settings["gateway_cert"])
    theirs = chain(answer)
    assert sn(theirs) == real
    assert believed(forged, theirs)
    assert key_of(theirs).public_numbers() != key_of(cert.settings["gateway_cert"]).public_numbers()
    assert cert.box.faults() == []


@pytest.mark.parametrize("fault", ["cert-sn-unknown", "cert-sn-missing", "stranger-certificate"])
def test_a_fault_of_certificates_waits_for_an_app_that_has_some(cn: Cn, cert: Cn, fault: str) -> None:
    cert.box.add_fault({"fault": fault})
    assert cn.code("USED") == "10000"
    assert len(cert.box.faults()) == 1
    cert.send(PASS)
    assert cert.box.faults() == []


# --- renewal -----------------------------------------------------------------------------------------------------------


def test_a_certificate_can_be_downloaded_with_its_issuers(cert: Cn) -> None:
    answer = fetched(cert, sn(cert.settings["gateway_cert"]))
    assert chain(answer) == cert.settings["gateway_cert"]
    assert believed(answer, cert.settings["gateway_cert"])


@pytest.mark.parametrize("serial", ["0" * 32, "", None, 1])
def test_an_unknown_certificate_cant_be_downloaded(cert: Cn, serial: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    node = fetched(cert, serial).json["alipay_open_app_alipaycert_download_response"]
    assert (node["code"], node["sub_code"]) == ("40002", "isv.alipay-cert-not-exist")


def test_an_app_with_a_plain_key_downloads_nothing(cn: Cn, cert: Cn) -> None:
    serial = sn(cert.settings["gateway_cert"])
    assert cn.call(DOWNLOAD, {"alipay_cert_sn": serial})["sub_code"] == "isv.alipay-cert-not-exist"


@pytest.mark.parametrize("key", ["same", "new"])
def test_the_gateways_certificate_can_be_renewed(cert: Cn, key: str) -> None:
    given = cert.settings["gateway_cert"]
    before = sn(given)
    listed = ask(cert.box.url, "POST", "/sandbox/certificates", json.dumps({"key": key}).encode())
    assert listed.status == 201
    answer = cert.send(PASS)
    after = answer.json["alipay_cert_sn"]
    assert [row["alipay_cert_sn"] for row in listed.json] == [before, after]
    assert believed(answer, given) is (key == "same")
    handed_out = fetched(cert, after)
    assert handed_out.json["alipay_cert_sn"] == before
    assert believed(handed_out, given)
    renewed = chain(handed_out)
    assert sn(renewed) == after
    assert believed(answer, renewed)
    assert Cn(cert.box, "cn-cert").settings["gateway_cert"] == given


def test_the_new_certificate_may_sign_its_own_download(cert: Cn) -> None:
    cert.box.guess({"mainland.download_signer": "current"})
    after = cert.box.renew_certificate(new_key=True)[-1]["alipay_cert_sn"]
    answer = fetched(cert, str(after))
    assert answer.json["alipay_cert_sn"] == after
    assert not believed(answer, cert.settings["gateway_cert"])
    assert believed(answer, chain(answer))


def test_certificates_can_be_renewed_again_and_a_reset_brings_the_first_back(cert: Cn) -> None:
    cert.box.renew_certificate()
    assert len({str(row["alipay_cert_sn"]) for row in cert.box.renew_certificate()}) == 3
    cert.box.reset()
    (left,) = cert.box.certificates()
    assert left["alipay_cert_sn"] == sn(cert.settings["gateway_cert"])
    assert believed(cert.send(PASS), cert.settings["gateway_cert"])


@pytest.mark.parametrize(("body", "path"), [(b"[]", ""), (b'{"key":"old"}', "key"), (b'{"keys":"new"}', "keys")])
def test_a_misspelt_renewal_is_refused(cert: Cn, body: bytes, path: str) -> None:
    answer = ask(cert.box.url, "POST", "/sandbox/certificates", body)
    assert (answer.status, [problem["path"] for problem in answer.json["problems"]]) == (400, [path])
    assert len(cert.box.certificates()) == 1


def test_papers_and_renewals_outlive_a_restart(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path / "box.db") as box:
        papers = Cn(box, "cn-cert").settings
        listed = box.renew_certificate(new_key=True)
    with Sandbox(data=tmp_path / "box.db") as box:
        assert box.certificates() == listed
        again = Cn(box, "cn-cert").settings
        assert {name: again[name] for name in ("private_key", "app_cert", "gateway_cert", "root_cert")} == {
            name: papers[name] for name in ("private_key", "app_cert", "gateway_cert", "root_cert")
        }
