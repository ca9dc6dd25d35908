"""Any bytes in place of a JSON document: refused by the strict reader's own error, or read as every reader reads it.

python tests/trust/fuzz/strict_json.py -max_total_time=600
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

atheris = import_module("atheris")  # it has no types, and only these three programs need it

with atheris.instrument_imports(include=["passbridge"]):
    from passbridge.domain import JsonError, read_json, write_json


def one_input(data: bytes) -> None:
    """Read it; what is taken is what the standard library takes, and survives being written."""
    try:
        value = read_json(data)
    except JsonError:
        return
    if value != json.loads(data) or read_json(write_json(value)) != value:
        raise AssertionError(data)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
