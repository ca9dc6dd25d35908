"""Backends by entry point: passbridge's own two, a third party's, and one that is broken."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from passbridge import ConfigError, Problem
from passbridge.backends import GROUP, find_backends
from passbridge.backends.hk import BACKEND as HK
from passbridge.backends.mainland import BACKEND as MAINLAND

Installed = Callable[[str, str, str], "subprocess.CompletedProcess[str]"]

BACKEND = '''
"""A gateway that says yes or no in plain text, and a backend that speaks to it."""

import json
from dataclasses import dataclass
from typing import Literal

from passbridge.domain import Code, Native
from passbridge.protocol.gateway import Capabilities, Prepared
from passbridge.protocol.settings import AccountSettings
from passbridge.protocol.verdict import Verdict
from passbridge.protocol.wire import Headers, WireRequest


class Settings(AccountSettings):
    backend: Literal["stamp"]
    shop: str


@dataclass(frozen=True)
class Gateway:
    settings: Settings

    @property
    def capabilities(self):
        return Capabilities(self.settings.name, "stamp", "stamp", ("redeem",), (), ("pass.id",))

    def prepare(self, update, now):
        return Prepared(json.dumps({"shop": self.settings.shop, "pass": update.pass_.id}).encode(), update.action, update.pass_.id)

    def seal(self, prepared, now):
        return WireRequest("POST", self.settings.gateway + "/stamp", Headers({"Content-Type": "application/json"}), prepared.content)

    def judge(self, prepared, request, response, now):
        words = json.loads(response.body)
        code = Code.APPLIED if words["said"] == "yes" else Code.PASS_NOT_FOUND
        return Verdict(code=code, native=Native(code=words["said"], verified=True), trace_id=response.headers.get("x-trace"))


class Backend:
    settings = Settings

    def open(self, settings, tables, signer):
        return Gateway(settings)


BACKEND = Backend()
'''

PROGRAM = """
import json, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from passbridge import Client, PassRef, Redeem


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body = json.dumps({"said": "yes" if asked == {"shop": "7", "pass": "1"} and self.path == "/stamp" else "no"}).encode()
        self.send_response(200)
        self.send_header("X-Trace", "t-9")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


server = HTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()
account = {"backend": "stamp", "gateway": f"http://127.0.0.1:{server.server_port}", "shop": "7"}
with Client.from_config({"accounts": {"stamps": account}, "default": "stamps"}) as client:
    for name in ("1", "2"):
        outcome = client.apply(Redeem(pass_=PassRef(id=name)))
        print(outcome.code, outcome.ok, outcome.account, outcome.pass_id, outcome.native.code, outcome.trace_id, len(outcome.attempts))
    print(client.capabilities("stamps").backend)
server.shutdown()
server.server_close()
"""

OPENING = """
from passbridge import Client, ConfigError
try:
    Client.from_config({"accounts": {"a": {"backend": "stamp"}}})
except ConfigError as error:
    for problem in error.problems:
        print(problem.path, "|", problem.code, "|", problem.message, "|", problem.mend)
"""


def install(folder: Path, module: str, entry: str) -> None:
    """Put a distribution with one backend into a folder, as an installer leaves it there."""
    (folder / "acme_stamps.py").write_text(module, encoding="utf-8")
    info = folder / "acme_stamps-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-stamps\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[passbridge.backends]\nstamp = {entry}\n")


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    """Install a distribution beside the others and run a program that can see it."""

    def run(program: str, module: str, entry: str) -> subprocess.CompletedProcess[str]:
        install(tmp_path, module, entry)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *filter(None, sys.path)])}
        command = [sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)  # noqa: S603 - ours

    return run


def test_passbridge_s_own_backends_are_registered_like_anybody_s() -> None:
    found = find_backends()
    assert GROUP == "passbridge.backends"
    assert found["hk"] is HK  # type: ignore[comparison-overlap]
    assert found["mainland"] is MAINLAND  # type: ignore[comparison-overlap]


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("acme_stampz:BACKEND", "can't be loaded: No module named 'acme_stampz'"),
        ("json:dumps", "is no backend: it has no settings and open"),
    ],
)
def test_a_broken_backend_is_found_in_this_very_process(entry: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "", entry)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find_backends()
    place = "entry point stamp of acme-stamps"
    assert caught.value.problems == (Problem(place, "unusable_backend", why, "mend or uninstall that distribution"),)


def test_every_broken_backend_is_told_at_once_and_what_is_half_a_backend_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "class Opens:\n    open = print\nclass Settles:\n    settings = dict\nclass Names:\n    settings = 'dict'\n    open = print\n"
    names = ("Missing", "Opens", "Settles", "Names")
    install(tmp_path, module, "acme_stampz:BACKEND\n" + "\n".join(f"{name.lower()} = acme_stamps:{name}" for name in names))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "acme_stamps", raising=False)
    with pytest.raises(ConfigError) as caught:
        find_backends()
    half = "is no backend: it has no settings and open"
    assert [(problem.path.partition(" of ")[0], problem.message) for problem in caught.value.problems] == [
        ("entry point stamp", "can't be loaded: No module named 'acme_stampz'"),
        ("entry point missing", "can't be loaded: module 'acme_stamps' has no attribute 'Missing'"),
        ("entry point opens", half),
        ("entry point settles", half),
        ("entry point names", half),
    ]
    assert {problem.code for problem in caught.value.problems} == {"unusable_backend"}
    assert {problem.mend for problem in caught.value.problems} == {"mend or uninstall that distribution"}


def test_a_third_party_s_backend_carries_updates_from_end_to_end(installed: Installed) -> None:
    done = installed(PROGRAM, BACKEND, "acme_stamps:BACKEND")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["APPLIED True stamps 1 yes t-9 1", "PASS_NOT_FOUND False stamps 2 no t-9 1", "stamp"]


@pytest.mark.parametrize(
    ("module", "entry", "why"),
    [
        pytest.param("", "acme_stamps:BACKEND", "module 'acme_stamps' has no attribute 'BACKEND'", id="no such name"),
        pytest.param("", "acme_stampz:BACKEND", "No module named 'acme_stampz'", id="no such module"),
        pytest.param("import acme_missing", "acme_stamps:BACKEND", "No module named 'acme_missing'", id="a dependency missing"),
    ],
)
def test_a_broken_entry_point_is_a_configuration_error_that_names_the_distribution(
    installed: Installed, module: str, entry: str, why: str
) -> None:
    done = installed(OPENING, module, entry)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f"entry point stamp of acme-stamps | unusable_backend | can't be loaded: {why} | mend or uninstall that distribution\n"
    )


@pytest.mark.parametrize(
    ("module", "entry"),
    [
        pytest.param("BACKEND = ", "acme_stamps:BACKEND", id="not Python"),
        pytest.param("raise RuntimeError('no licence')", "acme_stamps:BACKEND", id="fails while it is imported"),
        pytest.param("BACKEND = object()", "acme_stamps:BACKEND", id="no backend"),
    ],
)
def test_an_entry_point_that_fails_in_another_way_is_told_just_so(installed: Installed, module: str, entry: str) -> None:
    done = installed(OPENING, module, entry)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("entry point stamp of acme-stamps | unusable_backend | ")
