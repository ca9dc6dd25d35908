"""AlipayHK's templates: made, changed, shown, paused and closed.

Owns the rules of `createTemplate`, `updateTemplate`, `detail` and `switchStatus`, and a template's states, written from
AlipayHK's pages alone (Create Ticket Template, Create Card Template, Update Card Template, Update Ticket Template
Status, Query Card Template). It must not know passes, headers, signatures or bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonObject, JsonValue
from passbridge.sandbox.hk_asked import ILLEGAL, SUCCESS, Asked, Ruling
from passbridge.sandbox.hk_values import Check, amount, epoch_ms, json_array, json_object, text, unfit, whole, word
from passbridge.sandbox.records import Template

__all__ = ["NO_TEMPLATE", "STATUS_ILLEGAL", "create", "detail", "found", "profile_of", "status_of", "switch", "update"]

NO_TEMPLATE: Final = "PASS_TEMPLATE_HAS_NOT_EXIT"
STATUS_ILLEGAL: Final = "PASS_TEMPLATE_STATUS_ILLEGAL"

_TICKETS: Final = ("PASS", "MOVIE", "AIR_TICKET", "TRAIN_TICKET", "BUS_TICKET", "SHIP_TICKET")
_MEMBER_CARD: Final = "MEMBER_CARD"
_TYPES: Final[Mapping[str, str]] = MappingProxyType({**dict.fromkeys(_TICKETS, "TICKET"), "GIFT_CARD": "COUPON", _MEMBER_CARD: "CARD"})
"""The type of each product."""

_CODE_TEMPLATE: Final = 32
_LINK: Final = 512
_ANY_LENGTH: Final = 10**6


def _locales(value: JsonValue) -> bool:
    """`{"zh_HK": {"name": …}, "en_US": {…}}`."""
    return isinstance(value, dict) and bool(value) and all(isinstance(texts, dict) for texts in value.values())


_STANDARDS: Final = word("CODE128", "EAN-13", "QRCODE")

_LOOKS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "startDate": epoch_ms,
        "endDate": epoch_ms,
        "imageUrl": text(_LINK),
        "button": json_object,
        "localeInfo": _locales,
        "merchantLogo": text(_LINK),
        "currentAmountCent": amount,
        "originalAmountCent": amount,
        "currencyCode": text(16),
        "stock": whole,
        "orderPageLink": text(_ANY_LENGTH),
        "detailLink": text(_ANY_LENGTH),
        "categories": json_array,
        "exposure": lambda _value: True,
        "passExtInfo": lambda _value: True,
    }
)
"""What may be changed later."""

_MEMBERS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "requestId": text(32),
        "merchantId": text(64),
        "type": word(*_TYPES.values()),
        "product": word(*_TYPES),
        "codeType": word("barcode", "qrcode", "promocode", "none"),
        "codeStandard": _STANDARDS,
        "codeStandrad": _STANDARDS,
        **_LOOKS,
    }
)
"""What createTemplate takes; `codeStandrad` is how its ticket page spells it. Others are ignored."""

_NEEDED: Final = ("requestId", "merchantId", "type", "product", "codeType", "startDate", "endDate", "imageUrl", "button", "localeInfo")
_MARKED: Final = ("startDate", "endDate", "imageUrl", "button", "localeInfo", "merchantLogo")
"""What the page of updateTemplate marks as mandatory."""

_NAMED: Final[Mapping[str, Check]] = MappingProxyType({"merchantId": text(64), "templateCode": text(_CODE_TEMPLATE)})

_EDGES: Final = frozenset({("frozen", "valid"), ("valid", "closed"), ("valid", "paused"), ("paused", "valid"), ("paused", "closed")})
"""`Only the following updates are allowed` (Update Ticket Template Status)."""


def create(asked: Asked) -> Ruling:
    """`createTemplate`: a template code of 32 digits."""
    code = _refused(asked, _MEMBERS, _NEEDED) or _mismatched(asked.body)
    if code:
        return Ruling(code)
    again = asked.world.store.template_named("hk", asked.client, asked.text("requestId"))
    if again:
        reading = asked.world.guesses["hk.template_again"]
        return Ruling(SUCCESS, beside={"templateCode": again.id}) if reading == "same-template" else Ruling(reading)
    made = Template(
        gateway="hk",
        app=asked.client,
        id="8" + asked.digits(_CODE_TEMPLATE - 1),
        account=_account(asked),
        unique_key=asked.text("requestId"),
        state=asked.world.guesses["hk.new_template"],
        content=_known(asked.body, _MEMBERS),
        created=asked.now_ms,
    )
    return Ruling(SUCCESS, made, {"templateCode": made.id})


def update(asked: Asked) -> Ruling:
    """`updateTemplate`: the members given take the place of the old ones; passes already issued stay as they are."""
    needed = _MARKED if asked.world.guesses["hk.template_update"] == "every-mandatory" else ()
    code = _refused(asked, {**_NAMED, **_LOOKS}, (*_NAMED, *needed))
    one = None if code else found(asked)
    if one is None:
        return Ruling(code or NO_TEMPLATE)
    reading = asked.world.guesses["hk.update_inactive_template"]
    if status_of(one, asked.now_ms) in {"closed", "expired"} and reading != "allowed":
        return Ruling(reading)
    content = {**one.content, **_known(asked.body, _LOOKS)}
    return Ruling(ILLEGAL) if _backwards(content) else Ruling(SUCCESS, replace(one, content=content), {"templateCode": one.id})


def detail(asked: Asked) -> Ruling:
    """`detail`: the template as it is."""
    code = _refused(asked, _NAMED, _NAMED)
    one = None if code else found(asked)
    if one is None:
        return Ruling(code or NO_TEMPLATE)
    shown = {name: value for name, value in one.content.items() if name not in {"requestId", "merchantId"}}
    return Ruling(SUCCESS, beside={"templateCode": one.id, "status": status_of(one, asked.now_ms), **shown})


def switch(asked: Asked) -> Ruling:
    """`switchStatus`: along the edges the page allows."""
    code = _refused(asked, {**_NAMED, "status": text(32)}, (*_NAMED, "status"))
    if not code and asked.text("status") not in {after for _before, after in _EDGES}:
        code = STATUS_ILLEGAL
    one = None if code else found(asked)
    if one is None:
        return Ruling(code or NO_TEMPLATE)
    wanted = asked.text("status")
    if (status_of(one, asked.now_ms), wanted) not in _EDGES:
        return Ruling("STATE_MACHINE_ILLEGAL")
    return Ruling(SUCCESS, replace(one, state=wanted), {"status": wanted})


def found(asked: Asked) -> Template | None:
    """The merchant's own template that a request names."""
    one = asked.world.store.template("hk", asked.text("templateCode"))
    return one if one and one.app == asked.client else None


