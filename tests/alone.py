"""A test alone on its machine: what the environment, the machine's certificates and the draw of a wait would bring in."""

from __future__ import annotations

import os
import random
import ssl

import pytest

__all__ = ["alone", "undrawn"]


def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of ours, no folder of the user's and no proxy come from the environment, and no certificate from this machine.

    Nobody here needs those certificates, and each client would take 25 ms to read them.
    """
    for name in os.environ:
        if name.upper().startswith(("PASSBRIDGE_", "XDG_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    paths = ssl.get_default_verify_paths()._replace(openssl_cafile=os.devnull, openssl_capath=os.path.sep)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)


def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait between attempts is drawn longer than a gateway asks for."""
    monkeypatch.setattr(random, "random", lambda: 0.0)
