"""Lanes of one PostgreSQL ledger, run by some engine. Machines that die or freeze stand in `test_machines`."""

from __future__ import annotations

import pytest

from passbridge.bulk import LaneWorker, Options, State, run, status, sweep, work
from passbridge.errors import LedgerError
from tests.bulk.jobs import Desk, redeem, revise

_PASSES = 60


def _written(desk: Desk, ledger: str) -> list[str]:
    """A job that is written and not begun: two updates of each pass."""
    ids = desk.passes(_PASSES)
    desk.write([*(revise(id_) for id_ in ids), *(redeem(id_) for id_ in ids)], ledger)
    return ids


def test_an_engine_needs_to_know_lanes_alone(desk: Desk, server: str) -> None:
    _written(desk, server)
    config = str(desk.folder / "passbridge.toml")
    dispatched: list[tuple[str, int]] = []

    with LaneWorker(config, server, Options(patience=1.0)) as worker:
        while sweep(server, lambda account, lane: dispatched.append((account, lane))):
            for account, lane in (*dispatched, *dispatched[:2]):  # twice, as an engine may
                worker.run_lane(account, lane, groups=1)
            dispatched.clear()
        assert not worker.run_lane("hk-tickets", 64)

    told = status(server)
    assert dict(told.states) == {State.APPLIED: 2 * _PASSES}
    assert len(desk.log()) == 2 * _PASSES


def test_helping_needs_a_job_that_is_written(desk: Desk, server: str) -> None:
    with pytest.raises(LedgerError, match="no such job"):
        work(desk.config, server)
    with pytest.raises(LedgerError, match="no such job"):
        LaneWorker(desk.config, server)
    with pytest.raises(LedgerError, match="several workers can't share"):
        LaneWorker(desk.config, desk.ledger)
    desk.run([redeem(id_) for id_ in desk.passes(1)], server)
    assert work(desk.config, server).as_json()["codes"] == {"APPLIED": 1}
    assert run(desk.config, None, server).exit == 0
