"""What holds for every test: searched examples are the same in each run.

A check that proves a change must give the same verdict twice. To look for new counter-examples, run
`pytest --hypothesis-profile=searching`; what it finds becomes an `@example` or a test of its own.
"""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("searching", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
