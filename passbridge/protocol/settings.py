"""What every account's settings have, and how a secret is held.

Owns `Secret` and the base of each backend's settings model. Reads nothing: `config` fills these in.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Final, NoReturn, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

__all__ = ["PUBLIC", "SHOWN", "AccountSettings", "RetrySettings", "Secret", "gateway_url"]

PUBLIC: Final = "public"
"""Marks a member that is read like a secret but is none, such as the gateway's key: `Annotated[Secret, PUBLIC]`."""


SHOWN: Final = "Secret(…)"
"""What is shown in a secret's place."""


class Secret:
    """Bytes that are shown to nobody: keys, tokens, and the files they came in.

    Not in `repr`, `str` or `vars`, not in a dump, and not picklable; a copy is the object itself.

    Args:
        data: the bytes.
        origin: where they came from, for messages: a file's path, an environment variable's name.
    """

    __slots__ = ("_reveal", "origin")

    _reveal: Callable[[], bytes]

    def __init__(self, data: bytes, origin: str) -> None:
        self._reveal = lambda: data
        self.origin = origin

    def reveal(self) -> bytes:
        """The bytes themselves."""
        return self._reveal()

    def __repr__(self) -> str:
        return SHOWN

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are not pickled")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        shown = core_schema.plain_serializer_function_ser_schema(repr, return_schema=core_schema.str_schema())
        return core_schema.is_instance_schema(cls, serialization=shown)


_ADDRESS: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9_-]{1,63}\.)*[A-Za-z0-9_-]{1,63}\.?)(?P<port>:\d{1,5})?(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@/%-]*)?"
)
_LAST_PORT: Final = 65535


def gateway_url(url: str) -> str:
    """An absolute `https` URL without credentials, query or fragment; plain `http` for loopback alone."""
    parts = _ADDRESS.fullmatch(url)
    if not parts or not 0 < int((parts["port"] or ":1")[1:]) <= _LAST_PORT:
        raise PydanticCustomError("gateway_url", "is not a plain absolute URL; write it as https://host/path")
    if parts["scheme"] == "http" and parts["host"] not in {"127.0.0.1", "localhost", "[::1]"}:
        raise PydanticCustomError("gateway_url", "must be https: plain http is taken for 127.0.0.1, localhost and [::1] alone")
    return url.rstrip("/")


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RetrySettings(_Settings):
    """`[retry]`, for one `apply` (seconds); an account may override each.

    Attributes:
        attempts: how many requests at most.
        deadline: for everything, waits and name look-up included.
        connect_timeout: for each connection.
        read_timeout: for each silence while reading.
        clock_window: how far an AlipayHK answer's `Response-Time` may be off.
    """

    attempts: int = Field(3, ge=1, le=100)
    deadline: float = Field(10.0, gt=0, le=3600, allow_inf_nan=False)
    connect_timeout: float = Field(3.0, gt=0, le=3600, allow_inf_nan=False)
    read_timeout: float = Field(5.0, gt=0, le=3600, allow_inf_nan=False)
    clock_window: float = Field(900.0, gt=0, allow_inf_nan=False)


class AccountSettings(_Settings):
    """What every account has, whatever its backend; a backend's own model extends it.

    Attributes:
        name: the account's name, as updates give it in `to`.
        origin: the file it is configured in, for messages.
        backend: what speaks for it.
        gateway: the gateway's address.
        retry: `[retry]`, with the account's own values on top.
    """

    name: str
    origin: str
    backend: str
    gateway: Annotated[str, AfterValidator(gateway_url)]
    retry: RetrySettings = RetrySettings()

    def at(self, member: str) -> str:
        """Where a member stands, for messages: `passbridge.toml: accounts.cn.private_key`."""
        return f"{self.origin}: accounts.{self.name}.{member}" if self.origin else f"accounts.{self.name}.{member}"
