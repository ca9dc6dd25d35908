"""`passbridge bulk worker`: one machine of a fleet, as its users have it."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path

import pytest

from passbridge import Client, load_update
from passbridge.bulk import Row
from passbridge.bulk.jobs import book
from passbridge.bulk.ledger import Ledger
from passbridge.bulk.loading import load
from passbridge.client import accounts_of
from passbridge.sandbox import Sandbox
from tests.bulk import postgres
from tests.cli.bulk import issue, sent, ticket
from tests.cli.conftest import Cli

_LEDGER = "postgresql://merchant@127.0.0.1:1/none"


def test_without_dbos_the_extra_is_named(cli: Cli, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbos", None)

    done = cli("bulk", "worker", "--ledger", _LEDGER, "--config", config)

    assert (done.exit, done.out) == (3, "")
    assert done.err.startswith("error: ")
    assert done.err.endswith("(pip install 'passbridge[fleet]')\n")


@pytest.mark.parametrize(
    ("ledger", "exit_", "code"),
    [
        ("job.db", 2, "not_shared"),
        (_LEDGER, 2, "unusable"),
        ("postgresql://merchant:secret-word@127.0.0.1:1/none", 2, "password_in_url"),
    ],
)
def test_a_ledger_that_no_fleet_can_use_is_an_error(cli: Cli, config: Path, ledger: str, exit_: int, code: str) -> None:
    done = cli("bulk", "worker", "--ledger", ledger, "--config", config, "--json")

    assert (done.exit, [problem[1] for problem in done.problems]) == (exit_, [code])
    assert "secret-word" not in done.out + done.err


def test_a_worker_carries_out_what_was_written_and_tells_how_it_stands(cli: Cli, config: Path, box: Sandbox) -> None:
    if (programs := postgres.programs()) is None:
        pytest.skip("PostgreSQL isn't installed: NOTHING about fleets is proved here")
    updates = [ticket(1), ticket(2), ticket(3)]
    issue(box, updates)
    box.add_fault({"fault": "bad-signature", "match": {"pass": ticket(2)["pass"]["id"]}})
    with postgres.server(programs) as url:
        ledger = f"{url}?job=gates"
        with Client.from_config(config) as client, closing(Ledger(ledger, create=True)) as opened:
            rows = [Row.of(line, load_update(json.dumps(update))) for line, update in enumerate(updates, 1)]
            load(opened, rows, book(accounts_of(client), supersede=False))

        done = cli("bulk", "worker", "--ledger", ledger, "--config", config, "--workers", 1, "--until-done", "--json")

    assert (done.exit, done.json["end"], done.json["ledger"]) == (5, "done", ledger)
    assert done.json["codes"] == {"APPLIED": 2, "UNTRUSTED_ANSWER": 1}
    assert "rows that may have been applied: 1\n  line 2: " in done.err
    assert sorted(sent(box)) == [update["pass"]["id"] for update in updates]
