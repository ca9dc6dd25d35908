"""A request to AlipayHK behind its signature, and what the gateway's rules make of it.

Owns the two values that pass between the gateway and the rules of its APIs. It must not know headers, signatures or
bytes, nor any rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from passbridge.domain.strictjson import JsonObject
from passbridge.sandbox.records import Pass, Template
from passbridge.sandbox.world import World

__all__ = ["ILLEGAL", "SUCCESS", "Asked", "Ruling"]

SUCCESS = "SUCCESS"
"""The one code that stands for an applied request."""

ILLEGAL = "PARAM_ILLEGAL"
"""The code for a member that is missing or isn't what its page allows."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a client asks for.

    Attributes:
        world: what the gateway reaches.
        client: the client id that signed.
        body: the body.
    """

    world: World
    client: str
    body: JsonObject

    @property
    def merchant(self) -> str:
        """The client's own merchant id."""
        return next(account.owner for account in self.world.accounts.values() if account.app == self.client)

    @property
    def now_ms(self) -> int:
        """The moment, in milliseconds since 1970."""
        return int(self.world.now().timestamp() * 1000)

    def text(self, name: str) -> str:
        """A member that is text; empty for any other."""
        value = self.body.get(name)
        return value if isinstance(value, str) else ""

    def digits(self, count: int) -> str:
        """A new number of so many digits, the day first, as AlipayHK's own look."""
        return f"{self.world.now():%Y%m%d}{int(self.world.trace(), 16) % 10 ** (count - 8):0{count - 8}d}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules of an API make of a request.

    Attributes:
        code: the result code.
        change: the pass or template as it is afterwards, if anything changed.
        beside: the members that stand beside the result.
    """

    code: str
    change: Pass | Template | None = None
    beside: JsonObject = field(default_factory=dict)
