"""AlipayHK's `createPass`: a pass issued from a template to a holder.

Owns what its pages allow (Create a Ticket, Create a Gift/Member Card, and the oldest edition at Antom) and the order of
its rules. It must not know headers, signatures or bytes, nor how a pass is updated later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonValue
from passbridge.sandbox.hk_asked import ILLEGAL, SUCCESS, Asked, Ruling
from passbridge.sandbox.hk_pages import flat
from passbridge.sandbox.hk_scenarios import incomplete
from passbridge.sandbox.hk_templates import NO_TEMPLATE, found, status_of
from passbridge.sandbox.hk_values import Check, code_info, date_text, epoch_ms, json_object, text, unfit, word
from passbridge.sandbox.records import Pass, Template

__all__ = ["create_pass"]

_PASS_ID: Final = 31

_MEMBERS: Final[Mapping[str, Check]] = MappingProxyType(
    {
        "merchantId": text(64),
        "userId": text(32),
        "openId": text(32),
        "templateCode": text(32),
        "bizSerialId": text(128),
        "bizSerialType": word("OUT_PLAT_FORM"),
        "type": word("TICKET", "COUPON", "CARD"),
        "product": text(32),
        "codeInfo": lambda value: code_info(value) is not None,
        "dataInfo": json_object,
        "extInfo": json_object,
        "publishScene": text(10**6),
    }
)
"""What its pages name, but for the moments; others are ignored."""

_NEEDED: Final = ("merchantId", "templateCode", "bizSerialId", "bizSerialType", "startDate", "endDate", "bizCreate")
_TICKET_NEEDS: Final = ("type", "product", "codeInfo", "dataInfo")
"""What the ticket page marks as mandatory beyond that, and the card page doesn't."""


def create_pass(asked: Asked) -> Ruling:
    """A pass id of 31 digits, or the code of the first rule that is broken."""
    template = found(asked)
    for rule in _RULES:
        code = rule(asked, template)
        if code:
            return Ruling(code)
    assert template is not None  # noqa: S101 - held by the order of the rules
    issued = _issued(asked, template)
    return Ruling(SUCCESS, issued, {"passId": issued.id})


def _issued(asked: Asked, template: Template) -> Pass:
    body, content = asked.body, asked.body.get("dataInfo")
    return Pass(
        gateway="hk",
        account=template.account,
        id=asked.digits(_PASS_ID),
        content=content if isinstance(content, dict) else {},
        user_id=asked.text("userId") or None,
        open_id=asked.text("openId") or None,
        template=template.id,
        valid_until=body["endDate"],
        code_info=code_info(body.get("codeInfo")),
        unique_key=asked.text("bizSerialId"),
        frame=template.content,
        created=asked.now_ms,
        modified=asked.now_ms,
    )


def _members(asked: Asked, _template: Template | None) -> str:
    moment = _moments(asked.world.guesses["hk.issue_dates"])
    members = {**_MEMBERS, **dict.fromkeys(("startDate", "endDate", "bizCreate"), moment)}
    holder = asked.text("userId") or asked.text("openId")
    return "" if holder and not unfit(asked.body, members, _NEEDED) and not _backwards(asked) else ILLEGAL


def _moments(reading: str) -> Check:
    return epoch_ms if reading == "milliseconds" else lambda value: epoch_ms(value) or date_text(value)


def _backwards(asked: Asked) -> bool:
    """Two numbers, or two dates of one form."""
    start, end = asked.body.get("startDate"), asked.body.get("endDate")
    if isinstance(start, int) and isinstance(end, int):
        return end < start
    return isinstance(start, str) and isinstance(end, str) and end < start


def _merchant(asked: Asked, _template: Template | None) -> str:
    return "" if asked.text("merchantId") == asked.merchant else asked.world.guesses["hk.wrong_merchant"]


def _known_template(_asked: Asked, template: Template | None) -> str:
    return "" if template else NO_TEMPLATE


def _new(asked: Asked, template: Template | None) -> str:
    """Idempotence goes by merchant, template and serial id; errors will be returned (error page)."""
    again = template and asked.world.store.issued("hk", template.id, asked.text("bizSerialId"))
    return "PASS_HAS_EXIT" if again else ""


def _open(asked: Asked, template: Template | None) -> str:
    reading = asked.world.guesses["hk.issue_inactive_template"]
    inactive = template is not None and status_of(template, asked.now_ms) != "valid"
    return reading if inactive and reading != "allowed" else ""


def _type(asked: Asked, template: Template | None) -> str:
    return _differs(asked.body.get("type"), template, "type", "PASS_TYPE_NOT_MATCH")


def _product(asked: Asked, template: Template | None) -> str:
    return _differs(asked.body.get("product"), template, "product", "PASS_PRODUCT_TYPE_NOT_MATCH")


def _differs(given: JsonValue, template: Template | None, name: str, code: str) -> str:
    return code if template and given is not None and given != template.content[name] else ""


def _ticket(asked: Asked, template: Template | None) -> str:
    """What a ticket needs, and the names its page gives the parameters."""
    if template is None or template.content["type"] != "TICKET":
        return ""
    hidden = {"codeInfo"} if template.content["codeType"] == "none" else set()
    missing = [name for name in _TICKET_NEEDS if asked.body.get(name) is None and name not in hidden]
    content = asked.body.get("dataInfo")
    strict = asked.world.guesses["hk.scenario_fields"] == "strict"
    wrong = missing or not flat(content) or (strict and incomplete(str(template.content["product"]), content))
    return ILLEGAL if wrong else ""


def _holder(asked: Asked, _template: Template | None) -> str:
    """The sandbox knows only the people who hold a pass here."""
    reading = asked.world.guesses["hk.new_holder"]
    named = [holder for name in ("userId", "openId") if (holder := asked.text(name))]
    strange = not all(asked.world.store.people("hk", holder) for holder in named)
    return reading if strange and reading != "accepted" else ""


_RULES: Final[tuple[Callable[[Asked, Template | None], str], ...]] = (
    _members,
    _merchant,
    _known_template,
    _new,
    _open,
    _type,
    _product,
    _ticket,
    _holder,
)
"""The rules in their order (a guess). Each gives the code of its refusal, or nothing."""
