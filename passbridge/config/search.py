"""Where a configuration comes from: the argument, the environment, this folder, the user's own.

Owns the search order and reading TOML. Knows nothing of what it holds.
"""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from passbridge.errors import Problem

__all__ = ["CONFIG_VARIABLE", "FILE_NAME", "Source", "below", "find_config", "read_source"]

FILE_NAME: Final = "passbridge.toml"
CONFIG_VARIABLE: Final = "PASSBRIDGE_CONFIG"


@dataclass(frozen=True, slots=True)
class Source:
    """A configuration as it was found.

    Attributes:
        origin: the file's path as messages give it; empty for a mapping.
        folder: what its paths are relative to.
        raw: its tables; may hold keys, so it is never shown.
    """

    origin: str
    folder: Path
    raw: Mapping[str, Any] = field(repr=False)


def find_config(given: str | os.PathLike[str] | None = None) -> Path | None:
    """The file to read: the one given, `$PASSBRIDGE_CONFIG`, `./passbridge.toml`, or the user's own; None where there is none."""
    named = given if given is not None else os.environ.get(CONFIG_VARIABLE)
    if named or given is not None:
        return Path(named or "")
    return next((path for path in (Path(FILE_NAME), user_folder() / FILE_NAME) if path.is_file()), None)


def below(folder: Path, text: str) -> Path:
    """A path as a configuration writes it: relative to a folder, `~` for the user's own.

    Raises:
        OSError: it names the home of a user that isn't there.
    """
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        raise FileNotFoundError(errno.ENOENT, "no such user") from None


def user_folder() -> Path:
    """The user's configuration folder for passbridge."""
    if os.name == "nt":
        return Path(os.environ.get("APPDATA", "~")).expanduser() / "passbridge"
    return Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser() / "passbridge"


def read_source(given: str | os.PathLike[str] | Mapping[str, Any] | None) -> tuple[Source, list[Problem]]:
    """Find and read a configuration; what can't be read is a problem, and the source then empty."""
    if isinstance(given, Mapping):
        return Source("", Path(), given), []
    path = find_config(given)
    if path is None:
        return Source("", Path(), {}), []
    try:
        return Source(str(path), path.parent, tomllib.loads(path.read_text(encoding="utf-8"))), []
    except OSError as error:
        problem = Problem(str(path), "unreadable_file", f"can't be read: {error.strerror}", "give the path of a configuration file")
    except UnicodeDecodeError as error:
        problem = Problem(str(path), "unreadable_file", f"is not UTF-8 at byte {error.start}", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        problem = Problem(str(path), "unreadable_toml", f"not readable as TOML: {error}", "mend the line")
    except ValueError:
        problem = Problem(repr(str(path)), "unreadable_file", "is no path", "give the path of a configuration file")
    return Source(str(path), path.parent, {}), [problem]
