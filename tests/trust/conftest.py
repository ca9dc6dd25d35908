from __future__ import annotations

import pytest

from tests.alone import alone


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment."""
    alone(monkeypatch)
