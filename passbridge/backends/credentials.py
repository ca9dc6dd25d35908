"""An account's keys, opened once, with every mistake that can be told from the keys themselves.

Owns the checks both backends share: the wrong half, the wrong kind, too short, and our own key in the gateway's
place. No message holds a byte of a key.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from passbridge.errors import PassbridgeWarning, Problem
from passbridge.protocol.gateway import Credential
from passbridge.protocol.keys import KeyProblem, private_key, private_key_for, public_key, public_key_for, same_pair, too_short
from passbridge.protocol.signing import Algorithm, PrivateKey, PublicKey, Signer
from passbridge.protocol.signing import signer as key_signer

if TYPE_CHECKING:
    from collections.abc import Callable

    from passbridge.protocol.settings import AccountSettings, Secret

__all__ = ["KeyRing"]

_Key = TypeVar("_Key", bound=PrivateKey | PublicKey)
_Public = TypeVar("_Public", bound=PublicKey)


@dataclass(slots=True)
class KeyRing:
    """Opens one account's keys and collects what is wrong with them.

    Attributes:
        settings: the account, for the place in messages.
        algorithm: what the keys are for.
        problems: everything wrong so far.
        ours: the public halves of our private keys, once opened.
        private: the private key that signs, once opened.
        credentials: what everybody may know of the keys opened so far.
    """

    settings: AccountSettings
    algorithm: Algorithm
    problems: list[Problem] = field(default_factory=list)
    ours: tuple[PublicKey, ...] = ()
    private: PrivateKey | None = field(default=None, repr=False)
    credentials: list[Credential] = field(default_factory=list)

    def signer(self, secret: Secret | None, given: Signer | None) -> Signer | None:
        """What signs for the account: the caller's own signer, else its private key."""
        if given is not None:
            return given
        key = self._open("private_key", secret, partial(private_key_for, self.algorithm))
        if key is None:
            return None
        self.private, self.ours = key, (*self.ours, key.public_key())
        return key_signer(key, self.algorithm)

    def private_rsa_key(self, member: str, secret: Secret | None) -> RSAPrivateKey | None:
        """An RSA key of ours, whatever the algorithm's kind."""
        key = self._open(member, secret, private_key)
        if key is not None:
            self.ours = (*self.ours, key.public_key())
        return key

    def gateway_key(self, member: str, secret: Secret | None) -> RSAPublicKey | None:
        """The gateway's RSA key; never our own, the mistake most often made."""
        return self._not_ours(member, secret, self._open(member, secret, public_key))

    def verifying_key(self, member: str, secret: Secret | None) -> PublicKey | None:
        """The gateway's key of the algorithm's kind; never our own."""
        return self._not_ours(member, secret, self._open(member, secret, partial(public_key_for, self.algorithm)))

    def is_ours(self, key: PublicKey) -> bool:
        """Whether this is the public half of a key that we sign or decrypt with."""
        return any(same_pair(own, key) for own in self.ours)

    def _not_ours(self, member: str, secret: Secret | None, key: _Public | None) -> _Public | None:
        if key is not None and self.is_ours(key):
            message = f"{secret.origin if secret else member} is the public half of our own key, not the gateway's"
            mend = "download the gateway's public key from its console: it is another one than the key uploaded there"
            self.problems.append(Problem(self.settings.at(member), "own_key", message, mend))
            return None
        return key

    def _open(self, member: str, secret: Secret | None, read: Callable[[bytes], _Key]) -> _Key | None:
        if secret is None:
            self.problems.append(Problem(self.settings.at(member), "missing", "is missing", "name the key's file"))
            return None
        try:
            key = read(secret.reveal())
        except KeyProblem as problem:
            self.problems.append(Problem(self.settings.at(member), "bad_key", f"{secret.origin} {problem}", problem.mend))
            return None
        return self._long_enough(member, secret, key)

    def _long_enough(self, member: str, secret: Secret, key: _Key) -> _Key | None:
        short = too_short(key, self.algorithm)
        if short:
            self.problems.append(Problem(self.settings.at(member), "short_key", f"{secret.origin} {short}", short.mend))
            return None
        if key.key_size < self.algorithm.warn_bits:
            message = f"{self.settings.at(member)}: {secret.origin} has {key.key_size} bits; {self.algorithm.warn_bits} are safe today"
            warnings.warn(message, PassbridgeWarning, stacklevel=2)
        self.credentials.append(Credential(member, _kind(key), key.key_size))
        return key


def _kind(key: PrivateKey | PublicKey) -> str:
    kind = "RSA" if isinstance(key, (RSAPrivateKey, RSAPublicKey)) else "elliptic-curve"
    return f"{kind} {'private' if isinstance(key, PrivateKey) else 'public'} key"
