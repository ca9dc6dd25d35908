"""From files and environment to frozen accounts, every mistake at once.

The only reader of files and environment on the client's side. What an account's members mean is its backend's
settings model's, which is handed in.
"""

from passbridge.config.models import Config, HttpSettings
from passbridge.config.reading import read_config
from passbridge.config.search import find_config

__all__ = ["Config", "HttpSettings", "find_config", "read_config"]
