"""The mapping files, wherever passbridge runs from.

Owns finding `mappings/`: inside the installed package, or beside it in an editable install or a bare checkout. It
reads text and nothing else; `protocol.mapping` says what the text means.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["mapping_texts"]


def mapping_texts() -> dict[str, str]:
    """Every mapping file's text by its name below `mappings/`, such as `hk/ticket.toml`.

    Raises:
        FileNotFoundError: the installation lost its tables.
    """
    package = files("passbridge")
    for folder in (package / "mappings", package / ".." / "mappings"):
        if (folder / "outcomes.toml").is_file():
            return dict(_texts(folder, ""))
    message = "passbridge's mapping tables are missing: install it again"
    raise FileNotFoundError(message)


def _texts(folder: Traversable, at: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            found += _texts(entry, f"{at}{entry.name}/")
        elif entry.name.endswith(".toml"):
            found.append((at + entry.name, entry.read_text(encoding="utf-8")))
    return found
