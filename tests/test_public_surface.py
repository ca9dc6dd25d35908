from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import passbridge
from passbridge import AsyncClient, Client

ROOT = Path(__file__).parent.parent

PROMISED = [
    "Client",
    "AsyncClient",
    "load_update",
    "PassUpdate",
    "Redeem",
    "Close",
    "Revise",
    "Refund",
    "PassRef",
    "Proof",
    "Content",
    "Outcome",
    "Code",
    "Effect",
    "Next",
    "Who",
    "Attempt",
    "Native",
    "Problem",
    "WireRequest",
    "Capabilities",
    "PassbridgeError",
    "ConfigError",
    "InvalidUpdate",
    "CallFailed",
]

BESIDE = ["Finding", "LedgerError", "Notification", "PassbridgeWarning", "arun_bulk", "run_bulk", "verify_notify"]
"""What an outcome, a warning filter, a bulk job and a merchant's own server need besides."""

METHODS = ("apply", "check", "render", "capabilities", "execute", "call")


def test_the_public_names_are_those_promised() -> None:
    assert sorted(passbridge.__all__) == sorted([*PROMISED, *BESIDE])


def test_the_public_names_are_sorted() -> None:
    assert passbridge.__all__ == sorted(passbridge.__all__)


@pytest.mark.parametrize("name", [*PROMISED, *BESIDE])
def test_a_public_name_can_be_imported_and_found(name: str) -> None:
    assert getattr(passbridge, name).__name__ == name
    assert name in dir(passbridge)


def test_no_other_name_is_there() -> None:
    with pytest.raises(AttributeError, match="module 'passbridge' has no attribute 'Clients'"):
        _ = passbridge.Clients
    with pytest.raises(ImportError):
        exec("from passbridge import Clients")  # noqa: S102 - as a program would


@pytest.mark.parametrize("name", METHODS)
def test_the_two_clients_methods_take_the_same(name: str) -> None:
    blocking, awaiting = inspect.signature(getattr(Client, name)), inspect.signature(getattr(AsyncClient, name))
    assert list(blocking.parameters.values()) == list(awaiting.parameters.values())
    assert blocking.return_annotation == awaiting.return_annotation


def test_the_two_clients_are_opened_alike() -> None:
    blocking, awaiting = inspect.signature(Client.from_config), inspect.signature(AsyncClient.from_config)
    assert list(blocking.parameters) == list(awaiting.parameters) == ["config", "transport", "signers"]
    assert [row.kind for row in blocking.parameters.values()] == [row.kind for row in awaiting.parameters.values()]
    assert [row.default for row in blocking.parameters.values()] == [row.default for row in awaiting.parameters.values()] == [None] * 3


@pytest.mark.parametrize("name", ["apply", "execute", "call", "aclose"])
def test_what_sends_is_awaited(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(AsyncClient, name))


@pytest.mark.parametrize("name", ["check", "render", "capabilities", "from_config"])
def test_what_sends_nothing_is_plain(name: str) -> None:
    assert not inspect.iscoroutinefunction(getattr(AsyncClient, name))


def test_the_clients_have_no_other_public_methods() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(Client) == {*METHODS, "from_config", "close"}
    assert public(AsyncClient) == {*METHODS, "from_config", "aclose"}


HEAVY = ("httpx", "pydantic", "pydantic_settings", "alipay", "cryptography")


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import passbridge", set[str]()),
        ("from passbridge import ConfigError, Problem", set[str]()),
        ("from passbridge import Redeem", {"pydantic"}),
        ("from passbridge import Client", {"httpx", "pydantic", "cryptography"}),
    ],
    ids=["the package", "errors", "an update", "a client"],
)
def test_importing_brings_in_only_what_is_used(statement: str, allowed: set[str]) -> None:
    script = f"{statement}\nimport sys\nprint(*set({HEAVY!r}) & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)  # noqa: S603 - our own
    assert set(done.stdout.split()) <= allowed


def test_the_arrows_between_the_packages_point_one_way() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([command, "--no-cache"], capture_output=True, text=True, check=False, cwd=ROOT)  # noqa: S603 - our own
    assert done.returncode == 0, done.stdout + done.stderr
