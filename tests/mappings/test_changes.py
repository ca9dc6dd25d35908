"""A change to any row of the tables is noticed: the loader refuses it, or the lock differs."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from passbridge import Code, ConfigError
from passbridge.protocol.tables import load_tables
from passbridge.resources import mapping_texts
from tests.mappings.lock import lock_lines, locked

TEXTS = {name: text for name, text in mapping_texts().items() if not name.startswith("documented/")}
HEAD = re.compile(r"^\[\[?(.+?)\]\]?$", re.MULTILINE)
MEMBER = re.compile(r"^(?P<name>[\w.\"-]+) = (?P<value>'''(?:.|\n)*?'''|.*)$", re.MULTILINE)
QUOTED = re.compile(r"'''(?:.|\n)*?'''")
SILENT = {"note"}
"""Members that say nothing but to a reviewer of the files themselves."""

UNREAD = {("hk/base.toml", ": title")}
"""Members that are for a reader alone: shared rows are no profile and need no title."""


def noticed(file: str, text: str) -> bool:
    try:
        tables = load_tables(TEXTS | {file: text})
    except ConfigError:
        return True
    return lock_lines(tables) != locked()


def rows(file: str) -> Iterator[tuple[str, int, int]]:
    """Each table of a file, what stands before the first one too: its head, and where it begins and ends."""
    text = QUOTED.sub(lambda quoted: " " * len(quoted[0]), TEXTS[file])
    heads = list(HEAD.finditer(text))
    starts = [0, *(head.start() for head in heads)]
    yield from zip(["", *(head[1] for head in heads)], starts, [*starts[1:], len(text)], strict=True)


def members(file: str) -> Iterator[tuple[str, re.Match[str]]]:
    """Each member of each table of a file."""
    for head, start, end in rows(file):
        for member in MEMBER.finditer(TEXTS[file], start, end):
            name = f"{head}: {member['name']}"
            if member["name"] not in SILENT and (file, name) not in UNREAD:
                yield name, member


def other(value: str) -> str:
    """Another value of the same sort."""
    if value in {"true", "false"}:
        return "false" if value == "true" else "true"
    if value.isdigit():
        return str(int(value) + 1)
    word = value.strip('"')
    if word in Code.__members__:
        codes = list(Code)
        return f'"{codes[(codes.index(Code(word)) + 1) % len(codes)]}"'
    if value.startswith("["):
        return '["redeem"]' if value != '["redeem"]' else "[]"
    if value.startswith("{"):
        return re.sub(r"\d+", lambda number: str(int(number[0]) + 1), value, count=1)
    letters = {"S": "F", "F": "U", "U": "F", "FU": "F"}
    return f'"{letters.get(word, word + "x")}"' if not value.startswith("'''") else value.replace("'''", "'''\n", 1).replace("wire", "ware")


def test_the_files_as_they_are_are_not_noticed() -> None:
    assert not any(noticed(file, text) for file, text in TEXTS.items())


@pytest.mark.parametrize("file", TEXTS)
def test_a_row_left_out_is_noticed(file: str) -> None:
    text, survivors = TEXTS[file], []
    for head, start, end in rows(file):
        if not noticed(file, text[:start] + text[end:]):
            survivors.append(head)
    assert not survivors


@pytest.mark.parametrize("file", TEXTS)
def test_a_member_left_out_is_noticed(file: str) -> None:
    text = TEXTS[file]
    assert not [name for name, member in members(file) if not noticed(file, text[: member.start()] + text[member.end() :])]


@pytest.mark.parametrize("file", TEXTS)
def test_a_member_changed_is_noticed(file: str) -> None:
    text, survivors = TEXTS[file], []
    for name, member in members(file):
        changed = other(member["value"])
        assert changed != member["value"]
        if not noticed(file, text[: member.start("value")] + changed + text[member.end("value") :]):
            survivors.append(name)
    assert not survivors


@pytest.mark.parametrize("line", ['settles = ["close"]', "settles = []", 'status = "U"', "slow = true", "signature = true"])
@pytest.mark.parametrize("file", ["hk/base.toml", "mainland/pass.toml"])
def test_a_member_added_to_a_row_is_noticed_unless_it_says_nothing(file: str, line: str) -> None:
    text, survivors = TEXTS[file], []
    name = line.partition(" ")[0]
    for head, start, end in rows(file):
        row = text[start:end]
        if head.startswith(("codes.", "sub_codes.")) and f"\n{name} = " not in row:
            end_of_head = start + row.index("\n") + 1
            if not noticed(file, f"{text[:end_of_head]}{line}\n{text[end_of_head:]}"):
                survivors.append(head)
    assert bool(survivors) is (line == "settles = []")


@pytest.mark.parametrize("code", Code)
@pytest.mark.parametrize("row", ["PASS_USED_OCCUPIED", "PASS_HAS_NOT_EXIST", "SUCCESS", "UNKNOWN_EXCEPTION"])
def test_any_other_outcome_of_a_row_is_noticed(row: str, code: Code) -> None:
    text = TEXTS["hk/base.toml"]
    was = re.search(rf'\[codes\.{row}\]\noutcome = "(\w+)"', text)
    assert was is not None
    changed = text[: was.start(1)] + code.value + text[was.end(1) :]
    assert noticed("hk/base.toml", changed) is (code.value != was[1])
