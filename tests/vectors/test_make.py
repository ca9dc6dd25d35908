"""The golden files are what their script makes, and the script stands on its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as the script makes them now, in an interpreter that sees the standard library alone."""
    folder = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, "-I", "-S", str(HERE / "make.py"), str(folder)], check=True)  # noqa: S603 - our own words
    return folder


@pytest.mark.parametrize("name", ["hk.json", "hk-schemes.json", "mainland.json"])
def test_the_committed_file_is_what_the_script_makes_without_any_package(name: str, made: Path) -> None:
    assert (made / name).read_bytes() == (HERE / name).read_bytes()


def test_every_private_key_says_that_it_is_a_test_s_own() -> None:
    told = (HERE / "keys" / "README.md").read_text(encoding="utf-8")
    names = {path.stem.removesuffix("-public") for path in (HERE / "keys").glob("*.pem")}
    assert names
    assert all(f"`{name}`" in told for name in names)
