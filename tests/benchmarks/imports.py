"""What importing costs: `passbridge` and its client, against `httpx` and `pydantic` alone, each in interpreters of its own."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
from typing import Final

__all__ = ["PROGRAMS", "imports"]

PROGRAMS: Final = {
    "nothing": "pass",
    "httpx, pydantic": "import httpx, pydantic; pydantic.BaseModel; httpx.Client",
    "passbridge": "import passbridge",
    "passbridge, its client and an update": "from passbridge import Client, Redeem",
}
"""pydantic, like passbridge, imports what it has at the first use: the yardstick uses what everybody uses."""


def imports(rounds: int) -> dict[str, float]:
    """The median CPU seconds of each program, interpreter start included."""
    for program in PROGRAMS.values():
        _cpu(program)  # compiled files are written once
    taken = [[_cpu(program) for program in PROGRAMS.values()] for _ in range(rounds)]
    return dict(zip(PROGRAMS, map(statistics.median, zip(*taken, strict=True)), strict=True))


def _cpu(program: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", program], check=True)  # noqa: S603 - our own words
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
