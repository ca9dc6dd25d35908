"""`passbridge doctor`: rows that a person and a program read, and an exit code that a deployment can go by."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path

import pytest

import passbridge
from tests.cli.conftest import Cli, Done
from tests.client.answers import http, raw
from tests.client.gateway import Gateway

VECTORS = Path(__file__).parents[1] / "vectors"


def states(done: Done) -> dict[str, str]:
    """Each check's state."""
    assert all(set(row) == {"check", "state", "message", "mend"} for row in done.json)
    found = {row["check"]: row["state"] for row in done.json}
    assert len(found) == len(done.json)
    return found


def row(done: Done, check: str) -> dict[str, str]:
    """The one row of a check."""
    (found,) = (row for row in done.json if row["check"] == check)
    return dict(found)


def certified(folder: Path, app: bytes | None = None) -> Path:
    """A configuration in certificate mode; the app's certificate as given."""
    for name in ("app", "gateway", "root"):
        (folder / f"{name}.crt").write_bytes((VECTORS / "certificates" / f"{name}.pem").read_bytes())
    if app is not None:
        (folder / "app.crt").write_bytes(app)
    key = folder / "key.pem"
    key.write_bytes((VECTORS / "keys" / "cn-app.pem").read_bytes())
    key.chmod(0o600)
    path = folder / "passbridge.toml"
    members = {
        "backend": "mainland",
        "gateway": "https://openapi.alipay.com/gateway.do",
        "app_id": "2014072300007148",
        "private_key": "key.pem",
    }
    files = {f"{name}_cert": f"{name}.crt" for name in ("app", "gateway", "root")}
    path.write_text("[accounts.cn]\n" + "".join(f'{name} = "{value}"\n' for name, value in (members | files).items()), encoding="utf-8")
    return path


def ending_in(days: int) -> bytes:
    """Our certificate, signed by itself, for so many days."""
    command = ["openssl", "req", "-x509", "-key", str(VECTORS / "keys" / "cn-app.pem"), "-subj", "/CN=x", "-days", str(days)]
    return subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own words


def test_everything_is_well(cli: Cli, config: Path) -> None:
    done = cli("doctor", "--config", config, "--json")
    assert (done.exit, done.err) == (0, "")
    assert set(states(done).values()) == {"ok"}
    assert row(done, "configuration")["message"] == f"read from {config}"
    assert row(done, "accounts.hk-tickets")["message"] == "opens: hk ticket, redeem close revise refund"
    assert row(done, "accounts.hk-tickets.private_key")["message"] == "RSA private key, 2048 bits"
    assert row(done, "accounts.hk-tickets.gateway_public_key")["message"] == "RSA public key, 2048 bits"
    assert row(done, "accounts.cn.private_key")["message"] == "RSA private key, 2048 bits"
    assert row(done, "accounts.cn.gateway_public_key")["message"] == "RSA public key, 2048 bits"
    assert not any(check.startswith("gateway ") for check in states(done))


def test_people_read_a_table(cli: Cli, config: Path) -> None:
    done = cli("doctor", "--config", config)
    assert done.exit == 0
    assert "ok  accounts.cn" in done.out
    assert "RSA private key, 2048 bits" in done.out


def test_certificates_are_told_with_their_end(cli: Cli, folder: Path) -> None:
    done = cli("doctor", "--config", certified(folder), "--json")
    assert (done.exit, states(done)["accounts.cn.app_cert"]) == (0, "ok")
    assert row(done, "accounts.cn.gateway_cert")["message"].startswith("RSA certificate, 2048 bits, valid until 21")


def test_a_certificate_that_soon_expires_is_a_warning_told_once(cli: Cli, folder: Path) -> None:
    done = cli("doctor", "--config", certified(folder, ending_in(20)), "--json")
    assert done.exit == 0
    assert [check for check, state in states(done).items() if state == "warn"] == ["accounts.cn.app_cert"]
    assert row(done, "accounts.cn.app_cert")["mend"] == "download the new one from the gateway's console before"


