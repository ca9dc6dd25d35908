"""What a mapping file may say: the rows of `mappings/`, as a person writes them and as the package reads them.

Owns the schema of the tables and the meaning of one row. It is given text; where the files lie, and which file
overlays which, is said elsewhere (`resources`, `protocol.tables`).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from passbridge.domain import Action, Code, Effect, Next, Who

__all__ = ["ALL_ACTIONS", "CodeRow", "Contradiction", "FieldRow", "Member", "OneOf", "OutcomeRow", "Profile", "QueryRow", "Transform"]

ALL_ACTIONS: tuple[Action, ...] = ("redeem", "close", "revise", "refund")

Member = Literal[
    "merchant",
    "user_id",
    "open_id",
    "template",
    "channel",
    "id",
    "action",
    "kind",
    "proof_code",
    "proof_method",
    "at",
    "valid_until",
    "content",
    "code_info",
]
"""The members of an update that may travel, by the names the tables use."""

Transform = Literal["text", "iso8601", "epoch_ms", "epoch_ms_text", "nested", "nested_text", "flat", "bare", "params", "params_text"]
"""How a value is written: the closed set that `protocol.transforms` knows."""

_MOMENT = frozenset({"iso8601", "epoch_ms", "epoch_ms_text"})
_CONTENT = frozenset({"nested", "nested_text", "flat", "bare", "params", "params_text"})
_FITTING = MappingProxyType({"at": _MOMENT, "valid_until": _MOMENT, "content": _CONTENT})
"""The transforms that can write a member; every other member is written as it is."""

Confidence = Literal["documented", "observed", "inferred"]
Source = Annotated[str, Field(min_length=1)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class OutcomeRow(_Row):
    """What one outcome code means, wherever it comes from (`outcomes.toml`)."""

    effect: Effect
    next: Next
    who: Who
    exit: int = Field(ge=0, le=70)
    ok: bool
    certain: bool
    text: Annotated[str, Field(min_length=1)]

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.ok and self.effect not in {Effect.APPLIED, Effect.IN_STATE}:
            raise PydanticCustomError("incoherent", "ok needs the effect applied or in_state")
        if self.certain and self.effect is Effect.UNKNOWN:
            raise PydanticCustomError("incoherent", "what is unknown is not certain")
        return self


class CodeRow(_Row):
    """What one code of a gateway means.

    Attributes:
        outcome: the outcome code.
        on: another outcome for some actions.
        status: the letters it is documented with (AlipayHK's `resultStatus`); empty where the gateway has none.
        by_status: another outcome under one of these letters.
        settles: the actions for which it settles an earlier doubt: it refuses the request for what it is, whatever
            the pass's state.
        signature: it refuses our signature or key.
        slow: what follows it waits as after a rate limit.
        source: the documents it stands in.
        confidence: how sure the reading is.
        note: anything a reviewer should know.
        accept_risk: an overlay's reason for changing what is known about the pass.
    """

    outcome: Code
    on: dict[Annotated[str, Field(pattern="^(redeem|close|revise|refund)$")], Code] = Field(default_factory=dict)
    status: Annotated[str, Field(pattern="^[SFU]*$")] = ""
    by_status: dict[Annotated[str, Field(pattern="^[SFU]$")], Code] = Field(default_factory=dict)
    settles: tuple[Action, ...] = ()
    signature: bool = False
    slow: bool = False
    source: Annotated[tuple[Source, ...], Field(min_length=1)]
    confidence: Confidence
    note: str = ""
    accept_risk: Annotated[str, Field(min_length=1)] | None = None

    def read(self, action: str, letter: str = "") -> Code:
        """The outcome for this action under this letter."""
        return self.by_status.get(letter) or self.on.get(action) or self.outcome


class QueryRow(_Row):
    """What the gateway's query must show of a pass, so that an action in doubt is presumed done.

    Attributes:
        status: the words of which the pass must bear one; empty where its status doesn't matter.
        deleted: a pass that its holder deleted will do as well.
        content: every parameter of the update must be shown too, each with exactly the text that was sent.
        source: the documents it stands in.
        confidence: how sure the reading is.
        note: anything a reviewer should know.
        accept_risk: an overlay's reason for changing what settles a doubt.
    """

    status: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    deleted: bool = False
    content: bool = False
    source: Annotated[tuple[Source, ...], Field(min_length=1)]
    confidence: Confidence
    note: str = ""
    accept_risk: Annotated[str, Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if not (self.status or self.deleted or self.content):
            raise PydanticCustomError("incoherent", "any pass would settle a doubt: it needs status, deleted or content")
        return self


class FieldRow(_Row):
    """How one member of an update travels.

    Attributes:
        wire: the gateway's name for it.
        transform: how its value is written (`as` in the file).
        actions: the actions it travels with; by default all.
        required: the actions that can't do without it.
        default: what is sent where the update says nothing.
        max_length: the documented limit, in characters of what is sent.
        doubtful: the limit contradicts the document's own samples: it only notes.
        missing: what to do where a proof has no method: `note` or `refuse`.
        source: the document, where it isn't the profile's own.
        confidence: how sure the reading is.
    """

    wire: Annotated[str, Field(min_length=1)]
    transform: Transform = Field("text", alias="as")
    actions: tuple[Action, ...] = ALL_ACTIONS
    required: tuple[Action, ...] = ()
    default: str | None = None
    max_length: Annotated[int, Field(ge=1)] | None = None
    doubtful: bool = False
    missing: Literal["", "note", "refuse"] = ""
    source: str = ""
    confidence: Confidence


class OneOf(_Row):
    """At least one of these members is needed."""

    members: tuple[Member, ...]
    mend: str


class Contradiction(_Row):
    """Where the documents contradict each other or themselves: the readings, the one chosen, and how to flip it."""

    field: str
    readings: Annotated[tuple[str, ...], Field(min_length=2)]
    chosen: str
    why: Annotated[str, Field(min_length=1)]
    overlay: str = ""


class Profile(_Row):
    """One variant of one gateway's API, complete: what it inherits is in it.

    Attributes:
        name: `backend.profile`, such as `hk.ticket`.
        title: the document's name for it.
        source: the document.
        actions: the gateway's status word for each action it has; empty where none is sent.
        kinds: the gateway's word for each kind of change.
        one_of: groups of which a member is needed.
        fields: how each member travels, in the order of the wire.
        lengths: by kind, the documented lengths of the content's parameters, by language. They only note.
        codes: what each code means.
        sub_codes: what each code of the second layer means (mainland).
        fallback: what an undocumented code means, by AlipayHK's letter or by a mainland sub_code's prefix.
        query: what the gateway's query must show so that an action in doubt is presumed done; no row, no question.
        contradictions: what the documents left open.
    """

    name: str
    title: Annotated[str, Field(min_length=1)]
    source: Source
    actions: Annotated[dict[Action, str], Field(min_length=1)]
    kinds: dict[str, Annotated[str, Field(min_length=1)]] = Field(default_factory=dict)
    one_of: tuple[OneOf, ...] = ()
    fields: dict[Member, FieldRow]
    lengths: dict[str, dict[str, dict[str, int]]] = Field(default_factory=dict)
    codes: dict[str, CodeRow] = Field(default_factory=dict)
    sub_codes: dict[str, CodeRow] = Field(default_factory=dict)
    fallback: dict[str, Code] = Field(default_factory=dict)
    query: dict[Action, QueryRow] = Field(default_factory=dict)
    contradictions: tuple[Contradiction, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        wires = [row.wire for row in self.fields.values()]
        default = self.fields["kind"].default if "kind" in self.fields else None
        wrong = [f"two fields are called {wire!r} on the wire" for wire in sorted({wire for wire in wires if wires.count(wire) > 1})]
        wrong += [
            f"one_of names {member!r}, which is no field" for group in self.one_of for member in group.members if member not in self.fields
        ]
        wrong += [f"lengths names {kind!r}, which is no kind" for kind in self.lengths if kind not in self.kinds]
        wrong += [f"query names {action!r}, which is no action of it" for action in self.query if action not in self.actions]
        wrong += [f"the default kind {default!r} is no kind"] if default is not None and default not in self.kinds else []
        wrong += [
            f"{name!r} can't be written as {row.transform}"
            for name, row in self.fields.items()
            if row.transform not in _FITTING.get(name, {"text"})
        ]
        lettered = bool({"F", "U"} & set(self.fallback))
        wrong += [f"{code!r} needs the letters it comes with in status" for code, row in self.codes.items() if lettered and not row.status]
        wrong += [f"{missing!r} has no field" for missing in ("id", "action") if missing not in self.fields]
        if wrong:
            raise PydanticCustomError("incoherent", "{wrong}", {"wrong": "; ".join(wrong)})
        return self
