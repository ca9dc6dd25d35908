"""The built wheel carries the tables and the type marker, and works away from the checkout."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from passbridge.resources import mapping_texts

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(built) as wheel:
        wheel.extractall(folder / "unpacked")
    return folder / "unpacked"


def run(unpacked: Path, code: str) -> str:
    # -I would hide the path we add; -P keeps the working folder out, so only the wheel's own files can be found first.
    program = f"import sys; sys.path.insert(0, {str(unpacked)!r})\n{code}"
    done = subprocess.run([sys.executable, "-P", "-c", program], cwd=unpacked.parent, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return done.stdout


def test_the_wheel_finds_its_own_tables(unpacked: Path) -> None:
    said = run(unpacked, "import json, passbridge.resources as r; print(json.dumps([r.__file__, r.mapping_texts()]))")

    file, texts = json.loads(said)

    assert file.startswith(str(unpacked))
    assert texts == mapping_texts()
    assert not (unpacked / "mappings").exists()


def test_the_wheel_tells_type_checkers_that_it_is_typed(unpacked: Path) -> None:
    assert (unpacked / "passbridge" / "py.typed").is_file()


def test_the_wheels_demo_ends_as_expected(unpacked: Path) -> None:
    said = run(unpacked, "from passbridge.cli.app import run; sys.exit(run(['demo', '--json']))")

    assert all(step["outcome"]["code"] == step["expected"] for step in json.loads(said)["steps"])
