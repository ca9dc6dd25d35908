"""What holds for every test: searched examples are the same in each run, Ctrl-C means what it means at a terminal, and
those who need the sandbox or the tables share one.

A check that proves a change must give the same verdict twice. To look for new counter-examples, run
`pytest --hypothesis-profile=searching`; what it finds becomes an `@example` or a test of its own.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts
from passbridge.sandbox import Sandbox

# A shell that starts the tests in the background has SIGINT ignored, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("searching", derandomize=False, print_blob=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def running() -> Iterator[Sandbox]:
    """The sandbox, for what is made once and used again: configurations, clients. A test that sends to it uses `box`."""
    with Sandbox() as box:
        yield box


@pytest.fixture
def box(running: Sandbox) -> Sandbox:
    """The sandbox as at its start, but for its keys."""
    running.reset()
    return running


@pytest.fixture(scope="session")
def texts() -> dict[str, str]:
    """The mapping files' texts."""
    return mapping_texts()


@pytest.fixture(scope="session")
def tables(texts: dict[str, str]) -> Tables:
    """The tables as the package reads them, without any overlay."""
    return load_tables(texts)
