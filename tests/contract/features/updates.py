"""The rows about `updatePass` and `alipay.pass.instance.update`: actions, and whose pass it is."""

from __future__ import annotations

from typing import Final

from passbridge import Code, PassRef, Proof, Redeem, Refund
from tests.contract.asking import PASSES
from tests.contract.asking import update as usual
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import USER, Desk

__all__ = ["UPDATES"]

UPDATES: Final = Chapter()
_MEMBER, _TICKET, _COUPON = (PASSES[name] for name in ("hk-members", "hk-tickets", "cn"))
_OPEN_ID: Final = "fj398457jd8iue98d8w7w93j"
_METHODS: Final = ("wave", "qrcode", "barcode", "input")


@UPDATES.yes("the pass has been used: `USED` | both | `Redeem` | call | documented", "{hk.card,hk.ticket,mainland.pass}:status=USED")
def redeemed(desk: Desk) -> None:
    for account in ("hk-cards", "hk-tickets", "cn"):
        assert desk.applied(usual(account, "redeem"))["state"] == "USED"


@UPDATES.yes(
    "out of the wallet: `CLOSED` | both | `Close` | call | documented",
    "{hk.card,hk.membership,hk.ticket,mainland.pass}:status=CLOSED",
)
def closed(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets", "cn"):
        assert desk.applied(usual(account, "close"))["state"] == "CLOSED"


@UPDATES.yes(
    "other content: `UPDATE`; on the mainland no `status` | both | `Revise` | call | documented",
    "{hk.card,hk.membership,hk.ticket}:status=UPDATE {hk.card,hk.membership,hk.ticket,mainland.pass}:status mainland.pass:status=",
)
def revised(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets", "cn"):
        assert desk.applied(usual(account, "revise"))["state"] == "ACTIVE"
        assert desk.kept(account, PASSES[account].id)["content"]


@UPDATES.yes(
    "the ticket was refunded: `REFUND` | AlipayHK | `Refund`; never sent twice by itself | call | documented",
    "hk.ticket:status=REFUND",
)
def refunded(desk: Desk) -> None:
    assert desk.applied(Refund(to="hk-tickets", pass_=_TICKET))["state"] == "REFUNDED"
    desk.box.reset()
    desk.box.add_fault({"fault": "lose-answer"})
    assert (desk.apply(Refund(to="hk-tickets", pass_=_TICKET)).code, len(desk.box.requests())) == (Code.NO_ANSWER, 1)


@UPDATES.yes(
    "which pass and whose: `passId`, `userId`, `openId` | AlipayHK | `pass.id`, and `pass.user_id` or `pass.open_id` | call | documented",
    "{hk.card,hk.membership,hk.ticket}:{passId,userId,openId}",
)
def pass_and_holder(desk: Desk) -> None:
    desk.box.add_passes([{"account": "hk-cards", "id": "1", "user_id": USER, "open_id": _OPEN_ID}])
    for account, id_ in (("hk-cards", "1"), ("hk-members", _MEMBER.id), ("hk-tickets", _TICKET.id)):
        for holder in ({"user_id": USER}, {"open_id": _OPEN_ID}):
            desk.applied(usual(account, "revise", PassRef(id=id_, **holder)))
        unknown = usual(account, "close", PassRef(id=id_, open_id="404"))
        assert desk.apply(unknown).code in {Code.HOLDER_NOT_FOUND, Code.PASS_NOT_FOUND}


@UPDATES.yes(
    "the merchant: `merchantId` | AlipayHK | `merchant_id`, or `pass.merchant` | needed | documented; that a ticket needs it: inferred",
    "{hk.card,hk.membership,hk.ticket}:merchantId HkSettings.merchant_id",
)
def merchant(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets"):
        own = PASSES[account].model_copy(update={"merchant": desk.accounts[account]["merchant_id"]})
        desk.applied(usual(account, "revise"))
        desk.applied(usual(account, "revise", own))
        other = own.model_copy(update={"merchant": "2312314123129999"})
        assert not desk.apply(usual(account, "close", other)).ok


@UPDATES.yes(
    "the template: `templateCode` | AlipayHK | `pass.template` (card, membership) | call | documented",
    "{hk.card,hk.membership}:templateCode",
)
def template(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members"):
        desk.applied(usual(account, "revise"))
        wrong = usual(account, "revise", PASSES[account].model_copy(update={"template": "1"}))
        assert not desk.apply(wrong).ok


@UPDATES.yes(
    "which pass: `serial_number`, `channel_id` | mainland | `pass.id`; `channel_id`, or `pass.channel` | needed | documented",
    "mainland.pass:{serial_number,channel_id} MainlandSettings.channel_id",
)
def serial_and_channel(desk: Desk) -> None:
    desk.applied(usual("cn", "revise"))
    desk.applied(usual("cn", "revise", _COUPON.model_copy(update={"channel": "2088918273"})))
    assert desk.apply(usual("cn", "close", _COUPON.model_copy(update={"channel": "2088000000000000"}))).code is Code.PASS_NOT_FOUND


@UPDATES.yes(
    "whose: `user_id`, `open_id` | mainland | `pass.user_id`, `pass.open_id` | call | documented: the official SDK's model of 2023",
    "mainland.pass:{user_id,open_id}",
)
def mainland_holder(desk: Desk) -> None:
    desk.box.add_passes([{"account": "cn", "id": "1", "user_id": USER, "open_id": _OPEN_ID}])
    for holder in ({"user_id": USER}, {"open_id": _OPEN_ID}):
        desk.applied(usual("cn", "revise", PassRef(id="1", **holder)))
    assert desk.apply(usual("cn", "close", PassRef(id="1", user_id="2088000000000000"))).code is Code.PASS_NOT_FOUND


@UPDATES.yes(
    "what was presented: `passVerifyCode`, `passVerifyType` | AlipayHK | `Redeem(proof=…)` (card) | call | documented",
    "hk.card:{passVerifyCode,passVerifyType} hk.card:passVerifyType={wave,qrcode,barcode,input}",
)
def card_proof(desk: Desk) -> None:
    for number, method in enumerate(_METHODS):
        desk.box.add_passes([{"account": "hk-cards", "id": str(number), "user_id": USER}])
        pass_ = PassRef(id=str(number), user_id=USER)
        desk.applied(Redeem(to="hk-cards", pass_=pass_, proof=Proof(code="8612231273", method=method)))


@UPDATES.yes(
    "what was presented: `verify_code`, `verify_type` | mainland | `Redeem(proof=…)`, both or neither | call | documented; the "
    "official SDK's model of 2023 calls them legacy",
    "mainland.pass:{verify_code,verify_type} mainland.pass:verify_type={wave,qrcode,barcode,input}",
)
def mainland_proof(desk: Desk) -> None:
    for number, method in enumerate(_METHODS):
        desk.box.add_passes([{"account": "cn", "id": str(number)}])
        desk.applied(Redeem(to="cn", pass_=PassRef(id=str(number)), proof=Proof(code="8612231273", method=method)))
