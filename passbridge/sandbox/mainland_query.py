"""The mainland's `alipay.marketing.pass.instance.query`: what became of passes.

Owns which passes a request finds and how each is shown, written from the model classes of the official SDKs. It must
not change anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from passbridge.domain.strictjson import JsonObject, JsonValue, write_json
from passbridge.sandbox.mainland_api import INVALID, Api, Case, Field, Refusal, Ruling, complaint, missing, pass_id
from passbridge.sandbox.mainland_frame import at, filled, stamp, status_of
from passbridge.sandbox.records import Pass

__all__ = ["QUERY"]

_CRITERIA: Final = ("pass_id", "serial_number", "tpl_id", "user_id")
_FIELDS: Final = tuple(Field(name, 999, needed=False) for name in _CRITERIA)
_PAGES: Final = {"page_num": (1, 10**9), "page_size": (20, 20)}
"""The default and the largest of each."""

_SHOWN: Final = {
    "logo": ("logo",),
    "strip": ("strip",),
    "logo_text": ("content", "evoucherInfo", "einfo", "logoText"),
    "product": ("content", "evoucherInfo", "product"),
    "type": ("content", "evoucherInfo", "type"),
    "start_date": ("content", "evoucherInfo", "startDate"),
    "end_date": ("content", "evoucherInfo", "endDate"),
}
"""What comes from the template, and its place there."""


def _judge(case: Case) -> Ruling:
    pages = {name: _whole(case.biz.get(name, default), most) for name, (default, most) in _PAGES.items()}
    refusal = complaint(case.biz, _FIELDS) or (Refusal(INVALID) if None in pages.values() else None)
    wanted = {name: case.biz[name] for name in _CRITERIA if name in case.biz}
    if not refusal and not wanted and case.world.guesses["mainland.query_unbounded"] != "everything":
        refusal = missing(*_CRITERIA)
    found = [] if refusal else [one for one in case.world.store.passes() if case.owns(one) and wanted.items() <= _named(one).items()]
    if not refusal and not found and case.world.guesses["mainland.query_nothing"] != "empty":
        refusal = Refusal(case.world.guesses["mainland.query_nothing"])
    return Ruling(refusal) if refusal else Ruling(None, _paged(case, found, pages["page_num"] or 1, pages["page_size"] or 1))


def _paged(case: Case, found: list[Pass], number: int, size: int) -> JsonObject:
    several: list[JsonValue] = [_detail(case, one) for one in found[(number - 1) * size : number * size]]
    return {"instance_list": several, "page_num": number, "page_size": size, "total": len(found), "total_page": -(-len(found) // size)}


def _named(one: Pass) -> dict[str, JsonValue]:
    """What a pass can be found by."""
    return {"pass_id": pass_id(one.id, one), "serial_number": one.id, "tpl_id": one.template, "user_id": one.user_id}


def _detail(case: Case, one: Pass) -> JsonObject:
    shown = filled(one.frame, one.content)
    texts = {"create_time": one.created, "modify_time": one.modified}
    gone = one.state == "CLOSED" and case.world.guesses["mainland.closed_is_deleted"] == "true"
    members: JsonObject = {
        **_named(one),
        "channel_id": one.channel,
        "status": status_of(one, case.world.now()),
        "is_deleted": gone,
        **{name: None if at_ is None else stamp(at_) for name, at_ in texts.items()},
        **{name: at(shown, *path) for name, path in _SHOWN.items()},
        "biz_param_list": list(_pairs(one.content)),
    }
    return {name: value for name, value in members.items() if value is not None}


def _pairs(content: JsonObject) -> Iterator[JsonValue]:
    for name, value in content.items():
        yield {"key": name, "value": value if isinstance(value, str) else write_json(value)}


def _whole(value: JsonValue, most: int) -> int | None:
    """A number from 1 on, as such or as text; nothing, if it is none or too large."""
    text = str(value)
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(most)) else 0
    return number if 0 < number <= most else None


QUERY: Final = Api(_judge)
"""`alipay.marketing.pass.instance.query`."""
