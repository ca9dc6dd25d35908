"""`Client` and `AsyncClient`: one line a method, build the conversation, drive it.

Owns the public surface and the life of the connections. Everything both share is `accounts`'.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from passbridge.accounts import Accounts, Given
from passbridge.opening import Signers
from passbridge.transport import AsyncDriver, AsyncTransport, Driver, Transport

if TYPE_CHECKING:
    import httpx

    from passbridge.domain import JsonObject, Outcome, PassUpdate
    from passbridge.errors import Problem
    from passbridge.protocol.gateway import Capabilities
    from passbridge.protocol.wire import WireRequest

__all__ = ["AsyncClient", "Client", "accounts_of"]


class _Common:
    """What needs no network."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._closed = False

    def check(self, update: PassUpdate) -> tuple[Problem, ...]:
        """Every problem of an update at once; nothing is sent.

        An update whose account can't carry it is refused here and by `apply` for the same reasons.
        """
        return self._open().check(update)

    def render(self, update: PassUpdate) -> WireRequest:
        """The exact signed request that `apply` would send now; nothing is sent.

        Raises:
            InvalidUpdate: with every problem.
        """
        return self._open().render(update)

    def capabilities(self, account: str) -> Capabilities:
        """What an account can carry.

        Raises:
            InvalidUpdate: there is no such account.
        """
        return self._open().capabilities(account)

    def _open(self) -> Accounts:
        if self._closed:
            raise RuntimeError("this client is closed")
        return self._accounts


class Client(_Common):
    """Updates passes, blocking. May be shared between threads; after a fork it opens new connections."""

    def __init__(self, accounts: Accounts, transport: httpx.BaseTransport | None = None) -> None:
        super().__init__(accounts)
        self._driver = Driver((lambda: Transport(accounts.network)) if transport is None else lambda: transport)

    @classmethod
    def from_config(cls, config: Given = None, *, transport: httpx.BaseTransport | None = None, signers: Signers | None = None) -> Self:
        """Open every account of a configuration.

        Args:
            config: a path, a mapping of the same shape, or None for the search order: `$PASSBRIDGE_CONFIG`,
                `./passbridge.toml`, the user's configuration folder.
            transport: the caller's own; it must not retry. Deadlines and bounds within an exchange are then its affair.
            signers: by account, a callable from bytes to a signature, in place of a private key (KMS, HSM).

        Raises:
            ConfigError: the configuration can't work; every reason at once.
        """
        given, config = iter([config]), None  # what it holds may be keys: no frame of ours keeps it
        return cls(Accounts.open(given, signers), transport)

    def apply(self, update: PassUpdate, *, after: Outcome | None = None) -> Outcome:
        """Carry out one update, and say what is known.

        Everything a gateway or a network can do is an `Outcome`, never an exception.

        Args:
            update: what is wanted.
            after: an earlier outcome of this same update: its attempts count, and its doubt may be settled.

        Raises:
            InvalidUpdate: the account can't carry the update, or there is no such account. Nothing was sent.
            ConfigError: the configuration can't work.
            RuntimeError: the client is closed.
        """
        return self._driver.run(self._open().applying(update, after))

    def execute(self, account: str, sdk_request: object) -> object:
        """Send any request object of alipay-sdk-python to the mainland gateway, once.

        Returns:
            The SDK's own response object, filled from a verified answer (a refusal is a verified answer too).

        Raises:
            CallFailed: no answer that can be believed; its `outcome` says what is known.
            InvalidUpdate: the request can't be carried. Nothing was sent.
        """
        return self._driver.run(self._open().executing(account, sdk_request))

    def call(self, account: str, path: str, body: JsonObject) -> object:
        """Send a JSON body to any path of AlipayHK's gateway, signed, once.

        Returns:
            The verified answer, a JSON object (a refusal is a verified answer too).

        Raises:
            CallFailed: no answer that can be believed; its `outcome` says what is known.
            InvalidUpdate: the call can't be carried. Nothing was sent.
        """
        return self._driver.run(self._open().calling(account, path, body))

    def close(self) -> None:
        """Close every connection; the client can't be used again."""
        self._closed = True
        self._driver.close()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()


class AsyncClient(_Common):
    """Updates passes, awaiting. The methods mean what `Client`'s mean."""

    def __init__(self, accounts: Accounts, transport: httpx.AsyncBaseTransport | None = None) -> None:
        super().__init__(accounts)
        self._driver = AsyncDriver((lambda: AsyncTransport(accounts.network)) if transport is None else lambda: transport)

    @classmethod
    def from_config(
        cls, config: Given = None, *, transport: httpx.AsyncBaseTransport | None = None, signers: Signers | None = None
    ) -> Self:
        """Open every account of a configuration, as `Client.from_config` does."""
        given, config = iter([config]), None  # what it holds may be keys: no frame of ours keeps it
        return cls(Accounts.open(given, signers), transport)

    async def apply(self, update: PassUpdate, *, after: Outcome | None = None) -> Outcome:
        """Carry out one update, and say what is known, as `Client.apply` does."""
        return await self._driver.run(self._open().applying(update, after))

    async def execute(self, account: str, sdk_request: object) -> object:
        """Send any request object of alipay-sdk-python to the mainland gateway, as `Client.execute` does."""
        return await self._driver.run(self._open().executing(account, sdk_request))

    async def call(self, account: str, path: str, body: JsonObject) -> object:
        """Send a JSON body to any path of AlipayHK's gateway, as `Client.call` does."""
        return await self._driver.run(self._open().calling(account, path, body))

    async def aclose(self) -> None:
        """Close every connection; the client can't be used again."""
        self._closed = True
        await self._driver.aclose()

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        await self.aclose()


def accounts_of(client: Client | AsyncClient) -> Accounts:
    """What a client was opened with, for the parts of passbridge that stand on it.

    Raises:
        RuntimeError: the client is closed.
    """
    return client._open()  # noqa: SLF001 - this module's own
