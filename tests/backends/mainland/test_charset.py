"""GBK and UTF-8: the gateway answers in either, whichever was asked for, and both are read byte by byte."""

from __future__ import annotations

import pytest

from passbridge import Code, Finding
from tests.backends.mainland.desk import NODE, account, body, judged, node, signature

CHARSETS = ("utf-8", "gbk")
TRICKY = "乗亄亇誠"
"""Characters whose second byte in GBK is a backslash or a brace."""


@pytest.mark.parametrize("answered", CHARSETS)
@pytest.mark.parametrize("asked", CHARSETS)
def test_an_answer_is_read_in_either_charset_whichever_was_asked_for(asked: str, answered: str) -> None:
    raw = body(node(sub_msg="系统繁忙", msg="处理"), charset=answered)
    verdict = judged(raw, account(asked))
    assert verdict.code is Code.APPLIED
    assert verdict.native is not None
    assert verdict.native.message == "系统繁忙"


@pytest.mark.parametrize("asked", CHARSETS)
def test_the_gateway_s_own_error_in_gbk_is_understood_whatever_was_asked(asked: str) -> None:
    raw = body('{"msg":"Service Currently Unavailable","code":"20000","sub_msg":"系统繁忙","sub_code":"aop.unknow-error"}', charset="gbk")
    verdict = judged(raw, account(asked))
    assert (verdict.code, verdict.native and verdict.native.message) == (Code.PROVIDER_ERROR, "系统繁忙")


@pytest.mark.parametrize("asked", CHARSETS)
def test_second_bytes_that_look_like_json_are_none(asked: str) -> None:
    source = node(sub_msg=TRICKY)
    assert b"\x99\x5c" in TRICKY.encode("gbk") or b"\x5c" in TRICKY.encode("gbk")
    assert b"{" in TRICKY.encode("gbk")
    assert b"}" in TRICKY.encode("gbk")
    verdict = judged(body(source, charset="gbk"), account(asked))
    assert verdict.code is Code.APPLIED
    assert verdict.native is not None
    assert verdict.native.message == TRICKY


def test_a_second_byte_before_a_slash_is_no_escape() -> None:
    source = node(sub_msg="乗/")
    assert b"\\/" in source.encode("gbk")
    assert judged(body(source, charset="gbk"), account("gbk")).code is Code.APPLIED
    wrong = source.encode("gbk").replace(b"\\/", b"/")
    assert judged(body(source, charset="gbk", signed=signature(wrong)), account("gbk")).code is Code.UNTRUSTED_ANSWER


def test_a_slash_may_be_escaped_in_gbk_too() -> None:
    plain = node(sub_msg="乗https://a")
    escaped = plain.replace("/", "\\/")
    raw = body(escaped, charset="gbk", signed=signature(plain.encode("gbk")))
    verdict = judged(raw, account("gbk"))
    assert (verdict.code, verdict.native and verdict.native.message) == (Code.APPLIED, "乗https://a")


def test_characters_beyond_gbk_in_gb18030_are_read() -> None:
    verdict = judged(body(node(sub_msg="€😀𠮷"), charset="gb18030"), account("gbk"))
    assert (verdict.code, verdict.native and verdict.native.message) == (Code.APPLIED, "€😀𠮷")


@pytest.mark.parametrize("asked", CHARSETS)
def test_a_text_that_both_charsets_can_read_is_read_as_it_was_signed(asked: str) -> None:
    # These bytes are text in both; the signature holds over the bytes, so the asked charset decides what is shown.
    assert "聽".encode() == "鑱?".encode("gbk", "replace")[:2] + b"\xbd"
    raw = body(node(sub_msg="鏀粯"), charset="gbk")
    assert judged(raw, account(asked)).code is Code.APPLIED


@pytest.mark.parametrize("asked", CHARSETS)
@pytest.mark.parametrize("answered", CHARSETS)
def test_the_signature_is_over_the_bytes_that_came_and_not_over_the_other_charset_s(asked: str, answered: str) -> None:
    source = node(sub_msg="系统繁忙")
    other = "gbk" if answered == "utf-8" else "utf-8"
    verdict = judged(body(source, charset=answered, signed=signature(source.encode(other))), account(asked))
    assert verdict.code is Code.UNTRUSTED_ANSWER


@pytest.mark.parametrize("asked", CHARSETS)
@pytest.mark.parametrize("name", [NODE, "error_response"])
def test_bytes_that_neither_charset_holds_are_not_trusted_where_they_name_the_node(name: str, asked: str) -> None:
    verdict = judged(f'{{"{name}":"'.encode() + b'\xff"}', account(asked))
    assert (verdict.code, verdict.native) == (Code.UNTRUSTED_ANSWER, None)
    messages = [f"the answer is not {codec} at byte {len(name) + 5}" for codec in ("utf-8", "gb18030")]
    assert verdict.finding in [Finding(code="SIG-UNREADABLE", message=message) for message in messages]


@pytest.mark.parametrize("asked", CHARSETS)
@pytest.mark.parametrize(
    "page", [b"\xff\xfe<html>", "<html>网关错误</html>".encode("gbk"), "<html>网关错误</html>".encode(), b"", b"{}", b"null"]
)
def test_a_page_in_any_charset_is_no_answer(page: bytes, asked: str) -> None:
    verdict = judged(page, account(asked))
    assert (verdict.code, verdict.reason) == (Code.NO_ANSWER, "not an answer of the gateway: no signature and no node of this method")
    assert verdict.finding is None


@pytest.mark.parametrize("page", [f"<html>{NODE}</html>", '<html>"error_response"</html>', f'{{"{NODE}":'])
def test_a_page_that_names_the_node_is_not_trusted(page: str) -> None:
    verdict = judged(page.encode("gbk"))
    assert verdict.code is Code.UNTRUSTED_ANSWER
    assert verdict.finding is not None
    assert verdict.finding.message.startswith("the answer is not readable as JSON: Expecting ")


def test_of_two_readings_the_one_of_the_protocol_s_shape_is_told() -> None:
    # UTF-8 asked; in GBK it is JSON without a node of ours, in UTF-8 it is nothing.
    verdict = judged('{"其他":1,"sign":"eA=="}'.encode("gbk"))
    assert (verdict.code, verdict.finding and verdict.finding.code) == (Code.UNTRUSTED_ANSWER, "SIG-OTHER-NODE")
