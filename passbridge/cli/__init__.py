"""The command line: thin over the library, `--json` for programs, one exit code for each kind of end.

Owns the entry point. Nothing heavy is imported before a command runs, so that help comes at once.
"""

from __future__ import annotations

import json
import sys

from passbridge.errors import Problem

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit."""
    try:
        from passbridge.cli.app import run  # noqa: PLC0415 - click comes with the extra

        sys.exit(run(sys.argv[1:]))
    except ModuleNotFoundError:
        _without_extra()
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


def _without_extra() -> None:
    """Say what to install, with nothing but the library itself."""
    problem = Problem("", "missing_extra", "the extra 'cli' is not installed", "pip install 'passbridge[cli]'")
    if "--json" in sys.argv:
        print(json.dumps({"schema": "passbridge.error/1", "error": "missing_extra", "problems": [problem.as_json()]}))  # noqa: T201 - no console yet
    print(f"error: {problem}", file=sys.stderr)  # noqa: T201 - likewise
