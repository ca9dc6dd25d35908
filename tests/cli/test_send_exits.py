"""The exit code of every outcome, each brought about by a gateway that really answers so."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passbridge.sandbox import Sandbox
from passbridge.shipped import shipped_tables
from tests.cli.conftest import COUPON, REDEEM, REVISE, TICKET, Cli

HK = [
    ("", "APPLIED", 0),
    ("code:PASS_USED_OCCUPIED", "ALREADY_IN_STATE", 1),
    ("code:PASS_STATUS_ILLEGAL", "STATE_CONFLICT", 1),
    ("code:PASS_HAS_NOT_EXIST", "PASS_NOT_FOUND", 1),
    ("code:USER_NOT_EXIST", "HOLDER_NOT_FOUND", 1),
    ("code:PARAM_ILLEGAL", "INVALID_VALUE", 1),
    ("code:BIZ_NOT_SUPPORT", "UNSUPPORTED", 3),
    ("code:REQUEST_TRAFFIC_EXCEED_LIMIT:F", "RATE_LIMITED", 6),
    ("code:REQUEST_TRAFFIC_EXCEED_LIMIT:U", "PROVIDER_ERROR", 5),
    ("code:UNKNOWN_EXCEPTION", "PROVIDER_ERROR", 5),
    ("lose-answer", "NO_ANSWER", 5),
    ("drop-request", "NO_ANSWER", 5),
    ("http-502", "NO_ANSWER", 5),
    ("http-502-after", "NO_ANSWER", 5),
    ("unsigned", "UNTRUSTED_ANSWER", 5),
    ("bad-signature", "UNTRUSTED_ANSWER", 5),
]
MAINLAND = [
    ("", "APPLIED", 0),
    ("code:KP.AE_ALIPASS_NOTEXIST", "PASS_NOT_FOUND", 1),
    ("code:KP.AE_ALIPASS_PARAMS_FORMAT_ERROR", "MALFORMED_REQUEST", 1),
    ("code:KP.AE_ALIPASS_PARAME_IS_NULL", "MISSING_FIELD", 1),
    ("code:KP.AE_ALIPASS_PARAMS_VALUE_INVAILD", "INVALID_VALUE", 1),
    ("code:KP.AE_ALIPASS_CHAR_NOT_GBK", "UNENCODABLE_TEXT", 1),
    ("code:KP.AE_ALIPASS_UPDATE_ERROR", "REFUSED", 1),
    ("code:KP.AE_SYSTEM_ERROR", "PROVIDER_ERROR", 5),
    ("code:isv.insufficient-isv-permissions", "ACCESS_DENIED", 3),
    ("code:isv.invalid-signature", "ACCESS_DENIED", 4),
    ("code:isv.app-call-limited", "RATE_LIMITED", 6),
    ("code:isp.unknow-error", "PROVIDER_ERROR", 5),
    ("code:10003", "UNMAPPED", 5),
    ("bad-signature", "UNTRUSTED_ANSWER", 5),
    ("http-502", "NO_ANSWER", 5),
]


@pytest.mark.parametrize(
    ("update", "row"),
    [(REDEEM, row) for row in HK] + [(COUPON, row) for row in MAINLAND],
    ids=[f"hk {fault or 'honest'}" for fault, *_ in HK] + [f"mainland {fault or 'honest'}" for fault, *_ in MAINLAND],
)
def test_every_outcome_has_its_exit_code(
    cli: Cli, once: Callable[[str], Path], box: Sandbox, update: dict[str, Any], row: tuple[str, str, int]
) -> None:
    fault, code, exit_code = row
    if fault:
        box.add_fault({"fault": fault})

    done = cli("send", "--json", "--config", once(update["to"]), stdin=update)

    assert (done.json["code"], done.exit, done.err) == (code, exit_code, "")
    assert exit_code == shipped_tables().outcomes[done.json["code"]].exit or (code, exit_code) == ("ACCESS_DENIED", 4)


def test_a_presumed_redeem_exits_0(cli: Cli, config: Path, box: Sandbox) -> None:
    box.add_fault({"fault": "lose-answer"})

    done = cli("send", "--json", "--config", config, stdin=REDEEM)

    assert (done.json["code"], done.exit, done.json["certain"]) == ("APPLIED_PRESUMED", 0, False)


def test_nothing_listening_exits_6(cli: Cli, rewritten: Callable[..., Path], box: Sandbox) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        path = rewritten((box.url, f"http://127.0.0.1:{taken.getsockname()[1]}"), more="\n[retry]\nattempts = 1\n")

        done = cli("send", "--json", "--config", path, stdin=REDEEM)

    assert (done.json["code"], done.exit) == ("NOT_SENT", 6)
    assert [one["sent"] for one in done.json["attempts"]] == [False]


@pytest.mark.parametrize(
    ("update", "key", "expected"),
    [(REDEEM, "hk-app", ("UNTRUSTED_ANSWER", 5)), (COUPON, "cn-app", ("ACCESS_DENIED", 4))],
    ids=["hk answers that unsigned", "mainland signs its refusal"],
)
def test_a_key_that_was_never_uploaded_is_found_out(
    cli: Cli, rewritten: Callable[..., Path], update: dict[str, Any], key: str, expected: tuple[str, int]
) -> None:
    path = rewritten()
    assert cli("keys", "generate", "--name", "stranger").exit == 0
    (path.parent / "keys" / "stranger.pem").replace(path.parent / "keys" / f"{key}.pem")

    done = cli("send", "--json", "--config", path, stdin=update)

    assert (done.json["code"], done.exit) == expected
    assert len(done.json["attempts"]) == 1
    shown = cli("send", "--config", path, stdin=update).out
    assert f"\n  signature: {done.json['finding']['message']}. {done.json['finding']['mend']}\n" in shown
    assert ("(unproved)" in shown) == (expected[0] == "UNTRUSTED_ANSWER")


def test_a_refund_in_doubt_is_for_the_staff_to_look_at(cli: Cli, config: Path, box: Sandbox) -> None:
    box.add_fault({"fault": "lose-answer"})
    refund = {"action": "refund", "to": "hk-tickets", "pass": REDEEM["pass"]}

    done = cli("send", "--config", config, stdin=refund)

    assert done.exit == 5
    assert done.out.startswith(f"NO_ANSWER  refund {TICKET} at hk-tickets\n")
    assert "\n  next: investigate, by operator\n" in done.out
    assert len(box.requests()) == 1


def test_a_broken_configuration_exits_3_before_anything_is_sent(cli: Cli, rewritten: Callable[..., Path], box: Sandbox) -> None:
    done = cli("send", "--json", "--config", rewritten(('sign_type = "RSA2"', 'sign_typ = "RSA2"')), stdin=REVISE)

    assert (done.exit, done.problems) == (3, [("own.toml: accounts.cn.sign_typ", "unknown_member")])
    assert box.requests() == []
