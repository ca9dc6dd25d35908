"""Key files, tokens, and where their bytes come from: a path, an environment variable, a secrets folder, or bytes.

Owns reading them into `Secret`. No message shows a value that could be the secret itself.
"""

from __future__ import annotations

import os
import re
import stat
import typing
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from passbridge.config.search import below
from passbridge.errors import PassbridgeWarning, Problem
from passbridge.protocol.settings import PUBLIC, AccountSettings, Secret

__all__ = ["SecretReader", "secret_members"]

_LIKE_A_PATH = re.compile(r"[\w.~ :\\/-]{1,180}\.[A-Za-z]{1,8}")
_LIKE_A_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]{0,60}")
_HIDDEN = "(not shown: it may be the secret itself)"
_MEND = 'give the path of a file, { env = "NAME" }, or a name in secrets_dir'


def secret_members(model: type[AccountSettings]) -> dict[str, bool]:
    """The members of a settings model that are read as secrets, and whether they really are (a public key isn't)."""
    found = {}
    for name, field in model.model_fields.items():
        parts = list(_parts(field.annotation)) + list(field.metadata)
        if Secret in parts:
            found[name] = PUBLIC not in parts
    return found


def _parts(annotation: object) -> list[object]:
    return [annotation, *(part for argument in typing.get_args(annotation) for part in _parts(argument))]


@dataclass(slots=True)
class SecretReader:
    """Reads secret members.

    Attributes:
        secrets_dir: where bare names are looked up.
        problems: everything wrong so far.
    """

    secrets_dir: Path | None
    problems: list[Problem]

    def read(self, value: object, place: str, folder: Path, *, private: bool) -> object:
        """The member's value with each secret read; a table of secrets (keys by version) likewise.

        Args:
            value: as the configuration has it.
            place: where it stands, for messages.
            folder: what a path is relative to.
            private: whether others must not be able to read the file.
        """
        if isinstance(value, Mapping) and set(value) != {"env"}:
            return {name: self.read(item, f"{place}.{name}", folder, private=private) for name, item in value.items()}
        if isinstance(value, bytes):
            return Secret(value, place)
        if isinstance(value, Mapping):
            return self._variable(value["env"], place)
        return self._file(value, place, folder, private=private) if isinstance(value, str) else self._wrong(place, "is no path")

    def _variable(self, name: object, place: str) -> Secret:
        text = os.environ.get(name) if isinstance(name, str) else None
        if text is None:
            shown = name if isinstance(name, str) and _LIKE_A_VARIABLE.fullmatch(name) else _HIDDEN
            return self._wrong(place, f"the environment variable {shown} is not set")
        return Secret(text.encode("utf-8", "surrogateescape"), f"${name}")

    def _file(self, text: str, place: str, folder: Path, *, private: bool) -> Secret:
        shown = text if _LIKE_A_PATH.fullmatch(text) else _HIDDEN
        if "-----BEGIN" in text or "\n" in text:
            return self._wrong(place, "holds a key itself where its file is wanted")
        try:
            path = next((path for path in self._candidates(text, folder) if path.exists()), None)
            if path is None:
                return self._wrong(place, f"no such file: {shown}")
            secret = Secret(path.read_bytes(), shown)
            if private and os.name != "nt" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
                warnings.warn(f"{place}: {shown} can be read by others; chmod 600 it", PassbridgeWarning, stacklevel=2)
        except (OSError, ValueError) as error:
            return self._wrong(place, f"{shown} can't be read: {getattr(error, 'strerror', None) or 'no usable path'}")
        return secret

    def _candidates(self, text: str, folder: Path) -> list[Path]:
        named = [self.secrets_dir / text] if self.secrets_dir and Path(text).name == text else []
        return [below(folder, text), *named]

    def _wrong(self, place: str, message: str) -> Secret:
        """What stands in place of a secret that couldn't be read, so that its absence is not complained of a second time."""
        self.problems.append(Problem(place, "unreadable_secret", message, _MEND))
        return Secret(b"unread", "")
