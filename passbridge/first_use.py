"""Public names that a package imports at their first use (PEP 562), so that importing the package alone costs nothing.

Owns the two functions that such a package has. Knows no name, and imports nothing of the project by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

__all__ = ["at_first_use"]


def at_first_use(
    package: Mapping[str, Any], home: str, others: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """A package's `__getattr__` and `__dir__`.

    Args:
        package: its namespace, `globals()`; the names are those of its `__all__`.
        home: the module that most of them are in.
        others: the names that are in another module, by that module.
    """
    homes = {name: module for module, names in others.items() for name in names}

    def found(name: str) -> Any:  # noqa: ANN401 - a module's attribute may be anything
        if name not in package["__all__"]:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        return getattr(import_module(homes.get(name, home)), name)

    return found, lambda: sorted([*package, *package["__all__"]])
