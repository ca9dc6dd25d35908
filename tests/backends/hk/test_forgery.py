"""One byte changed anywhere under a signature, and nothing is believed any more."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from passbridge import Code
from passbridge.protocol.wire import Headers, WireResponse
from tests.backends.hk.desk import SUCCESS, TIME, field, judged, reply, result, signature

BODIES = {
    body: signature(body)
    for body in (
        SUCCESS,
        result("PASS_HAS_NOT_EXIST", "F"),
        result("UNKNOWN_EXCEPTION", "U", node="resultInfo"),
        result("NEW", "F", passId="2995228480402564890020"),
    )
}
BELIEVED = {Code.APPLIED, Code.PASS_NOT_FOUND, Code.PROVIDER_ERROR, Code.REFUSED}

answers = st.sampled_from(list(BODIES))


def flipped(data: bytes, at: int, by: int) -> bytes:
    """The bytes with one of them changed."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


def answer(body: bytes, signed: bytes, time: str = TIME) -> WireResponse:
    """An answer with these three parts."""
    return WireResponse(200, Headers({"Signature": field(signed), "Response-Time": time}), body)


@given(body=answers)
def test_unchanged_answers_are_believed(body: bytes) -> None:
    assert judged(answer(body, BODIES[body])).code in BELIEVED


@given(body=answers, at=st.integers(0, 10_000), by=st.integers(1, 255))
def test_an_answer_with_one_byte_of_its_body_changed_is_never_believed(body: bytes, at: int, by: int) -> None:
    assert judged(answer(flipped(body, at, by), BODIES[body])).code is Code.UNTRUSTED_ANSWER


@given(body=answers, at=st.integers(0, 255), by=st.integers(1, 255))
def test_an_answer_with_one_byte_of_its_signature_changed_is_never_believed(body: bytes, at: int, by: int) -> None:
    assert judged(answer(body, flipped(BODIES[body], at, by))).code is Code.UNTRUSTED_ANSWER


@given(body=answers, at=st.integers(0, len(TIME) - 1), by=st.integers(1, 255))
def test_an_answer_with_one_character_of_its_time_changed_is_never_believed(body: bytes, at: int, by: int) -> None:
    time = flipped(TIME.encode(), at, by).decode("latin-1")
    assert judged(answer(body, BODIES[body], time)).code is Code.UNTRUSTED_ANSWER


@given(body=answers, added=st.binary(min_size=1, max_size=4), front=st.booleans())
def test_an_answer_with_bytes_added_is_never_believed(body: bytes, added: bytes, front: bool) -> None:  # noqa: FBT001 - drawn
    longer = added + body if front else body + added
    assert judged(answer(longer, BODIES[body])).code is Code.UNTRUSTED_ANSWER


@given(body=answers, other=answers)
def test_the_signature_of_one_answer_says_nothing_of_another(body: bytes, other: bytes) -> None:
    assert (judged(answer(body, BODIES[other])).code in BELIEVED) == (body == other)


@given(
    value=st.text(st.characters(max_codepoint=0xFF)), names=st.sampled_from(["signature=", "algorithm=RSA256,keyVersion=1,signature=", ""])
)
def test_whatever_stands_in_the_field_the_answer_is_told_and_not_believed(value: str, names: str) -> None:
    assert judged(reply(signed=names + value)).code is Code.UNTRUSTED_ANSWER


@given(body=st.binary(max_size=40), signed=st.binary(max_size=300))
def test_no_bytes_at_all_make_the_reader_fail(body: bytes, signed: bytes) -> None:
    answered = WireResponse(200, Headers({"Signature": quote(signed), "Response-Time": TIME}), body)
    assert judged(answered).code is Code.UNTRUSTED_ANSWER
    assert judged(WireResponse(200, Headers({}), body)).code in {Code.NO_ANSWER, Code.UNTRUSTED_ANSWER}
