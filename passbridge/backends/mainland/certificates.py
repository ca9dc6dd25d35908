"""Certificate mode: three files in place of one public key (protocol, 2.3).

Owns what can be wrong with the files, which of the gateway's certificates are known, and how another one becomes known:
fetched by `alipay.open.app.alipaycert.download`, which only a known one may sign, and checked against the roots.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from passbridge.backends.mainland.answer import DONE, parse
from passbridge.domain import Code, Finding, JsonValue, read_json, write_json
from passbridge.errors import Problem
from passbridge.protocol.certificates import (
    broken_chain,
    leaves,
    read_bundle,
    read_certificates,
    root_serial_number,
    rsa_key,
    serial_number,
)
from passbridge.protocol.gateway import Credential, Prepared, Sealed
from passbridge.protocol.keys import KeyProblem, same_pair, too_short
from passbridge.protocol.verdict import Verdict, bad_answer, untrusted

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from passbridge.backends.credentials import KeyRing
    from passbridge.backends.mainland.settings import MainlandSettings
    from passbridge.backends.mainland.signature import Verified
    from passbridge.protocol.settings import Secret
    from passbridge.protocol.wire import WireRequest, WireResponse

__all__ = ["DOWNLOAD", "Certificates", "Download", "open_certificates"]

DOWNLOAD: Final = "alipay.open.app.alipaycert.download"
_FILES: Final = ("app_cert", "gateway_cert", "root_cert")
_WHERE: Final = "download it from the application's page in the gateway's console"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Certificates:
    """An account's certificates, opened.

    Attributes:
        app_serial: `app_cert_sn`.
        root_serial: `alipay_root_cert_sn`.
        known: the gateway's keys by `alipay_cert_sn`; grows by what is learned, for the client's life.
        between: the authorities that came with the gateway's certificates.
        roots: the bundle.
        ours: the key of our own certificate, which is never the gateway's.
        download: whether an unknown certificate may be fetched.
        credentials: what everybody may know of them.
    """

    app_serial: str
    root_serial: str
    known: dict[str, RSAPublicKey] = field(repr=False)
    between: tuple[Certificate, ...] = field(repr=False)
    roots: tuple[Certificate, ...] = field(repr=False)
    ours: RSAPublicKey = field(repr=False)
    download: bool
    credentials: tuple[Credential, ...]

    @property
    def params(self) -> dict[str, str]:
        """What every request names."""
        return {"app_cert_sn": self.app_serial, "alipay_root_cert_sn": self.root_serial}

    def learn(self, serial: str, content: JsonValue, now: datetime) -> str | None:
        """Take a fetched certificate, if it is the one asked for and its chain is sound; text says why not."""
        try:
            found = read_certificates(base64.b64decode(content if isinstance(content, str) else "", validate=True))
            leaf = next((one for one in found if serial_number(one) == serial), None)
            if leaf is None:
                return f"what was fetched is not certificate {serial}"
            key = rsa_key(leaf)
        except (KeyProblem, binascii.Error, ValueError) as problem:
            return f"what was fetched {problem if isinstance(problem, KeyProblem) else 'is no certificate in base64'}"
        if same_pair(self.ours, key):
            return f"certificate {serial} is of our own key"
        broken = broken_chain(leaf, [*(one for one in found if one is not leaf), *self.between], self.roots, now)
        if broken is None:
            self.known[serial] = key
        return broken


def open_certificates(settings: MainlandSettings, ring: KeyRing) -> Certificates | None:
    """Open an account's three files; what is wrong goes to the ring. None where something is, or none of them is given."""
    ring.problems += _mixed(settings)
    if all(getattr(settings, name) is None for name in _FILES):
        return None
    opening = _Opening(settings, ring)
    ours, theirs, roots = opening.app(), opening.gateway(), opening.read("root_cert", read_bundle)
    if ours is None or not theirs or roots is None:
        return None
    return Certificates(
        app_serial=serial_number(ours),
        root_serial=root_serial_number(roots),
        known={serial_number(one): rsa_key(one) for one in leaves(theirs)},
        between=tuple(one for one in theirs if one not in leaves(theirs)),
        roots=roots,
        ours=rsa_key(ours),
        download=settings.cert_download,
        credentials=(_credential("app_cert", ours), *(_credential("gateway_cert", one) for one in leaves(theirs))),
    )


