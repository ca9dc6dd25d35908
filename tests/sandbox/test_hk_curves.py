"""ECC224 and key versions at AlipayHK over real sockets; OpenSSL's own command judges every signature on a curve."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from passbridge.sandbox import Sandbox
from passbridge.sandbox.store import Store
from tests.sandbox.conftest import MOMENT, PATH, TIME, USER, Answer, Hk, last, state
from tests.sandbox.hk_clients import HkClient

TICKET_ID = "2995228480402564890031"
UPDATE = {"updateDetailType": "UPDATE_PASS", "bizDate": MOMENT, "dataInfo": {}}

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the OpenSSL command line")


@pytest.fixture
def ecc(box: Sandbox) -> HkClient:
    client = HkClient(box, "hk-ecc")
    box.add_passes({"account": "hk-ecc", "id": TICKET_ID, "user_id": USER})
    return client


def used(client: HkClient, **changed: str) -> Answer:
    body = json.dumps(client.body(TICKET_ID, "USED")).encode()
    return client.post(PATH, body, changed)


def refused(client: HkClient, answer: Answer, code: str, why: str) -> None:
    """Unsigned, with a reason in the log, and nothing applied."""
    assert (answer.json["result"]["resultCode"], "signature" in answer.headers) == (code, False)
    entry = last(client.box)
    assert (entry["signature"], entry["applied"], state(client.box, TICKET_ID)["state"]) == (why, False, "ACTIVE")


def openssl(folder: Path, arguments: list[str], data: bytes = b"") -> bytes:
    command = ["openssl", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True, cwd=folder).stdout  # noqa: S603 - our own words


# --- ECC224 ------------------------------------------------------------------------------------------------------------


@needs_openssl
@pytest.mark.parametrize("digest", ["sha224", "sha256"])
def test_openssl_signs_and_verifies_the_same_bytes(ecc: HkClient, tmp_path: Path, digest: str) -> None:
    ecc.box.guess({"hk.ecc224_hash": digest.upper()})
    (tmp_path / "key.pem").write_bytes(ecc.settings["private_key"])
    (tmp_path / "gateway.pem").write_bytes(ecc.gateway_key("1"))
    assert b"secp224r1" in openssl(tmp_path, ["ec", "-in", "key.pem", "-noout", "-text"])
    body = json.dumps(ecc.body(TICKET_ID, "USED", note="券")).encode()
    text = f"POST {PATH}\n{ecc.client}.{TIME}.".encode() + body
    value = quote_plus(base64.b64encode(openssl(tmp_path, ["dgst", f"-{digest}", "-sign", "key.pem"], text)))
    answer = ecc.post(PATH, body, {"Signature": f"algorithm=ECC224,keyVersion=1,signature={value}"})
    assert answer.json["result"]["resultCode"] == "SUCCESS"
    assert answer.headers["signature"].startswith("algorithm=ECC224,keyVersion=1,signature=")
    (tmp_path / "signature").write_bytes(ecc.value(answer))
    verify = ["dgst", f"-{digest}", "-verify", "gateway.pem", "-signature", "signature"]
    assert b"Verified OK" in openssl(tmp_path, verify, ecc.text(answer))


def test_the_hash_is_a_guess_and_only_one_is_right_at_a_time(ecc: HkClient) -> None:
    assert ecc.verified(used(ecc))
    ecc.box.guess({"hk.ecc224_hash": "SHA256"})
    refused_now = used(ecc)
    assert refused_now.json["result"]["resultCode"] == "INVALID_SIGNATURE"
    ecc.digest = hashes.SHA256()
    answer = used(ecc)
    assert (answer.json["result"]["resultCode"], ecc.verified(answer)) == ("PASS_USED_OCCUPIED", True)


def test_a_signature_is_der_and_never_two_numbers_side_by_side(ecc: HkClient) -> None:
    body = json.dumps(ecc.body(TICKET_ID, "USED")).encode()
    r, s = decode_dss_signature(ecc.signature(f"POST {PATH}\n{ecc.client}.{TIME}.".encode() + body))
    raw = quote_plus(base64.b64encode(r.to_bytes(28) + s.to_bytes(28)))
    refused(ecc, used(ecc, Signature=f"algorithm=ECC224,keyVersion=1,signature={raw}"), "INVALID_SIGNATURE", "the signature does not match")


@pytest.mark.parametrize("name", ["ecc224", "Ecc224"])
def test_its_name_is_not_case_sensitive(ecc: HkClient, name: str) -> None:
    ecc.algorithm = "ECC224"
    body = json.dumps(ecc.body(TICKET_ID, "USED")).encode()
    written = ecc.headers(body, PATH)["Signature"].replace("ECC224", name)
    assert ecc.verified(ecc.post(PATH, body, {"Signature": written}))


@pytest.mark.parametrize("algorithm", ["algorithm=RSA256,", "algorithm=sha256withrsa,", ""])
def test_a_curve_key_is_no_rsa_key(ecc: HkClient, algorithm: str) -> None:
    body = json.dumps(ecc.body(TICKET_ID, "USED")).encode()
    written = ecc.headers(body, PATH)["Signature"].replace("algorithm=ECC224,", algorithm)
    refused(ecc, ecc.post(PATH, body, {"Signature": written}), "KEY_NOT_FOUND", "no RSA256 key is registered under this version")


def test_an_rsa_key_is_no_curve_key(hk: Hk) -> None:
    body = json.dumps(hk.body("1", "USED")).encode()
    client = HkClient(hk.box, "hk-tickets")
    written = client.headers(body, PATH)["Signature"].replace("RSA256", "ECC224")
    assert client.post(PATH, body, {"Signature": written}).json["result"]["resultCode"] == "KEY_NOT_FOUND"
    assert last(hk.box)["signature"] == "no ECC224 key is registered under this version"


def test_an_answer_is_never_signed_by_another_algorithm_than_the_request(ecc: HkClient, hk: Hk) -> None:
    assert ecc.mark(used(ecc))["algorithm"] == "ECC224"
    assert hk.send(hk.body("1", "USED")).headers["signature"].startswith("algorithm=RSA256,")


@pytest.mark.parametrize(
    "fault",
    [
        "unsigned",
        "bad-signature",
        "empty-signature",
        "reserialised",
        "sha1-signature",
        "md5-signature",
        "signed-for-method",
        "unknown-key-version",
    ],
)
def test_the_faults_of_a_signature_strike_on_a_curve_too(ecc: HkClient, fault: str) -> None:
    ecc.box.add_fault({"fault": fault})
    answer = used(ecc)
    keyed = "keyVersion=999" not in answer.headers.get("signature", "")
    assert not (keyed and ecc.verified(answer))
    assert state(ecc.box, TICKET_ID)["state"] == "USED"


@pytest.mark.parametrize("fault", ["plain-signature", "percent-signature"])
def test_a_signature_that_is_written_otherwise_is_right(ecc: HkClient, fault: str) -> None:
    ecc.box.add_fault({"fault": fault})
    assert ecc.verified(used(ecc))


@needs_openssl
@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_openssl_knows_which_wrong_hash_it_was(ecc: HkClient, tmp_path: Path, digest: str) -> None:
    ecc.box.add_fault({"fault": f"{digest}-signature"})
    answer = used(ecc)
    (tmp_path / "gateway.pem").write_bytes(ecc.gateway_key("1"))
    (tmp_path / "signature").write_bytes(ecc.value(answer))
    assert b"Verified OK" in openssl(
        tmp_path, ["dgst", f"-{digest}", "-verify", "gateway.pem", "-signature", "signature"], ecc.text(answer)
    )


def test_a_strangers_signature_is_of_the_same_kind(ecc: HkClient) -> None:
    ecc.box.add_fault({"fault": "bad-signature"})
    answer = used(ecc)
    assert ecc.mark(answer)["algorithm"] == "ECC224"
    assert len(decode_dss_signature(ecc.value(answer))) == 2
    assert not ecc.verified(answer)


def test_a_right_signature_under_another_name(ecc: HkClient) -> None:
    ecc.box.add_fault({"fault": "other-algorithm"})
    answer = used(ecc)
    assert ecc.mark(answer)["algorithm"] == "RSA256"
    assert not ecc.verified(answer)


def test_a_key_on_another_curve_signs_nothing(tmp_path: Path) -> None:
    """The merchant's key file holds what was registered; a data file that someone changed is found out."""
    with Sandbox(data=tmp_path / "box.db") as box:
        client = HkClient(box, "hk-ecc")
        foreign = generate_private_key(SECP256R1())
        store = Store(tmp_path / "box.db")
        store.register(
            "hk",
            client.client,
            "1",
            foreign.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        )
        store.close()
        answer = used(client)
        assert answer.json["result"]["resultCode"] == "KEY_NOT_FOUND"


