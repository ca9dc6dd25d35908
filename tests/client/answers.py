"""What the gateway of the tests answers: signed words written out by hand, and everything that can go wrong instead."""

from __future__ import annotations

import base64
import gzip
import json
import socket
import struct
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from urllib.parse import quote_plus

from tests.client.gateway import Received, Step
from tests.client.keys import sign

CLIENT_ID = "4Q5Y8W0WSG45P907917"
HONG_KONG = timezone(timedelta(hours=8))
SUCCESS = b'{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}'


def http(body: bytes, *fields: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """One HTTP answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *fields, "", ""]
    return "\r\n".join(head).encode() + body


def hk_fields(request: Received, body: bytes, signer: str = "gateway") -> list[str]:
    """The header fields of an AlipayHK answer: `POST path LF client-id.time.body` signed with SHA-256."""
    moment = datetime.now(HONG_KONG).isoformat(timespec="seconds")
    text = f"POST {request.target}\n{CLIENT_ID}.{moment}.".encode() + body
    signature = quote_plus(base64.b64encode(sign(text, signer)))
    return [f"Response-Time: {moment}", f"Signature: algorithm=RSA256,keyVersion=1,signature={signature}", "tracerId: trace-7"]


def hk_answer(request: Received, body: bytes = SUCCESS, *fields: str, signer: str = "gateway") -> bytes:
    """A whole signed AlipayHK answer."""
    return http(body, *hk_fields(request, body, signer), *fields)


def hk(code: str, letter: str, signer: str = "gateway") -> Step:
    """AlipayHK says this code under this letter."""
    return hk_body(json.dumps({"result": {"resultCode": code, "resultStatus": letter, "resultMessage": "m"}}).encode(), signer=signer)


def hk_body(body: bytes, *fields: str, signer: str = "gateway") -> Step:
    """AlipayHK answers with this body, signed."""
    return raw(lambda request: hk_answer(request, body, *fields, signer=signer))


def mainland(node: str, name: str = "alipay_pass_instance_update_response") -> Step:
    """The mainland gateway answers with this node, signed with SHA-256 over the node's source."""
    text = f'{{"{name}":{node},"sign":"{base64.b64encode(sign(node.encode(), "gateway")).decode()}"}}'
    return raw(lambda _: http(text.encode(), "Content-Type: application/json"))


def page(status: str, *fields: str, body: bytes = b"<html>Bad Gateway</html>") -> Step:
    """A page of somebody in between."""
    return raw(lambda _: http(body, *fields, status=status))


def raw(write: Callable[[Received], bytes], *, keep: bool = True) -> Step:
    """These bytes, whatever they are."""

    def step(connection: socket.socket, request: Received) -> bool:
        connection.sendall(write(request))
        return keep

    return step


def reset(connection: socket.socket, _: Received) -> bool:
    """The connection is reset after the request was read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()
    return False


def hang_up(_: socket.socket, __: Received) -> bool:
    """The connection is closed without a word."""
    return False


def silence(connection: socket.socket, _: Received) -> bool:
    """Nothing, until the other side gives up."""
    connection.recv(1)
    return False


def dripping(before: Callable[[Received], bytes], drops: Iterable[bytes], pause: float) -> Step:
    """Some bytes, then one drop after the other, then silence."""

    def step(connection: socket.socket, request: Received) -> bool:
        connection.sendall(before(request))
        for drop in drops:
            time.sleep(pause)
            connection.sendall(drop)
        return silence(connection, request)

    return step


done = hk_body(SUCCESS)
half_a_body = raw(lambda request: hk_answer(request)[:-20], keep=False)
no_http = raw(lambda _: b"220 mail.example ESMTP\r\n", keep=False)
huge = raw(lambda _: http(b"x" * (1024 * 1024 + 1)))
compressed = raw(lambda request: http(gzip.compress(SUCCESS), *hk_fields(request, SUCCESS), "Content-Encoding: gzip"))
unsigned = page("200 OK", body=SUCCESS)
forged = hk_body(SUCCESS, signer="somebody")
