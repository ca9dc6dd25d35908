"""A whole job, with each kind of ledger, in this process and in several."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest

from passbridge import AsyncClient, Code
from passbridge.bulk import End, Options, Row, State, Status, arun_bulk, export, plan, run, status
from passbridge.domain import load_update
from passbridge.errors import Problem
from tests.bulk.jobs import Desk, redeem, refund, revise, rows

pytestmark = pytest.mark.usefixtures("box")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_row_is_carried_out_once(desk: Desk, ledger: str, workers: int) -> None:
    ids = desk.passes(60)

    outcomes = desk.outcomes([redeem(id_) for id_ in ids], ledger, workers=workers)

    assert {line: outcome.code for line, outcome in outcomes.items()} == dict.fromkeys(range(1, 61), Code.APPLIED)
    assert [outcomes[line].pass_id for line in range(1, 61)] == ids
    assert Counter(request["pass"] for request in desk.log()) == Counter(ids)


def test_a_second_run_sends_nothing(desk: Desk, ledger: str) -> None:
    updates = [redeem(id_) for id_ in desk.passes(5)]
    first = desk.run(updates, ledger)

    second = desk.run(updates, ledger)

    assert (first.end, first.exit, first.as_json()["codes"]) == (End.DONE, 0, {"APPLIED": 5})
    assert second == first
    assert len(desk.log()) == 5


def test_rows_are_exported_in_input_order_with_their_outcomes(desk: Desk, ledger: str) -> None:
    ids = desk.passes(30)
    desk.run([redeem(id_) for id_ in ids], ledger)

    entries = list(export(ledger))

    assert [entry.line for entry in entries] == list(range(1, 31))
    assert [entry.outcome.pass_id for entry in entries if entry.outcome] == ids
    assert [entry.update for entry in entries] == [redeem(id_) for id_ in ids]
    assert list(export(ledger, [State.REFUSED])) == []
    assert len(list(export(ledger, [State.APPLIED]))) == 30


def test_a_bad_row_is_an_invalid_update_and_the_job_goes_on(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    problem = Problem("pass.id", "missing", "is missing", "add it")
    elsewhere = load_update({"action": "redeem", "to": "nowhere", "pass": {"id": "1"}})
    holderless = load_update({"action": "redeem", "to": "hk-tickets", "pass": {"id": "1"}})
    given = [Row.bad(1, (problem,), '{"action": "redeem"}'), Row.of(4, elsewhere), Row.of(5, holderless), Row.of(9, redeem(id_))]

    told = run(desk.config, given, ledger)

    entries = {entry.line: entry for entry in export(ledger)}
    assert {line: entry.state for line, entry in entries.items()} == {
        1: State.INVALID,
        4: State.INVALID,
        5: State.INVALID,
        9: State.APPLIED,
    }
    assert [json.loads(entries[line].body or "")["code"] for line in (1, 4, 5)] == ["INVALID_UPDATE"] * 3
    assert json.loads(entries[1].body or "")["notes"] == ["pass.id: is missing (add it)"]
    assert json.loads(entries[4].body or "")["account"] == "nowhere"
    assert "user" in json.loads(entries[5].body or "")["notes"][0]
    assert (told.exit, told.rows, dict(told.codes)) == (2, 4, {"APPLIED": 1, "INVALID_UPDATE": 3})
    assert len(desk.log()) == 1


def test_planning_checks_every_row_and_sends_nothing(desk: Desk) -> None:
    (id_,) = desk.passes(1)
    holderless = load_update({"action": "redeem", "to": "hk-tickets", "pass": {"id": "1"}})
    bad = Row.bad(3, (Problem("", "unreadable_json", "not readable"),))

    planned = list(plan(desk.config, [*rows([redeem(id_), holderless]), bad]))

    assert [row.update is not None for row in planned] == [True, False, False]
    assert planned[1].problems
    assert desk.log() == []


def test_a_tickets_own_moment_is_kept_from_when_the_row_was_written(desk: Desk, ledger: str) -> None:
    ids = desk.passes(1)
    desk.box.add_fault({"fault": "http-502", "count": 3})

    desk.run([redeem(ids[0])], ledger)

    (entry,) = export(ledger)
    assert entry.outcome
    assert len(entry.outcome.attempts) == 4
    assert entry.outcome.at is not None
    assert entry.outcome.at < entry.outcome.attempts[0].at


def test_the_async_twin_takes_a_client_of_the_callers(desk: Desk, ledger: str) -> None:
    ids = desk.passes(3)

    async def told() -> list[int]:
        async with AsyncClient.from_config(desk.config) as client:
            lines = [line async for line, outcome in arun_bulk(client, [redeem(id_) for id_ in ids], ledger=ledger) if outcome.ok]
            assert client.check(redeem(ids[0])) == ()
            return lines

    assert sorted(asyncio.run(told())) == [1, 2, 3]


def test_progress_can_be_asked_for_from_elsewhere(desk: Desk, ledger: str) -> None:
    ids = desk.passes(3)
    desk.run([redeem(ids[0]), redeem(ids[0]), revise(ids[1]), refund("404")], ledger)

    told = status(ledger)

    assert (told.rows, told.done, told.end, told.in_flight) == (4, 4, None, 0)
    assert dict(told.states) == {State.APPLIED: 2, State.REFUSED: 2}
    assert dict(told.codes) == {"ALREADY_IN_STATE": 1, "APPLIED": 2, "PASS_NOT_FOUND": 1}
    assert told.exit == 1


def test_a_report_that_raises_puts_no_row_in_doubt_and_is_raised_at_the_end(desk: Desk, ledger: str) -> None:
    calls = []

    def report(told: Status) -> None:
        calls.append(told)
        raise ValueError("a bar that broke")

    with pytest.raises(ValueError, match="a bar that broke"):
        run(desk.config, rows([redeem(pass_) for pass_ in desk.passes(40)]), ledger, Options(rate=20), report=report)

    assert len(calls) == 1
    assert status(ledger).states == {State.APPLIED: 40}
