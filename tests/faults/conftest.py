from __future__ import annotations

import pytest

from tests.alone import alone, undrawn
from tests.faults.calls import WAYS, Caller


@pytest.fixture(params=WAYS)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each client in turn."""
    return Caller(request.param)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment, and no wait between attempts is drawn longer than a gateway asks for."""
    alone(monkeypatch)
    undrawn(monkeypatch)
