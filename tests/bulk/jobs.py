"""What the tests of jobs share: passes, updates, and what the gateway's own log says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from passbridge import Client, Content, Outcome, PassRef, PassUpdate, Redeem, Refund, Revise
from passbridge.bulk import Entry, Options, Row, Status, export, run, run_bulk
from passbridge.bulk.jobs import book
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.client import accounts_of
from passbridge.sandbox import Sandbox

USER = "2160400000000135"


def revise(pass_id: str, key: str | None = None, **params: Any) -> Revise:  # noqa: ANN401 - any JSON
    return Revise(
        to="hk-tickets",
        key=key,
        pass_=PassRef(id=pass_id, user_id=USER),
        kind="air_ticket",
        content=Content(params=params or {"gate": "B12"}),
    )


def redeem(pass_id: str) -> Redeem:
    return Redeem(to="hk-tickets", pass_=PassRef(id=pass_id, user_id=USER))


def refund(pass_id: str) -> Refund:
    return Refund(to="hk-tickets", pass_=PassRef(id=pass_id, user_id=USER))


def rows(updates: Iterable[PassUpdate]) -> list[Row]:
    return [Row.of(line, update) for line, update in enumerate(updates, 1)]


@dataclass
class Desk:
    """A merchant's desk."""

    box: Sandbox
    folder: Path
    _log: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def ledger(self) -> str:
        return str(self.folder / "job.db")

    @property
    def config(self) -> dict[str, Any]:
        """Impatient: no test waits for a gateway that is silent on purpose."""
        return self.box.config() | {"retry": {"attempts": 2, "deadline": 3.0, "connect_timeout": 1.0, "read_timeout": 1.0}}

    def passes(self, count: int) -> list[str]:
        """New passes of hk-tickets."""
        ids = [f"31{number:014d}" for number in range(count)]
        self.box.add_passes([{"account": "hk-tickets", "id": id_, "user_id": USER} for id_ in ids])
        return ids

    def run(self, updates: Sequence[PassUpdate] | None, ledger: str | None = None, **options: Any) -> Status:  # noqa: ANN401 - Options' own
        chosen = Options(**({"workers": 1, "patience": 2.0} | options))
        return run(self.config, None if updates is None else rows(updates), ledger or self.ledger, chosen)

    def write(self, updates: Sequence[PassUpdate], ledger: str | None = None) -> Path:
        """A job that is written and not begun; gives the configuration's file, made so that other processes can read it."""
        config = self.folder / "passbridge.toml"
        self.box.write_config(config)
        config.write_text(config.read_text(encoding="utf-8") + "\n[retry]\nattempts = 1\ndeadline = 1.0\n", encoding="utf-8")
        with Client.from_config(config) as client, closing(Ledger(ledger or self.ledger, create=True)) as opened:
            load(opened, rows(updates), book(accounts_of(client), supersede=False))
        return config

    def outcomes(self, updates: Sequence[PassUpdate] | None, ledger: str | None = None, **options: Any) -> dict[int, Outcome]:  # noqa: ANN401 - Options' own
        chosen = Options(**({"workers": 1, "patience": 2.0} | options))
        return dict(run_bulk(self.config, updates, ledger=ledger or self.ledger, options=chosen))

    def entries(self, ledger: str | None = None) -> dict[int, Entry]:
        return {entry.line: entry for entry in export(ledger or self.ledger)}

    def log(self) -> list[dict[str, Any]]:
        """Every request that reached the gateway, in its order; the sandbox itself keeps the last thousand."""
        self._log |= {int(str(request["n"])): dict(request) for request in self.box.requests()}
        return [self._log[n] for n in sorted(self._log)]

    def sent(self, pass_id: str) -> list[str]:
        """What was asked of a pass, in order."""
        return [request["action"] for request in self.log() if request["pass"] == pass_id]
