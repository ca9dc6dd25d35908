"""`passbridge bulk run`, `retry`, `status` and `settle` against both gateways."""

from __future__ import annotations

import json
import os
import pty
import sys
from pathlib import Path
from typing import Any

import pytest

from passbridge import Outcome
from passbridge.cli.app import run
from passbridge.sandbox import Sandbox
from tests.bulk import postgres
from tests.cli.bulk import coupon, issue, job, lines, sent, ticket
from tests.cli.conftest import Cli, Done


def test_a_job_of_both_regions_ends_with_a_summary(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [*(ticket(n) for n in range(5)), *(coupon(n) for n in range(3))])

    done = cli("bulk", "run", path, "--config", config, "--json")

    assert done.exit == 0
    assert {name: done.json[name] for name in ("schema", "rows", "codes", "exit")} == {
        "schema": "passbridge.bulk/1",
        "rows": 8,
        "codes": {"APPLIED": 8},
        "exit": 0,
    }
    assert done.json["ledger"] == "in.jsonl.passbridge.db"
    assert Path("in.jsonl.passbridge.db").is_file()
    assert len(sent(box)) == 8


def test_an_account_that_is_mistyped_for_all_fills_no_ledger(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1), ticket(2)])

    done = cli("bulk", "run", path, "--to", "hk-ticket", "--config", config)

    assert (done.exit, done.err) == (2, "error: --to: no such account (did you mean 'hk-tickets'?)\n")
    assert not Path("in.jsonl.passbridge.db").exists()
    assert cli("bulk", "run", path, "--to", "hk-tickets", "--config", config).exit == 0


def test_rows_that_were_refused_or_are_no_updates_are_told_with_the_command_that_says_why(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1)])
    path.write_bytes(lines([ticket(1), ticket(2)]) + b"{}\n")

    said = cli("bulk", "run", path, "--config", config).err

    assert "rows that the gateway refused: 1; see why: passbridge bulk export in.jsonl.passbridge.db --state refused\n" in said
    assert "rows that are no update of their account: 1; see why: passbridge bulk export in.jsonl.passbridge.db --state invalid\n" in said


def test_a_dry_run_names_the_account_that_rows_without_one_go_to(cli: Cli, config: Path) -> None:
    Path("in.jsonl").write_bytes(lines([{name: value for name, value in ticket(1).items() if name != "to"}]))
    assert "hk-tickets (the default)" in cli("bulk", "run", "in.jsonl", "--dry-run", "--config", config).out


def test_the_same_command_again_sends_nothing_and_says_the_same(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1), ticket(2)])
    first = cli("bulk", "run", path, "--config", config, "--json")

    again = cli("bulk", "run", path, "--config", config, "--json")

    assert (again.exit, again.json["codes"]) == (first.exit, first.json["codes"])
    assert len(sent(box)) == 2


def test_a_bad_row_is_told_by_its_line_and_the_others_are_done(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1), ticket(2)])
    path.write_bytes(lines([ticket(1)]) + b"{}\n" + lines([ticket(2), ticket(3, to="nobody")]))

    done = cli("bulk", "run", path, "--config", config, "--json")
    exported = [json.loads(line) for line in cli("bulk", "export", path, "--state", "invalid").out.splitlines()]

    assert (done.exit, done.json["codes"]) == (2, {"APPLIED": 2, "INVALID_UPDATE": 2})
    assert [(row.pop("line"), row["code"]) for row in exported] == [(2, "INVALID_UPDATE"), (4, "INVALID_UPDATE")]
    notes = Outcome.model_validate(exported[0]).notes
    assert any("action: is missing" in note for note in notes)
    assert any("pass: is missing" in note for note in notes)


def test_people_see_the_states_and_the_codes(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1), ticket(2)])
    box.add_fault({"fault": "code:PASS_STATUS_ILLEGAL", "match": {"pass": ticket(1)["pass"]["id"]}})

    done = cli("bulk", "run", path, "--config", config)

    assert done.exit == 1
    assert done.out.startswith("2 of 2 rows are done\n")
    assert {"applied 1", "refused 1", "APPLIED 1", "STATE_CONFLICT 1"} <= {" ".join(line.split()) for line in done.out.splitlines()}


