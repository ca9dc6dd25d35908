"""The settings of a mainland account.

Owns the members' names and forms. Opens no key.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from passbridge.backends.mainland.encryption import EncryptionType
from passbridge.protocol.settings import PUBLIC, AccountSettings, Secret

__all__ = ["MainlandSettings"]


def _token(secret: Secret) -> Secret:
    text = secret.reveal().strip()
    if not text or not text.isascii() or len(text.split()) != 1:
        raise PydanticCustomError("token", "is no token: one word of ASCII is wanted")
    return Secret(text, secret.origin)


class MainlandSettings(AccountSettings):
    """An account at the mainland gateway.

    Attributes:
        profile: `pass`, the only one.
        app_id: the application's id.
        channel_id: the default of `pass.channel`.
        sign_type: `RSA2` (SHA-256) or the legacy `RSA` (SHA-1), for both directions.
        charset: of the request; answers are read in it, or in the other one where the gateway slips.
        private_key: ours; may be left out where a signer is given.
        gateway_public_key: Alipay's; or, in certificate mode, the three files that the console offers:
        app_cert: our certificate.
        gateway_cert: Alipay's, with the one that issued it; several while they change.
        root_cert: the bundle of roots.
        cert_download: fetch a certificate of Alipay's that isn't known yet, and take it if its chain is sound.
        encrypt_key: the AES key that the console shows; encrypts requests and answers.
        encrypt_type: how: `AES`, or `AES_V2`, which no page of the gateway's documents.
        app_auth_token: the token of the merchant on whose behalf an agent calls. Travels in the body, never in the URL.
        gbk_check: refuse text that GBK can't hold, under any charset.
        resolve: how a doubt is resolved: `resend` (by the tables alone), or `query`: the pass is asked for before that.
    """

    backend: Literal["mainland"]
    profile: Literal["pass"] = "pass"
    app_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,32}$")]
    channel_id: Annotated[str, Field(min_length=1, max_length=999)] | None = None
    sign_type: Literal["RSA2", "RSA"] = "RSA2"
    charset: Literal["utf-8", "gbk"] = "utf-8"
    private_key: Secret | None = None
    gateway_public_key: Annotated[Secret, PUBLIC] | None = None
    app_cert: Annotated[Secret, PUBLIC] | None = None
    gateway_cert: Annotated[Secret, PUBLIC] | None = None
    root_cert: Annotated[Secret, PUBLIC] | None = None
    cert_download: bool = False
    encrypt_key: Secret | None = None
    encrypt_type: EncryptionType = "AES"
    app_auth_token: Annotated[Secret, AfterValidator(_token)] | None = None
    gbk_check: bool = True
    resolve: Literal["resend", "query"] = "resend"
