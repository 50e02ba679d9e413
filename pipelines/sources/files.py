"""Opening what people bring: plain, gzip and zstd files, folders and zips, read as lines within limits.

What a file is compressed with is read from its first bytes, since an uploaded file has no telling name.
"""

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Final, cast

from pipelines.errors import SourceError

MAX_LINE_BYTES: Final = 8 << 20
"""A concept with 10,000 terms fits; a file without line ends does not fill the memory."""
MAX_BYTES: Final = 16 << 30
"""Unpacked: a small archive that unpacks without end stops here."""
MAX_MEMBERS: Final = 1000

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZIP: Final = b"PK\x03\x04"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


def first_bytes(path: Path) -> bytes:
    """The first four bytes of the file. Raises: SourceError if it cannot be read."""
    with _readable(path.name), path.open("rb") as stream:
        return stream.read(4)


def byte_lines(path: Path) -> Iterator[bytes]:
    """The lines of a plain, gzip or zstd file, line ends kept."""
    magic = first_bytes(path)
    if magic == _ZIP:
        raise SourceError(f"{path.name} is a zip archive; expected a plain, gzip or zstd file")
    with _readable(path.name), _opened(path, magic) as stream:
        yield from _limited(stream)


def lines_within(path: Path, *, limit: int = MAX_LINE_BYTES) -> Iterator[bytes | None]:
    """The lines of a plain, gzip or zstd file of any length, line ends kept; None in place of one beyond the limit."""
    magic = first_bytes(path)
    if magic == _ZIP:
        raise SourceError(f"{path.name} is a zip archive; expected a plain, gzip or zstd file")
    with _readable(path.name), _opened(path, magic) as stream:
        yield from bounded_lines(stream, limit=limit)


def bounded_lines(stream: IO[bytes], *, limit: int) -> Iterator[bytes | None]:
    """The lines of a stream from where it stands; None in place of one longer than the limit, which is never held."""
    while line := stream.readline(limit + 1):
        if len(line) <= limit:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(limit)
        yield None


def is_packed(path: Path) -> bool:
    """Whether the file can only be read from its beginning."""
    return first_bytes(path).startswith((_GZIP, _ZSTD, _ZIP))


def text_lines(lines: Iterable[bytes]) -> Iterator[str]:
    """The lines as text: UTF-8, a byte order mark dropped. Raises: SourceError, naming the line."""
    for number, line in enumerate(lines, 1):
        if number == 1:
            line = without_mark(line)
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise not_utf8(error, line=number) from None


def without_mark(first_line: bytes) -> bytes:
    """The first line of a file less its UTF-8 byte order mark. Raises: SourceError for UTF-16."""
    if first_line.startswith(_UTF16):
        raise SourceError("the file is UTF-16; expected UTF-8", line=1)
    return first_line.removeprefix(b"\xef\xbb\xbf")


def not_utf8(error: UnicodeDecodeError, *, line: int) -> SourceError:
    """The fault of a line that is not UTF-8, by its first wrong byte."""
    byte = error.object[error.start]
    return SourceError(f"found byte 0x{byte:02x} at position {error.start + 1}; expected UTF-8", line=line)


class Bundle:
    """Several published files that belong together: a folder, a zip, or one file on its own.

    Attributes:
        name: what it is called, for messages: never a path.
        members: file name → how to read its lines, sorted by name.
    """

    def __init__(self, name: str, members: Mapping[str, Callable[[], Iterator[bytes]]]) -> None:
        self.name = name
        self.members = {member: members[member] for member in sorted(members)}

    @classmethod
    def at(cls, path: Path) -> "Bundle":
        """The bundle at the path. Raises: SourceError if there is nothing to read."""
        if path.is_dir():
            files = [file for file in path.iterdir() if file.is_file()]
            return cls(path.name, {file.name: _reading(file) for file in files})
        if first_bytes(path) == _ZIP:
            return cls(path.name, _zipped(path))
        return cls(path.name, {path.name: _reading(path)})

    def matching(self, pattern: re.Pattern[str]) -> dict[str, re.Match[str]]:
        """Member → match, for the members whose whole name matches."""
        found = {member: pattern.fullmatch(member) for member in self.members}
        return {member: match for member, match in found.items() if match}

    @contextmanager
    def opened(self, member: str) -> Iterator[Iterator[str]]:
        """The member's text lines; a fault met while they are read names the member."""
        try:
            yield text_lines(self.members[member]())
        except SourceError as error:
            named = SourceError(f"{member}: {error}")
            named.line = error.line
            raise named from None


def _reading(path: Path) -> Callable[[], Iterator[bytes]]:
    return lambda: byte_lines(path)


def _zipped(path: Path) -> dict[str, Callable[[], Iterator[bytes]]]:
    with _readable(path.name), zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MAX_MEMBERS:
        raise SourceError(f"{path.name} holds {len(members):,} files; at most {MAX_MEMBERS:,} are read")
    return {PurePosixPath(m.filename).name: _reading_member(path, m) for m in members}


def _reading_member(path: Path, member: zipfile.ZipInfo) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        if member.flag_bits & 1:
            raise SourceError("encrypted; expected a zip without a password")
        with _readable(path.name), zipfile.ZipFile(path) as archive, archive.open(member) as stream:
            yield from _limited(stream)

    return read


@contextmanager
def _opened(path: Path, magic: bytes) -> Iterator[IO[bytes]]:
    if magic.startswith(_GZIP):
        with gzip.open(path, "rb") as stream:
            yield cast(IO[bytes], stream)
    elif magic == _ZSTD:
        import pyarrow as pa  # 40 ms, for the rare zstd file

        with pa.input_stream(str(path), compression="zstd") as unpacked:
            yield io.BufferedReader(unpacked, buffer_size=1 << 20)
    else:
        with path.open("rb") as plain:
            yield plain


def _limited(stream: IO[bytes]) -> Iterator[bytes]:
    number = total = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        total += len(line)
        if len(line) > MAX_LINE_BYTES:
            raise SourceError(f"found a line of more than {MAX_LINE_BYTES:,} bytes", line=number)
        if total > MAX_BYTES:
            raise SourceError(f"the file unpacks to more than {MAX_BYTES:,} bytes", line=number)
        yield line


@contextmanager
def _readable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # gzip and zstd raise OSErrors of their own, which carry no errno.
        what = f"cannot be read: {error.strerror}" if error.strerror else "is damaged or cut short"
        raise SourceError(f"{name} {what}") from error
    except (EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise SourceError(f"{name} is damaged or cut short") from error
