"""The client side's only network, clock and sleep.

    drivers      carry out a conversation, blocking or awaiting, over any httpx transport
    bounded      an answer within bounds, of a caller's own httpx transport too
    transports   our own two httpx transports, over one exchange
    message      a request written; a plain answer read at a glance
    exchange     one HTTP/1.1 exchange, and the connections kept between them
    link         one connection: look-up, connect, proxy, TLS, bytes; every wait bounded
    network      how connections are made: TLS, proxies

Knows no gateway, and decides nothing about an update.
"""

from passbridge.transport.drivers import AsyncDriver, Driver
from passbridge.transport.network import Network, tls_context
from passbridge.transport.transports import AsyncTransport, Transport

__all__ = ["AsyncDriver", "AsyncTransport", "Driver", "Network", "Transport", "tls_context"]
