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
ALL = (CARD, MEMBERSHIP, TICKET, MAINLAND)
HOLDER = {"id": "p", "user_id": "u"}
END = "2027-12-31T23:59:59+08:00"
METHODS = ("wave", "qrcode", "barcode", "input")
NEEDED: dict[str, dict[str, Any]] = {
    CARD: {"kind": "score"},
    MEMBERSHIP: {},
    TICKET: {"kind": "pass", "content": {"params": {"a": 1}}},
    MAINLAND: {},
}


def put(profiles: Mapping[str, Profile], profile: str, defaults: Mapping[str, str | None] | None = None, **update: Any) -> Translation:  # noqa: ANN401
    """An update to close a pass, but for what is given."""
    known = {"merchant": "M", "channel": "C"} if defaults is None else defaults
    return translate(load_update({"action": "close", "pass": HOLDER} | update), profiles[profile], known, NOW)


def wrong(written: Translation) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in written.problems]


@pytest.mark.parametrize(
    ("profile", "action", "mend"),
    [
        (CARD, "refund", "known: close, redeem, revise"),
        (MEMBERSHIP, "redeem", "known: close, revise"),
        (MEMBERSHIP, "refund", "known: close, revise"),
        (MAINLAND, "refund", "known: close, redeem, revise"),
    ],
)
def test_an_action_the_profile_has_not_is_the_only_problem(profile: str, action: str, mend: str, profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, profile, {}, action=action, at=END)
    title = profiles[profile].title
    at = datetime.fromisoformat(END)
    assert written == Translation({}, at, (), (Problem("action", "unsupported_action", f"{title} has no {action}", mend),))


@pytest.mark.parametrize(
    ("profile", "refused"),
    [(CARD, ["code_info"]), (MEMBERSHIP, []), (TICKET, ["code_info"]), (MAINLAND, ["valid_until", "code_info"])],
)
def test_what_may_not_be_left_out_in_silence_is_refused(profile: str, refused: list[str], profiles: Mapping[str, Profile]) -> None:
    for code_info in (None, {"code": "1"}):
        written = put(profiles, profile, valid_until=END, code_info=code_info)
        title = profiles[profile].title
        assert written.problems == tuple(
            Problem(path, "not_carried", f"{title} has no field for it", "leave it out for this account") for path in refused
        )
        assert not [note for note in written.notes if "left out" in note]


def without(profile: Profile, *members: str) -> Profile:
    return profile.model_copy(update={"fields": {name: row for name, row in profile.fields.items() if name not in members}})


def test_content_is_refused_where_a_profile_has_no_field_for_it(profiles: Mapping[str, Profile]) -> None:
    bare = without(profiles[CARD], "content")
    (problem,) = put({CARD: bare}, CARD, content={"params": {"a": 1}}).problems
    assert problem == Problem("content", "not_carried", f"{bare.title} has no field for it", "leave it out for this account")


def test_a_proofs_code_alone_is_carried_where_a_profile_has_no_field_for_its_method(profiles: Mapping[str, Profile]) -> None:
    written = put({CARD: without(profiles[CARD], "proof_method")}, CARD, action="redeem", proof={"code": "v"})
    assert (written.document["passVerifyCode"], written.problems, written.notes) == ("v", (), ())


def test_languages_are_refused_on_the_mainland_alone(profiles: Mapping[str, Profile]) -> None:
    content = {"params": {"a": 1}, "locales": {"zh_HK": {"a": 2}}}
    title = profiles[MAINLAND].title
    problem = Problem("content.locales", "not_carried", f"{title} has no languages", "put the texts into content.params")
    assert put(profiles, MAINLAND, content=content).problems == (problem,)
    for profile in (CARD, MEMBERSHIP, TICKET):
        assert put(profiles, profile, content=content).problems == ()


@pytest.mark.parametrize("profile", [CARD, MEMBERSHIP, TICKET])
def test_alipayhk_needs_a_holder(profile: str, profiles: Mapping[str, Profile]) -> None:
    assert put(profiles, profile, **{"pass": {"id": "p"}}).problems == (
        Problem(
            "pass.user_id",
            "missing",
            "one of pass.user_id and pass.open_id is needed",
            "AlipayHK needs the holder: give pass.user_id or pass.open_id",
        ),
    )
    for holder in ({"user_id": "u"}, {"open_id": "o"}, {"user_id": "u", "open_id": "o"}):
        assert put(profiles, profile, **{"pass": {"id": "p"} | holder}).problems == ()


def test_the_mainland_needs_no_holder(profiles: Mapping[str, Profile]) -> None:
    assert put(profiles, MAINLAND, **{"pass": {"id": "p"}}).problems == ()


