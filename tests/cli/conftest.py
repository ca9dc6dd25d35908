"""The command line as its users have it: arguments, standard streams, the folder and the environment; nothing inside."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from passbridge.cli.app import run
from passbridge.sandbox import Sandbox

SCRIPT = Path(sys.executable).parent / "passbridge"
"""The installed command."""

USER = "2160400000000135"
CARD = "2995228480402564890018"
TICKET = "2995228480402564890020"
SERIAL = "209919213"

REDEEM = {"action": "redeem", "to": "hk-tickets", "pass": {"id": TICKET, "user_id": USER}}
REVISE = {**REDEEM, "action": "revise", "kind": "air_ticket", "content": {"params": {"gate": "登"}}}
COUPON = {"action": "redeem", "to": "cn", "pass": {"id": SERIAL, "channel": "2088918273"}}


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    exit: int
    out: str
    err: str

    @property
    def json(self) -> Any:  # noqa: ANN401 - any document
        """The one document on standard output, on one line."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Path and code of each problem of an error."""
        assert self.json["schema"] == "passbridge.error/1"
        assert all(set(problem) == {"path", "code", "message", "mend"} for problem in self.json["problems"])
        return [(problem["path"], problem["code"]) for problem in self.json["problems"]]


Cli = Callable[..., Done]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test works in its own empty folder, with nothing configured."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("PASSBRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "no-such-folder"))
    return tmp_path


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run one command line in this process."""

    def called(*arguments: object, stdin: bytes | Mapping[str, object] = b"") -> Done:
        data = stdin if isinstance(stdin, bytes) else json.dumps(stdin).encode()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Done(code, out, err)

    return called


def child(
    *arguments: object,
    program: Sequence[object] = (SCRIPT,),
    stdin: bytes = b"",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Done:
    """Run one command line as a process of its own."""
    command = [str(part) for part in (*program, *arguments)]
    done = subprocess.run(command, input=stdin, capture_output=True, env={**os.environ, **environment}, timeout=60, check=False)  # noqa: S603 - our own command
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in out + err
    return Done(done.returncode, out, err)


def wait_for(ready: Callable[[], bool]) -> None:
    """Return when something has come about, or fail."""
    until = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < until, "it did not come about"
        time.sleep(0.01)


@pytest.fixture(scope="session")
def _written(running: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("merchant") / "passbridge.toml"
    running.write_config(path)
    head, _, _, *two = path.read_text(encoding="utf-8").split("\n[accounts.")
    text = "\n[accounts.".join([head, *two])
    path.write_text(text, encoding="utf-8")
    for account in two:
        once = f"[retry]\nattempts = 1\n\n[accounts.{account}"
        path.with_name(f"once-{account.partition(']')[0]}.toml").write_text(once, encoding="utf-8")
    return path


@pytest.fixture
def config(box: Sandbox, _written: Path) -> Path:
    """A configuration file for that sandbox, its keys beside it: `hk-tickets` and `cn`, for each key takes its time to open."""
    assert box.url in _written.read_text(encoding="utf-8")
    return _written


@pytest.fixture
def once(config: Path) -> Callable[[str], Path]:
    """One of its accounts alone, with a single attempt for each update."""
    return lambda account: config.with_name(f"once-{account}.toml")


@pytest.fixture
def rewritten(config: Path, folder: Path) -> Callable[..., Path]:
    """A copy of the configuration and its keys in the test's folder, with texts replaced in it."""

    def copied(*changes: tuple[str, str], more: str = "") -> Path:
        (folder / "keys").mkdir(exist_ok=True)
        for key in (config.parent / "keys").iterdir():
            own = folder / "keys" / key.name
            own.write_bytes(key.read_bytes())
            own.chmod(0o600)
        text = config.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = Path("own.toml")
        path.write_text(text + more, encoding="utf-8")
        return path

    return copied


@pytest.fixture
def update(folder: Path) -> Callable[[object], Path]:
    """Write a document to a file."""

    def written(document: object) -> Path:
        path = folder / "update.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return written
