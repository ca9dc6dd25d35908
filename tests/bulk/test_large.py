"""What only shows in a large job: memory that stays flat, and plans that don't compare every row with every other."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import pytest

from passbridge import Client
from passbridge.bulk import Row, State
from passbridge.bulk.jobs import book
from passbridge.bulk.keeping import outcome_row
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.bulk.outcomes import Verdict
from passbridge.bulk.schema import LATEST, OUTCOMES
from passbridge.client import accounts_of
from passbridge.domain import PassRef
from passbridge.errors import Problem
from tests.bulk.jobs import USER, Desk, redeem, revise

_ROWS = 40_000

_EXPORT = """
import json, os, sys
from passbridge.bulk.api import _words, export
from passbridge.bulk.exports import EXPORTS
def resident(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name)) / 1024
write, out = EXPORTS["jsonl"], open(os.devnull, "wb")
write((), out, whole=False)
_words()
before = resident("VmRSS")
count = write(export(sys.argv[1]), out, whole=False)
print(json.dumps([count, resident("VmHWM") - before]))
"""


def _many(revised: int, redeemed: int = 0) -> Iterator[Row]:
    """Rows of one pass after the other, made cheaply; what is redeemed was revised before."""
    for first, count, update in ((1, revised, revise("0")), (revised + 1, redeemed, redeem("0"))):
        text = Row.of(1, update).text
        for number in range(count):
            id_ = f"31{number:014d}"
            given = update.model_copy(update={"pass_": PassRef.model_construct(id=id_, user_id=USER)})
            yield Row(first + number, given, (), text.replace('"id":"0"', f'"id":"{id_}"', 1))


def _written(desk: Desk, ledger: str) -> None:
    """A large job that is over: each row with a real outcome, of the size that outcomes have."""
    with Client.from_config(desk.config) as client, closing(Ledger(ledger, create=True)) as opened:
        accounts = accounts_of(client)
        load(opened, _many(_ROWS), book(accounts, supersede=False))
        words = accounts.tables.outcomes
        verdict = dataclasses.replace(Verdict.of(client.apply(redeem("404")), words), state=State.REFUSED)
        ids = [id_ for (id_,) in opened.db.rows("SELECT id FROM item ORDER BY id")]
        for at in range(0, len(ids), 5000):
            with opened.db.transaction():
                opened.db.put(OUTCOMES, [outcome_row(id_, verdict) for id_ in ids[at : at + 5000]])


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_exports_memory_stays_flat(desk: Desk, ledger: str) -> None:
    _written(desk, ledger)
    with closing(Ledger(ledger)) as opened:
        ((held,),) = opened.db.rows("SELECT sum(length(i.text) + length(o.body)) FROM item i JOIN outcome o ON o.id = i.id")

    done = subprocess.run([sys.executable, "-c", _EXPORT, ledger], capture_output=True, text=True, check=True)  # noqa: S603 - our own command

    count, grown = json.loads(done.stdout)
    assert count == _ROWS
    assert float(held) > 30 * 2**20  # as Python's objects half as much again
    assert grown < 48, "MiB: of which SQLite's own pages are 32, and a few thousand rows the rest"


def test_what_supersedes_what_is_found_without_comparing_all_with_all(desk: Desk, server: str) -> None:
    """Though the server last looked at the tables when no row was like those that count."""
    seen: list[int] = []
    with Client.from_config(desk.config) as client, closing(Ledger(server, create=True)) as opened:
        given = dataclasses.replace(book(accounts_of(client), supersede=True), check=lambda _update: ())

        def between() -> bool:
            seen.append(1)
            if len(seen) == 3:
                opened.db.run("ANALYZE item, outcome")
            return False

        bad = (Row.bad(line, (Problem("", "missing", "is missing"),)) for line in range(10_000, 11_500))
        load(opened, chain(_many(3000, 1000), bad), given, between=between)

        plan = "\n".join(line for (line,) in opened.db.rows(f"EXPLAIN {LATEST}"))
        assert "Nested Loop" not in plan, plan
        assert opened.db.rows("SELECT count(*) FROM latest") == [(2000,)]
        opened.db.run("ANALYZE latest")
        plan = "\n".join(line for (line,) in opened.db.rows("EXPLAIN SELECT shape, line FROM latest WHERE shape IN (?, ?, ?)", (1, 2, 3)))
        assert "Seq Scan" not in plan, plan
