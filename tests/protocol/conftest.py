from __future__ import annotations

from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from passbridge import Code
from passbridge.protocol.mapping import OutcomeRow, Profile
from passbridge.protocol.tables import Tables


@pytest.fixture(scope="session")
def outcomes(tables: Tables) -> Mapping[Code, OutcomeRow]:
    """What each outcome code means."""
    return tables.outcomes


@pytest.fixture(scope="session")
def profiles(tables: Tables) -> Mapping[str, Profile]:
    """Each profile by its name."""
    return tables.profiles


@pytest.fixture(scope="session")
def rsa_key() -> rsa.RSAPrivateKey:
    """A throw-away key of 2048 bits."""
    return rsa.generate_private_key(65537, 2048)
