"""What holds for every answer and every update, looked for by searching for a counter-example."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache, partial
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from passbridge import Client, ConfigError, InvalidUpdate, PassUpdate, load_update
from passbridge.backends.hk.signature import SignatureField, _parsed
from passbridge.domain import Finding, JsonError, read_json
from passbridge.protocol.jsonbytes import members
from passbridge.protocol.verdict import retry_after
from passbridge.protocol.wire import Headers, WireResponse
from tests.strategies import json_values, updates
from tests.trust.gateways import DEFINITE, REGIONS, desk

QUICK = settings(deadline=None, max_examples=150)

Spelled = tuple[bytes, tuple[tuple[str, str], ...]]


@cache
def _right(name: str, says: str) -> Spelled:
    answer = desk(name).answer(says)
    return answer.body, tuple((field.partition(":")[0], field.partition(":")[2].strip()) for field in answer.fields)


answers = st.sampled_from([(name, says) for name, region in REGIONS.items() for says in region.codes])


def _flipped(data: bytes, at: int, by: int) -> bytes:
    place = at % len(data)
    return data[:place] + bytes([data[place] ^ by]) + data[place + 1 :]


@QUICK
@given(answer=answers)
def test_a_right_answer_is_believed(answer: tuple[str, str]) -> None:
    assert desk(answer[0]).judge(*_right(*answer)).code in DEFINITE


@settings(QUICK, max_examples=500)
@given(answer=answers, at=st.integers(0, 100_000), by=st.integers(1, 255))
def test_an_answer_with_one_byte_of_its_body_changed_is_believed_only_where_the_verified_text_is_untouched(
    answer: tuple[str, str], at: int, by: int
) -> None:
    body, fields = _right(*answer)
    was, changed = desk(answer[0]).judge(body, fields), desk(answer[0]).judge(_flipped(body, at, by), fields)
    if answer[0] == "hk":  # the whole body is signed
        assert changed.code not in DEFINITE
    assert changed.code not in DEFINITE or (changed.code, changed.native, changed.rule) == (was.code, was.native, was.rule)


@settings(QUICK, max_examples=300)
@given(answer=answers, which=st.integers(0, 20), at=st.integers(0, 1000), by=st.integers(1, 127))
def test_an_answer_with_one_byte_of_its_head_changed_is_never_believed_to_say_something_else(
    answer: tuple[str, str], which: int, at: int, by: int
) -> None:
    body, fields = _right(*answer)
    place = which % len(fields)
    name, value = fields[place]
    head = f"{name}: {value}".encode("latin-1")
    bent = _flipped(head, at, by).decode("latin-1").partition(":")[::2]
    changed = desk(answer[0]).judge(body, (*fields[:place], (bent[0], bent[1].strip()), *fields[place + 1 :]))
    was = desk(answer[0]).judge(body, fields)
    assert changed.code not in DEFINITE or (changed.code, changed.native, changed.rule) == (was.code, was.native, was.rule)


@QUICK
@given(two=st.sampled_from(list(permutations(REGIONS["hk"].codes, 2))))
def test_the_head_of_one_answer_proves_nothing_of_another_body(two: tuple[str, str]) -> None:
    body, head = (_right("hk", says) for says in two)
    assert desk("hk").judge(body[0], head[1]).code not in DEFINITE


@QUICK
@given(
    name=st.sampled_from(list(REGIONS)),
    body=st.binary(max_size=300),
    fields=st.lists(
        st.tuples(
            st.sampled_from(["Signature", "Response-Time", "tracerId", "Retry-After", "Content-Type"]),
            st.text(st.characters(max_codepoint=255), max_size=80),
        ),
        max_size=5,
    ),
    status=st.sampled_from([200, 200, 200, 302, 503]),
)
def test_no_answer_at_all_makes_the_reader_fail_or_believe(name: str, body: bytes, fields: list[tuple[str, str]], status: int) -> None:
    verdict = desk(name).judge(body, tuple(fields), status)
    assert verdict.code not in DEFINITE
    assert verdict.retry_after is None or verdict.retry_after >= 0


def _raises_nothing_but(kind: type[Exception], call: Callable[[], object]) -> None:
    """Make a call that may fail in this one way, with words."""
    told = "done"
    with contextlib.suppress(kind):
        try:
            call()
        except kind as error:
            told = str(error)
            raise
    assert told


blanks = st.text(" \t\r\n", max_size=4)


def _spelled(value: Any, indent: int | None, *, ascii_only: bool) -> str:  # noqa: ANN401 - JSON
    return json.dumps(value, indent=indent, ensure_ascii=ascii_only)


@settings(QUICK, max_examples=300)
@given(
    before=st.dictionaries(st.text(max_size=6), json_values, max_size=3),
    value=json_values,
    after=st.dictionaries(st.text(max_size=6), json_values, max_size=3),
    gaps=st.tuples(blanks, blanks, blanks, blanks),
    indent=st.sampled_from([None, 0, 1, 3]),
    ascii_only=st.booleans(),
)
def test_a_members_source_is_its_own_text_whatever_stands_around_it(  # noqa: PLR0913, PLR0917 - the parts of a document
    before: dict[str, Any],
    value: Any,  # noqa: ANN401 - JSON
    after: dict[str, Any],
    gaps: tuple[str, ...],
    indent: int | None,
    ascii_only: bool,  # noqa: FBT001 - drawn
) -> None:
    assume(not {"node"} & (before.keys() | after.keys()) and not before.keys() & after.keys())
    source = _spelled(value, indent, ascii_only=ascii_only)
    parts = [f"{json.dumps(name)}{gaps[0]}:{gaps[1]}{_spelled(one, indent, ascii_only=True)}" for name, one in before.items()]
    parts.append(f'"node"{gaps[2]}:{gaps[3]}{source}')
    parts += [f"{json.dumps(name)}:{_spelled(one, None, ascii_only=False)}" for name, one in after.items()]
    text = gaps[0] + "{" + gaps[3] + f"{gaps[1]},{gaps[2]}".join(parts) + gaps[2] + "}" + gaps[1]
    found = members(text)
    assert found["node"].source == source
    assert found["node"].value == value
    assert {name: one.value for name, one in found.items()} == {**before, "node": value, **after}


@settings(QUICK, max_examples=300)
@given(text=st.text(max_size=60) | st.text('{}[]",:\\u0d8eE+-.019 \tntfalsr', max_size=60))
@example("[" * 200_000)
@example('{"a":' * 200_000)
@example('{"a":"\\ud800","\\ud800":1}')
@example('{"a":' + "9" * 100_000 + "}")
@example('{"a":1e' + "9" * 100_000 + "}")
@example('"' + "\\" * 100_001)
def test_no_text_makes_a_reader_of_json_raise_anything_but_its_own_error(text: str) -> None:
    readers: list[Callable[[str], object]] = [members, read_json, lambda one: read_json(one.encode("utf-8", "surrogatepass"))]
    for reader in readers:
        _raises_nothing_but(JsonError, partial(reader, text))


@settings(QUICK, max_examples=300)
@given(data=st.binary(max_size=60))
def test_no_bytes_make_the_strict_reader_raise_anything_but_its_own_error(data: bytes) -> None:
    _raises_nothing_but(JsonError, lambda: read_json(data))


@settings(QUICK, max_examples=300)
@given(
    text=st.text(max_size=60) | st.lists(st.sampled_from(["algorithm", "signature", "=", ",", " ", "%", "%zz", "AAAA", "é"])).map("".join)
)
def test_no_signature_field_makes_its_reader_fail(text: str) -> None:
    assert isinstance(_parsed(text), SignatureField | Finding)


@settings(QUICK, max_examples=300)
@given(
    text=st.text(max_size=40)
    | st.lists(st.sampled_from(["Sun,", "06", "Nov", "1994", "08:49:37", "GMT", "+9999", "-", ":", " ", "99999", ""])).map(" ".join)
)
def test_no_retry_after_makes_its_reader_fail(text: str) -> None:
    seconds = retry_after(WireResponse(503, Headers({"Retry-After": text}), b""), datetime.now(UTC))
    assert seconds is None or seconds >= 0


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=10,
)
MEMBERS = ["action", "to", "key", "pass", "pass_", "proof", "content", "at", "valid_until", "code_info", "kind", "id", "user_id", "params"]


@settings(QUICK, max_examples=300)
@given(
    value=st.dictionaries(
        st.sampled_from(MEMBERS) | st.text(max_size=5), anything | st.dictionaries(st.sampled_from(MEMBERS), anything), max_size=6
    )
)
@example(value={"action": {}, "[key]": {}})
def test_no_mapping_makes_load_update_raise_anything_but_invalid_update(value: dict[str, object]) -> None:
    _raises_nothing_but(InvalidUpdate, lambda: load_update(value))


@settings(QUICK, max_examples=300)
@given(text=st.text(max_size=60) | json_values.map(json.dumps) | st.binary(max_size=60))
def test_no_text_makes_load_update_raise_anything_but_invalid_update(text: str | bytes) -> None:
    _raises_nothing_but(InvalidUpdate, lambda: load_update(text))


@QUICK
@given(update=updates())
def test_an_update_survives_its_own_json(update: PassUpdate) -> None:
    assert load_update(json.dumps(update.as_json())) == update


TABLES = ["default", "secrets_dir", "accounts", "retry", "http", "mappings"]
SETTINGS = [
    "backend",
    "profile",
    "gateway",
    "client_id",
    "private_key",
    "gateway_public_key",
    "gateway_public_keys",
    "extends",
    "retry",
    "app_id",
]
words = st.sampled_from(["hk", "mainland", "ticket", "https://a.b", "x", "", "env"])
accounts = st.dictionaries(
    st.text(max_size=6),
    st.dictionaries(st.sampled_from(SETTINGS), anything | words | st.dictionaries(words, words), max_size=7) | anything,
    max_size=3,
)


@settings(QUICK, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    given_=st.dictionaries(st.sampled_from(TABLES) | st.text(max_size=4), anything, max_size=4),
    several=st.none() | accounts,
)
@pytest.mark.filterwarnings("ignore::passbridge.PassbridgeWarning")
def test_no_mapping_makes_a_client_raise_anything_but_config_error(given_: dict[str, Any], several: dict[str, Any] | None) -> None:
    with pytest.raises(ConfigError) as caught:
        Client.from_config(given_ | ({"accounts": several} if several is not None else {}))
    assert caught.value.problems
    assert str(caught.value)
