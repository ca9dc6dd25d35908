"""The settings of an AlipayHK account.

Owns the members' names and which belong together. Opens no key.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from passbridge.protocol.cipher import Wrapping
from passbridge.protocol.settings import PUBLIC, AccountSettings, Secret

__all__ = ["HkEncryption", "HkSettings"]

_Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$", max_length=128)]
_Version = Annotated[str, Field(pattern=r"^\d{1,9}$")]


class HkEncryption(BaseModel):
    """`encryption`: RSA_AES as the sibling gateway's official SDK does it. A guess for AlipayHK: confirm it before use.

    Attributes:
        algorithm: the one there is: the body under AES-256 in ECB mode with PKCS#5 padding, its key under RSA.
        wrap: how the AES key stands under RSA.
        content_type: what an encrypted body is called.
        key_version: of AlipayHK's key under which ours is wrapped; by default the newest that is configured, else 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    algorithm: Literal["RSA_AES"] = "RSA_AES"
    wrap: Wrapping = "PKCS1"
    content_type: Literal["text/plain", "application/json"] = "text/plain"
    key_version: _Version | None = None


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
        algorithm: of both signatures; never taken from a message.
        ecc_hash: the hash of `ECC224`, by default SHA-224: AlipayHK's pages name neither.
        encryption: how bodies are encrypted; off unless set.
        encryption_private_key: our RSA key, for which answers are encrypted, if it is not `private_key`.
        encryption_public_key: AlipayHK's RSA key, for which requests are encrypted, if it is not `gateway_public_key`.
    """

    backend: Literal["hk"]
    profile: Literal["card", "membership", "ticket"]
    client_id: _Word
    merchant_id: Annotated[str, Field(min_length=1)] | None = None
    private_key: Secret | None = None
    gateway_public_key: Annotated[Secret, PUBLIC] | None = None
    gateway_public_keys: dict[_Version, Annotated[Secret, PUBLIC]] = Field(default_factory=dict)
    key_version: _Version = "1"
    algorithm: Literal["RSA256", "ECC224"] = "RSA256"
    ecc_hash: Literal["SHA224", "SHA256"] | None = None
    encryption: HkEncryption | None = None
    encryption_private_key: Secret | None = None
    encryption_public_key: Annotated[Secret, PUBLIC] | None = None

    @model_validator(mode="after")
    def _one_way_to_name_the_gateways_key(self) -> Self:
        if (self.gateway_public_key is None) == (not self.gateway_public_keys):
            raise PydanticCustomError("gateway_key", "give gateway_public_key, or gateway_public_keys by version, and not both")
        return self

    @model_validator(mode="after")
    def _nothing_that_would_go_unused(self) -> Self:
        if self.ecc_hash and self.algorithm != "ECC224":
            raise PydanticCustomError("unused", "ecc_hash is for ECC224 alone: leave it out, or set algorithm")
        if self.encryption is None and (self.encryption_private_key or self.encryption_public_key):
            raise PydanticCustomError(
                "unused", "encryption_private_key and encryption_public_key are for encryption: set it, or leave them out"
            )
        return self
