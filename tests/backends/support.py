"""What the tests of both backends need: the committed keys, the tables, and hands that sign without the code under test."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from passbridge.protocol.settings import Secret
from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts

__all__ = ["VECTORS", "certificate", "openssl_verifies", "pem", "secret", "sign", "tables", "vector_file"]

VECTORS = Path(__file__).parents[1] / "vectors"


def pem(name: str) -> bytes:
    """A committed key: `hk-app` (private), `hk-app-public`."""
    return (VECTORS / "keys" / f"{name}.pem").read_bytes()


def secret(name: str) -> Secret:
    """A committed key as an account's settings hold it."""
    return Secret(pem(name), f"{name}.pem")


def certificate(name: str) -> Secret:
    """A golden certificate file as an account's settings hold it."""
    return Secret((VECTORS / "certificates" / f"{name}.pem").read_bytes(), f"{name}.pem")


@cache
def _private(name: str) -> RSAPrivateKey:
    key = load_pem_private_key(pem(name), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def sign(name: str, data: bytes, digest: hashes.HashAlgorithm | None = None) -> bytes:
    """A signature by a committed key over bytes that the test put together itself."""
    return _private(name).sign(data, padding.PKCS1v15(), digest or hashes.SHA256())


def openssl_verifies(name: str, data: bytes, signature: bytes, digest: str = "sha256") -> bool:
    """Whether the OpenSSL command line accepts a signature."""
    with NamedTemporaryFile() as file:
        file.write(signature)
        file.flush()
        public = str(VECTORS / "keys" / f"{name}-public.pem")
        command = ["openssl", "dgst", f"-{digest}", "-verify", public, "-signature", file.name]
        return subprocess.run(command, input=data, capture_output=True, check=False).returncode == 0  # noqa: S603 - our own words


def vector_file(name: str) -> Any:  # noqa: ANN401 - JSON
    """A JSON file of `tests/vectors`."""
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


@cache
def tables(overlay: str = "") -> Tables:
    """Everything `mappings/` says, under an overlay if one is given."""
    return load_tables(mapping_texts(), {"overlay.toml": overlay} if overlay else {})
