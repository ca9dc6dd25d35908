"""Killed at random moments, again and again: the gateway's own log is the truth.

Nothing is lost; what is said to be applied was applied, what is said to be refused wasn't; nothing is sent twice but
where an attempt was in doubt; a Refund in doubt is never sent again; what was final stays as it was.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest

from passbridge import Outcome, PassUpdate
from passbridge.bulk import Entry, State, status
from passbridge.errors import LedgerError
from tests.bulk.jobs import Desk, redeem, refund, revise, rows

_KILLS = 14
_PASSES = 110

_CHILD = """
import sys
from passbridge.bulk import Options, Row, run
from passbridge import load_update
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
given = (Row.of(n, load_update(line)) for n, line in enumerate(lines, 1))
run(sys.argv[2], given, sys.argv[3], Options(workers=int(sys.argv[4]), patience=5.0))
"""

_WORDS = {"redeem": "USED", "revise": "UPDATE", "refund": "REFUND"}


def _updates(ids: list[str]) -> list[PassUpdate]:
    """All Revises first, then a Redeem or a Refund of each: several updates of one pass, far apart."""
    last = [refund(id_) if number % 5 == 0 else redeem(id_) for number, id_ in enumerate(ids)]
    return [*(revise(id_, key=f"k{id_}") for id_ in ids), *last]


@contextmanager
def _child(desk: Desk, ledger: str, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    files = (str(desk.folder / "updates.jsonl"), str(desk.folder / "passbridge.toml"))
    command = [sys.executable, "-c", _CHILD, *files, ledger, str(workers)]
    with (desk.folder / "errors").open("ab") as errors:
        child = subprocess.Popen(command, stderr=errors)  # noqa: S603 - our own command
        try:
            yield child
        finally:
            child.kill()
            child.wait()


def _killed(desk: Desk, ledger: str, workers: int, after: int, pause: float) -> bool:
    """Start a run and kill it when so many more requests have come and a moment has passed; false if it ended by itself."""
    seen = len(desk.log())
    until = time.monotonic() + 30
    with _child(desk, ledger, workers) as child:
        while child.poll() is None and len(desk.log()) < seen + after:
            assert time.monotonic() < until, "the run does not go on"
            time.sleep(0.005)
        time.sleep(pause)
        ended = child.poll() is not None
        if not ended:
            child.send_signal(signal.SIGKILL)
    return not ended


def _finals(entries: dict[int, Entry]) -> dict[int, str | None]:
    return {line: entry.body for line, entry in entries.items() if entry.state not in {State.OPEN, State.UNSENT, State.UNKNOWN}}


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_again_and_again(desk: Desk, workers: int) -> None:
    chance = Random(7 * workers)  # noqa: S311 - when to kill, no secret
    _run(desk, desk.ledger, workers, chance, _KILLS if workers == 1 else _KILLS // 2)


def _run(desk: Desk, ledger: str, workers: int, chance: Random, kills: int) -> None:
    ids = desk.passes(_PASSES)
    updates = _updates(ids)
    Path(desk.folder / "updates.jsonl").write_text("".join(row.text + "\n" for row in rows(updates)), encoding="utf-8")
    desk.box.write_config(desk.folder / "passbridge.toml")
    _shorter(desk.folder / "passbridge.toml")
    for fault, seed in (("lose-answer", 1), ("drop-request", 2), ("http-502", 3)):
        desk.box.add_fault({"fault": fault, "probability": 0.05, "count": 100_000, "seed": seed})

    final: dict[int, str | None] = {}
    killed = 0
    while killed < kills and _killed(desk, ledger, workers, chance.randrange(14), chance.random() * 0.03):
        killed += 1
        entries = desk.entries(ledger) if Path(ledger).exists() and _readable(ledger) else {}
        assert final.items() <= _finals(entries).items(), "what was final has changed"
        final = _finals(entries)
    desk.box.clear_faults()
    with _child(desk, ledger, workers) as child:
        assert child.wait(60) == 0, (desk.folder / "errors").read_text()

    assert killed >= kills // 2
    entries = desk.entries(ledger)
    assert final.items() <= _finals(entries).items()
    _judge(desk, updates, entries)


def _readable(ledger: str) -> bool:
    try:
        return status(ledger).rows > 0
    except LedgerError as error:  # killed before the ledger's tables were there
        assert [problem.code for problem in error.problems] == ["no_ledger"]  # noqa: PT017 - either is right
        return False


def _shorter(config: Path) -> None:
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "\n[retry]\nattempts = 2\ndeadline = 3.0\nread_timeout = 1.0\n", encoding="utf-8")


def _judge(desk: Desk, updates: list[PassUpdate], entries: dict[int, Entry]) -> None:
    """Hold every outcome against the gateway's log."""
    assert sorted(entries) == list(range(1, len(updates) + 1)), "a row was lost"
    log = desk.log()
    assert [request["n"] for request in log] == list(range(1, len(log) + 1)), "the log has holes: the test is too large"
    asked = Counter((request["pass"], request["action"]) for request in log)
    done = {(request["pass"], request["action"]) for request in log if request["applied"]}
    for line, update in enumerate(updates, 1):
        outcome = entries[line].outcome
        assert outcome, f"line {line} has no outcome: {entries[line]}"
        name = (update.pass_.id, _WORDS[update.action])
        killed = sum("no answer was recorded" in (attempt.reason or "") for attempt in outcome.attempts)
        # A killed run may have been at its second request: both stand as one attempt without an answer.
        assert asked[name] <= len(outcome.attempts) + killed, f"line {line} was sent more often than it says"
        _hold(line, update, entries[line].state, outcome, applied=name in done)
        if update.action == "refund":
            assert asked[name] <= 1, f"line {line}: a Refund was sent again"
    _in_order(desk, {update.pass_.id for update in updates})


def _hold(line: int, update: PassUpdate, state: State, outcome: Outcome, *, applied: bool) -> None:
    if state is State.APPLIED:
        assert applied, f"line {line} is said to be applied"
    elif state is State.REFUSED:
        assert not applied, f"line {line} is said to be refused: {outcome}"
    else:
        assert state is State.UNKNOWN, f"line {line} is {state}"
        assert update.action == "refund" or len(outcome.attempts) > 1 or not outcome.ok
    doubts = [attempt for attempt in outcome.attempts[:-1] if attempt.code in {"NO_ANSWER", "PROVIDER_ERROR", "NOT_SENT", "RATE_LIMITED"}]
    assert len(doubts) == len(outcome.attempts[:-1]), f"line {line} was sent again after a definite answer"


def _in_order(desk: Desk, ids: set[str]) -> None:
    for id_ in ids:
        sent = desk.sent(id_)
        assert sent == sorted(sent, key=lambda action: action != "UPDATE"), f"{id_}: a later update overtook an earlier one: {sent}"


def test_a_killed_ledger_says_which_rows_may_have_been_sent(desk: Desk) -> None:
    ids = desk.passes(40)
    (desk.folder / "updates.jsonl").write_text("".join(row.text + "\n" for row in rows(map(redeem, ids))), encoding="utf-8")
    desk.box.write_config(desk.folder / "passbridge.toml")
    desk.box.add_fault({"fault": "delay:2", "count": 100, "after": 10})

    assert _killed(desk, desk.ledger, 1, 11, 0.0)

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