def status_of(one: Template, now_ms: int) -> str:
    """The status: what was last set, or expired once its end has passed."""
    end = one.content.get("endDate")
    over = isinstance(end, int) and end < now_ms
    return "expired" if over and one.state != "closed" else one.state


def profile_of(product: JsonValue, member_card: str) -> str:
    """The API that updates passes of a product; the page for member cards is a guess."""
    return {_MEMBER_CARD: member_card, "GIFT_CARD": "card"}.get(str(product), "ticket")


def _refused(asked: Asked, members: Mapping[str, Check], needed: tuple[str, ...] | Mapping[str, Check]) -> str:
    if unfit(asked.body, members, needed):
        return ILLEGAL
    return "" if asked.text("merchantId") == asked.merchant else asked.world.guesses["hk.wrong_merchant"]


def _mismatched(body: JsonObject) -> str:
    """A product has its own type; a code that is shown has its standard; the end comes behind the start."""
    shown = body["codeType"] in {"barcode", "qrcode"}
    standard = body.get("codeStandard") or body.get("codeStandrad")
    wrong = _TYPES[str(body["product"])] != body["type"] or (shown and not standard) or _backwards(body)
    return ILLEGAL if wrong else ""


def _backwards(content: JsonObject) -> bool:
    start, end = content.get("startDate"), content.get("endDate")
    return isinstance(start, int) and isinstance(end, int) and end < start


def _known(body: JsonObject, members: Mapping[str, Check]) -> JsonObject:
    return {name: value for name, value in body.items() if name in members and value is not None}


def _account(asked: Asked) -> str:
    """The client's account for this product; one of its others, where it has none."""
    wanted = profile_of(asked.body["product"], asked.world.guesses["hk.member_card_page"])
    own = {name: account.profile for name, account in asked.world.accounts.items() if account.app == asked.client}
    return next((name for name, profile in own.items() if profile == wanted), next(iter(own)))
