from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passbridge import Code, Finding, Native
from passbridge.protocol.mapping import CodeRow
from passbridge.protocol.verdict import Verdict, bad_answer, by_row, no_answer, no_reply, retry_after, untrusted
from passbridge.protocol.wire import Headers, NoReply, WireResponse

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=8)))
NATIVE = Native(code="40004", sub_code="isv.x", verified=True)


def asking(value: str | None) -> WireResponse:
    return WireResponse(503, Headers() if value is None else Headers({"retry-after": value}), b"")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        (" 120 ", 120.0),
        ("007", 7.0),
        ("999999999", 999999999.0),
        ("Sun, 22 Nov 2026 02:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 10:01:00 +0800", 60.0),
        ("Sunday, 22-Nov-26 02:00:30 GMT", 30.0),
        ("Sun Nov 22 02:00:30 2026 +0000", 30.0),
        ("Sun, 22 Nov 2026 01:59:59 GMT", 0.0),
        ("Sun, 22 Nov 2026 02:00:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("1234567890", 1e9),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1 2", None),
        ("\uff17", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 02:00:30 -0000", None),
        ("Sun, 99 Nov 2026 02:00:30 GMT", None),
        ("Sun, 22 Nov 99999999999999999999 02:00:30 GMT", None),
        ("Sun, 22 Nov 2026 02:00:30 +99999999999999", None),
    ],
)
def test_retry_after_is_read_in_both_its_forms_or_not_at_all(value: str | None, seconds: float | None) -> None:
    assert retry_after(asking(value), NOW) == seconds


@given(st.text(max_size=30) | st.text("Sun, 22Nov:+-GMT061/().", max_size=40))
def test_no_retry_after_breaks_the_reader(value: str) -> None:
    seconds = retry_after(asking(value), NOW)
    assert seconds is None or seconds >= 0


def test_nothing_that_came_is_unknown_but_where_no_byte_left() -> None:
    assert no_reply(NoReply("read timeout", sent=True)) == Verdict(code=Code.NO_ANSWER, sent=True, reason="read timeout")
    assert no_reply(NoReply("refused", sent=False)) == Verdict(code=Code.NOT_SENT, sent=False, reason="refused")


def test_what_is_not_the_gateways_answer_decides_nothing_and_may_ask_to_wait() -> None:
    expected = Verdict(code=Code.NO_ANSWER, reason="HTTP status 503", retry_after=9.0)
    assert no_answer(asking("9"), "HTTP status 503", NOW) == expected
    assert expected.sent
    assert no_answer(asking("Sun, 22 Nov 2026 02:00:09 GMT"), "HTTP status 503", NOW) == expected


def test_an_unproved_answer_is_kept_as_a_claim_with_the_finding() -> None:
    finding = Finding(code="SIG-WRONG", message="the signature is wrong", mend="compare the keys")
    claim = Native(code="SUCCESS", verified=False)
    assert untrusted(finding, claim, "t") == Verdict(
        code=Code.UNTRUSTED_ANSWER, finding=finding, native=claim, trace_id="t", reason="the signature is wrong"
    )


def test_a_verified_answer_that_cannot_be_understood_says_why() -> None:
    assert bad_answer("no code", NATIVE, "t") == Verdict(code=Code.BAD_ANSWER, reason="no code", native=NATIVE, trace_id="t")


def row(**more: object) -> CodeRow:
    return CodeRow.model_validate({"outcome": "REFUSED", "source": ["x"], "confidence": "observed", **more})


def test_a_row_gives_its_verdict_what_it_says() -> None:
    assert by_row(row(), Code.REFUSED, "p#codes.X", NATIVE, "t") == Verdict(
        code=Code.REFUSED, rule="p#codes.X", native=NATIVE, trace_id="t"
    )
    full = by_row(row(settles=["close"], slow=True, accept_risk="seen twice"), Code.UNMAPPED, "p#codes.X", NATIVE, None)
    assert full == Verdict(
        code=Code.UNMAPPED, rule="p#codes.X", native=NATIVE, settles=("close",), slow=True, note="read by an overlay: seen twice"
    )


@pytest.mark.parametrize(("native", "word"), [(NATIVE, "isv.x"), (Native(code="INVALID_SIGNATURE", verified=True), "INVALID_SIGNATURE")])
def test_a_refused_signature_is_a_finding_about_our_key(native: Native, word: str) -> None:
    verdict = by_row(row(signature=True), Code.ACCESS_DENIED, "p#codes.X", native, None)
    assert verdict.finding == Finding(
        code="SIG-REFUSED",
        message=f"the gateway refused our signature: {word}",
        mend="compare the public key registered at the gateway with the public half of this account's private key",
    )


def test_a_verdict_is_of_an_attempt_that_left_and_of_a_code_that_is_known_unless_it_says_otherwise() -> None:
    verdict = Verdict(code=Code.APPLIED)
    assert verdict.sent
    assert verdict.mapped
    assert (verdict.settles, verdict.slow, verdict.retry_after, verdict.answer) == ((), False, None, None)
