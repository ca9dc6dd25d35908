"""Lines of bytes from a file or a stream, with an end to how long one may be.

Owns decompression, the byte order mark, the bound on a line and the error of an input that can't be read. Knows nothing of
what stands on a line.
"""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from passbridge.errors import InvalidUpdate, Problem

__all__ = ["LONGEST", "TooLong", "first_bytes", "lines_of", "open_bytes", "refused", "unreadable"]

LONGEST: Final = 2**20
"""Bytes one line may have: many times what either gateway takes in one request."""

_GZIP: Final = b"\x1f\x8b"
_WIDE: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


if TYPE_CHECKING:
    Bytes = io.BufferedReader[Any]


class TooLong(bytes):
    """The first bytes of a line that has more than `LONGEST`; the rest was passed over."""

    __slots__ = ()


def refused(path: str, code: str, message: str, mend: str) -> InvalidUpdate:
    """The error of an input that can't be taken at all."""
    return InvalidUpdate([Problem(path, code, message, mend)])


@contextmanager
def unreadable(name: str) -> Iterator[None]:
    """Turn what the system says while an input is read into an error that names it.

    Raises:
        InvalidUpdate: the input can't be opened, or not be read to its end.
    """
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise refused(name, "unreadable_file", "is damaged: it can't be unpacked to its end", "give the whole file") from None
    except OSError as error:
        message = f"can't be read: {error.strerror or error}"
        raise refused(name, "unreadable_file", message, "give the path of a file, or - for standard input") from None


@contextmanager
def open_bytes(name: str, stream: BinaryIO | None) -> Iterator[Bytes]:
    """An input's bytes, unpacked if they are gzip's, its first bytes ready to be looked at; a file is closed at the end.

    Args:
        name: a path; of a stream, what to call it.
        stream: what to read instead of a file.

    Raises:
        InvalidUpdate: it can't be opened, or is UTF-16.
    """
    with ExitStack() as opened:
        with unreadable(name):
            raw = opened.enter_context(Path(name).open("rb")) if stream is None else stream
            reader: Bytes = raw if isinstance(raw, io.BufferedReader) else opened.enter_context(_buffered(raw))
            if first_bytes(reader).startswith(_GZIP):
                unpacked = opened.enter_context(gzip.GzipFile(fileobj=reader))
                reader = opened.enter_context(_buffered(unpacked))
            if first_bytes(reader).startswith(_WIDE):
                raise refused(name, "utf16", "is UTF-16", "save it as UTF-8")
        yield reader


def _buffered(stream: object) -> Bytes:
    return io.BufferedReader(cast("io.RawIOBase", stream))


def first_bytes(reader: Bytes) -> bytes:
    """What stands at the beginning, still to be read; of a pipe, what has come in by now."""
    return reader.peek(1)[:4096]


def lines_of(reader: Bytes) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line, the last one too where no line end closes it.

    A line that is too long comes as `TooLong`, and the next one after it.
    """
    number = 0
    while line := reader.readline(LONGEST + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(codecs.BOM_UTF8)
        if len(line) > LONGEST:
            _pass_over(reader, line)
            yield number, TooLong(line[:LONGEST])
        else:
            yield number, line


def _pass_over(reader: Bytes, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = reader.readline(LONGEST)
