from __future__ import annotations

from pathlib import Path

import pytest

from passbridge import AsyncClient, Client, Content, PassRef, Redeem, WireRequest
from tests.client.answers import SUCCESS, done, hk_body, mainland, page
from tests.client.gateway import Gateway
from tests.client.use import MAINLAND, REDEEM, Use, applying, cn_only, hk_only

NODE = '{"code":"10000","msg":"Success","success":"true","result":"{\\"serialNumber\\":\\"209919213\\"}"}'
ODD = Redeem(to="cn", pass_=PassRef(id="a+b c/%41?&=é票"), content=Content(params={"title": "券 + 50% & more"}))


def _rendered(client: Client | AsyncClient, update: Redeem) -> WireRequest:
    return client.render(update)


@pytest.mark.parametrize("update", [MAINLAND, ODD], ids=["plain", "odd characters"])
def test_a_mainland_url_and_body_reach_the_gateway_to_the_byte(use: Use, update: Redeem) -> None:
    with Gateway(mainland(NODE)) as gateway:
        before: object = None
        after: object = update
        while before != after:  # when a second begins meanwhile, the timestamp and the signature are others
            gateway.received.clear()
            before, _, after = use.in_turn(
                cn_only(gateway.url), lambda client: _rendered(client, update), applying(update), lambda client: _rendered(client, update)
            )
    (request,) = gateway.received
    assert isinstance(before, WireRequest)
    assert gateway.url + request.target == before.url
    assert request.body == before.body
    assert "timestamp=" in request.target
    assert "%3A" in request.target


@pytest.mark.parametrize("path", ["/a?x=1+2&y=%41%2b%7e&z=/?", "/a;b=1,2!$'()*~%7B/%2F//c", "/a/./../b", "/"])
def test_a_called_path_reaches_the_gateway_to_the_byte(use: Use, path: str) -> None:
    with Gateway(done) as gateway:
        use.in_turn(hk_only(gateway.url), lambda client: client.call("hk", path, {"n": 1}))
    (request,) = gateway.received
    assert request.target == path
    assert request.body == b'{"n":1}'


def test_no_header_field_is_sent_but_those_that_are_needed(use: Use, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Gateway(done) as gateway:
        use.apply(hk_only(gateway.url))
    (request,) = gateway.received
    names = sorted(name.lower() for name, _ in request.fields)
    ours = ["client-id", "content-length", "content-type", "host", "request-time", "signature"]
    assert names == sorted(["accept-encoding", "user-agent", *ours])
    assert request.line == b"POST /api/open/alipay/v1/ipass/pass/manage/updatePass HTTP/1.1"
    assert request.header("Host") == f"127.0.0.1:{gateway.port}"
    assert request.header("Accept-Encoding") == "identity"
    assert request.header("Content-Type") == "application/json; charset=UTF-8"


def test_cookies_are_not_kept(use: Use) -> None:
    with Gateway(hk_body(SUCCESS, "Set-Cookie: session=7; Path=/")) as gateway:
        outcomes = use.applies(hk_only(gateway.url), REDEEM, REDEEM)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    assert not [name for request in gateway.received for name, _ in request.fields if name.lower() == "cookie"]


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed(use: Use, status: str) -> None:
    with Gateway(done) as elsewhere, Gateway(page(status, f"Location: {elsewhere.url}/")) as gateway:
        outcome = use.apply(hk_only(gateway.url, attempts=1))
    assert outcome.code == "NO_ANSWER"
    assert elsewhere.received == []
    assert len(gateway.received) == 1
