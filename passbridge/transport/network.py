"""How connections are made: what is trusted, and by which way a host is reached.

Owns the TLS context and the proxies. Opens nothing.
"""

from __future__ import annotations

import base64
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi

from passbridge.protocol.settings import Secret
from passbridge.transport.message import Proxy

if TYPE_CHECKING:
    from passbridge.transport.message import Address

__all__ = ["Network", "Route", "tls_context"]


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host. Connections are kept by it."""

    secure: bool
    host: str
    port: int
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """How connections are made.

    Attributes:
        context: the TLS context.
        proxy: an `http://` proxy's address.
        trust_env: whether the environment may name proxies.
    """

    context: ssl.SSLContext
    proxy: Secret | None = None
    trust_env: bool = False

    def route(self, address: Address) -> Route:
        """The way to an address."""
        return Route(address.secure, address.host, address.port, self._proxy_for("https" if address.secure else "http", address.host))

    def _proxy_for(self, scheme: str, host: str) -> Proxy | None:
        address = self.proxy.reveal().decode() if self.proxy else None
        if address is None and self.trust_env and not proxy_bypass(host):
            address = getproxies().get(scheme)
        if not address:
            return None
        parts = urlsplit(address)
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}" if parts.username else None
        return Proxy(parts.hostname or "", parts.port or 80, login and f"Basic {base64.b64encode(login.encode()).decode()}")


def tls_context(ca_file: str | None, *, trust_env: bool) -> ssl.SSLContext:
    """A context that verifies, made by hand: `ssl.create_default_context` would honour a key log in the environment.

    Raises:
        OSError: the CA file can't be read, or holds no certificate (`ssl.SSLError` is one).
    """
    if trust_env:
        return ssl.create_default_context(cafile=ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    else:
        _load_machines_own(context)
    return context


def _load_machines_own(context: ssl.SSLContext) -> None:
    """OpenSSL's own places, not those that the environment may name in their stead; without them, Mozilla's list."""
    paths = ssl.get_default_verify_paths()
    file = paths.openssl_cafile if Path(paths.openssl_cafile).is_file() else None
    folder = paths.openssl_capath if Path(paths.openssl_capath).is_dir() else None
    context.load_verify_locations(cafile=file or (None if folder else certifi.where()), capath=folder)
