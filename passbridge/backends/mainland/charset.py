"""Which text a charset can hold, asked before anything is sent.

Owns the check that spares a refusal (`KP.AE_ALIPASS_CHAR_NOT_GBK`). Encodes nothing that is sent.
"""

from __future__ import annotations

from collections.abc import Iterator

from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.domain import JsonObject, PassUpdate
from passbridge.errors import Problem
from passbridge.protocol.transforms import texts

__all__ = ["held", "unencodable"]


def unencodable(update: PassUpdate, settings: MainlandSettings) -> Iterator[Problem]:
    """Text that GBK can't hold: the gateway refuses it under any charset (KP.AE_ALIPASS_CHAR_NOT_GBK)."""
    checked = settings.gbk_check or settings.charset == "gbk"
    # All of it at once first: where everything can be held, nothing need be looked at one by one.
    if checked and not _encodes(f"{update.model_dump_json()}{settings.channel_id}", "gbk"):
        given = update.as_json()
        sent: JsonObject = {name: given[name] for name in ("proof", "content") if name in given}
        names: JsonObject = {name: getattr(update.pass_, name) for name in ("id", "user_id", "open_id")}
        sent["pass"] = names | {"channel": update.pass_.channel or settings.channel_id}
        for path, text in texts(sent, ""):
            yield from held(text, path.lstrip("."), "gbk")


def held(text: str, path: str, charset: str) -> Iterator[Problem]:
    """What in a text this charset can't hold."""
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        bad = sorted({character for character in text if not _encodes(character, charset)})
        yield Problem(path, "unencodable_text", f"{', '.join(map(repr, bad))} can't be held by {charset.upper()}", "write it otherwise")


def _encodes(text: str, charset: str) -> bool:
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
