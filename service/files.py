"""Uploaded files and what jobs put out, kept: a folder each below `COGNOMEN_DATA`.

    DATA/files/file-20261124T114512123456-9f3a1c2b/
        content      the bytes
        about.json   filename, purpose, size, sha256, when
    DATA/files/.tmp-…/     an upload in progress, or what a crash left; never listed

A file appears whole, by rename after fsync, and is never changed afterwards. Its name is for people; paths are made of
ids, which are ours.
"""

import copy
import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from service.keys import Caller
from service.problems import Refusal, Unavailable

_ID: Final = re.compile(r"file-\d{8}T\d{12}-[0-9a-f]{8}")
_ABOUT: Final = "about.json"
_CONTENT: Final = "content"
_RESERVE_BYTES: Final = 64 << 20
"""Disk that uploads leave free, for builds and databases (guess)."""
_RETRY_S: Final = 60
_ABANDONED_S: Final = 86_400.0
_REFUSED_BY_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EACCES})


class FileUnknown(Refusal):
    """No file of that id."""

    status, slug, title = 404, "file-unknown", "Unknown file"


class StorageFull(Unavailable):
    """No room for it: the disk is full or refuses, or the operator's quota is used up."""

    slug, title = "storage-full", "Storage full"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What is known of a file.

    Attributes:
        filename: as the caller named it, cleaned.
        size: in bytes.
        created_at: seconds since 1970.
        owner: who made it, as `Caller.to_owner` writes it.
    """

    id: str
    filename: str
    purpose: str
    size: int
    sha256: str
    created_at: float
    owner: Mapping[str, Any] | None = None


class FileStore:
    """The files below one folder; several processes may share it.

    Args:
        root: made when the first file comes.
        quota_bytes: of all files together.
    """

    def __init__(self, root: Path, *, quota_bytes: int) -> None:
        self.root = root
        self._quota = quota_bytes
        self._caller: Caller | None = None

    def seen_by(self, caller: Caller) -> "FileStore":
        """These files as one sees them who may be bound to prefixes; what they make is theirs."""
        view = copy.copy(self)
        view._caller = caller
        return view

    def incoming(self, *, expected_bytes: int = 0, file_id: str | None = None) -> "Incoming":
        """A place to write a new file to. Raises: StorageFull if there is no room for as much as is expected."""
        used = self.used_bytes()
        if used + expected_bytes > self._quota:
            raise StorageFull("The quota of files is used up; delete some.", retry_after_s=_RETRY_S)
        with refused_by_disk():
            self.root.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.root).free < expected_bytes + _RESERVE_BYTES:
                raise StorageFull("The disk is full.", retry_after_s=_RETRY_S)
            return Incoming(self, file_id or new_id("file"), room=self._quota - used)

    def get(self, file_id: str) -> StoredFile:
        """What is known of a file. Raises: FileUnknown."""
        try:
            known = StoredFile(**json.loads((self._home(file_id) / _ABOUT).read_bytes()))
        except FileNotFoundError:
            raise FileUnknown("There is no file of that id.") from None
        if self._caller is not None and not self._caller.sees_of(Caller.from_owner(known.owner)):
            raise FileUnknown("There is no file of that id.")
        return known

    def path(self, file_id: str) -> Path:
        """Where its bytes are. Raises: FileUnknown."""
        self.get(file_id)
        return self._home(file_id) / _CONTENT

    def open(self, file_id: str) -> IO[bytes]:
        """Its bytes; they stay readable while open, even if it is deleted. Raises: FileUnknown."""
        try:
            return self.path(file_id).open("rb")
        except FileNotFoundError:
            raise FileUnknown("There is no file of that id.") from None

    def owner(self) -> dict[str, object] | None:
        """Whose is what is made through this."""
        return self._caller.to_owner() if self._caller is not None else None

    def page(self, *, after: str = "", size: int, purpose: str | None = None) -> tuple[list[StoredFile], str | None]:
        """Files after the one of that id, oldest first, and the id to go on after; None on the last page."""
        found: list[StoredFile] = []
        for file_id in self.ids():
            if file_id <= after:
                continue
            try:
                about = self.get(file_id)
            except FileUnknown:  # deleted meanwhile
                continue
            if purpose is not None and about.purpose != purpose:
                continue
            if len(found) == size:
                return found, found[-1].id
            found.append(about)
        return found, None

    def ids(self) -> list[str]:
        """Every file's id, oldest first."""
        try:
            return sorted(entry.name for entry in os.scandir(self.root) if _ID.fullmatch(entry.name))
        except FileNotFoundError:
            return []

    def delete(self, file_id: str) -> None:
        """Remove a file; a job that reads it has a link of its own. Raises: FileUnknown."""
        home = self.path(file_id).parent
        grave = self.root / f".tmp-{file_id}-{secrets.token_hex(4)}"
        try:
            # Renamed first: nobody must see it half removed.
            home.rename(grave)
        except FileNotFoundError:
            raise FileUnknown("There is no file of that id.") from None
        shutil.rmtree(grave, ignore_errors=True)

    def sweep(self, *, older_than_s: float) -> int:
        """Delete files older than that, and what crashes left; how many files went."""
        before = time.time() - older_than_s
        gone = 0
        for file_id in self.ids():
            try:
                if self.get(file_id).created_at < before:
                    self.delete(file_id)
                    gone += 1
            except FileUnknown:
                continue
        for leftover in self.root.glob(".tmp-*"):
            if leftover.stat().st_mtime < time.time() - _ABANDONED_S:
                shutil.rmtree(leftover, ignore_errors=True)
        return gone

    def used_bytes(self) -> int:
        """What all files take together."""
        total = 0
        for file_id in self.ids():
            try:
                total += (self.root / file_id / _CONTENT).stat().st_size
            except FileNotFoundError:
                continue
        return total

    def _home(self, file_id: str) -> Path:
        if not _ID.fullmatch(file_id):
            raise FileUnknown("There is no file of that id.")
        return self.root / file_id


