"""What passbridge raises and warns of.

    PassbridgeError            never raised itself
    ├── ConfigError            the configuration can't work                    .problems
    ├── InvalidUpdate          this account can't carry this update            .problems
    ├── CallFailed             execute() or call() got no verified answer      .outcome
    └── LedgerError            the ledger of a bulk job can't be used          .problems

    PassbridgeWarning          something works but should be mended

This module owns the tree and `Problem`, the shape of one complaint. It knows nothing of the rest of the package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from passbridge.domain import Outcome

__all__ = ["CallFailed", "ConfigError", "InvalidUpdate", "LedgerError", "PassbridgeError", "PassbridgeWarning", "Problem"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what was given.

    Attributes:
        path: where it stands: a member's path (`pass.user_id`), or file and key (`passbridge.toml: accounts.cn.app_id`).
        code: a short stable word for programs (`missing`, `unknown_member`, `too_long`, …).
        message: what is wrong, as a sentence. Never holds a secret.
        mend: what to do about it.
    """

    path: str
    code: str
    message: str
    mend: str = ""

    def __str__(self) -> str:
        """The complaint on one line, as the command line prints it."""
        tail = f" ({self.mend})" if self.mend else ""
        return f"{self.path}: {self.message}{tail}" if self.path else f"{self.message}{tail}"

    def as_json(self) -> dict[str, str]:
        """The members of `problems` in a `passbridge.error/1` document."""
        return asdict(self)


class PassbridgeError(Exception):
    """The root of what passbridge raises. Never raised itself."""


class _Problems(PassbridgeError):
    """An error that lists everything wrong at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))


class ConfigError(_Problems):
    """The configuration can't work: every reason is in `problems`. Nothing was sent."""


class InvalidUpdate(_Problems):
    """This account can't carry this update: every reason is in `problems`. Nothing was sent."""


class LedgerError(_Problems):
    """The ledger of a bulk job can't be used: every reason is in `problems`. Nothing is sent after it."""


class CallFailed(PassbridgeError):
    """`execute` or `call` got no answer that can be believed; `outcome` says what is known."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        super().__init__(outcome)

    def __str__(self) -> str:
        reason = self.outcome.attempts[-1].reason if self.outcome.attempts else None
        return f"{self.outcome.account}: {self.outcome.code}: {reason or self.outcome.text}"


class PassbridgeWarning(UserWarning):
    """Something works but should be mended: a key that others can read, a short RSA key."""
