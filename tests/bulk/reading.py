"""An input as its users have it: bytes in, rows or refusals out."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from passbridge import InvalidUpdate, Problem
from passbridge.bulk.input import Input, Reading
from passbridge.bulk.rows import Row


def rows(data: bytes, reading: Reading | None = None) -> list[Row]:
    """What a stream holds; named as JSON lines, so that nothing is guessed."""
    with Input("standard input", reading or Reading(format="jsonl"), io.BytesIO(data)) as given:
        return list(given)


def refusal(act: Callable[[], object]) -> list[Problem]:
    """Why an input can't be taken at all."""
    with pytest.raises(InvalidUpdate) as caught:
        act()
    assert all(problem.message and problem.mend for problem in caught.value.problems)
    return list(caught.value.problems)


def brief(row: Row) -> tuple[int, str | list[tuple[str, str]]]:
    """A row's line, and its action or the place and code of each problem."""
    return row.line, row.update.action if row.update else [(problem.path, problem.code) for problem in row.problems]
