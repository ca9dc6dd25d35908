"""`passbridge keys`: make the pair whose public half is uploaded to a gateway's console."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import click
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from passbridge.cli.output import Exit, Failure, emit, json_option
from passbridge.errors import Problem

__all__ = ["keys"]

_PRIVATE = {
    "pkcs8": (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8),
    "pkcs1": (serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL),
    "oneline": (serialization.Encoding.DER, serialization.PrivateFormat.PKCS8),
}


@click.group()
@json_option
def keys() -> None:
    """Make key pairs."""


@keys.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("keys"),
    show_default=True,
    help="The folder they are written to.",
)
@click.option("--name", default="app", show_default=True, help="The files' name: NAME.pem and NAME-public.pem.")
@click.option("--bits", type=click.IntRange(2048, 8192), default=2048, show_default=True, help="The key's length.")
@click.option(
    "--format", "form", type=click.Choice(list(_PRIVATE)), default="pkcs8", show_default=True, help="How the private key is written."
)
@json_option
def generate(out: Path, name: str, bits: int, form: str) -> int:
    """Make an RSA key pair; existing files are never overwritten.

    The private key is readable by its owner alone. The public half is what the gateway's console asks for.
    """
    if not name or Path(name).name != name:
        raise click.UsageError("--name is a file's name without folders")
    private, public = out / f"{name}.pem", out / f"{name}-public.pem"
    taken = [path for path in (private, public) if os.path.lexists(path)]
    if taken:
        raise Failure(
            Exit.USAGE, "exists", [Problem(str(path), "exists", "stands there already", "give another --name or --out") for path in taken]
        )
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    encoding, layout = _PRIVATE[form]
    secret = key.private_bytes(encoding, layout, serialization.NoEncryption())
    spki = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(private, base64.b64encode(secret) + b"\n" if form == "oneline" else secret, 0o600)
        _write(public, key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    except OSError as error:
        raise Failure(
            Exit.USAGE, "unwritable", [Problem(str(out), "unwritable", f"can't be written: {error.strerror}", "give another --out")]
        ) from None
    upload = base64.b64encode(spki).decode()
    row = {"private_key": str(private), "public_key": str(public), "bits": bits, "format": form, "upload": upload}
    emit(row, lambda: click.echo(f"private key: {private}\npublic key:  {public}\n\nPaste this into the gateway's console:\n{upload}"))
    return Exit.DONE


def _write(path: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
