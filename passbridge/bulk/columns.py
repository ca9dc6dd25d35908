"""Which column fills which member of an update.

Owns the words for fields (`pass.id`, `content.params.points:int`) and the choice of columns. Knows no file: a row comes in as
cells, an update's JSON object goes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from passbridge.bulk.cells import TYPES, cell_value, identifier
from passbridge.domain import Content, PassRef, Proof, Redeem
from passbridge.domain.passes import Model
from passbridge.domain.problems import did_you_mean
from passbridge.errors import InvalidUpdate, Problem

__all__ = ["Column", "Columns", "Field", "Filling", "field_of", "fill_in", "fillings"]

_OBJECTS: Final[Mapping[str, type[Model]]] = MappingProxyType({"pass": PassRef, "proof": Proof, "content": Content})
_TOP: Final = tuple(field.alias or name for name, field in Redeem.model_fields.items())
_MEMBERS: Final = (*_TOP, *(f"{parent}.{name}" for parent, model in _OBJECTS.items() for name in model.model_fields))
"""Every member an update may have, by its path. A redeem has them all."""

_FREE: Final = MappingProxyType({"content.params": 1, "content.locales": 2, "content.raw": 1, "code_info": 1})
"""The objects whose members have names of the merchant's own, and how many names deep: the last one may hold dots."""

_WHOLE: Final = frozenset({*_OBJECTS, *_FREE})
_MOMENTS: Final = frozenset({"at", "valid_until"})

Filling = tuple[tuple[tuple[str, ...], object], ...]
"""Paths and values of what every update gets that lacks it."""


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an update.

    Attributes:
        path: the names that lead to it, as in `("pass", "id")`.
        type: how a cell is read (a key of `TYPES`), or "" for as it stands.
    """

    path: tuple[str, ...]
    type: str

    def __str__(self) -> str:
        return ".".join(self.path) + (f":{self.type}" if self.type else "")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is read: its name, its place in a row counted from 0, and the member it fills."""

    name: str
    index: int
    field: Field


def field_of(text: str) -> Field:
    """Read a field's path, with or without its type.

    Raises:
        InvalidUpdate: no update has such a member, or there is no such type.
    """
    path, colon, kind = text.rpartition(":")
    path = path if colon else text
    kind = kind if colon else ""
    parts = _parts(path)
    if parts is not None and colon and kind not in TYPES:  # else a mistyped type would become a part of a parameter's name
        mend = f"{did_you_mean(kind, TYPES)}; a name that holds a colon needs a type behind it, such as :text"
        raise InvalidUpdate([Problem(text, "unknown_type", f"{kind!r} is no type of a cell", mend)])
    if parts is None:
        known = [name for name in _MEMBERS if name not in _OBJECTS] + ["content.params.NAME", "content.locales.LOCALE.NAME"]
        raise InvalidUpdate([Problem(path, "unknown_field", "no update has such a field", did_you_mean(path, known))])
    return Field(parts, kind or ("json" if path in _WHOLE or (len(parts) == 3 and path.startswith("content.locales.")) else ""))  # noqa: PLR2004 - a whole locale


def _parts(path: str) -> tuple[str, ...] | None:
    if path in _MEMBERS:
        return tuple(path.split("."))
    for parent, depth in _FREE.items():
        if path.startswith(f"{parent}."):
            names = path.removeprefix(f"{parent}.").split(".", depth - 1)
            return (*parent.split("."), *names) if all(names) else None
    return None


