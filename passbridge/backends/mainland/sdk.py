"""The official SDK's part: its request, model and response classes are the wire's schema. Nothing else of it is used.

The only module that imports `alipay`; it is itself imported when a mainland account is first used (0.1 to 0.3 s).
What the classes do in silence (drop empty values and unknown names, let `udf_params` override anything) is refused
here, before it can.
"""

from __future__ import annotations

from importlib import import_module
from typing import Protocol, cast

from alipay.aop.api.domain.AlipayMarketingPassInstanceQueryModel import AlipayMarketingPassInstanceQueryModel
from alipay.aop.api.domain.AlipayPassInstanceUpdateModel import AlipayPassInstanceUpdateModel
from alipay.aop.api.request.AlipayMarketingPassInstanceQueryRequest import AlipayMarketingPassInstanceQueryRequest
from alipay.aop.api.request.AlipayPassInstanceUpdateRequest import AlipayPassInstanceUpdateRequest

from passbridge.domain import JsonObject, write_json
from passbridge.errors import ConfigError, InvalidUpdate, Problem

__all__ = ["SdkResponse", "query_params", "request_params", "response_object", "update_params"]

_RESERVED = frozenset(
    {"app_id", "format", "charset", "sign_type", "sign", "timestamp", "alipay_sdk", "encrypt_type", "app_cert_sn", "alipay_root_cert_sn"}
)
"""Parameters that passbridge itself sends."""


class SdkResponse(Protocol):
    """What every response class of the SDK has."""

    def parse_response_content(self, response_content: str) -> None:
        """Fill the object's members from the node's text."""
        ...


def update_params(document: JsonObject) -> dict[str, str]:
    """The parameters of one `alipay.pass.instance.update`, from the names and values of `biz_content`.

    Raises:
        ConfigError: an overlay renamed a field to one that the API doesn't have.
    """
    model = AlipayPassInstanceUpdateModel()
    unknown = [name for name in document if not isinstance(getattr(type(model), name, None), property)]
    if unknown:
        mend = "mend the overlay that renamed it"
        raise ConfigError(
            [Problem(f"mainland.pass.fields: {name}", "unknown_member", "the API has no such field", mend) for name in unknown]
        )
    for name, value in document.items():
        setattr(model, name, value)
    params: dict[str, str] = AlipayPassInstanceUpdateRequest(biz_model=model).get_params()
    return params


def query_params(serial_number: str) -> dict[str, str]:
    """The parameters of one `alipay.marketing.pass.instance.query` for the passes of this number."""
    model = AlipayMarketingPassInstanceQueryModel()
    model.serial_number = serial_number
    params: dict[str, str] = AlipayMarketingPassInstanceQueryRequest(biz_model=model).get_params()
    return params


def request_params(request: object, *, encrypts: bool = False) -> dict[str, str]:
    """The parameters of any request object of the SDK, in plain text.

    Args:
        request: the object.
        encrypts: whether the account has a key for those that want encryption.

    Raises:
        InvalidUpdate: it is none, carries files, wants encryption that can't be, or overrides what passbridge sends itself.
    """
    name = type(request).__name__
    params = (
        request.get_params() if hasattr(request, "get_params") and type(request).__module__.startswith("alipay.aop.api.request.") else None
    )
    if not isinstance(params, dict):
        raise InvalidUpdate(
            [
                Problem(
                    "sdk_request",
                    "not_a_request",
                    f"{name} is no request object of alipay-sdk-python",
                    "give one of alipay.aop.api.request",
                )
            ]
        )
    problems = [
        Problem(f"sdk_request.{key}", "reserved", "is sent by passbridge itself", "leave it out of udf_params")
        for key in params
        if key in _RESERVED
    ]
    if f"{_camel(str(params.get('method')))}request" != name.lower():
        problems.append(Problem("sdk_request.method", "reserved", f"{name} carries another method", "leave it out of udf_params"))
    if getattr(request, "get_multipart_params", dict)():
        problems.append(Problem("sdk_request", "files", "carries files, which are not supported", "send it by other means"))
    if getattr(request, "need_encrypt", False) and not encrypts:
        mend = "give the account its encrypt_key, or leave need_encrypt off"
        problems.append(Problem("sdk_request.need_encrypt", "encryption", "this account has no encryption", mend))
    elif getattr(request, "need_encrypt", False) and not params.get("biz_content"):
        problems.append(Problem("sdk_request.need_encrypt", "encryption", "there is no biz_content to encrypt", "leave need_encrypt off"))
    if problems:
        raise InvalidUpdate(problems)
    return {key: value if isinstance(value, str) else write_json(value) for key, value in params.items() if value is not None}


def response_object(request: object, node: str) -> SdkResponse | None:
    """The SDK's response object that belongs to a request, filled from a verified node; None where its class can't take it."""
    name = type(request).__name__.removesuffix("Request") + "Response"
    response = cast("SdkResponse", getattr(import_module(f"alipay.aop.api.response.{name}"), name)())
    try:
        response.parse_response_content(node)
    except (TypeError, AttributeError, ValueError, KeyError):
        return None
    return response


def _camel(method: str) -> str:
    return method.replace(".", "").replace("_", "").lower()
