"""An answer that ends too early, at every place where it can end: only all of it is an answer."""

from __future__ import annotations

import itertools

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway, Script, Step, Talk
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, close, read, reset, send

EVERY = 7
"""Bytes between two places; the ends of the head's lines are all looked at besides."""

ALONE = {"attempts": 1, "deadline": 2.0}


def _places(answer: bytes, body: int) -> list[int]:
    ends = [place for place in range(len(answer) - body) if answer[place : place + 2] == b"\r\n"]
    near = {end + step for end in ends for step in range(-1, 5)}
    return sorted({*range(0, len(answer), EVERY), *near, len(answer) - 1} & set(range(len(answer))))


def _cut(place: int, end: Step, *, framed: bool) -> Script:
    def part(talk: Talk) -> bytes:
        answer = talk.answer()
        whole = answer.wire() if framed else answer.head() + answer.body
        return whole[: min(place, len(whole) - 1)]  # signatures are not all of one length when they are percent-encoded

    return (read, send(part), end)


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("end", [close, reset], ids=["closed", "reset"])
def test_an_answer_cut_anywhere_is_no_answer(caller: Caller, region: Region, end: Step) -> None:
    whole = region.answer(region.usual, trace="x" * 20)
    places = _places(whole.wire(), len(whole.body))
    with Gateway(region, *(_cut(place, end, framed=True) for place in places)) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **ALONE), *[region.update("redeem")] * len(places))
    assert [told(outcome) for outcome in outcomes] == [["NO_ANSWER"] * 2] * len(places)
    assert len(gateway.requests) == gateway.connections == len(places)


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
def test_an_answer_without_a_length_that_is_cut_is_never_believed(caller: Caller, region: Region) -> None:
    whole = region.answer(region.usual, trace="x" * 20)
    head, body = len(whole.head()), len(whole.body)
    places = [*range(head, head + body, 5), head + body - 1]
    with Gateway(region, *(_cut(place, close, framed=False) for place in places)) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **ALONE), *[region.update("redeem")] * len(places))
    assert {outcome.code for outcome in outcomes} <= {"NO_ANSWER", "UNTRUSTED_ANSWER"}
    assert len(gateway.requests) == len(places)


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("end", [close, reset], ids=["closed", "reset"])
def test_a_chunked_answer_cut_anywhere_is_no_answer(caller: Caller, region: Region, end: Step) -> None:
    whole = region.answer(region.usual, trace="x" * 20)
    size = len(whole.chunked(30, 1, 7))
    places = [*range(len(whole.head("Transfer-Encoding: chunked")) - 4, size, 3), *range(size - 9, size)]

    def cut(place: int) -> Script:
        def part(talk: Talk) -> bytes:
            answer = talk.answer().chunked(30, 1, 7)
            return answer[: min(place, len(answer) - 1)]

        return (read, send(part), end)

    with Gateway(region, *map(cut, places)) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **ALONE), *[region.update("redeem")] * len(places))
    assert [told(outcome) for outcome in outcomes] == [["NO_ANSWER"] * 2] * len(places)


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
def test_an_answer_in_two_segments_is_one_wherever_it_was_split(caller: Caller, region: Region) -> None:
    whole = region.answer(region.usual, trace="x" * 20).wire()
    places = range(1, len(whole), 23)
    cuts = iter(places)

    def halves(talk: Talk) -> None:
        answer, place = talk.answer().wire(), next(cuts)
        talk.send(answer[:place])
        talk.send(answer[place:])

    with Gateway(region, (again(read, halves),)) as gateway:
        outcomes = caller.applies(region.config(gateway.url, **ALONE), *itertools.repeat(region.update("redeem"), len(places)))
    assert {outcome.code for outcome in outcomes} == {"APPLIED"}
    assert gateway.connections == 1
