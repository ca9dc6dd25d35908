from __future__ import annotations

import copy
import pickle
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from passbridge import AsyncClient, Client, ConfigError, PassRef, Problem, Redeem
from passbridge.backends.hk.settings import HkSettings
from passbridge.backends.mainland.settings import MainlandSettings
from passbridge.config import Config, read_config
from passbridge.errors import PassbridgeWarning
from passbridge.protocol.settings import Secret
from tests.client.keys import DER, key, private_bytes, public_bytes
from tests.config.leaks import found_in, spellings
from tests.config.setup import CN, GATEWAYS, HK, OURS, config, secret, written

TOKEN = b"201509BBeff9351ad1874306903e96b91d248A36"
SHORT = private_bytes(key("short", 1024))
DAMAGED = OURS.replace(b"-----END", b"-----AND")
TWO_WORDS = TOKEN + b" " + TOKEN

HK_KEYS: Mapping[str, Any] = HK | {"private_key": OURS, "gateway_public_key": GATEWAYS}
CN_KEYS: Mapping[str, Any] = CN | {"private_key": OURS, "gateway_public_key": GATEWAYS, "app_auth_token": TOKEN}

INVALID: dict[str, tuple[str, str, bytes]] = {
    # which: the account, its member, and the secret that stands there
    "a damaged private key": ("hk", "private_key", DAMAGED),
    "a short private key": ("hk", "private_key", SHORT),
    "a damaged private key of the mainland": ("cn", "private_key", DAMAGED),
    "bare base64 that is damaged": ("cn", "private_key", private_bytes(key("ours"), DER).hex().encode()),
    "a private key in the gateway's place": ("hk", "gateway_public_key", private_bytes(key("gateway"))),
    "a private key in the mainland gateway's place": ("cn", "gateway_public_key", private_bytes(key("gateway"))),
    "a token of two words": ("cn", "app_auth_token", TWO_WORDS),
    "a token that is no text": ("cn", "app_auth_token", TOKEN + b"\xff"),
}
BESIDE: dict[str, tuple[str, str, bytes]] = {
    # where nothing is wrong with the secret, and something else is
    "a private key": ("hk", "private_key", OURS),
    "a token": ("cn", "app_auth_token", TOKEN),
}


def _with(account: str, member: str, value: object) -> dict[str, Any]:
    accounts: dict[str, dict[str, Any]] = {"hk": {**HK_KEYS}, "cn": {**CN_KEYS}}
    accounts[account][member] = value
    return {"accounts": accounts}


def _refused(given: object, opener: type[Client | AsyncClient] = Client) -> ConfigError:
    with pytest.raises(ConfigError) as raised:
        opener.from_config(given)  # type: ignore[arg-type]
    return raised.value


def _require_unseen(error: BaseException, data: bytes) -> None:
    assert found_in(error, data) == []


@pytest.mark.parametrize("opener", [Client, AsyncClient])
@pytest.mark.parametrize(("account", "member", "data"), INVALID.values(), ids=INVALID)
def test_an_invalid_secret_given_as_bytes_is_nowhere_in_the_error(
    opener: type[Client | AsyncClient], account: str, member: str, data: bytes
) -> None:
    error = _refused(_with(account, member, data), opener)
    assert {problem.path for problem in error.problems} == {f"accounts.{account}.{member}"}
    _require_unseen(error, data)


@pytest.mark.parametrize("way", ["file", "variable", "folder"])
@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_an_invalid_secret_that_was_read_is_nowhere_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, case: tuple[str, str, bytes]
) -> None:
    account, member, data = case
    (tmp_path / "run").mkdir()
    secret(tmp_path / "secret.pem", data)
    secret(tmp_path / "run" / "its-name", data)
    value: object = {"file": "secret.pem", "folder": "its-name"}.get(way, {"env": "ITS_CONTENT"})
    monkeypatch.setenv("ITS_CONTENT", data.decode("utf-8", "surrogateescape"))
    wrong = config(**{account: {member: value}}, secrets_dir="run")
    _require_unseen(_refused(written(tmp_path, wrong)), data)