# --- key versions --------------------------------------------------------------------------------------------------------


@pytest.fixture
def rotating(box: Sandbox) -> HkClient:
    """An app with two registered keys, before it changes over."""
    client = HkClient(box, "hk-rotating")
    box.add_passes({"account": "hk-rotating", "id": TICKET_ID, "user_id": USER})
    return client


@pytest.fixture
def rotated(rotating: HkClient) -> HkClient:
    """The same app afterwards."""
    return HkClient(rotating.box, "hk-rotated")


def test_both_keys_of_an_app_sign_under_their_versions(rotating: HkClient, rotated: HkClient) -> None:
    assert (rotating.client, rotating.version, rotated.version) == (rotated.client, "1", "2")
    assert rotating.settings["private_key"] != rotated.settings["private_key"]
    assert [client.verified(used(client)) for client in (rotating, rotated)] == [True, True]
    assert [row["result"] for row in rotating.box.requests()] == ["SUCCESS", "PASS_USED_OCCUPIED"]


def test_a_key_signs_under_its_own_version_alone(rotating: HkClient, rotated: HkClient) -> None:
    for client, version in ((rotating, "2"), (rotated, "1")):
        client.version = version
        refused(client, used(client), "INVALID_SIGNATURE", "the signature does not match")


def test_no_version_means_the_newest(rotating: HkClient, rotated: HkClient) -> None:
    body = json.dumps(rotating.body(TICKET_ID, "USED")).encode()
    unnamed = [client.headers(body, PATH)["Signature"].replace(f"keyVersion={client.version},", "") for client in (rotating, rotated)]
    refused(rotating, rotating.post(PATH, body, {"Signature": unnamed[0]}), "INVALID_SIGNATURE", "the signature does not match")
    assert rotated.verified(rotated.post(PATH, body, {"Signature": unnamed[1]}))


