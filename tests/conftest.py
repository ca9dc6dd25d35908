"""What holds for every test: searched examples are the same in each run, and Ctrl-C means what it means at a terminal.

A check that proves a change must give the same verdict twice. To look for new counter-examples, run
`pytest --hypothesis-profile=searching`; what it finds becomes an `@example` or a test of its own.
"""

from __future__ import annotations

import signal

from hypothesis import settings

# A shell that starts the tests in the background has SIGINT ignored, which every child would inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("searching", derandomize=False, print_blob=True)
settings.load_profile("repeatable")
