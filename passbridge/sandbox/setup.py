"""How the sandbox is furnished: the registered apps, and the first passes.

Owns what stands in the sandbox when it starts, and the accounts as a table. It must not know how requests are answered.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import Final
from uuid import uuid4

from passbridge.sandbox.codes import Inventory
from passbridge.sandbox.faults import Faults
from passbridge.sandbox.guesses import Guesses
from passbridge.sandbox.hk_keys import ecc_outfit, encrypted_outfit, rotated_outfit, rotating_outfit
from passbridge.sandbox.outfit import Chest, File, Outfit, new_rsa_key, private_pem, public_pem
from passbridge.sandbox.papers import Papers
from passbridge.sandbox.records import Pass
from passbridge.sandbox.store import Store
from passbridge.sandbox.world import Account, World

__all__ = ["ACCOUNTS", "SEEDED", "STANDARD", "furnished", "outfitted"]

_CLIENT: Final = "SANDBOX0000000001"
_MERCHANT: Final = "2312314123123123"
_APP: Final = "2021000000000001"
_CHANNEL: Final = "2088918273"
_ECC_CLIENT: Final = "SANDBOX0000000003"
_ENCRYPTED_CLIENT: Final = "SANDBOX0000000004"
_ROTATING_CLIENT: Final = "SANDBOX0000000005"
_APP_WITHOUT_KEYS: Final = "2014072300007148"
"""Seed 003's sample app: the real gateway knows it too, and has no key for it."""

ACCOUNTS: Final[Mapping[str, Account]] = MappingProxyType(
    {
        "hk-cards": Account("hk", _CLIENT, "card", _MERCHANT),
        "hk-members": Account("hk", _CLIENT, "membership", _MERCHANT),
        "hk-tickets": Account("hk", _CLIENT, "ticket", _MERCHANT),
        "cn": Account("mainland", _APP, "pass", _CHANNEL),
        "cn-agent": Account("mainland", _APP, "pass", "2088918274", by_token=True),
        "cn-cert": Account("mainland", "2021000000000002", "pass", "2088918275"),
        "cn-aes": Account("mainland", "2021000000000003", "pass", "2088918276"),
        "hk-ecc": Account("hk", _ECC_CLIENT, "ticket", "2312314123123124"),
        "hk-encrypted": Account("hk", _ENCRYPTED_CLIENT, "ticket", "2312314123123125"),
        "hk-rotating": Account("hk", _ROTATING_CLIENT, "ticket", "2312314123123126"),
        "hk-rotated": Account("hk", _ROTATING_CLIENT, "ticket", "2312314123123126"),
    }
)
"""The merchants' products."""

STANDARD: Final = ("hk-cards", "hk-members", "hk-tickets", "cn")
"""The accounts that stand in every configuration; the others have what few merchants use, and are made when asked for."""

_USER: Final = "2160400000000135"
_OPEN_ID: Final = "fj398457jd8iue98d8w7w93j"

SEEDED: Final = (
    Pass("hk", "hk-cards", "2995228480402564890018", user_id=_USER, template="5228480402564890018"),
    Pass("hk", "hk-members", "2995228480402564890019", user_id=_USER, open_id=_OPEN_ID, template="893297312932193811231231"),
    Pass("hk", "hk-tickets", "2995228480402564890020", user_id=_USER, open_id=_OPEN_ID),
    Pass("mainland", "cn", "209919213", channel=_CHANNEL),
)
"""The first passes: ids from the seeds' samples."""

_GATEWAY_KEYS: Final = MappingProxyType({"hk": "hk-gateway", "mainland": "cn-gateway"})
"""The name of each gateway's own key."""

_AUTH_TOKEN: Final = b"202211BBsandboxtokenthatguardsnothing"
_ENCRYPT_KEY: Final = base64.b64encode(b"sandbox aes key!")
"""What isn't PEM can't bear a mark, so it is the same in every sandbox: it guards nothing there."""


