from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.client.answers import done, no_http, silence
from tests.client.certificates import self_signed, server_context
from tests.client.gateway import Gateway, Step, deaf_port
from tests.client.proxy import Proxy
from tests.client.use import REDEEM, REFUND, Use, codes, hk_only

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
LOGIN = f"Basic {base64.b64encode(b'us er:p@ss').decode()}"


@pytest.fixture
def tls(tmp_path: Path) -> Gateway:
    """A gateway that speaks TLS, and the file that vouches for it at `ca.pem`."""
    (tmp_path / "ca.pem").write_bytes(self_signed())
    return Gateway(done, context=server_context(tmp_path, self_signed()))


def test_a_proxy_of_the_environment_is_not_used(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(done) as proxy, Gateway(done) as gateway:
        for name in VARIABLES:
            monkeypatch.setenv(name, proxy.url)
        assert use.apply(hk_only(gateway.url)).code == "APPLIED"
    assert (proxy.connections, gateway.connections) == (0, 1)


def test_the_configurations_proxy_is_asked_for_the_whole_address_of_a_plain_gateway(use: Use) -> None:
    with Gateway(done) as gateway, Gateway(Proxy(gateway.port).step) as proxy:
        outcomes = use.applies(hk_only(gateway.url, {"proxy": proxy.url.replace("//", "//us%20er:p%40ss@")}), REDEEM, REDEEM)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    assert {request.target for request in proxy.received} == {f"{gateway.url}{gateway.received[0].target}"}
    assert proxy.received[0].header("Proxy-Authorization") == LOGIN
    assert proxy.received[0].header("Host") == f"127.0.0.1:{gateway.port}"


def test_the_configurations_proxy_gives_a_tunnel_to_a_gateway_that_speaks_tls(use: Use, tls: Gateway, tmp_path: Path) -> None:
    with tls as gateway, Gateway(Proxy(gateway.port).step) as proxy:
        http = {"proxy": proxy.url.replace("//", "//us%20er:p%40ss@"), "ca_file": str(tmp_path / "ca.pem")}
        outcomes = use.applies(hk_only(gateway.url, http), REDEEM, REDEEM)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    (request,) = proxy.received
    assert request.line == f"CONNECT 127.0.0.1:{gateway.port} HTTP/1.1".encode()
    assert request.header("Proxy-Authorization") == LOGIN
    assert gateway.connections == 1
    assert not [name for request in gateway.received for name, _ in request.fields if name.lower().startswith("proxy-")]


def test_a_proxy_of_the_environment_is_used_where_it_is_trusted(
    use: Use, tls: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tls as gateway, Gateway(Proxy(gateway.port).step) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        config = hk_only(gateway.url, {"trust_env": True, "ca_file": str(tmp_path / "ca.pem")})
        assert use.apply(config).code == "APPLIED"
        assert len(proxy.received) == 1
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert use.apply(config).code == "APPLIED"
        assert len(proxy.received) == 1


def test_the_configurations_proxy_goes_before_the_environments(use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    with Gateway(done) as gateway, Gateway(Proxy(gateway.port).step) as ours, Gateway(done) as theirs:
        for name in VARIABLES:
            monkeypatch.setenv(name, theirs.url)
        assert use.apply(hk_only(gateway.url, {"proxy": ours.url, "trust_env": True})).code == "APPLIED"
    assert (len(ours.received), theirs.connections) == (1, 0)


def test_a_trusted_environment_without_a_proxy_is_fine(use: Use, tls: Gateway, tmp_path: Path) -> None:
    with tls as gateway:
        assert use.apply(hk_only(gateway.url, {"trust_env": True, "ca_file": str(tmp_path / "ca.pem")})).code == "APPLIED"


REFUSALS = {"forbidden": Proxy(0, "403 Forbidden").step, "without credentials": Proxy(0, "407 Proxy Authentication Required").step}


@pytest.mark.parametrize("step", [*REFUSALS.values(), no_http], ids=[*REFUSALS, "no http"])
def test_a_tunnel_that_is_refused_proves_that_nothing_was_sent(use: Use, step: Step, tls: Gateway, tmp_path: Path) -> None:
    with tls as gateway, Gateway(step) as proxy:
        config = hk_only(gateway.url, {"proxy": proxy.url, "ca_file": str(tmp_path / "ca.pem")}, attempts=2)
        outcome = use.apply(config, REFUND)
    assert codes(outcome) == ["NOT_SENT"] * 3
    assert "the proxy" in (outcome.attempts[0].reason or "")
    assert gateway.connections == 0


def test_a_tunnel_that_is_never_granted_ends_in_time_and_nothing_was_sent(use: Use, tls: Gateway, tmp_path: Path) -> None:
    with tls as gateway, Gateway(silence) as proxy:
        config = hk_only(gateway.url, {"proxy": proxy.url, "ca_file": str(tmp_path / "ca.pem")}, deadline=0.3)
        outcome = use.apply(config, REFUND)
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]


def test_a_proxy_that_is_away_proves_that_nothing_was_sent(use: Use) -> None:
    with deaf_port() as port, Gateway(done) as gateway:
        outcome = use.apply(hk_only(gateway.url, {"proxy": f"http://127.0.0.1:{port}"}, attempts=1))
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert gateway.connections == 0
