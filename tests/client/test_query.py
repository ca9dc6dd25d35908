"""`resolve = "query"` over real sockets: what is sent in which order, what it costs, and what is known afterwards."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from itertools import chain, repeat
from typing import Any
from urllib.parse import parse_qs

import pytest

from passbridge import Close, ConfigError, InvalidUpdate, Outcome, PassRef, PassUpdate, Redeem, Refund, Revise
from tests.client.answers import done, forged, hang_up, mainland, page, raw, reset, silence
from tests.client.gateway import Gateway, Received, Step, deaf_port
from tests.client.use import MAINLAND, REDEEM, REFUND, Use, cn_account, cn_only, codes, hk_account, hk_only

METHODS = {"alipay.pass.instance.update": "u", "alipay.marketing.pass.instance.query": "q"}
NODE = "alipay_marketing_pass_instance_query_response"
PASS = PassRef(id="209919213")
CLOSE = Close(to="cn", pass_=PASS)
REVISE = Revise.model_validate({"to": "cn", "pass": PASS, "content": {"params": {"title": "券标题"}}})


def shown(*passes: dict[str, Any], **members: object) -> Step:
    """The query's answer: these passes, signed."""
    listed = [{"serial_number": "209919213", "channel_id": "2088918273", "pass_id": "7", "is_deleted": False, **one} for one in passes]
    node = {"code": "10000", "msg": "Success", "instance_list": listed, "total": len(listed), **members}
    return mainland(json.dumps(node), NODE)


def says(code: str, sub_code: str) -> Step:
    """The update's answer: this refusal, signed."""
    return mainland(json.dumps({"code": code, "msg": "m", "sub_code": sub_code, "sub_msg": "n", "success": "false"}))


