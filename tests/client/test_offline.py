from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from passbridge import AsyncClient, Capabilities, Client, InvalidUpdate, PassRef, PassUpdate, Problem, Redeem, Revise, WireRequest
from tests.client.answers import done
from tests.client.gateway import Gateway, deaf_port
from tests.client.keys import sign
from tests.client.use import MAINLAND, PASS, REDEEM, AnyClient, Call, Use, cn_account, hk_account

BARE = Redeem(pass_=PASS)


def _both(url: str = "http://127.0.0.1:9", **members: object) -> Mapping[str, object]:
    return {"accounts": {"hk": hk_account(url), "cn": cn_account(url)}, "retry": {"deadline": 5.0}, **members}


WRONG: dict[str, tuple[PassUpdate, list[tuple[str, str]]]] = {
    "an unknown account": (Redeem(to="hq", pass_=PASS), [("to", "unknown_account")]),
    "no account": (BARE, [("to", "missing")]),
    "no holder": (Redeem(to="hk", pass_=PassRef(id="7")), [("pass.user_id", "missing")]),
    "everything": (
        Revise.model_validate({"to": "hk", "pass": {"id": "7"}, "kind": "gate", "code_info": None}),
        [("code_info", "not_carried"), ("content", "missing"), ("pass.user_id", "missing"), ("kind", "unknown_kind")],
    ),
}


@pytest.mark.parametrize(("update", "expected"), WRONG.values(), ids=WRONG)
def test_check_gives_every_problem_and_apply_and_render_refuse_for_the_same(
    use: Use, update: PassUpdate, expected: list[tuple[str, str]]
) -> None:
    with Gateway(done) as gateway:
        (problems,) = use.in_turn(_both(gateway.url), lambda client: client.check(update))
        calls: list[Call] = [lambda client: client.apply(update), lambda client: client.render(update)]
        for call in calls:
            with pytest.raises(InvalidUpdate) as raised:
                use.in_turn(_both(gateway.url), call)
            assert raised.value.problems == problems
    assert isinstance(problems, tuple)
    assert [(problem.path, problem.code) for problem in problems if isinstance(problem, Problem)] == expected
    assert gateway.received == []


def test_check_finds_nothing_wrong_with_what_can_be_carried(use: Use) -> None:
    assert use.in_turn(_both(), lambda client: client.check(REDEEM), lambda client: client.check(MAINLAND)) == [(), ()]


def test_an_update_that_names_no_account_goes_to_the_default(use: Use) -> None:
    with Gateway(done) as gateway:
        outcome = use.apply(_both(gateway.url, default="hk"), BARE)
    assert (outcome.account, outcome.code) == ("hk", "APPLIED")


def test_render_gives_the_signed_request_and_sends_nothing(use: Use) -> None:
    with Gateway(done) as gateway:
        (request,) = use.in_turn(_both(gateway.url), lambda client: client.render(REDEEM))
    assert isinstance(request, WireRequest)
    assert (request.method, request.url) == ("POST", f"{gateway.url}/api/open/alipay/v1/ipass/pass/manage/updatePass")
    assert sorted(request.headers) == ["Client-Id", "Content-Type", "Request-Time", "Signature"]
    assert b'"passId":"2995228480402564890020"' in request.body
    assert "2995228480402564890020" not in repr(request)
    assert gateway.connections == 0


def test_capabilities_say_what_an_account_carries(use: Use) -> None:
    hk, cn = use.in_turn(_both(), lambda client: client.capabilities("hk"), lambda client: client.capabilities("cn"))
    assert isinstance(hk, Capabilities)
    assert (hk.account, hk.backend, hk.profile, hk.actions) == ("hk", "hk", "ticket", ("redeem", "close", "revise", "refund"))
    assert "movie" in hk.kinds
    assert {"pass.id", "pass.user_id", "at", "content"} <= set(hk.members)
    assert isinstance(cn, Capabilities)
    assert (cn.account, cn.backend, cn.profile, cn.actions, cn.kinds) == ("cn", "mainland", "pass", ("redeem", "close", "revise"), ())


def test_capabilities_of_an_unknown_account_are_refused(use: Use) -> None:
    with pytest.raises(InvalidUpdate, match=r"^account: no such account \(did you mean 'hk'\?\)$"):
        use.in_turn(_both(), lambda client: client.capabilities("hkk"))


CALLS: dict[str, Call] = {
    "apply": lambda client: client.apply(REDEEM),
    "check": lambda client: client.check(REDEEM),
    "render": lambda client: client.render(REDEEM),
    "capabilities": lambda client: client.capabilities("hk"),
    "call": lambda client: client.call("hk", "/a", {}),
    "execute": lambda client: client.execute("cn", None),
    "with": lambda client: client.__enter__() if isinstance(client, Client) else client.__aenter__(),
}


def _closed(client: AnyClient) -> object:
    if isinstance(client, AsyncClient):
        return client.aclose()
    client.close()
    return None


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_closed_client_can_not_be_used(use: Use, call: Call) -> None:
    with pytest.raises(RuntimeError, match="this client is closed"):
        use.in_turn(_both(), _closed, call)


def test_a_client_may_be_closed_twice_and_after_use(use: Use) -> None:
    with Gateway(done) as gateway:
        outcome, *rest = use.in_turn(_both(gateway.url), lambda client: client.apply(REDEEM), _closed, _closed)
    assert getattr(outcome, "code", None) == "APPLIED"
    assert rest == [None, None]


def test_leaving_a_with_block_closes_the_clients_connections(use: Use) -> None:
    gone: list[bytes] = []

    def watching(connection: Any, request: Any) -> bool:  # noqa: ANN401 - a step
        done(connection, request)
        gone.append(connection.recv(1))
        return False

    with Gateway(watching) as gateway:
        use.apply(_both(gateway.url))
        for thread in gateway.threads[1:]:
            thread.join(2)
        assert gone == [b""]


def test_nothing_is_opened_before_it_is_needed(use: Use) -> None:
    with deaf_port() as port:
        config = _both(f"http://127.0.0.1:{port}")
        Client.from_config(config, signers={"hk": sign, "cn": sign}).close()
        AsyncClient.from_config(config, signers={"hk": sign, "cn": sign})
        assert use.in_turn(config) == []
