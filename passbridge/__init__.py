"""passbridge: one pass-update model for AlipayHK and mainland Alipay, with outcomes that never lie.

The public names, sorted, nothing else. Each is imported at its first use, so that the command line starts quickly.
"""

from typing import TYPE_CHECKING

from passbridge.first_use import at_first_use

if TYPE_CHECKING:
    from passbridge.backends.mainland.notify import Notification, verify_notify
    from passbridge.bulk import arun_bulk, run_bulk
    from passbridge.client import AsyncClient, Client
    from passbridge.domain import (
        Attempt,
        Close,
        Code,
        Content,
        Effect,
        Finding,
        Native,
        Next,
        Outcome,
        PassRef,
        PassUpdate,
        Proof,
        Redeem,
        Refund,
        Revise,
        Who,
        load_update,
    )
    from passbridge.errors import CallFailed, ConfigError, InvalidUpdate, LedgerError, PassbridgeError, PassbridgeWarning, Problem
    from passbridge.protocol.gateway import Capabilities
    from passbridge.protocol.wire import WireRequest

__all__ = [
    "AsyncClient",
    "Attempt",
    "CallFailed",
    "Capabilities",
    "Client",
    "Close",
    "Code",
    "ConfigError",
    "Content",
    "Effect",
    "Finding",
    "InvalidUpdate",
    "LedgerError",
    "Native",
    "Next",
    "Notification",
    "Outcome",
    "PassRef",
    "PassUpdate",
    "PassbridgeError",
    "PassbridgeWarning",
    "Problem",
    "Proof",
    "Redeem",
    "Refund",
    "Revise",
    "Who",
    "WireRequest",
    "arun_bulk",
    "load_update",
    "run_bulk",
    "verify_notify",
]

__getattr__, __dir__ = at_first_use(
    globals(),
    "passbridge.domain",
    {
        "passbridge.backends.mainland.notify": ("Notification", "verify_notify"),
        "passbridge.bulk": ("arun_bulk", "run_bulk"),
        "passbridge.client": ("AsyncClient", "Client"),
        "passbridge.errors": (
            "CallFailed",
            "ConfigError",
            "InvalidUpdate",
            "LedgerError",
            "PassbridgeError",
            "PassbridgeWarning",
            "Problem",
        ),
        "passbridge.protocol.gateway": ("Capabilities",),
        "passbridge.protocol.wire": ("WireRequest",),
    },
)
