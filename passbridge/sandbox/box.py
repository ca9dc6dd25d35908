"""The sandbox as a program holds it: start it, ask it, stop it.

Owns the life of one sandbox: simulator and server together. It must not know how either works.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from passbridge.domain.strictjson import JsonObject
from passbridge.sandbox.server import Server
from passbridge.sandbox.simulator import Simulator
from passbridge.sandbox.web import Application

__all__ = ["Sandbox"]


class Sandbox:
    """Both gateways on 127.0.0.1, in a thread of this process.

    Args:
        port: the port; 0 takes any that is free.
        data: a file that keeps keys, passes and requests over restarts. Without one, everything is new at each start.
    """

    def __init__(self, port: int = 0, data: str | Path | None = None) -> None:
        self._port = port
        self._data = None if data is None else Path(data)
        self._running: tuple[Simulator, Server] | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> Self:
        """Make or load the keys and accept connections.

        Raises:
            RuntimeError: it runs already.
            OSError: the port is taken, or the data file isn't a sandbox's.
        """
        if self._running:
            raise RuntimeError("the sandbox runs already")
        simulator = Simulator(self._data)
        try:
            server = Server(Application(simulator), self._port, simulator.greeting)
            server.start()
        except BaseException:
            simulator.close()
            raise
        self._running = simulator, server
        return self

    def stop(self) -> None:
        """Cut what is under way and let go of port and file. Once stopped, stopping again does nothing."""
        if self._running:
            simulator, server = self._running
            self._running = None
            server.stop()
            simulator.close()

    @property
    def url(self) -> str:
        """Where it listens: `http://127.0.0.1:PORT`."""
        return f"http://127.0.0.1:{self._parts[1].port}"

    def config(self, *, all_accounts: bool = False) -> dict[str, Any]:
        """The configuration for `Client.from_config`, keys as PEM bytes.

        Args:
            all_accounts: beside the four standard accounts, those for what few merchants use, too.
        """
        return self._simulator.config(self.url, all_accounts=all_accounts)

    def write_config(self, path: str | Path, *, all_accounts: bool = False) -> None:
        """Write that configuration as TOML, with its keys in a folder `keys` beside it.

        Raises:
            FileExistsError: one of the files stands there and isn't the sandbox's own. Then none is written.
        """
        self._simulator.write_config(self.url, Path(path), all_accounts=all_accounts)

    def reset(self) -> None:
        """Everything as at the start: the seeded passes, no request, no fault, every guess at its default. Keys stay."""
        self._simulator.reset()

    def passes(self) -> list[JsonObject]:
        """Every pass, as `GET /sandbox/passes` lists it."""
        return self._simulator.passes()

    def add_passes(self, passes: object) -> list[JsonObject]:
        """Add a pass or a list of them, as `POST /sandbox/passes` does.

        Raises:
            ValueError: with every reason in `problems`.
        """
        return self._simulator.add_passes(passes)

    def templates(self) -> list[JsonObject]:
        """Every template, as `GET /sandbox/templates` lists it."""
        return self._simulator.templates()

    def certificates(self) -> list[JsonObject]:
        """The mainland gateway's certificates, the one in use last, as `GET /sandbox/certificates` lists them."""
        return self._simulator.certificates()

    def renew_certificate(self, *, new_key: bool = False) -> list[JsonObject]:
        """Put a new certificate of the mainland's gateway in use, as `POST /sandbox/certificates` does."""
        return self._simulator.renew_certificate({"key": "new" if new_key else "same"})

    def requests(self) -> list[JsonObject]:
        """The last 1000 requests, newest last, as `GET /sandbox/requests` lists them."""
        return self._simulator.requests()

    def add_fault(self, fault: object) -> JsonObject:
        """Make a fault active, as `POST /sandbox/faults` does.

        Raises:
            ValueError: with every reason in `problems`.
        """
        return self._simulator.add_fault(fault)

    def faults(self) -> list[JsonObject]:
        """The active faults, as `GET /sandbox/faults` lists them."""
        return self._simulator.faults()

    def clear_faults(self) -> None:
        """Take every fault away."""
        self._simulator.clear_faults()

    def guesses(self) -> list[JsonObject]:
        """Every guess with the reading in force, as `GET /sandbox/guesses` lists it."""
        return self._simulator.guesses()

    def guess(self, chosen: object) -> None:
        """Switch guesses, `{"name": "value"}`, as `POST /sandbox/guesses` does.

        Raises:
            ValueError: with every reason in `problems`.
        """
        self._simulator.guess(chosen)

    @property
    def _parts(self) -> tuple[Simulator, Server]:
        if self._running is None:
            raise RuntimeError("the sandbox isn't running: start it, or use it in a with statement")
        return self._running

    @property
    def _simulator(self) -> Simulator:
        return self._parts[0]
