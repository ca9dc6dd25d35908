"""One update in every form it may be given, and what may be wrong with it. Nothing wrong is ever sent."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from passbridge import Outcome
from passbridge.cli.app import run
from passbridge.sandbox import Sandbox
from tests.cli.conftest import COUPON, REDEEM, REVISE, TICKET, Cli


@pytest.mark.parametrize("form", ["standard input", "-", "file"])
def test_an_update_is_read_from_standard_input_or_a_file(
    cli: Cli, config: Path, box: Sandbox, update: Callable[[object], Path], form: str
) -> None:
    forms: dict[str, list[object]] = {"standard input": [], "-": ["--from", "-"], "file": ["--from", update(REDEEM)]}

    done = cli("send", "--json", "--config", config, *forms[form], stdin=b"" if form == "file" else json.dumps(REDEEM).encode())

    assert (done.exit, done.err, done.json["code"]) == (0, "", "APPLIED")
    assert Outcome.model_validate(done.json).model_dump(mode="json") == done.json
    assert next(one for one in box.passes() if one["id"] == TICKET)["state"] == "USED"


def test_people_read_what_happened_and_what_to_do(cli: Cli, config: Path) -> None:
    noted = {**REDEEM, "proof": {"code": "1"}}
    first, second = cli("send", "--config", config, stdin=noted), cli("send", "--config", config, stdin=noted)

    assert first.out.startswith(
        f"APPLIED  redeem {TICKET} at hk-tickets\n  The gateway confirmed the update.\n  gateway: SUCCESS success\n"
    )
    assert "\n  note: " in first.out
    assert "\n  attempt 1: APPLIED, 0." in first.out
    assert "\n  next: investigate, by operator\n" in second.out


def test_to_names_another_account(cli: Cli, config: Path) -> None:
    assert cli("send", "--json", "--config", config, "--to", "cn", stdin={**COUPON, "to": "hk-tickets"}).json["account"] == "cn"


def test_an_update_without_an_account_goes_to_the_default(cli: Cli, config: Path) -> None:
    nameless = {name: value for name, value in REDEEM.items() if name != "to"}

    assert cli("send", "--json", "--config", config, stdin=nameless).json["account"] == "hk-tickets"


def test_after_counts_the_attempts_of_an_earlier_call(
    cli: Cli, config: Path, once: Callable[[str], Path], box: Sandbox, folder: Path
) -> None:
    box.add_fault({"fault": "lose-answer"})
    lost = cli("send", "--json", "--config", once("hk-tickets"), stdin=REDEEM)
    assert (lost.exit, lost.json["code"]) == (5, "NO_ANSWER")
    (folder / "outcome.json").write_text(lost.out, encoding="utf-8")

    done = cli("send", "--json", "--config", config, "--after", "outcome.json", stdin=REDEEM)

    assert (done.exit, done.json["code"]) == (0, "APPLIED_PRESUMED")
    assert [one["n"] for one in done.json["attempts"]] == [1, 2]


def test_a_dry_run_prints_the_wire_request_and_sends_nothing(cli: Cli, config: Path, box: Sandbox) -> None:
    done = cli("send", "-n", "--json", "--config", config, stdin=REDEEM)

    assert (done.exit, done.err) == (0, "")
    assert set(done.json) == {"schema", "method", "url", "headers", "body"}
    assert (done.json["schema"], done.json["method"]) == ("passbridge.request/1", "POST")
    assert done.json["url"] == f"{box.url}/api/open/alipay/v1/ipass/pass/manage/updatePass"
    assert {"Client-Id", "Request-Time", "Signature"} <= set(done.json["headers"])
    assert json.loads(done.json["body"])["status"] == "USED"
    assert box.requests() == []


def test_a_dry_run_for_people_is_the_request_as_it_stands_on_the_wire(cli: Cli, config: Path) -> None:
    lines = cli("send", "--dry-run", "--config", config, stdin=COUPON).out.splitlines()

    assert lines[0].startswith("POST http://127.0.0.1:")
    assert lines[1:3] == ["Content-Type: application/x-www-form-urlencoded;charset=utf-8", ""]
    assert json.loads(parse_qs(lines[3])["biz_content"][0])["status"] == "USED"


def test_a_dry_run_masks_the_token_and_nothing_else(cli: Cli, rewritten: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CN_TOKEN", "201208134b203fe6c11548bcabd8da5bb087a83b")
    path = rewritten(more='app_auth_token = { env = "CN_TOKEN" }\n')
    named_alike = {**REVISE, "content": {"params": {"gate": "app_auth_token=1"}}}

    masked = cli("send", "-n", "--json", "--config", path, stdin=COUPON)
    untouched = cli("send", "-n", "--json", "--config", path, stdin=named_alike)

    assert parse_qs(masked.json["body"])["app_auth_token"] == ["***"]
    assert "201208134b203fe6c11548bcabd8da5bb087a83b" not in masked.out + masked.err
    assert "app_auth_token=1" in json.loads(untouched.json["body"])["dataInfo"]["$gate_zh_HK$"]


def test_a_dry_run_after_an_earlier_outcome_keeps_its_moment(cli: Cli, once: Callable[[str], Path], box: Sandbox, folder: Path) -> None:
    box.add_fault({"fault": "drop-request"})
    lost = cli("send", "--json", "--config", once("hk-tickets"), stdin=REVISE)
    (folder / "outcome.json").write_text(lost.out, encoding="utf-8")

    done = cli("send", "-n", "--json", "--config", once("hk-tickets"), "--after", "outcome.json", stdin=REVISE)

    moment = datetime.fromisoformat(lost.json["at"])
    assert json.loads(done.json["body"])["bizDate"] == round(moment.timestamp() * 1000)


SEVERAL = [("standard input: action", "unknown_action"), ("standard input: pass.id", "missing"), ("standard input: keys", "unknown_member")]
ELSEWHERE = {**REDEEM, "to": "hk"}
DATED = {**COUPON, "valid_until": "2027-01-01T00:00:00+08:00"}


@pytest.mark.parametrize(
    ("stdin", "problems"),
    [
        pytest.param(b"", [("standard input", "unreadable_json")], id="nothing"),
        pytest.param(b"\xff\xfe{", [("standard input", "unreadable_json")], id="not UTF-8"),
        pytest.param(b"{" * 5000, [("standard input", "unreadable_json")], id="deeply nested"),
        pytest.param(b"[]", [("standard input", "not_an_object")], id="no object"),
        pytest.param(b"1" * (2**24 + 1), [("-", "too_large")], id="endless"),
        pytest.param(b'{"action": "burn", "pass": {}, "keys": 1}', SEVERAL, id="several at once"),
        pytest.param(json.dumps(ELSEWHERE).encode(), [("to", "unknown_account")], id="no such account"),
        pytest.param(json.dumps(DATED).encode(), [("valid_until", "not_carried")], id="not carried"),
    ],
)
def test_a_mistaken_update_exits_2_with_every_problem(
    cli: Cli, config: Path, box: Sandbox, stdin: bytes, problems: list[tuple[str, str]]
) -> None:
    done = cli("send", "--json", "--config", config, stdin=stdin)

    assert (done.exit, sorted(done.problems)) == (2, sorted(problems))
    assert cli("send", "-n", "--config", config, stdin=stdin).out == ""
    assert box.requests() == []


@pytest.mark.parametrize("option", ["--from", "--after"])
@pytest.mark.parametrize("name", ["missing.json", ".", "a\udcff"])
def test_an_unreadable_file_exits_2(cli: Cli, config: Path, box: Sandbox, option: str, name: str) -> None:
    done = cli("send", "--json", "--config", config, option, name, stdin=REDEEM)

    assert (done.exit, done.problems) == (2, [(name, "unreadable_file")])
    assert box.requests() == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "unreadable_json"), ("[]", "not_an_object"), ("{}", "missing"), ('{"schema": "passbridge.outcome/2"}', "literal_error")],
)
def test_an_earlier_outcome_that_is_none_exits_2(cli: Cli, config: Path, box: Sandbox, text: str, code: str) -> None:
    Path("outcome.json").write_text(text, encoding="utf-8")

    done = cli("send", "--json", "--config", config, "--after", "outcome.json", stdin=REDEEM)

    assert (done.exit, done.json["error"]) == (2, "invalid_outcome")
    assert code in {found for _, found in done.problems}
    assert all(place.startswith("outcome.json") and not place.endswith(": ") for place, _ in done.problems)
    assert box.requests() == []


def test_the_outcome_of_another_update_exits_2(cli: Cli, config: Path, folder: Path) -> None:
    (folder / "outcome.json").write_text(cli("send", "--json", "--config", config, stdin=COUPON).out, encoding="utf-8")

    done = cli("send", "--json", "--config", config, "--after", "outcome.json", stdin=REDEEM)

    assert (done.exit, done.problems) == (2, [("after.account", "another_update"), ("after.pass_id", "another_update")])


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    master, slave = os.openpty()
    with os.fdopen(master, "rb"), os.fdopen(slave, encoding="utf-8") as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)

        assert run(["send"]) == 2
    assert capsys.readouterr().err == "error: give the update with --from FILE, or on standard input (see --help)\n"


def test_standard_input_is_not_read_twice(cli: Cli, config: Path) -> None:
    done = cli("send", "--json", "--config", config, "--after", "-", stdin=REDEEM)

    assert (done.exit, done.problems) == (2, [("", "usage")])
