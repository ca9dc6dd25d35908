"""Any bytes in place of a `Signature` header field: the reader gives a field or a finding, and never fails.

python tests/trust/fuzz/signature_field.py -max_total_time=600
"""

from __future__ import annotations

import sys
from importlib import import_module

atheris = import_module("atheris")  # it has no types, and only these three programs need it

with atheris.instrument_imports(include=["passbridge"]):
    from passbridge.backends.hk.signature import SignatureField, _parsed

TOKENS = ("algorithm=", "keyVersion=", "signature=", "RSA256", "=", ",", "%2B", "%", "+", "AAAA", "==", "\u00e9", "\ud800")


def one_input(data: bytes) -> None:
    """Read a text of which each byte is a character, or from 128 on one of the grammar's own words."""
    text = "".join(chr(byte) if byte < 128 else TOKENS[byte % len(TOKENS)] for byte in data)
    found = _parsed(text)
    if isinstance(found, SignatureField) and not found.signature:
        raise AssertionError(found)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
