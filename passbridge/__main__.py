"""`python -m passbridge`."""

from passbridge.cli import main

main()
