"""The sandbox as an ASGI application: who may ask, what is too much, and which door leads where.

Owns the guards (`Host`, `Origin`, size) and the translation between ASGI and the gateways' values; `api` owns the
doors under `/sandbox/`. It must not know what any answer of a gateway means.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from typing import Final
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from passbridge.protocol.wire import Headers, WireRequest, WireResponse
from passbridge.sandbox.api import Asked, answered, refused
from passbridge.sandbox.mischief import Script
from passbridge.sandbox.server import PLAY
from passbridge.sandbox.simulator import Simulator

__all__ = ["MAX_BODY", "Application"]

MAX_BODY: Final = 2**20
"""Bytes: ten times the longest update of either gateway."""

_LOOPBACK: Final = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]+)?", re.IGNORECASE)
_ABSOLUTE: Final = re.compile(r"https?://([^/?]*)(.*)", re.DOTALL)
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class _Gone(Exception):
    """The caller hung up."""


class _TooLargeError(Exception):
    """The body is longer than `MAX_BODY`."""


class Application:
    """Both gateways at their real paths, the JSON API, and a page that says so."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        with suppress(_Gone):
            response = await self._response(scope, receive)
            if isinstance(response, Script):
                await scope["extensions"][PLAY](response)
                await _hung_up(receive)
            else:
                await response(scope, receive, send)

    async def _response(self, scope: Scope, receive: Receive) -> Response | Script:
        """The answer, or what shall be written in its place."""
        headers = Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]])
        target, authorities = _target(scope, headers)
        path, _, query = target.partition("?")
        refusal = _guarded(scope["method"], path, headers, authorities)
        if refusal:
            return refusal
        try:
            body = await _body(receive)
        except _TooLargeError:
            return _too_large(path)
        gateway = _gateway(path)
        if gateway == "mainland" and scope["method"] not in {"GET", "POST"}:
            return _page(405, "Method Not Allowed")
        if gateway:
            return await self._handled(gateway, WireRequest(scope["method"], target, headers, body), receive)
        return answered(self._simulator, scope["method"], path, Asked(dict(parse_qsl(query)), body))

    async def _handled(self, gateway: str, request: WireRequest, receive: Receive) -> Response | Script:
        handled = self._simulator.handle(gateway, request)
        if handled.delay:
            with suppress(TimeoutError):
                async with asyncio.timeout(handled.delay):
                    await _hung_up(receive)
        return handled.answer if isinstance(handled.answer, Script) else _written(handled.answer)


def _written(answer: WireResponse) -> Response:
    """The answer with its header fields as they are, one twice perhaps."""
    response = Response(answer.body, answer.status)
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.pairs()]
    response.raw_headers = [*fields, *response.raw_headers]
    return response


def _target(scope: Scope, headers: Headers) -> tuple[str, list[str]]:
    """The path with its query, and every authority the request names.

    A target in absolute form (`POST http://host/gateway.do`, RFC 9112 section 3.2.2) is what an official SDK sends.
    """
    raw = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    target, authorities = raw.decode("ascii"), list(headers.all("host"))
    absolute = _ABSOLUTE.fullmatch(target)
    return (absolute[2] or "/", [*authorities, absolute[1]]) if absolute else (target, authorities)


def _guarded(method: str, path: str, headers: Headers, authorities: list[str]) -> Response | None:
    """Keep web pages out: a name that was bent to this machine, and a change that another page's script asks for."""
    if not authorities or not all(_LOOPBACK.fullmatch(authority) for authority in authorities):
        return refused(421, "this is a sandbox on the loopback interface", "host", "ask for 127.0.0.1, localhost or [::1]")
    own = f"http://{authorities[0]}".lower()
    foreign = any(origin.lower() != own for origin in headers.all("origin"))
    if foreign and path.startswith("/sandbox/") and method not in _READS:
        return refused(
            403, "another page's script may not change the sandbox", "origin", "ask from the sandbox's own page, or without a browser"
        )
    return None


def _gateway(path: str) -> str:
    """The gateway that stands at this path, if one does."""
    return "mainland" if path == "/gateway.do" else "hk" if path.startswith("/api/") else ""


def _too_large(path: str) -> Response:
    if _gateway(path):
        return _page(413, "Request Entity Too Large")
    return refused(413, f"a body has at most {MAX_BODY} bytes", "too_large", "send less at a time")


def _page(status: int, title: str) -> Response:
    """What the web server before a gateway answers."""
    return HTMLResponse(f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>", status)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        body += message["body"]
        more = message["more_body"]
        if len(body) > MAX_BODY:
            raise _TooLargeError
    return bytes(body)


async def _hung_up(receive: Receive) -> None:
    """Wait until the connection is gone: behind a whole body, ASGI has nothing else to say."""
    await receive()
