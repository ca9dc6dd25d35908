"""Certificates for servers on loopback, made on the spot."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from tests.client.keys import PEM, key, private_bytes


@cache
def self_signed(host: str = "127.0.0.1", age: int = 0) -> bytes:
    """A certificate for this host that signs itself, and ended `age` days ago if that is not 0; its key is `server`."""
    pair, name = key("server"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway of the tests")])
    begins, ends = (datetime.now(UTC) + timedelta(days=days) for days in ((-age - 1, -age) if age else (-1, 1)))
    builder = x509.CertificateBuilder(name, name, pair.public_key(), x509.random_serial_number(), begins, ends)
    named = x509.IPAddress(IPv4Address(host)) if host[0].isdigit() else x509.DNSName(host)
    builder = builder.add_extension(x509.SubjectAlternativeName([named]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return builder.sign(pair, hashes.SHA256()).public_bytes(PEM)


def server_context(folder: Path, certificate: bytes) -> ssl.SSLContext:
    """What a server needs to speak TLS with this certificate, kept in this folder."""
    file = folder / "server.pem"
    file.write_bytes(private_bytes(key("server")) + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
