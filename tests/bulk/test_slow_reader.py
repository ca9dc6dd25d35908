"""A reader of outcomes that stands still: the job waits for it, and no row is in doubt for that."""

from __future__ import annotations

import asyncio
from collections import Counter

from passbridge.bulk import End, Options, Status, Stop
from passbridge.bulk.jobs import Job, Source
from passbridge.bulk.store import Feed
from tests.bulk.jobs import Desk, refund, rows


def test_rows_are_not_marked_while_nobody_reads(desk: Desk, ledger: str) -> None:
    ids = desk.passes(400)
    config = desk.config | {"retry": {"attempts": 1, "deadline": 1.0}}  # a lease of five seconds
    feed = Feed(most=8)
    job = Job(Source(config), ledger, Options(workers=1), Stop(), feed=feed)
    told: list[int] = []

    async def read() -> Status:
        running = asyncio.ensure_future(job.run(rows([refund(id_) for id_ in ids])))
        while lines := await feed.take():
            told.extend(line for line, _ in lines)
            if len(told) < 40:
                await asyncio.sleep(6.0)  # beyond the lease
        return await running

    status = asyncio.run(read())

    assert status.end is End.DONE
    assert Counter(told) == Counter(range(1, 1 + len(ids)))
    assert Counter(str(request["pass"]) for request in desk.log()) == Counter(ids), "a Refund that was never sent stays in doubt"
