"""`passbridge config`: the configuration as it is understood, secrets masked."""

from __future__ import annotations

from typing import Any

import click

from passbridge.cli.configured import configured
from passbridge.cli.output import Exit, config_option, emit, json_option
from passbridge.client import Client
from passbridge.config import Config, find_config
from passbridge.protocol.settings import Secret

__all__ = ["config"]


@click.group()
@json_option
def config() -> None:
    """Show the configuration as it is understood."""


@config.command()
@config_option
@json_option
def show(config: str | None) -> int:
    """Print every account with what it inherits; secrets as where they come from. Keys are opened and checked."""
    Client.from_config(config).close()
    read, _ = configured(config)
    document = _document(read)
    emit(document, lambda: _show(document))
    return Exit.DONE


@config.command()
@config_option
@json_option
def path(config: str | None) -> int:
    """Print which file is read."""
    found = find_config(config)
    emit({"path": str(found) if found else None}, lambda: click.echo(found or "no configuration file"))
    return Exit.DONE if found else Exit.CONFIG


def _document(read: Config) -> dict[str, Any]:
    http = read.http.model_dump(mode="json")
    accounts = {name: _masked(dict(settings)) for name, settings in read.accounts.items()}
    return {"schema": "passbridge.config/1", "file": read.origin or None, "default": read.default, "http": http, "accounts": accounts}


def _masked(value: Any) -> Any:  # noqa: ANN401 - a settings model's values
    if isinstance(value, Secret):
        return f"(from {value.origin})"
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items() if name not in {"name", "origin"}}
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value


def _show(document: dict[str, Any]) -> None:
    click.echo(f"file: {document['file']}\ndefault: {document['default']}")
    for name, members in document["accounts"].items():
        click.echo(f"[{name}]")
        for member, value in members.items():
            click.echo(f"  {member} = {value}")
