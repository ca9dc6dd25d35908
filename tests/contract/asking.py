"""The words of the contract tests: either client, and an update of every kind for the sandbox's first passes."""

from __future__ import annotations

from typing import Any, Protocol

from passbridge import Close, Content, Outcome, PassRef, PassUpdate, Proof, Redeem, Refund, Revise, WireRequest
from passbridge.sandbox import Sandbox

__all__ = ["ACTIONS", "PASSES", "UPDATE_PASS", "Ask", "state", "update"]

UPDATE_PASS = "/api/open/alipay/v1/ipass/pass/manage/updatePass"  # noqa: S105 - a path

_USER = "2160400000000135"
PASSES = {
    "hk-cards": PassRef(id="2995228480402564890018", user_id=_USER, template="5228480402564890018"),
    "hk-members": PassRef(id="2995228480402564890019", user_id=_USER, template="893297312932193811231231"),
    "hk-tickets": PassRef(id="2995228480402564890020", user_id=_USER),
    "cn": PassRef(id="209919213"),
}
ACTIONS = {
    "hk-cards": ("redeem", "close", "revise"),
    "hk-members": ("close", "revise"),
    "hk-tickets": ("redeem", "close", "revise", "refund"),
    "cn": ("redeem", "close", "revise"),
}
_KINDS = {"hk-cards": "level", "hk-members": None, "hk-tickets": "pass", "cn": None}


class Ask(Protocol):
    """Either client, asked without waiting words."""

    def render(self, update: PassUpdate) -> WireRequest: ...

    def apply(self, update: PassUpdate, after: Outcome | None = None) -> Outcome: ...

    def execute(self, account: str, request: object) -> Any: ...  # noqa: ANN401 - the kit's response object

    def call(self, account: str, path: str, body: dict[str, Any]) -> Any: ...  # noqa: ANN401 - JSON


def update(account: str, action: str, pass_: PassRef | None = None) -> PassUpdate:
    """An update that the account's profile carries."""
    about = pass_ or PASSES[account]
    if action == "redeem":
        proof = None if account == "hk-tickets" else Proof(code="8612231273", method="qrcode")
        return Redeem(to=account, pass_=about, proof=proof)
    if action == "revise":
        return Revise(to=account, pass_=about, kind=_KINDS[account], content=Content(params={"title": "新的 title"}))
    return {"close": Close, "refund": Refund}[action](to=account, pass_=about)


def state(box: Sandbox, account: str) -> tuple[object, object]:
    """The state and the content of an account's first pass, as the sandbox has them."""
    found = next(one for one in box.passes() if one["account"] == account)
    return found["state"], found["content"]
