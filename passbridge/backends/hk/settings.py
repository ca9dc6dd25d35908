"""The settings of an AlipayHK account.

Owns the members' names and which belong together. Opens no key.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from passbridge.protocol.settings import PUBLIC, AccountSettings, Secret

__all__ = ["HkSettings"]

_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)]


class HkSettings(AccountSettings):
    """An account at AlipayHK.

    Attributes:
        profile: `card` (seed 000), `membership` (seed 001) or `ticket` (seed 002).
        client_id: the `Client-Id` AlipayHK gave.
        merchant_id: the default of `pass.merchant`.
        private_key: ours; may be left out where a signer is given.
        gateway_public_key: AlipayHK's.
        gateway_public_keys: AlipayHK's by `keyVersion`, while keys rotate; instead of `gateway_public_key`.
        key_version: of our own key.
        algorithm: of both signatures.
    """

    backend: Literal["hk"]
    profile: Literal["card", "membership", "ticket"]
    client_id: _Word
    merchant_id: Annotated[str, Field(min_length=1)] | None = None
    private_key: Secret | None = None
    gateway_public_key: Annotated[Secret, PUBLIC] | None = None
    gateway_public_keys: dict[Annotated[str, Field(pattern=r"^\d{1,9}$")], Annotated[Secret, PUBLIC]] = Field(default_factory=dict)
    key_version: Annotated[str, Field(pattern=r"^\d{1,9}$")] = "1"
    algorithm: Literal["RSA256"] = "RSA256"

    @model_validator(mode="after")
    def _one_way_to_name_the_gateways_key(self) -> Self:
        if (self.gateway_public_key is None) == (not self.gateway_public_keys):
            raise PydanticCustomError("gateway_key", "give gateway_public_key, or gateway_public_keys by version, and not both")
        return self
