from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from pydantic import ValidationError

from passbridge import Close, Content, PassRef, PassUpdate, Proof, Redeem, Refund, Revise, load_update
from passbridge.domain import kept_update, write_json
from tests.strategies import updates

HONG_KONG = timezone(timedelta(hours=8))

SAMPLES: dict[str, tuple[str, PassUpdate]] = {
    "redeem a card": (
        """{"action": "redeem", "to": "hk-cards", "key": "order-77",
            "pass": {"id": "2995228480402564890018", "user_id": "2160400000000135", "template": "5228480402564890018"},
            "proof": {"code": "52284804025648900182995228480402564890018", "method": "qrcode"}}""",
        Redeem(
            to="hk-cards",
            key="order-77",
            pass_=PassRef(id="2995228480402564890018", user_id="2160400000000135", template="5228480402564890018"),
            proof=Proof(code="52284804025648900182995228480402564890018", method="qrcode"),
        ),
    ),
    "revise a ticket": (
        """{"action": "revise", "to": "hk-tickets", "key": "gate-9", "pass": {"id": "1", "open_id": "2"}, "kind": "air_ticket",
            "at": "2026-11-22T10:00:00+08:00",
            "content": {"params": {"gate": "B12"}, "locales": {"zh_HK": {"notice": "登機口更改"}, "en_US": {"notice": "Gate changed"}}}}""",
        Revise(
            to="hk-tickets",
            key="gate-9",
            pass_=PassRef(id="1", open_id="2"),
            kind="air_ticket",
            at=datetime(2026, 11, 22, 10, tzinfo=HONG_KONG),
            content=Content(params={"gate": "B12"}, locales={"zh_HK": {"notice": "登機口更改"}, "en_US": {"notice": "Gate changed"}}),
        ),
    ),
    "revise a membership card": (
        """{"action": "revise", "to": "hk-members", "pass": {"id": "1", "user_id": "2"}, "content": {"params": {"points": 12000}},
            "valid_until": "2027-12-31T23:59:59+08:00", "code_info": null}""",
        Revise(
            to="hk-members",
            pass_=PassRef(id="1", user_id="2"),
            content=Content(params={"points": 12000}),
            valid_until=datetime(2027, 12, 31, 23, 59, 59, tzinfo=HONG_KONG),
            code_info=None,
        ),
    ),
    "redeem a mainland pass": (
        """{"action": "redeem", "to": "cn", "pass": {"id": "209919213", "channel": "2088918273"},
            "proof": {"code": "8612231273", "method": "wave"}, "content": {"params": {"title": "券标题"}}}""",
        Redeem(
            to="cn",
            pass_=PassRef(id="209919213", channel="2088918273"),
            proof=Proof(code="8612231273", method="wave"),
            content=Content(params={"title": "券标题"}),
        ),
    ),
    "refund a ticket": (
        """{"action": "refund", "to": "hk-tickets", "pass": {"id": "1", "user_id": "2"}}""",
        Refund(to="hk-tickets", pass_=PassRef(id="1", user_id="2")),
    ),
    "close, and nothing that may be left out": ("""{"action": "close", "pass": {"id": "1"}}""", Close(pass_=PassRef(id="1"))),
}


@pytest.mark.parametrize(("text", "expected"), SAMPLES.values(), ids=SAMPLES)
def test_every_sample_is_read_alike_from_text_bytes_and_mapping(text: str, expected: PassUpdate) -> None:
    for source in (text, text.encode(), json.loads(text)):
        update = load_update(source)
        assert type(update) is type(expected)
        assert update == expected
        assert update.model_fields_set >= expected.model_fields_set


@pytest.mark.parametrize("text", [text for text, _ in SAMPLES.values()], ids=SAMPLES)
def test_every_sample_is_written_again_member_for_member(text: str) -> None:
    assert load_update(text).as_json() == json.loads(text)


