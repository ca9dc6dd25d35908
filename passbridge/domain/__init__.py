"""The vocabulary: updates and the passes they name, outcomes and what they say.

Owns the words of the unified model and their JSON. Knows no gateway, no file, no clock and no network.
"""

from passbridge.domain.outcomes import Attempt, Code, Effect, Finding, Native, Next, Outcome, Who
from passbridge.domain.passes import Content, PassRef, Proof
from passbridge.domain.strictjson import JsonError, JsonObject, JsonValue, read_json, write_json
from passbridge.domain.updates import Action, Close, PassUpdate, Redeem, Refund, Revise, kept_update, load_update

__all__ = [
    "Action",
    "Attempt",
    "Close",
    "Code",
    "Content",
    "Effect",
    "Finding",
    "JsonError",
    "JsonObject",
    "JsonValue",
    "Native",
    "Next",
    "Outcome",
    "PassRef",
    "PassUpdate",
    "Proof",
    "Redeem",
    "Refund",
    "Revise",
    "Who",
    "kept_update",
    "load_update",
    "read_json",
    "write_json",
]
