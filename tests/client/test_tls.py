from __future__ import annotations

import ssl
import warnings
from pathlib import Path

import pytest

from tests.client.answers import done, hk, hk_answer, raw
from tests.client.certificates import self_signed, server_context
from tests.client.gateway import Gateway
from tests.client.use import REDEEM, REFUND, Use, codes, hk_only


@pytest.fixture
def ca_file(tmp_path: Path) -> str:
    file = tmp_path / "ca.pem"
    file.write_bytes(self_signed())
    return str(file)


def test_a_certificate_that_nobody_vouches_for_is_refused_before_a_byte_leaves(use: Use, tmp_path: Path) -> None:
    with Gateway(done, context=server_context(tmp_path, self_signed())) as gateway:
        outcome = use.apply(hk_only(gateway.url, attempts=2), REFUND)
    assert codes(outcome) == ["NOT_SENT"] * 3
    assert "no connection" in (outcome.attempts[0].reason or "")
    assert gateway.received == []


def test_a_certificate_that_the_ca_file_vouches_for_is_accepted(use: Use, tmp_path: Path, ca_file: str) -> None:
    with Gateway(done, context=server_context(tmp_path, self_signed())) as gateway:
        outcomes = use.applies(hk_only(gateway.url, {"ca_file": ca_file}), REDEEM, REDEEM)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "APPLIED"]
    assert gateway.connections == 1


UNFIT = {"for another host": self_signed("gateway.example"), "out of date": self_signed(age=3)}


@pytest.mark.parametrize("certificate", UNFIT.values(), ids=UNFIT)
def test_a_certificate_that_does_not_fit_is_refused_whoever_vouches_for_it(use: Use, tmp_path: Path, certificate: bytes) -> None:
    (tmp_path / "ca.pem").write_bytes(certificate)
    with Gateway(done, context=server_context(tmp_path, certificate)) as gateway:
        outcome = use.apply(hk_only(gateway.url, {"ca_file": str(tmp_path / "ca.pem")}, attempts=1))
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert gateway.received == []


def test_a_server_that_speaks_no_tls_gets_nothing(use: Use) -> None:
    with Gateway(raw(lambda _: b"220 mail.example ESMTP\r\n")) as gateway:
        outcome = use.apply(hk_only(gateway.url.replace("http", "https"), attempts=1, connect_timeout=0.2))
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]
    assert gateway.received == []


def test_an_old_version_of_tls_is_refused(use: Use, tmp_path: Path, ca_file: str) -> None:

    context = server_context(tmp_path, self_signed())
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the old version, which is what the test is about
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with Gateway(done, context=context) as gateway:
        outcome = use.apply(hk_only(gateway.url, {"ca_file": ca_file}, attempts=1))
    assert codes(outcome) == ["NOT_SENT", "NOT_SENT"]


def test_no_session_keys_are_written_where_the_environment_wants_them(
    use: Use, tmp_path: Path, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "keys.log"
    monkeypatch.setenv("SSLKEYLOGFILE", str(log))
    with Gateway(done, context=server_context(tmp_path, self_signed())) as gateway:
        assert use.apply(hk_only(gateway.url, {"ca_file": ca_file})).code == "APPLIED"
    assert not log.exists()


def test_certificates_of_the_environment_count_where_it_is_trusted(
    use: Use, tmp_path: Path, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    with Gateway(done, context=server_context(tmp_path, self_signed())) as gateway:
        assert use.apply(hk_only(gateway.url, {"trust_env": True})).code == "APPLIED"


def test_an_answer_over_tls_that_comes_in_one_record_with_another_never_reaches_the_next_call(
    use: Use, tmp_path: Path, ca_file: str
) -> None:

    twice = raw(lambda request: hk_answer(request) * 2)
    with Gateway(twice, hk("PASS_STATUS_ILLEGAL", "F"), context=server_context(tmp_path, self_signed())) as gateway:
        outcomes = use.applies(hk_only(gateway.url, {"ca_file": ca_file}), REDEEM, REDEEM)
    assert [outcome.code for outcome in outcomes] == ["APPLIED", "STATE_CONFLICT"]
    assert gateway.connections == 2
