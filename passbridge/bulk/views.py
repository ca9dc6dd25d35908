"""What a ledger tells, and what an operator tells it.

Owns reading: progress, rows with their outcomes in input order; and the two ways in which a person acts on a row in
doubt. Carries nothing out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.database import refused
from passbridge.bulk.keeping import outcome_row
from passbridge.bulk.order import Why
from passbridge.bulk.outcomes import Verdict, Words, killed, moment, settled
from passbridge.bulk.schema import LINE_BITS, OUTCOMES, PROGRESS, id_of
from passbridge.bulk.shapes import Entry, State, Status, worst
from passbridge.bulk.sums import damaged, item_sum, known, require_mark, require_outcome
from passbridge.domain import Outcome, load_update

if TYPE_CHECKING:
    from passbridge.bulk.ledger import Ledger

__all__ = ["entries", "progress", "retried", "settle_row"]

_PAGE: Final = 200
"""Rows of a lane read at once, at most."""
_READ: Final = 5_000
"""Rows of all lanes together that are in memory, at most: a job of hundreds of accounts has tens of thousands of lanes."""
_MASK: Final = (1 << LINE_BITS) - 1
_LATER: Final = 6
_DOUBT: Final = 5
_IN_DOUBT: Final = frozenset({State.OPEN, State.UNSENT, State.UNKNOWN})
"""States of a row that is in doubt while it is marked, whatever was known of it before."""
_STATES: Final = ", ".join(f"'{state.value}'" for state in State)
_ROWS: Final = "SELECT i.id, i.at, i.text, i.crc, o.state, o.code, o.exit, o.body, o.crc FROM item i LEFT JOIN outcome o ON o.id = i.id"


def progress(ledger: Ledger) -> Status:
    """How far the job is: a few hundred small rows are read, however large it is."""
    db = ledger.db
    job = ledger.job()
    states: Counter[State] = Counter()
    codes: Counter[str] = Counter()
    exits: set[int] = set()
    for state, code, exit_, n in db.rows("SELECT state, code, exit, sum(n) FROM progress GROUP BY state, code, exit"):
        count = int(n)
        if count:
            states[known(State, state, db.name, "the progress")] += count
            codes[code] += count
            exits.add(exit_)
    del codes[""]
    rows = job.loaded if job else 0
    still = rows - sum(states.values())
    if still:
        states[State.OPEN] = still
        exits.add(_LATER)
    in_flight = sum(len(mark["lines"]) for _, _, mark in _marks(ledger))
    exits |= {_DOUBT} if in_flight else set()
    rates = db.rows("SELECT max(rate) FROM pace")
    return Status(
        rows=rows,
        states=MappingProxyType({state: states[state] for state in State if states[state]}),
        codes=MappingProxyType(dict(sorted(codes.items()))),
        in_flight=in_flight,
        loading=not (job and job.ready),
        exit=worst(exits),
        rate=rates[0][0],
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads rows; one that is marked, and isn't final, shows the doubt it stands in."""

    ledger: Ledger
    words: Words
    marks: Mapping[int, tuple[str, float]]


