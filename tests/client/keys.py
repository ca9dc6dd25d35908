"""RSA keys for tests, each made once a run, and the forms in which keys are handed out."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

PKCS1 = serialization.PrivateFormat.TraditionalOpenSSL
PKCS8 = serialization.PrivateFormat.PKCS8
PEM = serialization.Encoding.PEM
DER = serialization.Encoding.DER


@cache
def key(name: str, bits: int = 2048) -> RSAPrivateKey:
    """The key pair of this name: `ours`, `gateway`, or any other."""
    assert name
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def private_bytes(
    pair: RSAPrivateKey, encoding: serialization.Encoding = PEM, form: serialization.PrivateFormat = PKCS8, password: bytes = b""
) -> bytes:
    """The private key, by default as PEM in PKCS#8."""
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return pair.private_bytes(encoding, form, locked)


def public_bytes(pair: RSAPrivateKey, encoding: serialization.Encoding = PEM) -> bytes:
    """The public half, by default as PEM."""
    return pair.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(data: bytes, name: str = "ours") -> bytes:
    """A raw SHA-256 signature by the key of this name."""
    return key(name).sign(data, padding.PKCS1v15(), hashes.SHA256())


def require_signed(public: RSAPublicKey, data: bytes, signature: bytes) -> None:
    """Raise `InvalidSignature` unless this key signed these bytes."""
    public.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
