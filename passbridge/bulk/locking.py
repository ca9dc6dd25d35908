"""The lock that keeps a second process off a ledger in a file.

Owns the lock file beside the ledger. The lock belongs to the open file: child processes that were handed it hold it
too, so that nobody begins anew while a child of a killed runner may still be sending.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

from passbridge.bulk.database import refused

__all__ = ["Lock"]

_PATIENCE: Final = 5.0
"""Seconds in which the children of a killed runner notice and end."""


class Lock:
    """Held from its making until `release`, or until every process that holds it has ended.

    Args:
        ledger: the ledger's file.

    Raises:
        LedgerError: another process holds it, or the file can't be made.
    """

    def __init__(self, ledger: Path) -> None:
        path = Path(os.path.realpath(ledger) + ".lock")  # one lock, by whichever link the ledger is reached
        try:
            self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused(str(path), "unusable", f"can't be made: {error.strerror}", "give a ledger in a folder you may write to") from None
        try:
            self._wait(str(ledger))
        except BaseException:
            os.close(self.file)
            raise

    def _wait(self, name: str) -> None:
        until = time.monotonic() + _PATIENCE
        while not self._tried(name):
            if time.monotonic() > until:
                raise refused(name, "locked", "another process is running this job", "wait for it, or end it")
            time.sleep(0.05)

    def _tried(self, name: str) -> bool:
        try:
            return _taken(self.file)
        except OSError as error:  # some network file systems have no locks
            raise refused(name, "unusable", f"can't be locked: {error.strerror}", "give a ledger on a local disk") from None

    def release(self) -> None:
        """Let the next one have it."""
        os.close(self.file)


if sys.platform == "win32":
    import msvcrt

    def _taken(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _taken(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
