"""A real PostgreSQL server for the tests: its own cluster in its own folder, on a free port of the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg


def programs() -> Path | None:
    """Where the server's programs are; Debian keeps them out of the search path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def server(binaries: Path) -> Iterator[str]:
    """A running server; gives the address of an empty database."""
    with cluster(binaries) as running:
        yield running.url


@dataclass(frozen=True)
class Cluster:
    """A running server, to be stopped and started by hand."""

    url: str
    control: Callable[..., None]

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends every session, `immediate` is a crash."""
        self.control("-m", mode, "-w", "stop")

    def start(self) -> None:
        self.control("-w", "start")
        _answers(self.url)


@contextmanager
def cluster(binaries: Path) -> Iterator[Cluster]:
    """A running server with an empty database."""
    folder = Path(tempfile.mkdtemp(prefix="passbridge-pg-"))
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        as_user = ["runuser", "-u", "postgres", "--"]
    port = free_port()
    data = folder / "data"

    def run(*command: object) -> None:
        subprocess.run([*as_user, *map(str, command)], cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own command

    try:
        run(binaries / "initdb", "-D", data, "-U", "merchant", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off -c max_connections=50"
        control = partial(run, binaries / "pg_ctl", "-D", data, "-o", settings, "-l", folder / "log")
        running = Cluster(f"postgresql://merchant@127.0.0.1:{port}/postgres", control)
        running.start()
        try:
            yield running
        finally:
            if (data / "postmaster.pid").exists():
                running.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answers(url: str) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.05)
        else:
            return
