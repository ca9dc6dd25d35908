"""How the ledger's process and its workers speak: frames of JSON over pipes.

Owns the frame and the spelling of each shape. Keys in a configuration given as a mapping travel in such a frame and
nowhere else: no command line, no file, no pickle.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Mapping
from dataclasses import astuple
from typing import TYPE_CHECKING, Any, Final

from passbridge.bulk.outcomes import Verdict
from passbridge.bulk.shapes import State
from passbridge.bulk.turns import Claim, Idle, Result, Taken, Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["claim_of", "pack", "plain", "read", "results_of", "turn_of", "unpack_config"]

_HEAD: Final = 4
_BYTES: Final = "bytes in base64"


def pack(message: object) -> bytes:
    """One frame: its length, then JSON."""
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":"), default=_other).encode()
    return len(body).to_bytes(_HEAD) + body


async def read(reader: asyncio.StreamReader) -> Any:  # noqa: ANN401 - a message is what the other side packed
    """The next frame; None where the other side is gone."""
    try:
        head = await reader.readexactly(_HEAD)
        return json.loads(await reader.readexactly(int.from_bytes(head)))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _other(value: object) -> object:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode()}
    return dict(value) if isinstance(value, Mapping) else os.fspath(value)  # type: ignore[call-overload]  # else json's own error


def unpack_config(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """A configuration as it was before `pack`."""
    if not isinstance(value, dict):
        return [unpack_config(item) for item in value] if isinstance(value, list) else value
    if value.keys() == {_BYTES}:
        return base64.b64decode(value[_BYTES])
    return {name: unpack_config(member) for name, member in value.items()}


def plain(value: Claim | Idle | Turn | Sequence[Result]) -> object:
    """A shape as JSON has it."""
    if isinstance(value, Claim | Idle | Turn):
        return astuple(value)
    return [[result.line, result.verdict and astuple(result.verdict), result.requests, result.limited] for result in value]


def claim_of(values: list[Any]) -> Claim | Idle:
    """A claim, or that there is none."""
    if len(values) == 1:
        return Idle(*values)
    account, lane, epoch, killed, marked = values
    return Claim(account, lane, epoch, tuple(Taken(*row) for row in killed), marked)


def turn_of(values: list[Any]) -> Turn:
    """A turn."""
    rows, *rest = values
    return Turn(tuple(Taken(*row) for row in rows), *rest)


def results_of(values: list[Any]) -> list[Result]:
    """A group's results."""
    return [
        Result(line, verdict and Verdict(State(verdict[0]), *verdict[1:]), requests, limited) for line, verdict, requests, limited in values
    ]
