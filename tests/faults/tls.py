"""Certificates for servers on loopback, made on the spot."""

from __future__ import annotations

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.faults.keys import key, private_pem

__all__ = ["certificate", "server_context"]


@cache
def certificate(host: str = "127.0.0.1", begins: int = -1, ends: int = 1, owner: str = "server") -> bytes:
    """A certificate that signs itself, for this host and these days from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    start, stop = (datetime.now(UTC) + timedelta(days=days) for days in (begins, ends))
    builder = x509.CertificateBuilder(name, name, key(owner).public_key(), x509.random_serial_number(), start, stop)
    alternative = x509.IPAddress(IPv4Address(host)) if host[0].isdigit() else x509.DNSName(host)
    builder = builder.add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(key(owner), hashes.SHA256()).public_bytes(Encoding.PEM)


def server_context(folder: Path, pem: bytes, owner: str = "server", newest: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    """What a server needs to speak TLS with this certificate, at most in this version."""
    file = folder / f"{owner}.pem"
    file.write_bytes(private_pem(owner) + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    if newest:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = newest
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context
