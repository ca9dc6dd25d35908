from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.client.quick import spare


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to run in, a user without a configuration, and nothing in the environment."""
    for name in os.environ:
        if name.upper().startswith(("PASSBRIDGE_", "XDG_")):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    spare(monkeypatch)
    monkeypatch.chdir(tmp_path / "here")
