from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from passbridge import InvalidUpdate, Problem, load_update

Complaints = Callable[[str | bytes | Mapping[str, object]], tuple[Problem, ...]]


@pytest.fixture(scope="session")
def complaints() -> Complaints:
    """Every problem that `load_update` finds in what it is given."""

    def found(source: str | bytes | Mapping[str, object]) -> tuple[Problem, ...]:
        with pytest.raises(InvalidUpdate) as caught:
            load_update(source)
        return caught.value.problems

    return found
