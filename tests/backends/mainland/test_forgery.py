"""One byte changed under a signature, and nothing is believed any more; and no bytes make the reader fail."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passbridge import Code
from tests.backends.mainland.desk import NODE, account, body, judged, node, signature

SOURCES = (
    node(),
    node(code="40004", sub_code="KP.AE_ALIPASS_NOTEXIST", sub_msg="卡券不存在", success=False, result={}),
    node(code="20000", sub_code="isp.unknow-error", success=..., result=...),
)
BELIEVED = {Code.APPLIED, Code.PASS_NOT_FOUND, Code.PROVIDER_ERROR}
DOUBTED = {Code.UNTRUSTED_ANSWER, Code.NO_ANSWER}

sources = st.sampled_from(SOURCES)
charsets = st.sampled_from(["utf-8", "gbk"])


def flipped(data: bytes, at: int, by: int) -> bytes:
    """The bytes with one of them changed."""
    at %= len(data)
    return data[:at] + bytes([data[at] ^ by]) + data[at + 1 :]


@pytest.mark.parametrize("charset", ["utf-8", "gbk"])
@pytest.mark.parametrize("source", SOURCES)
def test_unchanged_answers_are_believed(source: str, charset: str) -> None:
    assert judged(body(source, charset=charset), account(charset)).code in BELIEVED


@given(source=sources, charset=charsets, at=st.integers(0, 10_000), by=st.integers(1, 255))
def test_a_node_with_one_byte_changed_is_never_believed(source: str, charset: str, at: int, by: int) -> None:
    whole = body(source, charset=charset)
    raw = source.encode(charset)
    changed = whole.replace(raw, flipped(raw, at, by))
    assert judged(changed, account(charset)).code in DOUBTED


@given(source=sources, charset=charsets, at=st.integers(0, 255), by=st.integers(1, 255))
def test_a_signature_with_one_byte_changed_is_never_believed(source: str, charset: str, at: int, by: int) -> None:
    raw = source.encode(charset)
    signed = base64.b64encode(flipped(base64.b64decode(signature(raw)), at, by)).decode()
    assert judged(body(source, charset=charset, signed=signed), account(charset)).code is Code.UNTRUSTED_ANSWER


@given(source=sources, at=st.integers(0, 10_000), by=st.integers(1, 255))
def test_a_byte_changed_anywhere_never_turns_one_answer_into_another(source: str, at: int, by: int) -> None:
    whole = body(source)
    plain = judged(whole)
    changed = judged(flipped(whole, at, by))
    assert changed.code in DOUBTED or (changed.code, changed.native) == (plain.code, plain.native)


@given(source=sources, other=sources)
def test_the_signature_of_one_node_says_nothing_of_another(source: str, other: str) -> None:
    assert (judged(body(source, signed=signature(other.encode()))).code in BELIEVED) == (source == other)


@given(raw=st.binary(max_size=200), asked=charsets)
def test_no_bytes_at_all_make_the_reader_fail(raw: bytes, asked: str) -> None:
    assert judged(raw, account(asked)).code in DOUBTED


@given(value=st.text(max_size=30), asked=charsets)
def test_no_text_in_the_places_of_node_and_sign_is_believed(value: str, asked: str) -> None:
    text = f'{{"{NODE}":{value},"sign":"{value}"}}'.encode("utf-8", "replace")
    assert judged(text, account(asked)).code in DOUBTED
