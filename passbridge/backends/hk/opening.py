"""An AlipayHK account's keys, opened: what answers are verified with, and what bodies are encrypted with.

Owns which key stands for which version, and which of ours an answer's AES key is wrapped for. Signs and reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NoReturn

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from passbridge.backends.credentials import KeyRing
from passbridge.backends.hk.encryption import Encryption
from passbridge.backends.hk.settings import HkEncryption, HkSettings
from passbridge.errors import Problem
from passbridge.protocol.cipher import unwrap_key
from passbridge.protocol.settings import Secret
from passbridge.protocol.signing import ALGORITHMS, ECC224, Algorithm, PublicKey

__all__ = ["algorithm_of", "encryption_of", "gateway_keys"]


def algorithm_of(settings: HkSettings) -> Algorithm:
    """The one algorithm of both directions, as configured."""
    return ECC224[settings.ecc_hash] if settings.algorithm == "ECC224" and settings.ecc_hash else ALGORITHMS[settings.algorithm]


def gateway_keys(ring: KeyRing, settings: HkSettings) -> Mapping[str, PublicKey]:
    """The gateway's keys by version; a single one stands for every version under the empty name."""
    named: dict[str, Secret | None] = {f"gateway_public_keys.{version}": secret for version, secret in settings.gateway_public_keys.items()}
    secrets = named or {"gateway_public_key": settings.gateway_public_key}
    opened = {member.partition(".")[2]: ring.verifying_key(member, secret) for member, secret in secrets.items()}
    return MappingProxyType({version: key for version, key in opened.items() if key is not None})


def encryption_of(ring: KeyRing, settings: HkSettings, keys: Mapping[str, PublicKey]) -> Encryption | None:
    """How bodies are encrypted, if they are; what is wrong is added to the ring's problems."""
    if settings.encryption is None:
        return None
    rsa = KeyRing(settings, ALGORITHMS["RSA256"], ring.problems, ring.ours)
    ours = _ours(rsa, settings, ring)
    version, theirs = _theirs(rsa, settings, settings.encryption, keys)
    if ours is None or theirs is None:
        return None
    wrapping = settings.encryption.wrap
    return Encryption(
        wrapping=wrapping,
        content_type=f"{settings.encryption.content_type}; charset=UTF-8",
        key_version=version,
        theirs=theirs,
        unwrap=lambda wrapped: unwrap_key(ours, wrapped, wrapping),
        draw=_undrawn,
    )


def _ours(rsa: KeyRing, settings: HkSettings, ring: KeyRing) -> RSAPrivateKey | None:
    """The RSA key that answers are encrypted for: the signing key, unless another is named or that one is none of ours to hold."""
    if settings.encryption_private_key is not None:
        return rsa.private_rsa_key("encryption_private_key", settings.encryption_private_key)
    if isinstance(ring.private, RSAPrivateKey):
        return ring.private
    if not any(problem.path == settings.at("private_key") for problem in ring.problems):
        message = "is missing: the account's own key is no RSA key held here, and answers are encrypted for one"
        ring.problems.append(Problem(settings.at("encryption_private_key"), "missing", message, "name the file of an RSA private key"))
    return None


def _theirs(rsa: KeyRing, settings: HkSettings, encryption: HkEncryption, keys: Mapping[str, PublicKey]) -> tuple[str, RSAPublicKey | None]:
    """AlipayHK's RSA key and its version: the one named, else the newest of those that verify."""
    named = encryption.key_version
    if settings.encryption_public_key is not None:
        return named or "1", rsa.gateway_key("encryption_public_key", settings.encryption_public_key)
    version = "" if "" in keys else named or max(keys, key=int, default="")
    key = keys.get(version)
    if isinstance(key, RSAPublicKey):
        return version or named or "1", key
    if key is not None:
        message = "is missing: the gateway's own key is no RSA key, and requests are encrypted for one"
        rsa.problems.append(Problem(settings.at("encryption_public_key"), "missing", message, "name the file of AlipayHK's RSA key"))
    elif named and named not in settings.gateway_public_keys and settings.gateway_public_keys:
        message = "no such version in gateway_public_keys"
        rsa.problems.append(Problem(settings.at("encryption.key_version"), "unknown_version", message, "name one that is there"))
    return "", None


def _undrawn(size: int) -> NoReturn:
    raise RuntimeError(f"{size} random bytes are wanted, and none were handed in: open the account through a client")
