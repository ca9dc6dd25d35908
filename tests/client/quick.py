"""What every test would pay for, done once a run: reading the tables, parsing keys, and the machine's certificates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

import pytest

from passbridge.protocol.keys import private_key_for
from passbridge.protocol.signing import Algorithm, PrivateKey
from passbridge.protocol.tables import Tables, load_tables
from passbridge.resources import mapping_texts

_KEYS: dict[tuple[str, bytes], PrivateKey] = {}


def _parsed(algorithm: Algorithm, data: bytes) -> PrivateKey:
    if (algorithm.name, data) not in _KEYS:
        _KEYS[algorithm.name, data] = private_key_for(algorithm, data)
    return _KEYS[algorithm.name, data]


@cache
def _plain() -> Tables:
    return load_tables(mapping_texts())


def _tables(texts: Mapping[str, str], overlays: Mapping[str, str]) -> Tables:
    return load_tables(texts, overlays) if overlays else _plain()


def spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do none of it again in this test."""
    monkeypatch.setattr("passbridge.accounts.load_tables", _tables)
    monkeypatch.setattr("passbridge.backends.credentials.private_key_for", _parsed)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
