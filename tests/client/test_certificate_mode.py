"""Certificate mode through both clients, over sockets: an unknown certificate is fetched once, within the deadline, or not believed."""

from __future__ import annotations

import base64
import json
import subprocess
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl

import pytest

from passbridge import Client, Code, ConfigError, PassbridgeWarning
from tests.backends.support import certificate, pem, sign, vector_file
from tests.client.answers import http, raw, silence
from tests.client.gateway import Gateway, Received, Step
from tests.client.use import MAINLAND, Use, applying, cn_account

SERIALS = {name: rows[0]["serial"] for name, rows in vector_file("certificates/serials.json").items()}
UPDATE, DOWNLOAD = "alipay.pass.instance.update", "alipay.open.app.alipaycert.download"
DONE = json.dumps({"code": "10000", "msg": "Success", "success": "true", "result": json.dumps({"errorCode": "SUCCESS"})})
CONTENT = json.dumps(
    {"code": "10000", "msg": "Success", "alipay_cert_content": base64.b64encode(certificate("gateway-2").reveal()).decode()}
)


def config(url: str, **members: object) -> dict[str, object]:
    files = {f"{name}_cert": certificate(name).reveal() for name in ("app", "gateway", "root")}
    own = cn_account(url, private_key=pem("cn-app"), **{**files, **members})
    del own["gateway_public_key"]
    return {"accounts": {"cn": own}, "retry": {"deadline": 5.0}}


def answer(method: str, source: str, name: str) -> Step:
    """An answer of this method, signed under this certificate."""
    signature = base64.b64encode(sign(f"cn-{name}", source.encode())).decode()
    node = method.replace(".", "_") + "_response"
    return raw(lambda _: http(f'{{"{node}":{source},"alipay_cert_sn":"{SERIALS[name]}","sign":"{signature}"}}'.encode()))


def methods(gateway: Gateway) -> list[str]:
    return [parse_qs(received.target.partition("?")[2])["method"][0] for received in gateway.received]


def params(received: Received) -> dict[str, str]:
    return dict(parse_qsl(received.target.partition("?")[2]) + parse_qsl(received.body.decode()))


new = answer(UPDATE, DONE, "gateway-2")


def test_a_known_certificate_is_all_it_takes(anywhere: Use) -> None:
    with Gateway(answer(UPDATE, DONE, "gateway")) as gateway:
        outcome = anywhere.apply(config(gateway.url), MAINLAND, signers={})
    assert outcome.code is Code.APPLIED
    assert params(gateway.received[0])["app_cert_sn"] == SERIALS["app"]


def test_an_unknown_certificate_is_fetched_once_for_the_clients_life(anywhere: Use) -> None:
    with Gateway(new, answer(DOWNLOAD, CONTENT, "gateway"), new) as gateway:
        outcomes = anywhere.applies(config(gateway.url, cert_download=True), MAINLAND, MAINLAND, signers={})
    assert [outcome.code for outcome in outcomes] == [Code.APPLIED, Code.APPLIED]
    assert [len(outcome.attempts) for outcome in outcomes] == [1, 1]
    assert [outcome.notes for outcome in outcomes] == [(f"certificate {SERIALS['gateway-2']} was fetched; its chain is sound",), ()]
    assert methods(gateway) == [UPDATE, DOWNLOAD, UPDATE]
    assert json.loads(params(gateway.received[1])["biz_content"]) == {"alipay_cert_sn": SERIALS["gateway-2"]}


def test_it_is_fetched_only_with_leave(use: Use) -> None:
    with Gateway(new) as gateway:
        outcome = use.apply(config(gateway.url), MAINLAND, signers={})
    assert outcome.finding is not None
    assert (outcome.code, outcome.finding.code) == (Code.UNTRUSTED_ANSWER, "SIG-UNKNOWN-CERT")
    assert methods(gateway) == [UPDATE]


NOT_BROUGHT = {
    "signed by the unknown one itself": (answer(DOWNLOAD, CONTENT, "gateway-2"), "SIG-UNKNOWN-CERT"),
    "signed by an app with the same authorities": (answer(DOWNLOAD, CONTENT, "app"), "SIG-UNKNOWN-CERT"),
    "another certificate": (
        answer(
            DOWNLOAD,
            json.dumps({"code": "10000", "alipay_cert_content": base64.b64encode(certificate("odd-order").reveal()).decode()}),
            "gateway",
        ),
        "CERT-CHAIN",
    ),
    "a refusal": (answer(DOWNLOAD, '{"code":"40006","sub_code":"isv.insufficient-isv-permissions"}', "gateway"), "SIG-UNKNOWN-CERT"),
    "a page": (raw(lambda _: http(b"<html>", status="502 Bad Gateway")), "SIG-UNKNOWN-CERT"),
}