def test_every_mistake_is_a_row_and_exits_3(cli: Cli, folder: Path) -> None:
    path = certified(folder, b"rubbish")
    path.write_text(path.read_text(encoding="utf-8") + 'gateway_public_key = "app.crt"\n', encoding="utf-8")
    done = cli("doctor", "--config", path, "--json")
    assert done.exit == 3
    failed = {check: state for check, state in states(done).items() if state != "ok"}
    assert failed == {f"{path}: accounts.cn.gateway_public_key": "fail", f"{path}: accounts.cn.app_cert": "fail"}
    assert all(row(done, check)["mend"] for check in failed)


def test_without_a_configuration_it_says_so(cli: Cli) -> None:
    done = cli("doctor", "--json")
    assert done.exit == 3
    assert row(done, "configuration")["message"] == "no file; from the environment alone"
    assert states(done)["accounts"] == "fail"


def test_what_else_is_warned_of_is_a_row(cli: Cli, folder: Path) -> None:
    path = certified(folder)
    (folder / "key.pem").chmod(0o644)
    done = cli("doctor", "--config", path, "--json")
    assert (done.exit, done.err) == (0, "")
    warned = {check: state for check, state in states(done).items() if state == "warn"}
    assert warned == {f"{path}: accounts.cn.private_key": "warn"}
    assert row(done, f"{path}: accounts.cn.private_key")["message"] == "key.pem can be read by others; chmod 600 it"


def test_the_gateways_are_reached_only_when_asked(cli: Cli, config: Path) -> None:
    done = cli("doctor", "--config", config, "--online", "--json")
    assert done.exit == 0
    reached = [check for check in states(done) if check.startswith("gateway http://127.0.0.1:")]
    assert [check.endswith("/gateway.do") for check in reached] == [False, True]
    assert all(row(done, check)["message"].startswith("answers (HTTP ") for check in reached)


def test_a_gateway_that_cant_be_reached_fails(cli: Cli, rewritten: Callable[..., Path], config: Path) -> None:
    url = next(line for line in config.read_text(encoding="utf-8").splitlines() if line.startswith("gateway = ")).split('"')[1]
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        deaf = f"http://127.0.0.1:{held.getsockname()[1]}"
        done = cli("doctor", "--config", rewritten((url, deaf)), "--online", "--json")
    assert done.exit == 3
    assert row(done, f"gateway {deaf}")["message"] == "can't be reached: no connection (ECONNREFUSED)"


@pytest.mark.parametrize(
    ("field", "state"), [(-3600, "warn"), (5, None), (None, None), ("soon", None)], ids=["off", "right", "none", "no date"]
)
def test_the_clock_is_compared_with_the_gateways(field: int | str | None, state: str | None, cli: Cli, folder: Path) -> None:
    date = formatdate(time.time() + field, usegmt=True) if isinstance(field, int) else field
    with Gateway(raw(lambda _: http(b"", *([f"Date: {date}"] if date else []), status="404 Not Found"))) as gateway:
        path = certified(folder)
        path.write_text(path.read_text(encoding="utf-8").replace("https://openapi.alipay.com", gateway.url), encoding="utf-8")
        done = cli("doctor", "--config", path, "--online", "--json")
    url = f"{gateway.url}/gateway.do"
    assert (done.exit, gateway.received[0].line, len(gateway.received)) == (0, b"GET /gateway.do HTTP/1.1", 1)
    assert row(done, f"gateway {url}")["message"].startswith("answers (HTTP 404, ")
    assert states(done).get(f"clock against {url}") == state


def test_a_clock_that_stands_before_the_installation_fails(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = folder / "__init__.py"
    installed.touch()
    later = time.time() + 2 * 86400
    os.utime(installed, (later, later))
    monkeypatch.setattr(passbridge, "__file__", str(installed))
    done = cli("doctor", "--config", certified(folder), "--json")
    assert (done.exit, states(done)["clock"]) == (3, "fail")
    assert row(done, "clock")["message"].endswith(": that is before passbridge was installed")
