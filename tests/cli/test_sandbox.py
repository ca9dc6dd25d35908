"""Starting the sandbox from the command line, and making it misbehave."""

from __future__ import annotations

import http.server
import os
import signal
import socket
import sqlite3
import threading
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from passbridge import Client, load_update
from passbridge.sandbox import Sandbox
from tests.cli.conftest import REDEEM, Cli, Done, wait_for

Use = Callable[[], object]


def while_it_runs(use: Use, number: signal.Signals, sign: str = "box/passbridge.toml") -> threading.Thread:
    """Use a sandbox that this process is about to start, as soon as a file of its stands there; then send the process a signal."""

    def used() -> None:
        try:
            wait_for(Path(sign).exists)
            use()
        finally:
            os.kill(os.getpid(), number)

    thread = threading.Thread(target=used)
    thread.start()
    return thread


def started(cli: Cli, use: Use, *arguments: object, number: signal.Signals = signal.SIGTERM) -> Done:
    thread = while_it_runs(use, number)
    done = cli("sandbox", "start", "--port", "0", "--write-config", "box/passbridge.toml", *arguments)
    thread.join()
    Path("box/passbridge.toml").unlink()
    return done


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_it_runs_until_a_signal_comes_and_exits_0(cli: Cli, number: signal.Signals) -> None:
    done = started(cli, lambda: time.sleep(1.1), "--json", number=number)

    assert (done.exit, done.err) == (0, "")
    assert set(done.json) == {"url", "config"}
    assert done.json["url"].startswith("http://127.0.0.1:")
    assert done.json["config"] == "box/passbridge.toml"


def test_people_read_where_the_gateways_stand(cli: Cli) -> None:
    lines = started(cli, lambda: None).out.splitlines()

    url = lines[0].removeprefix("AlipayHK   ")
    assert lines[1:] == [
        f"mainland   {url}/gateway.do",
        f"sandbox    {url}/sandbox/passes",
        "config     box/passbridge.toml",
        "",
        "  passbridge send --config box/passbridge.toml --from update.json",
    ]


def test_all_accounts_are_written_where_they_are_asked_for(cli: Cli) -> None:
    accounts: list[set[str]] = []

    def look() -> None:
        accounts.append(set(tomllib.loads(Path("box/passbridge.toml").read_text(encoding="utf-8"))["accounts"]))

    assert started(cli, look).exit == 0
    assert started(cli, look, "--all-accounts").exit == 0

    assert accounts[0] == {"hk-cards", "hk-members", "hk-tickets", "cn"}
    assert accounts[1] - accounts[0] >= {"cn-agent", "cn-cert", "cn-aes"}


def test_all_accounts_of_no_configuration_exits_2(cli: Cli) -> None:
    done = cli("sandbox", "start", "--port", "0", "--all-accounts", "--json")

    assert done.exit == 2
    assert "--write-config" in done.json["problems"][0]["message"]


def test_passes_and_keys_are_kept_over_a_restart(cli: Cli) -> None:
    codes, keys = [], []

    def redeem() -> None:
        keys.append({path.name: path.read_bytes() for path in Path("box/keys").iterdir()})
        with Client.from_config("box/passbridge.toml") as client:
            codes.append(client.apply(load_update(REDEEM)).code)

    assert [started(cli, redeem, "--data", "sandbox.db").exit for _ in range(2)] == [0, 0]

    assert codes == ["APPLIED", "ALREADY_IN_STATE"]
    assert keys[0] == keys[1]


def test_without_write_config_there_is_none(cli: Cli) -> None:
    thread = while_it_runs(lambda: None, signal.SIGTERM, "sandbox.db")

    done = cli("sandbox", "start", "--port", "0", "--data", "sandbox.db")

    thread.join()
    assert [line.partition(" ")[0] for line in done.out.splitlines()] == ["AlipayHK", "mainland", "sandbox"]
    assert [path.name for path in Path().iterdir()] == ["sandbox.db"]


def refused(cli: Cli, *arguments: object) -> str:
    done = cli("sandbox", "start", "--json", *arguments)
    assert (done.exit, done.problems) == (2, [("sandbox", "unusable")])
    message: str = done.json["problems"][0]["message"]
    return message


