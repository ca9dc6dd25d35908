from __future__ import annotations

import asyncio
import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from passbridge import AsyncClient, Client, Outcome, PassRef, Redeem
from tests.client.answers import done, hk_body, silence
from tests.client.gateway import Gateway
from tests.client.keys import sign
from tests.client.use import REDEEM, hk_only

SIGNERS = {"hk": sign}


def _redeem(number: int) -> Redeem:
    return Redeem(to="hk", pass_=PassRef(id=f"{number}", user_id="8"))


def test_threads_share_a_client_and_each_gets_its_own_answer() -> None:
    with Gateway(done) as gateway, Client.from_config(hk_only(gateway.url), signers=SIGNERS) as client:
        together = threading.Barrier(8)

        def work(number: int) -> list[Outcome]:
            together.wait()
            return [client.apply(_redeem(number * 10 + step)) for step in range(5)]

        with ThreadPoolExecutor(8) as pool:
            outcomes = [outcome for part in pool.map(work, range(8)) for outcome in part]
    assert [outcome.code for outcome in outcomes] == ["APPLIED"] * 40
    assert [outcome.pass_id for outcome in outcomes] == [f"{number * 10 + step}" for number in range(8) for step in range(5)]
    assert len(gateway.received) == 40
    assert gateway.connections <= 8


def test_tasks_share_a_client() -> None:
    async def main(url: str) -> list[Outcome]:
        async with AsyncClient.from_config(hk_only(url), signers=SIGNERS) as client:
            return list(await asyncio.gather(*(client.apply(_redeem(number)) for number in range(16))))

    with Gateway(done) as gateway:
        outcomes = asyncio.run(main(gateway.url))
    assert [outcome.code for outcome in outcomes] == ["APPLIED"] * 16
    assert [outcome.pass_id for outcome in outcomes] == [f"{number}" for number in range(16)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork: a client can't be inherited here")
def test_after_a_fork_the_child_opens_connections_of_its_own() -> None:
    with Gateway(done) as gateway, Client.from_config(hk_only(gateway.url), signers=SIGNERS) as client:
        assert client.apply(REDEEM).code == "APPLIED"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # the gateway of this test runs in threads, which the child does without
            child = os.fork()
        if child == 0:
            os._exit(0 if client.apply(REDEEM).code == "APPLIED" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert client.apply(REDEEM).code == "APPLIED"
    assert [request.connection for request in gateway.received] == [1, 2, 1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork: a client can't be inherited here")
def test_after_a_fork_the_child_of_an_async_client_opens_connections_of_its_own() -> None:
    with Gateway(done) as gateway:
        client = AsyncClient.from_config(hk_only(gateway.url), signers=SIGNERS)
        assert asyncio.run(client.apply(REDEEM)).code == "APPLIED"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            os._exit(0 if asyncio.run(client.apply(REDEEM)).code == "APPLIED" else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        asyncio.run(client.aclose())
    assert [request.connection for request in gateway.received] == [1, 2]


@pytest.mark.parametrize("backends", [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "asyncio")], ids="-".join)
def test_an_async_client_serves_one_event_loop_after_the_other(backends: tuple[str, str]) -> None:
    with Gateway(done) as gateway:
        client = AsyncClient.from_config(hk_only(gateway.url), signers=SIGNERS)
        outcomes = [anyio.run(client.apply, REDEEM, backend=backend) for backend in backends]
        anyio.run(client.aclose, backend=backends[1])
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]


def test_an_async_client_is_closed_in_a_loop_of_its_own() -> None:
    with Gateway(done) as gateway:
        client = AsyncClient.from_config(hk_only(gateway.url), signers=SIGNERS)
        assert asyncio.run(client.apply(REDEEM)).code == "APPLIED"
        asyncio.run(client.aclose())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancelled_call_passes_its_cancellation_on_and_leaves_the_client_usable(backend: str) -> None:
    async def main(url: str) -> tuple[bool, Outcome]:
        async with AsyncClient.from_config(hk_only(url), signers=SIGNERS) as client:
            with anyio.move_on_after(0.2) as scope:
                await client.apply(REDEEM)
            return scope.cancelled_caught, await client.apply(REDEEM)

    with Gateway(silence, done) as gateway:
        cancelled, outcome = anyio.run(main, gateway.url, backend=backend)
    assert cancelled
    assert outcome.code == "APPLIED"
    assert len(outcome.attempts) == 1
    assert [request.connection for request in gateway.received] == [1, 2]


def test_a_cancelled_task_ends_as_cancelled() -> None:
    async def main(gateway: Gateway) -> Outcome:
        async with AsyncClient.from_config(hk_only(gateway.url), signers=SIGNERS) as client:
            task = asyncio.create_task(client.apply(REDEEM))
            await asyncio.to_thread(gateway.asked.wait, 5)
            task.cancel("enough")
            with pytest.raises(asyncio.CancelledError):
                await task
            return await client.apply(REDEEM)

    with Gateway(silence, done) as gateway:
        assert asyncio.run(main(gateway)).code == "APPLIED"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupted_call_ends_as_it_was_interrupted_and_leaves_the_client_usable(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = error("enough")

    def interrupted(*_: object) -> bool:
        raise raised

    with Gateway(hk_body(b""), done) as gateway, Client.from_config(hk_only(gateway.url), signers=SIGNERS) as client:
        with monkeypatch.context() as patch:
            patch.setattr("passbridge.transport.transports._Selector.select", interrupted)
            with pytest.raises(error) as caught:
                client.apply(REDEEM)
        assert caught.value is raised
        outcome = client.apply(REDEEM)
    assert len(outcome.attempts) == 1
    assert gateway.connections == 2
