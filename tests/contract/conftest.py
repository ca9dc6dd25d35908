"""Both clients, in front of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from passbridge import AsyncClient, Client, Outcome, PassUpdate, WireRequest
from passbridge.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.contract.asking import Ask


class _Sync:
    """Asks through `Client`."""

    def __init__(self, config: dict[str, Any], **given: Any) -> None:  # noqa: ANN401 - what `from_config` takes
        self._client = Client.from_config(config, **given)

    def render(self, update: PassUpdate) -> WireRequest:
        return self._client.render(update)

    def apply(self, update: PassUpdate, after: Outcome | None = None) -> Outcome:
        return self._client.apply(update, after=after)

    def execute(self, account: str, request: object) -> object:
        return self._client.execute(account, request)

    def call(self, account: str, path: str, body: dict[str, Any]) -> object:
        return self._client.call(account, path, body)

    def close(self) -> None:
        self._client.close()


class _Async:
    """Asks through `AsyncClient`, in one event loop."""

    def __init__(self, config: dict[str, Any], **given: Any) -> None:  # noqa: ANN401 - what `from_config` takes
        self._client = AsyncClient.from_config(config, **given)
        self._runner = asyncio.Runner()

    def render(self, update: PassUpdate) -> WireRequest:
        return self._client.render(update)

    def apply(self, update: PassUpdate, after: Outcome | None = None) -> Outcome:
        return self._runner.run(self._client.apply(update, after=after))

    def execute(self, account: str, request: object) -> object:
        return self._runner.run(self._client.execute(account, request))

    def call(self, account: str, path: str, body: dict[str, Any]) -> object:
        return self._runner.run(self._client.call(account, path, body))

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture(scope="session", params=[_Sync, _Async], ids=["Client", "AsyncClient"])
def ask(request: pytest.FixtureRequest, running: Sandbox) -> Iterator[Ask]:
    """Either client, as patient as it usually is."""
    asking = request.param(running.config())
    yield asking
    asking.close()


@pytest.fixture(scope="session", params=[_Sync, _Async], ids=["Client", "AsyncClient"])
def ask_once(request: pytest.FixtureRequest, running: Sandbox) -> Iterator[Ask]:
    """Either client, which tries only once."""
    asking = request.param(running.config() | {"retry": {"attempts": 1}})
    yield asking
    asking.close()
