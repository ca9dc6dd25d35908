from __future__ import annotations

import tomllib
from typing import Any

import pytest

from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The mapping files' texts."""
    return mapping_texts()


@pytest.fixture(scope="session")
def tables(texts: dict[str, str]) -> Tables:
    """The tables as the package reads them."""
    return load_tables(texts)


@pytest.fixture(scope="session")
def raw(texts: dict[str, str]) -> dict[str, Any]:
    """The files as TOML alone reads them, without the package."""
    return {name: tomllib.loads(text) for name, text in texts.items()}