class Columns:
    """The columns of one table, and the update's JSON object that each of its rows makes.

    Attributes:
        read: the columns that fill a member.
        left_out: the names of those that don't.
        width: how many cells a row has.
    """

    def __init__(self, names: Sequence[str], wanted: Mapping[str, str]) -> None:
        """Choose the columns.

        Args:
            names: the table's head.
            wanted: by a column's name, the field it fills; with none, every column's name is a field's path.

        Raises:
            InvalidUpdate: a column twice, a column or a field that doesn't exist, or two columns for one field: all at once.
        """
        problems = [*_twice(names), *_absent(names, wanted)]
        chosen: list[Column] = []
        left_out: list[str] = []
        for index, name in enumerate(names):
            field, found = _field_for(name, wanted)
            problems += found
            if field is not None:
                chosen.append(Column(name, index, field))
            elif name and not found:
                left_out.append(name)
        problems += _conflicts(chosen)
        if problems:
            raise InvalidUpdate(problems)
        self.read, self.left_out, self.width = tuple(chosen), tuple(left_out), len(names)
        self._has_pass = any(column.field.path[0] == "pass" and column.field.path[1:] for column in chosen)
        self._names = {".".join(column.field.path): column.name for column in chosen}

    def members(self, cells: Sequence[Any]) -> tuple[dict[str, Any], list[Problem]]:
        """The update's JSON object that a row makes, and what is wrong with its cells. An empty cell makes no member."""
        members: dict[str, Any] = {"pass": {}} if self._has_pass else {}
        problems = []
        for column in self.read:
            cell = cells[column.index]
            if cell is None or cell == "":
                continue
            try:
                _put(members, column.field.path, _value(cell, column.field))
            except ValueError as error:
                problems.append(self.placed(Problem(".".join(column.field.path), "unreadable_cell", *error.args)))
        return members, problems

    def placed(self, problem: Problem) -> Problem:
        """A problem of an update, its place named by the column too where that has another name."""
        name = self._names.get(problem.path, problem.path)
        if name == problem.path or name.startswith(f"{problem.path}:"):
            return problem
        return Problem(f"column {name}: {problem.path}", problem.code, problem.message, problem.mend)


def _field_for(name: str, wanted: Mapping[str, str]) -> tuple[Field | None, list[Problem]]:
    if name in wanted and not wanted[name]:
        return None, []
    try:
        return field_of(wanted.get(name, name)), []
    except InvalidUpdate as error:
        if name in wanted:
            return None, [Problem(f"column {name}: {one.path}", one.code, one.message, one.mend) for one in error.problems]
        if wanted or not name:
            return None, []
        mend = f"name its field: --map {name!r}=FIELD, or leave it out: --map {name!r}="
        return None, [Problem(f"column {name}", "unmapped_column", "its name is no field of an update", mend)]


def _twice(names: Sequence[str]) -> Iterator[Problem]:
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:
            yield Problem(f"column {name}", "duplicate_column", f"stands {names.count(name)} times", "give each column a name of its own")


def _absent(names: Sequence[str], wanted: Mapping[str, str]) -> Iterator[Problem]:
    for name, field in wanted.items():
        if name in names:
            continue
        turned = field in names and _parts(name.partition(":")[0]) is not None
        mend = f"the column comes first: --map {field!r}={name}" if turned else did_you_mean(name, names)
        yield Problem(f"column {name}", "unknown_column", "the input has no such column", mend)


def _conflicts(columns: Iterable[Column]) -> Iterator[Problem]:
    """Two columns for one member, or one for an object and another for something in it."""
    seen: list[Column] = []
    for column in columns:
        for other in seen:
            shorter = min(len(column.field.path), len(other.field.path))
            if column.field.path[:shorter] == other.field.path[:shorter]:
                message = f"fills {'.'.join(column.field.path)}, as column {other.name!r} does"
                yield Problem(f"column {column.name}", "same_field", message, f"leave one out: --map {column.name!r}=")
        seen.append(column)


def fillings(wanted: Mapping[str, str]) -> Filling:
    """Read what every update gets that lacks it: by a field, the text of its value.

    Raises:
        InvalidUpdate: with every field that doesn't exist and every value that its type can't be read from.
    """
    read: list[tuple[tuple[str, ...], object]] = []
    problems: list[Problem] = []
    for name, text in wanted.items():
        try:
            field = field_of(name)
            read.append((field.path, cell_value(text, field.type)))
        except InvalidUpdate as error:
            problems += error.problems
        except ValueError as error:
            problems.append(Problem(name, "unreadable_value", *error.args))
    if problems:
        raise InvalidUpdate(problems)
    return tuple(read)


def fill_in(members: dict[str, Any], filling: Filling) -> None:
    """Give an update's JSON object what it lacks; what isn't of the right shape is left for the update's own check."""
    for (*above, last), value in filling:
        place: object = members
        for name in above:
            place = place.setdefault(name, {}) if isinstance(place, dict) else None
        if isinstance(place, dict):
            place.setdefault(last, value)


def _put(members: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    *above, last = path
    for name in above:
        members = members.setdefault(name, {})
    members[last] = value


def _value(cell: object, field: Field) -> object:
    path = ".".join(field.path)
    as_text = path in _MEMBERS and path not in _MOMENTS
    return identifier(cell) if as_text and not field.type else cell_value(cell, field.type)
