"""RSA keys of the merchant, the gateways and strangers, made once a run, and signatures by them."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

__all__ = ["key", "private_pem", "public_pem", "sign"]


@cache
def key(name: str) -> RSAPrivateKey:
    """The key pair of this name: `ours`, `gateway`, or any other."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def private_pem(name: str) -> bytes:
    """The private key as PEM."""
    return key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def public_pem(name: str) -> bytes:
    """The public half as PEM."""
    return key(name).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(data: bytes, name: str = "gateway", digest: hashes.HashAlgorithm | None = None) -> bytes:
    """A raw PKCS #1 v1.5 signature, over SHA-256 unless another hash is given."""
    return key(name).sign(data, padding.PKCS1v15(), digest or hashes.SHA256())
