from __future__ import annotations

import json
import pickle
import tomllib
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import pytest
from pydantic import ValidationError

from passbridge import Attempt, CallFailed, Code, Effect, Finding, Native, Next, Outcome, Who
from passbridge.resources import mapping_texts

EXAMPLE = """
{"schema": "passbridge.outcome/1", "code": "APPLIED", "effect": "applied", "next": "none", "who": "nobody", "ok": true, "certain": true,
 "mapped": true, "account": "hk-tickets", "action": "redeem", "pass_id": "2995", "key": "order-77", "at": null, "notes": [],
 "finding": null,
 "native": {"code": "SUCCESS", "status": "S", "sub_code": null, "message": "success", "verified": true},
 "trace_id": "abcdefg135202000000000263818", "rule": "hk.ticket#codes.SUCCESS", "text": "The gateway confirmed the update.",
 "started": "2026-11-22T10:00:00.123+08:00", "elapsed": 0.081,
 "attempts": [{"n": 1, "code": "APPLIED", "sent": true, "reason": null, "at": "2026-11-22T10:00:00.123+08:00",
               "trace_id": "abcdefg135202000000000263818", "elapsed": 0.08}]}
"""

# code, effect, next, who, exit, ok, certain: the promised table, row by row.
TABLE = """
APPLIED            applied      none         nobody     0  ok  certain
APPLIED_PRESUMED   in_state     none         nobody     0  ok  -
ALREADY_IN_STATE   in_state     investigate  operator   1  -   certain
STATE_CONFLICT     not_applied  fix_state    operator   1  -   certain
PASS_NOT_FOUND     not_applied  fix_request  operator   1  -   certain
HOLDER_NOT_FOUND   not_applied  fix_request  operator   1  -   certain
MALFORMED_REQUEST  not_applied  fix_request  developer  1  -   certain
MISSING_FIELD      not_applied  fix_request  developer  1  -   certain
INVALID_VALUE      not_applied  fix_request  developer  1  -   certain
UNENCODABLE_TEXT   not_applied  fix_request  developer  1  -   certain
REFUSED            not_applied  investigate  operator   1  -   certain
UNSUPPORTED        not_applied  fix_config   developer  3  -   certain
ACCESS_DENIED      not_applied  fix_config   operator   3  -   certain
RATE_LIMITED       not_applied  resend       client     6  -   certain
NOT_SENT           not_sent     resend       client     6  -   certain
INVALID_UPDATE     not_sent     fix_request  developer  2  -   certain
PROVIDER_ERROR     unknown      resolve      client     5  -   -
NO_ANSWER          unknown      resolve      client     5  -   -
BAD_ANSWER         unknown      resolve      operator   5  -   -
UNTRUSTED_ANSWER   unknown      investigate  operator   5  -   -
UNMAPPED           unknown      investigate  developer  5  -   -
"""
ROWS = {row[0]: row[1:] for line in TABLE.strip().splitlines() if (row := line.split())}


def example() -> Any:  # noqa: ANN401 - a JSON document
    return json.loads(EXAMPLE)


def test_the_promised_example_is_written_again_member_for_member() -> None:
    """A mainland answer's `result` is the only member beyond the example's."""
    written = json.loads(Outcome.model_validate_json(EXAMPLE).model_dump_json())
    assert written["native"].pop("result", None) is None
    assert list(written) == list(example())
    assert list(written["native"]) == list(example()["native"])
    assert list(written["attempts"][0]) == list(example()["attempts"][0])
    assert written == example()


def test_moments_are_written_to_the_millisecond_in_their_own_zone() -> None:
    moment = datetime(2026, 11, 22, 2, 0, 0, 999, tzinfo=UTC)
    outcome = Outcome.model_validate(example() | {"at": moment, "started": moment.replace(microsecond=999999)})
    written = json.loads(outcome.model_dump_json())
    assert (written["at"], written["started"]) == ("2026-11-22T02:00:00.000+00:00", "2026-11-22T02:00:00.999+00:00")
    assert outcome.model_dump(mode="json") == written
    assert outcome.model_dump()["at"] == moment


