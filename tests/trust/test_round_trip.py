"""An update, translated and signed by the client and read by the simulated gateway, is the same update."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from passbridge import Client, Code, PassUpdate, load_update
from passbridge.protocol.wire import WireResponse
from passbridge.sandbox.simulator import Simulator
from tests.strategies import json_values

STATES = {"redeem": "USED", "close": "CLOSED", "revise": "ACTIVE", "refund": "REFUNDED"}
USER = "2160400000000135"
LOCALES = ("zh_HK", "en_US")

names = st.text(st.characters(codec="gbk", exclude_characters="$", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=10)
params = st.dictionaries(names, json_values, min_size=1, max_size=4)
moments = st.integers(10**9 * 2, 10**9 * 4).map(
    lambda seconds: datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=seconds % 1000)
)

Content = dict[str, Any]


def _flat(params: Content, locales: dict[str, Content]) -> Content:
    """`$name_zh_HK$` (tickets)."""
    return {f"${name}_{locale}$": value for locale in locales or LOCALES for name, value in {**params, **locales.get(locale, {})}.items()}


def _nested(params: Content, locales: dict[str, Content]) -> Content:
    """`{"zh_HK": {"$name$": …}}` (cards)."""
    texts = {locale: {**params, **locales.get(locale, {})} for locale in locales or LOCALES}
    return {locale: {f"${name}$": value for name, value in text.items()} for locale, text in texts.items()}


def _bare(params: Content, locales: dict[str, Content]) -> Content:
    """Bare names, the languages inside (membership cards; the mainland has no languages)."""
    return {**params, **locales}


@dataclass(frozen=True)
class Product:
    """What one account carries.

    Attributes:
        pass_: the pass the sandbox starts with.
        kinds: the kinds of each action; none where the update names none.
        shown: what the wallet shows for these parameters.
        languages: whether parameters may differ by language.
        ends: how the sandbox keeps the end of the validity; None where there is none.
    """

    pass_: dict[str, str]
    kinds: dict[str, tuple[str | None, ...]]
    shown: Callable[[Content, dict[str, Content]], Content]
    languages: bool = True
    ends: Callable[[datetime], object] | None = None


def _epoch(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


TICKETS = ("air_ticket", "train_ticket", "bus_ticket", "ship_ticket", "movie", "pass")
PRODUCTS = {
    "hk-tickets": Product(
        {"id": "2995228480402564890020", "user_id": USER},
        {"redeem": (None,), "close": (None,), "revise": TICKETS, "refund": (None,)},
        _flat,
        ends=_epoch,
    ),
    "hk-cards": Product(
        {"id": "2995228480402564890018", "user_id": USER},
        {"redeem": (None,), "close": (None,), "revise": ("level", "score", "validity")},
        _nested,
    ),
    "hk-members": Product(
        {"id": "2995228480402564890019", "user_id": USER},
        {"close": (None,), "revise": (None, "member_card")},
        _bare,
        ends=_epoch,
    ),
    "cn": Product({"id": "209919213"}, {"redeem": (None,), "close": (None,), "revise": (None,)}, _bare, languages=False),
}


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """An update of any account, as JSON, with what its account can carry."""
    account = draw(st.sampled_from(list(PRODUCTS)))
    product = PRODUCTS[account]
    action = draw(st.sampled_from(list(product.kinds)))
    update: dict[str, Any] = {"action": action, "to": account, "pass": product.pass_}
    kind = draw(st.sampled_from(product.kinds[action]))
    if kind:
        update["kind"] = kind
    if action == "revise" or draw(st.booleans()):
        update["content"] = {"params": draw(params)}
        if product.languages and draw(st.booleans()):
            update["content"]["locales"] = {locale: draw(params) for locale in draw(st.sets(st.sampled_from(LOCALES), min_size=1))}
    if product.ends and draw(st.booleans()):
        update["valid_until"] = draw(moments).isoformat(timespec="milliseconds")
    return update


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    made = Simulator()
    yield made
    made.close()


@pytest.fixture(scope="module")
def client(simulator: Simulator) -> Iterator[Client]:
    with Client.from_config(simulator.config("http://127.0.0.1:9")) as made:
        yield made


def _stored(simulator: Simulator, account: str) -> dict[str, Any]:
    return next(dict(one) for one in simulator.passes() if one["account"] == account)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(given_=updates())
def test_what_the_gateway_reads_is_what_was_meant(simulator: Simulator, client: Client, given_: dict[str, Any]) -> None:
    update: PassUpdate = load_update(given_)
    assume(not client.check(update))
    account, product, simulator_ = given_["to"], PRODUCTS[given_["to"]], simulator
    simulator_.reset()
    before = _stored(simulator_, account)
    gateway = client._accounts.opened[account].gateway
    now = datetime.now(UTC)
    prepared = gateway.prepare(update, now)
    request = gateway.seal(prepared, now)
    handled = simulator_.handle("mainland" if account == "cn" else "hk", request)
    assert isinstance(handled.answer, WireResponse)
    verdict = gateway.judge(prepared, request, handled.answer, datetime.now(UTC))
    stored = _stored(simulator_, account)
    assert verdict.code is Code.APPLIED, (verdict, given_)
    content = given_.get("content")
    expected = product.shown(content["params"], content.get("locales", {})) if content else before["content"]
    assert (stored["state"], stored["content"]) == (STATES[given_["action"]], expected)
    ends = product.ends(datetime.fromisoformat(given_["valid_until"])) if product.ends and "valid_until" in given_ else None
    assert stored["valid_until"] == ends
    assert simulator_.requests()[-1]["signature"] == "ok"
