"""`passbridge doctor`: whether this machine is ready, before the first guest stands at the gate.

Owns the list of checks. Each is what the configuration, the backends and the transport already tell; nothing is changed,
and nothing leaves the machine without `--online`.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, TypeAlias

import click

import passbridge
from passbridge.accounts import Accounts
from passbridge.cli.configured import configured
from passbridge.cli.output import Exit, config_option, emit, json_option, table
from passbridge.config import find_config
from passbridge.errors import ConfigError, PassbridgeWarning
from passbridge.protocol.conversation import GATEWAY_ZONE, Exchange, Flow, Instant, Pause, Policy
from passbridge.protocol.gateway import Credential, TellsCredentials
from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse
from passbridge.transport import Driver, Transport

__all__ = ["doctor"]

State: TypeAlias = Literal["ok", "warn", "fail"]

_EXTRAS: Final = {
    "cli": ("click", "rich"),
    "sandbox": ("starlette", "uvicorn"),
    "bulk": ("psycopg",),
    "parquet": ("pyarrow",),
    "fleet": ("dbos", "sqlalchemy"),
}
_SKEW: Final = timedelta(seconds=60)
"""How far a clock may be off before it is worth a word."""


@dataclass(frozen=True, slots=True)
class Row:
    """One check: what was looked at, how it stands, what was seen, and what to do."""

    check: str
    state: State
    message: str
    mend: str = ""


@click.command()
@click.option("--online", is_flag=True, help="Also reach each gateway, by a request that is not signed and changes nothing.")
@config_option
@json_option
def doctor(config: str | None, *, online: bool) -> int:
    """Check the configuration, keys, certificates, clock and extras; with --online the way to the gateways too."""
    rows = list(_rows(config, online=online))
    emit([asdict(row) for row in rows], lambda: _show(rows))
    return Exit.CONFIG if any(row.state == "fail" for row in rows) else Exit.DONE


def _rows(config: str | None, *, online: bool) -> Iterator[Row]:
    yield from _extras()
    yield _clock()
    path = find_config(config)
    yield Row("configuration", "ok", f"read from {path}" if path else "no file; from the environment alone")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            accounts = Accounts.open(iter([config]), None)
        except ConfigError as error:
            yield from (Row(problem.path, "fail", problem.message, problem.mend) for problem in error.problems)
            return
    told = list(_accounts(accounts))
    yield from told
    yield from (row for row in map(_warned, caught) if not any(row.check.endswith(one.check) and one.state == "warn" for one in told))
    if online:
        yield from _online(config, accounts)


def _extras() -> Iterator[Row]:
    for extra, modules in _EXTRAS.items():
        missing = any(find_spec(module) is None for module in modules)
        yield Row(
            f"extra {extra}", "ok", "not installed" if missing else "installed", f"pip install 'passbridge[{extra}]'" if missing else ""
        )


def _clock() -> Row:
    """Its zone doesn't matter; that it stands long before passbridge was installed does."""
    now, installed = datetime.now(UTC), datetime.fromtimestamp(Path(passbridge.__file__).stat().st_mtime, UTC)
    told = f"this machine takes it to be {now.astimezone(GATEWAY_ZONE):%Y-%m-%d %H:%M:%S} at the gateways; --online compares"
    if now < installed - timedelta(days=1):
        return Row("clock", "fail", f"{told}: that is before passbridge was installed", "set this machine's clock")
    return Row("clock", "ok", told)


def _accounts(accounts: Accounts) -> Iterator[Row]:
    now = datetime.now(UTC)
    for name, account in accounts.opened.items():
        can = account.gateway.capabilities
        yield Row(f"accounts.{name}", "ok", f"opens: {can.backend} {can.profile}, {' '.join(can.actions)}")
        for one in account.gateway.credentials if isinstance(account.gateway, TellsCredentials) else ():
            yield _credential(f"accounts.{name}.{one.member}", one, now)


def _credential(check: str, one: Credential, now: datetime) -> Row:
    """A key or certificate of an account that opens: it has not expired."""
    until = f", valid until {one.ends:%Y-%m-%d}" if one.ends else ""
    soon = one.age(now) == "expires_soon"
    mend = "download the new one from the gateway's console before" if soon else ""
    return Row(check, "warn" if soon else "ok", f"{one.kind}, {one.bits} bits{until}", mend)


def _warned(warning: warnings.WarningMessage) -> Row:
    """A warning begins with its place, as problems do."""
    text = str(warning.message)
    place = re.match(r"(.*?accounts\.[^:]*): ", text) if issubclass(warning.category, PassbridgeWarning) else None
    return Row(place[1], "warn", text[place.end() :]) if place else Row("warning", "warn", text)


def _online(config: str | None, accounts: Accounts) -> Iterator[Row]:
    read, _ = configured(config)
    driver = Driver(lambda: Transport(accounts.network))
    try:
        for url in dict.fromkeys(settings.gateway for settings in read.accounts.values()):
            yield from _reached(url, *driver.run(_reach(url)))
    finally:
        driver.close()


def _reach(url: str) -> Flow[tuple[WireResponse | NoReply, datetime, float]]:
    """The gateway's answer to nothing in particular, when it came, and how many seconds it took."""
    policy = Policy(1)
    begun = yield Pause()
    if not isinstance(begun, Instant):
        raise TypeError("a pause is answered by an instant")
    reply = yield Exchange(WireRequest("GET", url, Headers(), b""), begun.monotonic + policy.deadline, policy)
    ended = yield Pause()
    if isinstance(reply, Instant) or not isinstance(ended, Instant):
        raise TypeError("an exchange is answered by a response or its absence")
    return reply, ended.wall, ended.monotonic - begun.monotonic


def _reached(url: str, reply: WireResponse | NoReply, at: datetime, took: float) -> Iterator[Row]:
    if isinstance(reply, NoReply):
        yield Row(f"gateway {url}", "fail", f"can't be reached: {reply.reason}", "check the network, [http] proxy and ca_file")
        return
    yield Row(f"gateway {url}", "ok", f"answers (HTTP {reply.status}, {took:.2f} s)")
    try:
        skew = abs(parsedate_to_datetime(reply.headers.get("Date", "")) - at)
    except (ValueError, TypeError):
        return
    if skew > _SKEW:
        message = f"{skew.total_seconds():.0f} seconds off the gateway's"
        yield Row(f"clock against {url}", "warn", message, "set this machine's clock: AlipayHK refuses old requests")


def _show(rows: list[Row]) -> None:
    shown = [(row.state, row.check, f"{row.message} ({row.mend})" if row.mend else row.message) for row in rows]
    table(("", "check", "seen"), shown, {"ok": "green", "warn": "yellow", "fail": "red"})
