"""A secret is shown to nobody: not in an error, its traceback, a log, a warning, a repr, a copy, a dump or a URL."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from passbridge import AsyncClient, Client, ConfigError, InvalidUpdate, PassRef, Redeem
from passbridge.config import HttpSettings
from passbridge.transport.message import address_of
from tests.faults.gateway import Gateway
from tests.faults.regions import HK
from tests.faults.steps import again, answer, read
from tests.trust.misplaced import AES_KEY, BARE, FILES, HALF, KEY, NEEDLES, PASSWORD, TOKEN, WRONG, Config, changed, config, encrypted
from tests.trust.search import Shown, everything_shown


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_a_configuration_that_cant_work_is_refused_without_a_secret(given: Config) -> None:
    shown = everything_shown(lambda: Client.from_config(given))
    assert isinstance(shown.error, ConfigError)
    assert shown.leaks(*NEEDLES) == {}


@pytest.mark.parametrize("name", ["a private key, half of it", "a token as text", "a proxy of another kind"])
def test_the_awaiting_client_refuses_it_as_silently(name: str) -> None:
    shown = everything_shown(lambda: AsyncClient.from_config(WRONG[name]))
    assert isinstance(shown.error, ConfigError)
    assert shown.leaks(*NEEDLES) == {}


@pytest.mark.parametrize("line", FILES.values(), ids=FILES)
def test_a_file_that_cant_work_is_refused_without_a_secret(tmp_path: Path, line: str) -> None:
    (tmp_path / "half.pem").write_bytes(HALF)
    backend = "mainland" if "token" in line or "encrypt" in line else "hk"
    (tmp_path / "passbridge.toml").write_text(f'[accounts.a]\nbackend = "{backend}"\nprofile = "x"\n{line}\n', encoding="utf-8")
    shown = everything_shown(lambda: Client.from_config(tmp_path / "passbridge.toml"))
    assert isinstance(shown.error, ConfigError)
    assert shown.leaks(*NEEDLES) == {}


def test_variables_of_the_environment_are_shown_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CN_TOKEN", f"{TOKEN} {TOKEN}")
    monkeypatch.setenv("PASSBRIDGE_ACCOUNTS__HK__PRIVATE_KEY", BARE)
    monkeypatch.setenv("PASSBRIDGE_HTTP__PROXY", f"https://somebody:{PASSWORD}@proxy:3128")
    monkeypatch.setenv("PASSBRIDGE_RETRY", f'{{"attempts": "{BARE}"')
    shown = everything_shown(lambda: Client.from_config(changed("cn", "app_auth_token", {"env": "CN_TOKEN"})))
    assert isinstance(shown.error, ConfigError)
    assert shown.leaks(*NEEDLES) == {}


def _updates() -> list[Redeem]:
    return [Redeem(to=name, pass_=PassRef(id="1", user_id="1")) for name in ("hk", "cn")]


def test_a_whole_life_of_a_client_shows_no_secret() -> None:
    with Gateway(HK, (again(read, answer),)) as gateway:

        def live() -> list[object]:
            given = config(gateway.url)
            del given["http"]["proxy"]
            with Client.from_config(given) as client:
                outcomes = [client.apply(_updates()[0])]
                return [*outcomes, *map(client.render, _updates()), client.capabilities("cn"), client]

        shown = everything_shown(live)
    assert shown.error is None
    assert shown.leaks(*NEEDLES) == {}


@pytest.mark.parametrize("account", ["hk", "cn"])
def test_a_proxy_that_fails_shows_no_password(account: str) -> None:
    def call() -> object:
        with Client.from_config(config()) as client:
            return client.apply(Redeem(to=account, pass_=PassRef(id="1", user_id="1")))

    shown = everything_shown(call)
    shown.texts["outcome"] = repr(shown.value) + json.dumps(shown.value.model_dump(mode="json"))  # type: ignore[attr-defined]
    assert shown.leaks(*NEEDLES) == {}


def test_an_update_that_cant_be_carried_shows_no_secret() -> None:
    client = Client.from_config(config())
    for call in (
        lambda: client.apply(Redeem(to=BARE, pass_=PassRef(id="1"))),
        lambda: client.apply(Redeem(to="hk", pass_=PassRef(id="1"))),
        lambda: client.apply(Redeem(to="cn", pass_=PassRef(id="\U0001f600"))),
        lambda: client.execute("cn", object()),
        lambda: client.call("cn", "/", {}),
        lambda: client.capabilities("nobody"),
    ):
        shown = everything_shown(call)
        assert isinstance(shown.error, InvalidUpdate)
        assert shown.leaks(*NEEDLES[3:]) == {}
    client.close()


@cache
def _client() -> Client:
    return Client.from_config(config())


def _accounts() -> Any:  # noqa: ANN401 - what the package keeps to itself
    return _client()._accounts


@cache
def _encrypting() -> Any:  # noqa: ANN401 - what the package keeps to itself
    """An account that encrypts, under a key that can be looked for."""
    gateway = Client.from_config(encrypted(encryption_private_key=KEY))._accounts.opened["hk"].gateway
    return gateway.drawing(lambda size: AES_KEY[:size])  # type: ignore[attr-defined]  # it is AlipayHK's


def _encrypted_request() -> Any:  # noqa: ANN401 - likewise
    return _encrypting().seal(_encrypting().prepare(_updates()[0], datetime.now(UTC)), datetime.now(UTC))


OBJECTS: dict[str, Callable[[], object]] = {
    "a gateway that encrypts": _encrypting,
    "how it encrypts": lambda: _encrypting().encryption,
    "its settings": lambda: _encrypting().settings,
    "an encrypted request": _encrypted_request,
    "the key of an encrypted request": lambda: _encrypted_request().key,
    "a client": _client,
    "an awaiting client": lambda: AsyncClient(_accounts()),
    "accounts": _accounts,
    "a network": lambda: _accounts().network,
    "an opened account": lambda: _accounts().opened["cn"],
    "a gateway": lambda: _accounts().opened["hk"].gateway,
    "settings of hk": lambda: _accounts().opened["hk"].gateway.settings,
    "settings of the mainland": lambda: _accounts().opened["cn"].gateway.settings,
    "an encryption": lambda: _accounts().opened["cn"].gateway.encryption,
    "an encryption's key": lambda: _accounts().opened["cn"].gateway.settings.encrypt_key,
    "a secret": lambda: _accounts().opened["cn"].gateway.settings.app_auth_token,
    "settings of http": lambda: HttpSettings.model_validate(config()["http"]),
    "capabilities": lambda: _client().capabilities("cn"),
    "a rendered request": lambda: _client().render(_updates()[1]),
    "a prepared update": lambda: _accounts().opened["cn"].gateway.prepare(_updates()[1], datetime.now(UTC)),
    "a route": lambda: _accounts().network.route(address_of("https://gateway.example")),
}
BODY = {("a rendered request", "slots"), ("a rendered request", "a pickle"), ("a prepared update", "a pickle")}
"""What is sent: the token must stand there."""

VIEWS: dict[str, Callable[[Any], object]] = {
    "repr": repr,
    "str": str,
    "format": lambda value: f"{value}",
    "vars": lambda value: vars(value) if hasattr(value, "__dict__") else "",
    "slots": lambda value: [getattr(value, name, "") for name in getattr(type(value), "__slots__", ()) if name[0] != "_"],
    "a dump": lambda value: value.model_dump() if hasattr(value, "model_dump") else "",
    "a dump for JSON": lambda value: value.model_dump(mode="json") if hasattr(value, "model_dump") else "",
    "JSON": lambda value: value.model_dump_json() if hasattr(value, "model_dump_json") else "",
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    "a pickle": lambda value: pickle.dumps(value).decode("latin-1"),
    "dir": dir,
}


@pytest.mark.parametrize(("name", "view"), [pair for pair in product(OBJECTS, VIEWS) if pair not in BODY])
def test_no_view_of_an_object_shows_a_secret(name: str, view: str) -> None:
    value = OBJECTS[name]()
    shown = everything_shown(lambda: VIEWS[view](value))
    if shown.error is None:
        shown = Shown({"view": repr(shown.value) + str(shown.value)})
    assert shown.leaks(*NEEDLES) == {}


def test_a_request_s_key_is_where_it_must_be_and_nowhere_else() -> None:
    request = _encrypted_request()
    assert request.key.reveal() == AES_KEY
    texts = [request.url, repr(request), repr(request.headers), request.body.decode()]
    assert not any(needle.found(text) for needle in NEEDLES for text in texts)


def test_no_url_holds_a_token() -> None:
    with Client.from_config(config()) as client:
        requests = [client.render(update) for update in _updates()]
    for request in requests:
        assert not any(needle.found(request.url) for needle in NEEDLES)
        assert not any(needle.found(repr(request)) for needle in NEEDLES)
    assert TOKEN.encode() in requests[1].body  # where it must be
