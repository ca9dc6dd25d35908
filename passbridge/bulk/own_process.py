"""What a process asks of the interpreter that does nothing but carry out a job.

Owns the garbage collector's pace. The library's functions never call it: a program that calls those has its own memory
to see to.
"""

from __future__ import annotations

import gc
from typing import Final

__all__ = ["collect_seldom"]

_YOUNG: Final = 20_000
"""Objects made and not freed before the collector looks, in place of 700: a few megabytes."""


def collect_seldom() -> None:
    """Let the garbage collector look more seldom.

    What an update makes is freed when its last user lets go, with no collector; but as many updates as are in flight make it
    look through them, and through everything that was imported, again and again: a twentieth of a job's CPU.
    """
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
