"""The configuration by which clients reach the sandbox: as a mapping, and as the files of `--write-config`.

Owns what an account's section says, and that no file of somebody else's is overwritten. It must not know how an account
is furnished, nor how requests are answered.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from passbridge.sandbox.outfit import Outfit
from passbridge.sandbox.setup import ACCOUNTS

__all__ = ["config", "write_config"]

_MARKER: Final = "# Written by the passbridge sandbox, with keys that open nothing else. It will be overwritten."


def config(outfits: Mapping[str, Outfit], url: str) -> dict[str, Any]:
    """The configuration by which a client reaches this sandbox, files as their bytes."""
    accounts = {
        name: _nested({**_settings(name, outfit, url), **{member: file.content for member, file in outfit.files.items()}})
        for name, outfit in outfits.items()
    }
    return {"default": "hk-tickets", "accounts": accounts}


def _nested(members: Mapping[str, Any]) -> dict[str, Any]:
    """The members as a mapping holds them: a dotted name, as TOML has it, stands for a member of a table."""
    nested: dict[str, Any] = {}
    for name, value in members.items():
        table, dot, member = name.partition(".")
        if dot:
            nested.setdefault(table, {})[member] = value
        else:
            nested[name] = value
    return nested


def write_config(outfits: Mapping[str, Outfit], url: str, path: Path) -> None:
    """Write the configuration as TOML, and its keys into a folder beside it.

    Raises:
        FileExistsError: one of the files stands there already and isn't the sandbox's own. Then none is written.
    """
    keys = path.parent / "keys"
    files = {keys / file.name: _marked(file.content) for outfit in outfits.values() for file in outfit.files.values()}
    files[path] = _toml(outfits, url).encode()
    foreign = [str(file) for file, content in files.items() if not _ours(file, content)]
    if foreign:
        raise FileExistsError(f"not written by the sandbox, so not overwritten: {', '.join(foreign)}")
    keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, content in files.items():
        _write(file, content)


def _settings(name: str, outfit: Outfit, url: str) -> dict[str, Any]:
    account = ACCOUNTS[name]
    if account.gateway == "hk":
        own = {"profile": account.profile, "gateway": url, "client_id": account.app, "merchant_id": account.owner, "key_version": "1"}
    else:
        own = {"gateway": f"{url}/gateway.do", "app_id": account.app, "channel_id": account.owner, "sign_type": "RSA2", "charset": "utf-8"}
    return {"backend": account.gateway, **own, **outfit.settings}


def _toml(outfits: Mapping[str, Outfit], url: str) -> str:
    lines = [_MARKER, "", 'default = "hk-tickets"']
    for name, outfit in outfits.items():
        settings = _settings(name, outfit, url) | {member: f"keys/{file.name}" for member, file in outfit.files.items()}
        lines += ["", f"[accounts.{name}]", *(f'{member} = "{value}"' for member, value in settings.items())]
    return "\n".join(lines) + "\n"


def _marked(content: bytes) -> bytes:
    """A key file says whose it is, too: a merchant's own key of that name must survive.

    PEM allows text before the key. What isn't PEM must stand alone; such a text is the same in every sandbox.
    """
    return f"{_MARKER}\n".encode() + content if content.startswith(b"-----BEGIN") else content


def _ours(file: Path, content: bytes) -> bool:
    """Whether the file may be written: it isn't there, or the sandbox wrote it."""
    try:
        present = file.read_bytes()
    except FileNotFoundError:
        return not file.is_symlink()
    return present.startswith(_MARKER.encode()) or present == content


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
