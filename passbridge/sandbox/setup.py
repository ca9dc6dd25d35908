"""How the sandbox is furnished: its keys, the registered apps, the first passes, and the configuration for clients.

Owns what stands in the sandbox when it starts and the files of `--write-config`. The only private keys it ever holds
are those it made itself. It must not know how requests are answered.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from passbridge.protocol.keys import private_key
from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import Faults
from passbridge.sandbox.gateway import Account, World
from passbridge.sandbox.guesses import Guesses
from passbridge.sandbox.store import Pass, Store

__all__ = ["ACCOUNTS", "SEEDED", "config", "furnished", "write_config"]

_CLIENT: Final = "SANDBOX0000000001"
_MERCHANT: Final = "2312314123123123"
_APP: Final = "2021000000000001"
_CHANNEL: Final = "2088918273"
_APP_WITHOUT_KEYS: Final = "2014072300007148"
"""Seed 003's sample app: the real gateway knows it too, and has no key for it."""

ACCOUNTS: Final[Mapping[str, Account]] = MappingProxyType(
    {
        "hk-cards": Account("hk", _CLIENT, "card", _MERCHANT),
        "hk-members": Account("hk", _CLIENT, "membership", _MERCHANT),
        "hk-tickets": Account("hk", _CLIENT, "ticket", _MERCHANT),
        "cn": Account("mainland", _APP, "pass", _CHANNEL),
    }
)
"""The merchants' products."""

_USER: Final = "2160400000000135"
_OPEN_ID: Final = "fj398457jd8iue98d8w7w93j"

SEEDED: Final = (
    Pass("hk", "hk-cards", "2995228480402564890018", user_id=_USER, template="5228480402564890018"),
    Pass("hk", "hk-members", "2995228480402564890019", user_id=_USER, open_id=_OPEN_ID, template="893297312932193811231231"),
    Pass("hk", "hk-tickets", "2995228480402564890020", user_id=_USER, open_id=_OPEN_ID),
    Pass("mainland", "cn", "209919213", channel=_CHANNEL),
)
"""The first passes: ids from the seeds' samples."""

_KEYS: Final = ("hk-app", "hk-gateway", "cn-app", "cn-gateway")
_SIDES: Final = MappingProxyType({"hk": "hk", "mainland": "cn"})
"""Each gateway's word in the names of its keys."""

_MARKER: Final = "# Written by the passbridge sandbox, with keys that open nothing else. It will be overwritten."


def furnished(store: Store, codes: Inventory) -> tuple[World, Mapping[str, bytes]]:
    """The world of a sandbox around a store, and the PEM files a merchant holds, by name.

    Keys are those kept in the store or made now; apps are registered; the first passes are added if the store is new.
    """
    new = store.key(_KEYS[0]) is None
    keys = {name: _key(store, name) for name in _KEYS}
    _register(store, {name: _public_pem(key.public_key()) for name, key in keys.items()})
    if new:
        store.keep(*SEEDED)
    world = World(
        store=store,
        codes=codes,
        guesses=Guesses(),
        faults=Faults(codes, ACCOUNTS),
        accounts=ACCOUNTS,
        keys={gateway: keys[f"{side}-gateway"] for gateway, side in _SIDES.items()},
        stranger=cache(_new_key),
        now=lambda: datetime.now(UTC).astimezone(),
        trace=lambda: uuid4().hex,
    )
    return world, {f"{name}.pem": _handed_out(name, key) for name, key in keys.items()}


def config(pems: Mapping[str, bytes], url: str) -> dict[str, Any]:
    """The configuration by which a client reaches this sandbox, keys as PEM bytes."""
    accounts = {name: _settings(account, url) for name, account in ACCOUNTS.items()}
    for name, settings in accounts.items():
        settings |= {member: pems[file] for member, file in _key_files(ACCOUNTS[name]).items()}
    return {"default": "hk-tickets", "accounts": accounts}


def write_config(pems: Mapping[str, bytes], url: str, path: Path) -> None:
    """Write the configuration as TOML, and its keys into a folder beside it.

    Raises:
        FileExistsError: one of the files stands there already and isn't the sandbox's own. Then none is written.
    """
    keys = path.parent / "keys"
    files = {keys / name: _marked(pem) for name, pem in pems.items()}
    files[path] = _toml(url).encode()
    foreign = [str(file) for file in files if not _ours(file)]
    if foreign:
        raise FileExistsError(f"not written by the sandbox, so not overwritten: {', '.join(foreign)}")
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, content in files.items():
        _write(file, content)


def _settings(account: Account, url: str) -> dict[str, Any]:
    if account.gateway == "hk":
        own = {"profile": account.profile, "gateway": url, "client_id": account.app, "merchant_id": account.owner, "key_version": "1"}
    else:
        own = {"gateway": f"{url}/gateway.do", "app_id": account.app, "channel_id": account.owner, "sign_type": "RSA2", "charset": "utf-8"}
    return {"backend": account.gateway, **own}


def _key_files(account: Account) -> dict[str, str]:
    side = _SIDES[account.gateway]
    return {"private_key": f"{side}-app.pem", "gateway_public_key": f"{side}-gateway.pem"}


def _register(store: Store, pems: Mapping[str, bytes]) -> None:
    """Both apps with their public keys, and one that has none."""
    store.register("hk", _CLIENT, "1", pems["hk-app"])
    for sign_type in ("RSA2", "RSA"):
        store.register("mainland", _APP, sign_type, pems["cn-app"])
    store.register("mainland", _APP_WITHOUT_KEYS, "", None)


def _handed_out(name: str, key: RSAPrivateKey) -> bytes:
    """What a merchant holds: the private keys of the apps, the public ones of the gateways."""
    return _private_pem(key) if name.endswith("app") else _public_pem(key.public_key())


def _key(store: Store, name: str) -> RSAPrivateKey:
    """The key of this name: the one kept in the store, or a new one."""
    kept = store.key(name)
    if kept is not None:
        return private_key(kept)
    key = _new_key()
    store.keep_key(name, _private_pem(key))
    return key


def _new_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def _private_pem(key: RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_pem(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _toml(url: str) -> str:
    lines = [_MARKER, "", 'default = "hk-tickets"']
    for name, account in ACCOUNTS.items():
        settings = _settings(account, url) | {member: f"keys/{file}" for member, file in _key_files(account).items()}
        lines += ["", f"[accounts.{name}]", *(f'{member} = "{value}"' for member, value in settings.items())]
    return "\n".join(lines) + "\n"


def _marked(pem: bytes) -> bytes:
    """A key file says whose it is, too: a merchant's own key of that name must survive. PEM allows text before the key."""
    return f"{_MARKER}\n".encode() + pem


def _ours(file: Path) -> bool:
    """Whether the file may be written: it isn't there, or the sandbox wrote it."""
    try:
        return file.read_bytes().startswith(_MARKER.encode())
    except FileNotFoundError:
        return not file.is_symlink()


def _write(file: Path, content: bytes) -> None:
    """Put a whole file in place at once, readable by its owner alone: most of them are private keys."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
