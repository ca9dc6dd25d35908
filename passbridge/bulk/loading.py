"""The input, written to the ledger before anything is sent.

Owns what a row becomes: its lane, its `at`, whether it repeats an earlier one or is invalid; and the comparison with
what an earlier run has written. Sends nothing.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.database import refused
from passbridge.bulk.keeping import outcome_row
from passbridge.bulk.ledger import LANES, Job, Ledger
from passbridge.bulk.outcomes import Verdict, Words, invalid
from passbridge.bulk.schema import ITEMS, KEYS, LATEST, OUTCOMES, PROGRESS, SCHEMA, id_of
from passbridge.bulk.schema import LANES as LANE_ROWS
from passbridge.bulk.shapes import State
from passbridge.bulk.sums import item_sum, mark_sum, outcome_sum
from passbridge.domain import PassUpdate
from passbridge.errors import Problem

if TYPE_CHECKING:
    from passbridge.bulk.rows import Row

__all__ = ["Book", "load"]

_BATCH: Final = 1000
"""Rows in one transaction."""
_BATCH_TEXT: Final = 1 << 22
"""Characters after which a transaction takes no further row: memory stays flat, however large the updates are."""
_ITEM_TEXT: Final = 65536
"""Characters that are kept of a row that is no update."""

_OTHER_INPUT: Final = ("other_input", "holds another input", "give the input it was begun with, or begin a new ledger")


@dataclass(frozen=True, slots=True)
class Book:
    """What loading needs of a configuration.

    Attributes:
        default: the account of an update that names none.
        identities: by account name, what tells it from any other of that name.
        timed: the accounts whose gateway wants each update's own moment.
        words: what each code means.
        check: says every reason why an update can't be carried; None where only the gateway's account is looked at here,
            and the rest when its turn comes. Needed where a row may take another's place.
    """

    default: str | None
    identities: Mapping[str, str]
    timed: frozenset[str]
    words: Words
    check: Callable[[PassUpdate], Sequence[Problem]] | None = None

    @property
    def supersede(self) -> bool:
        """Whether rows may take another's place."""
        return self.check is not None


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
class _Batch:
    """What one transaction writes."""

    items: list[tuple[Any, ...]] = field(default_factory=list)
    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    keys: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    last: dict[int, tuple[str, int]] = field(default_factory=dict)
    counts: Counter[tuple[int, str, str, int]] = field(default_factory=Counter)


