"""The scripted peer, asked what became of an update in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from passbridge.protocol.gateway import Prepared
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse
from tests.protocol.scripted import Peer

__all__ = ["AskedPeer", "Desk"]

QUESTION = Prepared(content=object(), action="the.query")


@dataclass
class Desk:
    """Answers questions by a script of its own, the last answer for ever.

    Attributes:
        script: what comes of each question, as of each attempt.
        asked: when each question was signed.
    """

    script: Sequence[Verdict | NoReply | BaseException]
    asked: list[datetime] = field(default_factory=list)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        """Sign the question, or fail as the script says."""
        assert prepared is QUESTION
        self.asked.append(now)
        step = self.said(len(self.asked))
        if isinstance(step, BaseException):
            raise step
        return WireRequest("POST", "https://desk.example", Headers(), f"q{len(self.asked)}".encode())

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        """The script's verdict."""
        assert (prepared, request.body) == (QUESTION, response.body)
        assert now >= self.asked[-1]
        step = self.said(int(response.body[1:]))
        assert isinstance(step, Verdict)
        return step

    def said(self, number: int) -> Verdict | NoReply | BaseException:
        """What comes of this question."""
        return self.script[min(number, len(self.script)) - 1]


@dataclass
class AskedPeer(Peer):
    """A peer that can be asked.

    Attributes:
        desk: answers the questions; None where this update can't be asked about.
    """

    desk: Desk | None = None

    def inquiring(self, prepared: Prepared) -> tuple[Desk, Prepared] | None:
        """The question, prepared."""
        assert all(prepared is sealed for sealed, _ in self.sealed)
        return (self.desk, QUESTION) if self.desk else None

    def reply(self, body: bytes) -> Verdict | NoReply | BaseException:
        """What the script of the exchange says."""
        return self.desk.said(int(body[1:])) if self.desk and body.startswith(b"q") else super().reply(body)

    def order(self) -> str:
        """The exchanges in order: `u` for the update, `q` for the query."""
        return "".join("q" if exchange.request.body.startswith(b"q") else "u" for exchange in self.exchanges)
