"""What the mainland's `alipay.pass.instance.update` makes of `biz_content`: which pass changes how.

Owns the rules of the page (seed 003), the order in which they are looked at, and the states of a pass. It must not
know public parameters, signatures or bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from passbridge.domain.strictjson import JsonError, JsonObject, read_json, write_json
from passbridge.sandbox.gateway import World, merged
from passbridge.sandbox.guesses import ALLOWED
from passbridge.sandbox.store import Pass

__all__ = ["FORMAT_ERROR", "IS_NULL", "judge"]

FORMAT_ERROR: Final = "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"
IS_NULL: Final = "KP.AE_ALIPASS_PARAME_IS_NULL"
_INVALID: Final = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"
_NOT_GBK: Final = "KP.AE_ALIPASS_CHAR_NOT_GBK"
_NOT_EXIST: Final = "KP.AE_ALIPASS_NOTEXIST"

_LENGTHS: Final = MappingProxyType({"serial_number": 999, "channel_id": 999, "status": 99, "verify_code": 999, "verify_type": 99999})
_TPL_PARAMS: Final = 99999
_WORDS: Final = MappingProxyType({"status": ("USED", "CLOSED"), "verify_type": ("wave", "qrcode", "barcode", "input")})
_REQUIRED: Final = ("serial_number", "channel_id")


@dataclass(frozen=True, slots=True)
class _Case:
    """One update before its judges: `biz_content` without its nulls, and its `tpl_params` as an object.

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


def _params(biz: JsonObject) -> JsonObject | None:
    """JSON text (the page), or an object (the support forum's samples)."""
    given = biz.get("tpl_params", {})
    try:
        value = read_json(given) if isinstance(given, str) else given
    except JsonError:
        return None
    return value if isinstance(value, dict) else None


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
    return _INVALID if wrong or len(text) > _TPL_PARAMS else ""


def _gbk(case: _Case) -> str:
    """Every text of the update, the escaped ones inside `tpl_params` too."""
    try:
        (write_json(case.biz) + write_json(case.params)).encode("gbk")
    except UnicodeEncodeError:
        return _NOT_GBK
    return ""


def _known(case: _Case) -> str:
    return "" if case.found else _NOT_EXIST


def _state(case: _Case) -> str:
    """The change of state: simply done, or a guess whose reading lets it through or is the code."""
    edge = _EDGES.get((case.status, case.one.state))
    reading = case.world.guesses[edge] if edge else "allowed"
    return "" if reading in ALLOWED else reading


_EDGES: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("USED", "USED"): "mainland.used_again",
        ("USED", "CLOSED"): "mainland.used_after_closed",
        ("CLOSED", "USED"): "mainland.closed_after_used",
        ("CLOSED", "CLOSED"): "mainland.closed_again",
        ("", "USED"): "mainland.update_after_used",
        ("", "CLOSED"): "mainland.update_after_closed",
    }
)
"""What a status word (none: the content alone) meets in a state, by the guess that decides it."""

_RULES: Final[tuple[Callable[[_Case], str], ...]] = (_readable, _present, _valid, _gbk, _known, _state)
"""The rules in their order (a guess). Each gives the code of its refusal, or nothing."""


def judge(world: World, biz: JsonObject, found: Pass | None) -> tuple[str, Pass | None]:
    """The sub code for an update, empty for success, and the pass as it is afterwards, if the update was applied."""
    given: JsonObject = {name: value for name, value in biz.items() if value is not None}
    case = _Case(world, given, _params(given), found)
    for rule in _RULES:
        code = rule(case)
        if code:
            return code, None
    return "", _changed(case)


def _changed(case: _Case) -> Pass:
    one = replace(case.one, state=case.status or case.one.state)
    if not case.params:
        return one
    content = merged(one.content, case.params) if case.world.guesses["mainland.tpl_params"] == "merged" else case.params
    return replace(one, content=content)