class Incoming:
    """A file being written; as a context manager it leaves nothing behind unless `finish` was reached."""

    def __init__(self, store: FileStore, file_id: str, *, room: int) -> None:
        self.id = file_id
        self._store = store
        self._room = room
        self._folder = store.root / f".tmp-{file_id}-{secrets.token_hex(4)}"
        self._folder.mkdir()
        self._stream: IO[bytes] = (self._folder / _CONTENT).open("wb")
        self._digest = hashlib.sha256()
        self._size = 0

    def write(self, piece: bytes) -> None:
        """Take the next bytes. Raises: StorageFull."""
        self._size += len(piece)
        if self._size > self._room:
            raise StorageFull("The quota of files is used up; delete some.", retry_after_s=_RETRY_S)
        self._digest.update(piece)
        with refused_by_disk():
            self._stream.write(piece)

    def finish(self, *, filename: str, purpose: str) -> StoredFile:
        """Make it whole and visible; a file of the same id that is there already stays. Raises: StorageFull."""
        digest, owner = self._digest.hexdigest(), self._store.owner()
        about = StoredFile(self.id, filename, purpose, self._size, digest, time.time(), owner)
        with refused_by_disk():
            _sync(self._stream)
            with (self._folder / _ABOUT).open("wb") as stream:
                stream.write(json.dumps(asdict(about), ensure_ascii=False).encode())
                _sync(stream)
            sync_folder(self._folder)
            try:
                self._folder.rename(self._store.root / self.id)
            except OSError as error:
                if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
                    raise
                return self._store.get(self.id)
            sync_folder(self._store.root)
        return about

    def __enter__(self) -> "Incoming":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what did not become a file."""
        # A full disk may refuse the last buffered bytes once more; they are thrown away anyhow.
        with suppress(OSError):
            self._stream.close()
        shutil.rmtree(self._folder, ignore_errors=True)


def new_id(kind: str) -> str:
    """An id that sorts by time: "file-20261124T114512123456-9f3a1c2b"."""
    return f"{kind}-{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}"


@contextmanager
def refused_by_disk() -> Iterator[None]:
    """A disk that refuses to write, as StorageFull."""
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED_BY_DISK:
            raise StorageFull(f"The disk refuses: {os.strerror(error.errno or 0)}.", retry_after_s=_RETRY_S) from error
        raise


def pieces(stream: IO[bytes], *, size: int = 1 << 20) -> Iterator[bytes]:
    """A stream's bytes, piece by piece; closes it at the end."""
    with stream:
        while piece := stream.read(size):
            yield piece


def write_atomically(path: Path, content: bytes | Sequence[bytes]) -> None:
    """Write a small file that is there whole or not at all, and survives a power cut."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("wb") as stream:
            stream.writelines([content] if isinstance(content, bytes) else content)
            _sync(stream)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a folder's entries survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync(stream: IO[bytes]) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    stream.close()
