"""AlipayHK's `updatePass`: JSON bodies, signatures in HTTP header fields, three profiles (seeds 000, 001, 002).

Owns everything that is AlipayHK's alone. Knows neither the mainland nor any transport.
"""

from passbridge.backends.hk.backend import BACKEND
from passbridge.backends.hk.settings import HkSettings

__all__ = ["BACKEND", "HkSettings"]
