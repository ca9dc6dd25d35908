"""The resolved tables against the lock that was reviewed. `python tests/mappings/test_lock.py --write` writes it anew."""

from __future__ import annotations

import difflib
import subprocess
import sys
from typing import TYPE_CHECKING

from passbridge.protocol.tables import load_tables
from passbridge.resources import mapping_texts
from tests.mappings.lock import LOCK, lock_lines, locked

if TYPE_CHECKING:
    from passbridge.protocol.tables import Tables

COMMAND = "python tests/mappings/test_lock.py --write"


def test_the_resolved_tables_are_the_reviewed_ones(tables: Tables) -> None:
    changed = [line for line in difflib.ndiff(locked(), lock_lines(tables)) if line[0] in "+-"]
    assert not changed, f"review these lines, then run `{COMMAND}`"


def test_the_lock_is_sorted_without_a_line_twice_and_ends_in_a_line_break() -> None:
    text = LOCK.read_text(encoding="utf-8")
    assert locked() == sorted(set(locked()))
    assert text == "\n".join(locked()) + "\n"


def test_the_lock_speaks_of_every_row_under_every_action_and_letter(tables: Tables) -> None:
    lines = locked()
    for name, profile in tables.profiles.items():
        for section, rows in (("codes", profile.codes), ("sub_codes", profile.sub_codes)):
            for code, row in rows.items():
                for action in profile.actions:
                    for letter in row.status or "-":
                        assert sum(line.startswith(f"{name} {section} {code} {action} {letter} ") for line in lines) == 1


def test_the_lock_is_written_by_its_explicit_command_alone() -> None:
    before = LOCK.read_bytes()
    result = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)  # noqa: S603 - this file
    assert result.returncode == 2
    assert COMMAND in result.stderr
    assert LOCK.read_bytes() == before


def main(arguments: list[str]) -> int:
    """Write the lock, when told so."""
    if arguments != ["--write"]:
        sys.stderr.write(f"usage: {COMMAND}\n")
        return 2
    LOCK.write_text("\n".join(lock_lines(load_tables(mapping_texts()))) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
