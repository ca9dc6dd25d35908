"""The passes and the templates, as the sandbox remembers them.

Owns their members and how `/sandbox/` lists them. It must not know where they are kept, nor what a state means.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from passbridge.domain.strictjson import JsonObject, JsonValue

__all__ = ["Pass", "Template", "merged"]


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass in a wallet.

    Attributes:
        gateway: `hk` or `mainland`.
        account: the account whose product it is.
        id: `passId`, or `serial_number`.
        channel: the mainland's `channel_id`; empty for `hk`.
        state: ACTIVE, USED, CLOSED or REFUNDED.
        content: what it shows: the last `dataInfo` or `tpl_params`.
        user_id: the holder.
        open_id: the holder's id towards the merchant.
        template: the `templateCode` it was made from.
        valid_until: the last `endDate`, as it was sent.
        code_info: the last `codeInfo`.
        biz_date: the last `bizDate`.
        unique_key: the merchant's own name for the issue, by which a second request for it is known.
        frame: what the template said when the pass was issued; nothing for a pass that was put here by hand.
        created: when it was issued, in milliseconds since 1970.
        modified: when it was last changed.
    """

    gateway: str
    account: str
    id: str
    channel: str = ""
    state: str = "ACTIVE"
    content: JsonObject = field(default_factory=dict)
    user_id: str | None = None
    open_id: str | None = None
    template: str | None = None
    valid_until: JsonValue = None
    code_info: JsonValue = None
    biz_date: int | None = None
    unique_key: str | None = None
    frame: JsonObject | None = None
    created: int | None = None
    modified: int | None = None

    def as_json(self) -> JsonObject:
        """The pass as `GET /sandbox/passes` lists it."""
        return {
            "gateway": self.gateway,
            "id": self.id,
            "account": self.account,
            "state": self.state,
            "content": self.content,
            "holder": {"user_id": self.user_id, "open_id": self.open_id},
            "template": self.template,
            "channel": self.channel or None,
            "valid_until": self.valid_until,
            "code_info": self.code_info,
        }


@dataclass(frozen=True, slots=True)
class Template:
    """What passes are issued from.

    Attributes:
        gateway: `hk` or `mainland`.
        app: the client id or app id it belongs to.
        id: `templateCode`, or `tpl_id`.
        account: the account whose product it is.
        unique_key: the merchant's own name for it, by which a second request for it is known.
        state: the gateway's own word.
        content: all that the merchant said of it.
        created: when, in milliseconds since 1970.
    """

    gateway: str
    app: str
    id: str
    account: str
    unique_key: str
    state: str
    content: JsonObject
    created: int

    def as_json(self) -> JsonObject:
        """The template as `GET /sandbox/templates` lists it."""
        return {
            "gateway": self.gateway,
            "id": self.id,
            "account": self.account or None,
            "unique": self.unique_key,
            "state": self.state,
            "content": self.content,
        }


def merged(old: JsonObject, new: JsonObject) -> JsonObject:
    """The old object with the new one's members put in, objects inside objects likewise."""
    result = dict(old)
    for name, value in new.items():
        before = result.get(name)
        result[name] = merged(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result
