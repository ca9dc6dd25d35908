from __future__ import annotations

import pytest

from tests.alone import alone, undrawn
from tests.client.use import WAYS, Use


@pytest.fixture(params=WAYS[:2])
def use(request: pytest.FixtureRequest) -> Use:
    """Each client in turn."""
    return Use(request.param)


@pytest.fixture(params=WAYS)
def anywhere(request: pytest.FixtureRequest) -> Use:
    """Each client in turn, `AsyncClient` under trio too."""
    if request.param == "trio":
        pytest.importorskip("trio", reason="trio is not installed: AsyncClient is tested under asyncio alone")
    return Use(request.param)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment, and no wait is longer than a gateway asks for."""
    alone(monkeypatch)
    undrawn(monkeypatch)
