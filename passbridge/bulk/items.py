"""What a row of the input becomes in the ledger.

Owns its lane, its `at`, its shape, whether it repeats an earlier row or is invalid. Whether and when it is written is
`loading`'s to say.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.keeping import outcome_row
from passbridge.bulk.outcomes import Verdict, Words, invalid
from passbridge.bulk.schema import id_of
from passbridge.bulk.shapes import State
from passbridge.bulk.sums import item_sum, outcome_sum
from passbridge.domain import PassUpdate
from passbridge.domain.problems import did_you_mean
from passbridge.errors import Problem

if TYPE_CHECKING:
    from passbridge.bulk.ledger import Ledger
    from passbridge.bulk.rows import Row

__all__ = ["Batch", "Book", "Items"]

_ITEM_TEXT: Final = 65536
"""Characters that are kept of a row that is no update."""


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


@dataclass(slots=True)
class Batch:
    """What one transaction writes."""

    items: list[tuple[Any, ...]] = field(default_factory=list)
    outcomes: list[tuple[Any, ...]] = field(default_factory=list)
    keys: list[tuple[bytes, bytes, int]] = field(default_factory=list)
    last: dict[int, tuple[str, int]] = field(default_factory=dict)
    counts: Counter[tuple[int, str, str, int]] = field(default_factory=Counter)


@dataclass(slots=True)
class Items:
    """Makes rows of the ledger, batch by batch.

    Attributes:
        ledger: where earlier keys and the accounts' numbers stand.
        book: what is needed of the configuration.
        lanes: lanes of an account.
    """

    ledger: Ledger
    book: Book
    lanes: int
    numbers: dict[str, int] = field(default_factory=dict)

    def batch(self, rows: Sequence[Row]) -> Batch:
        """What these rows become; within the transaction that writes it."""
        batch = Batch()
        accounts = {row.line: self._account(row.update) for row in rows if row.update}
        new = {name for name in accounts.values() if name and name not in self.numbers}
        if new:
            self.numbers = self.ledger.numbers({name: self.book.identities[name] for name in sorted(new)})
        repeats = self._repeats(rows, accounts, batch)
        for row in rows:
            account = accounts.get(row.line)
            if row.update is None or not account:
                self._invalid(batch, 0, row, "", row.problems or (self._nowhere(row.update),))
            else:
                self._update(batch, row, row.update, account, repeats.get(row.line))
        return batch

    def _nowhere(self, update: PassUpdate | None) -> Problem:
        """Why an update goes to no account."""
        name = (update.to if update else None) or self.book.default
        if not name:
            return Problem("to", "unknown_account", "names no account, and the configuration has no default", "name one")
        return Problem("to", "unknown_account", "no such account", did_you_mean(name, self.book.identities))

    def _account(self, update: PassUpdate) -> str:
        name = update.to or self.book.default or ""
        return name if name in self.book.identities else ""

    def _repeats(self, rows: Sequence[Row], accounts: Mapping[int, str], batch: Batch) -> dict[int, tuple[bool, int]]:
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

    def _update(self, batch: Batch, row: Row, update: PassUpdate, account: str, repeat: tuple[bool, int] | None) -> None:
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

    def _invalid(self, batch: Batch, lane: int, row: Row, account: str, problems: Sequence[Problem]) -> None:
        row_id, text = id_of(lane, row.line), row.text[:_ITEM_TEXT].replace("\0", "\ufffd")  # PostgreSQL's text holds no NUL
        verdict = Verdict.of(invalid(row.update, account or _named(row.update), problems, self.book.words), self.book.words)
        batch.items.append((row_id, 0, None, 0, None, item_sum(row_id, None, text), text))
        batch.outcomes.append(outcome_row(row_id, verdict))
        batch.counts[lane, State.INVALID, verdict.code, verdict.exit] += 1


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