def _key_mode(chest: Chest, side: str, *registered: str, gateway: str) -> Outfit:
    """An app with one key pair, under these versions or sign types, and the gateway's public key."""
    own, theirs = chest.rsa(f"{side}-app"), chest.rsa(f"{gateway}-gateway")
    return Outfit(
        registered=dict.fromkeys(registered, public_pem(own)),
        files={
            "private_key": File(f"{side}-app.pem", private_pem(own)),
            "gateway_public_key": File(f"{gateway}-gateway.pem", public_pem(theirs)),
        },
    )


def _hk(chest: Chest) -> Outfit:
    return _key_mode(chest, "hk", "1", gateway="hk")


def _cn(chest: Chest) -> Outfit:
    return _key_mode(chest, "cn", "RSA2", "RSA", gateway="cn")


def _cn_agent(chest: Chest) -> Outfit:
    """The same app, for another merchant who gave it a token."""
    own = _cn(chest)
    token = File("cn-agent.token", _AUTH_TOKEN)
    return replace(own, registered={f"TOKEN {_AUTH_TOKEN.decode()}": b"cn-agent"}, files={**own.files, "app_auth_token": token})


def _cn_cert(chest: Chest) -> Outfit:
    """Certificate mode, which knows no SHA-1."""
    own, papers = chest.rsa("cn-cert-app"), Papers(chest)
    paper = papers.issued("cn-cert-app-certificate", "Passbridge Sandbox Merchant", own.public_key())
    return Outfit(
        registered={"RSA2": public_pem(own), "CERT": paper},
        files={
            "private_key": File("cn-cert-app.pem", private_pem(own)),
            "app_cert": File("cn-cert-app.crt", paper),
            "gateway_cert": File("cn-cert-gateway.crt", papers.seals[0].chain),
            "root_cert": File("cn-cert-root.crt", papers.roots),
        },
    )


def _cn_aes(chest: Chest) -> Outfit:
    own = _key_mode(chest, "cn-aes", "RSA2", gateway="cn")
    key = File("cn-aes-encrypt.key", _ENCRYPT_KEY)
    return replace(own, registered={**own.registered, "AES": _ENCRYPT_KEY}, files={**own.files, "encrypt_key": key})


_OUTFITS: Final[Mapping[str, Callable[[Chest], Outfit]]] = MappingProxyType(
    {
        "hk-cards": _hk,
        "hk-members": _hk,
        "hk-tickets": _hk,
        "cn": _cn,
        "cn-agent": _cn_agent,
        "cn-cert": _cn_cert,
        "cn-aes": _cn_aes,
        "hk-ecc": ecc_outfit,
        "hk-encrypted": encrypted_outfit,
        "hk-rotating": rotating_outfit,
        "hk-rotated": rotated_outfit,
    }
)
"""How each account's app is furnished."""


def furnished(store: Store, chest: Chest, codes: Inventory) -> World:
    """The world of a sandbox around a store.

    Keys are those kept in the store or made now; the first passes are added if the store is new.
    """
    new = store.key(_GATEWAY_KEYS["hk"]) is None
    store.register("mainland", _APP_WITHOUT_KEYS, "", None)
    if new:
        store.keep(*SEEDED)
    return World(
        store=store,
        codes=codes,
        guesses=Guesses(),
        faults=Faults(codes, ACCOUNTS),
        accounts=ACCOUNTS,
        keys={gateway: chest.rsa(name) for gateway, name in _GATEWAY_KEYS.items()},
        stranger=cache(new_rsa_key),
        now=lambda: datetime.now(UTC).astimezone(),
        trace=lambda: uuid4().hex,
        papers=Papers(chest),
    )


def outfitted(store: Store, chest: Chest, accounts: Collection[str] = STANDARD) -> Mapping[str, Outfit]:
    """What the merchants of these accounts hold; their apps are registered at the gateways."""
    outfits = {name: _OUTFITS[name](chest) for name in accounts}
    for name, outfit in outfits.items():
        for key, value in outfit.registered.items():
            store.register(ACCOUNTS[name].gateway, ACCOUNTS[name].app, key, value)
    return outfits
