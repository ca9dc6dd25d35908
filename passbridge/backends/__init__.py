"""What a backend is, and how one is found.

Owns the port that a backend stands behind and the entry-point group `passbridge.backends`, in which passbridge's own
two and any third party's are registered alike. Knows no backend by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from passbridge.errors import ConfigError, Problem
from passbridge.protocol.gateway import Gateway
from passbridge.protocol.settings import AccountSettings
from passbridge.protocol.signing import Signer
from passbridge.protocol.tables import Tables

__all__ = ["GROUP", "Backend", "find_backends"]

GROUP = "passbridge.backends"
_MEND = "mend or uninstall that distribution"

_Settings_contra = TypeVar("_Settings_contra", bound=AccountSettings, contravariant=True)


class Backend(Protocol[_Settings_contra]):
    """Speaks one gateway's protocol."""

    @property
    def settings(self) -> type[AccountSettings]:
        """The model of an account's settings; unknown members refused."""
        ...

    def open(self, settings: _Settings_contra, tables: Tables, signer: Signer | None) -> Gateway:
        """One account, ready: keys parsed, tables chosen.

        Args:
            settings: an instance of the backend's own `settings`.
            tables: everything `mappings/` says.
            signer: signs in place of the private key.

        Raises:
            ConfigError: with every problem of the account.
        """
        ...


def find_backends() -> Mapping[str, Backend[AccountSettings]]:
    """Every installed backend by its name.

    Raises:
        ConfigError: a distribution registered a backend that can't be imported.
    """
    found: dict[str, Backend[AccountSettings]] = {}
    problems = []
    for point in entry_points(group=GROUP):
        place = f"entry point {point.name} of {point.dist.name if point.dist else GROUP}"
        try:
            backend = point.load()
        except Exception as error:  # noqa: BLE001 - another distribution's module may fail in any way
            problems.append(Problem(place, "unusable_backend", f"can't be loaded: {error}", _MEND))
            continue
        if not (isinstance(getattr(backend, "settings", None), type) and callable(getattr(backend, "open", None))):
            problems.append(Problem(place, "unusable_backend", "is no backend: it has no settings and open", _MEND))
        found[point.name] = backend
    if problems:
        raise ConfigError(problems)
    return found
