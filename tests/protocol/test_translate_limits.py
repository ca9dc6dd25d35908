from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from passbridge import Problem, load_update
from passbridge.protocol.mapping import Profile
from passbridge.protocol.translate import Translation, translate

NOW = datetime(2026, 11, 22, tzinfo=UTC)
CARD, MEMBERSHIP, TICKET, MAINLAND = "hk.card", "hk.membership", "hk.ticket", "mainland.pass"
HOLDER = {"id": "p", "user_id": "u"}


def put(profiles: Mapping[str, Profile], profile: str, defaults: Mapping[str, str | None] | None = None, **update: Any) -> Translation:  # noqa: ANN401
    """An update to close a pass, but for what is given."""
    known = {"merchant": "M", "channel": "C"} if defaults is None else defaults
    return translate(load_update({"action": "close", "pass": HOLDER} | update), profiles[profile], known, NOW)


def wrong(written: Translation) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in written.problems]


def of(member: str, text: str) -> dict[str, Any]:
    """An update with this text in one member."""
    section, _, name = member.partition(".")
    value: dict[str, Any] = {"code": "v", "method": "wave", name: text} if section == "proof" else HOLDER | {name: text}
    return {"action": "redeem", section: value}


REFUSING = [
    (CARD, "pass.merchant", "merchantId", 32),
    (CARD, "pass.user_id", "userId", 32),
    (CARD, "pass.template", "templateCode", 32),
    (CARD, "pass.id", "passId", 32),
    (CARD, "proof.code", "passVerifyCode", 128),
    (TICKET, "pass.merchant", "merchantId", 64),
    (MAINLAND, "pass.id", "serial_number", 999),
    (MAINLAND, "pass.channel", "channel_id", 999),
    (MAINLAND, "proof.code", "verify_code", 999),
]


@pytest.mark.parametrize(("profile", "path", "wire", "limit"), REFUSING)
def test_a_documented_limit_is_reached_and_not_passed(
    profile: str, path: str, wire: str, limit: int, profiles: Mapping[str, Profile]
) -> None:
    assert put(profiles, profile, **of(path, "券" * limit)).problems == ()
    message = f"{wire} has {limit + 1} characters, the document allows {limit}"
    assert put(profiles, profile, **of(path, "券" * (limit + 1))).problems == (Problem(path, "too_long", message, "shorten it"),)


def test_a_membership_cards_merchant_has_64_characters(profiles: Mapping[str, Profile]) -> None:
    assert wrong(put(profiles, MEMBERSHIP, {"merchant": "m" * 64})) == []
    assert wrong(put(profiles, MEMBERSHIP, {"merchant": "m" * 65})) == [("pass.merchant", "too_long")]


@pytest.mark.parametrize("member", ["user_id", "open_id", "id", "template"])
def test_where_no_limit_is_documented_none_is_held(member: str, profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, MEMBERSHIP, **of(f"pass.{member}", "x" * 5000) | {"action": "close"})
    assert (written.problems, written.notes) == ((), ())


def test_mainland_text_is_measured_as_it_is_sent(profiles: Mapping[str, Profile]) -> None:
    around = len('{"a":""}')
    assert put(profiles, MAINLAND, content={"params": {"a": "券" * (99999 - around)}}).problems == ()
    (problem,) = put(profiles, MAINLAND, content={"params": {"a": "券" * (100000 - around)}}).problems
    assert problem == Problem("content", "too_long", "tpl_params has 100000 characters, the document allows 99999", "shorten it")


@pytest.mark.parametrize(("length", "noted"), [(32, False), (33, True)])
def test_a_doubtful_limit_only_notes(length: int, *, noted: bool, profiles: Mapping[str, Profile]) -> None:
    open_id = put(profiles, CARD, **of("pass.open_id", "o" * length))
    content = put(profiles, CARD, content={"raw": {"a": "x" * (length - 8)}})
    for written, path, wire in ((open_id, "pass.open_id", "openId"), (content, "content", "dataInfo")):
        note = f"{path}: {wire} has {length} characters, the document allows 32, which is doubtful"
        assert written.notes == ((note,) if noted else ())
        assert written.problems == ()


LENGTHS = {
    "pass": "ticketName 12 24 address 24 48 platformName 32 64 platformLogo 256 256",
    "movie": "ticketName 12 24 cinemaName 32 64 address 32 64 cinemaHouse 32 64",
    "bus_ticket": "from 24 48 fromAddress 64 128 to 24 48 toAddress 64 128",
    "ship_ticket": "from 24 48 fromAddress 64 128 to 24 48 toAddress 64 128",
}
CHILDREN = [
    (kind, *row, locale, int(limit))
    for kind, words in LENGTHS.items()
    for row in zip(*[iter(words.split())] * 3, strict=True)
    for locale, limit in (("zh_HK", row[1]), ("en_US", row[2]))
]


@pytest.mark.parametrize(("kind", "name", "locale", "limit"), [(row[0], row[1], row[4], row[5]) for row in CHILDREN])
def test_a_tickets_parameters_have_advised_lengths_in_each_language(
    kind: str, name: str, locale: str, limit: int, profiles: Mapping[str, Profile]
) -> None:
    def notes(value: object) -> tuple[str, ...]:
        content = {"locales": {locale: {name: value}, "ja_JP": {name: "x" * 999}}}
        written = put(profiles, TICKET, action="revise", kind=kind, content=content)
        assert written.problems == ()
        return written.notes

    assert notes("x" * limit) == notes(10**290) == ()
    assert notes("x" * (limit + 1)) == (f"content: {name} has {limit + 1} characters in {locale}, the document advises {limit}",)


def test_a_parameter_for_every_language_is_measured_in_the_gateways_two(profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, TICKET, action="revise", kind="pass", content={"params": {"address": "x" * 49}})
    assert written.notes == tuple(
        f"content: address has 49 characters in {locale}, the document advises {limit}" for locale, limit in (("zh_HK", 24), ("en_US", 48))
    )
    for harmless in ({"raw": {"address": "x" * 99}}, {"params": {"other": "x" * 999}}):
        assert put(profiles, TICKET, action="revise", kind="pass", content=harmless).notes == ()