@pytest.mark.parametrize(("step", "finding"), NOT_BROUGHT.values(), ids=NOT_BROUGHT)
def test_without_a_sound_certificate_the_answer_is_not_believed(step: Step, finding: str, use: Use) -> None:
    with Gateway(new, step) as gateway:
        outcome = use.apply(config(gateway.url, cert_download=True), MAINLAND, signers={})
    assert outcome.finding is not None
    assert (outcome.code, outcome.finding.code, len(outcome.attempts)) == (Code.UNTRUSTED_ANSWER, finding, 1)
    assert methods(gateway) == [UPDATE, DOWNLOAD]


def test_fetching_is_bound_by_the_same_deadline(use: Use) -> None:
    with Gateway(new, silence) as gateway:
        given = config(gateway.url, cert_download=True)
        given["retry"] = {"deadline": 0.5}
        (outcome,) = use.in_turn(given, applying(MAINLAND), signers={})
    assert outcome.code is Code.UNTRUSTED_ANSWER  # type: ignore[attr-defined]
    assert use.took[0] < 5.0  # a bound against a hang: the read timeout


NOW = datetime.now(UTC)


def dated(folder: Path, begins: timedelta, ends: timedelta) -> bytes:
    """Our certificate for this time alone, by OpenSSL's authority: its other commands have no such option."""
    files = {name: folder / name for name in ("request", "index", "serial", "ca.cnf", "made")}
    key = Path(__file__).parents[1] / "vectors" / "keys"
    subject = ["-subj", "/CN=dated"]
    _openssl("req", "-new", "-key", key / "cn-app.pem", *subject, "-out", files["request"])
    _openssl("req", "-x509", "-key", key / "stranger.pem", "-subj", "/CN=authority", "-out", folder / "ca.pem")
    files["index"].write_text("")
    files["serial"].write_text("01")
    settings = {"database": "index", "serial": "serial", "new_certs_dir": "", "default_md": "sha256", "policy": "any"}
    lines = "\n".join(f"{name} = {value if name in {'default_md', 'policy'} else folder / value}" for name, value in settings.items())
    files["ca.cnf"].write_text(f"[ca]\ndefault_ca = own\n[own]\n{lines}\n[any]\ncommonName = supplied\n")
    span = ["-startdate", f"{NOW + begins:%Y%m%d%H%M%SZ}", "-enddate", f"{NOW + ends:%Y%m%d%H%M%SZ}"]
    signer: list[str | Path] = ["-cert", folder / "ca.pem", "-keyfile", key / "stranger.pem"]
    _openssl("ca", "-batch", "-notext", "-config", files["ca.cnf"], *signer, *span, "-in", files["request"], "-out", files["made"])
    return files["made"].read_bytes()


def _openssl(*words: str | Path) -> None:
    command = ["openssl", *map(str, words)]
    subprocess.run(command, capture_output=True, check=True)  # noqa: S603 - our own words


def day(days: float) -> timedelta:
    return timedelta(days=days)


@pytest.mark.parametrize(
    ("begins", "ends", "code"),
    [(day(-9), day(-1), "expired"), (day(-9), timedelta(seconds=-5), "expired"), (day(1), day(99), "not_yet_valid")],
)
def test_a_certificate_that_is_not_valid_is_a_configuration_error(begins: timedelta, ends: timedelta, code: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        Client.from_config(config("http://127.0.0.1:9", app_cert=dated(tmp_path, begins, ends)))
    assert [(problem.path, problem.code) for problem in caught.value.problems] == [("accounts.cn.app_cert", code)]


def test_a_certificate_that_soon_expires_is_warned_of(tmp_path: Path) -> None:
    given = config("http://127.0.0.1:9", app_cert=dated(tmp_path, day(-9), day(29)))
    with pytest.warns(PassbridgeWarning, match=rf"^accounts\.cn\.app_cert: expires on {NOW + day(29):%Y-%m-%d}; download the new one"):
        Client.from_config(given).close()
    given = config("http://127.0.0.1:9", app_cert=dated(tmp_path, day(-9), day(31)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Client.from_config(given).close()
