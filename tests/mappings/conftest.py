from __future__ import annotations

import tomllib
from typing import Any

import pytest


@pytest.fixture(scope="session")
def raw(texts: dict[str, str]) -> dict[str, Any]:
    """The files as TOML alone reads them, without the package."""
    return {name: tomllib.loads(text) for name, text in texts.items()}
