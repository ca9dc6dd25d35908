from __future__ import annotations

import base64
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from passbridge import Client, Revise
from tests.cli.conftest import REVISE, Cli, Done

FORMS = {"pkcs8": b"-----BEGIN PRIVATE KEY-----", "pkcs1": b"-----BEGIN RSA PRIVATE KEY-----", "oneline": b"MII"}
OPENSSL = shutil.which("openssl")


def mode(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def openssl(*arguments: str) -> bytes:
    assert OPENSSL
    return subprocess.run([OPENSSL, *arguments], capture_output=True, check=True).stdout  # noqa: S603 - the judge


@pytest.mark.parametrize(("form", "start"), FORMS.items(), ids=FORMS)
def test_a_pair_is_written_in_the_asked_form_readable_by_its_owner_alone(cli: Cli, form: str, start: bytes) -> None:
    done = cli("keys", "generate", "--format", form, "--json")

    assert (done.exit, done.err) == (0, "")
    upload = done.json.pop("upload")
    assert done.json | {"upload": upload} == {
        "private_key": "keys/app.pem",
        "public_key": "keys/app-public.pem",
        "bits": 2048,
        "format": form,
        "upload": upload,
    }
    assert Path("keys/app.pem").read_bytes().startswith(start)
    assert Path("keys/app-public.pem").read_text(encoding="ascii").replace("\n", "")[26:-24] == upload
    assert (mode("keys"), mode("keys/app.pem")) == (0o700, 0o600)


@pytest.mark.parametrize("form", FORMS)
def test_the_pair_works_in_a_configuration(cli: Cli, rewritten: Callable[..., Path], form: str) -> None:
    assert cli("keys", "generate", "--format", form, "--name", "own").exit == 0
    path = rewritten(("keys/hk-app.pem", "keys/own.pem"))

    with Client.from_config(path) as client:
        request = client.render(Revise.model_validate(REVISE))

    assert "signature=" in request.headers["Signature"]


@pytest.mark.skipif(OPENSSL is None, reason="needs the OpenSSL command line")
@pytest.mark.parametrize("form", FORMS)
def test_openssl_reads_the_pair_and_finds_its_halves_alike(cli: Cli, form: str, folder: Path) -> None:
    upload = cli("keys", "generate", "--format", form, "--bits", "3072", "--json").json["upload"]
    private = ["-in", "keys/app.pem"]
    if form == "oneline":
        (folder / "key.der").write_bytes(base64.b64decode(Path("keys/app.pem").read_bytes().strip(), validate=True))
        private = ["-inform", "DER", "-in", "key.der"]

    derived = openssl("pkey", *private, "-pubout")

    assert derived == Path("keys/app-public.pem").read_bytes()
    assert b"3072 bit" in openssl("pkey", *private, "-noout", "-text")
    assert openssl("pkey", "-pubin", "-in", "keys/app-public.pem", "-outform", "DER") == base64.b64decode(upload)


def test_people_are_told_what_to_upload_and_never_shown_the_private_key(cli: Cli) -> None:
    text = cli("keys", "generate", "--out", "deep/er", "--name", "hk").out

    assert text.startswith("private key: deep/er/hk.pem\npublic key:  deep/er/hk-public.pem\n\nPaste this into the gateway's console:\nMII")
    secret = Path("deep/er/hk.pem").read_text(encoding="ascii").splitlines()[1:-1]
    assert [line for line in secret if line in text] == []


def taken(cli: Cli, *names: str) -> Done:
    done = cli("keys", "generate", "--json")
    assert (done.exit, done.json["error"]) == (2, "exists")
    assert [place for place, _ in done.problems] == [f"keys/{name}" for name in names]
    return done


def test_nothing_is_ever_overwritten(cli: Cli) -> None:
    assert cli("keys", "generate").exit == 0
    before = {path: path.read_bytes() for path in Path("keys").iterdir()}

    taken(cli, "app.pem", "app-public.pem")
    assert {path: path.read_bytes() for path in Path("keys").iterdir()} == before

    Path("keys/app.pem").unlink()
    taken(cli, "app-public.pem")
    assert not Path("keys/app.pem").exists()


def test_a_link_to_nowhere_is_not_written_through(cli: Cli, folder: Path) -> None:
    Path("keys").mkdir()
    Path("keys/app.pem").symlink_to(folder / "elsewhere.pem")

    taken(cli, "app.pem")
    assert not (folder / "elsewhere.pem").exists()


@pytest.mark.parametrize("name", ["", ".", "a/b", "../app", "/tmp/app"])  # noqa: S108 - must be refused
def test_a_name_with_folders_is_refused(cli: Cli, name: str) -> None:
    assert cli("keys", "generate", "--name", name, "--json").problems == [("", "usage")]
    assert not Path("keys").exists()


def test_where_nothing_can_be_written_nothing_is_left(cli: Cli) -> None:
    Path("file").touch()

    assert cli("keys", "generate", "--out", "file/keys", "--json").problems == [("file/keys", "unwritable")]
    assert cli("keys", "generate", "--out", "file", "--json").problems == [("", "usage")]
    assert cli("keys", "generate", "--name", "x" * 300, "--json").problems == [("keys", "unwritable")]
    assert [[*Path("keys").iterdir()], Path("file").stat().st_size] == [[], 0]
