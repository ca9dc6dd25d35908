"""Mapping files read under overlays, or what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from passbridge import ConfigError, Problem
from passbridge.protocol.tables import Tables, load_tables

__all__ = ["Texts", "laid", "refused"]

Texts = Mapping[str, str]


def laid(texts: Texts, *overlays: str) -> Tables:
    """The tables under these overlays, `0.toml` and so on."""
    return load_tables(texts, {f"{number}.toml": f"schema = 1\n{text}" for number, text in enumerate(overlays)})


def refused(texts: Texts, *overlays: str) -> tuple[Problem, ...]:
    """Every problem that keeps them from being read."""
    with pytest.raises(ConfigError) as caught:
        laid(texts, *overlays)
    return caught.value.problems
