"""What the mainland's `alipay.pass.instance.update` makes of `biz_content`: which pass changes how.

Owns the rules of the page (seed 003), the order in which they are looked at, and the states of a pass. It must not
know public parameters, signatures or bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonObject, JsonValue, write_json
from passbridge.sandbox.guesses import ALLOWED
from passbridge.sandbox.mainland_api import (
    FORMAT_ERROR,
    INVALID,
    IS_NULL,
    NOT_EXIST,
    NOT_GBK,
    Api,
    Case,
    Refusal,
    Ruling,
    json_member,
    pass_id,
    result,
)
from passbridge.sandbox.mainland_frame import EXPIRED, FIXED, dynamic, status_of
from passbridge.sandbox.records import Pass, merged
from passbridge.sandbox.world import World

__all__ = ["UPDATE", "applied"]

_HOLDER: Final = ("user_id", "open_id")

_LENGTHS: Final = MappingProxyType({"serial_number": 999, "channel_id": 999, "status": 99, "verify_code": 999, "verify_type": 99999})
_TPL_PARAMS: Final = 99999
_WORDS: Final = MappingProxyType({"status": ("USED", "CLOSED"), "verify_type": ("wave", "qrcode", "barcode", "input")})
_REQUIRED: Final = ("serial_number", "channel_id")


@dataclass(frozen=True, slots=True)
class _Case:
    """One update before its judges: the content, and its `tpl_params` as an object.

    `params` is None where `tpl_params` is neither an object nor the text of one, and empty where there is none.
    """

    world: World
    biz: JsonObject
    params: JsonObject | None
    found: Pass | None

    @property
    def one(self) -> Pass:
        """The pass, for what comes after the rule that it exists."""
        assert self.found is not None  # noqa: S101 - held by the order of the rules
        return self.found

    @property
    def status(self) -> str:
        """The status word; an update without one changes the content."""
        return str(self.biz.get("status", ""))

    @property
    def changes(self) -> JsonObject:
        """The parameters that can change: of an issued pass, those that its template declared, but for the fixed ones."""
        declared = dynamic(self.one.frame) if self.one.frame else self.params or {}
        return {name: value for name, value in (self.params or {}).items() if name in declared and not (self.one.frame and name in FIXED)}


def _readable(case: _Case) -> str:
    return FORMAT_ERROR if case.params is None else ""


def _present(case: _Case) -> str:
    """`serial_number` and `channel_id` are required; `verify_code` and `verify_type` come together or not at all."""
    lone = ("verify_code" in case.biz) != ("verify_type" in case.biz)
    missing = [name for name in _REQUIRED if case.biz.get(name, "") == ""]
    return IS_NULL if lone or missing else ""


def _valid(case: _Case) -> str:
    texts = {name: value for name, value in case.biz.items() if name in _LENGTHS}
    wrong = [name for name, value in texts.items() if not isinstance(value, str) or len(value) > _LENGTHS[name]]
    wrong += [name for name, words in _WORDS.items() if name in texts and texts[name] not in words]
    tpl_params = case.biz.get("tpl_params", "")
    text = tpl_params if isinstance(tpl_params, str) else write_json(tpl_params)
    return INVALID if wrong or len(text) > _TPL_PARAMS else ""


def _gbk(case: _Case) -> str:
    """Every text of the update, the escaped ones inside `tpl_params` too."""
    try:
        (write_json(case.biz) + write_json(case.params)).encode("gbk")
    except UnicodeEncodeError:
        return NOT_GBK
    return ""


def _known(case: _Case) -> str:
    return "" if case.found else NOT_EXIST


def _held(case: _Case) -> str:
    """Whoever is named holds the pass, as far as its holder is known."""
    named = [(case.biz[name], getattr(case.one, name)) for name in _HOLDER if name in case.biz]
    other = any(held is not None and given != held for given, held in named)
    return case.world.guesses["mainland.wrong_holder"] if other else ""


def _declared(case: _Case) -> str:
    """A parameter that the pass's template doesn't declare has nowhere to stand."""
    strange = case.one.frame and (case.params or {}).keys() - dynamic(case.one.frame)
    return case.world.guesses["mainland.undeclared_params"] if strange else ""


def _state(case: _Case) -> str:
    """The change of state: simply done, or a guess whose reading lets it through or is the code."""
    expired = status_of(case.one, case.world.now()) == EXPIRED
    edge = _EDGES.get((case.status, EXPIRED if expired else case.one.state))
    reading = case.world.guesses[edge] if edge else "allowed"
    return "" if reading in ALLOWED else reading


_EDGES: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("USED", "USED"): "mainland.used_again",
        ("USED", "CLOSED"): "mainland.used_after_closed",
        ("USED", EXPIRED): "mainland.used_after_expiry",
        ("CLOSED", "USED"): "mainland.closed_after_used",
        ("CLOSED", "CLOSED"): "mainland.closed_again",
        ("", "USED"): "mainland.update_after_used",
        ("", "CLOSED"): "mainland.update_after_closed",
    }
)
"""What a status word (none: the content alone) meets in a state, by the guess that decides it."""

_RULES: Final[tuple[Callable[[_Case], str], ...]] = (_readable, _present, _valid, _gbk, _known, _held, _declared, _state)
"""The rules in their order (a guess). Each gives the code of its refusal, or nothing; `allowed` is nothing, too."""


def _judge(case: Case) -> Ruling:
    found = case.find(case.biz.get("serial_number"), case.biz.get("channel_id"))
    update = _Case(case.world, case.biz, json_member(case.biz, "tpl_params"), found)
    code = next((code for rule in _RULES if (code := rule(update)) not in {"", *ALLOWED}), "")
    success = applied(case.world, case.biz.get("serial_number"), found)
    return Ruling(Refusal(code), success) if code else Ruling(None, success, _changed(update, case.now))


def applied(world: World, serial: JsonValue, found: Pass | None) -> JsonObject:
    """What a success says: the page's sample answer, about this pass."""
    serial = serial if isinstance(serial, str) else ""
    return result(
        world, is_so=True, serialNumber=serial, passId=pass_id(serial, found), operate="UPDATE", errorCode="SUCCESS", errorMsg="处理成功"
    )


def _changed(case: _Case, now: int) -> Pass:
    one, params = replace(case.one, state=case.status or case.one.state, modified=now), case.changes
    if not params:
        return one
    if case.world.guesses["mainland.tpl_params"] == "merged":
        return replace(one, content=merged(one.content, params))
    fixed = {name: value for name, value in one.content.items() if one.frame and name in FIXED}
    return replace(one, content={**fixed, **params})


UPDATE: Final = Api(_judge, lambda world, _sub_code, _text: result(world, is_so=False, operate="UPDATE"))
"""`alipay.pass.instance.update`. A failure's result says no more than what was asked (seen on the wire)."""
