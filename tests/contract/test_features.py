"""The README's table of features keeps its word: none is missing, and each runs through both clients against the sandbox."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic_core import PydanticUndefined

from passbridge import Client, ConfigError, InvalidUpdate, content
from passbridge.protocol.signing import ALGORITHMS
from passbridge.sandbox import Sandbox
from tests.contract.asking import update as usual
from tests.contract.conftest import _Async, _Sync
from tests.contract.features.absent import ABSENT
from tests.contract.features.answers import ANSWERS
from tests.contract.features.apis import APIS
from tests.contract.features.chapter import Feature
from tests.contract.features.contents import CONTENTS
from tests.contract.features.demanded import DEMANDED, TABLES
from tests.contract.features.desk import Desk, accounts
from tests.contract.features.marks import SETTINGS, model_of
from tests.contract.features.secrecy import SECRECY
from tests.contract.features.signing import SIGNING
from tests.contract.features.updates import UPDATES

README: Final = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FEATURES: Final = [*UPDATES, *CONTENTS, *SIGNING, *SECRECY, *ANSWERS, *APIS, *ABSENT]
BORNE: Final = frozenset().union(*(feature.marks for feature in FEATURES))
EVIDENCE: Final = re.compile(r"\b(documented|official|observed|inferred|guess|our own|none found)\b")
DEFAULTS: Final = {
    f"{model.__name__}.{name}": field.default
    for account in SETTINGS.values()
    for model in (account, *filter(None, (model_of(field.annotation) for field in account.model_fields.values())))
    for name, field in model.model_fields.items()
}


def settings(feature: Feature) -> list[tuple[str, str]]:
    """The settings that a row answers for, each with the word it is about."""
    return [(mark, value) for mark, _, value in (mark.partition("=") for mark in sorted(feature.marks)) if mark in DEFAULTS]


def named(feature: Feature) -> str:
    return feature.title


@pytest.fixture(scope="module", params=[_Sync, _Async], ids=["Client", "AsyncClient"])
def opened(request: pytest.FixtureRequest, running: Sandbox) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
    """Either client with every account: its class, itself, and the accounts."""
    chosen = accounts(running)
    ask = request.param({"default": "cn", "accounts": chosen})
    yield request.param, ask, chosen
    ask.close()


@pytest.fixture
def desk(opened: tuple[Any, Any, dict[str, Any]], box: Sandbox, tmp_path: Path) -> Desk:
    make, ask, chosen = opened
    return Desk(make, ask, box, tmp_path, chosen)


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if feature.scenario], ids=named)
def test_each_does_what_it_says_and_meets_everything_it_answers_for(feature: Feature, desk: Desk) -> None:
    assert feature.scenario is not None
    feature.scenario(desk)
    assert feature.marks - desk.used == frozenset()


@pytest.mark.parametrize("source", DEMANDED)
def test_none_is_missing(source: str) -> None:
    assert DEMANDED[source]
    assert DEMANDED[source] - BORNE == frozenset()


def test_no_row_answers_for_what_there_is_not() -> None:
    assert BORNE - frozenset().union(*DEMANDED.values()) == frozenset()


def test_every_algorithm_can_be_chosen_by_a_row() -> None:
    chosen = {mark.partition("=")[2] for mark in BORNE if mark.startswith(("HkSettings.algorithm=", "MainlandSettings.sign_type="))}
    assert chosen == set(ALGORITHMS)


def test_every_typed_content_is_named() -> None:
    names = set(re.findall(r"`(\w+)`", " ".join(feature.how for feature in FEATURES)))
    assert set(content.__all__) - {"Localised", "Price"} <= names


def test_the_readme_has_these_rows_and_no_others() -> None:
    lines = README.partition("<!-- features -->\n")[2].split("\n\n")[0].splitlines()[2:]
    assert [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines] == [feature.cells for feature in FEATURES]


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_a_row_is_well_formed(feature: Feature) -> None:
    assert feature.gateway in {"AlipayHK", "mainland", "both"}
    assert EVIDENCE.search(feature.evidence)
    assert (feature.state, feature.default) == ("no", "none") if feature in ABSENT else feature.state == "yes"
    assert all("|" not in cell for cell in feature.cells)


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if settings(feature)], ids=named)
def test_a_setting_is_named_and_its_default_is_the_settings_own(feature: Feature) -> None:
    chosen = settings(feature)
    members = {mark.rpartition(".")[2] for mark, _ in chosen}
    assert members & set(re.findall(r"\w+", feature.how))
    departs = any(str(DEFAULTS[mark]) != (value or "something") for mark, value in chosen)
    numbers = [f"{DEFAULTS[mark]:g}" for mark, _ in chosen if mark.startswith("RetrySettings.")]
    assert {"on": not departs, "off": departs, "needed": departs}.get(feature.default, bool(numbers))
    assert all(number in re.findall(r"\d+", feature.default) for number in numbers)


@pytest.mark.parametrize("feature", [feature for feature in FEATURES if feature.default == "needed"], ids=named)
def test_without_what_is_needed_nothing_goes(feature: Feature, running: Sandbox) -> None:
    """Each such setting in turn is left out: the configuration can't work, or the update can't be sent."""
    given = running.config()["accounts"]
    for mark, _ in settings(feature):
        model, _, member = mark.partition(".")
        account, update = ("hk-tickets", "close") if model == "HkSettings" else ("cn", "close")
        without = {name: value for name, value in given[account].items() if name != member}
        if DEFAULTS[mark] in {PydanticUndefined, None}:
            with pytest.raises((ConfigError, InvalidUpdate)), Client.from_config({"accounts": {account: without}}) as client:
                client.render(usual(account, update))


@pytest.mark.parametrize("feature", FEATURES, ids=named)
def test_the_evidence_is_no_better_than_the_tables_say(feature: Feature) -> None:
    wires = {f"{profile}:{field['wire']}": field["confidence"] for profile, table in TABLES.items() for field in table["fields"].values()}
    known = {wires[mark] for mark in feature.marks & set(wires)}
    assert {word for word in known if word not in feature.evidence} == set()