def test_a_port_that_is_taken_exits_2(cli: Cli, box: Sandbox) -> None:
    assert "Address already in use" in refused(cli, "--port", box.url.rpartition(":")[2])


def test_a_file_that_is_not_the_sandboxs_exits_2_and_stays(cli: Cli) -> None:
    Path("notes.txt").write_text("mine\n" * 1000, encoding="utf-8")
    sqlite3.connect("other.db").execute("CREATE TABLE mine (a)").connection.close()
    Path("passbridge.toml").write_text("# mine\n", encoding="utf-8")

    assert "not a sandbox's data file" in refused(cli, "--port", "0", "--data", "notes.txt")
    assert "not a sandbox's data file" in refused(cli, "--port", "0", "--data", "other.db")
    assert "not overwritten: passbridge.toml" in refused(cli, "--port", "0", "--write-config", "passbridge.toml")
    assert refused(cli, "--port", "0", "--data", "missing/sandbox.db")
    assert refused(cli, "--port", "0", "--write-config", "notes.txt/passbridge.toml")
    assert cli("sandbox", "start", "--data", ".").exit == 2
    assert Path("notes.txt").read_text(encoding="utf-8") == "mine\n" * 1000
    assert Path("passbridge.toml").read_text(encoding="utf-8") == "# mine\n"
    assert not Path("keys").exists()


def test_faults_are_added_listed_and_cleared(cli: Cli, box: Sandbox) -> None:
    at = ["--url", box.url]
    one = cli("sandbox", "fault", "add", "lose-answer", "--gateway", "hk", "--pass", "77", "--count", "2", "--json", *at).json
    other = cli("sandbox", "fault", "add", "code:KP.AE_SYSTEM_ERROR", "--json", *at).json

    assert (one["fault"], one["gateway"], one["match"], one["count"]) == ("lose-answer", "hk", {"pass": "77"}, 2)
    assert cli("sandbox", "fault", "list", "--json", *at).json == [one, other] == box.faults()
    assert cli("sandbox", "fault", "list", *at).out.split()[:5] == ["fault", "gateway", "match", "count", "lose-answer"]
    assert cli("sandbox", "fault", "add", "unsigned", "--url", f"{box.url}/").out.splitlines()[1].split() == ["unsigned", "any", "any", "1"]
    assert cli("sandbox", "fault", "clear", *at).out == "no fault is active\n"
    assert cli("sandbox", "fault", "clear", "--json", *at).json == []
    assert box.faults() == []


def test_the_sandbox_is_asked_through_no_proxy(cli: Cli, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert cli("sandbox", "fault", "list", "--url", box.url).exit == 0


@pytest.mark.parametrize("name", ["lose-anwser", "code", "code:NOPE", "delay:never", "\udcff"])
def test_a_fault_that_is_none_exits_2_in_the_sandboxs_own_words(cli: Cli, box: Sandbox, name: str) -> None:
    done = cli("sandbox", "fault", "add", name, "--url", box.url, "--json")

    assert (done.exit, done.json["error"], len(done.problems)) == (2, "refused", 1)
    assert box.faults() == []


class _Other(http.server.BaseHTTPRequestHandler):
    """Some other program's server."""

    def do_GET(self) -> None:
        self.send_response(200 if "fine" in self.headers["Host"] else 404)
        self.end_headers()
        self.wfile.write(b"<html>")

    def do_DELETE(self) -> None:
        self.send_response(404)
        self.end_headers()
        self.wfile.write(b'{"error": "no such page"}')

    def log_message(self, *_: object) -> None:
        pass


def test_where_no_sandbox_answers_the_exit_is_6(cli: Cli) -> None:
    with socket.socket() as taken, http.server.HTTPServer(("127.0.0.1", 0), _Other) as server:
        taken.bind(("127.0.0.1", 0))
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        for url in (
            f"http://127.0.0.1:{taken.getsockname()[1]}",
            f"http://127.0.0.1:{server.server_port}",
            "http://127.0.0.1:port",
            "http://[",
            "http://",
        ):
            for command in ("list", "clear"):
                done = cli("sandbox", "fault", command, "--url", url, "--json")
                assert (done.exit, done.problems) == (6, [(url, "no_sandbox")])
        server.shutdown()
