"""What stands in one cell of a table, as the value of a member.

Owns the types a cell may be read as. A CSV's cells are text; Parquet's have types of their own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from passbridge.domain import JsonError, read_json

__all__ = ["TYPES", "cell_value", "identifier"]

_WHOLE_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,300}")
_TRUTH: Final = MappingProxyType({"true": True, "false": False, "1": True, "0": False})


def cell_value(cell: object, kind: str) -> object:
    """A cell read as a type, or as it stands where the type is "".

    Raises:
        ValueError: it can't be; the arguments are what is wrong and the mend.
    """
    return TYPES[kind](cell) if kind else cell


def identifier(cell: object) -> object:
    """A cell of a text member, as it stands; a whole number, as typed tables often hold identifiers, is its digits.

    Raises:
        ValueError: it is a floating-point number, which has lost digits of a long identifier by now.
    """
    if isinstance(cell, float):
        raise ValueError("is a floating-point number, which can't hold an identifier exactly", "make the column text")  # noqa: TRY004 - one error for every cell
    return str(cell) if isinstance(cell, int | Decimal) and not isinstance(cell, bool) else cell


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    if isinstance(cell, int | float | Decimal):
        return str(cell)
    raise ValueError("is no text and has none of its own", "read it as :json")


def _int(cell: object) -> int:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    if isinstance(cell, float | Decimal) and math.isfinite(cell) and cell % 1 == 0:
        return int(cell)
    if isinstance(cell, str) and _WHOLE_NUMBER.fullmatch(cell.strip()):
        return int(cell)
    raise ValueError("is no whole number", "write digits alone, or read it as another type")


def _number(cell: object) -> object:
    if isinstance(cell, Decimal):
        return float(cell)
    value = _json(cell.strip()) if isinstance(cell, str) else cell
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise ValueError("is no number", "write it as JSON does, as in 12000 or 12.5")


def _bool(cell: object) -> bool:
    value = _TRUTH.get(str(cell).strip().lower())
    if value is None:
        raise ValueError("is neither true nor false", "write true, false, 1 or 0")
    return value


def _json(cell: object) -> object:
    if not isinstance(cell, str):
        return _without_nulls(cell)
    try:
        return read_json(cell)
    except JsonError as error:
        raise ValueError(f"not readable as JSON: {error}", "write a JSON value; text in double quotes") from None


def _without_nulls(value: object) -> object:
    """A structure from a typed table, where null is how an absent member is written."""
    return {name: _without_nulls(member) for name, member in value.items() if member is not None} if isinstance(value, dict) else value


TYPES: Final[Mapping[str, Callable[[object], object]]] = MappingProxyType(
    {
        "text": _text,
        "int": _int,
        "number": _number,
        "bool": _bool,
        "json": _json,
    }
)
"""How a cell may be read, by the word after a field's colon."""
