"""The configuration's own shape: accounts, `[retry]`, `[http]`, `[mappings]`, and `extends`.

Owns what each table may hold and how accounts build on each other. Each account is validated by its backend's model.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from passbridge.config.environment import PREFIX, folded, from_environment
from passbridge.config.models import Config, HttpSettings, MappingsSettings
from passbridge.config.search import CONFIG_VARIABLE, FILE_NAME, Source, below, read_source
from passbridge.config.secrets import SecretReader, secret_members
from passbridge.domain.problems import did_you_mean, problems_of
from passbridge.errors import Problem
from passbridge.protocol.settings import AccountSettings, RetrySettings

__all__ = ["read_config"]

Raw = dict[str, Any]
_TABLES: Final = ("default", "secrets_dir", "accounts", "retry", "http", "mappings")
_SET_HERE: Final = frozenset({"name", "origin"})


def read_config(
    given: str | os.PathLike[str] | Mapping[str, Any] | None, models: Mapping[str, type[AccountSettings]]
) -> tuple[Config, list[Problem]]:
    """Find, read and check a configuration.

    Args:
        given: a path, a mapping, or None for the search order.
        models: each installed backend's settings model.

    Returns:
        The configuration with the accounts that are well-formed, and everything that is wrong.
    """
    source, problems = read_source(given)
    reader = _Reader(source, models, problems)
    return reader.config(), problems


_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(slots=True)
class _Reader:
    """Reads one configuration; gathers what is wrong."""

    source: Source
    models: Mapping[str, type[AccountSettings]]
    problems: list[Problem]
    raw: Raw = field(default_factory=dict, repr=False)
    environment: Raw = field(default_factory=dict, repr=False)

    def config(self) -> Config:
        own = self._table(self.source.raw, "accounts")
        self.environment, wrong = from_environment(own)
        self.problems += [*_equal_when_folded(own, self._at("accounts")), *wrong]
        self.raw = _deep({**self.source.raw}, self.environment)
        unknown = [name for name in self.raw if name not in _TABLES]
        self.problems += [Problem(self._at(name), "unknown_member", "no such table", did_you_mean(name, _TABLES)) for name in unknown]
        retry = self._validated(RetrySettings, self._table(self.raw, "retry"), "retry")
        accounts = self._accounts(retry.model_dump() if retry else {})
        http = self._validated(HttpSettings, self._table(self.raw, "http"), "http") or HttpSettings()
        if http.ca_file:
            http = http.model_copy(update={"ca_file": self._path(http.ca_file, "http.ca_file")})
        return Config(self.source.origin, self._default(), MappingProxyType(accounts), http, MappingProxyType(self._overlays()))

    def _at(self, place: str) -> str:
        return f"{self.source.origin}: {place}" if self.source.origin else place

    def _wrong(self, place: str, code: str, message: str, mend: str) -> None:
        self.problems.append(Problem(self._at(place), code, message, mend))

    def _table(self, raw: Mapping[str, Any], name: str) -> Raw:
        table = raw.get(name, {})
        if isinstance(table, Mapping):
            return {**table}
        self._wrong(name, "not_a_table", "must be a table", f"write [{name}]")
        return {}

    def _validated(self, model: type[_Model], raw: Raw, place: str) -> _Model | None:
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            known = {"": [name for name in model.model_fields if name not in _SET_HERE], **_tables_of(model)}
            self.problems += map(self._placed, problems_of(error, known), repeat(place))
            return None

    def _placed(self, problem: Problem, place: str) -> Problem:
        """Where a member really came from: the file, or a variable of the environment."""
        path = f"{place}.{problem.path}" if problem.path else place
        head, *rest = path.split(".", 2)
        given = self.environment.get(head, {})
        if head == "accounts" and rest:
            given = given.get(rest[0], {})
            head, rest = f"{head}__{folded(rest[0])}", rest[1:]
        if rest and rest[0].partition(".")[0] in given:
            variable = "__".join([head, *(part for name in rest for part in name.split("."))]).upper()
            return replace(problem, path=f"environment: {PREFIX}{variable}")
        return replace(problem, path=self._at(path))

    def _accounts(self, retry: Raw) -> dict[str, AccountSettings]:
        tables = self._table(self.raw, "accounts")
        if not tables and not self.problems:
            searched = f"none given, ${CONFIG_VARIABLE} not set, no ./{FILE_NAME}, none in the user's folder"
            where = "" if self.source.origin else f" ({searched})"
            self._wrong("accounts", "missing", f"no account is configured{where}", "give a configuration file with [accounts.NAME]")
        accounts = {name: self._account(name, tables, retry) for name in tables}
        return {name: settings for name, settings in accounts.items() if settings is not None}

    def _account(self, name: str, tables: Raw, retry: Raw) -> AccountSettings | None:
        place = f"accounts.{name}"
        raw = self._extended(name, tables, ())
        if raw is None:
            return None
        model = self._model(raw, place)
        if model is None:
            return None
        own = [member for member in raw if member in _SET_HERE]
        for member in own:
            self._wrong(f"{place}.{member}", "unknown_member", "no such member", did_you_mean(member, set(model.model_fields) - _SET_HERE))
        before = len(self.problems)
        reader = SecretReader(self._secrets_dir(), self.problems)
        for member, private in secret_members(model).items():
            if member in raw:
                raw[member] = reader.read(raw[member], self._at(f"{place}.{member}"), self._folder(name, member), private=private)
        retry_of_its_own = raw.get("retry", {})
        if isinstance(retry_of_its_own, Mapping):
            raw["retry"] = retry | {**retry_of_its_own}
        settings = self._validated(model, raw | {"name": name, "origin": self.source.origin}, place)
        return settings if len(self.problems) == before else None

    def _extended(self, name: str, tables: Raw, seen: tuple[str, ...]) -> Raw | None:
        """An account's members on top of those of the account it extends."""
        members = tables[name]
        if not isinstance(members, Mapping):
            self._wrong(f"accounts.{name}", "not_a_table", "must be a table", f"write [accounts.{name}]")
            return None
        base = members.get("extends")
        own = {member: value for member, value in members.items() if member != "extends"}
        if base is None:
            return own
        if not isinstance(base, str) or base not in tables or base in (*seen, name):
            message = "extends itself" if base in (*seen, name) else "extends an account that isn't there"
            self._wrong(f"accounts.{name}.extends", "unknown_account", message, did_you_mean(str(base), set(tables) - {name}))
            return None
        below = self._extended(base, tables, (*seen, name))
        return None if below is None else _deep(below, own)

    def _model(self, raw: Raw, place: str) -> type[AccountSettings] | None:
        backend = raw.get("backend")
        if isinstance(backend, str) and backend in self.models:
            return self.models[backend]
        state = ("missing", "is missing") if backend is None else ("unknown_backend", "no such backend is installed")
        self._wrong(f"{place}.backend", *state, did_you_mean(str(backend), self.models))
        return None

    def _folder(self, name: str, member: str) -> Path:
        """Paths are relative to the file that names them; the environment's, to where the program runs."""
        return Path() if member in self.environment.get("accounts", {}).get(name, {}) else self.source.folder

    def _secrets_dir(self) -> Path | None:
        value = self.raw.get("secrets_dir")
        if value is None or isinstance(value, str):
            path = None if value is None else self._path(value, "secrets_dir")
            return None if path is None else Path(path)
        self._wrong("secrets_dir", "string_type", "must be a path", "put it in quotes")
        return None

    def _path(self, text: str, place: str) -> str | None:
        """Relative to the file that names it; None where it can't be one."""
        try:
            return str(below(self.source.folder, text))
        except OSError as error:
            self._wrong(place, "unreadable_file", f"{text} can't be read: {error.strerror}", "give another path")
            return None

    def _default(self) -> str | None:
        default = self.raw.get("default")
        names = self._table(self.raw, "accounts")
        if default is None or (isinstance(default, str) and default in names):
            return default
        self._wrong("default", "unknown_account", "no such account", did_you_mean(str(default), names))
        return None

    def _overlays(self) -> dict[str, str]:
        mappings = self._validated(MappingsSettings, self._table(self.raw, "mappings"), "mappings") or MappingsSettings()
        texts = {}
        for name in mappings.overlays:
            try:
                texts[name] = below(self.source.folder, name).read_text(encoding="utf-8")
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "it is no path, or not UTF-8"
                self._wrong("mappings.overlays", "unreadable_file", f"{name} can't be read: {reason}", "give the path of a TOML file")
        return texts


def _tables_of(model: type[BaseModel]) -> dict[str, list[str]]:
    """The members of each table inside a model, such as `retry`, to suggest the one that was meant."""
    kinds = {name: (field.annotation, *get_args(field.annotation)) for name, field in model.model_fields.items()}
    found = {name: [kind for kind in each if isinstance(kind, type) and issubclass(kind, BaseModel)] for name, each in kinds.items()}
    return {name: list(tables[0].model_fields) for name, tables in found.items() if tables}


def _equal_when_folded(accounts: Iterable[str], place: str) -> Iterator[Problem]:
    names = list(accounts)
    for index, name in enumerate(names):
        twin = next((other for other in names[:index] if folded(other) == folded(name)), None)
        if twin is not None:
            yield Problem(f"{place}.{name}", "same_name", f"is the same name as {twin!r} to the environment", "rename one of them")


def _deep(below: Mapping[str, Any], above: Mapping[str, Any]) -> Raw:
    merged = {**below}
    for name, value in above.items():
        under = merged.get(name)
        merged[name] = _deep(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged
