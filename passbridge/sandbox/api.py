"""The JSON API under `/sandbox/` and the page at `/`.

Owns the doors: which path and method reach which of the simulator's methods, and the shape of a refusal. It must not
know how requests come in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import HTMLResponse, JSONResponse, Response

from passbridge.domain.problems import did_you_mean
from passbridge.domain.strictjson import JsonError, read_json
from passbridge.errors import Problem
from passbridge.sandbox.hk_envelope import PATHS
from passbridge.sandbox.inputs import BadInput
from passbridge.sandbox.simulator import Simulator

__all__ = ["Asked", "answered", "refused"]

_HEADERS: Final = MappingProxyType(
    {"cache-control": "no-store", "x-content-type-options": "nosniff", "content-security-policy": "default-src 'none'"}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What came with a request to the API: its query and its body."""

    query: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:  # noqa: ANN401 - JSON; the simulator checks it
        """The body as JSON.

        Raises:
            BadInput: it isn't.
        """
        try:
            return read_json(self.body)
        except JsonError as error:
            raise BadInput([Problem("", "unreadable_json", f"the body is not readable as JSON: {error}")]) from None


def refused(status: int, message: str, code: str, mend: str = "", headers: Mapping[str, str] | None = None) -> Response:
    """A refusal with one reason."""
    return _error(status, message, [Problem("", code, message, mend)], headers)


def answered(simulator: Simulator, method: str, path: str, asked: Asked) -> Response:
    """The answer to a request that no gateway takes."""
    method = "GET" if method == "HEAD" else method
    if path not in _DOORS:
        return refused(404, "there is nothing at this path", "not_found", did_you_mean(path, _DOORS))
    if method not in _DOORS[path]:
        allowed = ", ".join(_DOORS[path])
        return refused(405, "this path has no such method", "method_not_allowed", f"use {allowed}", {"allow": allowed})
    try:
        return _DOORS[path][method](simulator, asked)
    except BadInput as error:
        return _error(400, "what was sent can't be used", list(error.problems))


def _error(status: int, message: str, problems: list[Problem], headers: Mapping[str, str] | None = None) -> Response:
    body = {"schema": "passbridge.error/1", "error": message, "problems": [problem.as_json() for problem in problems]}
    return JSONResponse(body, status, {**_HEADERS, **(headers or {})})


def _json(value: Any, status: int = 200) -> Response:  # noqa: ANN401 - JSON
    return JSONResponse(value, status, dict(_HEADERS))


def _reset(simulator: Simulator, _asked: Asked) -> Response:
    simulator.reset()
    return _json({"reset": True})


def _clear_faults(simulator: Simulator, asked: Asked) -> Response:
    number = asked.query.get("id")
    if number is not None and not (number.isascii() and number.isdigit()):
        raise BadInput([Problem("id", "not_a_count", "must be a fault's number")])
    cleared = simulator.clear_faults(None if number is None else int(number))
    if number is not None and not cleared:
        return refused(404, "there is no such fault", "not_found", "GET /sandbox/faults lists the active ones")
    return _json({"cleared": cleared})


def _page(simulator: Simulator, _asked: Asked) -> Response:
    doors = "".join(f"<li><code>{' | '.join(methods)} {path}</code></li>" for path, methods in _DOORS.items())
    faults = "".join(f"<li><code>{row['fault']}</code>: {escape(str(row['text']))}</li>" for row in simulator.fault_names())
    paths = "".join(f"<li><code>POST {path}</code>: AlipayHK</li>" for path in PATHS)
    return HTMLResponse(_HOME.format(paths=paths, doors=doors, faults=faults), headers=dict(_HEADERS))


_HOME: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>passbridge sandbox</title></head><body>
<h1>passbridge sandbox</h1>
<p>Both Alipay gateways, simulated on this machine alone. Nothing here reaches Alipay.</p>
<ul>{paths}
<li><code>GET | POST /gateway.do</code>: mainland: templates, passes, queries, certificates</li></ul>
<h2>The sandbox's own doors</h2><ul>{doors}</ul>
<h2>Faults</h2><ul>{faults}</ul>
</body></html>
"""

_Door = Callable[[Simulator, Asked], Response]
_DOORS: Final[Mapping[str, Mapping[str, _Door]]] = MappingProxyType(
    {
        "/": {"GET": _page},
        "/sandbox/readyz": {"GET": lambda _simulator, _asked: _json({"ready": True})},
        "/sandbox/passes": {
            "GET": lambda simulator, _asked: _json(simulator.passes()),
            "POST": lambda simulator, asked: _json(simulator.add_passes(asked.value), 201),
        },
        "/sandbox/templates": {"GET": lambda simulator, _asked: _json(simulator.templates())},
        "/sandbox/certificates": {
            "GET": lambda simulator, _asked: _json(simulator.certificates()),
            "POST": lambda simulator, asked: _json(simulator.renew_certificate(asked.value), 201),
        },
        "/sandbox/requests": {"GET": lambda simulator, _asked: _json(simulator.requests())},
        "/sandbox/reset": {"POST": _reset},
        "/sandbox/faults": {
            "GET": lambda simulator, _asked: _json(simulator.faults()),
            "POST": lambda simulator, asked: _json(simulator.add_fault(asked.value), 201),
            "DELETE": _clear_faults,
        },
        "/sandbox/faults/names": {"GET": lambda simulator, _asked: _json(simulator.fault_names())},
        "/sandbox/guesses": {
            "GET": lambda simulator, _asked: _json(simulator.guesses()),
            "POST": lambda simulator, asked: _json(simulator.guess(asked.value)),
        },
        "/sandbox/codes": {"GET": lambda simulator, _asked: _json(simulator.codes())},
    }
)
"""Every path of the API with its methods."""
