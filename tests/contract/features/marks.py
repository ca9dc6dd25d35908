"""What can be seen of a feature from outside: on the wire, in a configuration, in an outcome.

Owns how each is named: `hk.card:passId` (a member of a body), `hk.card:status=USED` (a word in it), `hk>Encrypt.keyVersion`
(a header and its part), `mainland>charset` (a public parameter), `HkSettings.algorithm=ECC224` (a setting).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin
from urllib.parse import parse_qsl, urlsplit

from pydantic import BaseModel

from passbridge import WireRequest
from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings

__all__ = ["NOT_WRITTEN", "SETTINGS", "WORDS", "body_of", "choices", "model_of", "of_request", "of_settings", "params_of"]

SETTINGS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType({"hk": HkSettings, "mainland": MainlandSettings})
NOT_WRITTEN: Final = frozenset({"name", "origin"})
"""Members of the settings that no configuration holds: they say where the account stands in it."""

WORDS: Final = frozenset({"status", "updateDetailType", "passVerifyType", "verify_type"})
"""Members of a body whose values are words of the protocol."""


def of_request(profile: str, request: WireRequest) -> set[str]:
    """The marks of a request as it travels, read without the package's help."""
    around = _headers(request) if profile.startswith("hk") else {f"mainland>{name}" for name in params_of(request)}
    hidden = {"hk>Encrypt", "mainland>encrypt_type"} & set(around)
    return {*around, *(() if hidden else _of_body(profile, body_of(profile, request)))}


def body_of(profile: str, request: WireRequest) -> dict[str, Any]:
    """What a request tells the gateway; the mainland's `status` is empty, where it says none."""
    if profile.startswith("hk"):
        return dict(json.loads(request.body))
    return {"status": "", **json.loads(params_of(request)["biz_content"])}


def params_of(request: WireRequest) -> dict[str, str]:
    """A request's parameters at the mainland: those of the address and those of the form."""
    query = urlsplit(request.url).query
    charset = dict(parse_qsl(query))["charset"]
    return dict(parse_qsl(query, encoding=charset) + parse_qsl(request.body.decode("ascii"), encoding=charset))


def _headers(request: WireRequest) -> set[str]:
    parts = {
        f"hk>{name}.{part.split('=')[0]}" for name in ("Signature", "Encrypt") for part in request.headers.get(name, "").split(",") if part
    }
    return parts | {f"hk>{name}" for name in request.headers}


def _of_body(profile: str, body: Mapping[str, Any]) -> Iterator[str]:
    for name, value in body.items():
        yield f"{profile}:{name}"
        if name in WORDS:
            yield f"{profile}:{name}={value}"


def choices(annotation: object) -> tuple[object, ...]:
    """The words a setting may be, if it may only be certain ones."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in {Union, UnionType, Annotated}:
        return tuple(word for part in get_args(annotation) for word in choices(part))
    return ()


def model_of(annotation: object) -> type[BaseModel] | None:
    """The model of a setting that is a table of its own."""
    parts = [annotation, *get_args(annotation)]
    return next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)


def of_settings(model: type[BaseModel], given: Mapping[str, Any]) -> set[str]:
    """The marks of an account's configuration: what it sets, and which word stands where there is a choice."""
    found = set()
    for name, field in model.model_fields.items():
        inner, value = model_of(field.annotation), given.get(name, field.default)
        if name in given and name not in NOT_WRITTEN:
            found.add(f"{model.__name__}.{name}")
        if (choices(field.annotation) and value is not None) or isinstance(value, bool):
            found.add(f"{model.__name__}.{name}={value}")
        if inner and name in given:
            found |= of_settings(inner, given[name])
    return found
