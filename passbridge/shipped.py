"""The mapping tables that passbridge is shipped with: read once in a process, however many clients are opened.

Owns that once. Where the files lie is `resources`'s, and what they mean `protocol.tables`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts

__all__ = ["shipped_tables"]


def shipped_tables(overlays: Mapping[str, str] = MappingProxyType({})) -> Tables:
    """The tables; under overlays, which are read each time.

    Args:
        overlays: a merchant's own rows, as TOML texts by the name of their file.

    Raises:
        ConfigError: with every problem in the overlays.
    """
    return load_tables(mapping_texts(), overlays) if overlays else _without_overlays()


@cache
def _without_overlays() -> Tables:
    return load_tables(mapping_texts())