def _marks(ledger: Ledger) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Lane, account, and what is in flight."""
    for lane, account, done, flight, crc in ledger.db.rows("SELECT lane, account, done, flight, crc FROM lane"):
        require_mark(ledger.db.name, lane, done, flight, crc)
        if flight:
            yield lane, account, json.loads(flight)


def _reader(ledger: Ledger, words: Words) -> _Reader:
    marks: dict[int, tuple[str, float]] = {}
    for lane, account, mark in _marks(ledger):
        marks |= {id_of(lane, line): (account, mark["at"]) for line in mark["lines"]}
    return _Reader(ledger, words, marks)


def entries(ledger: Ledger, words: Words, states: Collection[State]) -> Iterator[Entry]:
    """The rows in input order: the lanes' rows, each in order, merged."""
    lanes = [0, *(lane for (lane,) in ledger.db.rows("SELECT lane FROM lane ORDER BY lane"))]
    wanted, reader = frozenset(states or State), _reader(ledger, words)
    page = max(1, min(_PAGE, _READ // len(lanes)))
    yield from merge(*(_of_lane(reader, lane, wanted, page) for lane in lanes), key=attrgetter("line"))


def _of_lane(reader: _Reader, lane: int, wanted: frozenset[State], page: int) -> Iterator[Entry]:
    query = f"{_ROWS} WHERE i.id > ? AND i.id < ? ORDER BY i.id LIMIT ?"
    if not wanted & {State.OPEN, State.UNKNOWN}:
        listed = ", ".join(f"'{state.value}'" for state in sorted(wanted))
        # A state that is none is damage, to be told whichever rows are asked for.
        query = query.replace("LEFT JOIN", "JOIN").replace("WHERE", f"WHERE (o.state IN ({listed}) OR o.state NOT IN ({_STATES})) AND")
    at, top = (lane << LINE_BITS) - 1, (lane + 1) << LINE_BITS
    while rows := reader.ledger.db.rows(query, (at, top, page)):
        at = rows[-1][0]
        for row in rows:
            entry = _entry(reader, *row)
            if entry.state in wanted:
                yield entry


def _entry(reader: _Reader, row: int, at: int | None, text: str, crc: int, *outcome: Any) -> Entry:  # noqa: ANN401 - a row's columns
    if item_sum(row, at, text) != crc:
        raise damaged(reader.ledger.db.name, f"line {row & _MASK}")
    state, body = _said(reader.ledger, row, *outcome)
    if state in _IN_DOUBT and row in reader.marks:
        account, marked = reader.marks[row]
        update = load_update(text)
        update = update.model_copy(update={"at": moment(at)}) if at else update
        before = Outcome.model_validate_json(body) if body else None
        return Entry(row & _MASK, State.UNKNOWN, text, killed(update, before, account, marked, reader.words).model_dump_json())
    if state is State.REPEATED:  # its outcome is that of the row it repeats
        first = int(body or 0)
        found = reader.ledger.db.rows("SELECT state, code, exit, body, crc FROM outcome WHERE id = ?", (first,))
        body = _said(reader.ledger, first, *found[0])[1] if found else None
    return Entry(row & _MASK, state, text, body)


def _said(ledger: Ledger, row: int, state: str | None, code: str, exit_: int, body: str, crc: int) -> tuple[State, str | None]:  # noqa: PLR0913, PLR0917 - an outcome's columns
    """The state and the outcome's JSON, as they were written."""
    if state is None:
        return State.OPEN, None
    require_outcome(ledger.db.name, row, (state, code, exit_, body), crc)
    return State(state), body


def _id(ledger: Ledger, line: int) -> int:
    """A row's key, by its line.

    Raises:
        LedgerError: there is none.
    """
    lanes = [0, *(lane for (lane,) in ledger.db.rows("SELECT lane FROM lane"))]
    ids = [id_of(lane, line) for lane in lanes]
    found = ledger.db.rows(f"SELECT id FROM item WHERE id IN ({', '.join('?' * len(ids))})", ids)  # noqa: S608 - marks alone
    if not found:
        raise refused(f"{ledger.db.name}: line {line}", "no_row", "there is no such row", "give a line that the export lists")
    return int(found[0][0])


def retried(ledger: Ledger, states: Sequence[State]) -> int:
    """Let rows be taken up again; how many. A Refund in doubt never is."""
    db = ledger.db
    whys = [why for state, why in ((State.UNKNOWN, Why.UNKNOWN), (State.UNSENT, Why.UNSENT)) if state in states]
    marks = ", ".join("?" * len(whys))
    with db.transaction():
        db.run("UPDATE lane SET due = 0")  # the lanes first, as a worker does: two that wait for each other would end each other
        return db.run(
            f"UPDATE pending SET again = 1, takes = 0, due = 0 WHERE why IN ({marks}) AND NOT (refund = 1 AND why = 'unknown')",  # noqa: S608 - marks alone
            whys,
        )


def settle_row(ledger: Ledger, line: int, words: Words, *, applied: bool, reason: str) -> Entry:
    """Keep an operator's word for a row in doubt; what waited for it may go on.

    Raises:
        LedgerError: there is no such row, it isn't in doubt, or its lane is being worked.
    """
    row = _id(ledger, line)
    with ledger.db.transaction():
        _require_free(ledger, row)
        entry = _doubtful(ledger, row, words)
        before = Outcome.model_validate_json(entry.body or "")
        outcome = settled(before, applied=applied, reason=reason, words=words)
        old = Verdict.of(before, words)
        new = replace(Verdict.of(outcome, words), state=State.SETTLED, exit=0 if applied else 1)
        changes: list[tuple[Any, ...]] = [
            (row >> LINE_BITS, State.UNKNOWN, old.code, old.exit, -1),
            (row >> LINE_BITS, State.SETTLED, new.code, new.exit, 1),
        ]
        ledger.db.put(OUTCOMES, [outcome_row(row, new)])
        ledger.db.run("DELETE FROM pending WHERE id = ?", (row,))
        ledger.db.put(PROGRESS, changes)
        ledger.db.run("UPDATE lane SET due = 0 WHERE lane = ?", (row >> LINE_BITS,))
    return Entry(line, State.SETTLED, entry.text, new.body)


def _require_free(ledger: Ledger, row: int) -> None:
    """Hold the row's lane; refuse where a worker does, who may be about to know better than the operator."""
    held = ledger.db.rows(ledger.db.locked("SELECT until FROM lane WHERE lane = ?"), (row >> LINE_BITS,))
    if held and held[0][0] > ledger.db.now():
        raise refused(ledger.db.name, "locked", "workers are running this job", "end them first")


def _doubtful(ledger: Ledger, row: int, words: Words) -> Entry:
    """The row as it stands, if that is in doubt, with its outcome kept."""
    reader = _reader(ledger, words)
    entry = _entry(reader, *ledger.db.rows(f"{_ROWS} WHERE i.id = ?", (row,))[0])
    if entry.state is not State.UNKNOWN or row in reader.marks:
        message = "was in flight when its process ended" if entry.state is State.UNKNOWN else f"is {entry.state.value}, not in doubt"
        raise refused(
            f"{ledger.db.name}: line {entry.line}",
            "not_in_doubt",
            message,
            "only a row in doubt can be settled, after a run has taken up what was in flight",
        )
    return entry
