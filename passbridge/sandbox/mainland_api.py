"""What the mainland's APIs share behind the signature: a case before its judge, the ruling, and the checks on fields.

Owns the shape of an API of the mainland's gateway as the simulator sees it, and the business codes for malformed
content. It must not know any single API's rules, nor public parameters, signatures or bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from passbridge.domain.strictjson import JsonError, JsonObject, JsonValue, read_json, write_json
from passbridge.sandbox.records import Pass, Template
from passbridge.sandbox.world import World

__all__ = [
    "FORMAT_ERROR",
    "INVALID",
    "IS_NULL",
    "NOT_EXIST",
    "NOT_GBK",
    "Api",
    "Case",
    "Field",
    "Refusal",
    "Ruling",
    "complaint",
    "json_member",
    "missing",
    "pass_id",
    "plain_failure",
    "result",
    "without_nulls",
]

FORMAT_ERROR: Final = "KP.AE_ALIPASS_PARAMS_FORMAT_ERROR"
IS_NULL: Final = "KP.AE_ALIPASS_PARAME_IS_NULL"
INVALID: Final = "KP.AE_ALIPASS_PARAMS_VALUE_INVAILD"
NOT_GBK: Final = "KP.AE_ALIPASS_CHAR_NOT_GBK"
NOT_EXIST: Final = "KP.AE_ALIPASS_NOTEXIST"


class Refusal(NamedTuple):
    """Why a request is refused: the sub code, and the text where it isn't the documented one."""

    sub_code: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """One request behind its signature: which app asks, as which merchant, and `biz_content` without its nulls.

    Attributes:
        world: everything that isn't the request.
        app: the app's id.
        accounts: the merchant's products: the app's own, or those of whoever gave it the token that came along.
        biz: the content.
    """

    world: World
    app: str
    accounts: tuple[str, ...]
    biz: JsonObject

    def find(self, serial: JsonValue, channel: JsonValue) -> Pass | None:
        """The merchant's own pass with this serial number and channel."""
        if not isinstance(serial, str) or not isinstance(channel, str):
            return None
        found = self.world.store.find("mainland", serial, channel)
        return found if found and self.owns(found) else None

    def owns(self, one: Pass) -> bool:
        """Whether the pass is the merchant's."""
        return one.account in self.accounts

    @property
    def now(self) -> int:
        """Milliseconds since 1970."""
        return int(self.world.now().timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an API makes of a case.

    Attributes:
        refusal: why it refuses, if it does.
        members: what a success says beside code and message.
        change: the pass or template as it is afterwards.
    """

    refusal: Refusal | None = None
    members: JsonObject = field(default_factory=dict)
    change: Pass | Template | None = None


def plain_failure(_world: World, _sub_code: str, _text: str) -> JsonObject:
    """A failure that says nothing beside its codes."""
    return {}


@dataclass(frozen=True, slots=True)
class Api:
    """One method of the gateway.

    Attributes:
        judge: its rules.
        failed: what a business failure says beside its codes, from the sub code and its text.
        serial: the serial number that a request names.
    """

    judge: Callable[[Case], Ruling]
    failed: Callable[[World, str, str], JsonObject] = plain_failure
    serial: Callable[[JsonObject], JsonValue] = lambda biz: biz.get("serial_number")


@dataclass(frozen=True, slots=True)
class Field:
    """A member of `biz_content`: its longest length in characters, whether it is JSON (text, or as it stands), and needed."""

    name: str
    most: int
    is_json: bool = False
    needed: bool = True


def without_nulls(biz: JsonObject) -> JsonObject:
    """A null is as good as an absent member."""
    return {name: value for name, value in biz.items() if value is not None}


def json_member(biz: Mapping[str, JsonValue], name: str) -> JsonObject | None:
    """A member that is an object: as JSON text (the pages), or as it stands (the support forum's samples)."""
    given = biz.get(name, {})
    try:
        value = read_json(given) if isinstance(given, str) else given
    except JsonError:
        return None
    return value if isinstance(value, dict) else None


def complaint(biz: JsonObject, fields: Iterable[Field]) -> Refusal | None:
    """What is wrong with the fields, in the order in which an update's are looked at: readable, there, valid, GBK."""
    fields = tuple(fields)
    if any(one.is_json and biz.get(one.name, "{}") != "" and json_member(biz, one.name) is None for one in fields):
        return Refusal(FORMAT_ERROR)
    lacking = [one.name for one in fields if one.needed and biz.get(one.name, "") == ""]
    if lacking:
        return missing(*lacking)
    if any(one.name in biz and not _fits(biz[one.name], one) for one in fields):
        return Refusal(INVALID)
    try:
        "".join(map(write_json, [biz, *(json_member(biz, one.name) for one in fields if one.is_json)])).encode("gbk")
    except UnicodeEncodeError:
        return Refusal(NOT_GBK)
    return None


def _fits(value: JsonValue, one: Field) -> bool:
    text = write_json(value) if one.is_json and not isinstance(value, str) else value
    return isinstance(text, str) and len(text) <= one.most


def missing(*names: str) -> Refusal:
    """A refusal that names what is missing, in the words seen on the wire."""
    return Refusal(IS_NULL, f"缺失必要属性{','.join(names)}为空")


def result(world: World, *, is_so: bool, **members: JsonValue) -> JsonObject:
    """`success` and `result`: an object in a text. Its `operate` may be spelt `operation`."""
    text = write_json({world.guesses["mainland.operate"] if name == "operate" else name: value for name, value in members.items()})
    success = is_so if world.guesses["mainland.success_type"] == "bool" else str(is_so).lower()
    return {"success": success, "result": text}


def pass_id(serial: str, one: Pass | None) -> str:
    """Alipay's own name for the pass: made up, but always the same. Of issued passes no two have the same."""
    channel = one.channel if one and one.frame else ""
    return f"{int.from_bytes(hashlib.sha256(f'{serial}{channel}'.encode()).digest()[:8]) % 10**12:012d}"
