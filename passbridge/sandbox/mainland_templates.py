"""The mainland's `alipay.pass.template.add` and `alipay.pass.template.update`: what passes are issued from.

Owns the rules for a template's content and for its unique id. It must not know passes: those issued already keep what
their template said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from passbridge.domain.strictjson import JsonObject
from passbridge.sandbox.mainland_api import INVALID, Api, Case, Field, Refusal, Ruling, complaint, json_member, missing, result
from passbridge.sandbox.mainland_frame import at, dynamic, stamp
from passbridge.sandbox.records import Template
from passbridge.sandbox.world import World

__all__ = ["TEMPLATE_ADD", "TEMPLATE_UPDATE", "VALID", "template_of"]

VALID: Final = "VALID"

_CONTENT: Final = Field("tpl_content", 99999, is_json=True)
_TPL_ID: Final = Field("tpl_id", 999)
_NEEDED: Final = (
    ("content",),
    ("content", "evoucherInfo"),
    ("content", "platform", "channelID"),
    ("content", "fileInfo", "serialNumber"),
)
"""Without these no pass could be issued from it."""

_SERIAL_NUMBER: Final = ("content", "fileInfo", "serialNumber")


def _add(case: Case) -> Ruling:
    longest = int(case.world.guesses["mainland.unique_id_length"])
    refusal = complaint(case.biz, (Field("unique_id", longest), _CONTENT)) or _content(case)
    if refusal:
        return Ruling(refusal)
    unique_id = str(case.biz["unique_id"])
    present = case.world.store.template_named("mainland", case.app, unique_id)
    if present:
        # The unique ids are the app's: another merchant of the same app can't have this one.
        again = case.world.guesses["mainland.template_again"] if present.account in case.accounts else INVALID
        return Ruling(None, _said(case.world, present)) if again == "same" else Ruling(Refusal(again))
    number = int(case.world.trace(), 16) % 10**11
    made = Template(
        gateway="mainland",
        app=case.app,
        id=f"{stamp(case.now):.10}".replace("-", "") + f"{case.now % 10**6:06d}{number:011d}",
        account=case.accounts[0],
        unique_key=unique_id,
        state=VALID,
        content=json_member(case.biz, "tpl_content") or {},
        created=case.now,
    )
    return Ruling(None, _said(case.world, made), made)


def _update(case: Case) -> Ruling:
    refusal = complaint(case.biz, (_TPL_ID, _CONTENT))
    if refusal:
        return Ruling(refusal)
    found = template_of(case)
    refusal = found if isinstance(found, Refusal) else _content(case)
    if isinstance(found, Refusal) or refusal:
        return Ruling(refusal)
    made = replace(found, content=json_member(case.biz, "tpl_content") or {})
    return Ruling(None, _said(case.world, made), made)


def template_of(case: Case) -> Template | Refusal:
    """The merchant's own template that a request names."""
    found = case.world.store.template("mainland", str(case.biz["tpl_id"]))
    return found if found and found.account in case.accounts else Refusal(case.world.guesses["mainland.unknown_template"])


def _content(case: Case) -> Refusal | None:
    content = json_member(case.biz, "tpl_content")
    lacking = [".".join(path) for path in _NEEDED if not at(content, *path)]
    if lacking:
        return missing(*lacking)
    fixed = not dynamic(at(content, *_SERIAL_NUMBER))
    return Refusal(INVALID) if fixed and case.world.guesses["mainland.static_serial"] == INVALID else None


def _said(world: World, made: Template) -> JsonObject:
    names = dynamic(made.content)
    return result(world, is_so=True, errorCode="SUCCESS", errorMsg="处理成功", tpl_id=made.id, tpl_params=list(names))


def _failed(world: World, sub_code: str, text: str) -> JsonObject:
    return result(world, is_so=False, errorCode=sub_code, errorMsg=text)


TEMPLATE_ADD: Final = Api(_add, _failed)
"""`alipay.pass.template.add`."""

TEMPLATE_UPDATE: Final = Api(_update, _failed)
"""`alipay.pass.template.update`: it holds for what is issued later."""
