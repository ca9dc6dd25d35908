"""What an update costs at the least: sign, one exchange by the leanest client there is, verify. And the same by plain `httpx`.

Nothing here is a client: no answer is read further than its signature needs, nothing is kept, no time-out is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from urllib.parse import parse_qsl, quote_plus

import aiohttp
import httpx
from yarl import URL

from tests.benchmarks.measure import Contender
from tests.benchmarks.world import CLIENT_ID, EAST_8, PATH, World, sign, verify

__all__ = ["floors", "in_flight"]

Sent = tuple[str, dict[str, str], bytes]
"""URL, header fields, body."""
Make = Callable[[], Sent]
Check = Callable[[object, bytes], None]


def floors(world: World, region: str) -> Iterator[Contender]:
    """The floor with 1 and with 16 in flight, and the same by `httpx`, one after the other."""
    make, check = {"hk": _hk, "cn": _cn}[region](world)
    for many in (16, 1):
        runner = asyncio.Runner()
        session = runner.run(_session())
        one = partial(_by_aiohttp, session, make, check)
        yield Contender(
            region,
            f"floor: sign, bare aiohttp, verify; {many} in flight",
            partial(_run, runner, one, many),
            partial(_close, runner, session.close),
        )
    client = httpx.Client(trust_env=False)
    yield Contender(region, "sign, httpx.Client, verify", partial(_by_httpx, client, make, check), client.close)


async def in_flight(one: Callable[[], Awaitable[object]], many: int, count: int) -> None:
    """Do it so often, so many at once."""
    left = iter(range(count))

    async def worker() -> None:
        for _ in left:
            await one()

    await asyncio.gather(*(worker() for _ in range(many)))


def _run(runner: asyncio.Runner, one: Callable[[], Awaitable[object]], many: int, count: int) -> None:
    runner.run(in_flight(one, many, count))


def _close(runner: asyncio.Runner, close: Callable[[], Awaitable[object]]) -> None:
    async def closing() -> None:
        await close()

    runner.run(closing())
    runner.close()


async def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def _by_aiohttp(session: aiohttp.ClientSession, make: Make, check: Check) -> None:
    url, headers, body = make()
    async with session.post(URL(url, encoded=True), data=body, headers=headers) as response:
        check(response.headers, await response.read())


def _by_httpx(client: httpx.Client, make: Make, check: Check, count: int) -> None:
    for _ in range(count):
        url, headers, body = make()
        response = client.post(url, content=body, headers=headers)
        check(response.headers, response.content)


def _escaped(signature: str) -> str:
    return signature.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")


def _hk(world: World) -> tuple[Make, Check]:
    request = world.rendered("hk")
    key, public = world.merchant, world.gateway.public_key()

    def make() -> Sent:
        time = datetime.now(EAST_8).isoformat(timespec="seconds")
        signature = _escaped(sign(key, f"POST {PATH}\n{CLIENT_ID}.{time}.".encode() + request.body))
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "Client-Id": CLIENT_ID,
            "Request-Time": time,
            "Signature": f"algorithm=RSA256,keyVersion=1,signature={signature}",
        }
        return request.url, headers, request.body

    def check(headers: object, body: bytes) -> None:
        time, field = headers["Response-Time"], headers["Signature"]  # type: ignore[index]  # either library's own
        signature = field.rpartition("signature=")[2].replace("%2B", "+").replace("%2F", "/").replace("%3D", "=")
        verify(public, f"POST {PATH}\n{CLIENT_ID}.{time}.".encode() + body, signature)

    return make, check


def _cn(world: World) -> tuple[Make, Check]:
    request = world.rendered("cn")
    key, public = world.merchant, world.gateway.public_key()
    address, _, signed = request.url.partition("?")
    public_params, business = dict(parse_qsl(signed)), dict(parse_qsl(request.body.decode()))
    del public_params["sign"]
    params = public_params | business
    content_type = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}

    def make() -> Sent:
        params["timestamp"] = public_params["timestamp"] = datetime.now(EAST_8).strftime("%Y-%m-%d %H:%M:%S")
        signature = sign(key, "&".join(f"{name}={params[name]}" for name in sorted(params)).encode())
        query = "&".join(f"{name}={quote_plus(value)}" for name, value in public_params.items())
        body = "&".join(f"{name}={quote_plus(value)}" for name, value in business.items()).encode()
        return f"{address}?{query}&sign={_escaped(signature)}", content_type, body

    def check(_: object, body: bytes) -> None:
        end = body.rindex(b',"sign":"')
        verify(public, body[body.index(b":{") + 1 : end], body[end + 9 : -2])

    return make, check
