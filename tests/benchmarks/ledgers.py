"""A ledger loaded and carried out without sends: what a job costs beside its exchanges.

Owns the rows, each of a pass of its own, and the outcome that stands for what a gateway would have answered: a real
one, got once, so that what is written has the size of what a job writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from passbridge import AsyncClient, Client, Content, PassRef, Revise
from passbridge.bulk import Row
from passbridge.bulk.jobs import book
from passbridge.bulk.lanes import Lanes
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.bulk.outcomes import Verdict, Words
from passbridge.bulk.turns import Claim, Result, Turn
from passbridge.client import accounts_of
from tests.benchmarks.world import UPDATES

__all__ = ["GROUP", "LEASE", "Answer", "Config", "carry", "rows", "write"]

Config = dict[str, Any]
"""A configuration, its keys included, that another process can be given: the keys are thrown away with the run."""
GROUP: Final = 64
"""Rows of a group, as a runner takes them at its default concurrency."""
LEASE: Final = 15.0
"""Seconds, as a courier asks for at the default deadline."""

_FIRST: Final = 10**18


@dataclass(frozen=True)
class Answer:
    """What stands for every answer.

    Attributes:
        words: what each code means.
        verdict: the outcome as it is kept.
    """

    words: Words
    verdict: Verdict

    @classmethod
    def of(cls, config: Config) -> Answer:
        """One update sent, and its outcome."""

        async def asked() -> Answer:
            async with AsyncClient.from_config(config) as client:
                words = accounts_of(client).tables.outcomes
                return cls(words, Verdict.of(await client.apply(UPDATES["hk"]), words))

        return asyncio.run(asked())


def rows(count: int) -> Iterator[Row]:
    """So many Revises of AlipayHK tickets. Made cheaply: it is not their reading that is measured."""
    content = UPDATES["hk"].content or Content()
    update = Revise(to="hk", pass_=PassRef(id=str(_FIRST), user_id="2160400000000135"), kind="air_ticket", content=content)
    text = Row.of(1, update).text
    for number in range(count):
        id_ = str(_FIRST + number)
        yield Row(
            number + 1,
            update.model_copy(update={"pass_": PassRef.model_construct(id=id_, user_id="2160400000000135")}),
            (),
            text.replace(str(_FIRST), id_, 1),
        )


def write(config: Config, ledger: Ledger, given: Iterator[Row]) -> None:
    """Write the input, as a run does before it sends."""
    with Client.from_config(config) as client:
        load(ledger, given, book(accounts_of(client), supersede=False))


def carry(lanes: Lanes, answer: Answer, most: int | None = None) -> tuple[int, int]:
    """Work lane after lane, each row at once applied, until nothing is left or that many rows are done; rows and groups."""
    done = groups = 0
    while isinstance(claim := lanes.claim("bench"), Claim):
        turn: Turn = lanes.turn((claim.lane, claim.epoch), (), GROUP)
        while turn.rows:
            done, groups = done + len(turn.rows), groups + 1
            over = most is not None and done >= most
            results = [Result(row.line, answer.verdict, 1) for row in turn.rows]
            turn = lanes.turn((claim.lane, claim.epoch), results, 0 if over else GROUP)
            if over:
                return done, groups
    return done, groups