@pytest.mark.parametrize(("account", "member", "data"), BESIDE.values(), ids=BESIDE)
@pytest.mark.parametrize("wrong", [{"gateway": "http://a.example"}, {"clientid": "x"}, {"retry": {"attempts": 0}}], ids=str)
def test_a_secret_beside_a_mistake_is_nowhere_in_the_error(account: str, member: str, data: bytes, wrong: Mapping[str, Any]) -> None:
    given = _with(account, member, data)
    given["accounts"][account].update(wrong)
    _require_unseen(_refused(given), data)


@pytest.mark.parametrize(("account", "member", "data"), BESIDE.values(), ids=BESIDE)
def test_a_secret_beside_a_mistake_elsewhere_is_nowhere_in_the_error(account: str, member: str, data: bytes) -> None:
    tables: dict[str, Any]
    for tables in ({"retry": {"attempts": 0}}, {"htp": {}}, {"http": {"ca_file": "nowhere.pem"}}, {"mappings": {"overlays": ["a.toml"]}}):
        _require_unseen(_refused(_with(account, member, data) | tables), data)


@pytest.mark.parametrize("member", ["private_key", "gateway_public_key"])
@pytest.mark.parametrize(
    "text", [OURS.decode(), OURS.decode().replace("\n", ""), OURS.decode().splitlines()[1]], ids=["PEM", "a line", "base64"]
)
@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: {"env": text}, lambda text: [text]], ids=["a path", "a name", "a list"])
def test_a_key_in_place_of_what_names_it_is_nowhere_in_the_error(tmp_path: Path, member: str, text: str, wrap: Any) -> None:  # noqa: ANN401
    error = _refused(written(tmp_path, config({member: wrap(text)})))
    _require_unseen(error, text.encode())


def test_a_token_in_place_of_what_names_it_is_nowhere_in_the_error(tmp_path: Path) -> None:
    error = _refused(written(tmp_path, config(cn={"app_auth_token": TOKEN.decode()})))
    _require_unseen(error, TOKEN)


PASSWORD = b"proxy-password-93"


@pytest.mark.parametrize("scheme", ["http", "https"], ids=["right", "wrong"])
def test_a_proxys_password_is_nowhere_in_an_error(scheme: str) -> None:
    proxy = f"{scheme}://somebody:{PASSWORD.decode()}@proxy:3128"
    _require_unseen(_refused(_with("hk", "gateway", "nowhere") | {"http": {"proxy": proxy}}), PASSWORD)


def test_a_warning_that_is_made_an_error_holds_no_secret(tmp_path: Path) -> None:
    file = written(tmp_path, config())
    (tmp_path / "ours.pem").chmod(0o644)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(PassbridgeWarning) as raised:
            Client.from_config(file)
    _require_unseen(raised.value, OURS)


def test_the_search_for_leaks_finds_them() -> None:
    def leaking(given: object) -> None:
        raise ConfigError([Problem("", "", repr(bool(given)))])

    with pytest.raises(ConfigError) as raised:
        leaking({"accounts": [{"private_key": OURS}]})
    places = found_in(raised.value, OURS, within=str(Path(__file__).parent))
    (place,) = (place for place in places if "leaking" in place)
    assert place.endswith("leaking: given")


@pytest.fixture
def found(tmp_path: Path) -> Config:
    """A configuration with every secret in it."""
    secret(tmp_path / "token.txt", TOKEN)
    tables = {"http": {"proxy": f"http://somebody:{PASSWORD.decode()}@proxy:3128"}}
    given = config(cn={"app_auth_token": "token.txt"}, **tables)
    whole, wrong = read_config(written(tmp_path, given), {"hk": HkSettings, "mainland": MainlandSettings})
    assert wrong == []
    return whole


def _unseen(text: str) -> bool:
    return not any(mark in text for data in (OURS, TOKEN, PASSWORD) for mark in spellings(data))