@pytest.mark.parametrize("version", ["0", "3", "999", "RSA_AES", "01"])
def test_an_unknown_version_is_not_found(rotating: HkClient, version: str) -> None:
    rotating.version = version
    refused(rotating, used(rotating), "KEY_NOT_FOUND", "no key is registered under this version")


@pytest.mark.parametrize("account", ["hk-ecc", "hk-rotating", "hk-rotated"])
def test_the_gateway_changes_to_its_next_key_on_command(box: Sandbox, account: str) -> None:
    client = HkClient(box, account)
    box.add_passes({"account": account, "id": TICKET_ID, "user_id": USER})
    assert client.gateway_key("1") != client.gateway_key("2")
    box.add_fault({"fault": "next-gateway-key", "count": 2})
    versions = []
    for _ in range(3):
        answer = client.post(PATH, json.dumps(client.body(TICKET_ID, "UPDATE", **UPDATE)).encode())
        assert answer.json["result"]["resultCode"] == "SUCCESS"
        assert client.verified(answer)
        versions.append(client.mark(answer)["keyVersion"])
    assert versions == ["2", "2", "1"]


def test_the_standard_accounts_hold_no_next_key(hk: Hk) -> None:
    hk.box.add_fault({"fault": "next-gateway-key"})
    answer = hk.send(hk.body("1", "USED"))
    assert answer.headers["signature"].startswith("algorithm=RSA256,keyVersion=2,")
    assert "gateway_public_keys" not in hk.settings
