"""Killed at random moments, again and again: the gateway's own log is the truth.

Nothing is lost; what is said to be applied was applied, what is said to be refused wasn't; nothing is sent twice but
where an attempt was in doubt; a Refund in doubt is never sent again; what was final stays as it was.
"""

from __future__ import annotations

import json
import subprocess
import sys
from random import Random

import pytest

from passbridge.bulk import State, status
from tests.bulk.crashing import child, finals, judge, killed, prepare, updates_of
from tests.bulk.jobs import Desk, redeem, rows

_KILLS = 14
_PASSES = 110


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again(desk: Desk, workers: int) -> None:
    chance = Random(7 * workers)  # noqa: S311 - when to kill, no secret
    _run(desk, desk.ledger, workers, chance, _KILLS if workers == 1 else _KILLS // 2)


def _run(desk: Desk, ledger: str, workers: int, chance: Random, kills: int) -> None:
    updates = updates_of(desk.passes(_PASSES))
    prepare(desk, updates)
    final: dict[int, str | None] = {}
    count = 0
    while count < kills and killed(desk, ledger, workers, chance.randrange(14), chance.random() * 0.03):
        count += 1
        now = finals(desk, ledger)
        assert final.items() <= now.items(), "what was final has changed"
        final = now
    desk.box.clear_faults()
    with child(desk, ledger, workers) as process:
        assert process.wait(60) == 0, (desk.folder / "errors").read_text()

    assert count >= kills // 2
    assert final.items() <= finals(desk, ledger).items()
    judge(desk, updates, desk.entries(ledger))


def test_a_killed_ledger_says_which_rows_may_have_been_sent(desk: Desk) -> None:
    ids = desk.passes(40)
    (desk.folder / "updates.jsonl").write_text("".join(row.text + "\n" for row in rows(map(redeem, ids))), encoding="utf-8")
    desk.box.write_config(desk.folder / "passbridge.toml")
    desk.box.add_fault({"fault": "delay:2", "count": 100, "after": 10})

    assert killed(desk, desk.ledger, 1, 11, 0.0)

    told, entries = status(desk.ledger), desk.entries()
    doubtful = {entry.outcome.pass_id for entry in entries.values() if entry.state is State.UNKNOWN and entry.outcome}
    reached = {str(request["pass"]) for request in desk.log()}
    settled = {entry.outcome.pass_id for entry in entries.values() if entry.state is State.APPLIED and entry.outcome}
    assert told.in_flight == len(doubtful) > 0
    assert told.exit == 5
    assert reached <= doubtful | settled
    assert all(
        json.loads(entry.body or "{}")["attempts"][0]["code"] == "NO_ANSWER" for entry in entries.values() if entry.state is State.UNKNOWN
    )


_FULL = """
import resource, sys
from pathlib import Path
from passbridge.bulk import Options, run
from passbridge.errors import LedgerError
size = Path(sys.argv[2]).stat().st_size + 60_000
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    run(sys.argv[1], None, sys.argv[2], Options(workers=int(sys.argv[3])))
except LedgerError as error:
    print([problem.code for problem in error.problems])
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_a_disk_that_takes_no_more_stops_the_job_with_nothing_sent_unmarked(desk: Desk, workers: int) -> None:
    ids = desk.passes(200)
    config = desk.write([redeem(id_) for id_ in ids])

    command = [sys.executable, "-c", _FULL, str(config), desk.ledger, str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - our own command

    assert done.stdout == "['unusable']\n", done.stderr
    entries = desk.entries()
    known = {entry.outcome.pass_id for entry in entries.values() if entry.outcome}
    reached = {str(request["pass"]) for request in desk.log()}
    assert 0 < len(reached) < 200
    assert reached <= known, "a request left though its mark is not on the disk"
    assert desk.run(None).states[State.APPLIED] >= 150
