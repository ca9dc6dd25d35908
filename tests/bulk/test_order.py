"""Updates of one pass go one after another, in input order: the pure queue, and whole jobs."""

from __future__ import annotations

import pytest

from passbridge import Code
from passbridge.bulk import State, retry, settle
from passbridge.bulk.order import Pending, Queue, Why
from passbridge.errors import LedgerError
from tests.bulk.jobs import Desk, redeem, refund, revise


def row(line: int, pass_: int, why: Why = Why.WAITING, **more: float) -> Pending:
    return Pending(line, pass_, why, **more)  # type: ignore[arg-type]  # refund and again are numbers in a ledger


def test_the_first_of_a_pass_goes_first_whatever_the_order_of_arrival() -> None:
    queue = Queue()
    queue.put(row(9, 1))
    queue.put(row(4, 1))

    assert queue.take(0.0) == row(4, 1)


def test_the_next_of_a_pass_waits_until_the_first_is_final() -> None:
    queue = Queue()
    queue.put(row(4, 1, Why.FLIGHT))
    queue.put(row(9, 1))

    assert queue.take(0.0) is None
    assert queue.due() is None
    queue.drop(4)
    assert queue.due() == 0.0
    assert queue.take(0.0) == row(9, 1)


def test_a_row_in_doubt_holds_up_its_pass_and_no_other() -> None:
    queue = Queue()
    queue.put(row(4, 1, Why.UNKNOWN, again=False))
    queue.put(row(9, 1))
    queue.put(row(10, 2))

    assert queue.take(0.0) == row(10, 2)
    assert queue.take(0.0) is None
    assert queue.blocked(1)
    assert not queue.blocked(3)


def test_forced_only_what_will_not_be_tried_again_is_passed() -> None:
    queue = Queue(force=True)
    queue.put(row(4, 1, Why.UNKNOWN, again=False))
    queue.put(row(5, 2, Why.UNKNOWN, again=True, due=50.0))
    queue.put(row(9, 1))
    queue.put(row(10, 2))

    assert queue.take(0.0) == row(9, 1)
    assert queue.take(0.0) is None
    assert not queue.blocked(3)
    assert queue.blocked(2)


def test_a_row_is_not_taken_before_it_is_due_nor_more_than_a_few_times() -> None:
    queue = Queue()
    queue.put(row(1, 1, Why.UNSENT, due=5.0))
    queue.put(row(2, 2, Why.UNSENT, takes=5))

    assert queue.take(4.0) is None
    assert queue.due() == 5.0
    assert queue.take(5.0) == row(1, 1, Why.UNSENT, due=5.0)
    assert queue.take(5.0) is None
    assert queue.due() is None


def test_what_becomes_of_a_row_later_counts() -> None:
    queue = Queue()
    queue.put(row(1, 1, Why.UNSENT, due=1.0))
    queue.put(row(1, 1, Why.UNSENT, due=7.0))

    assert queue.take(6.0) is None
    assert queue.due() == 7.0


def test_a_full_queue_reads_on_where_nothing_will_go_on_by_itself() -> None:
    queue = Queue()
    for line in range(5000):
        queue.put(row(line + 2, 1))
    assert queue.full
    queue.put(row(1, 1, Why.UNKNOWN, again=False))
    assert not queue.full
    queue.put(row(1, 1, Why.FLIGHT))
    assert queue.full


def test_many_updates_of_one_pass_arrive_in_input_order(desk: Desk, ledger: str) -> None:
    one, two = desk.passes(2)
    updates = [revise(id_, step=step) for step in range(12) for id_ in (one, two)]

    desk.run([*updates, redeem(one), redeem(two)], ledger)

    assert desk.sent(one) == desk.sent(two) == ["UPDATE"] * 12 + ["USED"]
    shown = {item["id"]: item["content"] for item in desk.box.passes()}
    assert "11" in str(shown[one])


def test_a_later_update_does_not_start_while_an_earlier_one_is_in_doubt(desk: Desk, ledger: str) -> None:
    ids = desk.passes(2)
    desk.box.add_fault({"fault": "bad-signature", "match": {"pass": ids[0]}})

    told = desk.run([revise(ids[0]), redeem(ids[0]), redeem(ids[1])], ledger)

    assert desk.sent(ids[0]) == ["UPDATE"]
    assert dict(told.states) == {State.OPEN: 1, State.UNKNOWN: 1, State.APPLIED: 1}
    assert told.exit == 5


def test_forced_a_later_update_passes_one_in_doubt(desk: Desk) -> None:
    ids = desk.passes(1)
    desk.box.add_fault({"fault": "bad-signature", "match": {"pass": ids[0]}})

    told = desk.run([revise(ids[0]), redeem(ids[0])], force=True)

    assert dict(told.states) == {State.UNKNOWN: 1, State.APPLIED: 1}


def test_an_operators_word_lets_the_next_update_go_on(desk: Desk, ledger: str) -> None:
    ids = desk.passes(1)
    desk.box.add_fault({"fault": "bad-signature", "match": {"pass": ids[0]}})
    updates = [revise(ids[0]), redeem(ids[0])]
    desk.run(updates, ledger)

    word = settle(ledger, 1, applied=False, reason="asked the holder")
    told = desk.run(updates, ledger)

    assert (word.state, word.outcome and word.outcome.code) == (State.SETTLED, Code.UNTRUSTED_ANSWER)
    assert word.outcome
    assert word.outcome.notes[-1] == "settled by an operator as not applied: asked the holder"
    assert desk.entries(ledger)[1] == word
    assert dict(told.states) == {State.APPLIED: 1, State.SETTLED: 1}
    assert told.exit == 1


@pytest.mark.parametrize(("line", "code"), [(2, "not_in_doubt"), (7, "no_row")])
def test_only_a_row_in_doubt_is_settled(desk: Desk, ledger: str, line: int, code: str) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(2)], ledger)

    with pytest.raises(LedgerError) as caught:
        settle(ledger, line, applied=True, reason="seen")

    assert [(problem.code, problem.path.endswith(f"line {line}")) for problem in caught.value.problems] == [(code, True)]


def test_retry_takes_up_what_is_in_doubt_but_never_a_refund(desk: Desk, ledger: str) -> None:
    ids = desk.passes(3)
    updates = [revise(ids[0]), refund(ids[1]), redeem(ids[2])]
    for id_ in ids[:2]:
        desk.box.add_fault({"fault": "bad-signature", "match": {"pass": id_}})
    desk.run(updates, ledger)

    assert retry(ledger) == 1
    told = desk.run(None, ledger)

    assert [len(desk.sent(id_)) for id_ in ids] == [2, 1, 1]
    assert dict(told.states) == {State.UNKNOWN: 1, State.APPLIED: 2}
    outcome = desk.entries(ledger)[1].outcome
    assert outcome
    assert [(attempt.n, attempt.code) for attempt in outcome.attempts] == [(1, Code.UNTRUSTED_ANSWER), (2, Code.APPLIED)]


def test_only_what_is_not_final_can_be_retried(desk: Desk) -> None:
    with pytest.raises(ValueError, match="unknown or unsent"):
        retry(desk.ledger, [State.REFUSED])
