"""Progress: its words, its speed, a line a minute."""

from __future__ import annotations

import pytest

from passbridge.bulk.shapes import State, Status
from passbridge.cli.bulk_progress import Lines, Speed, words

RUNNING = Status(
    rows=180_000, states={State.OPEN: 178_500, State.APPLIED: 1490, State.REFUSED: 10}, codes={"STATE_CONFLICT": 10, "APPLIED": 1490}
)


def test_progress_is_rows_outcomes_speed_and_time_left() -> None:
    assert words(RUNNING, 50.0) == "1,500 of 180,000 rows (0.8 %), 1,490 APPLIED, 10 STATE_CONFLICT; 50.0/s, 0:59:30 left"


def test_progress_says_no_more_than_is_known() -> None:
    assert words(RUNNING, None) == "1,500 of 180,000 rows (0.8 %), 1,490 APPLIED, 10 STATE_CONFLICT"
    assert words(RUNNING, 0.0).endswith("; 0.0/s")
    assert words(Status(rows=0), 1.0).startswith("0 of 0 rows (100.0 %)")


def test_while_the_input_is_read_there_is_no_share() -> None:
    assert (
        words(Status(rows=1200, codes={"INVALID_UPDATE": 3}, loading=True), 5.0) == "reading the input: 1,200 rows so far, 3 INVALID_UPDATE"
    )


def test_the_speed_is_that_of_the_last_half_minute() -> None:
    speed = Speed()

    assert speed.of(100.0, 0) is None
    assert speed.of(100.0, 0) is None
    assert speed.of(110.0, 1000) == pytest.approx(100.0)
    for second in range(111, 160):
        speed.of(float(second), 1000)
    assert speed.of(160.0, 1300) == pytest.approx(10.0)


def test_there_is_a_line_at_once_and_then_one_a_minute(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    lines = Lines(lambda: now)

    for second in range(181):
        now = 1000.0 + second
        lines(RUNNING)

    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 4
    assert all("1,500 of 180,000 rows" in line for line in err.splitlines())
