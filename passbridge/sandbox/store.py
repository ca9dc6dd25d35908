"""What the sandbox remembers, in one database: its keys, the registered apps, the templates, the passes, and the last requests.

Owns the SQLite database, in memory or in a file, and the one lock around it: the server's thread and the caller's
meet here. It must not know what a state, a code or a signature means.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from passbridge.domain.strictjson import JsonObject
from passbridge.sandbox.records import Pass, Template

__all__ = ["KEPT_REQUESTS", "Store"]

KEPT_REQUESTS = 1000
"""How many requests are remembered."""

_APPLICATION = 0x50425342
"""SQLite's application id, by which a data file of the sandbox is known."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (name TEXT PRIMARY KEY, pem BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS apps (gateway TEXT, app TEXT, key TEXT, pem BLOB, PRIMARY KEY (gateway, app, key));
CREATE TABLE IF NOT EXISTS passes (
    gateway TEXT, account TEXT, id TEXT, channel TEXT, state TEXT, content TEXT, user_id TEXT, open_id TEXT,
    template TEXT, valid_until TEXT, code_info TEXT, biz_date TEXT, PRIMARY KEY (gateway, id, channel)
);
CREATE TABLE IF NOT EXISTS templates (
    gateway TEXT, app TEXT, id TEXT, account TEXT, unique_key TEXT, state TEXT, content TEXT, created INTEGER, PRIMARY KEY (gateway, id)
);
CREATE UNIQUE INDEX IF NOT EXISTS by_unique_key ON templates (gateway, app, unique_key);
CREATE INDEX IF NOT EXISTS by_user ON passes (gateway, user_id);
CREATE INDEX IF NOT EXISTS by_open_id ON passes (gateway, open_id);
CREATE TABLE IF NOT EXISTS requests (n INTEGER PRIMARY KEY, entry TEXT NOT NULL);
"""

_LATER = MappingProxyType({"passes": {"unique_key": "TEXT", "frame": "TEXT DEFAULT 'null'", "created": "INTEGER", "modified": "INTEGER"}})
"""Columns by their table that a data file of an earlier version doesn't have."""

_AS_JSON = frozenset({"content", "valid_until", "code_info", "biz_date", "frame"})
"""Columns that hold JSON text."""

_COLUMNS = MappingProxyType({kind: tuple(column.name for column in fields(kind)) for kind in (Pass, Template)})
_TABLES = MappingProxyType({Pass: "passes", Template: "templates"})

RecordT = TypeVar("RecordT", Pass, Template)


