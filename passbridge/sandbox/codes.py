"""The documented codes, as the simulated gateways speak them.

Owns the reading of `mappings/documented/*.toml`, the inventory of what the gateways' pages say: each code with its
letter or gateway code and its wording. It must not know how passbridge reads those codes: the outcome tables are the
client's, and a simulator that looked there would agree with the client about everything, mistakes included.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from passbridge.domain.strictjson import JsonObject
from passbridge.resources import mapping_texts

__all__ = ["Documented", "Inventory"]

_SEEN_ON_THE_WIRE = {"isv.missing-signature-config": "40003"}
"""Codes that an old edition and the wire put under different gateway codes: what the wire says."""

_ON_THE_WIRE = "msg on the wire: "


@dataclass(frozen=True, slots=True)
class Documented:
    """One code as one page documents it.

    Attributes:
        gateway: `hk` or `mainland`.
        code: the name.
        layer: AlipayHK's `result`; the mainland's `code` or `sub_code`.
        status: AlipayHK's status letter, where the page gives one.
        gateway_code: the `code` under which the mainland gives this `sub_code`, where documented.
        verdict: what the page says of the request: ok, failed, unknown, or none (not about updates).
        wording: the page's text, empty where only the name is known.
        where: the place in the page.
        page: the page's title.
        source: the page's address, or the seed.
        profiles: the APIs whose page this is.
    """

    gateway: str
    code: str
    layer: str
    status: str | None
    gateway_code: str | None
    verdict: str
    wording: str
    where: str
    page: str
    source: str
    profiles: tuple[str, ...]

    @property
    def variant(self) -> str:
        """What tells two rows of one name apart: AlipayHK's letter, or the mainland's gateway code.

        A page that gives no letter still tells failed from unknown; certificate mode's codes are invalid arguments.
        """
        if self.gateway == "hk":
            return self.status or ("U" if self.verdict == "unknown" else "F")
        return self.code if self.layer == "code" else self.gateway_code or "40002"

    @property
    def said(self) -> str:
        """The text that goes with it on the wire, where that differs from the page's wording."""
        return self.where.partition(_ON_THE_WIRE)[2] or self.wording

    def as_json(self) -> JsonObject:
        """The row as `GET /sandbox/codes` lists it."""
        return {**asdict(self), "profiles": list(self.profiles)}


class Inventory:
    """Every documented code of both gateways."""

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        self.rows: tuple[Documented, ...] = tuple(_rows(mapping_texts() if texts is None else texts))
        self._by_name: dict[tuple[str, str], list[Documented]] = {}
        for row in self.rows:
            self._by_name.setdefault((row.gateway, row.code), []).append(row)

    def find(self, gateway: str, code: str, variant: str = "", profile: str = "") -> Documented | None:
        """The row for a code: of this variant, if named; in the wording of this profile's page, if it has one."""
        wanted = variant or _SEEN_ON_THE_WIRE.get(code, "")
        rows = [row for row in self._by_name.get((gateway, code), ()) if wanted in {"", row.variant}]
        own_page_first = sorted(rows, key=lambda row: profile not in row.profiles)
        return own_page_first[0] if own_page_first else None

    def get(self, gateway: str, code: str, variant: str = "", profile: str = "") -> Documented:
        """The row for a code that the simulator itself answers.

        Raises:
            KeyError: the inventory doesn't know the code: a mistake of the simulator.
        """
        row = self.find(gateway, code, variant, profile)
        if row is None:
            raise KeyError(code)
        return row

    def names(self, gateways: Iterable[str]) -> list[str]:
        """Every name these gateways document."""
        return sorted({row.code for row in self.rows if row.gateway in gateways})

    def variants(self, gateway: str, code: str) -> list[str]:
        """The variants a name is documented in."""
        return sorted({row.variant for row in self._by_name.get((gateway, code), ())})


def _rows(texts: Mapping[str, str]) -> Iterable[Documented]:
    for name, text in texts.items():
        if name.startswith("documented/"):
            page = tomllib.loads(text)
            for row in page["codes"]:
                yield Documented(
                    gateway=page.get("gateway") or page["profiles"][0].partition(".")[0],
                    code=row["code"],
                    layer=row["layer"],
                    status=row.get("status"),
                    gateway_code=row.get("gateway_code"),
                    verdict=row["verdict"],
                    wording=row["wording"],
                    where=row["where"],
                    page=page["page"],
                    source=page["source"],
                    profiles=tuple(page["profiles"]),
                )
