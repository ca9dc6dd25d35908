from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from passbridge import resources
from passbridge.resources import mapping_texts

CHECKOUT = Path(__file__).parents[2] / "mappings"
NAMES = {
    "outcomes.toml",
    "hk/base.toml",
    "hk/card.toml",
    "hk/membership.toml",
    "hk/ticket.toml",
    "mainland/pass.toml",
    "documented/hk-card.toml",
    "documented/hk-gateway.toml",
    "documented/hk-membership.toml",
    "documented/hk-template.toml",
    "documented/hk-ticket.toml",
    "documented/mainland-gateway.toml",
    "documented/mainland-pass.toml",
}


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {folder.parent.name}/{name} 券", encoding="utf-8")
    return folder


def test_every_file_is_found_under_its_name_below_mappings() -> None:
    assert set(mapping_texts()) == NAMES


def test_a_checkouts_files_are_read_as_they_stand() -> None:
    if not CHECKOUT.is_dir() or (Path(str(files("passbridge"))) / "mappings").exists():
        pytest.skip("the tests run against an installed wheel")
    assert mapping_texts() == {path.relative_to(CHECKOUT).as_posix(): path.read_text("utf-8") for path in CHECKOUT.rglob("*.toml")}


def texts_from(root: Path) -> dict[str, str]:
    """What a copy of the package below this folder finds."""
    (root / "passbridge").mkdir(exist_ok=True)
    for name in ("__init__.py", "first_use.py", "resources.py"):
        (root / "passbridge" / name).write_bytes((Path(resources.__file__).parent / name).read_bytes())
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); "
        "from passbridge.resources import mapping_texts; print(json.dumps(mapping_texts()))"
    )
    ran = subprocess.run([sys.executable, "-I", "-c", code, root], capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    if ran.returncode:
        raise FileNotFoundError(ran.stderr.splitlines()[-1])
    found: dict[str, str] = json.loads(ran.stdout)
    return found


def test_a_wheels_tables_lie_inside_the_package(tmp_path: Path) -> None:
    fill(tmp_path / "passbridge" / "mappings", "outcomes.toml", "hk/card.toml", "README.md", "hk/notes.txt")
    fill(tmp_path / "mappings", "outcomes.toml", "hk/other.toml")
    assert texts_from(tmp_path) == {
        "hk/card.toml": "# passbridge/hk/card.toml 券",
        "outcomes.toml": "# passbridge/outcomes.toml 券",
    }


def test_a_bare_checkouts_tables_lie_beside_the_package(tmp_path: Path) -> None:
    fill(tmp_path / "mappings", "outcomes.toml", "mainland/pass.toml")
    assert list(texts_from(tmp_path)) == ["mainland/pass.toml", "outcomes.toml"]


def test_an_installation_without_its_tables_says_so(tmp_path: Path) -> None:
    fill(tmp_path / "mappings", "hk/card.toml")
    with pytest.raises(FileNotFoundError, match="passbridge's mapping tables are missing: install it again"):
        texts_from(tmp_path)
