from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from tests.client.quick import spare
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
    for name in os.environ:
        if name.upper().startswith("PASSBRIDGE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    spare(monkeypatch)
    monkeypatch.setattr("passbridge.accounts.random", SimpleNamespace(random=lambda: 0.0))
