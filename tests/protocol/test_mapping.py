from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from passbridge import Code
from passbridge.protocol.mapping import ALL_ACTIONS, CodeRow, Contradiction, FieldRow, OutcomeRow, Profile, QueryRow

OUTCOME = {"effect": "applied", "next": "none", "who": "nobody", "exit": 0, "ok": True, "certain": True, "text": "Done."}
CODE = {"outcome": "REFUSED", "source": ["seed"], "confidence": "documented"}
EVIDENCE = {"source": ["seed"], "confidence": "documented"}
SHOWN: dict[str, Any] = EVIDENCE | {"status": ["USED"]}
FIELD = {"wire": "passId", "confidence": "documented"}
CONTRADICTION = {"field": "id", "readings": ["a", "b"], "chosen": "a", "why": "so"}
PROFILE: dict[str, Any] = {
    "name": "x.y",
    "title": "X",
    "source": "a page",
    "actions": {"redeem": "USED"},
    "fields": {"id": FIELD, "action": {"wire": "status", "confidence": "documented"}},
}


def field(wire: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - TOML
    return {"wire": wire, "confidence": "documented"} | more


def profile(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - TOML
    return PROFILE | more


def fields(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - TOML
    return profile(fields=PROFILE["fields"] | more)


@pytest.mark.parametrize(
    ("model", "raw"),
    [(OutcomeRow, OUTCOME), (CodeRow, CODE), (FieldRow, FIELD), (QueryRow, SHOWN), (Contradiction, CONTRADICTION), (Profile, PROFILE)],
)
def test_a_row_is_strict_and_frozen(model: type[BaseModel], raw: dict[str, Any]) -> None:
    row = model.model_validate(raw)
    with pytest.raises(ValidationError, match="frozen"):
        setattr(row, next(iter(raw)), 1)
    with pytest.raises(ValidationError, match="extra_forbidden"):
        model.model_validate(raw | {"more": 1})


REQUIRED: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    *((OutcomeRow, OUTCOME, name) for name in OUTCOME),
    *((CodeRow, CODE, name) for name in CODE),
    *((FieldRow, FIELD, name) for name in FIELD),
    *((QueryRow, SHOWN, name) for name in EVIDENCE),
    *((Contradiction, CONTRADICTION, name) for name in CONTRADICTION),
    *((Profile, PROFILE, name) for name in PROFILE),
]


@pytest.mark.parametrize(("model", "raw", "name"), REQUIRED, ids=lambda value: value if isinstance(value, str) else "")
def test_what_a_row_must_say_may_not_be_missing(model: type[BaseModel], raw: dict[str, Any], name: str) -> None:
    with pytest.raises(ValidationError, match="Field required"):
        model.model_validate({key: value for key, value in raw.items() if key != name})


REFUSED: list[tuple[type[BaseModel], dict[str, Any], str]] = [
    (OutcomeRow, OUTCOME | {"exit": -1}, "greater than or equal to 0"),
    (OutcomeRow, OUTCOME | {"exit": 71}, "less than or equal to 70"),
    (OutcomeRow, OUTCOME | {"text": ""}, "at least 1 character"),
    (OutcomeRow, OUTCOME | {"effect": "done"}, "Input should be"),
    (OutcomeRow, OUTCOME | {"effect": "not_applied"}, "ok needs the effect applied or in_state"),
    (OutcomeRow, OUTCOME | {"effect": "not_sent"}, "ok needs the effect applied or in_state"),
    (OutcomeRow, OUTCOME | {"effect": "unknown", "certain": False}, "ok needs the effect applied or in_state"),
    (OutcomeRow, OUTCOME | {"effect": "unknown", "ok": False}, "what is unknown is not certain"),
    (CodeRow, CODE | {"outcome": "DONE"}, "Input should be"),
    (CodeRow, CODE | {"on": {"use": "REFUSED"}}, "match pattern"),
    (CodeRow, CODE | {"on": {"redeem": "DONE"}}, "Input should be"),
    (CodeRow, CODE | {"status": "X"}, "match pattern"),
    (CodeRow, CODE | {"by_status": {"FU": "REFUSED"}}, "match pattern"),
    (CodeRow, CODE | {"by_status": {"X": "REFUSED"}}, "match pattern"),
    (CodeRow, CODE | {"settles": ["use"]}, "Input should be"),
    (CodeRow, CODE | {"source": []}, "at least 1 item"),
    (CodeRow, CODE | {"source": [""]}, "at least 1 character"),
    (CodeRow, CODE | {"confidence": "sure"}, "Input should be"),
    (CodeRow, CODE | {"accept_risk": ""}, "at least 1 character"),
    (FieldRow, FIELD | {"wire": ""}, "at least 1 character"),
    (FieldRow, FIELD | {"as": "xml"}, "Input should be"),
    (FieldRow, FIELD | {"max_length": 0}, "greater than or equal to 1"),
    (FieldRow, FIELD | {"missing": "ignore"}, "Input should be"),
    (FieldRow, FIELD | {"required": ["use"]}, "Input should be"),
    (FieldRow, FIELD | {"actions": ["use"]}, "Input should be"),
    (Contradiction, CONTRADICTION | {"readings": ["a"]}, "at least 2 items"),
    (Contradiction, CONTRADICTION | {"why": ""}, "at least 1 character"),
    (Profile, profile(title=""), "at least 1 character"),
    (Profile, profile(source=""), "at least 1 character"),
    (Profile, profile(actions={}), "at least 1 item"),
    (Profile, profile(actions={"use": "USED"}), "Input should be"),
    (Profile, profile(kinds={"a": ""}), "at least 1 character"),
    (Profile, profile(fallback={"F": "DONE"}), "Input should be"),
    (Profile, fields(name=field("name")), "Input should be"),
    (Profile, fields(kind=field("passId")), "two fields are called 'passId' on the wire"),
    (Profile, fields(user_id=field("a"), open_id=field("a"), kind=field("b"), at=field("b", **{"as": "epoch_ms"})),
     "two fields are called 'a' on the wire; two fields are called 'b' on the wire"),
    (Profile, profile(one_of=[{"members": ["id", "user_id"], "mend": "x"}]), "one_of names 'user_id', which is no field"),
    (Profile, profile(lengths={"movie": {"a": {"zh_HK": 1}}}), "lengths names 'movie', which is no kind"),
    (Profile, profile(query={"refund": SHOWN}), "query names 'refund', which is no action of it"),
    (Profile, profile(query={"resell": SHOWN}), "query.resell"),
    (QueryRow, EVIDENCE, "any pass would settle a doubt: it needs status, deleted or content"),
    (QueryRow, SHOWN | {"status": [], "deleted": False}, "any pass would settle a doubt"),
    (QueryRow, SHOWN | {"status": [""]}, "status.0"),
    (QueryRow, SHOWN | {"source": []}, "source"),
    (QueryRow, SHOWN | {"confidence": "certain"}, "confidence"),
    (QueryRow, SHOWN | {"accept_risk": ""}, "accept_risk"),
    (QueryRow, SHOWN | {"outcome": "APPLIED"}, "outcome"),
    (Profile, fields(kind=field("kind", default="movie")), "the default kind 'movie' is no kind"),
    (Profile, fields(id=field("passId", **{"as": "epoch_ms"})), "'id' can't be written as epoch_ms"),
    (Profile, fields(at=field("bizDate")), "'at' can't be written as text"),
    (Profile, fields(valid_until=field("endDate", **{"as": "flat"})), "'valid_until' can't be written as flat"),
    (Profile, fields(content=field("dataInfo", **{"as": "iso8601"})), "'content' can't be written as iso8601"),
    (Profile, fields(code_info=field("codeInfo", **{"as": "bare"})), "'code_info' can't be written as bare"),
    (Profile, profile(fields={"id": FIELD}), "'action' has no field"),
    (Profile, profile(fields={"action": FIELD}), "'id' has no field"),
    (Profile, profile(fields={}, lengths={"a": {}}), "lengths names 'a', which is no kind; 'id' has no field; 'action' has no field"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "raw", "message"), REFUSED, ids=[f"{model.__name__}: {message}" for model, _, message in REFUSED])
def test_a_mistake_in_a_row_is_refused(model: type[BaseModel], raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(raw)
    assert message in str(caught.value)


@pytest.mark.parametrize("what", [{"status": ["USED"]}, {"deleted": True}, {"content": True}, {"status": ["A", "B"], "content": True}])
def test_what_a_query_must_show_is_a_status_a_deletion_or_the_content(what: dict[str, Any]) -> None:
    row = QueryRow.model_validate(EVIDENCE | what)
    assert {"status": row.status, "deleted": row.deleted, "content": row.content} == {
        "status": tuple(what.get("status", ())),
        "deleted": what.get("deleted", False),
        "content": what.get("content", False),
    }


@pytest.mark.parametrize(
    "raw",
    [
        OUTCOME | {"exit": 70},
        OUTCOME | {"effect": "in_state", "certain": False},
        OUTCOME | {"effect": "unknown", "ok": False, "certain": False},
        OUTCOME | {"effect": "not_applied", "ok": False},
    ],
)
def test_what_an_outcome_may_say_is_taken(raw: dict[str, Any]) -> None:
    OutcomeRow.model_validate(raw)


MOMENTS, CONTENTS = ("iso8601", "epoch_ms", "epoch_ms_text"), ("nested", "nested_text", "flat", "bare", "params", "params_text")


@pytest.mark.parametrize(
    ("member", "transform"),
    [(member, how) for member in ("at", "valid_until") for how in MOMENTS]
    + [("content", how) for how in CONTENTS]
    + [(member, "text") for member in ("user_id", "code_info", "proof_code")],
)
def test_a_member_may_be_written_in_its_own_ways(member: str, transform: str) -> None:
    row = Profile.model_validate(fields(**{member: field("w", **{"as": transform})})).fields[member]  # type: ignore[index]
    assert row.transform == transform


def test_a_default_kind_that_is_a_kind_and_a_lone_limit_are_taken() -> None:
    kind = field("kind", default="movie", max_length=1)
    assert Profile.model_validate(fields(kind=kind) | {"kinds": {"movie": "M"}}).fields["kind"].max_length == 1


@pytest.mark.parametrize(
    ("more", "action", "letter", "expected"),
    [
        ({}, "redeem", "F", "REFUSED"),
        ({"on": {"redeem": "ALREADY_IN_STATE"}}, "redeem", "F", "ALREADY_IN_STATE"),
        ({"on": {"redeem": "ALREADY_IN_STATE"}}, "close", "F", "REFUSED"),
        ({"by_status": {"U": "PROVIDER_ERROR"}}, "close", "U", "PROVIDER_ERROR"),
        ({"by_status": {"U": "PROVIDER_ERROR"}}, "close", "", "REFUSED"),
        ({"by_status": {"U": "PROVIDER_ERROR"}, "on": {"close": "UNMAPPED"}}, "close", "U", "PROVIDER_ERROR"),
        ({"by_status": {"U": "PROVIDER_ERROR"}, "on": {"close": "UNMAPPED"}}, "close", "F", "UNMAPPED"),
    ],
)
def test_a_row_is_read_by_letter_then_by_action(more: dict[str, Any], action: str, letter: str, expected: str) -> None:
    row = CodeRow.model_validate(CODE | more)
    assert row.read(action, letter) is Code(expected)
    if not letter:
        assert row.read(action) is Code(expected)


def test_what_a_row_leaves_out_has_its_harmless_reading() -> None:
    code, plain = CodeRow.model_validate(CODE), FieldRow.model_validate(FIELD)
    assert (code.status, code.settles, code.signature, code.slow, code.accept_risk) == ("", (), False, False, None)
    assert plain.actions == ALL_ACTIONS == ("redeem", "close", "revise", "refund")
    assert (plain.transform, plain.required, plain.default, plain.max_length) == ("text", (), None, None)
    assert (plain.doubtful, plain.missing) == (False, "")
