"""What a guess is: an open question of the gateways' documents, the readings it can take, and how sure the default is.

Owns one row of the tables of guesses. It must not know any of them.

Confidence: `observed` on a real gateway's wire; `inferred` from what a document says nearby; `invented`: no document
says anything, and the harsher or the plainer reading was taken.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SILENT", "Guess"]

SILENT = "no document says"
"""The source of a guess that has none."""


@dataclass(frozen=True, slots=True)
class Guess:
    """One open question: its name, what it asks, the readings it can take, the default first, and why."""

    name: str
    text: str
    values: tuple[str, ...]
    confidence: str
    source: str

    @property
    def default(self) -> str:
        """The reading taken unless told otherwise."""
        return self.values[0]