def test_a_spreadsheet_s_columns_are_mapped(cli: Cli, config: Path, box: Sandbox) -> None:
    issue(box, [ticket(1), ticket(2)])
    Path("passes.csv").write_text("No.,Ticket,Holder,Gate\n1,7700001,2160400000000135,B12\n2,7700002,2160400000000135,\n", encoding="utf-8")
    mapping = [part for pair in ("Ticket=pass.id", "Holder=pass.user_id", "Gate=content.params.gate") for part in ("--map", pair)]

    done = cli(
        "bulk",
        "run",
        "passes.csv",
        *mapping,
        "--set",
        "action=revise",
        "--set",
        "kind=air_ticket",
        "--to",
        "hk-tickets",
        "--config",
        config,
        "--json",
    )

    assert done.json["codes"] == {"APPLIED": 1, "INVALID_UPDATE": 1}
    assert done.err.splitlines()[:2] == ["columns: Ticket → pass.id, Holder → pass.user_id, Gate → content.params.gate", "left out: No."]
    (changed,) = (one for one in box.passes() if one["id"] == "7700001")
    assert "B12" in json.dumps(changed["content"])


def test_standard_input_needs_a_ledger_of_its_own(cli: Cli, config: Path, box: Sandbox) -> None:
    issue(box, [ticket(1)])

    assert cli("bulk", "run", "-", "--config", config, "--json", stdin=lines([ticket(1)])).problems == [("", "usage")]
    assert sent(box) == []
    done = cli("bulk", "run", "-", "--ledger", "own.db", "--config", config, "--json", stdin=lines([ticket(1)]))
    assert (done.exit, done.json["ledger"]) == (0, "own.db")
    assert len(sent(box)) == 1


def test_a_terminal_is_no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(ours), os.fdopen(theirs, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        assert run(["bulk", "run", "-", "--ledger", "own.db"]) == 2


def test_a_process_without_standard_input_has_an_empty_one(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert run(["bulk", "run", "-", "--ledger", "own.db", "--config", str(config)]) == 0


def test_a_dry_run_checks_every_row_and_leaves_no_trace(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1), ticket(2), coupon(1)])
    good = cli("bulk", "run", path, "--dry-run", "--config", config, "--json")
    path.write_bytes(path.read_bytes() + b'{"action": "redeem"\n' + lines([ticket(4, "revise"), coupon(2, "refund")]))

    bad = cli("bulk", "run", path, "--dry-run", "--config", config, "--json")
    shown = cli("bulk", "run", path, "-n", "--config", config)

    assert (good.exit, good.err) == (0, "")
    assert good.json == {
        "schema": "passbridge.bulk/1", "rows": 3, "codes": {}, "exit": 0, "dry_run": True, "invalid": [],
        "updates": [{"account": "cn", "action": "redeem", "rows": 1}, {"account": "hk-tickets", "action": "redeem", "rows": 2}],
    }  # fmt: skip
    assert (bad.exit, bad.json["rows"], bad.json["codes"]) == (2, 6, {"INVALID_UPDATE": 3})
    assert [row["line"] for row in bad.json["invalid"]] == [4, 5, 6]
    assert all(row["problems"] for row in bad.json["invalid"])
    assert [line.partition(":")[0] for line in bad.err.splitlines()][:2] == ["line 4", "line 5"]
    assert shown.out.endswith("3 bad rows; nothing was sent\n")
    assert sent(box) == []
    assert sorted(file.name for file in Path().iterdir()) == ["in.jsonl"]


def test_a_dry_run_tells_of_a_hundred_bad_rows_and_counts_the_rest(cli: Cli, config: Path) -> None:
    done = cli("bulk", "run", "-", "--dry-run", "--config", config, "--json", "--format", "jsonl", stdin=b"[]\n" * 103)

    assert (done.json["codes"], len(done.json["invalid"])) == ({"INVALID_UPDATE": 103}, 100)
    assert done.err.splitlines()[100:] == ["… and 3 more bad rows"]


