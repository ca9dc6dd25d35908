"""Certificates made by OpenSSL, named as Java and OpenSSL name them, and every way in which a chain can be broken."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import pytest
from cryptography.x509 import Certificate

from passbridge.protocol.certificates import (
    broken_chain,
    issuer_text,
    leaves,
    read_bundle,
    read_certificates,
    root_serial_number,
    rsa_key,
    serial_number,
)
from passbridge.protocol.keys import KeyProblem
from tests.backends.support import pem, vector_file

FOLDER = Path(__file__).parents[1] / "vectors" / "certificates"
JAVA = vector_file("certificates/serials.json")
NAMES = sorted(set(JAVA) - {"root"})


def data(name: str) -> bytes:
    return (FOLDER / f"{name}.pem").read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_certificate_is_named_as_java_names_it(name: str) -> None:
    certificate = read_certificates(data(name))[0]
    assert (issuer_text(certificate.issuer), serial_number(certificate)) == (JAVA[name][0]["issuer"], JAVA[name][0]["serial"])


BOTH = sorted(set(NAMES) - {"odd-equals-and-hash", "odd-without-keyword", "odd-spaces", "odd-several-in-one-part"})
"""Those whose names Java and OpenSSL write alike: Java escapes more, and OpenSSL has more keywords and other blanks."""


@pytest.mark.parametrize("name", BOTH)
def test_a_certificate_is_named_as_openssl_names_it(name: str) -> None:
    command = ["openssl", "x509", "-noout", "-issuer", "-serial", "-nameopt", "RFC2253,-esc_msb"]
    said = subprocess.run(command, input=data(name), capture_output=True, check=True).stdout.decode()  # noqa: S603 - our own words
    issuer, number = (line.partition("=")[2] for line in said.splitlines())
    expected = hashlib.md5(f"{issuer}{int(number, 16)}".encode(), usedforsecurity=False).hexdigest()
    assert serial_number(read_certificates(data(name))[0]) == expected


def test_a_bundle_is_named_by_its_roots_that_are_signed_with_rsa() -> None:
    signed_with_rsa = [row["serial"] for row in JAVA["root"] if row["algorithm"].startswith("1.2.840.113549.1.1.")]
    assert len(signed_with_rsa) == 2 < len(JAVA["root"])
    assert root_serial_number(read_bundle(data("root"))) == "_".join(signed_with_rsa)


BLOCKS = [b"-----BEGIN" + part for part in data("root").split(b"-----BEGIN")[1:]]
DAMAGED = BLOCKS[1].replace(b"MIID", b"MIIE", 1)
SPELLINGS = {
    "as it is, with CRLF": data("root"),
    "LF alone": data("root").replace(b"\r\n", b"\n"),
    "without blank lines": b"\n".join(block.strip() for block in BLOCKS),
    "blank lines inside": data("root").replace(b"\r\n", b"\r\n\r\n \t\r\n"),
    "words around": b"Root:\n" + data("root") + b"\nthe end",
    "a byte order mark": b"\xef\xbb\xbf" + data("root"),
    "indented": b"\n".join(b"   " + line for line in data("root").splitlines()),
    "one that can't be read": DAMAGED + data("root"),
    "one that is no base64": b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n" + data("root"),
}


@pytest.mark.parametrize("bundle", SPELLINGS.values(), ids=SPELLINGS)
def test_a_bundle_may_be_spelled_in_any_way(bundle: bytes) -> None:
    assert BLOCKS[1] != DAMAGED
    assert root_serial_number(read_bundle(bundle)) == root_serial_number(read_bundle(data("root")))


@pytest.mark.parametrize("bundle", [b"", b"nothing", BLOCKS[0], DAMAGED], ids=["empty", "none", "one on a curve", "a damaged one"])
def test_a_bundle_without_a_root_that_counts_is_refused(bundle: bytes) -> None:
    with pytest.raises(KeyProblem, match="holds no root certificate that is signed with RSA"):
        read_bundle(bundle)


UNREADABLE = {
    "empty": (b" \n", "is empty"),
    "a private key": (pem("cn-app"), "is a key where a certificate is wanted"),
    "a public key": (pem("cn-app-public"), "is a key where a certificate is wanted"),
    "rubbish": (b"\x30\x82\xff", "holds no readable certificate"),
    "base64 alone": (b"MIID", "holds no readable certificate"),
    "one of two damaged": (data("app") + DAMAGED, "holds no readable certificate"),
}


@pytest.mark.parametrize(("given", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_certificate_is_told(given: bytes, message: str) -> None:
    with pytest.raises(KeyProblem, match=f"^{message}$") as caught:
        read_certificates(given)
    assert caught.value.mend == "give the .crt file as the gateway's console offers it"


def test_der_is_read_too() -> None:
    command = ["openssl", "x509", "-outform", "DER"]
    der = subprocess.run(command, input=data("app"), capture_output=True, check=True).stdout  # noqa: S603 - our own words
    assert read_certificates(der) == read_certificates(data("app"))


def test_the_authorities_that_come_along_are_no_leaves() -> None:
    found = read_certificates(data("gateway"))
    assert leaves(found) == leaves(found[::-1]) == found[:1]
    both = (*found, *read_certificates(data("gateway-2")))
    assert [serial_number(one) for one in leaves(both)] == [JAVA[name][0]["serial"] for name in ("gateway", "gateway-2")]


NOW = datetime(2030, 1, 1, tzinfo=UTC)
AUTHORITY = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign"
LEAF = "keyUsage=critical,digitalSignature"
FIRST, SECOND, THIRD, LAST = "hk-gateway", "hk-app", "cn-gateway-2", "cn-gateway"


@dataclass(frozen=True)
class Authority:
    """OpenSSL as an authority: certificates with any extensions, for any number of days from today on."""

    folder: Path

    def root(self, days: int = 3650, key: str = FIRST, subject: str = "/CN=root", kind: str = "rsa") -> bytes:
        more = ["-addext", "basicConstraints=critical,CA:TRUE"]
        return self._made("req", "-x509", "-key", self.key(key, kind), "-subj", subject, "-days", str(days), *more)

    def issue(  # noqa: PLR0913 - each is one thing that may be wrong
        self, by: bytes, signer: str, key: str, subject: str, extensions: str = "", *, days: int = 3650, digest: str = "sha256"
    ) -> bytes:
        request = self._made("req", "-new", "-key", self.key(key), "-subj", subject)
        (self.folder / "by.pem").write_bytes(by)
        (self.folder / "more.cnf").write_text(extensions, encoding="ascii")
        files: list[str | Path] = ["-CA", self.folder / "by.pem", "-CAkey", self.key(signer), "-extfile", self.folder / "more.cnf"]
        return self._made("x509", "-req", *files, "-days", str(days), f"-{digest}", "-set_serial", "5", given=request)

    def key(self, name: str, kind: str = "rsa") -> Path:
        path = FOLDER.parent / "keys" / f"{name}.pem" if kind == "rsa" and name != "curve" else self.folder / "ec.pem"
        if not path.exists():
            self._made("ecparam", "-name", "SM2" if kind == "SM2" else "prime256v1", "-genkey", "-noout", "-out", path)
        return path

    @staticmethod
    def _made(*words: str | Path, given: bytes = b"") -> bytes:
        command = ["openssl", *map(str, words)]
        return subprocess.run(command, input=given, capture_output=True, check=True).stdout  # noqa: S603 - our own words


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def one(data: bytes) -> Certificate:
    return read_certificates(data)[0]


@cache
def golden() -> tuple[Certificate, Certificate, tuple[Certificate, ...]]:
    leaf, between = read_certificates(data("gateway"))
    return leaf, between, read_bundle(data("root"))


def test_the_golden_chain_is_sound() -> None:
    leaf, between, roots = golden()
    assert broken_chain(leaf, [between], roots, NOW) is None
    assert broken_chain(leaf, [leaf, between, *roots, one(data("odd-order"))], roots, NOW) is None


def test_without_the_authority_between_there_is_no_chain() -> None:
    leaf, _, roots = golden()
    assert broken_chain(leaf, [], roots, NOW) == f"certificate {serial_number(leaf)} was issued by none of the known authorities"


def test_roots_are_those_of_the_bundle_alone(authority: Authority) -> None:
    leaf, between, roots = golden()
    reason = f"certificate {serial_number(between)} was issued by none of the known authorities"
    assert broken_chain(leaf, [between, *roots], [one(authority.root())], NOW) is not None
    assert broken_chain(leaf, [between], [one(authority.root())], NOW) == reason


@pytest.mark.parametrize("at", [NOW - timedelta(days=36500), NOW + timedelta(days=40000)], ids=["before", "after"])
def test_a_chain_is_sound_only_while_it_is_valid(at: datetime) -> None:
    leaf, between, roots = golden()
    reason = broken_chain(leaf, [between], roots, at)
    assert reason is not None
    assert reason.startswith(f"certificate {serial_number(leaf)} is not valid now: 20")


Broken = Callable[[Authority], tuple[bytes, list[bytes], bytes]]


def _between(extensions: str = AUTHORITY, days: int = 3650, *, digest: str = "sha256") -> Broken:
    """A leaf that is sound, under an authority that may not be."""

    def made(by: Authority) -> tuple[bytes, list[bytes], bytes]:
        root = by.root()
        between = by.issue(root, FIRST, SECOND, "/CN=between", extensions, days=days, digest=digest)
        return by.issue(between, SECOND, LAST, "/CN=leaf", LEAF), [between], root

    return made


def _expired_root(by: Authority) -> tuple[bytes, list[bytes], bytes]:
    root = by.root(days=10)
    return by.issue(root, FIRST, LAST, "/CN=leaf", LEAF), [], root


def _by_another_of_that_name(by: Authority) -> tuple[bytes, list[bytes], bytes]:
    root = by.root()
    return by.issue(by.root(key=SECOND), SECOND, LAST, "/CN=leaf", LEAF), [], root


def _too_deep(by: Authority) -> tuple[bytes, list[bytes], bytes]:
    root = by.root()
    upper = by.issue(root, FIRST, SECOND, "/CN=upper", "basicConstraints=critical,CA:TRUE,pathlen:0")
    lower = by.issue(upper, SECOND, THIRD, "/CN=lower", AUTHORITY)
    return by.issue(lower, THIRD, LAST, "/CN=leaf", LEAF), [upper, lower], root


def _endless(by: Authority) -> tuple[bytes, list[bytes], bytes]:
    """Each issued by the next of the same name: more of them than any chain has."""
    first = by.root(key=SECOND, subject="/CN=again")
    links = [by.issue(first, SECOND, SECOND, "/CN=again", AUTHORITY, days=1000 + day) for day in range(9)]
    return by.issue(first, SECOND, LAST, "/CN=leaf", LEAF), links, by.root()


BROKEN: dict[str, tuple[Broken, str]] = {
    "an app's certificate as authority": (_between(LEAF), "may not issue"),
    "no constraints at all": (_between("subjectKeyIdentifier=hash"), "may not issue"),
    "constraints that say no": (_between("basicConstraints=critical,CA:FALSE"), "may not issue"),
    "a key usage without signing": (_between("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign"), "may not issue"),
    "an authority that has expired": (_between(days=10), "is not valid now"),
    "a root that has expired": (_expired_root, "is not valid now"),
    "a signature over SHA-1": (_between(digest="sha1"), "is not signed by"),
    "another authority of that name": (_by_another_of_that_name, "is not signed by"),
    "deeper than allowed": (_too_deep, "may not issue"),
    "without an end": (_endless, "the chain is too long"),
}


@pytest.mark.parametrize(("made", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_chain_says_where(made: Broken, reason: str, authority: Authority) -> None:
    leaf, between, root = made(authority)
    found = broken_chain(one(leaf), [*map(one, between)], [one(root)], datetime.now(UTC) + timedelta(days=100))
    assert found is not None
    assert reason in found


def test_authorities_between_may_sign_on_a_curve_and_need_no_key_usage(authority: Authority) -> None:
    root = authority.root()
    between = authority.issue(root, FIRST, "curve", "/CN=between", "basicConstraints=critical,CA:TRUE,pathlen:0")
    leaf = authority.issue(between, "curve", LAST, "/CN=leaf", LEAF)
    assert broken_chain(one(leaf), [one(between)], [one(root)], datetime.now(UTC) + timedelta(days=1)) is None


def test_an_authority_is_no_leaf_and_a_root_neither(authority: Authority) -> None:
    _, between, roots = golden()
    for certificate in (between, roots[0], one(authority.root())):
        reason = f"certificate {serial_number(certificate)} is an authority's own certificate"
        assert broken_chain(certificate, [between], roots, NOW) == reason


@pytest.mark.parametrize("kind", ["curve", "SM2"])
def test_a_certificate_of_another_kind_of_key_has_no_rsa_key(kind: str, authority: Authority) -> None:
    curve = one(authority.root(kind=kind))
    with pytest.raises(KeyProblem, match="is a certificate of a key that is not RSA"):
        rsa_key(curve)
