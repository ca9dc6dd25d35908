"""The search for secrets finds what is planted: else its silence would prove nothing."""

from __future__ import annotations

import base64
import logging
import warnings
from collections.abc import Callable
from urllib.parse import quote

import pytest

from passbridge import ConfigError, Problem
from tests.faults.keys import private_pem
from tests.trust.search import Needle, everything_shown

KEY = private_pem("planted")
NEEDLE = Needle("the key", KEY)
LINE = KEY.decode().splitlines()[7]

PLANTED = {
    "the whole": KEY.decode(),
    "as bytes": repr(KEY),
    "a line": LINE,
    "24 characters of a line": f"x{LINE[5:29]}x",
    "without its line ends": "".join(KEY.decode().splitlines()[1:-1])[50:90],
    "in base64 once more": base64.b64encode(KEY).decode()[100:130],
    "in hexadecimal": KEY.hex()[200:240],
    "percent-encoded": quote(LINE, safe=""),
}


@pytest.mark.parametrize("text", PLANTED.values(), ids=PLANTED)
@pytest.mark.parametrize("before", range(13))
def test_a_piece_of_a_secret_is_found_wherever_it_stands(text: str, before: int) -> None:
    assert NEEDLE.found("." * before + text)


def test_less_than_a_slice_is_nothing() -> None:
    assert NEEDLE.found(LINE[:23]) is None
    assert NEEDLE.found("-----BEGIN PRIVATE KEY-----" * 9) is None


def test_a_short_secret_is_looked_for_whole() -> None:
    needle = Needle("a token", b"token/of=mine", whole=True)
    assert needle.found("app_auth_token=token%2Fof%3Dmine&x")
    assert needle.found("token/of=") is None


def _warns() -> None:
    warnings.warn(LINE, UserWarning, stacklevel=1)


def _raises() -> None:
    raise ConfigError([Problem("place", "code", LINE)])


def _chains() -> None:
    try:
        raise ValueError(LINE)  # noqa: TRY301 - planted
    except ValueError as error:
        raise RuntimeError from error


WAYS: dict[str, Callable[[], object]] = {
    "a log": lambda: logging.getLogger("somebody").debug(LINE),
    "output": lambda: print(LINE),  # noqa: T201 - planted
    "a warning": _warns,
    "an error's problem": _raises,
    "the cause of an error": _chains,
}


@pytest.mark.parametrize("work", WAYS.values(), ids=WAYS)
def test_whatever_shows_a_secret_is_caught(work: Callable[[], object]) -> None:
    assert everything_shown(work).leaks(NEEDLE)
