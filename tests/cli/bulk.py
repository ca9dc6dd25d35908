"""Jobs for the command line: passes in the sandbox, and inputs that are about them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from passbridge.sandbox import Sandbox
from tests.cli.conftest import USER


def ticket(number: int, action: str = "redeem", **more: object) -> dict[str, Any]:
    """An update of a ticket."""
    return {"action": action, "to": "hk-tickets", "pass": {"id": f"77{number:05}", "user_id": USER}, **more}


def coupon(number: int, action: str = "redeem", **more: object) -> dict[str, Any]:
    """An update of a mainland coupon."""
    return {"action": action, "to": "cn", "pass": {"id": f"88{number:05}"}, **more}


def issue(box: Sandbox, updates: Iterable[dict[str, Any]]) -> None:
    """Put the passes of updates into the sandbox."""
    found = {(update["to"], update["pass"]["id"]) for update in updates}
    own: dict[str, dict[str, str]] = {"hk-tickets": {"user_id": USER}, "cn": {"channel": "2088918273"}}
    box.add_passes([{"account": account, "id": pass_id, **own[account]} for account, pass_id in sorted(found)])


def lines(updates: Iterable[dict[str, Any]]) -> bytes:
    """Updates as JSON lines."""
    return b"".join(json.dumps(update).encode() + b"\n" for update in updates)


def job(box: Sandbox, updates: list[dict[str, Any]], name: str = "in.jsonl") -> Path:
    """An input whose passes exist."""
    issue(box, updates)
    path = Path(name)
    path.write_bytes(lines(updates))
    return path


def sent(box: Sandbox) -> list[str]:
    """The passes that the gateways were asked about, in order."""
    return [str(request["pass"]) for request in box.requests()]
