"""Configurations for tests: two accounts, their keys in files, and the TOML they stand in."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from passbridge import Client, ConfigError, Problem
from tests.client.keys import key, private_bytes, public_bytes

OURS = private_bytes(key("ours"))
GATEWAYS = public_bytes(key("gateway"))

HK: dict[str, Any] = {
    "backend": "hk",
    "profile": "ticket",
    "gateway": "https://open.alipay.hk",
    "client_id": "4Q5Y8W0WSG45P907917",
    "merchant_id": "2312314123123123",
    "private_key": "ours.pem",
    "gateway_public_key": "gateway.pem",
}
CN: dict[str, Any] = {
    "backend": "mainland",
    "gateway": "https://openapi.alipay.com/gateway.do",
    "app_id": "2014072300007148",
    "channel_id": "2088918273",
    "private_key": "ours.pem",
    "gateway_public_key": "gateway.pem",
}


def config(hk: Mapping[str, Any] | None = None, cn: Mapping[str, Any] | None = None, **tables: Any) -> dict[str, Any]:  # noqa: ANN401 - TOML's values
    """A configuration of both accounts, with these members on top; None takes a member out."""
    accounts = {"hk-tickets": HK | {**(hk or {})}, "cn": CN | {**(cn or {})}}
    return {"accounts": {name: {k: v for k, v in members.items() if v is not None} for name, members in accounts.items()}, **tables}


def toml(table: Mapping[str, Any], at: str = "") -> str:
    """The table as TOML; JSON writes its plain values alike."""
    plain = "".join(f"{json.dumps(name)} = {json.dumps(value)}\n" for name, value in table.items() if not isinstance(value, Mapping))
    inner = {f"{at}{json.dumps(name)}": value for name, value in table.items() if isinstance(value, Mapping)}
    return plain + "".join(f"[{name}]\n{toml(value, f'{name}.')}" for name, value in inner.items())


def written(folder: Path, what: Mapping[str, Any] | str, name: str = "passbridge.toml") -> Path:
    """The configuration as a file of this folder, its keys beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    secret(folder / "ours.pem", OURS)
    (folder / "gateway.pem").write_bytes(GATEWAYS)
    file = folder / name
    file.write_text(what if isinstance(what, str) else toml(what), encoding="utf-8")
    return file


def secret(file: Path, data: bytes) -> Path:
    """A file that its owner alone can read."""
    file.write_bytes(data)
    if os.name != "nt":
        file.chmod(0o600)
    return file


def opened(given: Any = None, **options: Any) -> list[str]:  # noqa: ANN401 - whatever a caller may give
    """The names of the accounts that a configuration opens."""
    with Client.from_config(given, **options) as client:
        return list(client._accounts.opened)


def problems(given: Any = None, **options: Any) -> tuple[Problem, ...]:  # noqa: ANN401 - likewise
    """Everything that is wrong with a configuration."""
    with pytest.raises(ConfigError) as raised:
        Client.from_config(given, **options)
    return raised.value.problems
