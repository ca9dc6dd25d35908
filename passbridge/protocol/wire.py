"""What travels: requests, responses, and the proof that nothing came.

Owns the values that pass between a backend, the conversation and the transport. Knows no gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Headers", "NoReply", "WireRequest", "WireResponse"]


class Headers(Mapping[str, str]):
    """HTTP header fields: read-only, in order, looked up without regard to case.

    A name that came twice is looked up as its first value; `all` gives every one, so that a reader who must not be
    fooled can insist on one.
    """

    __slots__ = ("_fields", "_values")

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields.items() if isinstance(fields, Mapping) else fields)
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in self._fields:
            self._values[name.lower()] = (*self.all(name), value)

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        if values:
            return values[0]
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter({name.lower(): name for name, _ in reversed(self._fields)}.values())

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"

    def all(self, name: str) -> tuple[str, ...]:
        """Every value under this name."""
        return self._values.get(name.lower(), ())

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The fields as they stand on the wire."""
        return self._fields


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One signed HTTP request, to the byte.

    Attributes:
        method: `POST`.
        url: absolute, with its query.
        headers: what is signed or says how to read the body; the transport adds `Host` and `Content-Length`.
        body: the bytes that were signed.
    """

    method: str
    url: str
    headers: Headers
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class WireResponse:
    """One whole HTTP answer: its status, its header fields, and the body's bytes as they came."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoReply:
    """No answer came.

    Attributes:
        reason: what happened, in a few words, without addresses or secrets.
        sent: false only where it is proved that no byte of the request left.
    """

    reason: str
    sent: bool
