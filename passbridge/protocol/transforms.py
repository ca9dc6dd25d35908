"""How a value travels: what each transform of the tables writes.

Owns the forms of moments and of content, the languages of AlipayHK's, and the walk over every text of a value. It must not
know profiles, nor which member is written how: that is the tables' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from passbridge.domain import Content, JsonObject, JsonValue, write_json

__all__ = ["LOCALES", "TRANSFORMS", "by_locale", "epoch_ms", "texts"]

LOCALES: Final = ("zh_HK", "en_US")
"""The languages a parameter is written in where the update names none: AlipayHK's own two (its create pages)."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 in UTC, exactly."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def texts(value: JsonValue, path: str) -> Iterator[tuple[str, str]]:
    """Every text inside a value, names included, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from texts(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield path, name
            yield from texts(item, f"{path}.{name}")


def by_locale(content: Content) -> dict[str, JsonObject]:
    """The parameters of each language: the given ones, else the gateway's two."""
    return {locale: {**content.params, **content.locales.get(locale, {})} for locale in content.locales or LOCALES}


def _raw_or(write: Callable[[Content], JsonObject]) -> Callable[[Content], JsonObject]:
    """`content.raw` is the whole object, whatever the profile's own spelling."""
    return lambda content: write(content) if content.raw is None else content.raw


_nested = _raw_or(
    lambda content: {locale: {f"${name}$": value for name, value in params.items()} for locale, params in by_locale(content).items()}
)
_flat = _raw_or(
    lambda content: {f"${name}_{locale}$": value for locale, params in by_locale(content).items() for name, value in params.items()}
)
_bare = _raw_or(lambda content: {**content.params, **content.locales})
_params = _raw_or(lambda content: content.params)

TRANSFORMS: Final[Mapping[str, Callable[..., JsonValue]]] = MappingProxyType(
    {
        "text": lambda value: value,
        "iso8601": lambda moment: moment.isoformat(timespec="seconds"),
        "epoch_ms": epoch_ms,
        "epoch_ms_text": lambda moment: str(epoch_ms(moment)),
        "nested": _nested,
        "nested_text": lambda content: write_json(_nested(content)),
        "flat": _flat,
        "bare": _bare,
        "params": _params,
        "params_text": lambda content: write_json(_params(content)),
    }
)
"""How each transform of the tables writes a value."""
