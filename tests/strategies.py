"""Hypothesis strategies for the vocabulary: JSON values, moments, and updates of every kind that a model takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from passbridge.domain import Close, Content, PassRef, Proof, Redeem, Refund, Revise

if TYPE_CHECKING:
    from passbridge.domain import JsonObject, JsonValue, PassUpdate

__all__ = ["contents", "json_objects", "json_values", "moments", "names", "passes", "proofs", "texts", "updates"]

_UPDATES: tuple[type[PassUpdate], ...] = (Redeem, Close, Revise, Refund)

characters = st.characters(exclude_categories=["Cs"])
"""Every character but the surrogates, which no encoding can carry."""

texts = st.text(characters, min_size=1, max_size=30)
"""Text that isn't empty."""

names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="$"), min_size=1, max_size=12)
"""Parameter names: not empty, without `$`."""

_scalars = (
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(characters, max_size=20)
)

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(characters, max_size=8), inner, max_size=4),
    max_leaves=12,
)
"""Every kind of JSON value."""

json_objects: st.SearchStrategy[JsonObject] = st.dictionaries(st.text(characters, max_size=8), json_values, max_size=6)
"""JSON objects, members of every kind."""

_offsets = st.integers(min_value=-14 * 60, max_value=14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))) | st.just(UTC)

_instants = st.integers(min_value=-(10**9) * 2, max_value=3 * 10**10)

moments: st.SearchStrategy[datetime] = st.builds(
    lambda seconds, microseconds, zone: datetime.fromtimestamp(seconds, zone).replace(microsecond=microseconds),
    _instants,
    st.integers(min_value=0, max_value=999_999),
    _offsets,
)
"""Dates and times with a zone, to the microsecond."""

passes: st.SearchStrategy[PassRef] = st.builds(
    PassRef,
    id=texts,
    user_id=st.none() | texts,
    open_id=st.none() | texts,
    template=st.none() | texts,
    channel=st.none() | texts,
    merchant=st.none() | texts,
)
"""Passes with any of their names."""

proofs: st.SearchStrategy[Proof] = st.builds(Proof, code=texts, method=st.sampled_from([None, "wave", "qrcode", "barcode", "input"]))
"""Proofs, with and without a method."""

_params = st.dictionaries(names, json_values, max_size=4)

contents: st.SearchStrategy[Content] = st.builds(Content, params=_params, locales=st.dictionaries(names, _params, max_size=3)) | st.builds(
    Content, raw=json_objects
)
"""Contents: parameters by language, or a raw object."""


@st.composite
def updates(draw: st.DrawFn) -> PassUpdate:
    """An update of any kind, each of its members given or left out."""
    model: type[PassUpdate] = draw(st.sampled_from(_UPDATES))
    members: dict[str, st.SearchStrategy[object]] = {
        "to": st.none() | texts,
        "key": st.none() | texts,
        "kind": st.none() | texts,
        "content": st.none() | contents,
        "at": st.none() | moments,
        "valid_until": st.none() | moments,
        "code_info": st.none() | json_objects,
    }
    if model is Redeem:
        members["proof"] = st.none() | proofs
    given = draw(st.lists(st.sampled_from(sorted(members)), unique=True))
    return model.model_validate({"pass": draw(passes), **{name: draw(members[name]) for name in given}})
