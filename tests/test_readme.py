"""The README keeps its word: its tables are the package's, its Python runs, its updates are read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from passbridge import load_update
from passbridge.sandbox import Sandbox
from passbridge.sandbox.faults import FAULTS
from passbridge.shipped import shipped_tables

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def table_after(mark: str) -> list[list[str]]:
    lines = README.partition(f"<!-- {mark} -->\n")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]


def test_the_outcome_table_is_the_packages_own() -> None:
    outcomes = shipped_tables().outcomes

    expected = [[str(code), row.effect, row.next, row.who, str(row.exit)] for code, row in outcomes.items()]

    assert sorted(expected) == sorted(table_after("outcomes"))


def test_every_fault_of_the_sandbox_is_listed_with_its_meaning() -> None:
    assert [[kind.spelling, kind.text] for kind in FAULTS.values()] == table_after("faults")


@pytest.mark.parametrize("text", blocks("json"))
def test_every_update_shown_is_read(text: str) -> None:
    assert load_update(text).as_json() == json.loads(text)


@pytest.mark.parametrize("code", blocks("python"), ids=["hk", "mainland", "bulk"])
def test_every_python_example_runs(code: str, box: Sandbox, tmp_path: Path) -> None:
    box.write_config(tmp_path / "passbridge.toml")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - the README's own code

    assert done.returncode == 0, done.stderr
    assert "APPLIED" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [target for target in targets if not (page.parent / target).exists()] == []
