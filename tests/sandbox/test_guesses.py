from __future__ import annotations

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.guesses import GUESSES, Guess
from passbridge.sandbox.inputs import BadInput
from tests.sandbox.conftest import ask


@pytest.mark.parametrize("guess", GUESSES, ids=lambda guess: guess.name)
def test_every_guess_says_how_sure_it_is_and_why(box: Sandbox, guess: Guess) -> None:
    listed = next(row for row in box.guesses() if row["name"] == guess.name)
    assert listed == {
        "name": guess.name,
        "text": guess.text,
        "values": list(guess.values),
        "default": guess.values[0],
        "value": guess.values[0],
        "confidence": guess.confidence,
        "source": guess.source,
    }
    assert guess.confidence in {"observed", "inferred", "invented"}
    assert guess.name.partition(".")[0] in {"hk", "mainland"}
    assert len(set(guess.values)) > 1
    assert guess.text
    assert guess.source


@pytest.mark.parametrize("guess", GUESSES, ids=lambda guess: guess.name)
def test_every_reading_of_every_guess_can_be_taken(box: Sandbox, guess: Guess) -> None:
    rows: list[dict[str, object]] = []
    for value in reversed(guess.values):
        rows = ask(box.url, "POST", "/sandbox/guesses", f'{{"{guess.name}": "{value}"}}'.encode()).json
        assert next(row for row in rows if row["name"] == guess.name)["value"] == value
    assert rows == box.guesses() == ask(box.url, "GET", "/sandbox/guesses").json


def test_names_are_unique() -> None:
    assert len({guess.name for guess in GUESSES}) == len(GUESSES)


def test_wrong_switches_are_all_named_and_none_is_thrown(box: Sandbox) -> None:
    with pytest.raises(BadInput) as caught:
        box.guess({"hk.result_nod": "result", "hk.data_info": "mergd", "mainland.used_again": 1, "hk.result_node": "resultInfo"})
    assert [(problem.path, problem.code, problem.mend) for problem in caught.value.problems] == [
        ("hk.result_nod", "unknown_guess", "did you mean 'hk.result_node'?"),
        ("hk.data_info", "unknown_reading", "one of replaced, merged"),
        ("mainland.used_again", "unknown_reading", "one of KP.AE_ALIPASS_UPDATE_ERROR, success"),
    ]
    assert {row["value"] == row["default"] for row in box.guesses()} == {True}


def test_switches_are_an_object(box: Sandbox) -> None:
    with pytest.raises(BadInput, match="JSON object"):
        box.guess(["hk.data_info"])


def test_reset_takes_every_default_again(box: Sandbox) -> None:
    box.guess({"hk.data_info": "merged"})
    box.reset()
    assert {row["value"] == row["default"] for row in box.guesses()} == {True}
