"""passbridge's own contenders: one update after the other, and several in flight."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial

from passbridge import AsyncClient, Client, Code, Outcome
from tests.benchmarks.floor import in_flight
from tests.benchmarks.measure import Contender
from tests.benchmarks.world import UPDATES, World

__all__ = ["applied", "ours"]

IN_FLIGHT = (1, 16, 64)


def ours(world: World, region: str) -> Iterator[Contender]:
    """`apply` of both clients."""
    client = Client.from_config(world.config)
    yield Contender(region, "passbridge: Client.apply", partial(_apply, client, region), client.close)
    for many in IN_FLIGHT:
        runner = asyncio.Runner()
        asynchronous = AsyncClient.from_config(world.config)
        yield Contender(
            region,
            f"passbridge: AsyncClient.apply; {many} in flight",
            partial(_apply_in_flight, runner, asynchronous, region, many),
            partial(_close, runner, asynchronous),
        )


def applied(outcome: Outcome) -> None:
    """Fail unless the update was applied: nothing else is worth measuring."""
    if outcome.code is not Code.APPLIED:
        raise RuntimeError(f"{outcome.code}: {outcome.finding or outcome.attempts}")


def _apply(client: Client, region: str, count: int) -> None:
    for _ in range(count):
        applied(client.apply(UPDATES[region]))


def _apply_in_flight(runner: asyncio.Runner, client: AsyncClient, region: str, many: int, count: int) -> None:
    async def one() -> None:
        applied(await client.apply(UPDATES[region]))

    runner.run(in_flight(one, many, count))


def _close(runner: asyncio.Runner, client: AsyncClient) -> None:
    runner.run(client.aclose())
    runner.close()
