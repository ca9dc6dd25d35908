"""The installed command as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from passbridge import Client, Code, load_update
from tests.cli.conftest import REDEEM, SCRIPT, USER, child

pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="needs the installed command")

REAL_ACCOUNTS = {
    "PASSBRIDGE_ACCOUNTS__HK_TICKETS__CLIENT_ID": "4Q5Y8W0WSG45P907917",
    "PASSBRIDGE_ACCOUNTS__CN__GATEWAY": "https://127.0.0.1:9/gateway.do",
    "PASSBRIDGE_HTTP__PROXY": "http://127.0.0.1:9",
    "PASSBRIDGE_DEFAULT": "nobody",
    "PASSBRIDGE_CONFIG": "nowhere.toml",
    "http_proxy": "http://127.0.0.1:9",
}

HEAVY = ("httpx", "starlette", "uvicorn", "cryptography", "pydantic", "rich", "alipay")

LOADED = """
import atexit, sys
from passbridge.cli import main
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
main()
"""


def test_the_demo_runs_in_any_locale_and_whatever_the_environment_says_of_real_accounts() -> None:
    done = child("demo", "--json", environment={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", **REAL_ACCOUNTS})

    assert (done.exit, done.err) == (0, "")
    assert {step["update"]["to"] for step in done.json["steps"]} == {"hk-cards", "hk-members", "hk-tickets", "cn"}
    assert done.out.isascii()
    assert "登機口更改" in json.dumps(done.json, ensure_ascii=False)


def test_help_imports_nothing_heavy() -> None:
    done = child("--help", program=(sys.executable, "-c", LOADED))

    assert done.out.startswith("Usage: passbridge ")
    loaded = set(done.err.split())
    assert "click" in loaded
    assert [name for name in HEAVY if name in loaded] == []


def test_it_runs_as_a_module_too() -> None:
    assert child("codes", "NO_ANSWER", program=(sys.executable, "-m", "passbridge")).out.startswith("NO_ANSWER: ")


@pytest.mark.parametrize(("missing", "command", "extra"), [("starlette", "demo", "sandbox"), ("click", "codes", "cli")])
def test_a_missing_extra_exits_3(missing: str, command: str, extra: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; from passbridge.cli import main; main()"

    done = child(command, program=(sys.executable, "-c", code))

    assert (done.exit, done.out) == (3, "")
    assert done.err == f"error: the extra {extra!r} is not installed (pip install 'passbridge[{extra}]')\n"


def test_a_broken_installation_is_a_bug_that_exits_70() -> None:
    code = "import passbridge.resources as r; r.files = lambda name: r.missing; from passbridge.cli import main; main()"

    done = child("codes", "--json", program=(sys.executable, "-c", code))

    assert (done.exit, done.problems) == (70, [("", "bug")])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_sandbox_says_in_one_line_where_it_listens_works_and_ends_at_a_signal(number: signal.Signals) -> None:
    command = [str(SCRIPT), "sandbox", "start", "--json", "--port", "0", "--write-config", "passbridge.toml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:  # noqa: S603 - our own command
        assert process.stdout
        line = json.loads(process.stdout.readline())
        assert line["config"] == "passbridge.toml"
        assert line["url"] in Path("passbridge.toml").read_text(encoding="utf-8")
        with Client.from_config() as client:
            assert client.apply(load_update(REDEEM)).code is Code.APPLIED
        assert child("sandbox", "fault", "list", "--json", "--url", line["url"]).json == []
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_a_refusal_through_a_pipe_that_is_closed_early_still_exits_1(config: Path) -> None:
    update = json.dumps({**REDEEM, "pass": {"id": "1", "user_id": USER}}).encode()
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(  # noqa: S603 - our own command
        [str(SCRIPT), "send", "--config", str(config)], input=update, stdout=writing, stderr=subprocess.PIPE, check=False
    )

    os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")
