"""Many updates: a ledger that knows what may have been sent, and a runner that carries them out in order.

The public names, each imported at its first use. What the promises rest on:

* every row is written before anything is sent, and is in doubt, durably, before its request leaves;
* a row that is final never changes;
* whether an update may be sent again is the conversation's to say (`apply(update, after=…)`), never this package's.
"""

from typing import TYPE_CHECKING

from passbridge.first_use import at_first_use

if TYPE_CHECKING:
    from passbridge.bulk.api import export, plan, retry, run, settle, status, work
    from passbridge.bulk.generators import arun_bulk, run_bulk
    from passbridge.bulk.port import Dispatch, LaneWorker, sweep
    from passbridge.bulk.rows import Row
    from passbridge.bulk.shapes import End, Entry, Options, State, Status, Stop

__all__ = [
    "Dispatch",
    "End",
    "Entry",
    "LaneWorker",
    "Options",
    "Row",
    "State",
    "Status",
    "Stop",
    "arun_bulk",
    "export",
    "plan",
    "retry",
    "run",
    "run_bulk",
    "settle",
    "status",
    "sweep",
    "work",
]

__getattr__, __dir__ = at_first_use(
    globals(),
    "passbridge.bulk.api",
    {
        "passbridge.bulk.generators": ("arun_bulk", "run_bulk"),
        "passbridge.bulk.port": ("Dispatch", "LaneWorker", "sweep"),
        "passbridge.bulk.rows": ("Row",),
        "passbridge.bulk.shapes": ("End", "Entry", "Options", "State", "Status", "Stop"),
    },
)
