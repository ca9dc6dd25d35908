"""Mainland Alipay's `alipay.pass.instance.update` over `gateway.do`: form parameters, RSA2, one profile (seed 003).

Owns everything that is the mainland's alone. Knows neither AlipayHK nor any transport.
"""

from passbridge.backends.mainland.backend import BACKEND
from passbridge.backends.mainland.settings import MainlandSettings

__all__ = ["BACKEND", "MainlandSettings"]
