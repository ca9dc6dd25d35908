"""The same key is the same update; and a later Revise may take the place of an earlier one."""

from __future__ import annotations

import pytest

from passbridge.bulk import State
from passbridge.domain import load_update
from passbridge.errors import LedgerError
from tests.bulk.jobs import USER, Desk, redeem, revise


def test_the_same_key_with_the_same_content_is_carried_out_once(desk: Desk, ledger: str) -> None:
    ids = desk.passes(2)
    # The default account, named and not; members in another order: the same update all the same.
    unnamed = load_update(
        {
            "key": "a",
            "pass": {"user_id": USER, "id": ids[0]},
            "action": "revise",
            "kind": "air_ticket",
            "content": {"params": {"gate": "B12"}},
        }
    )
    updates = [revise(ids[0], key="a"), revise(ids[1], key="b"), revise(ids[0], key="a"), unnamed]

    told = desk.run(updates, ledger)

    entries = desk.entries(ledger)
    assert desk.sent(ids[0]) == ["UPDATE"]
    assert [entries[line].state for line in (1, 2, 3, 4)] == [State.APPLIED, State.APPLIED, State.REPEATED, State.REPEATED]
    assert entries[3].body == entries[4].body == entries[1].body
    assert (told.exit, dict(told.codes), told.done) == (0, {"APPLIED": 2}, 4)


def test_the_same_key_with_other_content_is_refused(desk: Desk, ledger: str) -> None:
    ids = desk.passes(2)
    updates = [revise(ids[0], key="a"), *(redeem(ids[1]) for _ in range(1)), revise(ids[0], key="a", gate="C3")]

    desk.run(updates, ledger)

    entry = desk.entries(ledger)[3]
    assert entry.state is State.INVALID
    assert entry.outcome
    assert entry.outcome.notes == ("key: is the key of line 1, which asks for something else (give each update its own key)",)
    assert desk.sent(ids[0]) == ["UPDATE"]


def test_a_key_is_remembered_over_batches(desk: Desk) -> None:
    (id_,) = desk.passes(1)
    many = [load_update({"action": "redeem", "to": "nowhere", "pass": {"id": "1"}})] * 1500

    told = desk.run([revise(id_, key="a"), *many, revise(id_, key="a"), revise(id_, key="a", gate="C3")])

    assert dict(told.states) == {State.APPLIED: 1, State.INVALID: 1501, State.REPEATED: 1}


def test_a_later_revise_takes_the_place_of_one_not_sent_yet(desk: Desk, ledger: str) -> None:
    one, two = desk.passes(2)
    updates = [revise(one, gate="A1"), revise(two, gate="A2"), revise(one, gate="B1"), revise(one, seat="4F"), revise(one, gate="C1")]

    told = desk.run(updates, ledger, supersede=True)

    entries = desk.entries(ledger)
    assert [entries[line].state for line in range(1, 6)] == [
        State.SUPERSEDED,
        State.APPLIED,
        State.SUPERSEDED,
        State.APPLIED,  # writes something else: not needless
        State.APPLIED,
    ]
    outcome = entries[1].outcome
    assert outcome
    assert (outcome.code, outcome.next, outcome.notes) == ("NOT_SENT", "none", ("superseded by line 5",))
    assert told.exit == 0
    assert desk.sent(one) == ["UPDATE", "UPDATE"]


def test_one_that_can_not_be_carried_takes_nobodys_place(desk: Desk) -> None:
    (one,) = desk.passes(1)
    long = revise(one).model_copy(update={"kind": "no such kind"})

    desk.run([revise(one), long, revise(one)], supersede=True)

    assert [entry.state for entry in desk.entries().values()] == [State.SUPERSEDED, State.INVALID, State.APPLIED]


def test_a_repeat_takes_nobodys_place(desk: Desk) -> None:
    (one,) = desk.passes(1)

    desk.run([revise(one, key="a"), revise(one, key="a")], supersede=True)

    assert [entry.state for entry in desk.entries().values()] == [State.APPLIED, State.REPEATED]


def test_superseding_is_decided_when_a_job_begins(desk: Desk) -> None:
    updates = [revise(id_) for id_ in desk.passes(1)]
    desk.run(updates)

    with pytest.raises(LedgerError) as caught:
        desk.run(updates, supersede=True)

    assert [problem.code for problem in caught.value.problems] == ["other_options"]
