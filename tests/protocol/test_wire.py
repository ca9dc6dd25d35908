from __future__ import annotations

import pytest

from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse

FIELDS = (("Client-Id", "a"), ("Signature", "one"), ("signature", "two"), ("Response-Time", "t"))


def test_a_field_is_looked_up_without_regard_to_case_and_its_first_value_counts() -> None:
    headers = Headers(FIELDS)
    assert headers["SIGNATURE"] == "one"
    assert headers.get("client-id") == "a"
    assert headers.get("Tracer-Id") is None
    assert "response-TIME" in headers
    with pytest.raises(KeyError, match="Tracer-Id"):
        headers["Tracer-Id"]


def test_every_value_of_a_name_can_be_had_and_the_fields_stand_as_they_came() -> None:
    headers = Headers(iter(FIELDS))
    assert headers.all("Signature") == ("one", "two")
    assert headers.all("none") == ()
    assert headers.pairs() == FIELDS


def test_a_name_that_came_twice_is_one_key_in_its_first_spelling() -> None:
    headers = Headers(FIELDS)
    assert len(headers) == 3
    assert sorted(headers) == ["Client-Id", "Response-Time", "Signature"]
    assert len(list(headers)) == len(headers)


def test_a_mapping_or_nothing_is_taken_too() -> None:
    assert Headers({"A": "1"}).pairs() == (("A", "1"),)
    assert dict(Headers()) == {}
    assert repr(Headers({"A": "1"})) == "Headers([('A', '1')])"


def test_headers_are_read_only() -> None:
    with pytest.raises(AttributeError):
        Headers().more = 1  # type: ignore[attr-defined]
    with pytest.raises(TypeError):
        Headers()["A"] = "1"  # type: ignore[index]


def test_a_body_stands_in_no_repr() -> None:
    assert "secret" not in repr(WireRequest("POST", "https://gateway.example", Headers(), b"secret"))
    assert "secret" not in repr(WireResponse(200, Headers(), b"secret"))
    assert NoReply("read timeout", sent=True) == NoReply("read timeout", sent=True)
