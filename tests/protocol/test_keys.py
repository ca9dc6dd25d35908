from __future__ import annotations

import base64
import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from passbridge.protocol.keys import KeyProblem, private_key, public_key, same_pair, too_short
from passbridge.protocol.signing import ALGORITHMS

KEY = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
HELPFUL = "give the key as PEM, DER, or the console's one-line base64"


def private(encoding: Encoding, form: PrivateFormat) -> bytes:
    return KEY.private_bytes(encoding, form, NoEncryption())


def public(encoding: Encoding, form: PublicFormat) -> bytes:
    return KEY.public_key().public_bytes(encoding, form)


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, KEY.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
    return built.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


PKCS1 = private(Encoding.DER, PrivateFormat.TraditionalOpenSSL)
PKCS8 = private(Encoding.DER, PrivateFormat.PKCS8)
PKCS1_PEM = private(Encoding.PEM, PrivateFormat.TraditionalOpenSSL)
PKCS8_PEM = private(Encoding.PEM, PrivateFormat.PKCS8)
SPKI = public(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
SPKI_PEM = public(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC1 = public(Encoding.DER, PublicFormat.PKCS1)
PUBLIC1_PEM = public(Encoding.PEM, PublicFormat.PKCS1)
EC_PEM = EC.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
EC_PUBLIC_PEM = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ENCRYPTED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
OLD_ENCRYPTED = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x"))
BOM = b"\xef\xbb\xbf"


def spellings(der: bytes, pem: bytes) -> dict[str, bytes]:
    """One key in every form it may be handed out in."""
    line = base64.b64encode(der)
    return {
        "DER": der,
        "PEM": pem,
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "PEM without a line break at the end": pem.rstrip(),
        "PEM with blanks around and at line ends": b"\n  " + pem.replace(b"\n", b" \n") + b"\n\n",
        "PEM indented": b"".join(b"    " + part + b"\n" for part in pem.splitlines()),
        "PEM with a byte order mark": BOM + pem,
        "PEM after some text": b"Bag Attributes\n    friendlyName: x\n" + pem,
        "PEM in one long line": pem.splitlines()[0] + b"\n" + line + b"\n" + pem.splitlines()[-1],
        "PEM under another label": pem.replace(b" RSA ", b" ") if b" RSA " in pem else re.sub(rb"(BEGIN|END) ", rb"\1 RSA ", pem),
        "base64 in one line": line,
        "base64 with a line break at the end": line + b"\r\n",
        "base64 in lines": base64.encodebytes(der),
        "base64 with blanks": b" " + line[:60] + b"\t \n" + line[60:] + b"  ",
        "base64 with a byte order mark": BOM + line,
    }


@pytest.mark.parametrize(("der", "pem"), [(PKCS1, PKCS1_PEM), (PKCS8, PKCS8_PEM)], ids=["PKCS#1", "PKCS#8"])
@pytest.mark.parametrize("form", spellings(b"", b"\n"))
def test_a_private_key_is_read_in_every_form(form: str, der: bytes, pem: bytes) -> None:
    assert private_key(spellings(der, pem)[form]).private_numbers() == KEY.private_numbers()


@pytest.mark.parametrize(("der", "pem"), [(PUBLIC1, PUBLIC1_PEM), (SPKI, SPKI_PEM)], ids=["PKCS#1", "X.509"])
@pytest.mark.parametrize("form", spellings(b"", b"\n"))
def test_a_public_key_is_read_in_every_form(form: str, der: bytes, pem: bytes) -> None:
    assert same_pair(public_key(spellings(der, pem)[form]), KEY.public_key())


def test_keys_made_by_openssl_are_read(tmp_path: Path) -> None:
    pem, both = tmp_path / "key.pem", tmp_path / "public.pem"
    for command in (["genrsa", "-out", str(pem), "2048"], ["rsa", "-in", str(pem), "-pubout", "-out", str(both)]):
        subprocess.run(["openssl", *command], check=True, capture_output=True)  # noqa: S603, S607 - a fixed command
    assert same_pair(private_key(pem.read_bytes()).public_key(), public_key(both.read_bytes()))


PUBLIC_GIVEN = ("is a public key where a private one is wanted", "give the file that was never uploaded anywhere")
PRIVATE_GIVEN = ("is a private key where the gateway's public one is wanted", "download the gateway's public key from its console")
CERTIFICATE = ("is a certificate where a key is wanted", "give the key itself")
PASSWORD = ("is protected by a password", "store it without one, readable by its owner alone, or sign by a callable")
DAMAGED = ("holds a damaged PEM block: its BEGIN and END lines don't match", HELPFUL)
NEITHER = ("is neither PEM, DER nor base64", HELPFUL)
NOT_RSA = "this algorithm needs an RSA key"

MISTAKES: dict[str, tuple[Callable[[bytes], object], bytes, tuple[str, str]]] = {
    "nothing, private": (private_key, b"", ("is empty", "put the private key there")),
    "nothing, public": (public_key, b"", ("is empty", "put the public key there")),
    "blanks alone": (private_key, b" \r\n\t", ("is empty", "put the private key there")),
    "a byte order mark alone": (private_key, BOM, ("holds no readable private key", HELPFUL)),
    "public as PEM for private": (private_key, SPKI_PEM, PUBLIC_GIVEN),
    "public as base64 for private": (private_key, base64.b64encode(SPKI), PUBLIC_GIVEN),
    "public under a private label": (private_key, SPKI_PEM.replace(b"PUBLIC", b"PRIVATE"), PUBLIC_GIVEN),
    "an EC public key for private": (private_key, EC_PUBLIC_PEM, PUBLIC_GIVEN),
    "private as PEM for public": (public_key, PKCS1_PEM, PRIVATE_GIVEN),
    "private as DER for public": (public_key, PKCS8, PRIVATE_GIVEN),
    "an EC private key for public": (public_key, EC_PEM, PRIVATE_GIVEN),
    "an EC private key": (private_key, EC_PEM, ("is a private key, but not RSA", NOT_RSA)),
    "an EC public key": (public_key, EC_PUBLIC_PEM, ("is a public key, but not RSA", NOT_RSA)),
    "a certificate for private": (private_key, certificate(), CERTIFICATE),
    "a certificate for public": (public_key, certificate(), CERTIFICATE),
    "encrypted as PKCS#8": (private_key, ENCRYPTED, PASSWORD),
    "encrypted in the old form": (private_key, OLD_ENCRYPTED, PASSWORD),
    "cut after its first lines": (private_key, PKCS1_PEM[:200], DAMAGED),
    "labels that differ": (private_key, PKCS8_PEM.replace(b"END PRIVATE", b"END PUBLIC"), DAMAGED),
    "no BEGIN line": (private_key, PKCS1_PEM.split(b"\n", 1)[1], DAMAGED),
    "words": (private_key, b"keys/hk-app.pem", NEITHER),
    "words for public": (public_key, "金鑰".encode(), NEITHER),
    "base64 with a sign too many": (private_key, base64.b64encode(PKCS1) + b"*", NEITHER),
    "base64 of something else": (private_key, base64.b64encode(b"0" * 64), ("holds no readable private key", HELPFUL)),
    "base64 of something else for public": (public_key, base64.b64encode(b"0" * 64), ("holds no readable public key", HELPFUL)),
    "DER cut short": (private_key, PKCS1[:-10], ("holds no readable private key", HELPFUL)),
    "public DER cut short": (public_key, SPKI[:-10], ("holds no readable public key", HELPFUL)),
}


@pytest.mark.parametrize(("read", "data", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_and_no_byte_of_the_key_is_in_it(
    read: Callable[[bytes], object], data: bytes, expected: tuple[str, str]
) -> None:
    with pytest.raises(KeyProblem) as caught:
        read(data)
    assert (str(caught.value), caught.value.mend) == expected
    assert caught.value.__cause__ is None


def test_a_key_in_a_damaged_block_is_not_quoted() -> None:
    with pytest.raises(KeyProblem) as caught:
        private_key(PKCS1_PEM[:-40])
    said = repr(caught.value) + caught.value.mend
    assert not any(line in said for line in PKCS1_PEM.decode().splitlines()[1:-1])


@pytest.mark.parametrize(("name", "least", "warned"), [("RSA256", 2048, 2048), ("RSA2", 2048, 2048), ("RSA", 1024, 2048)])
def test_each_algorithm_has_its_least_length(name: str, least: int, warned: int) -> None:
    algorithm = ALGORITHMS[name]
    assert (algorithm.name, algorithm.min_bits, algorithm.warn_bits) == (name, least, warned)
    short, enough = (rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) + 1).public_key() for bits in (least - 1, least))
    assert too_short(enough, algorithm) is None
    problem = too_short(short, algorithm)
    assert problem is not None
    assert str(problem) == f"has {least - 1} bits; {name} needs {least}"
    assert problem.mend == "make a longer key pair and upload its public half"


def test_a_private_key_is_measured_like_a_public_one() -> None:
    assert too_short(KEY, ALGORITHMS["RSA2"]) is None
    legacy = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that it is short is the test
    assert too_short(legacy, ALGORITHMS["RSA2"]) is not None


def test_another_pair_is_told_apart(rsa_key: rsa.RSAPrivateKey) -> None:
    assert same_pair(KEY.public_key(), private_key(PKCS8).public_key())
    assert not same_pair(KEY.public_key(), rsa_key.public_key())
