"""What can be wrong before a byte of the request may leave: TLS in all its failures."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway, Script
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, close, drip, hold, read, read_some, reset, send
from tests.faults.tls import certificate, server_context

RETRY = {"attempts": 2, "deadline": 0.6, "read_timeout": 0.25, "connect_timeout": 0.1}
REGIONS = [pytest.param(HK, "refund", id="hk refund"), pytest.param(CN, "redeem", id="cn redeem")]
OK: Script = (again(read, answer),)

UNFIT = {
    "signed by itself": (certificate(), certificate(owner="other")),
    "for another host": (certificate("gateway.example"), certificate("gateway.example")),
    "for another address": (certificate("127.0.0.2"), certificate("127.0.0.2")),
    "out of date": (certificate(begins=-3, ends=-1), certificate(begins=-3, ends=-1)),
    "not yet valid": (certificate(begins=1, ends=3), certificate(begins=1, ends=3)),
}


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize(("shown", "trusted"), UNFIT.values(), ids=UNFIT)
def test_nothing_is_sent_to_a_server_that_proves_nothing(  # noqa: PLR0913, PLR0917 - a table's columns
    caller: Caller, tmp_path: Path, region: Region, action: str, shown: bytes, trusted: bytes
) -> None:
    (tmp_path / "ca.pem").write_bytes(trusted)
    with Gateway(region, OK, context=server_context(tmp_path, shown)) as gateway:
        config = region.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, **RETRY)
        outcome = caller.apply(config, region.update(action))
    assert told(outcome) == ["NOT_SENT"] * 3
    assert gateway.requests == []
    assert gateway.connections == 2


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1], ids=["TLS 1.0", "TLS 1.1"])
def test_nothing_is_sent_over_an_old_version_of_tls(caller: Caller, tmp_path: Path, version: ssl.TLSVersion) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    with Gateway(HK, OK, context=server_context(tmp_path, certificate(), newest=version)) as gateway:
        config = HK.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, **RETRY)
        outcome = caller.apply(config, HK.update("refund"))
    assert told(outcome) == ["NOT_SENT"] * 3
    assert gateway.requests == []


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=["TLS 1.2", "TLS 1.3"])
def test_a_present_version_of_tls_is_spoken_and_its_connection_kept(caller: Caller, tmp_path: Path, version: ssl.TLSVersion) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    with Gateway(HK, OK, context=server_context(tmp_path, certificate(), newest=version)) as gateway:
        config = HK.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, deadline=5.0)
        outcomes = caller.applies(config, *[HK.update("redeem")] * 3)
    assert [outcome.code for outcome in outcomes] == ["APPLIED"] * 3
    assert gateway.connections == 1


HANDSHAKES: dict[str, Script] = {
    "never answered": (hold,),
    "read and never answered": (read_some, hold),
    "closed": (read_some, close),
    "reset": (read_some, reset),
    "an alert": (read_some, send(b"\x15\x03\x03\x00\x02\x02\x28"), hold),
    "half a record": (read_some, send(b"\x16\x03\x03\x40\x00\x02"), hold),
    "a record in drops": (read_some, drip(b"\x16\x03\x03\x00\x7a\x02" + b"\0" * 100, 0.03), hold),
    "plain HTTP": (read_some, send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), hold),
    "noise": (read_some, send(bytes(range(256)) * 16), hold),
}


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize("steps", HANDSHAKES.values(), ids=HANDSHAKES)
def test_a_handshake_that_comes_to_nothing_has_sent_nothing(caller: Caller, region: Region, action: str, steps: Script) -> None:
    with Gateway(region, steps) as gateway:
        outcome = caller.apply(region.config(gateway.url.replace("http", "https"), **RETRY), region.update(action))
    assert told(outcome) in (["NOT_SENT"] * 3, ["NOT_SENT"] * 2)  # the deadline may come before the second attempt
    assert gateway.requests == []


LOST: dict[str, Script] = {
    "closed after the request": (read, close),
    "reset after the request": (read, reset),
    "half an answer": (read, send(lambda talk: talk.answer().wire()[:-9]), close),
    "silence": (read, hold),
}


@pytest.mark.parametrize(("region", "action"), REGIONS)
@pytest.mark.parametrize("steps", LOST.values(), ids=LOST)
def test_an_answer_lost_inside_tls_is_a_doubt(caller: Caller, tmp_path: Path, region: Region, action: str, steps: Script) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    with Gateway(region, steps, context=server_context(tmp_path, certificate())) as gateway:
        config = region.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, **RETRY)
        outcome = caller.apply(config, region.update(action))
    assert outcome.code == "NO_ANSWER"
    assert len(gateway.requests) in ({1} if action == "refund" else {1, 2})
