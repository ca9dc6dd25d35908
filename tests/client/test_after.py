from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from passbridge import Close, InvalidUpdate, Outcome, PassRef, PassUpdate, Redeem
from tests.client.answers import done, hang_up, hk, page, silence
from tests.client.gateway import Gateway, deaf_port
from tests.client.use import PASS, REDEEM, REFUND, REVISE, Use, codes, hk_account, hk_only

used = hk("PASS_USED_OCCUPIED", "F")


def _lost(use: Use, update: PassUpdate = REDEEM) -> Outcome:
    """The outcome of an attempt whose answer was lost, as another process wrote it down."""
    with Gateway(hang_up) as gateway:
        outcome = use.apply(hk_only(gateway.url, attempts=1), update)
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER"]
    return Outcome.model_validate_json(outcome.model_dump_json(by_alias=True))


def test_earlier_attempts_count_and_their_numbers_go_on(use: Use) -> None:
    earlier = _lost(use)
    with Gateway(page("502 Bad Gateway"), done) as gateway:
        outcome = use.apply(hk_only(gateway.url), after=earlier)
    assert codes(outcome) == ["APPLIED", "NO_ANSWER", "NO_ANSWER", "APPLIED"]
    assert [attempt.n for attempt in outcome.attempts] == [1, 2, 3]
    assert outcome.attempts[0] == earlier.attempts[0]
    assert len(gateway.received) == 2


def test_the_state_an_earlier_attempt_may_have_made_is_presumed_to_be_its_work(use: Use) -> None:
    earlier = _lost(use)
    with Gateway(used) as gateway:
        assert codes(use.apply(hk_only(gateway.url), after=earlier)) == ["APPLIED_PRESUMED", "NO_ANSWER", "ALREADY_IN_STATE"]
        assert codes(use.apply(hk_only(gateway.url))) == ["ALREADY_IN_STATE"] * 2


def test_an_earlier_outcome_without_doubt_presumes_nothing(use: Use) -> None:
    with deaf_port() as port:
        earlier = use.apply(hk_only(f"http://127.0.0.1:{port}", attempts=1))
    assert codes(earlier) == ["NOT_SENT", "NOT_SENT"]
    with Gateway(used) as gateway:
        assert codes(use.apply(hk_only(gateway.url), after=earlier)) == ["ALREADY_IN_STATE", "NOT_SENT", "ALREADY_IN_STATE"]


@pytest.mark.parametrize("update", [REDEEM, REFUND], ids=["redeem", "refund"])
def test_a_settled_update_is_not_sent_again(use: Use, update: PassUpdate) -> None:
    with Gateway(done) as gateway:
        first = use.apply(hk_only(gateway.url), update)
        again = use.apply(hk_only(gateway.url), update, after=first)
        once_more = use.apply(hk_only(gateway.url), update, after=again)
    assert len(gateway.received) == 1
    assert again.model_dump(exclude={"notes"}) == first.model_dump(exclude={"notes"})
    assert again.notes == ("settled by an earlier call; nothing was sent",)
    assert once_more == again


def test_a_presumed_update_is_not_sent_again(use: Use) -> None:
    earlier = _lost(use)
    with Gateway(used) as gateway:
        presumed = use.apply(hk_only(gateway.url), after=earlier)
        assert use.apply(hk_only(gateway.url), after=presumed).code == "APPLIED_PRESUMED"
    assert len(gateway.received) == 1


def test_a_refused_update_is_sent_when_its_caller_says_so(use: Use) -> None:
    with Gateway(hk("PARAM_ILLEGAL", "F"), done) as gateway:
        refused = use.apply(hk_only(gateway.url))
        assert codes(use.apply(hk_only(gateway.url), after=refused)) == ["APPLIED", "INVALID_VALUE", "APPLIED"]


def test_a_refund_in_doubt_is_sent_once_when_its_caller_says_so(use: Use) -> None:
    earlier = _lost(use, REFUND)
    with Gateway(page("502 Bad Gateway")) as gateway:
        outcome = use.apply(hk_only(gateway.url), REFUND, after=earlier)
    assert codes(outcome) == ["NO_ANSWER"] * 3
    assert (outcome.next, outcome.who) == ("investigate", "operator")
    assert len(gateway.received) == 1


def test_a_doubt_stands_where_nothing_could_be_sent_since(use: Use) -> None:
    earlier = _lost(use)
    with deaf_port() as port:
        outcome = use.apply(hk_only(f"http://127.0.0.1:{port}", attempts=1), after=earlier)
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER", "NOT_SENT"]
    assert outcome.certain is False


def test_an_updates_moment_is_that_of_its_first_attempt(use: Use) -> None:
    earlier = _lost(use, REVISE)
    assert earlier.at is not None
    moved = earlier.model_copy(update={"at": earlier.at - timedelta(hours=1)})
    with Gateway(done) as gateway:
        outcome = use.apply(hk_only(gateway.url), REVISE, after=moved)
    assert outcome.at == moved.at
    assert json.loads(gateway.received[0].body)["bizDate"] == round((earlier.at - timedelta(hours=1)).timestamp() * 1000)


MOMENT = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)

OTHERS: dict[str, tuple[PassUpdate, list[str]]] = {
    "another action": (Close(to="hk", pass_=PASS, key="order-77"), ["after.action"]),
    "another pass": (Redeem(to="hk", pass_=PassRef(id="7", user_id="8"), key="order-77"), ["after.pass_id"]),
    "another key": (Redeem(to="hk", pass_=PASS, key="order-78"), ["after.key"]),
    "no key": (Redeem(to="hk", pass_=PASS), ["after.key"]),
    "another account": (Redeem(to="other", pass_=PASS, key="order-77"), ["after.account"]),
    "everything else": (
        Close(to="other", pass_=PassRef(id="7", user_id="8")),
        [f"after.{n}" for n in ("account", "action", "pass_id", "key")],
    ),
}


@pytest.mark.parametrize(("update", "places"), OTHERS.values(), ids=OTHERS)
def test_another_updates_outcome_is_refused_before_anything_is_sent(use: Use, update: PassUpdate, places: list[str]) -> None:
    earlier = _lost(use)
    with Gateway(silence) as gateway:
        config = hk_only(gateway.url)
        config["accounts"] = {"hk": hk_account(gateway.url), "other": hk_account(gateway.url)}
        with pytest.raises(InvalidUpdate) as raised:
            use.apply(config, update, after=earlier)
    assert [problem.path for problem in raised.value.problems] == places
    assert {problem.code for problem in raised.value.problems} == {"another_update"}
    assert gateway.received == []


def test_an_outcome_of_the_same_pass_at_another_moment_is_refused(use: Use) -> None:
    dated = REVISE.model_copy(update={"at": MOMENT})
    earlier = _lost(use, dated)
    with Gateway(done) as gateway:
        with pytest.raises(InvalidUpdate, match=r"after\.at"):
            use.apply(hk_only(gateway.url), REVISE.model_copy(update={"at": MOMENT + timedelta(minutes=1)}), after=earlier)
        assert use.apply(hk_only(gateway.url), dated, after=earlier).at == MOMENT
    assert len(gateway.received) == 1
