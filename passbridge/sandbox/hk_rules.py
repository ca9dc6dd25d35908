"""What AlipayHK's `updatePass` makes of a body: who may change which pass how.

Owns the rules that the three pages have in common, the order in which they are looked at, and the states of a pass.
It must not know headers, signatures or bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonObject
from passbridge.sandbox.guesses import ALLOWED
from passbridge.sandbox.hk_asked import ILLEGAL as _ILLEGAL
from passbridge.sandbox.hk_asked import SUCCESS, Asked, Ruling
from passbridge.sandbox.hk_pages import EVERY_KIND, PRODUCTS, Product
from passbridge.sandbox.hk_templates import profile_of
from passbridge.sandbox.hk_values import unfit
from passbridge.sandbox.records import Pass, merged
from passbridge.sandbox.world import World

__all__ = ["held", "profile", "update_pass"]


@dataclass(frozen=True, slots=True)
class _Case:
    """One update before its judges."""

    world: World
    merchant: str
    body: JsonObject
    found: Pass | None

    @property
    def one(self) -> Pass:
        """The pass, for what comes after the rule that it exists."""
        assert self.found is not None  # noqa: S101 - held by the order of the rules
        return self.found

    @property
    def product(self) -> Product:
        """What its page allows."""
        return PRODUCTS[profile(self.world, self.one)]

    @property
    def holders(self) -> list[str]:
        """The ids by which the request names the holder."""
        return [str(self.body[name]) for name in ("userId", "openId") if self.body.get(name) is not None]


def _named(case: _Case) -> str:
    """Merchant, pass and status are required by all three pages; so is one id of the holder."""
    required = [case.body.get(name) for name in ("merchantId", "passId", "status")]
    holders = [holder for name in ("userId", "openId") if (holder := case.body.get(name)) is not None]
    return "" if holders and all(isinstance(value, str) and value for value in (*required, *holders)) else _ILLEGAL


def _merchant(case: _Case) -> str:
    return "" if case.body["merchantId"] == case.merchant else case.world.guesses["hk.wrong_merchant"]


def _known_user(case: _Case) -> str:
    return "" if all(case.world.store.people("hk", holder) for holder in case.holders) else "USER_NOT_EXIST"


def _known_pass(case: _Case) -> str:
    return "" if case.found else "PASS_HAS_NOT_EXIST"


def _right_holder(case: _Case) -> str:
    """The holder may be named by any id that stands beside one of the pass's own: one person, two ids."""
    own = {case.one.user_id, case.one.open_id} - {None}
    person = own.union(*(people for identity in own for people in case.world.store.people("hk", str(identity))))
    return "" if person.issuperset(case.holders) else case.world.guesses["hk.wrong_holder"]


def _word_of_product(case: _Case) -> str:
    return "" if case.body["status"] in case.product.words else _ILLEGAL


def _kind(case: _Case) -> str:
    kind = str(case.body.get("updateDetailType"))
    if case.body["status"] not in case.product.kind_with or kind in case.product.kinds:
        return ""
    return "BIZ_NOT_SUPPORT" if kind in EVERY_KIND else _ILLEGAL


def _members(case: _Case) -> str:
    """A null is as good as an absent member, but where the page says what null means."""
    return _ILLEGAL if unfit(case.body, case.product.members) else ""


def _needed(case: _Case) -> str:
    """A ticket's update needs its moment and its data (seed 002)."""
    if case.product is not PRODUCTS["ticket"]:
        return ""
    always = ["dataInfo"] if case.world.guesses["hk.ticket_data_info"] == "always" else []
    needed = ["bizDate", "dataInfo"] if case.body["status"] == "UPDATE" else always
    return "" if all(case.body.get(name) is not None for name in needed) else _ILLEGAL


def _template(case: _Case) -> str:
    reading, given = case.world.guesses["hk.wrong_template"], case.body.get("templateCode")
    right = "templateCode" not in case.product.members or given is None or case.one.template in {None, given}
    return "" if right or reading == "ignored" else reading


def _state(case: _Case) -> str:
    """The change of state: documented, or a guess whose reading lets it through or is the code."""
    status, state = str(case.body["status"]), case.one.state
    edge = case.product.inactive if status == "UPDATE" and state != "ACTIVE" else _EDGES.get((status, state), "")
    reading = case.world.guesses[edge] if edge.startswith("hk.") else edge
    return "" if reading in ALLOWED else reading


def _fresh(case: _Case) -> str:
    new, last = case.body.get("bizDate"), case.one.biz_date
    stale = isinstance(new, int) and last is not None and new < last
    return _ILLEGAL if stale and case.world.guesses["hk.stale_biz_date"] == _ILLEGAL else ""


_EDGES: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("USED", "USED"): "PASS_USED_OCCUPIED",
        ("USED", "CLOSED"): "hk.used_after_closed",
        ("USED", "REFUNDED"): "hk.used_after_refund",
        ("CLOSED", "USED"): "hk.closed_after_used",
        ("CLOSED", "CLOSED"): "hk.closed_again",
        ("CLOSED", "REFUNDED"): "hk.closed_after_refund",
        ("REFUND", "USED"): "hk.refund_after_used",
        ("REFUND", "CLOSED"): "hk.refund_after_closed",
        ("REFUND", "REFUNDED"): "hk.refund_again",
    }
)
"""What a status word meets in a state, where it isn't simply done: a documented code, or the name of a guess."""

_BECOMES: Final = MappingProxyType({"USED": "USED", "CLOSED": "CLOSED", "REFUND": "REFUNDED"})

_RULES: Final[tuple[Callable[[_Case], str], ...]] = (
    _named,
    _merchant,
    _known_user,
    _known_pass,
    _right_holder,
    _word_of_product,
    _kind,
    _members,
    _needed,
    _template,
    _state,
    _fresh,
)
"""The rules in their order (a guess). Each gives the code of its refusal, or nothing."""


def update_pass(asked: Asked) -> Ruling:
    """The code for an update, and the pass as it is afterwards, if the update was applied."""
    case = _Case(asked.world, asked.merchant, asked.body, held(asked.world, asked.client, asked.text("passId")))
    for rule in _RULES:
        code = rule(case)
        if code:
            return Ruling(code)
    return Ruling(SUCCESS, _changed(case, asked.now_ms))


def held(world: World, client: str, pass_id: str) -> Pass | None:
    """The pass with this id, if it is one of this client's."""
    found = world.store.find("hk", pass_id)
    return found if found and world.accounts[found.account].app == client else None


def profile(world: World, one: Pass) -> str:
    """The API that updates this pass: that of the product it was issued as, or its account's."""
    if one.frame:
        return profile_of(one.frame["product"], world.guesses["hk.member_card_page"])
    return world.accounts[one.account].profile


def _changed(case: _Case, now_ms: int) -> Pass:
    body, one = case.body, case.one
    known = {name: value for name, value in body.items() if name in case.product.members}
    content, end, moment = known.get("dataInfo"), known.get("endDate"), known.get("bizDate")
    if isinstance(content, dict):
        one = replace(one, content=merged(one.content, content) if case.world.guesses["hk.data_info"] == "merged" else content)
    if "codeInfo" in known:
        one = replace(one, code_info=known["codeInfo"])
    return replace(
        one,
        state=_BECOMES.get(str(body["status"]), one.state),
        valid_until=one.valid_until if end is None else end,
        biz_date=moment if isinstance(moment, int) else one.biz_date,
        modified=now_ms,
    )
