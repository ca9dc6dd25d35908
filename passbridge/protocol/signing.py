"""RSA signatures over bytes: the primitives that both gateways and the sandbox share.

Owns which hash and which key length each algorithm's name stands for. It never learns what text is signed: each side
writes its own canonical form, so that one wrong form can't hide in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

__all__ = ["ALGORITHMS", "Algorithm", "Signer", "rsa_signer", "rsa_verify"]

Signer = Callable[[bytes], bytes]
"""What signs: the bytes in, the raw signature out. A key here, or a merchant's KMS or HSM."""


@dataclass(frozen=True, slots=True)
class Algorithm:
    """RSASSA-PKCS1-v1_5 with one hash.

    Attributes:
        name: the gateway's word for it.
        hash: the hash; a signature made over another one never verifies.
        min_bits: a shorter key is refused.
        warn_bits: a shorter key is warned of.
    """

    name: str
    hash: hashes.HashAlgorithm
    min_bits: int
    warn_bits: int


ALGORITHMS: Final = MappingProxyType(
    {
        "RSA256": Algorithm("RSA256", hashes.SHA256(), 2048, 2048),
        "RSA2": Algorithm("RSA2", hashes.SHA256(), 2048, 2048),
        # The mainland's legacy type; its keys were 1024 bits long when it was the only one.
        "RSA": Algorithm("RSA", hashes.SHA1(), 1024, 2048),  # noqa: S303 - what the gateway's legacy sign_type is
    }
)
"""The algorithms by the gateways' names: `RSA256` (AlipayHK), `RSA2` and `RSA` (mainland, `sign_type`)."""


def rsa_signer(key: RSAPrivateKey, algorithm: Algorithm) -> Signer:
    """The signer for a key held in memory."""
    return lambda data: key.sign(data, padding.PKCS1v15(), algorithm.hash)


def rsa_verify(key: RSAPublicKey, algorithm: Algorithm, data: bytes, signature: bytes) -> bool:
    """Whether this key made this signature over these bytes with this hash, and no other."""
    try:
        key.verify(signature, data, padding.PKCS1v15(), algorithm.hash)
    except InvalidSignature:
        return False
    return True
