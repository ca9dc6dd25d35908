"""One worker process: it sends, its parent keeps the ledger.

Owns the process's life: begun by a parent, ended when the work is done or the parent is gone. Started as
`python -m passbridge.bulk.worker`, with the pipes as its standard streams.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, BinaryIO

from passbridge.bulk import frames
from passbridge.bulk.courier import Courier
from passbridge.bulk.own_process import collect_seldom
from passbridge.bulk.runner import Runner
from passbridge.bulk.shapes import Options, Stop
from passbridge.bulk.turns import Claim, Idle, Result, Turn
from passbridge.client import AsyncClient, accounts_of
from passbridge.errors import ConfigError, LedgerError, Problem

__all__ = ["main"]


@dataclass(slots=True)
class _Parent:
    """The ledger at the other end of the pipe: a `Store`."""

    reader: asyncio.StreamReader
    out: BinaryIO
    stop: Stop
    _asked: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _numbers: count[int] = field(default_factory=count)

    async def claim(self, owner: str, without: Sequence[str], lane: int | None = None) -> Claim | Idle:
        """Claim a lane that has something to do."""
        return frames.claim_of(await self._ask("claim", owner, list(without), lane))

    async def turn(self, claim: tuple[int, int], results: Sequence[Result], limit: int) -> Turn:
        """Keep a group's results; take and mark the next one."""
        return frames.turn_of(await self._ask("turn", list(claim), frames.plain(results), limit))

    def say(self, *message: object) -> None:
        """Send one message. A full pipe blocks: the parent is behind, and there is nothing better to do."""
        self.out.write(frames.pack(message))
        self.out.flush()

    async def listen(self) -> None:
        """Take the parent's messages, until it is gone: then end at once, so that nothing more is sent."""
        while True:
            message = await frames.read(self.reader)
            if message is None:
                os._exit(1)
            number, answer = message
            if number is None:
                self.stop.request()
            else:
                self._asked.pop(number).set_result(answer)

    async def _ask(self, *message: object) -> Any:  # noqa: ANN401 - any answer
        number = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self.say(number, *message)
        return await answer


async def _work(parent: _Parent) -> None:
    hello = await frames.read(parent.reader)
    if hello is None:
        return
    listening = asyncio.ensure_future(parent.listen())
    try:
        async with AsyncClient.from_config(frames.unpack_config(hello["config"])) as client:
            accounts = accounts_of(client)
            _require_same(accounts.identities(), hello["identities"])
            courier = Courier(client, accounts.tables.outcomes, Options(**hello["options"]), accounts.deadlines())
            end = await Runner(parent, courier, hello["owner"], parent.stop).run()
        parent.say(None, "end", end)
    except (ConfigError, LedgerError) as error:
        parent.say(None, "error", [problem.as_json() for problem in error.problems])
    finally:
        listening.cancel()


def _require_same(found: Mapping[str, str], begun: Mapping[str, str]) -> None:
    """A worker may begin long after the job: the file of the configuration may be another by then."""
    mend = "run the job with the configuration it was begun with"
    changed = [name for name, identity in begun.items() if found.get(name) != identity]
    if changed:
        raise ConfigError(Problem(f"accounts.{name}", "other_configuration", "was changed while the job ran", mend) for name in changed)


async def _streams(out: BinaryIO) -> None:
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    stop = Stop()
    # A service manager tells every process of a job to end: in-flight requests are finished, as the parent would ask.
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.request())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        await _work(_Parent(reader, out, stop))
    finally:
        pipe.close()


def main() -> None:
    """Run until the parent has nothing more to do."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not end up in the pipe
    collect_seldom()
    asyncio.run(_streams(out))


if __name__ == "__main__":
    main()
