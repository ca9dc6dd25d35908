"""A configuration as it is written: for commands that look at it, and open no account or have opened them already.

Owns that its warnings are left out: whoever opens the accounts gives them.
"""

from __future__ import annotations

import warnings

from passbridge.backends import find_backends
from passbridge.config import Config, read_config
from passbridge.errors import PassbridgeWarning, Problem

__all__ = ["configured"]


def configured(config: str | None) -> tuple[Config, list[Problem]]:
    """The configuration of a command's `--config`, its keys unread, and every mistake in it."""
    with warnings.catch_warnings(action="ignore", category=PassbridgeWarning):
        return read_config(config, {name: backend.settings for name, backend in find_backends().items()})
