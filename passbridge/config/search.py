"""Where a configuration comes from: the argument, the environment, this folder, the user's own.

Owns the search order and reading TOML. Knows nothing of what it holds.
"""

from __future__ import annotations

import errno
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from passbridge.domain.problems import place
from passbridge.errors import Problem

__all__ = ["CONFIG_VARIABLE", "FILE_NAME", "Source", "below", "find_config", "read_source"]

FILE_NAME: Final = "passbridge.toml"
_LONGEST_NAME: Final = 64
"""Characters of a member's or an account's name."""

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
    source, problems = _read(given)
    raw = dict(_named(source.raw, f"{source.origin}: " if source.origin else "", problems))
    return replace(source, raw=raw), problems


def _named(table: Mapping[str, Any], at: str, problems: list[Problem]) -> Iterator[tuple[str, Any]]:
    """The members with a name that can be one. A key pasted in a name's place must not stand in an error as its place."""
    for name, value in table.items():
        if len(str(name)) > _LONGEST_NAME:
            message = f"holds a name of {len(str(name))} characters; a name has at most {_LONGEST_NAME}"
            problems.append(
                Problem(
                    at.removesuffix(": ") or "the configuration",
                    "long_name",
                    message,
                    "write NAME = VALUE: a value may stand in the name's place",
                )
            )
        elif isinstance(value, Mapping):
            yield name, dict(_named(value, place([name], at), problems))
        else:
            yield name, value


def _read(given: str | os.PathLike[str] | Mapping[str, Any] | None) -> tuple[Source, list[Problem]]:
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
