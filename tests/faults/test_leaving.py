"""Leaving in the middle: what the interpreter raises passes through unchanged, and no connection is kept or leaked."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import trio

from passbridge import AsyncClient, Outcome
from tests.faults.gateway import Gateway, Script
from tests.faults.keys import public_pem, sign
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, drip, flood, hold, read, read_some, send

ROOT = Path(__file__).parents[2]
RETRY = {"attempts": 3, "deadline": 8.0, "read_timeout": 8.0, "connect_timeout": 8.0}

WAITING: dict[str, Script] = {
    "for the answer": (read, hold),
    "for the request to be taken": (hold,),
    "for the header": (read, send(lambda talk: talk.answer().wire()[:40]), hold),
    "for the body": (read, send(lambda talk: talk.answer().wire()[:-5]), hold),
    "for the next drop": (read, drip(lambda talk: talk.answer().wire(), 0.02), hold),
    "between two attempts": (read, send(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n"), again(read, answer)),
}
IDLE = WAITING["between two attempts"]
"""Here the connection was idle, and stays."""


def _client(url: str, region: Region, http: dict[str, object] | None = None) -> AsyncClient:
    return AsyncClient.from_config(region.config(url, http, **RETRY), signers={region.name: lambda data: sign(data, "ours")})


async def _until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 - the gateway's thread sets no event of ours
            await anyio.sleep(0.005)


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("script", WAITING.values(), ids=WAITING)
def test_a_cancelled_task_of_asyncio_ends_as_cancelled_and_its_connection_is_never_used_again(region: Region, script: Script) -> None:
    async def main(gateway: Gateway) -> Outcome:
        async with _client(gateway.url, region) as client:
            task = asyncio.create_task(client.apply(region.update("redeem", "1")))
            await _until(lambda: gateway.connections == 1)
            await asyncio.sleep(0.05)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError, match="enough"):
                await task
            assert task.cancelled()
            return await client.apply(region.update("redeem", "2"))

    with Gateway(region, script, (again(read, answer),)) as gateway:
        outcome = asyncio.run(main(gateway))
    assert outcome.code == "APPLIED"
    assert (outcome.trace_id or "").startswith("2/")
    assert gateway.connections == (1 if script is IDLE else 2)


@pytest.mark.parametrize("script", WAITING.values(), ids=WAITING)
def test_a_cancelled_scope_of_trio_ends_in_silence(script: Script) -> None:
    async def main(gateway: Gateway) -> Outcome:
        async with _client(gateway.url, HK) as client:
            with trio.move_on_after(0.2) as scope:
                await client.apply(HK.update("redeem", "1"))
            assert scope.cancelled_caught
            return await client.apply(HK.update("redeem", "2"))

    with Gateway(HK, script, (again(read, answer),)) as gateway:
        outcome = trio.run(main, gateway)
    assert outcome.code == "APPLIED"
    assert gateway.connections == (1 if script is IDLE else 2)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_handshake_leaves_nothing_open(backend: str) -> None:
    async def main(gateway: Gateway) -> None:
        async with _client(gateway.url.replace("http", "https"), HK) as client:
            with anyio.move_on_after(0.2) as scope:
                await client.apply(HK.update("refund"))
            assert scope.cancelled_caught

    with Gateway(HK, (read_some, hold)) as gateway:
        anyio.run(main, gateway, backend=backend)
        assert gateway.requests == []


def test_a_time_out_of_the_callers_own_is_the_callers_own() -> None:
    async def main(gateway: Gateway) -> None:
        async with _client(gateway.url, HK) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await client.apply(HK.update("refund"))

    with Gateway(HK, (read, hold)) as gateway:
        asyncio.run(main(gateway))


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_gateway_that_never_pauses_does_not_hold_up_the_loop(backend: str) -> None:
    async def main(gateway: Gateway) -> None:
        async with _client(gateway.url, HK) as client:
            with pytest.raises(TimeoutError), anyio.fail_after(0.3):
                await client.apply(HK.update("refund"))

    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Gateway(HK, (read, send(head), flood(b"1\r\nx\r\n" * 8192, 60 << 20))) as gateway:
        anyio.run(main, gateway, backend=backend)


def test_one_of_many_that_is_cancelled_disturbs_no_other() -> None:
    async def main(gateway: Gateway) -> list[Any]:
        async with _client(gateway.url, CN) as client:
            tasks = [asyncio.create_task(client.apply(CN.update("redeem", str(n)))) for n in range(24)]
            await asyncio.sleep(0.02)
            for task in tasks[::3]:
                task.cancel()
            first = await asyncio.gather(*tasks, return_exceptions=True)
            return [*first, *await asyncio.gather(*(client.apply(CN.update("redeem", str(n))) for n in range(24, 36)))]

    slowly = (again(read, drip(lambda talk: talk.answer().wire(), 0.01, 150)),)
    with Gateway(CN, slowly) as gateway:
        results = asyncio.run(main(gateway))
    outcomes = {n: result for n, result in enumerate(results) if isinstance(result, Outcome)}
    assert all(isinstance(result, Outcome | asyncio.CancelledError) for result in results)
    assert len(outcomes) >= 28
    assert all(outcome.code == "APPLIED" for outcome in outcomes.values())
    assert all((outcome.trace_id or "").startswith(f"{n}/") for n, outcome in outcomes.items())


PROGRAM = """
import asyncio, gc, os, sys, warnings
warnings.simplefilter("error")
from passbridge import AsyncClient, Client, PassRef, Redeem
config = {"accounts": {"hk": {"backend": "hk", "profile": "ticket", "gateway": "URL", "client_id": "1", "merchant_id": "1",
    "gateway_public_key": KEY}}, "retry": {"attempts": 3, "deadline": 20.0, "read_timeout": 20.0}}