class Store:
    """The database. Every method may be called from any thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = threading.RLock()
        self._db = _opened(path)

    def close(self) -> None:
        """Let go of the database."""
        with self._lock:
            self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what happens inside, or nothing; nobody else meanwhile."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def key(self, name: str) -> bytes | None:
        """One of the sandbox's own keys or certificates, as PEM."""
        return next((bytes(row[0]) for row in self._rows("SELECT pem FROM keys WHERE name = ?", name)), None)

    def keep_key(self, name: str, pem: bytes) -> None:
        """Remember one of the sandbox's own keys or certificates."""
        self._rows("INSERT OR REPLACE INTO keys VALUES (?, ?)", name, pem)

    def drop_key(self, name: str) -> None:
        """Forget one of the sandbox's own keys."""
        self._rows("DELETE FROM keys WHERE name = ?", name)

    def register(self, gateway: str, app: str, key: str, pem: bytes | None) -> None:
        """Register an app's public key under a key version or a sign type; without a key, the app alone."""
        self._rows("INSERT OR REPLACE INTO apps VALUES (?, ?, ?, ?)", gateway, app, key, pem)

    def app_keys(self, gateway: str, app: str) -> dict[str, bytes] | None:
        """An app's registered public keys by their version or sign type, or None for an unknown app."""
        rows = self._rows("SELECT key, pem FROM apps WHERE gateway = ? AND app = ? ORDER BY key", gateway, app)
        return {key: bytes(pem) for key, pem in rows if pem is not None} if rows else None

    def find(self, gateway: str, identity: str, channel: str = "") -> Pass | None:
        """The pass with this id."""
        rows = self._rows("SELECT * FROM passes WHERE gateway = ? AND id = ? AND channel = ?", gateway, identity, channel)
        return _record(Pass, rows[0]) if rows else None

    def passes(self) -> list[Pass]:
        """Every pass, in the order it was added."""
        return [_record(Pass, row) for row in self._rows("SELECT * FROM passes ORDER BY rowid")]

    def keep(self, *records: Pass | Template) -> None:
        """Add passes and templates, or write them anew."""
        with self._lock:
            for one in records:
                names = _COLUMNS[type(one)]
                marks = ", ".join(f":{name}" for name in names)
                changes = ", ".join(f"{name} = excluded.{name}" for name in names)
                self._db.execute(
                    f"INSERT INTO {_TABLES[type(one)]} ({', '.join(names)}) VALUES ({marks}) "  # noqa: S608 - our own names
                    f"ON CONFLICT DO UPDATE SET {changes}",
                    _columns(one),
                )

    def issued(self, gateway: str, template: str, unique_key: str) -> Pass | None:
        """The pass that was issued from this template under this name of the merchant's own."""
        query = "SELECT * FROM passes WHERE gateway = ? AND template = ? AND unique_key = ?"
        return next((_record(Pass, row) for row in self._rows(query, gateway, template, unique_key)), None)

    def template(self, gateway: str, identity: str) -> Template | None:
        """The template with this id."""
        rows = self._rows("SELECT * FROM templates WHERE gateway = ? AND id = ?", gateway, identity)
        return _record(Template, rows[0]) if rows else None

    def templates(self) -> list[Template]:
        """Every template, in the order it was made."""
        return [_record(Template, row) for row in self._rows("SELECT * FROM templates ORDER BY rowid")]

    def template_named(self, gateway: str, app: str, unique_key: str) -> Template | None:
        """The template that this app made under this name of its own."""
        rows = self._rows("SELECT * FROM templates WHERE gateway = ? AND app = ? AND unique_key = ?", gateway, app, unique_key)
        return _record(Template, rows[0]) if rows else None

    def people(self, gateway: str, identity: str) -> list[tuple[str | None, str | None]]:
        """The (user id, open id) pairs of every pass in which this user id or open id stands."""
        query = "SELECT DISTINCT user_id, open_id FROM passes WHERE gateway = ? AND (user_id = ? OR open_id = ?)"
        return [(row[0], row[1]) for row in self._rows(query, gateway, identity, identity)]

    def log(self, entry: JsonObject) -> None:
        """Remember a request, and forget the oldest beyond `KEPT_REQUESTS`."""
        with self._lock:
            n = self._rows("INSERT INTO requests (entry) VALUES (?) RETURNING n", json.dumps(entry))[0][0]
            self._rows("DELETE FROM requests WHERE n <= ?", n - KEPT_REQUESTS)

    def requests(self) -> list[JsonObject]:
        """The remembered requests, newest last."""
        return [{"n": n, **json.loads(entry)} for n, entry in self._rows("SELECT n, entry FROM requests ORDER BY n")]

    def clear(self) -> None:
        """Forget the passes, the templates and the requests; the keys and the registered apps stay."""
        self._rows("DELETE FROM passes")
        self._rows("DELETE FROM templates")
        self._rows("DELETE FROM requests")

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with self._lock:
            return self._db.execute(query, values).fetchall()


def _opened(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        _private(path)
    db = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
    try:
        _prepared(db, path)
    except BaseException:
        db.close()
        raise
    db.row_factory = sqlite3.Row
    return db


def _private(path: Path) -> None:
    """Make the file before SQLite does, readable by its owner alone: the sandbox's private keys will stand in it."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _prepared(db: sqlite3.Connection, path: Path | None) -> None:
    refusal = FileExistsError(f"{path} is not a sandbox's data file: give another name")
    try:
        (application,) = db.execute("PRAGMA application_id").fetchone()
        (tables,) = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError:
        raise refusal from None
    if tables and application != _APPLICATION:
        raise refusal
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    # What a crash of the whole machine may cost a simulator is not worth a disk flush for every request.
    db.execute("PRAGMA synchronous = OFF")
    db.executescript(_SCHEMA)
    for table, columns in _LATER.items():
        present = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        for name in columns.keys() - present:
            db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")


def _columns(one: Pass | Template) -> dict[str, object]:
    values = dict(zip(_COLUMNS[type(one)], astuple(one), strict=True))
    return {name: json.dumps(value) if name in _AS_JSON else value for name, value in values.items()}


def _record(kind: type[RecordT], row: sqlite3.Row) -> RecordT:
    return kind(**{name: json.loads(row[name]) if name in _AS_JSON else row[name] for name in _COLUMNS[kind]})