def test_a_configuration_shows_no_secret(found: Config) -> None:
    assert _unseen(repr(found) + str(found))
    for settings in found.accounts.values():
        assert _unseen(f"{settings!r}{settings}{settings.model_dump()}{settings.model_dump_json()}{vars(settings)}{dict(settings)}")
        assert _unseen(repr(settings.model_copy(deep=True)) + repr(copy.deepcopy(settings)))


def test_a_configuration_is_not_pickled(found: Config) -> None:
    for settings in found.accounts.values():
        with pytest.raises(TypeError, match="secrets are not pickled"):
            pickle.dumps(settings)


def test_a_client_shows_no_secret_and_is_not_pickled(tmp_path: Path) -> None:
    with Client.from_config(written(tmp_path, config())) as client:
        assert _unseen(repr(client) + repr(vars(client)) + repr(client._accounts))
        with pytest.raises((TypeError, AttributeError, pickle.PicklingError)) as raised:
            pickle.dumps(client)
    assert _unseen("".join(traceback.format_exception(raised.value)))


def test_a_secret_shows_where_it_came_from_and_nothing_else() -> None:
    hidden = Secret(OURS, "ours.pem")
    assert (repr(hidden), str(hidden), f"{hidden}", hidden.origin) == ("Secret(…)", "Secret(…)", "Secret(…)", "ours.pem")
    assert hidden.reveal() == OURS
    assert copy.copy(hidden) is hidden
    assert copy.deepcopy(hidden) is hidden
    with pytest.raises(TypeError, match="secrets are not pickled"):
        pickle.dumps(hidden)


def test_an_error_of_the_configuration_can_be_pickled() -> None:
    error = _refused(_with("hk", "gateway", "nowhere"))
    assert pickle.loads(pickle.dumps(error)).problems == error.problems  # noqa: S301 - our own
    assert [problem.as_json()["path"] for problem in error.problems] == ["accounts.hk.gateway"]


def test_a_public_key_is_no_secret(tmp_path: Path) -> None:
    (tmp_path / "gateway.pem").write_bytes(public_bytes(key("gateway")))
    assert str(_refused(written(tmp_path, config({"gateway_public_key": "nowhere.pem"})))).count("nowhere.pem") == 1


ONE_LINE = private_bytes(key("ours"), DER).hex()
IN_A_NAME_S_PLACE: dict[str, tuple[dict[str, Any], str]] = {
    "a table's": ({ONE_LINE: 1}, ""),
    "an account's": ({"accounts": {ONE_LINE: CN_KEYS, "cn": CN_KEYS}}, "accounts"),
    "a member's": (_with("cn", ONE_LINE, "x"), "accounts.cn"),
    "a key version's": (_with("hk", "gateway_public_keys", {ONE_LINE: GATEWAYS}), "accounts.hk.gateway_public_keys"),
}


@pytest.mark.parametrize("which", IN_A_NAME_S_PLACE)
@pytest.mark.parametrize("from_file", [False, True])
def test_a_key_in_a_name_s_place_is_told_by_its_length_alone(which: str, from_file: bool, tmp_path: Path) -> None:  # noqa: FBT001 - parametrized
    given, place = IN_A_NAME_S_PLACE[which]
    origin = tmp_path / "passbridge.toml"
    if from_file:
        origin.write_text(f"'{ONE_LINE}' = 1\n" if not place else f"[{place}]\n'{ONE_LINE}' = 1\n")
    error = _refused(origin if from_file else given)
    told = f"{origin}{': ' if place else ''}{place}" if from_file else place or "the configuration"
    assert (told, "long_name") in [(problem.path, problem.code) for problem in error.problems]
    assert not found_in(error, ONE_LINE.encode())


def test_an_interrupted_signer_s_traceback_shows_no_token() -> None:
    def interrupted(_: bytes) -> bytes:
        raise KeyboardInterrupt

    with (
        Client.from_config({"accounts": {"cn": CN_KEYS}}, signers={"cn": interrupted}) as client,
        pytest.raises(KeyboardInterrupt) as raised,
    ):
        client.apply(Redeem(to="cn", pass_=PassRef(id="1", channel="2")))

    assert found_in(raised.value, TOKEN) == []
