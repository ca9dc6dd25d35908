"""Every action of every profile against both simulated gateways, through both clients."""

from __future__ import annotations

import pytest

from passbridge import CallFailed, Code, PassRef
from passbridge.sandbox import Sandbox
from tests.contract.asking import ACTIONS, PASSES, UPDATE_PASS, Ask, state, update

EVERY = [(account, action) for account, actions in ACTIONS.items() for action in actions]
STATES = {"redeem": "USED", "close": "CLOSED", "revise": "ACTIVE", "refund": "REFUNDED"}
CONTENT = {
    "hk-cards": {"zh_HK": {"$title$": "新的 title"}, "en_US": {"$title$": "新的 title"}},
    "hk-members": {"title": "新的 title"},
    "hk-tickets": {"$title_zh_HK$": "新的 title", "$title_en_US$": "新的 title"},
    "cn": {"title": "新的 title"},
}


@pytest.mark.parametrize(("account", "action"), EVERY)
def test_an_update_is_applied_once_and_the_pass_is_changed_just_so(account: str, action: str, ask: Ask, box: Sandbox) -> None:
    outcome = ask.apply(update(account, action))
    assert (outcome.code, outcome.ok, outcome.certain, outcome.account, outcome.action) == (Code.APPLIED, True, True, account, action)
    assert outcome.native is not None
    assert outcome.native.verified
    assert outcome.trace_id
    assert state(box, account) == (STATES[action], CONTENT[account] if action == "revise" else {})
    (request,) = box.requests()
    assert (request["signature"], request["applied"], request["account"]) == ("ok", True, account)


@pytest.mark.parametrize(("account", "action"), EVERY)
def test_an_unknown_pass_is_refused_and_nothing_is_changed(account: str, action: str, ask: Ask, box: Sandbox) -> None:
    outcome = ask.apply(update(account, action, PASSES[account].model_copy(update={"id": "404"})))
    assert (outcome.code, outcome.ok, outcome.certain, len(outcome.attempts)) == (Code.PASS_NOT_FOUND, False, True, 1)
    assert state(box, account) == ("ACTIVE", {})


@pytest.mark.parametrize(("account", "action"), [pair for pair in EVERY if pair[0] != "cn"])
def test_an_unknown_holder_is_refused(account: str, action: str, ask: Ask, box: Sandbox) -> None:
    outcome = ask.apply(update(account, action, PASSES[account].model_copy(update={"user_id": "404"})))
    assert (outcome.code, outcome.native and outcome.native.code) == (Code.HOLDER_NOT_FOUND, "USER_NOT_EXIST")
    assert state(box, account) == ("ACTIVE", {})


@pytest.mark.parametrize(
    ("account", "again", "code"),
    [
        ("hk-cards", "redeem", Code.ALREADY_IN_STATE),
        ("hk-tickets", "redeem", Code.ALREADY_IN_STATE),
        ("hk-cards", "revise", Code.STATE_CONFLICT),
        ("hk-tickets", "revise", Code.STATE_CONFLICT),
        ("cn", "redeem", Code.REFUSED),
        ("cn", "revise", Code.REFUSED),
    ],
)
def test_after_a_redeem_the_pass_is_used(account: str, again: str, code: Code, ask: Ask, box: Sandbox) -> None:
    assert ask.apply(update(account, "redeem")).code is Code.APPLIED
    outcome = ask.apply(update(account, again))
    assert (outcome.code, outcome.ok, len(outcome.attempts)) == (code, False, 1)
    assert len(box.requests()) == 2


@pytest.mark.parametrize("reading", ["text", "bool"])
def test_success_is_read_in_either_type(reading: str, ask: Ask, box: Sandbox) -> None:
    box.guess({"mainland.success_type": reading, "mainland.used_again": "success"})
    assert [ask.apply(update("cn", "redeem")).code for _ in range(2)] == [Code.APPLIED, Code.APPLIED]


@pytest.mark.parametrize("node", ["result", "resultInfo", "ResultInfo"])
def test_the_result_is_read_under_each_of_its_names(node: str, ask: Ask, box: Sandbox) -> None:
    box.guess({"hk.result_node": node})
    assert ask.apply(update("hk-tickets", "redeem")).code is Code.APPLIED
    assert ask.apply(update("hk-tickets", "redeem")).code is Code.ALREADY_IN_STATE


def test_any_path_of_alipayhk_can_be_called(ask: Ask, box: Sandbox) -> None:
    body = {"merchantId": "2312314123123123", "userId": "2160400000000135", "passId": "2995228480402564890020", "status": "USED"}
    words = [ask.call("hk-tickets", UPDATE_PASS, body)["result"]["resultCode"] for _ in range(2)]
    assert words == ["SUCCESS", "PASS_USED_OCCUPIED"]
    assert len(box.requests()) == 2
    with pytest.raises(CallFailed) as caught:
        ask.call("hk-tickets", UPDATE_PASS.replace("updatePass", "removePass"), body)
    assert caught.value.outcome.code is Code.UNTRUSTED_ANSWER
    assert caught.value.outcome.native is not None
    assert (caught.value.outcome.native.code, caught.value.outcome.native.verified) == ("INVALID_API", False)


def test_a_call_is_never_sent_again(ask: Ask, box: Sandbox) -> None:
    for fault in ("lose-answer", "http-502", "unsigned", "bad-signature"):
        box.reset()
        box.add_fault({"fault": fault})
        with pytest.raises(CallFailed):
            ask.call("hk-tickets", UPDATE_PASS, {"status": "USED"})
        assert len(box.requests()) == 1


def test_an_update_names_its_pass_by_any_of_the_holder_s_ids(ask: Ask, box: Sandbox) -> None:
    about = PassRef(id="2995228480402564890019", open_id="fj398457jd8iue98d8w7w93j")
    assert ask.apply(update("hk-members", "close", about)).code is Code.APPLIED
    assert state(box, "hk-members") == ("CLOSED", {})
