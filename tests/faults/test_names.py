"""Looking up the gateway's name: whatever the resolver does, nothing was sent, and the deadline holds."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway
from tests.faults.keys import public_pem
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, read
from tests.faults.tls import certificate, server_context

RETRY = {"attempts": 2, "deadline": 0.4, "connect_timeout": 0.15}
NAME = "gateway.example"
REGIONS = [pytest.param(HK, "refund", id="hk refund"), pytest.param(CN, "redeem", id="cn redeem")]

Resolver = Callable[[int], list[Any]]


def _raises(error: Exception) -> Resolver:
    def resolve(_: int) -> list[Any]:
        raise error

    return resolve


UNKNOWN: dict[str, Resolver] = {
    "no such name": _raises(socket.gaierror(socket.EAI_NONAME, "Name or service not known")),
    "no resolver": _raises(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")),
    "another error": _raises(OSError("the resolver is broken")),
    "a name that can't be encoded": _raises(UnicodeError("label too long")),
    "no address at all": lambda _: [],
}


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Resolver], None]]:
    """Says what the name's look-up gives; addresses in numbers are looked up as ever."""
    known = socket.getaddrinfo

    def use(resolve: Resolver) -> None:
        def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> list[Any]:  # noqa: ANN401 - whatever is asked
            if host not in {NAME, NAME.encode()}:
                return known(host, port, *arguments, **options)
            if options.get("flags", 0) & socket.AI_NUMERICHOST:
                raise socket.gaierror(socket.EAI_NONAME, "not a number")
            return resolve(port)

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    yield use
    monkeypatch.undo()


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize("resolve", UNKNOWN.values(), ids=UNKNOWN)
def test_a_name_that_nobody_knows_sends_nothing(
    caller: Caller, resolver: Callable[[Resolver], None], region: Region, action: str, resolve: Resolver
) -> None:
    resolver(resolve)
    outcome = caller.apply(region.config(f"https://{NAME}", **RETRY), region.update(action))
    assert told(outcome) == ["NOT_SENT"] * 3
    assert [attempt.sent for attempt in outcome.attempts] == [False, False]


def test_a_slow_look_up_is_given_up_in_time(caller: Caller, resolver: Callable[[Resolver], None]) -> None:
    ready = threading.Event()

    def slow(_: int) -> list[Any]:
        ready.wait(10)
        return []

    resolver(slow)
    try:
        outcome = caller.apply(HK.config(f"https://{NAME}", **RETRY), HK.update("refund"))
    finally:
        ready.set()
    assert set(told(outcome)) == {"NOT_SENT"}


INET = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")

DEAD: dict[str, tuple[Any, ...]] = {
    "nobody listens there": (*INET, ("127.0.0.1", 9)),
    "no host but all of them": (*INET, ("255.255.255.255", 443)),
    "a family that this machine can't speak": (getattr(socket, "AF_X25", 9), socket.SOCK_STREAM, 0, "", ("127.0.0.1", 443)),
}


@pytest.mark.parametrize("dead", DEAD.values(), ids=DEAD)
def test_of_several_addresses_the_first_that_answers_is_used(
    caller: Caller, resolver: Callable[[Resolver], None], tmp_path: Path, dead: tuple[Any, ...]
) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate(NAME))
    with Gateway(HK, (again(read, answer),), context=server_context(tmp_path, certificate(NAME))) as gateway:
        resolver(lambda _: [dead, (*INET, ("127.0.0.1", gateway.port))])
        config = HK.config(f"https://{NAME}", {"ca_file": str(tmp_path / "ca.pem")}, attempts=1, deadline=2.0)
        outcome = caller.apply(config, HK.update("refund"))
    assert told(outcome) == ["APPLIED", "APPLIED"]


PROGRAM = """
import asyncio, os, socket, sys, threading, time
known = socket.getaddrinfo
def slow(host, port, *arguments, **options):
    if "example" not in str(host):
        return known(host, port, *arguments, **options)
    if options.get("flags", 0) & socket.AI_NUMERICHOST:
        raise socket.gaierror(socket.EAI_NONAME, "not a number")
    time.sleep(12)
    return []
socket.getaddrinfo = slow
from passbridge import AsyncClient, Client, PassRef, Redeem
config = {"accounts": {"hk": {"backend": "hk", "profile": "ticket", "gateway": "https://gateway.example", "client_id": "1",
    "merchant_id": "1", "gateway_public_key": KEY}}, "retry": {"attempts": 1, "deadline": 0.3}}
signers, update = {"hk": lambda data: b"x"}, Redeem(to="hk", pass_=PassRef(id="1", user_id="1"))
async def main():
    async with AsyncClient.from_config(config, signers=signers) as client:
        print((await client.apply(update)).code)
def blocking():
    with Client.from_config(config, signers=signers) as client:
        print(client.apply(update).code)
asyncio.run(main()) if sys.argv[1] == "asyncio" else blocking()
"""


def test_a_program_that_gave_up_a_look_up_can_end(caller: Caller) -> None:
    script = PROGRAM.replace("KEY", repr(public_pem("gateway")))
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", script, caller.way], capture_output=True, text=True, check=True, timeout=8, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.split() == ["NOT_SENT"]