def doubtful(cli: Cli, config: Path, box: Sandbox) -> Done:
    """A job of which a redeem and a refund stay in doubt, both of them applied."""
    path = job(box, [ticket(1), ticket(2, "refund"), ticket(3)])
    for number, fault in ((1, "bad-signature"), (2, "lose-answer")):
        box.add_fault({"fault": fault, "match": {"pass": ticket(number)["pass"]["id"]}})
    return cli("bulk", "run", path, "--config", config, "--json")


def test_what_stays_unknown_is_listed_with_the_commands_that_go_on(cli: Cli, config: Path, box: Sandbox) -> None:
    done = doubtful(cli, config, box)

    assert (done.exit, done.json["codes"]) == (5, {"APPLIED": 1, "NO_ANSWER": 1, "UNTRUSTED_ANSWER": 1})
    text = done.err
    assert "rows that may have been applied: 2\n" in text
    first, second = (line for line in text.splitlines() if line.startswith("  line "))
    assert first.startswith("  line 1: redeem 7700001 at hk-tickets: UNTRUSTED_ANSWER (")
    assert "gateway_public_key" in first  # the finding and its mend
    assert first.endswith("; next: investigate, by operator")
    assert second == (
        "  line 2: refund 7700002 at hk-tickets: NO_ANSWER (the connection ended early or spoke no HTTP); next: investigate, by operator"
    )
    assert f"passbridge bulk retry in.jsonl.passbridge.db --config {config} --state unknown" in text
    assert "passbridge bulk settle in.jsonl.passbridge.db LINE --as applied --reason" in text


def test_a_retry_takes_up_just_those_rows_and_never_a_refund(cli: Cli, config: Path, box: Sandbox) -> None:
    doubtful(cli, config, box)
    before = len(sent(box))

    done = cli("bulk", "retry", "in.jsonl", "--state", "unknown", "--config", config, "--json")

    assert (done.exit, done.json["codes"]) == (5, {"APPLIED": 1, "APPLIED_PRESUMED": 1, "NO_ANSWER": 1})
    assert sent(box)[before:] == ["7700001"]
    assert done.err.startswith("rows taken up again: 1\n")


def test_where_only_refunds_are_in_doubt_no_retry_is_offered(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1, "refund")])
    box.add_fault({"fault": "lose-answer"})

    done = cli("bulk", "run", path, "--config", config, "--json")

    assert "bulk settle" in done.err
    assert "bulk retry" not in done.err


def test_rows_that_wait_for_one_in_doubt_are_told_and_go_on_once_it_is_settled(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1, "refund"), ticket(1, "close")])
    box.add_fault({"fault": "drop-request", "match": {"pass": ticket(1)["pass"]["id"]}})

    done = cli("bulk", "run", path, "--config", config, "--json")
    cli("bulk", "settle", path, 1, "--as", "not_applied", "--reason", "asked the gateway")
    after = cli("bulk", "run", path, "--config", config, "--json")

    assert (done.exit, done.json["states"]) == (5, {"open": 1, "unknown": 1})
    assert "rows that wait for an earlier update of their pass: 1\n" in done.err
    assert after.json["states"] == {"applied": 1, "settled": 1}


def test_a_ledger_s_server_that_cannot_be_reached_leaves_no_doubt(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1)])

    done = cli("bulk", "run", path, "--ledger", "postgresql://127.0.0.1:9/x", "--config", config, "--json")

    assert (done.exit, done.json["error"]) == (2, "ledger")
    assert sent(box) == []


def test_an_operator_s_word_settles_a_row(cli: Cli, config: Path, box: Sandbox) -> None:
    doubtful(cli, config, box)

    settled = cli("bulk", "settle", "in.jsonl", 2, "--as", "applied", "--reason", "seen in the portal", "--json")
    shown = cli("bulk", "settle", "in.jsonl", 1, "--as", "not_applied", "--reason", "asked the holder")
    status = cli("bulk", "status", "in.jsonl", "--json")

    outcome = settled.json
    assert (settled.exit, outcome.pop("line")) == (0, 2)
    assert Outcome.model_validate(outcome).ok
    assert any("seen in the portal" in note for note in outcome["notes"])
    assert shown.out.startswith("line 1: ")
    assert (status.exit, status.json["states"]) == (0, {"applied": 1, "settled": 2})
    again = cli("bulk", "settle", "in.jsonl", 2, "--as", "applied", "--reason", "once more", "--json")
    assert (again.exit, again.json["error"]) == (2, "ledger")


