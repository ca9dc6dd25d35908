from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import stat
import sys
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.records import Pass
from passbridge.sandbox.server import Server, _Uvicorn
from passbridge.sandbox.store import KEPT_REQUESTS, Store
from tests.sandbox.conftest import CARD, PATH, SERIAL, TICKET, Cn, Hk, ask, private, public, state


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "shop" / "passbridge.toml"


# --- starting and stopping --------------------------------------------------------------------------------------------


def test_it_stops_with_its_block_and_leaves_nothing_running() -> None:
    before = threading.active_count()
    with Sandbox() as box:
        url = box.url
        assert ask(url, "GET", "/sandbox/readyz").status == 200
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        ask(url, "GET", "/sandbox/readyz")


def test_it_can_be_started_and_stopped_by_hand() -> None:
    box = Sandbox()
    box.stop()
    with pytest.raises(RuntimeError, match="isn't running"):
        box.passes()
    box.start()
    with pytest.raises(RuntimeError, match="already"):
        box.start()
    first = box.config()
    box.stop()
    box.stop()
    with box:
        assert box.config()["accounts"]["cn"]["private_key"] != first["accounts"]["cn"]["private_key"]


def test_it_takes_the_port_it_is_given_or_says_that_it_cannot() -> None:
    with Sandbox() as box:
        port = int(box.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            Sandbox(port=port).start()
    with Sandbox(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"


def test_it_stops_while_a_client_waits_for_a_late_answer() -> None:
    with Sandbox() as box:
        hk = Hk(box)
        box.add_fault({"fault": "delay:300"})
        body = b'{"passId":"1"}'
        connection = http.client.HTTPConnection(box.url.removeprefix("http://"), timeout=20)
        connection.request("POST", PATH, body, hk.headers(body))
        idle = http.client.HTTPConnection(box.url.removeprefix("http://"), timeout=20)
        idle.request("GET", "/sandbox/faults")
        assert idle.getresponse().read() == b"[]"
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        connection.getresponse()
    connection.close()
    idle.close()


def test_it_says_when_its_server_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def give_up(_server: object, **_sockets: object) -> None:
        sys.exit(3)

    monkeypatch.setattr(_Uvicorn, "startup", give_up)
    with pytest.raises(RuntimeError, match="did not start"):
        Sandbox().start()


def test_it_listens_without_nagles_delay() -> None:
    server = Server(_nothing, 0)
    assert server._socket.proto == socket.IPPROTO_TCP
    server._socket.close()


async def _nothing(*_arguments: object) -> None:
    pass


# --- the configuration -------------------------------------------------------------------------------------------------


def test_the_configuration_names_four_accounts(box: Sandbox) -> None:
    config = box.config()
    assert config["default"] == "hk-tickets"
    plain = {
        name: {member: value for member, value in settings.items() if not isinstance(value, bytes)}
        for name, settings in config["accounts"].items()
    }
    hk = {"backend": "hk", "gateway": box.url, "client_id": "SANDBOX0000000001", "merchant_id": "2312314123123123", "key_version": "1"}
    assert plain == {
        "hk-cards": {**hk, "profile": "card"},
        "hk-members": {**hk, "profile": "membership"},
        "hk-tickets": {**hk, "profile": "ticket"},
        "cn": {
            "backend": "mainland",
            "gateway": box.url + "/gateway.do",
            "app_id": "2021000000000001",
            "channel_id": "2088918273",
            "sign_type": "RSA2",
            "charset": "utf-8",
        },
    }


def test_every_side_has_its_own_key(box: Sandbox) -> None:
    accounts = box.config()["accounts"]
    assert accounts["hk-cards"]["private_key"] == accounts["hk-tickets"]["private_key"]
    keys = [private(accounts[name]["private_key"]).public_key() for name in ("hk-cards", "cn")]
    keys += [public(accounts[name]["gateway_public_key"]) for name in ("hk-cards", "cn")]
    assert len({key.public_numbers() for key in keys}) == 4
    assert {key.key_size for key in keys} == {2048}


def test_a_written_configuration_is_whole_and_private(box: Sandbox, elsewhere: Path) -> None:
    elsewhere.parent.mkdir()
    box.write_config(elsewhere)
    written = tomllib.loads(elsewhere.read_text())
    config = box.config()
    for name, settings in written["accounts"].items():
        for member in ("private_key", "gateway_public_key"):
            assert settings[member].startswith("keys/")
            content = (elsewhere.parent / settings[member]).read_bytes()
            assert content.endswith(config["accounts"][name][member])
            assert (private if member == "private_key" else public)(content).key_size == 2048
            settings[member] = config["accounts"][name][member]
    assert written == config
    keys = elsewhere.parent / "keys"
    assert stat.S_IMODE(keys.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in keys.iterdir()} == {0o600}
    assert sorted(file.name for file in keys.iterdir()) == ["cn-app.pem", "cn-gateway.pem", "hk-app.pem", "hk-gateway.pem"]
    assert [file.name for file in elsewhere.parent.iterdir() if file.name.startswith(".")] == []


def test_a_configuration_of_its_own_is_overwritten(box: Sandbox, elsewhere: Path) -> None:
    with Sandbox() as other:
        other.write_config(elsewhere)
    box.write_config(str(elsewhere))
    assert box.url in elsewhere.read_text()
    assert (elsewhere.parent / "keys" / "cn-app.pem").read_bytes().endswith(box.config()["accounts"]["cn"]["private_key"])


@pytest.mark.parametrize("name", ["passbridge.toml", "keys/hk-app.pem", "keys/cn-gateway.pem"])
def test_nobody_elses_file_is_overwritten_and_then_none_is_written(box: Sandbox, elsewhere: Path, name: str) -> None:
    file = elsewhere.parent / name
    file.parent.mkdir(parents=True)
    file.write_text("the merchant's own")
    with pytest.raises(FileExistsError, match=name):
        box.write_config(elsewhere)
    assert file.read_text() == "the merchant's own"
    assert [one for one in elsewhere.parent.rglob("*") if one.is_file()] == [file]


def test_a_link_to_nowhere_is_somebody_elses(box: Sandbox, elsewhere: Path) -> None:
    elsewhere.parent.mkdir()
    elsewhere.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        box.write_config(elsewhere)


def test_a_file_that_cannot_be_put_in_place_leaves_no_rest(box: Sandbox, elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_file: Path, _target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        box.write_config(elsewhere)
    assert list((elsewhere.parent / "keys").iterdir()) == []


# --- the data file -----------------------------------------------------------------------------------------------------


def test_a_data_file_keeps_keys_passes_and_requests(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    with Sandbox(data=file) as box:
        hk, first = Hk(box), box.config()
        assert hk.code(TICKET, "USED") == "SUCCESS"
        box.add_passes({"account": "cn", "id": "1"})
        passes = box.passes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with Sandbox(data=str(file)) as box:
        hk.box = box
        assert box.passes() == passes
        assert [entry["pass"] for entry in box.requests()] == [TICKET]
        for name, settings in box.config()["accounts"].items():
            assert settings["private_key"] == first["accounts"][name]["private_key"]
            assert settings["gateway_public_key"] == first["accounts"][name]["gateway_public_key"]
        assert hk.code(TICKET, "USED") == "PASS_USED_OCCUPIED"
        box.reset()
        assert hk.code(TICKET, "USED") == "SUCCESS"
    with Sandbox(data=file) as box:
        assert state(box, TICKET)["state"] == "USED"


@pytest.mark.parametrize("foreign", ["text", "database"])
def test_somebody_elses_file_is_no_data_file(tmp_path: Path, foreign: str) -> None:
    file = tmp_path / "books"
    if foreign == "text":
        file.write_text("the merchant's own " * 100)
    else:
        db = sqlite3.connect(file)
        db.execute("CREATE TABLE books (n)")
        db.close()
    content = file.read_bytes()
    with pytest.raises(FileExistsError, match="books"):
        Sandbox(data=file).start()
    assert file.read_bytes() == content


def test_a_data_file_with_a_damaged_key_is_refused_and_let_go(tmp_path: Path) -> None:
    file = tmp_path / "sandbox.db"
    store = Store(file)
    store.keep_key("hk-app", b"damaged")
    store.close()
    with pytest.raises(ValueError, match="PEM"):
        Sandbox(data=file).start()


def test_a_failed_transaction_leaves_nothing_behind() -> None:
    store = Store()
    with pytest.raises(ZeroDivisionError):
        _keep_and_fail(store)
    assert store.passes() == []
    store.close()


def _keep_and_fail(store: Store) -> None:
    with store.transaction():
        store.keep(Pass("hk", "hk-cards", "1"))
        raise ZeroDivisionError


def test_only_the_last_requests_are_kept() -> None:
    store = Store()
    with store.transaction():
        for number in range(KEPT_REQUESTS + 5):
            store.log({"at": number})
    kept = store.requests()
    assert (len(kept), kept[0], kept[-1]) == (1000, {"n": 6, "at": 5}, {"n": 1005, "at": 1004})
    store.close()


# --- at once -----------------------------------------------------------------------------------------------------------


def test_of_many_who_redeem_one_pass_exactly_one_succeeds(hk: Hk) -> None:
    barrier = threading.Barrier(8)

    def redeem(_number: int) -> str:
        barrier.wait()
        return hk.code(TICKET, "USED")

    with ThreadPoolExecutor(8) as pool:
        codes = sorted(pool.map(redeem, range(8)))
    assert codes == ["PASS_USED_OCCUPIED"] * 7 + ["SUCCESS"]
    assert [entry["applied"] for entry in hk.box.requests()].count(True) == 1


def test_the_callers_thread_may_look_while_requests_come_in(hk: Hk, cn: Cn) -> None:
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(hk.code, CARD, "UPDATE", updateDetailType="UPDATE_SCORE") for _ in range(20)]
        work += [pool.submit(cn.code, None, tpl_params={"n": number}) for number in range(20)]
        while not all(one.done() for one in work):
            assert len(hk.box.passes()) == 4
            assert len(hk.box.requests()) <= 40
    assert {one.result() for one in work} == {"SUCCESS", "10000"}
    assert len(hk.box.requests()) == 40
    assert state(hk.box, SERIAL)["content"]["n"] in range(20)


def test_no_private_key_is_ever_shown(hk: Hk, cn: Cn) -> None:
    hk.code(TICKET, "USED")
    cn.code("USED")
    for path in ("/", "/sandbox/passes", "/sandbox/requests", "/sandbox/faults", "/sandbox/guesses", "/sandbox/codes", "/sandbox/readyz"):
        assert b"PRIVATE" not in ask(hk.box.url, "GET", path).body


def test_the_umask_does_not_decide_who_reads_a_key(box: Sandbox, elsewhere: Path) -> None:
    mask = os.umask(0)
    try:
        box.write_config(elsewhere)
    finally:
        os.umask(mask)
    assert stat.S_IMODE((elsewhere.parent / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((elsewhere.parent / "keys" / "hk-app.pem").stat().st_mode) == 0o600