@pytest.mark.parametrize(("profile", "member"), [(CARD, "merchant"), (MEMBERSHIP, "merchant"), (TICKET, "merchant"), (MAINLAND, "channel")])
def test_the_merchants_own_number_comes_from_the_update_or_the_account(profile: str, member: str, profiles: Mapping[str, Profile]) -> None:
    wire = profiles[profile].fields[member].wire  # type: ignore[index]
    for action in profiles[profile].actions:
        needed = NEEDED[profile] if action == "revise" else {}
        problem = Problem(
            f"pass.{member}",
            "missing",
            f"{profiles[profile].title} needs it to {action}",
            f"give pass.{member}, or {member}_id in the account",
        )
        for nothing in ({}, {member: None}):
            assert put(profiles, profile, nothing, action=action, **needed).problems == (problem,)
        assert put(profiles, profile, {member: "A"}, action=action, **needed).document[wire] == "A"
        own = put(profiles, profile, {member: "A"}, action=action, **needed, **{"pass": HOLDER | {member: "B"}})
        assert own.document[wire] == "B"


@pytest.mark.parametrize(
    ("profile", "mend"),
    [(CARD, "add it: level, score, validity"), (TICKET, "add it: air_ticket, train_ticket, bus_ticket, ship_ticket, movie, pass")],
)
def test_a_revise_needs_its_kind(profile: str, mend: str, profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, profile, action="revise", content={"params": {"a": 1}})
    assert written.problems == (Problem("kind", "missing", f"{profiles[profile].title} needs it to revise", mend),)


def test_a_ticket_needs_content_to_revise_and_for_nothing_else(profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, TICKET, action="revise", kind="pass", valid_until=END)
    assert written.problems == (Problem("content", "missing", f"{profiles[TICKET].title} needs it to revise", "add it"),)
    for action in ("redeem", "close", "refund"):
        assert put(profiles, TICKET, action=action).problems == ()


KINDS = {
    CARD: {"level": "UPDATE_LEVEL", "score": "UPDATE_SCORE", "validity": "UPDATE_VALIDITY"},
    MEMBERSHIP: {"member_card": "UPDATE_MEMBER_CARD"},
    TICKET: {
        "air_ticket": "UPDATE_AIR_TICKET",
        "train_ticket": "UPDATE_TRAIN_TICKET",
        "bus_ticket": "UPDATE_BUS_TICKET",
        "ship_ticket": "UPDATE_SHIP_TICKET",
        "movie": "UPDATE_MOVIE",
        "pass": "UPDATE_PASS",
    },
}


@pytest.mark.parametrize(("profile", "kind", "word"), [(profile, *pair) for profile, kinds in KINDS.items() for pair in kinds.items()])
def test_each_kind_has_its_word(profile: str, kind: str, word: str, profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, profile, action="revise", kind=kind, content={"params": {"a": 1}})
    assert (written.document["updateDetailType"], written.problems) == (word, ())


@pytest.mark.parametrize("profile", KINDS)
def test_a_kind_the_profile_has_not_is_refused(profile: str, profiles: Mapping[str, Profile]) -> None:
    written = put(profiles, profile, action="revise", kind="scores", content={"params": {"a": 1}})
    mend = "did you mean 'score'?" if profile == CARD else f"known: {', '.join(sorted(KINDS[profile]))}"
    assert written.problems == (Problem("kind", "unknown_kind", f"{profiles[profile].title} has no such kind", mend),)
    assert "updateDetailType" not in written.document


@pytest.mark.parametrize("method", METHODS)
def test_a_proofs_method_travels_in_its_own_word(method: str, profiles: Mapping[str, Profile]) -> None:
    proof = {"code": "v", "method": method}
    card = put(profiles, CARD, action="redeem", proof=proof)
    assert (card.document["passVerifyType"], card.notes) == (method, ())
    assert put(profiles, MAINLAND, action="redeem", proof=proof).document["verify_type"] == method


def test_half_a_proof_is_noted_on_a_card_refused_on_the_mainland_and_left_out_on_a_ticket(profiles: Mapping[str, Profile]) -> None:
    half: dict[str, Any] = {"action": "redeem", "proof": {"code": "v"}}
    card, ticket, mainland = (put(profiles, profile, **half) for profile in (CARD, TICKET, MAINLAND))
    assert card.document["passVerifyCode"] == "v"
    assert card.notes == ("proof.method is absent: the document wants it with the code, real redeems went without both",)
    assert ticket.notes == (f"proof.code left out: {profiles[TICKET].title} has no field for it",)
    title = profiles[MAINLAND].title
    assert mainland.problems == (
        Problem("proof.method", "missing", f"{title} takes a proof's code only with its method", "add wave, qrcode, barcode or input"),
    )
    assert card.problems == ticket.problems == ()


@pytest.mark.parametrize("profile", ALL)
def test_a_redeem_needs_no_proof(profile: str, profiles: Mapping[str, Profile]) -> None:
    if "redeem" in profiles[profile].actions:
        assert put(profiles, profile, action="redeem").problems == ()


def test_all_problems_are_given_at_once(profiles: Mapping[str, Profile]) -> None:
    written = put(
        profiles, MAINLAND, {}, action="redeem", proof={"code": "v" * 1000}, code_info=None, valid_until=END,
        content={"locales": {"zh_HK": {"a": 1}}},
    )  # fmt: skip
    assert sorted(wrong(written)) == [
        ("code_info", "not_carried"),
        ("content.locales", "not_carried"),
        ("pass.channel", "missing"),
        ("proof.code", "too_long"),
        ("proof.method", "missing"),
        ("valid_until", "not_carried"),
    ]
