"""The mainland's `alipay.pass.instance.add`: a pass is issued from a template.

Owns the rules for parameters, recipient, channel and serial number. It must not know what happens to the pass later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonObject, JsonValue
from passbridge.sandbox.guesses import ALLOWED
from passbridge.sandbox.mainland_api import INVALID, Api, Case, Field, Refusal, Ruling, complaint, json_member, missing, pass_id, result
from passbridge.sandbox.mainland_frame import at, dynamic, filled
from passbridge.sandbox.mainland_templates import template_of
from passbridge.sandbox.records import Pass, Template
from passbridge.sandbox.world import World

__all__ = ["INSTANCE_ADD"]

_NO_SUPPORT: Final = "KP.AE_ALIPASS_APPID_NOSUPPORT"
_ORDER, _USER = "1", "2"
_FIELDS: Final = (
    Field("tpl_id", 999),
    Field("tpl_params", 99999, is_json=True),
    Field("recognition_type", 99),
    Field("recognition_info", 99999, is_json=True),
)
_NEEDED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = MappingProxyType(
    {_ORDER: (("partner_id",), ("out_trade_no",)), _USER: (("user_id", "open_id"), ("user_token",))}
)
"""What identifies a recipient, by its type: of several names, one is enough."""

_LONGEST_SERIAL: Final = 999


@dataclass(frozen=True, slots=True)
class _Issue:
    """One pass about to be issued: its template, the parameters, and the template's content with them put in."""

    case: Case
    template: Template
    params: JsonObject
    recipient: JsonObject
    shown: JsonValue

    @property
    def serial(self) -> JsonValue:
        return at(self.shown, "content", "fileInfo", "serialNumber")

    @property
    def channel(self) -> JsonValue:
        return at(self.shown, "content", "platform", "channelID")

    @property
    def products(self) -> dict[str, str]:
        """The merchant's products: each channel with its account; the app's id is a channel, too."""
        own = {self.case.world.accounts[name].owner: name for name in self.case.accounts}
        return {self.case.app: self.case.accounts[0], **own}

    @property
    def present(self) -> Pass | None:
        """The pass of this serial number and channel, if there is one already."""
        return self.case.find(self.serial, self.channel)


def _recognised(issue: _Issue) -> Refusal | None:
    """Only the user's own information identifies a recipient today; orders did once."""
    kind = issue.case.biz["recognition_type"]
    if kind == _ORDER:
        reading = issue.case.world.guesses["mainland.recognition_by_order"]
        return None if reading in ALLOWED else Refusal(reading)
    return None if kind == _USER else Refusal(INVALID)


def _complete(issue: _Issue) -> Refusal | None:
    """Every dynamic parameter has a value; null is none."""
    lacking = [name for name in dynamic(issue.template.content) if issue.params.get(name) is None]
    return missing(*lacking) if lacking else None


def _addressed(issue: _Issue) -> Refusal | None:
    """What identifies the recipient. The user's token comes from a callback that this sandbox never makes: any will do."""
    needed = _NEEDED[str(issue.case.biz["recognition_type"])]
    lacking = [names[0] for names in needed if not any(issue.recipient.get(name) for name in names)]
    texts = all(isinstance(issue.recipient.get(name, ""), str) for names in needed for name in names)
    return missing(*lacking) if lacking else None if texts else Refusal(INVALID)


def _channelled(issue: _Issue) -> Refusal | None:
    return None if issue.channel in issue.products else Refusal(_NO_SUPPORT)


def _numbered(issue: _Issue) -> Refusal | None:
    """The serial number is unique for each card."""
    if not isinstance(issue.serial, str) or not 0 < len(issue.serial) <= _LONGEST_SERIAL:
        return Refusal(INVALID)
    again = issue.case.world.guesses["mainland.serial_again"]
    return Refusal(again) if issue.present and again != "same" else None


_RULES: Final[tuple[Callable[[_Issue], Refusal | None], ...]] = (_recognised, _complete, _addressed, _channelled, _numbered)
"""The rules in their order: that the first comes before the second was seen on the wire, the rest is a guess."""


def _judge(case: Case) -> Ruling:
    refusal = complaint(case.biz, _FIELDS)
    if refusal:
        return Ruling(refusal)
    template = template_of(case)
    if isinstance(template, Refusal):
        return Ruling(template)
    params, recipient = json_member(case.biz, "tpl_params") or {}, json_member(case.biz, "recognition_info") or {}
    issue = _Issue(case, template, params, recipient, filled(template.content, params))
    refusal = next((found for rule in _RULES if (found := rule(issue))), None)
    if refusal:
        return Ruling(refusal)
    made = issue.present or _made(issue)
    return Ruling(None, _said(case.world, made), made)


def _made(issue: _Issue) -> Pass:
    """The pass. It keeps what its template says now, and those parameters that have a place there."""
    names = dynamic(issue.template.content)
    return Pass(
        gateway="mainland",
        account=issue.products[str(issue.channel)],
        id=str(issue.serial),
        channel=str(issue.channel),
        content={name: value for name, value in issue.params.items() if name in names},
        user_id=_text(issue.recipient.get("user_id")),
        open_id=_text(issue.recipient.get("open_id")),
        template=issue.template.id,
        valid_until=at(issue.shown, "content", "evoucherInfo", "endDate"),
        frame=issue.template.content,
        created=issue.case.now,
        modified=issue.case.now,
    )


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _said(world: World, made: Pass) -> JsonObject:
    own = pass_id(made.id, made)
    return result(world, is_so=True, serialNumber=made.id, passId=own, operate="ADD", errorCode="SUCCESS", errorMsg="处理成功")


def _failed(world: World, sub_code: str, text: str) -> JsonObject:
    return result(world, is_so=False, operate="ADD", errorCode=sub_code, errorMsg=text)


def _serial(biz: JsonObject) -> JsonValue:
    """A request names the pass by the parameter that usually carries it."""
    return (json_member(biz, "tpl_params") or {}).get("serialNumber")


INSTANCE_ADD: Final = Api(_judge, _failed, _serial)
"""`alipay.pass.instance.add`."""
