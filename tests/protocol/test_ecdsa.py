"""ECC224 against the OpenSSL command line, in both directions, and its keys in every form OpenSSL writes."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from passbridge.protocol.keys import KeyProblem, private_key_for, public_key_for, same_pair, too_short
from passbridge.protocol.signing import ALGORITHMS, ECC224, signer, verify

TEXT = "POST /api/open/alipay/v1/ipass/pass/manage/updatePass\n券".encode()
HASHES = {"SHA224": "sha224", "SHA256": "sha256"}


def openssl(*arguments: str | Path, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=data, capture_output=True, check=True).stdout  # noqa: S603, S607 - fixed commands


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One pair on P-224 in every form, all by OpenSSL; `other`, `wide` (on another curve) and `rsa` beside it."""
    folder = tmp_path_factory.mktemp("keys")
    for name, curve in (("key", "secp224r1"), ("other", "secp224r1"), ("wide", "prime256v1")):
        (folder / f"{name}.pem").write_bytes(openssl("ecparam", "-name", curve, "-genkey", "-noout"))
        (folder / f"{name}-public.pem").write_bytes(openssl("ec", "-in", folder / f"{name}.pem", "-pubout"))
    (folder / "rsa.pem").write_bytes(openssl("genrsa", "2048"))
    (folder / "rsa-public.pem").write_bytes(openssl("rsa", "-in", folder / "rsa.pem", "-pubout"))
    key = folder / "key.pem"
    (folder / "key-8.pem").write_bytes(openssl("pkcs8", "-topk8", "-nocrypt", "-in", key))
    (folder / "key.der").write_bytes(openssl("ec", "-in", key, "-outform", "DER"))
    (folder / "key-8.der").write_bytes(openssl("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER"))
    (folder / "key-public.der").write_bytes(openssl("ec", "-in", key, "-pubout", "-outform", "DER"))
    (folder / "key-public-compressed.pem").write_bytes(openssl("ec", "-in", key, "-pubout", "-conv_form", "compressed"))
    # Without -noout, the curve's name stands in a block of its own before the key.
    parameters = openssl("ecparam", "-name", "secp224r1")
    (folder / "key-after-parameters.pem").write_bytes(parameters + key.read_bytes())
    for name in ("key", "key-8", "key-public"):
        (folder / f"{name}.base64").write_bytes(base64.b64encode((folder / f"{name}.der").read_bytes()))
    return folder


def private(files: Path, name: str = "key.pem") -> ec.EllipticCurvePrivateKey:
    key = private_key_for(ALGORITHMS["ECC224"], (files / name).read_bytes())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


@pytest.mark.parametrize("name", ["key.pem", "key-8.pem", "key.der", "key-8.der", "key.base64", "key-8.base64", "key-after-parameters.pem"])
def test_a_private_key_is_read_in_every_form(files: Path, name: str) -> None:
    number = openssl("ec", "-in", files / "key.pem", "-noout", "-text").split(b"priv:")[1].split(b"pub:")[0]
    assert private(files, name).private_numbers().private_value == int(b"".join(number.split()).replace(b":", b""), 16)


@pytest.mark.parametrize("name", ["key-public.pem", "key-public.der", "key-public.base64", "key-public-compressed.pem"])
def test_a_public_key_is_read_in_every_form(files: Path, name: str) -> None:
    read = public_key_for(ALGORITHMS["ECC224"], (files / name).read_bytes())
    assert same_pair(read, private(files).public_key())
    assert not same_pair(read, private(files, "other.pem").public_key())


THEIRS = "this algorithm needs the gateway's key on secp224r1: download it from the gateway's console"
CURVE = "this algorithm needs a key on secp224r1: openssl ecparam -name secp224r1 -genkey -noout"
MISTAKES = {
    "another curve": ("wide", "lies on the curve secp256r1", "lies on the curve secp256r1"),
    "RSA": ("rsa", "is a private key, but not of an elliptic curve", "is a public key, but not of an elliptic curve"),
}


