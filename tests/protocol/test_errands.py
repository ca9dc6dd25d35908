"""An answer that can't be judged before another call was made: that call, its deadline, and the answer judged once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import pytest

from passbridge import Code, Finding
from passbridge.protocol.conversation import Policy
from passbridge.protocol.gateway import Prepared
from passbridge.protocol.mapping import OutcomeRow
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, NoReply, WireRequest, WireResponse
from tests.protocol.scripted import Peer

Outcomes = Mapping[Code, OutcomeRow]

UNKNOWN = Finding(code="SIG-UNKNOWN-CERT", message="an unknown certificate")
UNTRUSTED = Verdict(code=Code.UNTRUSTED_ANSWER, finding=UNKNOWN, reason=UNKNOWN.message)
DONE = Verdict(code=Code.APPLIED, trace_id="t-1")


@dataclass
class Errand:
    """A call whose answer teaches its peer to judge, if it is the one hoped for."""

    teaches: bool
    verdict: Verdict
    learned: bool = False
    sealed: list[datetime] = field(default_factory=list)

    def seal(self, prepared: Prepared, now: datetime) -> WireRequest:
        assert prepared.action == "fetch"
        self.sealed.append(now)
        return WireRequest("POST", "https://gateway.example/other", Headers(), b"2")

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        assert (prepared.action, request.body, response.body) == ("fetch", b"2", b"2")
        assert now > self.sealed[-1]
        self.learned = self.teaches
        return self.verdict


@dataclass
class Learner(Peer):
    """A gateway that can't judge before its errand was done."""

    errand: Errand = field(default_factory=lambda: Errand(teaches=True, verdict=Verdict(code=Code.APPLIED, note="it was fetched")))

    def judge(self, prepared: Prepared, request: WireRequest, response: WireResponse, now: datetime) -> Verdict:
        verdict = super().judge(prepared, request, response, now)
        return verdict if self.errand.learned else replace(UNTRUSTED, errand=(self.errand, Prepared(None, "fetch")))


def test_the_answer_is_judged_once_more_after_the_errand(outcomes: Outcomes) -> None:
    peer = Learner([DONE, DONE], outcomes)
    outcome = peer.talk()
    assert (outcome.code, outcome.trace_id, len(outcome.attempts)) == (Code.APPLIED, "t-1", 1)
    assert outcome.notes == ("it was fetched",)
    assert [exchange.request.body for exchange in peer.exchanges] == [b"1", b"2"]
    (first, second) = peer.judged
    assert first[:3] == second[:3]
    assert first[3] < second[3]


def test_it_shares_the_conversations_deadline(outcomes: Outcomes) -> None:
    peer = Learner([DONE, DONE], outcomes)
    peer.talk(policy=Policy(deadline=3.0))
    assert {exchange.deadline for exchange in peer.exchanges} == {1003.0}


def test_no_errand_begins_after_the_deadline(outcomes: Outcomes) -> None:
    peer = Learner([DONE, DONE], outcomes, took=2.0)
    outcome = peer.talk(policy=Policy(deadline=1.0))
    assert (outcome.code, len(peer.exchanges)) == (Code.UNTRUSTED_ANSWER, 1)
    assert outcome.attempts[0].reason == "an unknown certificate; the deadline came before the request left"


def test_what_was_learned_is_kept_for_the_next_conversation(outcomes: Outcomes) -> None:
    peer = Learner([DONE, DONE, DONE], outcomes)
    peer.errand.learned = True
    assert peer.talk().code is Code.APPLIED
    assert len(peer.exchanges) == 1


def test_an_errand_that_brings_nothing_leaves_the_first_verdict_and_says_why(outcomes: Outcomes) -> None:
    lost = Learner([DONE, NoReply("no answer in time", sent=True)], outcomes).talk()
    assert (lost.code, lost.finding, lost.attempts[0].reason) == (
        Code.UNTRUSTED_ANSWER,
        UNKNOWN,
        "an unknown certificate; no answer in time",
    )
    assert lost.attempts[0].sent


@pytest.mark.parametrize("reason", ["the chain is broken", None])
def test_an_errand_that_is_refused_tells_its_own_finding(reason: str | None, outcomes: Outcomes) -> None:
    finding = Finding(code="CERT-CHAIN", message="the chain is broken")
    errand = Errand(teaches=False, verdict=Verdict(code=Code.UNTRUSTED_ANSWER, finding=finding, reason=reason))
    outcome = Learner([DONE, DONE], outcomes, errand=errand).talk()
    assert (outcome.code, outcome.finding) == (Code.UNTRUSTED_ANSWER, finding)
    assert outcome.attempts[0].reason == f"an unknown certificate; {reason or 'UNTRUSTED_ANSWER'}"
    assert len(outcome.attempts) == 1
