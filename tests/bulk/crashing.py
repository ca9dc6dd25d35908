"""What runs that are killed share: the job, its children, and the judge, who holds every outcome against the gateway's log."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from passbridge import Outcome, PassUpdate
from passbridge.bulk import Entry, State, status
from passbridge.errors import LedgerError
from tests.bulk.jobs import Desk, redeem, refund, revise, rows

_CHILD = """
import sys
from passbridge.bulk import Options, Row, run
from passbridge import load_update
lines = open(sys.argv[1], encoding="utf-8").read().splitlines()
given = (Row.of(n, load_update(line)) for n, line in enumerate(lines, 1))
run(sys.argv[2], given, sys.argv[3], Options(workers=int(sys.argv[4]), patience=5.0))
"""

_WORDS = {"redeem": "USED", "revise": "UPDATE", "refund": "REFUND"}
_FAULTS = (("lose-answer", 1), ("drop-request", 2), ("http-502", 3))


def updates_of(ids: list[str]) -> list[PassUpdate]:
    """All Revises first, then a Redeem or a Refund of each: several updates of one pass, far apart."""
    last = [refund(id_) if number % 5 == 0 else redeem(id_) for number, id_ in enumerate(ids)]
    return [*(revise(id_, key=f"k{id_}") for id_ in ids), *last]


def prepare(desk: Desk, updates: list[PassUpdate], share: float = 0.05) -> Path:
    """The input's and the configuration's file, and a gateway that loses, drops and refuses some requests."""
    (desk.folder / "updates.jsonl").write_text("".join(row.text + "\n" for row in rows(updates)), encoding="utf-8")
    config = desk.folder / "passbridge.toml"
    desk.box.write_config(config)
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "\n[retry]\nattempts = 2\ndeadline = 3.0\nread_timeout = 1.0\n", encoding="utf-8")
    for fault, seed in _FAULTS:
        desk.box.add_fault({"fault": fault, "probability": share, "count": 1_000_000, "seed": seed})
    return config


@contextmanager
def child(desk: Desk, ledger: str, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A run of the job in a process of its own; killed at the end."""
    files = (str(desk.folder / "updates.jsonl"), str(desk.folder / "passbridge.toml"))
    command = [sys.executable, "-c", _CHILD, *files, ledger, str(workers)]
    with (desk.folder / "errors").open("ab") as errors:
        process = subprocess.Popen(command, stderr=errors)  # noqa: S603 - our own command
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def killed(desk: Desk, ledger: str, workers: int, after: int, pause: float) -> bool:
    """Start a run and kill it when so many more requests have come and a moment has passed; false if it ended by itself."""
    seen = len(desk.log())
    until = time.monotonic() + 60
    with child(desk, ledger, workers) as process:
        while process.poll() is None and len(desk.log()) < seen + after:
            assert time.monotonic() < until, "the run does not go on"
            time.sleep(0.005)
        time.sleep(pause)
        ended = process.poll() is not None
        if not ended:
            process.send_signal(signal.SIGKILL)
    return not ended


def finals(desk: Desk, ledger: str) -> dict[int, str | None]:
    """What is final so far, by line; empty where the ledger has no tables yet."""
    try:
        if not status(ledger).rows:
            return {}
    except LedgerError as error:
        assert [problem.code for problem in error.problems] == ["no_ledger"]  # noqa: PT017 - either is right
        return {}
    open_ = {State.OPEN, State.UNSENT, State.UNKNOWN}
    return {line: entry.body for line, entry in desk.entries(ledger).items() if entry.state not in open_}


def judge(desk: Desk, updates: list[PassUpdate], entries: dict[int, Entry]) -> None:
    """Hold every outcome against the gateway's log."""
    assert sorted(entries) == list(range(1, len(updates) + 1)), "a row was lost"
    log = desk.log()
    assert [request["n"] for request in log] == list(range(1, len(log) + 1)), "the log has holes: it was not read often enough"
    asked = Counter((request["pass"], request["action"]) for request in log)
    done = {(request["pass"], request["action"]) for request in log if request["applied"]}
    for line, update in enumerate(updates, 1):
        outcome = entries[line].outcome
        assert outcome, f"line {line} has no outcome: {entries[line]}"
        name = (update.pass_.id, _WORDS[update.action])
        unrecorded = sum("no answer was recorded" in (attempt.reason or "") for attempt in outcome.attempts)
        # A killed run may have been at its second request: both stand as one attempt without an answer.
        assert asked[name] <= len(outcome.attempts) + unrecorded, f"line {line} was sent more often than it says"
        _hold(line, update, entries[line].state, outcome, applied=name in done)
        if update.action == "refund":
            assert asked[name] <= 1, f"line {line}: a Refund was sent again"
    _in_order(log)


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


def _in_order(log: list[dict[str, object]]) -> None:
    sent: dict[object, list[object]] = {}
    for request in log:
        sent.setdefault(request["pass"], []).append(request["action"])
    for id_, actions in sent.items():
        assert actions == sorted(actions, key=lambda action: action != "UPDATE"), f"{id_}: a later update overtook: {actions}"
