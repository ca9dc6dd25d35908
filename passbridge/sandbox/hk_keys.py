"""AlipayHK's own keys: one line of versions for each algorithm, and what the merchants of the further accounts hold.

Owns the names under which these keys are kept, and the outfits of the accounts for ECC224, RSA_AES and key rotation. It must not know
what is signed or encrypted with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.protocol.signing import PrivateKey
from passbridge.sandbox.hk_answer import GatewayKey
from passbridge.sandbox.outfit import Chest, File, Outfit, private_pem, public_pem

__all__ = ["ENCRYPTION", "GatewayKeys", "ecc_outfit", "encrypted_outfit", "rotated_outfit", "rotating_outfit"]

ENCRYPTION: Final = "RSA_AES"
"""The word under which the gateway keeps the key that answers to a merchant are encrypted for."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "RSA256": {"1": "hk-gateway", "2": "hk-gateway-2"},
        "ECC224": {"1": "hk-ecc-gateway", "2": "hk-ecc-gateway-2"},
    }
)
"""The names of the gateway's keys, by algorithm and version: the one in use, and the one that will follow it."""


class GatewayKeys:
    """The gateway's own keys, made when they are first asked for."""

    def __init__(self, chest: Chest) -> None:
        self._chest = chest

    def signing(self, algorithm: str, version: str = "1") -> GatewayKey:
        """The key that signs answers by this algorithm."""
        return GatewayKey(_key(self._chest, algorithm, _NAMES[algorithm][version]), version)

    def unwrapping(self) -> Mapping[str, RSAPrivateKey]:
        """The keys for which a merchant may wrap an AES key, by version."""
        return {version: self._chest.rsa(name) for version, name in _NAMES["RSA256"].items()}


def ecc_outfit(chest: Chest) -> Outfit:
    """An app that signs by ECC224."""
    return _outfit(chest, "ECC224", "hk-ecc-app", {"algorithm": "ECC224"})


def encrypted_outfit(chest: Chest) -> Outfit:
    """An app whose bodies are encrypted by RSA_AES."""
    outfit = _outfit(chest, "RSA256", "hk-encrypted-app", {"encryption.algorithm": ENCRYPTION})
    return replace(outfit, registered={**outfit.registered, ENCRYPTION: outfit.registered["1"]})


def rotating_outfit(chest: Chest) -> Outfit:
    """An app with two registered keys, while it still signs with the first."""
    return _outfit(chest, "RSA256", "hk-rotating-app", {})


def rotated_outfit(chest: Chest) -> Outfit:
    """The same app, signing with the second."""
    return _outfit(chest, "RSA256", "hk-rotated-app", {"key_version": "2"})


def _outfit(chest: Chest, algorithm: str, name: str, settings: Mapping[str, str]) -> Outfit:
    """One key of the app's, and both of the gateway's, so that it may change over at any time."""
    own = _key(chest, algorithm, name)
    names = _NAMES[algorithm]
    theirs = {version: File(f"{of}.pem", public_pem(_key(chest, algorithm, of))) for version, of in names.items()}
    return Outfit(
        registered={settings.get("key_version", "1"): public_pem(own)},
        files={
            "private_key": File(f"{name}.pem", private_pem(own)),
            **{f"gateway_public_keys.{version}": file for version, file in theirs.items()},
        },
        settings=settings,
    )


def _key(chest: Chest, algorithm: str, name: str) -> PrivateKey:
    return chest.rsa(name) if algorithm == "RSA256" else chest.p224(name)
