"""The accounts for what few merchants use: made when asked for, written as files, kept over restarts."""

from __future__ import annotations

import base64
import sqlite3
import tomllib
from pathlib import Path

import pytest

from passbridge.sandbox import Sandbox
from passbridge.sandbox.setup import ACCOUNTS, STANDARD
from tests.sandbox.conftest import SERIAL, Cn, private, state
from tests.sandbox.mainland_life import issue, made


def test_they_stand_behind_the_standard_ones(box: Sandbox) -> None:
    accounts = box.config(all_accounts=True)["accounts"]
    assert list(accounts) == list(ACCOUNTS)
    assert {name: accounts[name] for name in STANDARD} == box.config()["accounts"]
    assert {"cn-agent", "cn-cert", "cn-aes"} < accounts.keys()
    assert box.config(all_accounts=True)["accounts"] == accounts


def test_each_has_what_it_is_there_for(box: Sandbox) -> None:
    accounts = box.config(all_accounts=True)["accounts"]
    cn = accounts["cn"]
    agent, cert, aes = (accounts[name] for name in ("cn-agent", "cn-cert", "cn-aes"))
    assert {name for name in cn if agent[name] != cn[name]} == {"channel_id"}
    assert agent.keys() - cn.keys() == {"app_auth_token"}
    assert (cert.keys() - cn.keys(), cn.keys() - cert.keys()) == ({"app_cert", "gateway_cert", "root_cert"}, {"gateway_public_key"})
    assert aes.keys() - cn.keys() == {"encrypt_key"}
    assert len(base64.b64decode(aes["encrypt_key"], validate=True)) == 16
    assert len({account["app_id"] for account in (cn, cert, aes)}) == 3
    assert len({account["channel_id"] for account in (cn, agent, cert, aes)}) == 4
    assert len({private(account["private_key"]).public_key().public_numbers() for account in (cn, cert, aes)}) == 3


def test_their_apps_are_unknown_before_they_are_asked_for() -> None:
    with Sandbox() as fresh, Sandbox() as other:
        merchant = Cn(other, "cn-aes")
        merchant.box = fresh
        answer = merchant.send({})
        assert answer.json["alipay_pass_instance_update_response"]["sub_code"] == "isv.invalid-app-id"


def test_they_are_written_as_files(box: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "passbridge.toml"
    box.write_config(path, all_accounts=True)
    config = box.config(all_accounts=True)
    written = tomllib.loads(path.read_text())
    files = {
        member: (name, value)
        for name, settings in written["accounts"].items()
        for member, value in settings.items()
        if isinstance(config["accounts"][name][member], bytes)
    }
    assert {"app_cert", "gateway_cert", "root_cert", "encrypt_key", "app_auth_token"} < files.keys()
    for name, settings in written["accounts"].items():
        for member, value in settings.items():
            expected = config["accounts"][name][member]
            if isinstance(expected, bytes):
                assert (tmp_path / value).read_bytes().endswith(expected)
            elif not isinstance(expected, dict):  # tables of keys: the tests of AlipayHK's further accounts
                assert value == expected
    for member in ("encrypt_key", "app_auth_token"):
        name, value = files[member]
        assert (tmp_path / value).read_bytes() == config["accounts"][name][member]


def test_another_sandbox_overwrites_them_but_nobody_elses(box: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "passbridge.toml"
    with Sandbox() as other:
        other.write_config(path, all_accounts=True)
    box.write_config(path, all_accounts=True)
    own = box.config(all_accounts=True)["accounts"]["cn-cert"]["app_cert"]
    assert (tmp_path / "keys" / "cn-cert-app.crt").read_bytes().endswith(own)
    (tmp_path / "keys" / "cn-aes-encrypt.key").write_text("the merchant's own")
    with pytest.raises(FileExistsError, match=r"cn-aes-encrypt\.key"):
        box.write_config(path, all_accounts=True)


def test_a_data_file_keeps_keys_templates_and_what_a_pass_was_issued_from(tmp_path: Path) -> None:
    with Sandbox(data=tmp_path / "box.db") as box:
        cn, aes = Cn(box), Cn(box, "cn-aes")
        tpl_id = made(cn)
        issue(cn, tpl_id)
        templates, passes = box.templates(), box.passes()
    with Sandbox(data=tmp_path / "box.db") as box:
        assert (box.templates(), box.passes()) == (templates, passes)
        cn.box = aes.box = box
        assert made(cn) == tpl_id
        made(aes)
        biz = {"serial_number": passes[-1]["id"], "channel_id": passes[-1]["channel"], "tpl_params": {"gate": "B1", "seat": "1"}}
        assert cn.call("alipay.pass.instance.update", biz)["code"] == "10000"
        shown = state(box, str(passes[-1]["id"]))["content"]
        assert (shown["gate"], "seat" in shown) == ("B1", False)
        assert Cn(box, "cn-aes").settings["private_key"] == aes.settings["private_key"]


def test_a_data_file_of_an_earlier_version_is_taken_up(tmp_path: Path) -> None:
    """Its table of passes as it was before passes could be issued."""
    file = tmp_path / "box.db"
    with Sandbox(data=file) as box:
        before = box.passes()
    db = sqlite3.connect(file)
    db.executescript(
        """
        CREATE TABLE earlier AS SELECT gateway, account, id, channel, state, content, user_id, open_id, template, valid_until, code_info,
            biz_date FROM passes;
        DROP TABLE passes;
        DROP TABLE templates;
        CREATE TABLE passes (
            gateway TEXT, account TEXT, id TEXT, channel TEXT, state TEXT, content TEXT, user_id TEXT, open_id TEXT,
            template TEXT, valid_until TEXT, code_info TEXT, biz_date TEXT, PRIMARY KEY (gateway, id, channel)
        );
        INSERT INTO passes SELECT * FROM earlier;
        DROP TABLE earlier;
        """
    )
    db.close()
    for _ in range(2):
        with Sandbox(data=file) as box:
            assert box.passes() == before
    with Sandbox(data=file) as box:
        cn = Cn(box)
        assert cn.code("USED") == "10000"
        assert issue(cn, made(cn))["code"] == "10000"
        assert state(box, SERIAL)["state"] == "USED"
