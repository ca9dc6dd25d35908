"""What AlipayHK's membership cards show: points, a level, the end of their validity.

Owns their fields: those of the seeds' samples, and for the validity the update's own. How a value is written is `scenario`'s.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from passbridge.content.scenario import Localised, Scenario, Words, revised
from passbridge.domain import Content, PassRef, Revise
from passbridge.domain.updates import Moment

__all__ = ["Level", "Score", "Validity"]


def _digits(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


class Score(Scenario):
    """A member's points (`UPDATE_SCORE`; sample 3 of seed 000), for the profile `card`.

    Attributes:
        score: sent as text, as in the sample; a whole number may be given.
    """

    kind = "score"

    score: Annotated[str, BeforeValidator(_digits)] | Localised[str]


class Level(Scenario):
    """A member's level (`UPDATE_LEVEL`; sample 2 of seed 000), for the profile `card`.

    Attributes:
        level: its name, such as `gold card`.
    """

    kind = "level"

    level: Words


class Validity(Scenario):
    """The end of a card's validity (`UPDATE_VALIDITY`), for the profile `card`. No page shows a content that goes with it.

    Attributes:
        valid_until: its last moment (`endDate`).
    """

    kind = "validity"

    valid_until: Moment

    def content(self) -> Content:
        """What else the pass shall show: `more` alone."""
        return Content(params=self.more)

    def revise(self, pass_: PassRef, *, to: str | None = None, key: str | None = None, at: datetime | None = None) -> Revise:
        """The update that extends it, as that of any other scenario."""
        content = self.content() if self.more else None
        return revised(pass_, {"to": to, "key": key, "kind": self.kind, "content": content, "at": at, "valid_until": self.valid_until})
