from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from passbridge.protocol.gateway import Capabilities
from passbridge.protocol.mapping import Profile
from passbridge.protocol.transforms import epoch_ms, texts
from passbridge.protocol.translate import carried

CARD, MEMBERSHIP, TICKET, MAINLAND = "hk.card", "hk.membership", "hk.ticket", "mainland.pass"


@pytest.mark.parametrize(
    ("moment", "milliseconds"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(1970, 1, 1, 8, 0, 0, 1999, tzinfo=timezone(timedelta(hours=8))), 1),
        (datetime(2026, 11, 22, 10, 0, 0, 999999, tzinfo=timezone(timedelta(hours=8))), 1795312800999),
        (datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC), -1000),
    ],
)
def test_epoch_milliseconds_are_whole_and_cut(moment: datetime, milliseconds: int) -> None:
    assert epoch_ms(moment) == milliseconds


def test_every_text_inside_a_value_is_found_with_its_place() -> None:
    value: Any = {"a": ["x", 1, {"b": "y"}], "c": None}
    assert list(texts(value, "content")) == [
        ("content", "a"),
        ("content.a[0]", "x"),
        ("content.a[2]", "b"),
        ("content.a[2].b", "y"),
        ("content", "c"),
    ]


CARRIED = {
    CARD: (
        "redeem close revise", "level score validity",
        "pass.merchant pass.user_id pass.open_id pass.template pass.id action kind proof.code proof.method valid_until content",
    ),
    MEMBERSHIP: (
        "close revise", "member_card",
        "pass.merchant pass.user_id pass.open_id pass.template pass.id action kind valid_until content code_info",
    ),
    TICKET: (
        "redeem close revise refund", "air_ticket train_ticket bus_ticket ship_ticket movie pass",
        "pass.merchant pass.user_id pass.open_id pass.id action kind at valid_until content",
    ),
    MAINLAND: (
        "redeem close revise", "",
        "pass.id pass.channel content action proof.code proof.method pass.user_id pass.open_id",
    ),
}  # fmt: skip


@pytest.mark.parametrize("profile", CARRIED)
def test_what_an_account_can_carry_is_what_its_profile_has_fields_for(profile: str, profiles: Mapping[str, Profile]) -> None:
    expected = (*profile.split("."), *(tuple(words.split()) for words in CARRIED[profile]))
    assert carried("name", profiles[profile]) == Capabilities("name", *expected)  # type: ignore[arg-type]


def test_a_profiles_variant_is_all_after_its_backends_name(profiles: Mapping[str, Profile]) -> None:
    carries = carried("name", profiles[CARD].model_copy(update={"name": "acme.pass.v2"}))
    assert (carries.backend, carries.profile) == ("acme", "pass.v2")