def test_an_outcome_survives_its_json_and_its_pickle() -> None:
    outcome = Outcome.model_validate(
        example()
        | {
            "finding": {"code": "SIG", "message": "m", "mend": "n"},
            "notes": ["a", "b"],
            "at": "2026-11-22T10:00:00+08:00",
            "native": {"result": {"a": [1]}, "verified": False},
        }
    )
    assert outcome.finding == Finding(code="SIG", message="m", mend="n")
    assert outcome.native == Native(result={"a": [1]}, verified=False)
    assert Outcome.model_validate_json(outcome.model_dump_json()) == outcome
    assert Outcome.model_validate(outcome.model_dump()) == outcome
    assert pickle.loads(pickle.dumps(outcome)) == outcome  # noqa: S301 - our own bytes


@pytest.mark.parametrize("member", [name for name in json.loads(EXAMPLE) if name != "schema"])
def test_no_member_of_an_outcome_may_be_missing(member: str) -> None:
    document = example()
    del document[member]
    with pytest.raises(ValidationError, match="Field required"):
        Outcome.model_validate(document)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "passbridge.outcome/2"},
        {"extra": 1},
        {"code": "DONE"},
        {"effect": "done"},
        {"elapsed": -0.001},
        {"started": "2026-11-22T10:00:00"},
        {"at": "2026-11-22T10:00:00"},
        {"native": {"code": "SUCCESS"}},
        {"attempts": [json.loads(EXAMPLE)["attempts"][0] | {"n": 0}]},
        {"attempts": [json.loads(EXAMPLE)["attempts"][0] | {"elapsed": -1}]},
        {"attempts": [json.loads(EXAMPLE)["attempts"][0] | {"at": "2026-11-22T10:00:00"}]},
    ],
    ids=str,
)
def test_what_is_no_outcome_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Outcome.model_validate(example() | change)


def test_outcomes_are_frozen() -> None:
    outcome = Outcome.model_validate(example())
    for owner in (outcome, outcome.native, outcome.attempts[0]):
        with pytest.raises(ValidationError, match="frozen"):
            owner.code = Code.REFUSED  # type: ignore[misc, union-attr]


def test_a_finding_needs_no_mend_and_native_words_may_all_be_missing() -> None:
    assert Finding(code="a", message="b").mend == ""
    assert Native(verified=True).model_dump() == {
        "code": None,
        "status": None,
        "sub_code": None,
        "message": None,
        "result": None,
        "verified": True,
    }
    assert Attempt.model_validate(example()["attempts"][0] | {"elapsed": 0}).elapsed == 0


@pytest.mark.parametrize(("closed", "column"), [(Effect, 0), (Next, 1), (Who, 2)], ids=["effect", "next", "who"])
def test_the_closed_lists_are_those_of_the_promised_table(closed: type[StrEnum], column: int) -> None:
    assert {member.value for member in closed} == {row[column] for row in ROWS.values()}


def test_the_codes_are_those_of_the_promised_table_in_its_order() -> None:
    assert [code.value for code in Code] == list(ROWS)
    assert all(code.name == code.value == str(code) for code in Code)


@pytest.mark.parametrize("code", ROWS)
def test_each_code_means_what_the_promised_table_says(code: str) -> None:
    row = tomllib.loads(mapping_texts()["outcomes.toml"])["outcomes"][code]
    effect, next_, who, exit_, ok, certain = ROWS[code]
    assert (row["effect"], row["next"], row["who"], row["exit"]) == (effect, next_, who, int(exit_))
    assert (row["ok"], row["certain"]) == (ok == "ok", certain == "certain")
    assert row["text"].endswith(".")


def test_a_failed_call_says_the_last_reason_or_the_outcomes_text() -> None:
    document = example()
    assert str(CallFailed(Outcome.model_validate(document))) == "hk-tickets: APPLIED: The gateway confirmed the update."
    document["attempts"].append(document["attempts"][0] | {"n": 2, "reason": "read timeout"})
    assert str(CallFailed(Outcome.model_validate(document))) == "hk-tickets: APPLIED: read timeout"
    assert str(CallFailed(Outcome.model_validate(document | {"attempts": []}))) == "hk-tickets: APPLIED: The gateway confirmed the update."


def test_a_failed_call_keeps_its_outcome_through_a_pickle() -> None:
    error = CallFailed(Outcome.model_validate(example()))
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(again) is CallFailed
    assert again.outcome == error.outcome
    assert str(again) == str(error)