signers, update = {"hk": lambda data: b"x"}, Redeem(to="hk", pass_=PassRef(id="1", user_id="1"))
def sockets():
    import stat
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    return sum(stat.S_ISSOCK(os.stat(link).st_mode) for link in links if os.path.exists(link))
def blocking():
    with Client.from_config(config, signers=signers) as client:
        try:
            client.apply(update)
        except KeyboardInterrupt as error:
            print(type(error).__name__, error.args, sockets())
async def main():
    async with AsyncClient.from_config(config, signers=signers) as client:
        await client.apply(update)
def awaiting():
    try:
        asyncio.run(main())
    except KeyboardInterrupt as error:
        print(type(error).__name__, error.args, sockets())
print("ready", flush=True)
blocking() if sys.argv[1] == "blocking" else awaiting()
gc.collect()
"""


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open sockets are counted in /proc")
@pytest.mark.parametrize(
    ("way", "script", "left"),
    [
        pytest.param("blocking", WAITING["for the answer"], 0, id="blocking"),
        pytest.param("blocking", IDLE, 1, id="blocking, between attempts"),  # that one is idle, and closed with the client
        pytest.param("asyncio", WAITING["for the answer"], 0, id="asyncio"),
        pytest.param("asyncio", IDLE, 0, id="asyncio, between attempts"),
    ],
)
def test_an_interrupt_passes_through_and_leaves_no_connection_open(way: str, script: Script, left: int) -> None:
    with Gateway(HK, script) as gateway:
        program = PROGRAM.replace("URL", gateway.url).replace("KEY", repr(public_pem("gateway")))
        command = [sys.executable, "-X", "dev", "-c", program, way]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as child:  # noqa: S603 - our own
            anyio.run(_until_asked, gateway)
            os.kill(child.pid, signal.SIGINT)
            out, err = child.communicate(timeout=15)
    assert child.returncode == 0, err
    assert out.split("\n")[1] == f"KeyboardInterrupt () {left}"
    assert "ResourceWarning" not in err


async def _until_asked(gateway: Gateway) -> None:
    with anyio.fail_after(20):
        while not gateway.requests:  # noqa: ASYNC110 - the gateway's thread sets no event of ours
            await anyio.sleep(0.02)
    await anyio.sleep(0.2)