@dataclass(slots=True)
class _Loader:
    ledger: Ledger
    book: Book
    fingerprint: str | None
    job: Job | None
    lanes: int = LANES
    digest: str = ""
    last: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    def load(self, rows: Iterable[Row], between: Callable[[], bool]) -> None:
        stream = iter(rows)
        if self.job is None:
            self._begin()
        else:
            self.lanes = self.job.lanes
            self._compare(stream, self.job)
        self.numbers = dict(self.ledger.db.rows("SELECT account, number FROM account"))
        loaded = self.job.loaded if self.job else 0
        for batch in _batches(stream):
            if self.job and self.job.ready:
                raise refused(self.ledger.db.name, *_OTHER_INPUT)
            self._write(batch, loaded)
            loaded += len(batch)
            if between():
                return
        with self.ledger.db.transaction():
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

    def _write(self, rows: Sequence[Row], loaded: int) -> None:
        batch = _Batch()
        db = self.ledger.db
        for row in rows:
            self._chain(row)
        with db.transaction():
            (before,) = db.rows(db.locked("SELECT loaded FROM job"))
            if before[0] != loaded:
                raise refused(db.name, "locked", "another process is writing this job's input", "wait for it, or end it")
            self._add(rows, batch)
            db.put(ITEMS, sorted(batch.items))
            db.put(OUTCOMES, sorted(batch.outcomes))
            db.put(KEYS, batch.keys)
            db.put(
                LANE_ROWS,
                [(lane, account, 0, 0.0, 0.0, 0, last, "", mark_sum(lane, 0, "")) for lane, (account, last) in batch.last.items()],
            )
            db.put(PROGRESS, [(*what, n) for what, n in batch.counts.items()])
            db.run("UPDATE job SET loaded = ?, last = ?, digest = ?", (loaded + len(rows), self.last, self.digest))

    def _add(self, rows: Sequence[Row], batch: _Batch) -> None:
        accounts = {row.line: self._account(row.update) for row in rows if row.update}
        new = {name for name in accounts.values() if name and name not in self.numbers}
        if new:
            self.numbers = self.ledger.numbers({name: self.book.identities[name] for name in sorted(new)})
        repeats = self._repeats(rows, accounts, batch)
        for row in rows:
            account = accounts.get(row.line)
            if row.update is None or not account:
                problems = row.problems or (Problem("to", "unknown_account", "no such account, or none is named", "name an account"),)
                self._invalid(batch, 0, row, "", problems)
            else:
                self._update(batch, row, row.update, account, repeats.get(row.line))

    def _account(self, update: PassUpdate) -> str:
        name = update.to or self.book.default or ""
        return name if name in self.book.identities else ""

    def _repeats(self, rows: Sequence[Row], accounts: Mapping[int, str], batch: _Batch) -> dict[int, tuple[bool, int]]:
        """Of rows whose key an earlier row has: whether their content is the same, and that row's line."""
        keyed = [
            (_hash(row.update.key), _content(row.update, accounts[row.line]), row.line) for row in rows if row.update and row.update.key
        ]
        if not keyed:
            return {}
        marks = ", ".join("?" * len(keyed))
        found = self.ledger.db.rows(f"SELECT key, content, line FROM key WHERE key IN ({marks})", [key for key, _, _ in keyed])  # noqa: S608 - marks alone
        first = {bytes(key): (bytes(content), line) for key, content, line in found}
        repeats = {}
        for key, content, line in keyed:
            earlier = first.get(key)
            if earlier:
                repeats[line] = (earlier[0] == content, earlier[1])
            else:
                first[key] = (content, line)
                batch.keys.append((key, content, line))
        return repeats

    def _update(self, batch: _Batch, row: Row, update: PassUpdate, account: str, repeat: tuple[bool, int] | None) -> None:
        number = _number(account, update.pass_.id)
        lane = self.numbers[account] * self.lanes + number % self.lanes
        batch.last[lane] = (account, row.line)  # also for a row that is invalid: what lists the rows goes by their lanes
        if repeat and not repeat[0]:
            message = f"is the key of line {repeat[1]}, which asks for something else"
            self._invalid(batch, lane, row, account, (Problem("key", "other_content", message, "give each update its own key"),))
            return
        problems = self.book.check(update) if self.book.check and update.action == "revise" else ()
        if problems:
            self._invalid(batch, lane, row, account, problems)
            return
        row_id = id_of(lane, row.line)
        at = None if update.at or account not in self.book.timed else int(time.time() * 1000)
        shape = _shape(account, update) if self.book.supersede and update.action == "revise" and not repeat else None
        batch.items.append((row_id, number, shape, int(update.action == "refund"), at, item_sum(row_id, at, row.text), row.text))
        if repeat:
            first = str(id_of(lane, repeat[1]))
            batch.outcomes.append((row_id, State.REPEATED, "", 0, first, outcome_sum(row_id, State.REPEATED, "", 0, first)))
            batch.counts[lane, State.REPEATED, "", 0] += 1

    def _invalid(self, batch: _Batch, lane: int, row: Row, account: str, problems: Sequence[Problem]) -> None:
        row_id, text = id_of(lane, row.line), row.text[:_ITEM_TEXT].replace("\0", "\ufffd")  # PostgreSQL's text holds no NUL
        verdict = Verdict.of(invalid(row.update, account or _named(row.update), problems, self.book.words), self.book.words)
        batch.items.append((row_id, 0, None, 0, None, item_sum(row_id, None, text), text))
        batch.outcomes.append(outcome_row(row_id, verdict))
        batch.counts[lane, State.INVALID, verdict.code, verdict.exit] += 1


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


def _named(update: PassUpdate | None) -> str:
    return (update.to if update else None) or ""


def _hash(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _number(*parts: str) -> int:
    """What tells a pass from any other, in 63 bits: two alike would only wait for each other."""
    return int.from_bytes(blake2b("\0".join(parts).encode(), digest_size=8).digest()) >> 1


def _content(update: PassUpdate, account: str) -> bytes:
    """What an update asks for, however it is written."""
    return _hash(json.dumps(update.as_json() | {"to": account}, sort_keys=True))


def _shape(account: str, update: PassUpdate) -> int:
    """Account, pass, and the names of what a Revise writes: a later one of the same shape makes it needless."""
    content = update.content
    names: list[object] = [account, update.pass_.id, update.kind, sorted(update.model_fields_set)]
    if content:
        names += [sorted(content.params), sorted((locale, sorted(params)) for locale, params in content.locales.items())]
        names += [content.raw and sorted(content.raw)]
    return _number(json.dumps(names))