def unsigned(node: str) -> Step:
    """An answer of the query's shape that nobody signed."""
    text = f'{{"{NODE}":{node}}}'.encode()
    return raw(lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: " + str(len(text)).encode() + b"\r\n\r\n" + text)


applied = mainland('{"code":"10000","msg":"Success","success":"true","result":"{\\"serialNumber\\":\\"209919213\\"}"}')
used, unused, closed = (shown({"status": word}) for word in ("USED", "CAN_USE", "CLOSED"))
deleted = shown({"status": "CAN_USE", "is_deleted": True})


class Split(Gateway):
    """A gateway with a script for updates and another for queries; the last step of each goes on for ever."""

    def __init__(self, updates: list[Step], queries: list[Step]) -> None:
        super().__init__(self._step)
        self._scripts = {"u": _steps(updates), "q": _steps(queries)}

    def _step(self, connection: socket.socket, request: Received) -> bool:
        return next(self._scripts[asked(request)])(connection, request)

    @property
    def order(self) -> str:
        """What came, in order: `u` for an update, `q` for a query."""
        return "".join(asked(request) for request in self.received)


def _steps(script: list[Step]) -> Iterator[Step]:
    return chain(script, repeat(script[-1]))


def asked(request: Received) -> str:
    """Which of the two methods a request calls."""
    (method,) = parse_qs(request.target.partition("?")[2])["method"]
    return METHODS[method]


def config(url: str, members: dict[str, object] | None = None, **retry: object) -> dict[str, object]:
    """One mainland account that asks."""
    return cn_only(url, **retry) | {"accounts": {"cn": cn_account(url, **{"resolve": "query", **(members or {})})}}


# What the updates and the queries come to; the order of what is sent; the codes of the outcome and of each attempt.
CASES: dict[str, tuple[PassUpdate, list[Step], list[Step], str, str]] = {
    "done": (MAINLAND, [applied], [used], "u", "APPLIED APPLIED"),
    "refused": (MAINLAND, [says("40004", "KP.AE_ALIPASS_UPDATE_ERROR")], [used], "u", "REFUSED REFUSED"),
    "lost, used": (MAINLAND, [hang_up, applied], [used], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "reset, used": (MAINLAND, [reset, applied], [used], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "a proxy's page, used": (MAINLAND, [page("502 Bad Gateway")], [used], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "system error, used": (
        MAINLAND,
        [says("40004", "KP.AE_SYSTEM_ERROR")],
        [used],
        "uq",
        "APPLIED_PRESUMED PROVIDER_ERROR ALREADY_IN_STATE",
    ),
    "lost, not used": (MAINLAND, [hang_up, applied], [unused], "uqu", "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED"),
    "lost, not used yet": (
        MAINLAND,
        [hang_up, says("40004", "KP.AE_ALIPASS_UPDATE_ERROR")],
        [unused, used],
        "uquq",
        "APPLIED_PRESUMED NO_ANSWER PROVIDER_ERROR REFUSED ALREADY_IN_STATE",
    ),
    "lost, closed by another": (MAINLAND, [hang_up, applied], [closed], "uqu", "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED"),
    "lost, unsigned": (
        MAINLAND,
        [hang_up, applied],
        [unsigned('{"code":"10000","instance_list":[]}')],
        "uqu",
        "APPLIED NO_ANSWER UNTRUSTED_ANSWER APPLIED",
    ),
    "lost, an update's answer to the query": (
        MAINLAND,
        [hang_up, hang_up],
        [applied],
        "uququq",
        "NO_ANSWER NO_ANSWER UNTRUSTED_ANSWER NO_ANSWER UNTRUSTED_ANSWER NO_ANSWER UNTRUSTED_ANSWER",
    ),
    "lost, the query fails": (MAINLAND, [hang_up, applied], [page("503 x")], "uqu", "APPLIED NO_ANSWER NO_ANSWER APPLIED"),
    "lost, the query is reset": (MAINLAND, [hang_up, applied], [reset], "uqu", "APPLIED NO_ANSWER NO_ANSWER APPLIED"),
    "lost, no permission to ask": (
        MAINLAND,
        [hang_up, applied],
        [mainland('{"code":"40006","msg":"m","sub_code":"isv.insufficient-isv-permissions"}', NODE)],
        "uqu",
        "APPLIED NO_ANSWER ACCESS_DENIED APPLIED",
    ),
    "lost, another pass": (
        MAINLAND,
        [hang_up, applied],
        [shown({"status": "USED", "serial_number": "209919214"})],
        "uqu",
        "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED",
    ),
    "lost, another channel's pass": (
        MAINLAND,
        [hang_up, applied],
        [shown({"status": "USED", "channel_id": "2088918274"})],
        "uqu",
        "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED",
    ),
    "lost, two passes": (
        MAINLAND,
        [hang_up, applied],
        [shown({"status": "USED"}, {"status": "CAN_USE", "pass_id": "8"})],
        "uqu",
        "APPLIED NO_ANSWER BAD_ANSWER APPLIED",
    ),
    "lost, no pass": (MAINLAND, [hang_up, applied], [shown()], "uqu", "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED"),
    "lost, deleted": (MAINLAND, [hang_up, applied], [deleted], "uqu", "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED"),
    "close: lost, deleted": (CLOSE, [hang_up, applied], [deleted], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "close: lost, closed": (CLOSE, [hang_up, applied], [closed], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "close: lost, used": (CLOSE, [hang_up, applied], [used], "uqu", "APPLIED NO_ANSWER PROVIDER_ERROR APPLIED"),
    "revise: lost": (REVISE, [hang_up, applied], [used], "uu", "APPLIED NO_ANSWER APPLIED"),
    "unsigned, used": (MAINLAND, [forged], [used], "uq", "APPLIED_PRESUMED NO_ANSWER ALREADY_IN_STATE"),
    "unreadable, used": (MAINLAND, [mainland('{"code":"10000"}')], [used], "uq", "APPLIED_PRESUMED BAD_ANSWER ALREADY_IN_STATE"),
    "unreadable, not used": (MAINLAND, [mainland('{"code":"10000"}')], [unused], "uq", "BAD_ANSWER BAD_ANSWER PROVIDER_ERROR"),
    "an unknown code, not used": (MAINLAND, [says("50000", "x")], [unused], "uq", "UNMAPPED UNMAPPED PROVIDER_ERROR"),
    "lost, refused for what it is": (
        MAINLAND,
        [hang_up, says("40004", "KP.AE_ALIPASS_PARAME_IS_NULL")],
        [unused, used],
        "uqu",
        "MISSING_FIELD NO_ANSWER PROVIDER_ERROR MISSING_FIELD",
    ),
    "everything lost": (
        MAINLAND,
        [hang_up],
        [hang_up],
        "uququq",
        "NO_ANSWER NO_ANSWER NO_ANSWER NO_ANSWER NO_ANSWER NO_ANSWER NO_ANSWER",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_is_asked_and_what_is_known(use: Use, case: tuple[PassUpdate, list[Step], list[Step], str, str]) -> None:
    update, updates, queries, order, told = case
    with Split(updates, queries) as gateway:
        outcome = use.apply(config(gateway.url), update)
    assert (gateway.order, " ".join(codes(outcome))) == (order, told)
    for attempt, kind in zip(outcome.attempts, order, strict=True):
        assert (attempt.reason or "").startswith("query: ") is (kind == "q")
        assert attempt.sent is (kind == "u")
    assert [attempt.n for attempt in outcome.attempts] == list(range(1, len(order) + 1))


def test_the_outcome_shows_what_was_seen(use: Use) -> None:
    with Split([hang_up], [shown({"status": "USED", "user_id": "2088000000000001", "modify_time": "2026-11-22 10:00:00"})]) as gateway:
        outcome = use.apply(config(gateway.url), MAINLAND)
    told = json.loads(outcome.model_dump_json(by_alias=True))
    assert {name: told[name] for name in ("code", "effect", "next", "who", "ok", "certain", "rule")} == {
        "code": "APPLIED_PRESUMED",
        "effect": "in_state",
        "next": "none",
        "who": "nobody",
        "ok": True,
        "certain": False,
        "rule": "mainland.pass#query.redeem",
    }
    seen = {"serial_number": "209919213", "channel_id": "2088918273", "pass_id": "7", "status": "USED", "is_deleted": False}
    assert told["native"] == {
        "code": "10000",
        "status": None,
        "sub_code": None,
        "message": "Success",
        "result": seen | {"modify_time": "2026-11-22 10:00:00"},
        "verified": True,
    }
    assert told["attempts"][1]["reason"] == "query: the pass is USED"


def _lost(use: Use, url: str, update: PassUpdate = MAINLAND) -> Outcome:
    """An earlier call's outcome, in doubt, as another process wrote it down: it did not ask."""
    with Gateway(hang_up) as gateway:
        outcome = use.apply(cn_only(gateway.url, attempts=1), update)
    assert (codes(outcome), url) == (["NO_ANSWER", "NO_ANSWER"], url)
    return Outcome.model_validate_json(outcome.model_dump_json(by_alias=True))


@pytest.mark.parametrize(
    ("queries", "order", "told"),
    [
        ([used], "q", ["APPLIED_PRESUMED", "NO_ANSWER", "ALREADY_IN_STATE"]),
        ([unused], "qu", ["APPLIED", "NO_ANSWER", "PROVIDER_ERROR", "APPLIED"]),
        ([page("502 Bad Gateway")], "qu", ["APPLIED", "NO_ANSWER", "NO_ANSWER", "APPLIED"]),
    ],
    ids=["used", "not used", "unanswered"],
)
def test_an_earlier_calls_doubt_is_asked_about_first(use: Use, queries: list[Step], order: str, told: list[str]) -> None:
    with Split([applied], queries) as gateway:
        earlier = _lost(use, gateway.url)
        outcome = use.apply(config(gateway.url), MAINLAND, after=earlier)
        again = use.apply(config(gateway.url), MAINLAND, after=outcome)
    assert (gateway.order, codes(outcome)) == (order, told)
    assert outcome.attempts[0] == earlier.attempts[0]
    assert again.code == outcome.code


def test_a_query_that_hangs_leaves_the_attempt_its_time_and_the_deadline_holds(use: Use) -> None:
    with Split([hang_up, applied], [silence]) as gateway:
        outcome = use.apply(config(gateway.url, deadline=1.0, read_timeout=30.0), MAINLAND)
    assert (gateway.order, codes(outcome)) == ("uqu", ["APPLIED", "NO_ANSWER", "NO_ANSWER", "APPLIED"])


def test_everything_that_hangs_ends_at_the_deadline(use: Use) -> None:
    with Split([silence], [silence]) as gateway:
        outcome = use.apply(config(gateway.url, deadline=0.6, read_timeout=0.2), MAINLAND)
    assert outcome.code == "NO_ANSWER"
    assert gateway.order.startswith("uq")


def test_nothing_is_asked_where_the_deadline_was_used_up(use: Use) -> None:
    with Split([silence], [used]) as gateway:
        outcome = use.apply(config(gateway.url, deadline=0.3, read_timeout=3.0), MAINLAND)
    assert (gateway.order, codes(outcome)) == ("u", ["NO_ANSWER", "NO_ANSWER"])


def test_nothing_is_asked_where_nothing_was_sent(use: Use) -> None:
    with deaf_port() as port:
        outcome = use.apply(config(f"http://127.0.0.1:{port}"), MAINLAND)
    assert codes(outcome) == ["NOT_SENT"] * 4


def test_an_unreachable_query_leaves_the_doubt(use: Use) -> None:
    with deaf_port() as port:
        url = f"http://127.0.0.1:{port}"
        outcome = use.apply(config(url, attempts=1), MAINLAND, after=_lost(use, url))
    assert codes(outcome) == ["NO_ANSWER", "NO_ANSWER", "NOT_SENT", "NOT_SENT", "NOT_SENT"]
    assert [(attempt.reason or "").startswith("query: ") for attempt in outcome.attempts] == [False, True, False, True]


def test_a_query_carries_the_accounts_token_in_its_body(use: Use) -> None:
    with Split([hang_up], [used]) as gateway:
        use.apply(config(gateway.url, {"app_auth_token": b"token-7"}), MAINLAND)
    query = gateway.received[1]
    form = parse_qs(query.body.decode(), strict_parsing=True)
    assert (form["app_auth_token"], json.loads(form["biz_content"][0])) == (["token-7"], {"serial_number": "209919213"})
    assert "token-7" not in query.target


@pytest.mark.parametrize("updates", [[applied], [hang_up, applied], [hang_up], [mainland('{"code":"10000"}')]], ids=range(4))
def test_an_account_that_is_not_told_to_asks_nothing(use: Use, updates: list[Step]) -> None:
    with Split(updates, [used]) as plain, Split(updates, [used]) as told:
        first = use.apply(cn_only(plain.url), MAINLAND)
        second = use.apply(config(told.url, {"resolve": "resend"}), MAINLAND)
    assert "q" not in plain.order + told.order
    assert codes(first) == codes(second)
    assert [request.body for request in plain.received] == [request.body for request in told.received]


def test_an_account_that_extends_another_may_leave_the_query_off(use: Use) -> None:
    with Split([hang_up, applied], [used]) as gateway:
        accounts: Any = {"cn": cn_account(gateway.url, resolve="query"), "cn-2": {"extends": "cn", "resolve": "resend"}}
        both = cn_only(gateway.url) | {"accounts": accounts}
        update = Redeem(to="cn-2", pass_=PASS)
        assert codes(use.apply(both, update)) == ["APPLIED", "NO_ANSWER", "APPLIED"]


def test_a_refund_is_none_of_the_querys_business(use: Use) -> None:
    with Split([hang_up], [used]) as gateway, pytest.raises(InvalidUpdate, match="has no refund"):
        use.apply(config(gateway.url), Refund(to="cn", pass_=PASS))
    assert gateway.received == []
    with Gateway(hang_up, done) as hk:
        assert codes(use.apply(hk_only(hk.url), REFUND)) == ["NO_ANSWER", "NO_ANSWER"]
        assert codes(use.apply(hk_only(hk.url), REDEEM)) == ["APPLIED", "APPLIED"]
    assert len(hk.received) == 2


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (hk_account("http://127.0.0.1:9", resolve="query"), "resolve"),
        (cn_account("http://127.0.0.1:9", resolve="ask"), "resolve"),
        (cn_account("http://127.0.0.1:9", resolve=True), "resolve"),
    ],
    ids=["alipayhk", "another word", "no word"],
)
def test_what_cant_be_asked_is_refused_at_once(use: Use, account: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        use.in_turn({"accounts": {"a": account}}, signers={})
    assert [problem.path.rpartition(".")[2] for problem in raised.value.problems] == [message]
