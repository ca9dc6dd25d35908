"""What the kernel saw: the sync that covers a row ends before the first byte of its request, and a failed one stops the job.

Told by `strace`, which knows nothing of ledgers: a row's mark is in the bytes that were written, its pass in those that
were sent.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from passbridge.bulk import State
from tests.bulk.jobs import Desk, redeem

_ROWS = 60

_JOB = """
import sys
from passbridge.bulk import Options, run
from passbridge.errors import LedgerError
try:
    run(sys.argv[1], None, sys.argv[2], Options(workers=1))
except LedgerError as error:
    print([problem.code for problem in error.problems])
"""

_CALL = re.compile(r"(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()")
_MARK = re.compile(r'"lines": \[([\d, ]+)\]')
_PASS = re.compile(r'"passId":"31(\d{14})"')
_DONE = re.compile(r"\) += (-?\d+)")


@cache
def _traces() -> bool:
    """Whether processes may be traced here."""
    if not (strace := shutil.which("strace")):
        return False
    return subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], capture_output=True, check=False).returncode == 0  # noqa: S603 - our own command


@dataclass
class _Seen:
    """What a trace says, by the number of its line.

    Attributes:
        sent: by row, where each of its requests began.
        covered: by row, where the first sync that succeeded after its mark was written ended.
        failed: where the first sync failed; None where all succeeded.
        syncs: how many succeeded.
    """

    sent: dict[int, list[int]] = field(default_factory=dict)
    covered: dict[int, int] = field(default_factory=dict)
    failed: int | None = None
    syncs: int = 0


def _read(trace: str) -> _Seen:
    """Follow the calls in their order: a request counts from where it began, a sync from where it ended."""
    seen, written = _Seen(), set[int]()
    for number, line in enumerate(trace.splitlines()):
        found = _CALL.match(line)
        if not found:
            continue
        name, text = found[2], line.replace('\\"', '"')
        if name == "pwrite64" and "job.db-wal>" in line:
            written |= {int(row) for mark in _MARK.findall(text) for row in mark.split(",")}
        elif name == "sendto":
            for row in _PASS.findall(text):
                seen.sent.setdefault(int(row) + 1, []).append(number)
        elif name in {"fdatasync", "fsync"} and (done := _DONE.search(line)):
            if done[1] == "0":
                seen.syncs += 1
                for row in written:
                    seen.covered.setdefault(row, number)
            elif seen.failed is None:
                seen.failed = number
    return seen


def _traced(desk: Desk, folder: Path, *options: str) -> tuple[str, _Seen]:
    if not _traces():
        pytest.skip("strace isn't installed, or may not trace: NOTHING about the order of sync and send is proved here")
    config = desk.write([redeem(id_) for id_ in desk.passes(_ROWS)])
    calls = "trace=fdatasync,fsync,pwrite64,sendto"
    strace = ["strace", "-qq", "-f", "-y", "-s", "20000", "-e", calls, *options, "-o", str(folder / "trace")]
    command = [*strace, sys.executable, "-c", _JOB, str(config), desk.ledger]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)  # noqa: S603 - our own command
    return done.stdout, _read((folder / "trace").read_text(encoding="utf-8", errors="replace"))


def test_the_sync_that_covers_a_row_comes_before_its_first_byte(desk: Desk, tmp_path: Path) -> None:
    said, seen = _traced(desk, tmp_path)

    assert said == ""
    assert len(desk.log()) == _ROWS
    assert sorted(seen.sent) == sorted(seen.covered) == list(range(1, _ROWS + 1))
    late = {row: (seen.covered[row], began) for row, began in seen.sent.items() if seen.covered[row] > min(began)}
    assert not late, "a request left before its mark was on the disk"


def test_a_disk_that_fails_stops_the_job_with_nothing_sent_that_it_does_not_hold(desk: Desk, tmp_path: Path) -> None:
    said, seen = _traced(desk, tmp_path, "-e", "inject=fdatasync,fsync:error=EIO:when=9+")

    assert said == "['unusable']\n"
    assert seen.failed is not None
    assert 0 < len(seen.sent) < _ROWS
    assert seen.sent.keys() <= seen.covered.keys(), "a request left though its mark is not on the disk"
    assert all(began > seen.covered[row] for row, requests in seen.sent.items() for began in requests)

    entries = desk.entries()
    known = {entry.outcome.pass_id for entry in entries.values() if entry.outcome}
    assert {str(request["pass"]) for request in desk.log()} <= known
    assert desk.run(None).states[State.APPLIED] == _ROWS
