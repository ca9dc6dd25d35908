from __future__ import annotations

import pytest

from passbridge import Problem
from tests.protocol.overlaid import Texts, laid, refused

RISK = Problem(
    "", "risk", "changes what is known about the pass (applied, not applied, unknown) or settles a doubt", 'say why in accept_risk = "…"'
)
NEW = 'source = ["a letter"]\nconfidence = "observed"\n'


# An overlay's row, and whether it changes what is known about the pass or which doubts are settled.
RISKS: dict[str, tuple[str, str, bool]] = {
    "a refusal named better": ("hk.card.codes.PARAM_ILLEGAL", "outcome = 'MALFORMED_REQUEST'", False),
    "a note": ("hk.card.codes.PARAM_ILLEGAL", "note = 'x'", False),
    "a slower pace": ("hk.card.codes.PARAM_ILLEGAL", "slow = true", False),
    "a refusal held for the wanted state": ("hk.card.codes.PASS_STATUS_ILLEGAL", "outcome = 'ALREADY_IN_STATE'", True),
    "the wanted state for one action": ("hk.card.codes.PASS_STATUS_ILLEGAL", "on.close = 'ALREADY_IN_STATE'", True),
    "the wanted state held for a refusal": ("hk.card.codes.PASS_USED_OCCUPIED", "on.redeem = 'STATE_CONFLICT'", True),
    "a refusal held for unknown": ("hk.card.codes.PARAM_ILLEGAL", "outcome = 'UNMAPPED'\nstatus = 'U'", True),
    "one more action settled": ("hk.card.codes.PASS_HAS_NOT_EXIST", "settles = ['revise', 'close']", True),
    "one action settled less": ("hk.card.codes.PASS_HAS_NOT_EXIST", "settles = []", True),
    "the same settled in another order": ("hk.card.codes.USER_NOT_EXIST", "settles = ['refund', 'revise', 'close', 'redeem']", False),
    "unknown named otherwise": ("mainland.pass.codes.20000", "outcome = 'UNMAPPED'", False),
    "unknown held for a refusal": ("mainland.pass.codes.20000", "outcome = 'REFUSED'", True),
    "a sub_code's refusal named better": ("mainland.pass.sub_codes.not-online-app", "outcome = 'REFUSED'", False),
    "a sub_code held for unknown": ("mainland.pass.sub_codes.not-online-app", "outcome = 'PROVIDER_ERROR'", True),
    "a success that is none": ("mainland.pass.codes.10000", "outcome = 'REFUSED'", True),
    "a new refusal, as its letter says": ("hk.card.codes.NEW", NEW + "outcome = 'PASS_NOT_FOUND'\nstatus = 'F'", False),
    "a new refusal that settles": ("hk.card.codes.NEW", NEW + "outcome = 'PASS_NOT_FOUND'\nstatus = 'F'\nsettles = ['close']", True),
    "a new unknown, as its letter says": ("hk.card.codes.NEW", NEW + "outcome = 'PROVIDER_ERROR'\nstatus = 'U'", False),
    "a new code under both letters, as they say": (
        "hk.card.codes.NEW",
        NEW + "outcome = 'REFUSED'\nstatus = 'FU'\nby_status.U = 'PROVIDER_ERROR'",
        False,
    ),
    "a new success": ("hk.card.codes.NEW", NEW + "outcome = 'APPLIED'\nstatus = 'S'", True),
    "a new wanted state": ("hk.card.codes.NEW", NEW + "outcome = 'ALREADY_IN_STATE'\nstatus = 'F'", True),
    "a new gateway code that refuses": ("mainland.pass.codes.50000", NEW + "outcome = 'REFUSED'", True),
    "a new gateway code that is unknown": ("mainland.pass.codes.50000", NEW + "outcome = 'PROVIDER_ERROR'", False),
    "a new sub_code that refuses": ("mainland.pass.sub_codes.new", NEW + "outcome = 'INVALID_VALUE'", False),
    "a new sub_code that is unknown": ("mainland.pass.sub_codes.new", NEW + "outcome = 'PROVIDER_ERROR'", True),
    "a new sub_code of the gateway's, unknown": ("mainland.pass.sub_codes.isp.new", NEW + "outcome = 'UNMAPPED'", False),
    "a new sub_code of the gateway's that refuses": ("mainland.pass.sub_codes.isp.new", NEW + "outcome = 'REFUSED'", True),
    "a new sub_code, unknown for one action": ("mainland.pass.sub_codes.new", NEW + "outcome = 'REFUSED'\non.close = 'UNMAPPED'", True),
    "a new sub_code that settles": ("mainland.pass.sub_codes.new", NEW + "outcome = 'REFUSED'\nsettles = ['close']", True),
    "a sub_code where there are none": ("hk.card.sub_codes.new", NEW + "outcome = 'REFUSED'", True),
    "another status that settles a doubt": ("mainland.pass.query.redeem", "status = ['USED', 'EXPIRED']", True),
    "a status that settles no longer": ("mainland.pass.query.close", "status = []", True),
    "a deletion that settles": ("mainland.pass.query.redeem", "deleted = true", True),
    "content wanted besides": ("mainland.pass.query.redeem", "content = true", True),
    "the same status twice": ("mainland.pass.query.redeem", "status = ['USED', 'USED']", False),
    "a note about a query": ("mainland.pass.query.redeem", "note = 'x'", False),
    "a new action settled by a query": ("mainland.pass.query.revise", NEW + "content = true", True),
    "another unknown error of the gateway's": ("mainland.pass.sub_codes.aop.unknown-x", NEW + "outcome = 'PROVIDER_ERROR'", False),
}


