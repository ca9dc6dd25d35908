"""The typed scenarios: what each sends, to the byte, beside what the pages' tables and samples say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from passbridge import Client, Content, PassRef, Revise, load_update
from passbridge.content import AdmissionTicket, BusTicket, Level, Localised, MovieTicket, Price, Score, ShipTicket, Validity
from passbridge.sandbox import Sandbox
from tests.backends.hk.desk import CLIENT
from tests.backends.support import pem

ROOT = Path(__file__).parent.parent
HONG_KONG = timezone(timedelta(hours=8))
START, END = datetime(2026, 12, 24, 10, tzinfo=HONG_KONG), datetime(2026, 12, 24, 12, 30, 0, 500_999, tzinfo=UTC)
PASS = PassRef(id="2995228480402564890020", user_id="2160400000000135")
AT = datetime(2026, 11, 22, 10, tzinfo=HONG_KONG)


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    def hk(profile: str) -> dict[str, Any]:
        keys = {"private_key": pem("hk-app"), "gateway_public_key": pem("hk-gateway-public")}
        return {"backend": "hk", "profile": profile, "gateway": "https://open.alipay.hk", "client_id": CLIENT, "merchant_id": "1", **keys}

    with Client.from_config({"accounts": {"tickets": hk("ticket"), "cards": hk("card")}}) as client:
        yield client


def sent(client: Client, update: Revise) -> dict[str, Any]:
    """The body that would leave, without the members that every body has."""
    document = json.loads(client.render(update).body)
    for name in ("merchantId", "userId", "passId", "status"):
        del document[name]
    assert isinstance(document, dict)
    return document


def test_an_admission_ticket_in_full(client: Client) -> None:
    ticket = AdmissionTicket(
        ticket_name=Localised(zh_HK="日間門票", en_US="Day ticket"),
        address="Aberdeen",
        available_times=2,
        price=Price(cent=800),
        start_time=START,
        end_time=END,
        platform_name=Localised(zh_HK="平台"),
        platform_logo="https://img.example/logo.png",
    )
    assert sent(client, ticket.revise(PASS, to="tickets", at=AT)) == {
        "updateDetailType": "UPDATE_PASS",
        "bizDate": 1795312800000,
        "dataInfo": {
            "$ticketName_zh_HK$": "日間門票",
            "$ticketName_en_US$": "Day ticket",
            "$address_zh_HK$": "Aberdeen",
            "$address_en_US$": "Aberdeen",
            "$availableTimes_zh_HK$": 2,
            "$availableTimes_en_US$": 2,
            "$price_zh_HK$": {"cent": 800, "currency": "HKD"},
            "$price_en_US$": {"cent": 800, "currency": "HKD"},
            "$startTime_zh_HK$": 1798077600000,
            "$startTime_en_US$": 1798077600000,
            "$endTime_zh_HK$": 1798115400500,
            "$endTime_en_US$": 1798115400500,
            "$platformName_zh_HK$": "平台",
            "$platformLogo_zh_HK$": "https://img.example/logo.png",
            "$platformLogo_en_US$": "https://img.example/logo.png",
        },
    }


def test_a_cinema_ticket_in_full(client: Client) -> None:
    ticket = MovieTicket(
        ticket_name="Ticket",
        available_times=1,
        cinema_name=Localised(zh_HK="戲院", en_US="Cinema"),
        address="Central",
        start_time=START,
        end_time=END,
        movie_attributes=Localised(zh_HK=("粵語", "2D"), en_US=("Cantonese", "2D")),
        cinema_house="House 1",
        movie_seats=("A1", "A2"),
        price=None,
        more={"platformName": "x"},
    )
    assert sent(client, ticket.revise(PASS, to="tickets", at=AT)) == {
        "updateDetailType": "UPDATE_MOVIE",
        "bizDate": 1795312800000,
        "dataInfo": {
            "$ticketName_zh_HK$": "Ticket",
            "$ticketName_en_US$": "Ticket",
            "$availableTimes_zh_HK$": 1,
            "$availableTimes_en_US$": 1,
            "$cinemaName_zh_HK$": "戲院",
            "$cinemaName_en_US$": "Cinema",
            "$address_zh_HK$": "Central",
            "$address_en_US$": "Central",
            "$startTime_zh_HK$": 1798077600000,
            "$startTime_en_US$": 1798077600000,
            "$endTime_zh_HK$": 1798115400500,
            "$endTime_en_US$": 1798115400500,
            "$movieAttributes_zh_HK$": ["粵語", "2D"],
            "$movieAttributes_en_US$": ["Cantonese", "2D"],
            "$cinemaHouse_zh_HK$": "House 1",
            "$cinemaHouse_en_US$": "House 1",
            "$movieSeats_zh_HK$": ["A1", "A2"],
            "$movieSeats_en_US$": ["A1", "A2"],
            "$price_zh_HK$": None,
            "$price_en_US$": None,
            "$platformName_zh_HK$": "x",
            "$platformName_en_US$": "x",
        },
    }


@pytest.mark.parametrize(("model", "detail"), [(BusTicket, "UPDATE_BUS_TICKET"), (ShipTicket, "UPDATE_SHIP_TICKET")])
def test_a_passage_in_full(client: Client, model: type[BusTicket | ShipTicket], detail: str) -> None:
    ticket = model(
        from_="Central",
        from_address="Pier 5",
        to=Localised(zh_HK="長洲", en_US="Cheung Chau"),
        to_address="Praya Street",
        available_times=1,
        price=Price(cent=1420, currency="HKD"),
        start_time=START,
        end_time=END,
        ticket_type="Adult",
    )
    plain = {
        "from": "Central",
        "fromAddress": "Pier 5",
        "toAddress": "Praya Street",
        "availableTimes": 1,
        "price": {"cent": 1420, "currency": "HKD"},
        "startTime": 1798077600000,
        "endTime": 1798115400500,
        "ticketType": "Adult",
    }
    expected: dict[str, Any] = {f"${name}_{language}$": value for name, value in plain.items() for language in ("zh_HK", "en_US")}
    expected |= {"$to_zh_HK$": "長洲", "$to_en_US$": "Cheung Chau"}
    assert sent(client, ticket.revise(PASS, to="tickets", at=AT)) == {
        "updateDetailType": detail,
        "bizDate": 1795312800000,
        "dataInfo": expected,
    }


def test_what_is_left_out_is_not_sent_and_the_order_is_the_page_s(client: Client) -> None:
    ticket = ShipTicket(from_="A", from_address="a", to="B", to_address="b", start_time=START, end_time=END)
    names = [name.rpartition("_zh_HK")[0] for name in sent(client, ticket.revise(PASS, to="tickets"))["dataInfo"] if "zh_HK" in name]
    assert names == ["$from", "$fromAddress", "$to", "$toAddress", "$startTime", "$endTime"]


@pytest.mark.parametrize("score", ["12000", 12000])
def test_a_score_is_the_sample_of_the_page(client: Client, score: Any) -> None:  # noqa: ANN401 - either
    assert sent(client, Score(score=score).revise(PASS, to="cards")) == {
        "updateDetailType": "UPDATE_SCORE",
        "dataInfo": {"zh_HK": {"$score$": "12000"}, "en_US": {"$score$": "12000"}},
    }


def test_a_level_is_the_sample_of_the_page(client: Client) -> None:
    level = Level(level=Localised(zh_HK="", en_US="gold card"), more={"orther": "orther"})
    assert sent(client, level.revise(PASS, to="cards")) == {
        "updateDetailType": "UPDATE_LEVEL",
        "dataInfo": {"zh_HK": {"$orther$": "orther", "$level$": ""}, "en_US": {"$orther$": "orther", "$level$": "gold card"}},
    }


def test_a_validity_is_an_end_and_nothing_else(client: Client) -> None:
    end = datetime(2021, 1, 11, tzinfo=HONG_KONG)
    assert sent(client, Validity(valid_until=end).revise(PASS, to="cards")) == {
        "updateDetailType": "UPDATE_VALIDITY",
        "endDate": "2021-01-11T00:00:00+08:00",
    }
    with_more = Validity(valid_until=end, more={"shopname": "x"}).revise(PASS, to="cards")
    assert sent(client, with_more)["dataInfo"] == {"zh_HK": {"$shopname$": "x"}, "en_US": {"$shopname$": "x"}}


def test_an_update_has_what_was_given_and_can_be_written_as_json() -> None:
    assert Score(score="7").revise(PASS).as_json() == {
        "action": "revise",
        "pass": {"id": PASS.id, "user_id": PASS.user_id},
        "kind": "score",
        "content": {"params": {"score": "7"}, "locales": {}},
    }
    update = Score(score="7").revise(PASS, to="cards", key="order-7", at=AT)
    assert (update.to, update.key, update.at) == ("cards", "order-7", AT)
    assert load_update(update.as_json()) == update


def test_it_is_read_by_the_gateway_s_names_too() -> None:
    by_alias = BusTicket.model_validate(
        {
            "from": "A",
            "fromAddress": "a",
            "to": {"zh_HK": "B"},
            "toAddress": "b",
            "startTime": "2026-12-24T10:00:00+08:00",
            "endTime": "2026-12-24T12:30:00+08:00",
        }
    )
    assert by_alias.content() == Content(
        params={"from": "A", "fromAddress": "a", "toAddress": "b", "startTime": 1798077600000, "endTime": 1798086600000},
        locales={"zh_HK": {"to": "B"}, "en_US": {}},
    )


TOO_LONG = {
    "a name": ({"ticket_name": "x" * 25}, ["ticketName has 25 characters in zh_HK, the document advises 12", "25 characters in en_US"]),
    "Chinese alone": ({"ticket_name": Localised(zh_HK="票" * 13, en_US="x" * 24)}, ["ticketName has 13 characters in zh_HK"]),
    "just long enough": ({"ticket_name": Localised(zh_HK="票" * 12, en_US="x" * 24)}, []),
}


@pytest.mark.parametrize(("given", "noted"), TOO_LONG.values(), ids=TOO_LONG)
def test_a_documented_length_notes_and_never_refuses(client: Client, given: dict[str, Any], noted: list[str]) -> None:
    ticket = AdmissionTicket(address="x", available_times=1, start_time=START, end_time=END, **given)
    update = ticket.revise(PASS, to="tickets")
    assert client.check(update) == ()
    notes = client._accounts.opened["tickets"].gateway.prepare(update, AT).notes
    assert len(notes) == len(noted)
    assert all(text in note for text, note in zip(noted, notes, strict=True))


@pytest.mark.parametrize("model", [BusTicket, ShipTicket])
def test_a_ticket_s_type_has_a_length_in_chinese(client: Client, model: type[BusTicket | ShipTicket]) -> None:
    ticket = model(from_="A", from_address="a", to="B", to_address="b", start_time=START, end_time=END, ticket_type="x" * 13)
    prepared = client._accounts.opened["tickets"].gateway.prepare(ticket.revise(PASS), AT)
    assert prepared.notes == ("content: ticketType has 13 characters in zh_HK, the document advises 12",)


MISTAKES: dict[str, tuple[type, dict[str, Any], str]] = {
    "no zone": (Validity, {"valid_until": datetime(2026, 1, 1)}, "timezone_aware"),  # noqa: DTZ001 - that is what is tried
    "a bare number for a time": (Validity, {"valid_until": 1798077600000}, "date_time_text"),
    "a language nobody has": (Level, {"level": {"zh_CN": "x"}}, "extra_forbidden"),
    "no language": (Level, {"level": {}}, "no_language"),
    "a name nobody has": (Level, {"level": "x", "levels": "y"}, "extra_forbidden"),
    "a name with $": (Level, {"level": "x", "more": {"$a$": 1}}, "bad_name"),
    "what JSON can't carry": (Level, {"level": "x", "more": {"a": float("nan")}}, "not_json"),
    "a truth for a score": (Score, {"score": True}, "string_type"),
    "half a cent": (Price, {"cent": 0.5}, "int_from_float"),
    "less than nothing": (Price, {"cent": -1}, "greater_than_equal"),
    "no currency": (Price, {"cent": 1, "currency": "$"}, "string_pattern_mismatch"),
    "a field left out": (Score, {}, "missing"),
}


@pytest.mark.parametrize(("model", "given", "kind"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_at_once(model: Any, given: dict[str, Any], kind: str) -> None:  # noqa: ANN401 - any of the models
    with pytest.raises(ValidationError) as caught:
        model(**given)
    assert kind in {error["type"] for error in caught.value.errors()}


def test_the_page_s_example_runs(box: Sandbox, tmp_path: Path) -> None:
    page = (ROOT / "docs/content.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    box.write_config(tmp_path / "passbridge.toml")
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)  # noqa: S603 - the page's own code
    assert (done.stdout, done.stderr) == ("APPLIED\n", "")


def test_the_page_names_every_field() -> None:
    page = (ROOT / "docs/content.md").read_text(encoding="utf-8")
    rows = {
        row[0]: set(re.findall(r"`(\w+)`", "".join(row[2:4])))
        for row in (line.strip("| ").split(" | ") for line in page.splitlines())
        if len(row) == 5
    }
    for model in (AdmissionTicket, MovieTicket, BusTicket, ShipTicket, Score, Level, Validity):
        (fields,) = [named for models, named in rows.items() if f"`{model.__name__}`" in models]
        assert fields == set(model.model_fields) - {"more"}
