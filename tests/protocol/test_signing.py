from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from passbridge.protocol.signing import ALGORITHMS, percent_decoded, percent_encoded, rsa_signer, rsa_verify

TEXT = "POST /api/open/alipay/v1/ipass/pass/updatePass\n券".encode()
DIGESTS = {"RSA256": "sha256", "RSA2": "sha256", "RSA": "sha1"}
"""The algorithms of RSA keys; the one on a curve is judged in `test_ecdsa`."""


@pytest.fixture
def pem(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(rsa_key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


def openssl(digest: str, key: Path, *arguments: str | Path, data: bytes = TEXT) -> bytes:
    command = ["openssl", "dgst", f"-{digest}", *arguments, key]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout  # noqa: S603 - a fixed command


def test_the_algorithms_are_the_gateways_four() -> None:
    assert {name: algorithm.hash.name for name, algorithm in ALGORITHMS.items()} == DIGESTS | {"ECC224": "sha224"}
    assert [name for name, algorithm in ALGORITHMS.items() if algorithm.curve] == ["ECC224"]


@pytest.mark.parametrize("name", DIGESTS)
def test_a_signature_is_openssls_byte_for_byte(name: str, pem: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    assert rsa_signer(rsa_key, ALGORITHMS[name])(TEXT) == openssl(DIGESTS[name], pem, "-sign")


@pytest.mark.parametrize("name", DIGESTS)
def test_openssls_signature_verifies(name: str, pem: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    assert rsa_verify(rsa_key.public_key(), ALGORITHMS[name], TEXT, openssl(DIGESTS[name], pem, "-sign"))


@pytest.mark.parametrize("name", DIGESTS)
@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
def test_a_signature_over_another_hash_never_verifies(name: str, digest: str, pem: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    signature = openssl(digest, pem, "-sign")
    assert rsa_verify(rsa_key.public_key(), ALGORITHMS[name], TEXT, signature) is (digest == DIGESTS[name])


@pytest.mark.parametrize("name", DIGESTS)
def test_a_signature_proves_its_own_text_and_key_alone(name: str, rsa_key: rsa.RSAPrivateKey) -> None:
    algorithm = ALGORITHMS[name]
    signature = rsa_signer(rsa_key, algorithm)(TEXT)
    other = rsa.generate_private_key(65537, 2048).public_key()
    flipped = bytes([signature[0] ^ 1]) + signature[1:]
    assert rsa_verify(rsa_key.public_key(), algorithm, TEXT, signature)
    assert not rsa_verify(rsa_key.public_key(), algorithm, TEXT + b" ", signature)
    assert not rsa_verify(other, algorithm, TEXT, signature)
    for wrong in (flipped, signature[:-1], signature + b"\0", b""):
        assert not rsa_verify(rsa_key.public_key(), algorithm, TEXT, wrong)


def test_a_signature_with_another_padding_never_verifies(rsa_key: rsa.RSAPrivateKey) -> None:
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.MAX_LENGTH)
    assert not rsa_verify(rsa_key.public_key(), ALGORITHMS["RSA2"], TEXT, rsa_key.sign(TEXT, pss, hashes.SHA256()))


@given(st.binary(max_size=300))
def test_a_signature_travels_as_urllib_would_escape_it(signature: bytes) -> None:
    assert percent_encoded(signature) == quote(base64.b64encode(signature), safe="")


@settings(max_examples=500)
@given(st.lists(st.sampled_from(["%", "2", "5", "B", "b", "F", "3", "D", "+", "/", "=", "A", "%2B", "%2f", "%3D", "%25", "é", " "])))
def test_undoing_our_own_escapes_first_changes_nothing_that_urllib_reads(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert unquote(percent_decoded(text)) == unquote(text)
