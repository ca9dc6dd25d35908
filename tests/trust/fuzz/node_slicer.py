"""Any text in place of a mainland answer: what the slicer takes is what the standard library reads, to the character.

python tests/trust/fuzz/node_slicer.py -max_total_time=600
"""

from __future__ import annotations

import json
import sys
from importlib import import_module

atheris = import_module("atheris")  # it has no types, and only these three programs need it

with atheris.instrument_imports(include=["passbridge"]):
    from passbridge.domain import JsonError
    from passbridge.protocol.jsonbytes import members


def one_input(data: bytes) -> None:
    """Slice it; each slice, read alone, is the member's value, and stands in the text."""
    text = data.decode("utf-8", "replace")
    for whole in (text, f'{{"node":{text},"sign":"AAAA"}}', f'{{"sign":"AAAA","node":"{text}"}}'):
        try:
            found = members(whole)
        except JsonError:
            continue
        read = json.loads(whole)
        if list(read) != list(found):
            raise AssertionError(whole)
        for name, member in found.items():
            if member.source not in whole or not json.loads(member.source) == member.value == read[name]:
                raise AssertionError(whole)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