def test_a_word_without_a_reason_is_none(cli: Cli) -> None:
    done = cli("bulk", "settle", "in.db", 1, "--as", "applied", "--reason", " ", "--json")

    assert (done.exit, done.problems) == (2, [("", "usage")])


def test_status_tells_people_too(cli: Cli, config: Path, box: Sandbox) -> None:
    doubtful(cli, config, box)

    done = cli("bulk", "status", "in.jsonl.passbridge.db")

    assert (done.exit, done.out.splitlines()[0]) == (0, "3 of 3 rows are done")


def test_many_rows_in_doubt_are_listed_in_part(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(n, "refund") for n in range(110)])
    for number in range(0, 110, 5):
        box.add_fault({"fault": "code:UNKNOWN_EXCEPTION", "match": {"pass": ticket(number)["pass"]["id"]}})

    done = cli("bulk", "run", path, "--config", config, "--json")

    assert (done.exit, done.json["codes"]) == (5, {"APPLIED": 88, "PROVIDER_ERROR": 22})
    assert sum(line.startswith("  line ") for line in done.err.splitlines()) == 20
    assert "  … all of them: passbridge bulk export in.jsonl.passbridge.db --state unknown" in done.err


@pytest.mark.parametrize(
    ("faults", "exit_"),
    [
        ({}, 0),
        ({1: "code:PASS_STATUS_ILLEGAL"}, 1),
        ({1: "code:PASS_STATUS_ILLEGAL", 2: "code:BIZ_NOT_SUPPORT"}, 3),
        ({1: "code:BIZ_NOT_SUPPORT", 2: "code:UNKNOWN_EXCEPTION"}, 5),
    ],
    ids=str,
)
def test_the_exit_code_is_the_worst_of_all(cli: Cli, config: Path, box: Sandbox, faults: dict[int, str], exit_: int) -> None:
    path = job(box, [ticket(n, "refund") for n in range(1, 4)])
    for number, fault in faults.items():
        box.add_fault({"fault": fault, "match": {"pass": ticket(number)["pass"]["id"]}})

    assert cli("bulk", "run", path, "--config", config, "--json").exit == exit_


def test_another_input_or_another_configuration_is_refused_by_the_ledger(cli: Cli, config: Path, box: Sandbox, rewritten: Any) -> None:  # noqa: ANN401 - a fixture
    path = job(box, [ticket(1)])
    cli("bulk", "run", path, "--config", config)
    issue(box, [ticket(2)])
    Path("other.jsonl").write_bytes(lines([ticket(2)]))

    other = cli("bulk", "run", "other.jsonl", "--ledger", "in.jsonl.passbridge.db", "--config", config, "--json")
    moved = rewritten(("merchant_id = ", 'merchant_id = "1"\n# '))
    elsewhere = cli("bulk", "run", path, "--config", moved, "--json")

    assert (other.exit, other.json["error"]) == (2, "ledger")
    assert (elsewhere.exit, elsewhere.json["error"]) == (3, "ledger")
    assert len(sent(box)) == 1


@pytest.mark.parametrize("command", [["status"], ["export"], ["retry"], ["settle"]], ids=str)
def test_a_ledger_that_does_not_exist_is_refused_and_not_made(cli: Cli, config: Path, command: list[str]) -> None:
    more = {"settle": [1, "--as", "applied", "--reason", "x"], "retry": ["--config", config]}.get(command[0], [])

    done = cli("bulk", *command, "nowhere.db", *more, "--json")

    assert (done.exit, done.json["error"], done.problems) == (2, "ledger", [("nowhere.db", "no_ledger")])
    assert not Path("nowhere.db").exists()


