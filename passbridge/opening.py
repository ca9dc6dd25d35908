"""From a configuration that was read to accounts that are ready, and the way to their gateways.

Owns opening each account by its backend, what is told of a credential's age, and what makes an account the same one in
a later configuration. Builds no conversation, and sends nothing.
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from passbridge.backends import Backend
from passbridge.config import Config, HttpSettings
from passbridge.domain import write_json
from passbridge.domain.problems import did_you_mean
from passbridge.errors import ConfigError, PassbridgeWarning, Problem
from passbridge.protocol.conversation import Policy
from passbridge.protocol.gateway import Gateway, NeedsRandomness, TellsCredentials
from passbridge.protocol.settings import SHOWN, AccountSettings, RetrySettings, Secret
from passbridge.protocol.signing import Signer
from passbridge.protocol.tables import Tables
from passbridge.transport import Network, tls_context

__all__ = ["Account", "Signers", "network_of", "opened_accounts"]

Signers = Mapping[str, Signer]
"""By account name, what signs in place of its private key."""

_PASSING: Final = frozenset({"name", "origin", "retry", "key_version", "algorithm", "sign_type"})
"""What may change while the account stays the same: where it is written, how patient it is, how its keys rotate."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account, ready.

    Attributes:
        name: its name.
        gateway: its pure steps.
        policy: how long and how often to try.
        identity: what it is at its gateway, as text: another one is another account under the same name.
    """

    name: str
    gateway: Gateway
    policy: Policy
    identity: str


def opened_accounts(
    config: Config, backends: Mapping[str, Backend[AccountSettings]], tables: Tables, signers: Signers, problems: list[Problem]
) -> Iterator[tuple[str, Account]]:
    """Each account that opens, by its name; why another doesn't is added to the problems."""
    problems += [
        Problem(f"signers.{name}", "unknown_account", "no such account", did_you_mean(name, config.accounts))
        for name in signers
        if name not in config.accounts
    ]
    for name, settings in config.accounts.items():
        try:
            gateway = backends[settings.backend].open(settings, tables, signers.get(name))
        except ConfigError as error:
            problems += error.problems
        else:
            problems += _ageing(gateway, settings)
            drawn = gateway.drawing(secrets.token_bytes) if isinstance(gateway, NeedsRandomness) else gateway
            yield name, Account(name, drawn, _policy(settings.retry), _identity(settings))


def _ageing(gateway: Gateway, settings: AccountSettings) -> Iterator[Problem]:
    """Certificates that are not valid now; those that soon won't be are warned of."""
    now = datetime.now(UTC)
    for one in gateway.credentials if isinstance(gateway, TellsCredentials) else ():
        place, age = settings.at(one.member), one.age(now)
        if age == "expired":
            yield Problem(place, "expired", f"expired on {one.ends:%Y-%m-%d}", "download the new one from the gateway's console")
        elif age == "not_yet_valid":
            yield Problem(place, "not_yet_valid", f"is valid from {one.begins:%Y-%m-%d %H:%M} UTC on", "set this machine's clock, or wait")
        elif age == "expires_soon":
            message = f"{place}: expires on {one.ends:%Y-%m-%d}; download the new one from the gateway's console before"
            warnings.warn(message, PassbridgeWarning, stacklevel=2)


def _identity(settings: AccountSettings) -> str:
    members = settings.model_dump(mode="json", exclude=set(_PASSING))
    return write_json({name: value for name, value in sorted(members.items()) if isinstance(value, str | bool) and value != SHOWN})


def _policy(retry: RetrySettings) -> Policy:
    return Policy(retry.attempts, retry.deadline, retry.connect_timeout, retry.read_timeout)


def network_of(config: Config, problems: list[Problem]) -> Network:
    """How the gateways are reached; what is wrong with that is added to the problems."""
    http: HttpSettings = config.http
    proxy = Secret(http.proxy.get_secret_value().encode(), "http.proxy") if http.proxy else None
    try:
        context = tls_context(http.ca_file, trust_env=http.trust_env)
    except OSError as error:
        place = f"{config.origin}: http.ca_file" if config.origin else "http.ca_file"
        problems.append(
            Problem(place, "unreadable_file", f"{http.ca_file} holds no certificates: {error.strerror or error}", "give a PEM file")
        )
        context = tls_context(None, trust_env=False)
    return Network(context, proxy, http.trust_env)
