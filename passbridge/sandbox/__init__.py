"""Both gateways, simulated on this machine: real signatures checked over raw bytes, passes kept, answers signed.

Owns the gateways' side of the wire, written from their documents alone. It must not know the client's side: the two
share signing primitives and nothing else, so that one wrong reading can't hide in both.
"""

from passbridge.sandbox.box import Sandbox

__all__ = ["Sandbox"]
