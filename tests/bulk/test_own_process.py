"""What a job's own process asks of the garbage collector, and that a caller's process is left as it is."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from passbridge.bulk import run
from passbridge.bulk.own_process import collect_seldom
from tests.bulk.jobs import Desk, redeem, rows


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_collector_looks_more_seldom() -> None:
    gc.set_threshold(700, 10, 5)
    collect_seldom()
    young, *old = gc.get_threshold()
    assert young > 700
    assert old == [10, 5]


def test_a_program_that_runs_a_job_keeps_its_own_pace(desk: Desk) -> None:
    gc.set_threshold(701, 11, 6)
    run(desk.config, rows([redeem(pass_) for pass_ in desk.passes(3)]), desk.ledger)
    assert gc.get_threshold() == (701, 11, 6)
