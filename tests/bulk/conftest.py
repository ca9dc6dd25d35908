"""Jobs against the embedded sandbox, over real sockets, with a ledger in a file or on a real PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from passbridge.sandbox import Sandbox
from tests.bulk import postgres
from tests.bulk.jobs import Desk


@pytest.fixture
def desk(box: Sandbox, tmp_path: Path) -> Desk:
    """A merchant's desk: a sandbox, its configuration, and a ledger that isn't there yet."""
    return Desk(box, tmp_path)


@pytest.fixture(scope="session")
def _server() -> Iterator[str]:
    binaries = postgres.programs()
    if binaries is None:
        pytest.skip("PostgreSQL isn't installed: NOTHING about ledgers on a server is proved here")
    with postgres.server(binaries) as url:
        yield url


@pytest.fixture
def server(_server: str, request: pytest.FixtureRequest) -> str:
    """A PostgreSQL ledger of this test alone."""
    return f"{_server}?job=t{abs(hash(request.node.nodeid))}"


@pytest.fixture(params=["file", "server"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A ledger of each kind."""
    if request.param == "file":
        return str(tmp_path / "job.db")
    return str(request.getfixturevalue("server"))
