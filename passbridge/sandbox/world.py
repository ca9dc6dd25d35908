"""What surrounds both simulated gateways: everything that they reach and that isn't the request.

Owns the list of it, and what the sandbox registered of a merchant's product. It must not know what a gateway does with any of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import Faults
from passbridge.sandbox.guesses import Guesses
from passbridge.sandbox.papers import Papers
from passbridge.sandbox.store import Store

__all__ = ["Account", "World"]


@dataclass(frozen=True, slots=True)
class Account:
    """One product of one merchant, as the sandbox registered it.

    Attributes:
        gateway: `hk` or `mainland`.
        app: the client id or app id it belongs to.
        profile: the API its passes are updated by.
        owner: the `merchantId`, or the usual `channel_id`.
        by_token: whether the app acts here for another merchant, by a token of that merchant's.
    """

    gateway: str
    app: str
    profile: str
    owner: str
    by_token: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """Everything a gateway reaches that isn't the request.

    Attributes:
        store: passes, registered apps, the log.
        codes: the documented codes.
        guesses: the readings in force.
        faults: the active faults.
        accounts: the merchants' products by name.
        keys: the gateways' own signing keys.
        stranger: a key nobody registered.
        now: the clock, with its zone.
        trace: a new name for an exchange.
        papers: the certificates of certificate mode.
    """

    store: Store
    codes: Inventory
    guesses: Guesses
    faults: Faults
    accounts: Mapping[str, Account]
    keys: Mapping[str, RSAPrivateKey]
    stranger: Callable[[], RSAPrivateKey]
    now: Callable[[], datetime]
    trace: Callable[[], str]
    papers: Papers
