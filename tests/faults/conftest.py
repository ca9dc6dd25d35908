from __future__ import annotations

import os
import random

import pytest

from tests.faults.calls import WAYS, Caller
from tests.faults.tls import spare_certificates


@pytest.fixture(params=WAYS)
def caller(request: pytest.FixtureRequest) -> Caller:
    """Each client in turn."""
    return Caller(request.param)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment, and no wait between attempts is drawn longer than a gateway asks for."""
    for name in os.environ:
        if name.upper().startswith("PASSBRIDGE_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    spare_certificates(monkeypatch)
    monkeypatch.setattr(random, "random", lambda: 0.0)