@given(updates())
def test_an_update_survives_its_own_json(update: PassUpdate) -> None:
    for source in (update.as_json(), json.dumps(update.as_json())):
        again = load_update(source)
        assert type(again) is type(update)
        assert again == update
        assert again.model_fields_set - {"action"} == update.model_fields_set - {"action"}


@given(updates())
def test_what_was_kept_is_read_as_it_was_read_first(update: PassUpdate) -> None:
    text = write_json(update.as_json())
    kept, read = kept_update(text), load_update(text)
    assert type(kept) is type(read)
    assert kept == read
    assert kept.model_fields_set == read.model_fields_set
    assert write_json(kept.as_json()) == text  # 1 and 1.0, 0 and false are equal, and not the same


def test_json_begins_with_the_action_and_leaves_out_what_was_not_given() -> None:
    assert list(Close(pass_=PassRef(id="1"), key="k").as_json()) == ["action", "key", "pass"]


def test_code_info_absent_null_and_object_stay_apart() -> None:
    plain: dict[str, object] = {"action": "revise", "pass": {"id": "1"}}
    absent, null, given_ = load_update(plain), load_update(plain | {"code_info": None}), load_update(plain | {"code_info": {"code": "7"}})
    assert "code_info" not in absent.model_fields_set
    assert "code_info" in null.model_fields_set
    assert null.code_info is None
    assert given_.code_info == {"code": "7"}
    assert "code_info" not in absent.as_json()
    assert null.as_json()["code_info"] is None
    assert given_.as_json()["code_info"] == {"code": "7"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-22T10:00:00+08:00", datetime(2026, 11, 22, 10, tzinfo=HONG_KONG)),
        ("2026-11-22t10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22 10:00:00.5-03:30", datetime(2026, 11, 22, 10, 0, 0, 500000, tzinfo=timezone(-timedelta(hours=3, minutes=30)))),
    ],
)
@pytest.mark.parametrize("member", ["at", "valid_until"])
def test_a_moment_is_text_with_its_zone_or_a_datetime(member: str, text: str, moment: datetime) -> None:
    for value in (text, moment):
        read = getattr(load_update({"action": "close", "pass": {"id": "1"}, member: value}), member)
        assert read == moment
        assert read.utcoffset() == moment.utcoffset()


def test_params_hold_any_json_null_and_empty_text_included() -> None:
    params = {"a": None, "b": "", "c": [1, {"d": False}], "e": 1.5, "f": 10**299}
    update = load_update({"action": "revise", "pass": {"id": "1"}, "content": {"params": params}})
    assert update.content is not None
    assert update.content.params == params


@pytest.mark.parametrize(
    ("content", "empty"),
    [
        (Content(), True),
        (Content(locales={"zh_HK": {}}), True),
        (Content(params={"a": None}), False),
        (Content(locales={"zh_HK": {}, "en_US": {"a": ""}}), False),
        (Content(raw={}), False),
    ],
)
def test_content_is_empty_where_there_is_nothing_to_send(content: Content, *, empty: bool) -> None:
    assert content.empty is empty


@pytest.mark.parametrize("model", [Redeem, Close, Revise, Refund])
def test_updates_are_frozen_down_to_the_pass(model: type[PassUpdate]) -> None:
    update = model.model_validate({"pass": PassRef(id="1"), "content": Content(params={"a": 1})})
    for owner, member in ((update, "key"), (update.pass_, "id"), (update.content, "params")):
        with pytest.raises(ValidationError, match="frozen"):
            setattr(owner, member, "x")


def test_a_model_built_directly_raises_pydantics_own_error() -> None:
    with pytest.raises(ValidationError):
        Redeem(pass_=PassRef(id=""))
    with pytest.raises(ValidationError):
        Close(pass_=PassRef(id="1"), proof=Proof(code="1"))  # type: ignore[call-arg]


def test_only_a_redeem_takes_a_proof() -> None:
    assert [model for model in (Redeem, Close, Revise, Refund) if "proof" in model.model_fields] == [Redeem]
