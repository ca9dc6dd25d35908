"""What an account's app has at its gateway, and what its merchant holds.

Owns the keys that the sandbox made itself, kept in its store from start to start, and how they are written. The only
private keys it ever holds are those. It must not know what any gateway does with them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ec import SECP224R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_curve_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from passbridge.protocol.keys import private_key, private_key_for
from passbridge.protocol.signing import ALGORITHMS, PrivateKey, PublicKey
from passbridge.sandbox.store import Store

__all__ = ["Chest", "File", "Outfit", "new_p224_key", "new_rsa_key", "private_pem", "public_pem"]


@dataclass(frozen=True, slots=True)
class File:
    """A file that a merchant holds: its name in the folder of keys, and its bytes."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Outfit:
    """One account's outfit.

    Attributes:
        registered: what the gateway keeps of the app: public keys by their version or sign type, other things by a word.
        files: the members of the account's configuration that stand in files.
        settings: further members, as text.
    """

    registered: Mapping[str, bytes]
    files: Mapping[str, File]
    settings: Mapping[str, str] = field(default_factory=dict)


class Chest:
    """The sandbox's own keys and papers: those kept in its store, or made now and kept."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._read: dict[str, RSAPrivateKey] = {}
        self._curves: dict[str, PrivateKey] = {}

    def rsa(self, name: str) -> RSAPrivateKey:
        """The RSA key of this name. Reading one takes time, so it is read once."""
        if name not in self._read:
            self._read[name] = private_key(self.kept(name, lambda: private_pem(new_rsa_key())))
        return self._read[name]

    def held(self, name: str) -> bytes | None:
        """The bytes of this name, if any are kept."""
        return self._store.key(name)

    def drop(self, name: str) -> None:
        """Keep nothing under this name any longer."""
        self._store.drop_key(name)

    def p224(self, name: str) -> PrivateKey:
        """The key of this name on the curve P-224."""
        if name not in self._curves:
            self._curves[name] = private_key_for(ALGORITHMS["ECC224"], self.kept(name, lambda: private_pem(new_p224_key())))
        return self._curves[name]

    def kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The bytes of this name; made, if nothing is kept under it."""
        held = self._store.key(name)
        if held is None:
            held = make()
            self._store.keep_key(name, held)
        return held


def new_rsa_key() -> RSAPrivateKey:
    """A key that nobody has seen."""
    return generate_private_key(65537, 2048)


def new_p224_key() -> EllipticCurvePrivateKey:
    """A key on the curve P-224 that nobody has seen."""
    return generate_curve_key(SECP224R1())


def private_pem(key: PrivateKey) -> bytes:
    """As a merchant holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: PublicKey | PrivateKey) -> bytes:
    """As it is registered and handed out."""
    public = key.public_key() if isinstance(key, PrivateKey) else key
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
