"""What the table of features has to answer for: lists that nobody kept for its sake.

Owns the lists of the seeds' own headers and public parameters; the others are the mapping tables', the simulated gateways',
the settings' and the official kit's.
"""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from pydantic import BaseModel

from passbridge import Native, Proof
from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.config.models import MappingsSettings
from passbridge.resources import mapping_texts
from passbridge.sandbox.hk_envelope import PATHS
from passbridge.sandbox.hk_pages import PRODUCTS
from passbridge.sandbox.mainland import APIS
from tests.contract.features.chapter import spread
from tests.contract.features.marks import NOT_WRITTEN, choices, model_of

__all__ = ["DEMANDED", "TABLES"]

TABLES: Final[Mapping[str, dict[str, Any]]] = {
    name.removesuffix(".toml").replace("/", "."): tomllib.loads(text)
    for name, text in mapping_texts().items()
    if name.startswith(("hk/", "mainland/")) and name != "hk/base.toml"
}
"""Each profile's own table."""


def _of_tables() -> Iterator[str]:
    for profile, table in TABLES.items():
        fields = {name: field["wire"] for name, field in table["fields"].items()}
        yield from (f"{profile}:{wire}" for wire in fields.values())
        yield from (f"{profile}:{fields['action']}={word}" for word in table["actions"].values())
        yield from (f"{profile}:{fields['kind']}={word}" for word in table.get("kinds", {}).values())
        if "proof_method" in fields:
            yield from (f"{profile}:{fields['proof_method']}={word}" for word in choices(Proof.model_fields["method"].annotation))


def _of_pages() -> Iterator[str]:
    for profile, page in PRODUCTS.items():
        yield from (f"hk.{profile}:{name}" for name in page.members)
        yield from (f"hk.{profile}:status={word}" for word in page.words)
        yield from (f"hk.{profile}:updateDetailType={word}" for word in page.kinds)


def _of_model() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = pytest.importorskip("alipay.aop.api.domain.AlipayPassInstanceUpdateModel").AlipayPassInstanceUpdateModel
    yield from (f"mainland.pass:{name}" for name, member in vars(model).items() if isinstance(member, property))


def _of_settings(model: type[BaseModel]) -> Iterator[str]:
    """Every member; of a choice every word, of a switch the side that it isn't on by itself."""
    for name, field in model.model_fields.items():
        mark, words, inner = f"{model.__name__}.{name}", choices(field.annotation), model_of(field.annotation)
        if field.annotation is bool:
            words = (not field.default,)
        if inner:
            yield from _of_settings(inner)
        if name not in NOT_WRITTEN:
            yield from (f"{mark}={word}" for word in words) if words else (mark,)


DEMANDED: Final[Mapping[str, frozenset[str]]] = {
    "the mapping tables": frozenset(_of_tables()),
    "the simulated pages of AlipayHK": frozenset(_of_pages()),
    "the official kit's model": frozenset(_of_model()),
    "the headers of seeds 001 and 002": spread(
        "hk>{Client-Id,Content-Type,Request-Time} hk>{Signature,Encrypt} hk>Signature.{algorithm,keyVersion,signature} "
        "hk>Encrypt.{algorithm,keyVersion,symmetricKey}"
    ),
    "the public parameters of seed 003": spread(
        "mainland>{app_id,method,format,charset,sign_type,sign,timestamp,version,app_auth_token,biz_content}"
    ),
    "the public parameters of certificates and encryption": spread("mainland>{app_cert_sn,alipay_root_cert_sn,encrypt_type}"),
    "the settings of AlipayHK": frozenset(_of_settings(HkSettings)),
    "the settings of the mainland": frozenset(_of_settings(MainlandSettings)),
    "the overlays": frozenset(_of_settings(MappingsSettings)),
    "the simulated APIs of AlipayHK": frozenset(f"hk/{path.rsplit('/', 1)[-1]}" for path in PATHS),
    "the simulated APIs of the mainland": frozenset(f"mainland/{method}" for method in APIS),
    "the gateway's own words": frozenset(f"Native.{name}" for name in Native.model_fields),
}
"""By source: the marks that some row has to bear."""