def _mixed(settings: MainlandSettings) -> Iterator[Problem]:
    """What can't stand together: an app has one mode only, and certificates are for RSA2 alone."""
    given = [name for name in _FILES if getattr(settings, name) is not None]
    if not given:
        if settings.cert_download:
            yield Problem(settings.at("cert_download"), "no_certificates", "is for certificate mode", f"give {', '.join(_FILES)}")
        return
    for name in _FILES:
        if name not in given:
            yield Problem(settings.at(name), "missing", "is missing: certificate mode needs all three", _WHERE)
    if settings.gateway_public_key is not None:
        mend = "leave it out, or leave out " + ", ".join(given)
        yield Problem(settings.at("gateway_public_key"), "two_modes", "stands beside certificates; an app has one mode only", mend)
    if settings.sign_type != "RSA2":
        yield Problem(
            settings.at("sign_type"), "rsa2_only", "must be RSA2 in certificate mode", 'write sign_type = "RSA2", or leave it out'
        )


@dataclass(frozen=True, slots=True)
class _Opening:
    """Reads the files of one account and says what is wrong with each."""

    settings: MainlandSettings
    ring: KeyRing

    def app(self) -> Certificate | None:
        """Our certificate: of the very key that signs, where that key is here to be compared."""
        found = self.read("app_cert", read_certificates)
        ours = self.rsa("app_cert", leaves(found or ())[:1])
        if ours and self.ring.ours and not self.ring.is_ours(rsa_key(ours[0])):
            self.wrong("app_cert", "other_key", "is not of the key in private_key", "give the certificate that was issued for this key")
            return None
        return ours[0] if ours else None

    def gateway(self) -> tuple[Certificate, ...]:
        """The gateway's certificate, or several while they change, with the authorities between."""
        found = self.read("gateway_cert", read_certificates) or ()
        theirs = self.rsa("gateway_cert", leaves(found))
        if any(self.ring.is_ours(rsa_key(one)) for one in theirs):
            self.wrong(
                "gateway_cert", "own_key", "is the certificate of our own key, not the gateway's", f"{_WHERE}: alipayCertPublicKey_RSA2"
            )
            return ()
        return found if theirs else ()

    def rsa(self, member: str, certificates: tuple[Certificate, ...]) -> tuple[Certificate, ...]:
        """The certificates, if each has an RSA key that is long enough."""
        for one in certificates:
            try:
                problem = too_short(rsa_key(one), self.ring.algorithm)
            except KeyProblem as other:
                problem = other
            if problem is not None:
                self.wrong(member, "bad_key", str(problem), problem.mend)
                return ()
        return certificates

    def read(self, member: str, reader: Callable[[bytes], _T]) -> _T | None:
        """What a file holds; None where it isn't given, which was told already, or can't be read."""
        secret: Secret | None = getattr(self.settings, member)
        if secret is None:
            return None
        try:
            return reader(secret.reveal())
        except KeyProblem as problem:
            self.wrong(member, "bad_certificate", str(problem), problem.mend)
            return None

    def wrong(self, member: str, code: str, message: str, mend: str) -> None:
        """Note a problem, with where the file came from."""
        origin = getattr(self.settings, member).origin
        self.ring.problems.append(Problem(self.settings.at(member), code, f"{origin} {message}", mend))


def _credential(member: str, certificate: Certificate) -> Credential:
    ends = certificate.not_valid_after_utc
    return Credential(member, "RSA certificate", rsa_key(certificate).key_size, certificate.not_valid_before_utc, ends)


class Account(Sealed, Protocol):
    """What a download needs of its account."""

    def verified(self, prepared: Prepared, response: WireResponse, now: datetime) -> Verified | Verdict:
        """The node of the method called, proved; else the verdict on what came instead."""
        ...


@dataclass(frozen=True, slots=True)
class Download:
    """Fetches the certificate of this serial number.

    Its answer must itself be signed by a known certificate. The chain alone would not do: the certificates of every merchant's
    app are issued by the same authorities.
    """

    account: Account
    certificates: Certificates
    serial: str

    @property
    def params(self) -> dict[str, str]:
        """The call's own parameters."""
        return {"method": DOWNLOAD, "biz_content": write_json({"alipay_cert_sn": self.serial})}

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign the call."""
        return self.account.seal(prepared, now)

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:  # noqa: ARG002 - the port's
        """`APPLIED` once the certificate is known."""
        verified, trace = self.account.verified(prepared, response, now), response.headers.get("trace_id")
        if isinstance(verified, Verdict):
            return replace(verified, errand=None)
        answer = parse(verified)
        if isinstance(answer, str):
            return bad_answer(answer, None, trace)
        native, node = answer.native, read_json(verified.node)
        if native.code != DONE or native.sub_code is not None:
            return bad_answer(f"refused: {native.sub_code or native.code}", native, trace)
        refused = self.certificates.learn(self.serial, node.get("alipay_cert_content") if isinstance(node, dict) else None, now)
        if refused is not None:
            finding = Finding(
                code="CERT-CHAIN", message=refused, mend="fetch the gateway's certificate from the console, and compare root_cert"
            )
            return untrusted(finding, native, trace)
        return Verdict(code=Code.APPLIED, native=native, trace_id=trace, note=f"certificate {self.serial} was fetched; its chain is sound")
