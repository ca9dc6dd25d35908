"""A fleet's process, begun by `machine` as `python -m passbridge.bulk.member`.

Owns the process's life: told by its standard input what to do, it works until that ends, and says how it went in one
frame on its standard output. A parent that is gone ends the input, too: what is in flight is finished, and nothing more
begins.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from types import FrameType

from passbridge.bulk import frames
from passbridge.bulk.fleet import Member
from passbridge.bulk.own_process import collect_seldom
from passbridge.bulk.port import LaneWorker
from passbridge.bulk.shapes import Options, Stop
from passbridge.errors import ConfigError, LedgerError

__all__ = ["main"]

_HEAD = 4


def _taken(count: int) -> bytes:
    """So many bytes of the standard input; fewer where it ended. Not through the stream, whose lock would outlive a thread."""
    got = b""
    while len(got) < count and (more := os.read(0, count - len(got))):
        got += more
    return got


def _until_the_end(stop: Stop) -> None:
    while os.read(0, 1024):
        pass
    stop.request()


def _signals(stop: Stop) -> None:
    """The first Ctrl-C or SIGTERM, which may come to all processes of a terminal or a service, is a request; the second an order."""

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.requested:
            os._exit(128 + number)
        stop.request()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def _told(hello: dict[str, object], stop: Stop) -> dict[str, object]:
    """Take part, and say how it ended."""
    options = Options(**hello["options"])  # type: ignore[arg-type]  # as the parent packed them
    ledger = str(hello["ledger"])
    try:
        with LaneWorker(frames.unpack_config(hello["config"]), ledger, options) as worker:
            return {"end": Member(worker, ledger, stop).run(until_done=bool(hello["until_done"]))}
    except ConfigError as error:
        return {"error": "config", "problems": [problem.as_json() for problem in error.problems]}
    except LedgerError as error:
        return {"error": "ledger", "problems": [problem.as_json() for problem in error.problems]}


def main() -> None:
    """Take part until the parent has no more to do, or the work is done."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not end up in the pipe
    collect_seldom()
    stop = Stop()
    _signals(stop)
    body = _taken(int.from_bytes(_taken(_HEAD)))
    if not body:
        return
    threading.Thread(target=_until_the_end, args=(stop,), daemon=True).start()
    told = frames.pack(_told(json.loads(body), stop))
    with contextlib.suppress(BrokenPipeError):  # the parent is gone: nobody wants to know
        os.write(out, told)


if __name__ == "__main__":
    main()
