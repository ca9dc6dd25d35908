"""What the demo does: the documents' own samples, and what a merchant meets after them.

Owns the steps as data: a title, the update as JSON, the expected outcome, and what the sandbox does wrong meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

__all__ = ["PASSES", "STEPS", "USER", "Step"]


@dataclass(frozen=True, slots=True)
class Step:
    """One update of the demo.

    Attributes:
        title: what it shows.
        update: the update's JSON.
        expected: the outcome's code.
        fault: what the sandbox does to it, if anything.
    """

    title: str
    update: dict[str, Any]
    expected: str
    fault: str = ""


USER: Final = "2160400000000135"
"""The holder of every AlipayHK pass here."""
_TEMPLATE: Final = "5228480402564890018"
_CARD, _MEMBER, _TICKET = "2995228480402564890018", "2995228480402564890019", "2995228480402564890020"
_MORE: Final = "29952284804025648901"

PASSES: Final = (
    *({"account": "hk-cards", "id": f"{_MORE}{n}", "user_id": USER, "template": _TEMPLATE} for n in (11, 12, 13)),
    *({"account": "hk-tickets", "id": f"{_MORE}{n}", "user_id": USER} for n in (31, 32, 33, 34)),
    *({"account": "cn", "id": f"2099192{n}", "channel": "2088918273"} for n in (31, 32, 33)),
)
"""Passes beside the sandbox's own, so that a step does not find what another has left."""


def _card(action: str, pass_id: str, **more: object) -> dict[str, Any]:
    return {"action": action, "to": "hk-cards", "pass": {"id": pass_id, "user_id": USER, "template": _TEMPLATE}, **more}


def _hk(account: str, action: str, pass_id: str, **more: object) -> dict[str, Any]:
    return {"action": action, "to": account, "pass": {"id": pass_id, "user_id": USER}, **more}


def _cn(action: str, pass_id: str, **more: object) -> dict[str, Any]:
    return {"action": action, "to": "cn", "pass": {"id": pass_id, "channel": "2088918273"}, **more}


_PROOF: Final = {"code": "52284804025648900182995228480402564890018", "method": "qrcode"}
_LEVEL: Final = {"locales": {"zh_HK": {"level": "", "orther": ""}, "en_US": {"level": "gold card", "orther": "orther"}}}
_GATE: Final = {"params": {"gate": "B12"}, "locales": {"zh_HK": {"notice": "登機口更改"}, "en_US": {"notice": "Gate changed"}}}
_TITLE: Final = {"params": {"title": "券标题", "channelID": "xxx", "serialNumer": "xxxx"}}

STEPS: Final = (
    Step("card, level (seed 000, sample 2)", _card("revise", _CARD, kind="level", content=_LEVEL), "APPLIED"),
    Step("card, score (seed 000, sample 3)", _card("revise", _CARD, kind="score", content={"params": {"score": "12000"}}), "APPLIED"),
    Step("card, validity", _card("revise", _CARD, kind="validity", valid_until="2027-01-11T00:00:00+08:00"), "APPLIED"),
    Step("card, redeem (seed 000, sample 1)", _card("redeem", _CARD, proof=_PROOF), "APPLIED"),
    Step("card, the same redeem again", _card("redeem", _CARD, proof=_PROOF), "ALREADY_IN_STATE"),
    Step("card, close", _card("close", f"{_MORE}11"), "APPLIED"),
    Step("card, revise what is closed", _card("revise", f"{_MORE}11", kind="score", content={"params": {"score": "1"}}), "STATE_CONFLICT"),
    Step("card, redeem, the answer lost", _card("redeem", f"{_MORE}12", proof=_PROOF), "APPLIED_PRESUMED", "lose-answer"),
    Step("card, redeem, the answer forged", _card("redeem", f"{_MORE}13", proof=_PROOF), "UNTRUSTED_ANSWER", "bad-signature"),
    Step(
        "membership, points and code (seed 001)",
        _hk("hk-members", "revise", _MEMBER, content={"params": {"points": 12000, "billNo": None}}, code_info=None),
        "APPLIED",
    ),
    Step(
        "membership, a pass nobody issued", _hk("hk-members", "revise", f"{_MORE}99", content={"params": {"points": 1}}), "PASS_NOT_FOUND"
    ),
    Step("membership, close", _hk("hk-members", "close", _MEMBER), "APPLIED"),
    Step("ticket, new gate (seed 002)", _hk("hk-tickets", "revise", _TICKET, kind="air_ticket", content=_GATE), "APPLIED"),
    Step(
        "ticket, rate limited once",
        _hk("hk-tickets", "revise", _TICKET, kind="air_ticket", content=_GATE),
        "APPLIED",
        "code:REQUEST_TRAFFIC_EXCEED_LIMIT:F",
    ),
    Step("ticket, redeem", _hk("hk-tickets", "redeem", _TICKET), "APPLIED"),
    Step("ticket, close", _hk("hk-tickets", "close", f"{_MORE}31"), "APPLIED"),
    Step("ticket, close again", _hk("hk-tickets", "close", f"{_MORE}31"), "STATE_CONFLICT"),
    Step("ticket, refund", _hk("hk-tickets", "refund", f"{_MORE}32"), "APPLIED"),
    Step("ticket, refund, the answer lost", _hk("hk-tickets", "refund", f"{_MORE}33"), "NO_ANSWER", "lose-answer"),
    Step("ticket, redeem, a proxy's error page", _hk("hk-tickets", "redeem", f"{_MORE}34"), "APPLIED", "http-502"),
    Step("mainland, new title (seed 003)", _cn("revise", "209919213", content=_TITLE), "APPLIED"),
    Step(
        "mainland, redeem (seed 003, sample)",
        _cn("redeem", "209919213", content=_TITLE, proof={"code": "8612231273", "method": "wave"}),
        "APPLIED",
    ),
    Step("mainland, the same redeem again", _cn("redeem", "209919213"), "REFUSED"),
    Step("mainland, close", _cn("close", "209919231"), "APPLIED"),
    Step("mainland, a pass nobody issued", _cn("redeem", "209919299"), "PASS_NOT_FOUND"),
    Step("mainland, the gateway busy once", _cn("redeem", "209919232"), "APPLIED", "code:isp.unknow-error"),
    Step("mainland, redeem, the answer lost", _cn("redeem", "209919233"), "NO_ANSWER", "lose-answer"),
)
"""A lost redeem ends differently in the two regions: AlipayHK says that the pass is used, the mainland has no such word."""
