"""What the tables beside the accounts may hold, and what a configuration is once it is read.

Owns `[http]` and `[mappings]`. Reads nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from passbridge.protocol.settings import AccountSettings

__all__ = ["Config", "HttpSettings", "MappingsSettings"]


class HttpSettings(BaseModel):
    """`[http]`: how to reach the gateways.

    Attributes:
        proxy: an `http://` proxy.
        trust_env: whether proxies and certificates may come from the environment.
        ca_file: certificates to trust instead of the usual ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    proxy: SecretStr | None = None
    trust_env: bool = False
    ca_file: str | None = None

    def __reduce__(self) -> NoReturn:
        raise TypeError("settings that may hold a password are not pickled")

    @field_validator("proxy")
    @classmethod
    def _plain_http(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _is_proxy(value.get_secret_value()):
            raise PydanticCustomError("proxy", "must be an address like http://proxy:3128")
        return value


def _is_proxy(address: str) -> bool:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    return parts.scheme == "http" and bool(parts.hostname) and parts.path in {"", "/"} and port != 0


class MappingsSettings(BaseModel):
    """`[mappings]`: the paths of overlays."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overlays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration, read.

    Attributes:
        origin: the file's path; empty for a mapping.
        default: the account of an update that names none.
        accounts: each account's settings by its name.
        http: how to reach the gateways.
        overlays: the mapping overlays' texts by their names.
    """

    origin: str
    default: str | None
    accounts: Mapping[str, AccountSettings]
    http: HttpSettings
    overlays: Mapping[str, str] = field(default_factory=dict)
