from __future__ import annotations

import socket
from typing import Any

import pytest

from tests.client.answers import done
from tests.client.gateway import Gateway, deaf_port
from tests.client.use import REFUND, Use, codes, hk_only


@pytest.fixture
def _nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name of which nobody knows an address."""
    known = socket.getaddrinfo

    def nowhere(name: str, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever is asked
        if name == "no-such-name.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(name, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)


@pytest.mark.usefixtures("_nowhere")
def test_a_name_that_leads_nowhere_sends_nothing(anywhere: Use) -> None:
    outcome = anywhere.apply(hk_only("https://no-such-name.invalid", attempts=1), REFUND)
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert "no connection" in (outcome.attempts[0].reason or "")


@pytest.mark.usefixtures("_nowhere")
@pytest.mark.parametrize("host", ["no-such-name.invalid", "proxy..example"], ids=["unknown", "no name"])
def test_a_proxys_name_that_leads_nowhere_sends_nothing(anywhere: Use, host: str) -> None:
    with Gateway(done) as gateway:
        outcome = anywhere.apply(hk_only(gateway.url, {"proxy": f"http://{host}:3128"}, attempts=1), REFUND)
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert "no connection" in (outcome.attempts[0].reason or "")
    assert gateway.connections == 0


def test_a_name_may_have_addresses_of_which_only_the_last_answers(anywhere: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    known = socket.getaddrinfo

    def several(name: str, port: int, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever is asked
        if name != "localhost":
            return known(name, port, *arguments, **options)
        if options.get("flags"):
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", other)) for other in (silent, port)]

    with deaf_port() as silent, Gateway(done) as gateway:
        monkeypatch.setattr(socket, "getaddrinfo", several)
        outcome = anywhere.apply(hk_only(gateway.url.replace("127.0.0.1", "localhost")))
    assert codes(outcome) == ["APPLIED", "APPLIED"]
