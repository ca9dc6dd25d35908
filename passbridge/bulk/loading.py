"""The input, written to the ledger before anything is sent.

Owns the batches, where a run that was cut off goes on, and the comparison with what an earlier run has written. What a
row becomes is `items`' to say. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Final

from passbridge.bulk.database import refused
from passbridge.bulk.items import Book, Items
from passbridge.bulk.ledger import LANES, Job, Ledger
from passbridge.bulk.schema import ITEMS, KEYS, LATEST, OUTCOMES, PROGRESS, SCHEMA
from passbridge.bulk.schema import LANES as LANE_ROWS
from passbridge.bulk.sums import mark_sum

if TYPE_CHECKING:
    from passbridge.bulk.rows import Row

__all__ = ["load"]

_BATCH: Final = 1000
"""Rows in one transaction."""
_BATCH_TEXT: Final = 1 << 22
"""Characters after which a transaction takes no further row: memory stays flat, however large the updates are."""
_OTHER_INPUT: Final = (
    "other_input",
    "holds another input, or this one read otherwise",
    "give the input and the options it was begun with; a mended input is a new job: name a new ledger for it",
)


def load(ledger: Ledger, rows: Iterable[Row], book: Book, fingerprint: str | None = None, between: Callable[[], bool] = bool) -> None:
    """Write the input, or see that the ledger holds it; go on where an earlier run was cut off.

    Args:
        ledger: the ledger.
        rows: the input.
        book: what is needed of the configuration.
        fingerprint: what the caller knows its input by.
        between: called after each batch; true ends the writing there.

    Raises:
        LedgerError: the ledger holds another input, another process is writing it, or it can't be written.
        ValueError: lines that don't rise.
    """
    job = ledger.job()
    if job and fingerprint and job.fingerprint and job.fingerprint != fingerprint:
        raise refused(ledger.db.name, *_OTHER_INPUT)
    if job and job.latest != book.supersede:
        message = f"was begun {'with' if job.latest else 'without'} superseding"
        raise refused(ledger.db.name, "other_options", message, "run it with the same, or begin a new ledger")
    if job and not job.ready and job.unnamed != book.default:  # rows without `to` would go to one account here and another there
        message = f"was begun with the default account {_said(job.unnamed)}, this configuration has {_said(book.default)}"
        mend = "go on with the configuration it was begun with, or begin a new ledger"
        raise refused(ledger.db.name, "other_configuration", message, mend)
    if job and job.ready and fingerprint and job.fingerprint == fingerprint:
        return
    _Loader(ledger, book, fingerprint, job).load(rows, between)


@dataclass(slots=True)
class _Loader:
    ledger: Ledger
    book: Book
    fingerprint: str | None
    job: Job | None
    digest: str = ""
    last: int = 0

    def load(self, rows: Iterable[Row], between: Callable[[], bool]) -> None:
        stream = iter(rows)
        if self.job is None:
            self._begin()
        else:
            self._compare(stream, self.job)
        numbers = dict(self.ledger.db.rows("SELECT account, number FROM account"))
        items = Items(self.ledger, self.book, self.job.lanes if self.job else LANES, numbers)
        loaded = self.job.loaded if self.job else 0
        for batch in _batches(stream):
            if self.job and self.job.ready:
                raise refused(self.ledger.db.name, *_OTHER_INPUT)
            self._write(items, batch, loaded)
            loaded += len(batch)
            if between():
                return
        self._finish()

    def _finish(self) -> None:
        """The input is whole."""
        with self.ledger.db.transaction():
            if self.ledger.shared and not (self.job and self.job.ready):
                # What the server knows of tables that have just been filled may be of their first rows: a plan for a few.
                self.ledger.db.run("ANALYZE item, outcome")
            if self.book.supersede and not (self.job and self.job.ready):
                self.ledger.db.run(LATEST)
            self.ledger.db.run("UPDATE job SET ready = 1, fingerprint = coalesce(?, fingerprint)", (self.fingerprint,))

    def _begin(self) -> None:
        self.ledger.db.run(
            "INSERT INTO job (one, version, lanes, loaded, last, digest, ready, fingerprint, latest, unnamed)"
            " VALUES (1, ?, ?, 0, 0, '', 0, ?, ?, ?)",
            (SCHEMA, LANES, self.fingerprint, int(self.book.supersede), self.book.default),
        )

    def _compare(self, stream: Iterator[Row], job: Job) -> None:
        """Pass over what is written, and see that it is the same."""
        count = 0
        for row in islice(stream, job.loaded):
            self._chain(row)
            count += 1
        if count < job.loaded or self.digest != job.digest:
            raise refused(self.ledger.db.name, *_OTHER_INPUT)

    def _chain(self, row: Row) -> None:
        if row.line <= self.last:
            raise ValueError(f"line {row.line} comes after line {self.last}: lines must rise")
        self.last = row.line
        self.digest = blake2b(f"{self.digest} {row.line} {row.text}".encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()

    def _write(self, items: Items, rows: Sequence[Row], loaded: int) -> None:
        db = self.ledger.db
        for row in rows:
            self._chain(row)
        with db.transaction():
            (before,) = db.rows(db.locked("SELECT loaded FROM job"))
            if before[0] != loaded:
                raise refused(db.name, "locked", "another process is writing this job's input", "wait for it, or end it")
            batch = items.batch(rows)
            db.put(ITEMS, sorted(batch.items))
            db.put(OUTCOMES, sorted(batch.outcomes))
            db.put(KEYS, batch.keys)
            db.put(
                LANE_ROWS,
                [(lane, account, 0, 0.0, 0.0, 0, last, "", mark_sum(lane, 0, "")) for lane, (account, last) in batch.last.items()],
            )
            db.put(PROGRESS, [(*what, n) for what, n in batch.counts.items()])
            db.run("UPDATE job SET loaded = ?, last = ?, digest = ?", (loaded + len(rows), self.last, self.digest))


def _batches(stream: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    size = 0
    for row in stream:
        batch.append(row)
        size += len(row.text)
        if len(batch) == _BATCH or size >= _BATCH_TEXT:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _said(account: str | None) -> str:
    return "none" if account is None else repr(account)
