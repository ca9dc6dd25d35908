"""Opening one mainland account: its keys or certificates, its encryption, and every mistake in them at once.

Owns what the settings must hold together. What each file may be is `credentials`' and `certificates`'.
"""

from __future__ import annotations

from dataclasses import dataclass

from passbridge.backends.credentials import KeyRing
from passbridge.backends.mainland.certificates import Certificates, open_certificates
from passbridge.backends.mainland.encryption import Encryption, console_key
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.backends.mainland.signature import Trust
from passbridge.errors import ConfigError, Problem
from passbridge.protocol.gateway import Credential
from passbridge.protocol.settings import Secret
from passbridge.protocol.signing import ALGORITHMS, Signer

__all__ = ["Opened", "open_account"]


@dataclass(frozen=True, slots=True)
class Opened:
    """What an account signs, verifies and encrypts with.

    Attributes:
        sign: what signs.
        trust: what answers are verified with.
        certificates: in certificate mode, the account's certificates.
        encryption: where the account has a key for it.
        credentials: what everybody may know of them.
    """

    sign: Signer
    trust: Trust
    certificates: Certificates | None
    encryption: Encryption | None
    credentials: tuple[Credential, ...]


def open_account(settings: MainlandSettings, signer: Signer | None) -> Opened:
    """Open an account's keys, parsed once.

    Raises:
        ConfigError: with every problem of the account.
    """
    ring = KeyRing(settings, ALGORITHMS[settings.sign_type])
    sign = ring.signer(settings.private_key, signer)
    certificates, encryption = open_certificates(settings, ring), _encryption(settings, ring)
    trust = _trust(settings, ring, certificates)
    if ring.problems or sign is None or trust is None:
        raise ConfigError(ring.problems)
    return Opened(sign, trust, certificates, encryption, (*ring.credentials, *(certificates.credentials if certificates else ())))


def _trust(settings: MainlandSettings, ring: KeyRing, certificates: Certificates | None) -> Trust | None:
    """What answers are verified with; None where there is nothing to verify them with."""
    if certificates:
        return Trust(ring.algorithm, next(iter(certificates.known.values())), certificates.known)
    if settings.app_cert or settings.gateway_cert or settings.root_cert:
        return None
    key = ring.gateway_key("gateway_public_key", settings.gateway_public_key)
    return Trust(ring.algorithm, key) if key else None


def _encryption(settings: MainlandSettings, ring: KeyRing) -> Encryption | None:
    if settings.encrypt_key is None:
        if "encrypt_type" in settings.model_fields_set:
            mend = "give encrypt_key, or leave out encrypt_type"
            ring.problems.append(Problem(settings.at("encrypt_key"), "missing", "is missing: encrypt_type needs it", mend))
        return None
    try:
        key = Secret(console_key(settings.encrypt_key.reveal()), settings.encrypt_key.origin)
    except ValueError as error:
        mend = "copy it from the application's page in the gateway's console"
        ring.problems.append(Problem(settings.at("encrypt_key"), "bad_key", f"{settings.encrypt_key.origin} {error}", mend))
        return None
    return Encryption(settings.encrypt_type, key.reveal)