@pytest.mark.parametrize(("name", "told", "told_of_public"), MISTAKES.values(), ids=MISTAKES)
def test_a_key_of_another_kind_is_told(files: Path, name: str, told: str, told_of_public: str) -> None:
    with pytest.raises(KeyProblem) as caught:
        private_key_for(ALGORITHMS["ECC224"], (files / f"{name}.pem").read_bytes())
    assert (str(caught.value), caught.value.mend) == (told, CURVE)
    with pytest.raises(KeyProblem) as caught:
        public_key_for(ALGORITHMS["ECC224"], (files / f"{name}-public.pem").read_bytes())
    assert (str(caught.value), caught.value.mend) == (told_of_public, THEIRS)


def test_the_wrong_half_is_told(files: Path) -> None:
    with pytest.raises(KeyProblem, match="is a public key where a private one is wanted"):
        private(files, "key-public.pem")
    with pytest.raises(KeyProblem, match="is a private key where the gateway's public one is wanted"):
        public_key_for(ALGORITHMS["ECC224"], (files / "key-8.pem").read_bytes())


def test_a_key_on_a_curve_is_none_for_rsa(files: Path) -> None:
    with pytest.raises(KeyProblem, match="is a private key, but not RSA"):
        private_key_for(ALGORITHMS["RSA256"], (files / "key.pem").read_bytes())
    with pytest.raises(KeyProblem, match="is a public key, but not RSA"):
        public_key_for(ALGORITHMS["RSA256"], (files / "key-public.pem").read_bytes())


def test_its_length_is_the_curves(files: Path) -> None:
    assert too_short(private(files), ALGORITHMS["ECC224"]) is None
    assert ALGORITHMS["ECC224"] is ECC224["SHA224"]
    assert {name: (row.name, row.hash.name, row.warn_bits) for name, row in ECC224.items()} == {
        name: ("ECC224", digest, 224) for name, digest in HASHES.items()
    }


@pytest.mark.parametrize("name", HASHES)
def test_openssl_accepts_our_signature(files: Path, tmp_path: Path, name: str) -> None:
    signature = tmp_path / "signature"
    signature.write_bytes(signer(private(files), ECC224[name])(TEXT))
    verified = openssl("dgst", f"-{HASHES[name]}", "-verify", files / "key-public.pem", "-signature", signature, data=TEXT)
    assert verified == b"Verified OK\n"


@pytest.mark.parametrize("name", HASHES)
@pytest.mark.parametrize("digest", ["md5", "sha1", "sha224", "sha256", "sha384"])
def test_openssls_signature_verifies_over_its_own_hash_alone(files: Path, name: str, digest: str) -> None:
    signature = openssl("dgst", f"-{digest}", "-sign", files / "key.pem", data=TEXT)
    assert verify(private(files).public_key(), ECC224[name], TEXT, signature) is (digest == HASHES[name])


def test_a_signature_proves_its_own_text_and_key_alone(files: Path) -> None:
    algorithm, public = ALGORITHMS["ECC224"], private(files).public_key()
    signature = signer(private(files), algorithm)(TEXT)
    assert verify(public, algorithm, TEXT, signature)
    assert not verify(public, algorithm, TEXT + b" ", signature)
    assert not verify(private(files, "other.pem").public_key(), algorithm, TEXT, signature)
    r, s = (number.to_bytes(28, "big") for number in decode_dss_signature(signature))
    for wrong in (r + s, b"", signature[:-1], signature + b"\0", bytes([signature[0] ^ 1]) + signature[1:]):
        assert not verify(public, algorithm, TEXT, wrong)


def test_a_key_of_another_kind_or_curve_verifies_nothing(files: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    wide = openssl("dgst", "-sha224", "-sign", files / "wide.pem", data=TEXT)
    on_another = ec.generate_private_key(ec.SECP256R1()).public_key()
    assert not verify(on_another, ALGORITHMS["ECC224"], TEXT, wide)
    by_rsa = signer(rsa_key, ALGORITHMS["RSA256"])(TEXT)
    assert verify(rsa_key.public_key(), ALGORITHMS["RSA256"], TEXT, by_rsa)
    assert not verify(rsa_key.public_key(), ALGORITHMS["ECC224"], TEXT, by_rsa)
    assert not verify(private(files).public_key(), ALGORITHMS["RSA256"], TEXT, signer(private(files), ALGORITHMS["ECC224"])(TEXT))
