from __future__ import annotations

import os

import pytest

from tests.faults.tls import spare_certificates


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes from the environment."""
    for name in os.environ:
        if name.upper().startswith("PASSBRIDGE_") and name != "PASSBRIDGE_VECTORS":
            monkeypatch.delenv(name)
    spare_certificates(monkeypatch)
