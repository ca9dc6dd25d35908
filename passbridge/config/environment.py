"""Single values by environment: `PASSBRIDGE_ACCOUNTS__HK_TICKETS__CLIENT_ID=…`.

Owns the names' folding. pydantic-settings reads the variables; where none is set, it isn't even imported.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from passbridge.domain.problems import did_you_mean
from passbridge.errors import Problem

__all__ = ["PREFIX", "folded", "from_environment"]

PREFIX: Final = "PASSBRIDGE_"
_TABLES: Final = ("accounts", "retry", "http", "mappings")


def folded(name: str) -> str:
    """An account's name as environment variables write it, in lower case."""
    return name.lower().replace("-", "_")


def from_environment(accounts: Iterable[str]) -> tuple[dict[str, Any], list[Problem]]:
    """The tables that the environment lays over the file's.

    Args:
        accounts: the names the file has, to find again under their folding. Others are new accounts, their `_` read as `-`.
    """
    if not any(name.upper().startswith(PREFIX) for name in os.environ):
        return {}, []
    from pydantic_settings import BaseSettings, EnvSettingsSource, SettingsConfigDict, SettingsError  # noqa: PLC0415 - 0.2 s, where used

    class Shape(BaseSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")
        default: str | None = None
        secrets_dir: str | None = None
        accounts: dict[str, dict[str, Any]] = {}
        retry: dict[str, Any] = {}
        http: dict[str, Any] = {}
        mappings: dict[str, Any] = {}

    problems = list(_unknown(os.environ))
    try:
        values = EnvSettingsSource(Shape)()
    except SettingsError:
        problem = Problem(f"environment: {PREFIX}…", "unreadable_json", "a table's variable holds no JSON", "set single values instead")
        return {}, [*problems, problem]
    names = {folded(name): name for name in accounts}
    for table in [name for name in _TABLES if not isinstance(values.get(name, {}), Mapping)]:
        problems.append(Problem(f"environment: {PREFIX}{table.upper()}", "not_a_table", "must be a table", "set single values instead"))
        del values[table]
    given = values.get("accounts", {})
    values["accounts"] = {names.get(folded(name), name.replace("_", "-")): members for name, members in given.items()}
    return values, problems


def _unknown(environment: Mapping[str, str]) -> Iterator[Problem]:
    for name in sorted(environment):
        head, _, rest = name.upper().removeprefix(PREFIX).partition("__")
        if name.upper().startswith(PREFIX) and rest and head.lower() not in _TABLES:
            yield Problem(f"environment: {name}", "unknown_member", "no such table", did_you_mean(head, map(str.upper, _TABLES)))
