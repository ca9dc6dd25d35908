"""The rows about what a pass shows: kinds of update, contents, validity, and the readings of the documents."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from passbridge import Close, Code, Content, Revise
from passbridge.content import AdmissionTicket, BusTicket, Level, Localised, MovieTicket, Score, ShipTicket, Validity
from tests.contract.asking import PASSES
from tests.contract.asking import update as usual
from tests.contract.features.chapter import Chapter
from tests.contract.features.desk import Desk

__all__ = ["CONTENTS"]

CONTENTS: Final = Chapter()
_CARD, _MEMBER, _TICKET, _COUPON = (PASSES[name] for name in ("hk-cards", "hk-members", "hk-tickets", "cn"))
_AT: Final = datetime(2026, 11, 22, 2, tzinfo=UTC)
_END: Final = datetime(2027, 12, 31, 15, 59, 59, tzinfo=UTC)
_TITLE: Final = Content(params={"title": "新的 title"})


@CONTENTS.yes(
    "card: `UPDATE_LEVEL`, `UPDATE_SCORE`, `UPDATE_VALIDITY` | AlipayHK | `kind`; typed: `Level`, `Score`, `Validity` | call | documented",
    "hk.card:updateDetailType hk.card:updateDetailType={UPDATE_LEVEL,UPDATE_SCORE,UPDATE_VALIDITY}",
)
def card_kinds(desk: Desk) -> None:
    assert desk.applied(Level(level="gold").revise(_CARD, to="hk-cards"))["content"]["zh_HK"] == {"$level$": "gold"}
    assert desk.applied(Score(score="12000").revise(_CARD, to="hk-cards"))["content"]["en_US"] == {"$score$": "12000"}
    desk.applied(Validity(valid_until=_END).revise(_CARD, to="hk-cards"))


@CONTENTS.yes(
    "membership card: `UPDATE_MEMBER_CARD` | AlipayHK | by itself, with `Close` too | on | documented",
    "hk.membership:updateDetailType hk.membership:updateDetailType=UPDATE_MEMBER_CARD",
)
def member_kind(desk: Desk) -> None:
    desk.applied(usual("hk-members", "revise"))
    desk.applied(usual("hk-members", "close"))


@CONTENTS.yes(
    "ticket: `UPDATE_AIR_TICKET`, `…TRAIN_TICKET`, `…BUS_TICKET`, `…SHIP_TICKET`, `UPDATE_MOVIE`, `UPDATE_PASS` | AlipayHK | "
    "`kind` | call | documented",
    "hk.ticket:updateDetailType hk.ticket:updateDetailType=UPDATE_{AIR_TICKET,TRAIN_TICKET,BUS_TICKET,SHIP_TICKET,MOVIE,PASS}",
)
def ticket_kinds(desk: Desk) -> None:
    for kind in ("air_ticket", "train_ticket", "bus_ticket", "ship_ticket", "movie", "pass"):
        desk.applied(Revise(to="hk-tickets", pass_=_TICKET, kind=kind, content=_TITLE))


_STAY: Final = {"available_times": 1, "start_time": _AT, "end_time": _END}
_TRIP: Final = {"from": "中環", "from_address": "3 號碼頭", "to": "澳門", "to_address": "外港", **_STAY}
_ROOM: Final = {"cinema_name": "戲院", "cinema_house": "1", "movie_attributes": ("2D",), "movie_seats": ("A1", "A2")}
_TYPED: Final[tuple[Any, ...]] = (
    AdmissionTicket(address=Localised(zh_HK="香港仔", en_US="Aberdeen"), **_STAY),
    MovieTicket(address="中環", **_ROOM, **_STAY),
    BusTicket.model_validate(_TRIP),
    ShipTicket.model_validate(_TRIP),
)


@CONTENTS.yes(
    "a ticket's fields, typed, with their lengths as notes | AlipayHK | `AdmissionTicket`, `MovieTicket`, `BusTicket`, "
    "`ShipTicket` | call | documented: the create pages",
)
def typed_tickets(desk: Desk) -> None:
    shown = [desk.applied(ticket.revise(_TICKET, to="hk-tickets", at=_AT))["content"] for ticket in _TYPED]
    assert {(one["$startTime_zh_HK$"], one["$startTime_en_US$"]) for one in shown} == {(1795312800000, 1795312800000)}
    assert [one.get("$address_zh_HK$", one.get("$from_zh_HK$")) for one in shown] == ["香港仔", "中環", "中環", "中環"]
    long = AdmissionTicket(address="香" * 25, **_STAY)
    outcome = desk.apply(long.revise(_TICKET, to="hk-tickets", at=_AT))
    assert (outcome.code, any("address" in note for note in outcome.notes)) == (Code.APPLIED, True)


@CONTENTS.yes(
    "card: `dataInfo` by language, names between `$` | AlipayHK | `content.params`, `content.locales` | call | documented",
    "hk.card:dataInfo",
)
def card_content(desk: Desk) -> None:
    content = Content(params={"level": "gold"}, locales={"zh_HK": {"level": "金"}})
    kept = desk.applied(Revise(to="hk-cards", pass_=_CARD, kind="level", content=content))
    assert kept["content"] == {"zh_HK": {"$level$": "金"}}
    both = Content(params={"level": "gold"})
    kept = desk.applied(Revise(to="hk-cards", pass_=_CARD, kind="level", content=both))
    assert kept["content"] == {"zh_HK": {"$level$": "gold"}, "en_US": {"$level$": "gold"}}


@CONTENTS.yes(
    "ticket: `dataInfo` flat, `$name_zh_HK$` | AlipayHK | `content.params`, `content.locales` | call | documented",
    "hk.ticket:dataInfo",
)
def ticket_content(desk: Desk) -> None:
    content = Content(locales={"zh_HK": {"gate": "登機口 12"}, "en_US": {"gate": "B12"}})
    kept = desk.applied(Revise(to="hk-tickets", pass_=_TICKET, kind="air_ticket", content=content))
    assert kept["content"] == {"$gate_zh_HK$": "登機口 12", "$gate_en_US$": "B12"}


@CONTENTS.yes(
    "membership: `dataInfo` by bare names | AlipayHK | `content.params`, `content.locales` | call | inferred: the page hides its children",
    "hk.membership:dataInfo",
)
def member_content(desk: Desk) -> None:
    content = Content(params={"points": 12000}, locales={"zh_HK": {"level": "金"}})
    kept = desk.applied(Revise(to="hk-members", pass_=_MEMBER, content=content))
    assert kept["content"] == {"points": 12000, "zh_HK": {"level": "金"}}


@CONTENTS.yes("`tpl_params`, as JSON text | mainland | `content.params` | call | documented", "mainland.pass:tpl_params")
def coupon_content(desk: Desk) -> None:
    content = Content(params={"title": "券标题", "n": 1, "gone": None})
    assert desk.applied(Revise(to="cn", pass_=_COUPON, content=content))["content"] == {"title": "券标题", "n": 1, "gone": None}


@CONTENTS.yes("the whole `dataInfo` or `tpl_params` as it stands | both | `content.raw` | call | documented")
def raw_content(desk: Desk) -> None:
    for account, kind, raw in (
        ("hk-cards", "score", {"zh_HK": {"$score$": "1"}}),
        ("hk-members", None, {"billNo": "1", "pointsProvider": None}),
        ("hk-tickets", "pass", {"$gate_zh_HK$": [1]}),
        ("cn", None, {"a": {"b": True}}),
    ):
        assert desk.applied(Revise(to=account, pass_=PASSES[account], kind=kind, content=Content(raw=raw)))["content"] == raw


@CONTENTS.yes(
    "the end of validity: `endDate` | AlipayHK | `valid_until`: ISO 8601 (card), else milliseconds | call | documented",
    "{hk.card,hk.membership,hk.ticket}:endDate",
)
def validity(desk: Desk) -> None:
    for account in ("hk-cards", "hk-members", "hk-tickets"):
        dated = usual(account, "revise").model_copy(update={"valid_until": _END})
        desk.applied(dated)


@CONTENTS.yes(
    "when it happened: `bizDate` | AlipayHK | `at` (ticket); kept over all attempts | the clock, once | documented",
    "hk.ticket:bizDate",
)
def business_date(desk: Desk) -> None:
    for given, sent in ((_AT, _AT), (None, None)):
        outcome = desk.apply(Revise(to="hk-tickets", pass_=_TICKET, kind="pass", content=_TITLE, at=given))
        assert outcome.code is Code.APPLIED
        assert outcome.at is not None
        assert sent is None or outcome.at == sent
    desk.box.guess({"hk.stale_biz_date": "PARAM_ILLEGAL"})
    stale = Revise(to="hk-tickets", pass_=_TICKET, kind="pass", content=_TITLE, at=_AT)
    assert desk.apply(stale).code is Code.INVALID_VALUE


@CONTENTS.yes(
    "a membership card's new code: `codeInfo`, `null` too | AlipayHK | `code_info` | not sent | documented",
    "hk.membership:codeInfo",
)
def code_info(desk: Desk) -> None:
    for value in ({"$codevalue$": "1"}, None):
        desk.applied(Revise(to="hk-members", pass_=_MEMBER, content=_TITLE, code_info=value))


_OVERLAY: Final = """
schema = 1
[hk.card.fields.valid_until]
as = "epoch_ms"
[hk.ticket.fields.valid_until]
as = "epoch_ms_text"
[mainland.pass.fields.content]
as = "params"
"""


@CONTENTS.yes(
    "the other reading, where the documents contradict themselves (`templateId`, `verifyCode`, `updateType`, …) | both | "
    "`[mappings] overlays` | off | documented, twice",
    "MappingsSettings.overlays",
)
def contradictions(desk: Desk) -> None:
    file = desk.folder / "overlay.toml"
    file.write_text(_OVERLAY, encoding="utf-8")
    chosen = {name: desk.accounts[name] for name in ("hk-tickets", "cn")}
    with desk.opened({"accounts": chosen, "mappings": {"overlays": [str(file)]}}) as other:
        other.applied(Close(to="hk-tickets", pass_=_TICKET, valid_until=_END))
        assert other.applied(Revise(to="cn", pass_=_COUPON, content=_TITLE))["content"] == {"title": "新的 title"}
        assert other.body(Close(to="hk-tickets", pass_=_TICKET, valid_until=_END))["endDate"] == "1830268799000"
        assert other.body(Revise(to="cn", pass_=_COUPON, content=_TITLE))["tpl_params"] == {"title": "新的 title"}
