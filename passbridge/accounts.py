"""A configuration's accounts: everything of a client that is neither synchronous nor asynchronous.

Owns choosing the account of an update, and building conversations. Sends nothing.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from passbridge.backends import find_backends
from passbridge.config import read_config
from passbridge.domain import JsonObject, Outcome, PassUpdate
from passbridge.domain.problems import did_you_mean
from passbridge.errors import CallFailed, ConfigError, InvalidUpdate, Problem
from passbridge.opening import Account, Signers, network_of, opened_accounts
from passbridge.protocol.conversation import Conversation, Flow, Policy, Subject
from passbridge.protocol.flow import ask, converse
from passbridge.protocol.gateway import (
    CallsPaths,
    Capabilities,
    ExecutesRequests,
    Prepared,
    Sealed,
)
from passbridge.protocol.tables import Tables
from passbridge.protocol.wire import WireRequest
from passbridge.shipped import shipped_tables
from passbridge.transport import Network

__all__ = ["Accounts", "Given"]

Given = str | os.PathLike[str] | Mapping[str, Any] | None
"""A configuration: a file's path, a mapping of the same shape, or None for the search order."""

RETRY_BUDGET: Final = 100
"""Attempts beyond the first that a client makes while nothing is answered; each answer that decides gives one back."""


@dataclass(slots=True)
class _Budget:
    """Attempts that may be made again before one is answered: an outage is not multiplied by every caller's patience."""

    left: int = RETRY_BUDGET
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def spend(self) -> bool:
        with self.lock:
            allowed = self.left > 0
            self.left -= allowed
        return allowed

    def earn(self) -> None:
        with self.lock:
            self.left = min(self.left + 1, RETRY_BUDGET)


@dataclass(frozen=True, slots=True)
class Accounts:
    """Every account of one configuration, ready. Safe in any thread."""

    tables: Tables
    default: str | None
    network: Network
    opened: Mapping[str, Account]
    budget: _Budget

    @classmethod
    def open(cls, given: Iterator[Given], signers: Signers | None) -> Accounts:
        """Read a configuration and open its accounts.

        Args:
            given: hands the configuration over, once: then no frame on the way keeps the keys that a mapping may hold.
            signers: by account name, what signs in place of its private key.

        Raises:
            ConfigError: with every problem of every account at once. Neither it nor its traceback holds what was given.
        """
        backends = find_backends()
        config, problems = read_config(next(given), {name: backend.settings for name, backend in backends.items()})
        tables, opened = None, {}
        try:
            tables = shipped_tables(config.overlays)
        except ConfigError as error:
            problems += error.problems
        network = network_of(config, problems)
        if tables:
            opened = dict(opened_accounts(config, backends, tables, signers or {}, problems))
        if problems or tables is None:
            del config
            raise ConfigError(dict.fromkeys(problems))
        return cls(tables, config.default, network, MappingProxyType(opened), _Budget())

    def check(self, update: PassUpdate) -> tuple[Problem, ...]:
        """Every reason why the update can't be sent; nothing is sent."""
        try:
            self._prepared(update, None)
        except InvalidUpdate as error:
            return error.problems
        return ()

    def render(self, update: PassUpdate) -> WireRequest:
        """The exact signed request; nothing is sent."""
        account, prepared = self._prepared(update, None)
        return account.gateway.seal(prepared, datetime.now(UTC))

    def capabilities(self, name: str) -> Capabilities:
        """What an account can carry."""
        return self._account(name, "account").gateway.capabilities

    def identities(self) -> dict[str, str]:
        """By account name, what tells it from any other of that name: whose it is and where it leads, but no key and no time-out."""
        return {name: account.identity for name, account in self.opened.items()}

    def deadlines(self) -> dict[str, float]:
        """By account name, how long a conversation may take (seconds)."""
        return {name: account.policy.deadline for name, account in self.opened.items()}

    def applying(self, update: PassUpdate, after: Outcome | None) -> Flow[Outcome]:
        """The conversation about an update, ready to be driven."""
        account, prepared = self._prepared(update, after)
        if after is not None and (after.ok):
            return _settled(after)
        subject = Subject(account.name, update.pass_.id, update.key)
        return converse(self._about(account.gateway, prepared, subject, account.policy, after))

    def executing(self, name: str, sdk_request: object) -> Flow[object]:
        """The conversation of one call of the official SDK's request object."""
        account = self._account(name, "account")
        if not isinstance(account.gateway, ExecutesRequests):
            raise InvalidUpdate(
                [Problem("account", "not_carried", f"{name} takes no SDK request", "give an account of the mainland gateway")]
            )
        return self._asking(name, *account.gateway.executing(sdk_request))

    def calling(self, name: str, path: str, body: JsonObject) -> Flow[object]:
        """The conversation of one call of any path."""
        account = self._account(name, "account")
        if not isinstance(account.gateway, CallsPaths):
            raise InvalidUpdate(
                [Problem("account", "not_carried", f"{name} takes no path and body", "give an account of AlipayHK's gateway")]
            )
        return self._asking(name, *account.gateway.calling(path, body))

    def _asking(self, name: str, gateway: Sealed, prepared: Prepared) -> Flow[object]:
        policy = self.opened[name].policy
        once = Policy(1, policy.deadline, policy.connect_timeout, policy.read_timeout)
        return _answered(self._about(gateway, prepared, Subject(name), once, None))

    def _about(self, gateway: Sealed, prepared: Prepared, subject: Subject, policy: Policy, after: Outcome | None) -> Conversation:
        return Conversation(
            gateway=gateway,
            prepared=prepared,
            subject=subject,
            outcomes=self.tables.outcomes,
            policy=policy,
            jitter=random.random,
            budget=self.budget,
            after=after,
        )

    def _prepared(self, update: PassUpdate, after: Outcome | None) -> tuple[Account, Prepared]:
        """The update's account and its encoded form.

        Raises:
            InvalidUpdate: with every reason, the account unknown or the earlier outcome another update's included.
        """
        account = self._account(update.to or self.default, "to")
        if after is not None:
            _require_same(update, after, account.name)
            update = update if update.at or after.at is None else update.model_copy(update={"at": after.at})
        prepared = account.gateway.prepare(update, datetime.now(UTC))
        if prepared.problems:
            raise InvalidUpdate(prepared.problems)
        return account, prepared

    def _account(self, name: str | None, path: str) -> Account:
        if name in self.opened:
            return self.opened[name or ""]
        code, message = (
            ("missing", "no account is named, and no default is configured") if name is None else ("unknown_account", "no such account")
        )
        raise InvalidUpdate([Problem(path, code, message, did_you_mean(name or "", self.opened))])


def _require_same(update: PassUpdate, after: Outcome, account: str) -> None:
    ours: dict[str, object] = {"account": account, "action": update.action, "pass_id": update.pass_.id, "key": update.key}
    if update.at is not None and after.at is not None:
        ours["at"] = update.at
    other = [name for name, value in ours.items() if getattr(after, name) != value]
    if other:
        raise InvalidUpdate(
            [
                Problem(f"after.{name}", "another_update", "the earlier outcome is of another update", "give this update's own outcome")
                for name in other
            ]
        )


def _settled(after: Outcome) -> Flow[Outcome]:
    """An update that is known to be applied is not sent again."""
    note = "settled by an earlier call; nothing was sent"
    return after.model_copy(update={"notes": tuple(dict.fromkeys((*after.notes, note)))})
    yield  # a conversation without a step


def _answered(about: Conversation) -> Flow[object]:
    outcome, answer = yield from ask(about)
    if answer is None:
        raise CallFailed(outcome)
    return answer
