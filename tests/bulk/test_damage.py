"""A ledger one byte of which isn't as it was written: refused as `damaged`, never misread, and nothing is sent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from passbridge.bulk import State, export, retry, settle, status
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.turns import Claim
from passbridge.shipped import shipped_tables
from tests.bulk.jobs import Desk, redeem, refund, revise
from tests.bulk.test_refusals import codes


def _changed(ledger: str, *statements: str) -> None:
    with closing(Ledger(ledger)) as opened, opened.db.transaction():
        for statement in statements:
            assert opened.db.run(statement)


@contextmanager
def _damaged(ledger: str, table: str, damage: str, where: str) -> Iterator[None]:
    """One row is other than it was written, for a while."""
    column, key = damage.partition(" = ")[0], _key(table)
    with closing(Ledger(ledger)) as opened:
        ((row, before),) = opened.db.rows(f"SELECT {key}, {column} FROM {table} WHERE {where}")  # noqa: S608 - our own words
        assert opened.db.run(f"UPDATE {table} SET {damage} WHERE {where}")  # noqa: S608 - likewise
        yield
        assert opened.db.run(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (before, row))  # noqa: S608 - likewise


def _key(table: str) -> str:
    return "lane" if table == "lane" else "id"


OUTCOMES = (
    "body = replace(body, 'APPLIED', 'APPLIEd')",
    "body = substr(body, 1, 40)",
    "body = ''",
    "body = '7'",
    "state = 'refused'",
    "state = 'unknown'",
    "state = 'applieD'",
    "code = 'PASS_NOT_FOUND'",
    "exit = 1",
    "crc = crc + 1",
)


def test_an_outcome_that_is_not_as_it_was_written(desk: Desk, ledger: str) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(3)], ledger)

    for damage in OUTCOMES:
        with _damaged(ledger, "outcome", damage, "id = (SELECT max(id) FROM outcome)"):
            assert codes(lambda: list(export(ledger))) == ["damaged"], damage
            if "state" not in damage or "applieD" in damage:
                assert codes(lambda: list(export(ledger, [State.APPLIED]))) == ["damaged"], damage
    assert len(list(export(ledger))) == 3

    desk.run(None, ledger)
    assert len(desk.log()) == 3


def test_the_outcome_that_a_repeated_row_shares(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    desk.run([revise(id_, "k"), revise(id_, "k")], ledger)
    _changed(ledger, "UPDATE outcome SET body = body || ' ' WHERE state = 'repeated'")

    assert codes(lambda: list(export(ledger))) == ["damaged"]
    assert codes(lambda: settle(ledger, 2, applied=True, reason="seen")) == ["damaged"]


def test_a_doubt_that_is_not_as_it_was_written_is_not_gone_on_from(desk: Desk, ledger: str) -> None:
    (id_,) = desk.passes(1)
    desk.box.add_fault({"fault": "bad-signature"})
    desk.run([revise(id_)], ledger)
    assert retry(ledger) == 1
    _changed(ledger, "UPDATE outcome SET body = replace(body, '\"sent\":true', '\"sent\":false')")

    assert codes(lambda: settle(ledger, 1, applied=True, reason="seen")) == ["damaged"]
    assert codes(lambda: desk.run(None, ledger)) == ["damaged"]
    assert len(desk.log()) == 1


MARKS = (
    "flight = replace(flight, '\"lines\"', '\"linez\"')",
    "flight = replace(flight, '[', '[4, ')",
    "flight = substr(flight, 1, 9)",
    "flight = ''",
    "done = done + 1",
    "done = 0",
    "crc = crc + 1",
)


def test_a_mark_that_is_not_as_it_was_written(desk: Desk, ledger: str) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(3)], ledger)
    with closing(Ledger(ledger)) as opened:
        lanes = Lanes(opened, shipped_tables().outcomes, lease=0.0)
        claim = lanes.claim("one that will be killed")
        assert isinstance(claim, Claim)
        assert lanes.turn((claim.lane, claim.epoch), (), 5).rows

    for damage in MARKS:
        with _damaged(ledger, "lane", damage, "flight <> ''"):
            for read in (lambda: status(ledger), lambda: list(export(ledger)), lambda: desk.run(None, ledger)):
                assert codes(read) == ["damaged"], damage
    assert status(ledger).in_flight == 1
    assert desk.log() == []


@pytest.mark.parametrize("damage", ["UPDATE pending SET why = 'flown'", "UPDATE progress SET state = 'done'"])
def test_a_word_that_is_none_of_ours(desk: Desk, ledger: str, damage: str) -> None:
    (id_,) = desk.passes(1)
    desk.box.add_fault({"fault": "bad-signature"})
    desk.run([revise(id_)], ledger)
    _changed(ledger, damage, "UPDATE lane SET due = 0")

    assert codes(lambda: desk.run(None, ledger)) == ["damaged"]
    assert len(desk.log()) == 1


def test_a_row_that_is_not_as_it_was_written_is_not_exported(desk: Desk, ledger: str) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(1)], ledger)
    _changed(ledger, "UPDATE item SET text = replace(text, 'redeem', 'refund')")

    assert codes(lambda: list(export(ledger))) == ["damaged"]


def test_a_refund_in_doubt_is_not_sent_again_whatever_is_damaged(desk: Desk, ledger: str) -> None:
    desk.box.add_fault({"fault": "lose-answer"})
    desk.run([refund(id_) for id_ in desk.passes(1)], ledger)
    _changed(ledger, "UPDATE pending SET refund = 0, again = 1, due = 0", "UPDATE lane SET due = 0")

    assert codes(lambda: desk.run(None, ledger)) == ["damaged"]
    assert len(desk.log()) == 1
