"""The environment of the process: nothing of it is used unless the configuration says so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.faults.calls import Caller, told
from tests.faults.gateway import Gateway
from tests.faults.regions import CN, HK, Region
from tests.faults.steps import again, answer, close, read
from tests.faults.tls import certificate, server_context

PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"]
RETRY = {"attempts": 1, "deadline": 2.0}


@pytest.mark.parametrize("region", [HK, CN], ids=["hk", "cn"])
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_no_proxy_of_the_environment_sees_a_byte(
    caller: Caller,
    tmp_path: Path,
    region: Region,
    secure: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    context = server_context(tmp_path, certificate()) if secure else None
    with Gateway(region, (close,)) as proxy, Gateway(region, (again(read, answer),), context=context) as gateway:
        for name in PROXIES:
            monkeypatch.setenv(name, proxy.url)
        config = region.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, **RETRY)
        assert told(caller.apply(config, region.update("redeem"))) == ["APPLIED", "APPLIED"]
    assert proxy.connections == 0


def test_no_session_key_is_written_to_a_file_that_the_environment_names(
    caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate())
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
    with Gateway(HK, (again(read, answer),), context=server_context(tmp_path, certificate())) as gateway:
        config = HK.config(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, **RETRY)
        assert caller.apply(config, HK.update("redeem")).code == "APPLIED"
    logged = (tmp_path / "keys.log").read_text(encoding="ascii") if (tmp_path / "keys.log").exists() else ""
    assert "CLIENT" not in logged  # the server of the tests may write a header of its own


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
@pytest.mark.parametrize("trusted", [False, True], ids=["by default", "trust_env"])
def test_certificates_that_the_environment_names_count_only_where_it_is_trusted(
    caller: Caller,
    tmp_path: Path,
    variable: str,
    trusted: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / f"{_subject_hash(certificate())}.0").write_bytes(certificate())
    (tmp_path / "ca.pem").write_bytes(certificate())
    monkeypatch.undo()  # here this machine has its own certificates
    monkeypatch.setenv(variable, str(tmp_path if variable.endswith("DIR") else tmp_path / "ca.pem"))
    with Gateway(HK, (again(read, answer),), context=server_context(tmp_path, certificate())) as gateway:
        outcome = caller.apply(HK.config(gateway.url, {"trust_env": trusted}, **RETRY), HK.update("refund"))
    assert outcome.code == ("APPLIED" if trusted else "NOT_SENT")


def _subject_hash(pem: bytes) -> str:
    """The name under which OpenSSL looks for a certificate in a folder."""
    command = ["openssl", "x509", "-noout", "-hash"]
    return subprocess.run(command, input=pem, capture_output=True, check=True).stdout.decode().strip()  # noqa: S603 - our own words


def test_no_credentials_of_the_environment_are_sent(caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (".netrc", "netrc"):
        (tmp_path / name).write_text("default login somebody password secret\n", encoding="ascii")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with Gateway(HK, (again(read, answer),)) as gateway:
        assert caller.apply(HK.config(gateway.url, **RETRY), HK.update("redeem")).code == "APPLIED"
    assert gateway.requests[0].field("Authorization") == ""
