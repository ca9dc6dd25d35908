"""The how-to for another engine, run as it stands in `docs/fleet.md`: a Celery worker takes the lanes from a broker."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from celery.contrib.testing.worker import start_worker

from passbridge.bulk import State, status
from tests.bulk.jobs import Desk, redeem

PAGE = Path(__file__).parents[2] / "docs/fleet.md"
_ROWS = 60


@pytest.fixture
def lanes(desk: Desk, server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The page's module, imported as a shop's own."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(code.splitlines()) <= 40
    (desk.folder / "lanes.py").write_text(code, encoding="utf-8")
    config = desk.write([redeem(id_) for id_ in desk.passes(_ROWS)], server)
    for name, value in (("PASSBRIDGE_LEDGER", server), ("PASSBRIDGE_CONFIG", str(config)), ("BROKER_URL", "memory://")):
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(str(desk.folder))
    module = import_module("lanes")
    yield module
    if module.worker.cache_info().currsize:
        module.worker().close()
    del sys.modules["lanes"]


def test_a_celery_worker_carries_out_a_job(desk: Desk, server: str, lanes: ModuleType) -> None:
    assert lanes.app.conf.beat_schedule["sweep"]["task"] in lanes.app.tasks

    with start_worker(lanes.app, pool="solo", perform_ping_check=False, loglevel="ERROR"):
        until = time.monotonic() + 60
        while status(server).states.get(State.APPLIED, 0) < _ROWS:
            assert time.monotonic() < until, "the job is not carried out"
            lanes.look.delay()  # as `celery beat` does every second
            time.sleep(0.5)

    assert sorted(str(request["pass"]) for request in desk.log()) == [f"31{number:014d}" for number in range(_ROWS)]
