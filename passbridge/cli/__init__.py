"""The command line: thin over the library, `--json` for programs, one exit code for each kind of end.

Owns the entry point. Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    try:
        from passbridge.cli.app import run  # noqa: PLC0415 - click comes with the extra
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        print("the command line is not installed: pip install 'passbridge[cli]'", file=sys.stderr)  # noqa: T201 - before any console
        sys.exit(3)
    sys.exit(run(sys.argv[1:]))
