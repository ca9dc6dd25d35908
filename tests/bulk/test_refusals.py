"""Ledgers that are not gone on with: each reason by its own code, and nothing sent."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from passbridge.bulk import Options, Row, Stop, run, settle, status
from passbridge.bulk.jobs import Job, Source
from passbridge.bulk.ledger import Ledger
from passbridge.errors import ConfigError, LedgerError, Problem
from tests.bulk.jobs import Desk, redeem, rows


def refusal(act: Callable[[], object]) -> list[tuple[str, str]]:
    """Place and code of every reason."""
    with pytest.raises(LedgerError) as caught:
        act()
    assert all(problem.message for problem in caught.value.problems)
    return [(problem.path, problem.code) for problem in caught.value.problems]


def codes(act: Callable[[], object]) -> list[str]:
    return [code for _, code in refusal(act)]


@pytest.mark.parametrize("change", ["other", "more", "fewer", "order"])
def test_another_input(desk: Desk, ledger: str, change: str) -> None:
    ids = desk.passes(4)
    updates = [redeem(id_) for id_ in ids[:3]]
    desk.run(updates, ledger)
    others = {
        "other": [*updates[:2], redeem(ids[3])],
        "more": [*updates, redeem(ids[3])],
        "fewer": updates[:2],
        "order": [updates[1], updates[0], updates[2]],
    }

    assert codes(lambda: desk.run(others[change], ledger)) == ["other_input"]
    assert len(desk.log()) == 3


def test_another_fingerprint_and_the_same_one(desk: Desk, ledger: str) -> None:
    given = rows([redeem(id_) for id_ in desk.passes(2)])
    run(desk.config, given, ledger, fingerprint="one")

    def unread() -> Row:
        raise AssertionError("the input is read, though its fingerprint is known")

    assert codes(lambda: run(desk.config, given, ledger, fingerprint="two")) == ["other_input"]
    assert run(desk.config, (unread() for _ in range(1)), ledger, fingerprint="one").exit == 0
    assert len(desk.log()) == 2


def test_an_input_that_was_cut_off_is_gone_on_with(desk: Desk, ledger: str) -> None:
    given = rows([redeem(id_) for id_ in desk.passes(3)])
    many = [Row.bad(line, (Problem("", "missing", "is missing"),)) for line in range(10, 1200)]

    def broken() -> object:
        yield from given
        yield from many
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run(desk.config, broken(), ledger)  # type: ignore[arg-type]  # a generator of rows
    assert status(ledger).loading
    assert codes(lambda: run(desk.config, None, ledger)) == ["incomplete"]
    assert desk.log() == []

    told = run(desk.config, [*given, *many], ledger, Options(workers=1))
    assert (told.rows, dict(told.codes)) == (1193, {"APPLIED": 3, "INVALID_UPDATE": 1190})


@pytest.mark.parametrize("other", ["cn", None])
def test_another_default_account_while_the_input_is_written(desk: Desk, ledger: str, other: str | None) -> None:
    config = desk.config | {"default": "hk-tickets"}
    changed = {name: value for name, value in (config | {"default": other}).items() if value}
    given = rows([redeem(id_).model_copy(update={"to": None}) for id_ in desk.passes(1001)])

    def broken() -> object:
        yield from given[:1000]
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        run(config, broken(), ledger)  # type: ignore[arg-type]  # a generator of rows
    with pytest.raises(LedgerError) as caught:
        run(changed, given, ledger)
    assert [problem.code for problem in caught.value.problems] == ["other_configuration"]
    assert "begun with the default account 'hk-tickets', this configuration has " + repr(other).replace("None", "none") in str(caught.value)
    with closing(Ledger(ledger)) as opened:
        assert opened.db.rows("SELECT DISTINCT account FROM lane") == [("hk-tickets",)]
    assert desk.log() == []


def test_another_default_account_once_the_input_is_written(desk: Desk, ledger: str) -> None:
    given = rows([redeem(id_).model_copy(update={"to": None}) for id_ in desk.passes(2)])
    stop = Stop()
    stop.request()
    run(desk.config | {"default": "hk-tickets"}, given[:1], ledger, stop=stop)
    run(desk.config | {"default": "hk-tickets"}, given, ledger, Options(workers=1))

    assert run(desk.config | {"default": "cn"}, given, ledger).as_json()["codes"] == {"APPLIED": 2}
    assert {entry.outcome.account for entry in desk.entries(ledger).values() if entry.outcome} == {"hk-tickets"}


def test_lines_that_do_not_rise(desk: Desk) -> None:
    ids = desk.passes(2)
    with pytest.raises(ValueError, match="line 3 comes after line 3"):
        run(desk.config, [Row.of(3, redeem(ids[0])), Row.of(3, redeem(ids[1]))], desk.ledger)


def test_another_configuration(desk: Desk, ledger: str) -> None:
    updates = rows([redeem(id_) for id_ in desk.passes(1)])
    run(desk.config, updates, ledger)
    other = desk.config
    other["accounts"] = {**other["accounts"], "hk-tickets": other["accounts"]["hk-tickets"] | {"merchant_id": "another"}}
    without = desk.config | {"default": "cn"}
    without["accounts"] = {"cn": desk.config["accounts"]["cn"]}

    assert [path.rpartition(": ")[2] for path, _ in refusal(lambda: run(other, updates, ledger))] == ["hk-tickets"]
    assert codes(lambda: run(other, updates, ledger)) == codes(lambda: run(without, updates, ledger)) == ["other_configuration"]
    assert len(desk.log()) == 1


def test_keys_and_patience_may_change(desk: Desk, ledger: str) -> None:
    updates = rows([redeem(id_) for id_ in desk.passes(1)])
    run(desk.config, updates, ledger)
    other = desk.config | {"retry": {"deadline": 7.0}}
    account = other["accounts"]["hk-tickets"] | {"key_version": "2", "gateway": desk.box.url + "/"}
    other["accounts"] = {**other["accounts"], "hk-tickets": account}

    assert run(other, updates, ledger).exit == 0


@pytest.mark.parametrize(("version", "code"), [(99, "newer_schema"), (1, "older_schema")])
def test_another_schema(desk: Desk, ledger: str, version: int, code: str) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(1)], ledger)
    with closing(Ledger(ledger)) as opened, opened.db.transaction():
        opened.db.run("UPDATE job SET version = ?", (version,))

    assert codes(lambda: status(ledger)) == codes(lambda: desk.run(None, ledger)) == [code]


def test_no_ledger(desk: Desk, ledger: str) -> None:
    assert codes(lambda: status(ledger)) == codes(lambda: desk.run(None, ledger)) == ["no_ledger"]
    assert codes(lambda: settle(ledger, 1, applied=True, reason="seen")) == ["no_ledger"]


@pytest.mark.parametrize("content", [b"no database at all, but long enough to look at" * 100, b""])
def test_a_file_of_another_kind(desk: Desk, content: bytes) -> None:
    Path(desk.ledger).write_bytes(content)

    assert codes(lambda: status(desk.ledger)) == (["damaged"] if content else ["no_ledger"])


def test_another_programs_database(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.ledger)) as other:
        other.execute("CREATE TABLE job (version)")
        other.commit()

    assert refusal(lambda: desk.run([])) == [(desk.ledger, "no_ledger")]


def test_a_torn_file(desk: Desk) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(60)])
    whole = Path(desk.ledger).read_bytes()
    Path(desk.ledger).write_bytes(whole[: len(whole) // 2])

    assert codes(lambda: desk.run(None)) == ["damaged"]


def test_a_row_that_is_not_as_it_was_written(desk: Desk, ledger: str) -> None:
    ids = desk.passes(2)
    with pytest.raises(ConfigError):
        run({}, [], ledger)
    desk.box.add_fault({"fault": "bad-signature", "match": {"pass": ids[0]}})
    desk.run([redeem(id_) for id_ in ids], ledger, force=True)
    with closing(Ledger(ledger)) as opened, opened.db.transaction():
        opened.db.run("UPDATE item SET text = replace(text, ?, ?)", (ids[0], "31999"))
        opened.db.run("UPDATE pending SET again = 1, takes = 0")

    assert codes(lambda: desk.run(None, ledger)) == ["damaged"]
    assert len(desk.log()) == 2


def test_a_second_process(desk: Desk) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(1)])
    with closing(Ledger(desk.ledger, alone=True)):
        assert refusal(lambda: desk.run(None)) == [(desk.ledger, "locked")]
        assert status(desk.ledger).rows == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no flock there")
@pytest.mark.parametrize("error", [errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS, errno.EIO])
def test_a_file_system_that_has_no_locks(desk: Desk, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    desk.write([redeem(id_) for id_ in desk.passes(1)])

    def refuses(_file: int, _operation: int) -> None:
        raise OSError(error, os.strerror(error))

    with monkeypatch.context() as such_a_file_system:
        such_a_file_system.setattr("fcntl.flock", refuses)
        with pytest.raises(LedgerError) as caught:
            desk.run(None)
        assert status(desk.ledger).rows == 1

    (problem,) = caught.value.problems
    assert (problem.path, problem.code, problem.mend) == (desk.ledger, "unusable", "give a ledger on a local disk")
    assert os.strerror(error) in problem.message
    assert desk.log() == []
    assert desk.run(None).states


def test_a_ledger_is_its_owners_alone(desk: Desk) -> None:
    desk.run([redeem(id_) for id_ in desk.passes(1)])

    assert Path(desk.ledger).stat().st_mode & 0o077 == 0


def test_a_job_never_shows_its_configuration(desk: Desk) -> None:
    job = Job(Source(config=desk.config), desk.ledger, Options(), Stop())

    assert "PRIVATE KEY" not in repr(job)


def test_a_folder_that_is_not_there(desk: Desk) -> None:
    assert codes(lambda: desk.run([], str(desk.folder / "nowhere" / "job.db"))) == ["unusable"]


@pytest.mark.parametrize(
    "url", ["postgresql://me:secret@127.0.0.1/db", "postgresql://127.0.0.1/db?password=secret", "postgres://me:@127.0.0.1/db"]
)
def test_a_password_in_the_address(url: str) -> None:
    with pytest.raises(LedgerError) as caught:
        status(url)

    assert [problem.code for problem in caught.value.problems] == ["password_in_url"]
    assert "secret" not in str(caught.value)
    assert "PGPASSFILE" in str(caught.value)


def test_a_bad_name_of_a_job() -> None:
    assert codes(lambda: status('postgresql://127.0.0.1/db?job=a";drop')) == ["bad_job"]


def test_a_server_that_is_not_there() -> None:
    assert refusal(lambda: status("postgresql://127.0.0.1:1/db")) == [("postgresql://127.0.0.1:1/db", "unusable")]


def test_the_servers_password_comes_from_the_environment(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "not asked for here")

    assert codes(lambda: status(server)) == ["no_ledger"]


def test_jobs_of_one_database_are_apart(desk: Desk, server: str) -> None:
    ids = desk.passes(2)
    desk.run([redeem(ids[0])], server)
    desk.run([redeem(ids[1])], server + "b")

    assert (status(server).rows, status(server + "b").rows) == (1, 1)
    with psycopg.connect(server.partition("?")[0]) as connection:
        found = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'passbridge%%'").fetchone()
    assert found
    assert found[0] >= 2