def placed(where: str, row: str) -> tuple[str, str]:
    """The overlay's text and the place a problem names."""
    backend, profile, section, code = where.split(".", 3)
    return f'[{backend}.{profile}.{section}."{code}"]\n{row}\n', f"0.toml: {backend}.{profile}.{section}.{code}"


@pytest.mark.parametrize(("where", "row", "risk"), RISKS.values(), ids=RISKS)
def test_a_reason_is_wanted_exactly_where_what_is_known_changes(where: str, row: str, *, risk: bool, texts: Texts) -> None:
    overlay, place = placed(where, row)
    if risk:
        assert refused(texts, overlay) == (Problem(place, RISK.code, RISK.message, RISK.mend),)
    else:
        laid(texts, overlay)


@pytest.mark.parametrize(
    ("where", "row"), [(where, row) for where, row, risk in RISKS.values() if risk], ids=[k for k, v in RISKS.items() if v[2]]
)
def test_with_a_reason_the_row_is_taken(where: str, row: str, texts: Texts) -> None:
    backend, profile, section, code = where.split(".", 3)
    overlay, _ = placed(where, f"{row}\naccept_risk = 'seen twice'")
    changed = laid(texts, overlay).profiles[f"{backend}.{profile}"]
    assert getattr(changed, section)[code].accept_risk == "seen twice"


def test_an_empty_reason_is_none(texts: Texts) -> None:
    overlay, _ = placed("hk.card.codes.PASS_STATUS_ILLEGAL", "outcome = 'ALREADY_IN_STATE'\naccept_risk = ''")
    assert refused(texts, overlay)


@pytest.mark.parametrize("where", ["mainland.pass.codes.20000", "mainland.pass.sub_codes.isp.unknow-error"])
def test_a_reason_given_by_one_overlay_does_not_cover_the_next(where: str, texts: Texts) -> None:
    first, _ = placed(where, "outcome = 'REFUSED'\naccept_risk = 'a letter says so'")
    second, _ = placed(where, "outcome = 'APPLIED'")
    laid(texts, first)
    assert [problem.code for problem in refused(texts, first, second)] == ["risk"]


def test_a_reason_for_what_a_query_must_show_stays_with_it_alone(texts: Texts) -> None:
    row = f"[mainland.pass.query.revise]\n{NEW}content = true\n"
    noted = laid(texts, f"{row}accept_risk = 'seen'", "[mainland.pass.query.revise]\nnote = 'x'").profiles["mainland.pass"].query["revise"]
    assert (noted.note, noted.accept_risk, noted.content) == ("x", "seen", True)
    again = refused(texts, f"{row}accept_risk = 'seen'", "[mainland.pass.query.revise]\nstatus = ['CAN_USE']")
    assert [(problem.path, problem.code) for problem in again] == [("1.toml: mainland.pass.query.revise", "risk")]


@pytest.mark.parametrize("outcome", ["UNMAPPED", "REFUSED", "APPLIED"])
def test_a_new_code_without_a_letter_is_refused(outcome: str, texts: Texts) -> None:
    """No answer of AlipayHK comes without a letter: the row would turn what the letter says into a contradiction."""
    overlay, _ = placed("hk.card.codes.NEW", f"{NEW}outcome = '{outcome}'")
    assert refused(texts, overlay)


def test_each_profile_that_a_shared_row_changes_is_named(texts: Texts) -> None:
    found = refused(texts, "[hk.base.codes.PASS_STATUS_ILLEGAL]\noutcome = 'ALREADY_IN_STATE'")
    assert [problem.path for problem in found] == [
        f"0.toml: hk.{name}.codes.PASS_STATUS_ILLEGAL" for name in ("card", "membership", "ticket")
    ]
