"""One process of a fleet: DBOS hands out lanes, and this process runs those that it gets.

Owns all that is DBOS: its tables' schema, the queue, the task, and the sweep that puts lanes on the queue. Knows no row
and no request: a lane is run by the port, and every guarantee is the ledger's. A task may be run twice, late or never.
"""

from __future__ import annotations

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import psycopg
import sqlalchemy
from dbos import DBOS, DBOSPortableJSONSerializer, SetWorkflowID

from passbridge.bulk.database import refused
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.port import LaneWorker, swept
from passbridge.bulk.postgresql import address_of
from passbridge.bulk.shapes import End, Stop

if TYPE_CHECKING:
    from dbos import DBOSConfig

__all__ = ["Member"]

_QUEUE: Final = "lanes"
_TASK: Final = "passbridge.lane"
_VERSION: Final = "lanes-1"
"""Of the task's arguments, not of the code: whoever knows this version runs any of its tasks, across releases."""
_LANES: Final = 4
"""Lanes that a process works at once: while one waits for its slowest answer, the others go on."""
_EVERY: Final = 0.5
"""Seconds between two sweeps, and between two looks at the queue."""
_DEAD: Final = timedelta(minutes=15)
"""A task that took longer than that is nobody's: no dispatch of a lane lasts half as long."""
_TIDIED: Final = 60.0
"""Seconds between two looks for such tasks."""


class Member:
    """One process of a fleet. There can be one in a process, since DBOS is one for all of it.

    Args:
        worker: runs lanes.
        ledger: the PostgreSQL URL whose lanes these are; DBOS keeps its tables beside them.
        stop: asks for a clean end.
    """

    def __init__(self, worker: LaneWorker, ledger: str, stop: Stop) -> None:
        self._worker, self._place, self._stop = worker, ledger, stop
        self._over = threading.Event()
        self._failed: BaseException | None = None
        self._idle = threading.Condition()
        self._running = 0
        self._tidied = float("-inf")
        stop.tell(self._over.set)

        @DBOS.workflow(name=_TASK)
        def task(account: str, lane: int) -> bool:
            return self._run(account, lane)

        self._task: Callable[[str, int], bool] = task

    def run(self, *, until_done: bool) -> End:
        """Take part until asked to stop.

        Args:
            until_done: whether to end, too, when nothing is left to do.

        Returns:
            How it ended; `PAUSED` where all that is left is of accounts that this process has given up.

        Raises:
            LedgerError: the ledger can't be used any more; what is in flight is finished, nothing more is sent.
        """
        with closing(Ledger(self._place)) as ledger:
            self._launch(ledger.db.name)
            try:
                while (end := self._swept(ledger, until_done=until_done)) is None:
                    self._over.wait(_EVERY)
            finally:
                self._end()
        return end

    def _launch(self, shown: str) -> None:
        address, schema = address_of(self._place)
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(address, application_name="passbridge-dbos", connect_timeout=10),
            pool_size=_LANES,
            pool_pre_ping=True,
        )
        config: DBOSConfig = {
            "name": "passbridge",
            "system_database_engine": engine,
            "dbos_system_schema": schema.replace("passbridge", "pb_dbos", 1),  # with the job's name it must fit into 63 characters
            "application_version": _VERSION,  # else each release's own hash would strand what is queued
            "executor_id": f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
            "serializer": DBOSPortableJSONSerializer(),  # the default unpickles whatever stands in the database
            "log_level": "ERROR",
        }
        try:
            DBOS(config=config)
            DBOS.launch()
            DBOS.register_queue(_QUEUE, worker_concurrency=_LANES, polling_interval_sec=_EVERY)
        except sqlalchemy.exc.SQLAlchemyError as error:
            DBOS.destroy()
            kind = type(getattr(error, "orig", None) or error).__name__
            raise refused(
                shown, "unusable", f"DBOS can't keep its tables there ({kind})", "give its user the right to create schemas"
            ) from None

    def _swept(self, ledger: Ledger, *, until_done: bool) -> End | None:
        """Put on the queue what is due; how it ends, if it does."""
        if self._failed:
            raise self._failed
        if self._stop.requested:
            return End.STOPPED
        resting, queued = self._worker.resting(), _queued()
        left = swept(ledger, lambda account, lane: None if account in resting or lane in queued else self._dispatch(account, lane))
        self._tidy()
        if not left and until_done:
            return End.DONE
        return End.PAUSED if left and left <= self._worker.given_up else None

    def _dispatch(self, account: str, lane: int) -> None:
        """A lane's task. Its name is the same for all who sweep in this second: one of them puts it on the queue."""
        with SetWorkflowID(f"{lane}-{int(time.time())}"):
            DBOS.enqueue_workflow(_QUEUE, self._task, account, lane)

    def _run(self, account: str, lane: int) -> bool:
        """A task, in a thread of DBOS's."""
        with self._idle:
            if self._over.is_set():
                return False
            self._running += 1
        try:
            return self._worker.run_lane(account, lane)
        except BaseException as error:  # noqa: BLE001 - raised by `run`: what DBOS would keep of it helps nobody
            self._failed = error
            self._over.set()
            return False
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _tidy(self) -> None:
        """End the tasks of processes that are gone; their lanes went to others long ago."""
        if time.monotonic() - self._tidied > _TIDIED:
            self._tidied = time.monotonic()
            before = (datetime.now(UTC) - _DEAD).isoformat()
            dead = DBOS.list_workflows(status="PENDING", queue_name=_QUEUE, dequeued_before=before, load_input=False, load_output=False)
            DBOS.cancel_workflows([task.workflow_id for task in dead])

    def _end(self) -> None:
        """Nothing new begins; what is in flight is finished."""
        with self._idle:
            self._over.set()
            self._worker.stop()
            self._idle.wait_for(lambda: not self._running)
        DBOS.destroy()


def _queued() -> frozenset[int]:
    """Lanes whose task nobody has taken yet. One that was taken counts for nothing: its process may be dead."""
    waiting = DBOS.list_queued_workflows(status="ENQUEUED", queue_name=_QUEUE, load_input=False, load_output=False)
    return frozenset(int(task.workflow_id.partition("-")[0]) for task in waiting)