def test_a_password_in_a_ledger_s_url_is_refused_and_not_repeated(cli: Cli, config: Path, box: Sandbox) -> None:
    path = job(box, [ticket(1)])

    done = cli("bulk", "run", path, "--ledger", "postgresql://merchant:hunter2@127.0.0.1/jobs", "--config", config, "--json")

    assert (done.exit, done.json["error"]) == (2, "ledger")
    assert "hunter2" not in done.out + done.err
    assert "PGPASSFILE" in done.json["problems"][0]["mend"]


BAD = {
    "a rate of nothing": ["--rate", "0/s"],
    "a rate in words": ["--rate", "fast"],
    "a rate beyond numbers": ["--rate", "9" * 400],
    "a patience that is no number": ["--patience", "nan"],
    "a mapping without a field": ["--map", "card"],
    "a mapping without a column": ["--map", "=pass.id"],
    "a column twice": ["--map", "a=pass.id", "--map", "a=key"],
    "a delimiter of two": ["--delimiter", ";;"],
    "a quote as a delimiter": ["--delimiter", '"'],
    "no ledger's name": ["--ledger", ""],
    "no workers": ["--workers", "0"],
    "no patience": ["--patience", "-1"],
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_option_is_a_usage_error(cli: Cli, config: Path, case: str) -> None:
    Path("in.csv").write_text("action,pass.id\n", encoding="utf-8")

    done = cli("bulk", "run", "in.csv", *BAD[case], "--config", config, "--json")

    assert (done.exit, done.json["error"]) == (2, "usage")


@pytest.mark.parametrize("rate", ["5000", "4999.5/s", "300000/min", "18000000/h"])
def test_a_rate_may_be_written_in_several_ways(cli: Cli, config: Path, box: Sandbox, rate: str) -> None:
    path = job(box, [coupon(1)])

    assert cli("bulk", "run", path, "--rate", rate, "--config", config, "--json").json["codes"] == {"APPLIED": 1}


def test_an_input_that_cannot_be_taken_is_refused_before_anything_starts(cli: Cli, config: Path) -> None:
    Path("in.csv").write_text("card,Action\n", encoding="utf-8")

    done = cli("bulk", "run", "in.csv", "--map", "card=pass.idd", "--map", "Aktion=action", "--config", config, "--json")

    assert (done.exit, done.json["error"]) == (2, "invalid_update")
    assert done.problems == [("column Aktion", "unknown_column"), ("column card: pass.idd", "unknown_field")]
    assert not Path("in.csv.passbridge.db").exists()


def test_a_parquet_file_is_carried_out(cli: Cli, config: Path, box: Sandbox) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    issue(box, [coupon(1), coupon(2)])
    pq.write_table(pa.table({"action": ["redeem"] * 2, "to": ["cn"] * 2, "pass.id": [8800001, 8800002]}), "in.parquet")

    assert cli("bulk", "run", "in.parquet", "--config", config, "--json").json["codes"] == {"APPLIED": 2}


def test_a_ledger_may_be_on_a_server(cli: Cli, config: Path, box: Sandbox) -> None:
    programs = postgres.programs()
    if programs is None:
        pytest.skip("PostgreSQL isn't installed: NOTHING about ledgers on a server is proved here")
    path = job(box, [ticket(1), ticket(2), ticket(3)])
    box.add_fault({"fault": "bad-signature", "match": {"pass": ticket(2)["pass"]["id"]}})
    with postgres.server(programs) as url:
        ledger = f"{url}?job=gate_move"
        done = cli("bulk", "run", path, "--ledger", ledger, "--config", config, "--json")
        status = cli("bulk", "status", ledger, "--json")
        settled = cli("bulk", "settle", ledger, 2, "--as", "applied", "--reason", "seen", "--json")
        exported = cli("bulk", "export", ledger)
        other = cli("bulk", "status", f"{url}?job=another", "--json")

    assert (done.exit, done.json["codes"], done.json["ledger"]) == (5, {"APPLIED": 2, "UNTRUSTED_ANSWER": 1}, ledger)
    assert status.json["states"] == {"applied": 2, "unknown": 1}
    assert settled.json["line"] == 2
    assert [json.loads(line)["ok"] for line in exported.out.splitlines()] == [True] * 3
    assert (other.exit, [code for _, code in other.problems]) == (2, ["no_ledger"])
    assert not Path("in.jsonl.passbridge.db").exists()
