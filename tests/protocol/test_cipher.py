"""AES and wrapped keys, judged by OpenSSL's command line and by published vectors."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from passbridge.protocol.cipher import BLOCK, DecryptionError, Wrapping, aes_decrypt, aes_encrypt, unwrap_key, wrap_key

KEYS = {16: bytes(range(16)), 24: bytes(range(24)), 32: bytes(range(32))}
IV = bytes(range(16, 32))
TEXTS = [b"", b"x", b"y" * 15, b"z" * 16, "券标题".encode() * 50]
WRAPPINGS: dict[Wrapping, list[str]] = {
    "PKCS1": ["-pkeyopt", "rsa_padding_mode:pkcs1"],
    "OAEP-SHA1": ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha1"],
    "OAEP-SHA256": ["-pkeyopt", "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256"],
}


def openssl(*arguments: str, given: bytes) -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout  # noqa: S603, S607 - the judge


@cache
def pair() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("bytes_", KEYS)
@pytest.mark.parametrize("iv", [None, IV])
def test_openssl_reads_what_is_encrypted_and_encrypts_what_is_read(text: bytes, bytes_: int, iv: bytes | None) -> None:
    mode = [f"-aes-{bytes_ * 8}-{'cbc' if iv else 'ecb'}", "-K", KEYS[bytes_].hex(), *(["-iv", iv.hex()] if iv else [])]
    made = aes_encrypt(KEYS[bytes_], text, iv)
    assert made == openssl("enc", "-e", *mode, given=text)
    assert openssl("enc", "-d", *mode, given=made) == text
    assert aes_decrypt(KEYS[bytes_], made, iv) == text


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_openssl_unwraps_and_wraps_keys(wrapping: Wrapping, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    ours.write_bytes(pair().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    theirs.write_bytes(pair().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    wrapped = wrap_key(pair().public_key(), KEYS[32], wrapping)
    assert openssl("pkeyutl", "-decrypt", "-inkey", str(ours), *WRAPPINGS[wrapping], given=wrapped) == KEYS[32]
    by_openssl = openssl("pkeyutl", "-encrypt", "-pubin", "-inkey", str(theirs), *WRAPPINGS[wrapping], given=KEYS[32])
    assert unwrap_key(pair(), by_openssl, wrapping) == KEYS[32]


@pytest.mark.parametrize(
    ("key", "data", "iv"),
    [
        pytest.param(KEYS[16], aes_encrypt(KEYS[16], b"x" * 40)[:-1], None, id="cut short"),
        pytest.param(KEYS[16], aes_encrypt(KEYS[16], b"x" * 40)[:-16], None, id="without its last block"),
        pytest.param(KEYS[32], aes_encrypt(KEYS[16], b"x" * 42), None, id="another key"),
        pytest.param(b"short", aes_encrypt(KEYS[16], b"x"), None, id="no key at all"),
        pytest.param(KEYS[16], aes_encrypt(KEYS[16], b"x", IV), bytes(BLOCK - 1), id="no IV"),
        pytest.param(KEYS[16], b"", None, id="nothing"),
    ],
)
def test_every_failure_of_decryption_looks_alike(key: bytes, data: bytes, iv: bytes | None) -> None:
    with pytest.raises(DecryptionError) as caught:
        aes_decrypt(key, data, iv)
    assert caught.value.args == ("can't be decrypted",)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("wrapping", ["OAEP-SHA1", "OAEP-SHA256"])
def test_a_key_wrapped_otherwise_is_refused_alike(wrapping: Wrapping) -> None:
    other: Wrapping = "OAEP-SHA1" if wrapping == "OAEP-SHA256" else "OAEP-SHA256"
    with pytest.raises(DecryptionError, match=r"^can't be decrypted$"):
        unwrap_key(pair(), wrap_key(pair().public_key(), KEYS[16], other), wrapping)


def test_a_pkcs1_key_wrapped_otherwise_never_gives_the_key() -> None:
    wrapped = wrap_key(pair().public_key(), KEYS[16], "OAEP-SHA256")
    with suppress(DecryptionError):
        assert unwrap_key(pair(), wrapped, "PKCS1") != KEYS[16]
