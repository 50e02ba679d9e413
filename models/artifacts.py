"""Artifacts: fitted things on disk, in immutable generations, hashed, with their parents.

    ROOT/encoders/minilm/
        CURRENT                      one line: the generation that answers
        20261124T081056004211-3fa2c1/      a generation, never changed once it has this name
            MANIFEST.json            kind, schema, parents, versions, size + sha256 of every other file, and of itself
            encoder.onnx …
        .pins/                       generations that a job needs until it ends, by name
        .tmp-20261124T090000120031-9c01de/ a write in progress, or what a crash left; readers never look

This is the only module that writes bytes below an artifact root. A write goes to `.tmp-GEN/`, each file is fsynced,
the caller's check runs on what was written, MANIFEST.json comes last, then fsync of the folder, rename, fsync of
the parent, and CURRENT by write + fsync + rename. So a reader sees a whole generation or none.

No pickles: files are JSON, safetensors, ONNX and FAISS bytes.
"""

import errno
import fcntl
import hashlib
import json
import logging
import os
import platform
import re
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from models.errors import ArtifactCorrupt, ArtifactInvalid, ArtifactMissing, ArtifactWriteFailed

log = logging.getLogger(__name__)

SCHEMA: Final = 1
MANIFEST: Final = "MANIFEST.json"
CURRENT: Final = "CURRENT"
LEASE: Final = ".lease"
PINS: Final = ".pins"
KEPT: Final = 2
"""Generations kept by default: the one that answers and the one to roll back to."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(?:/[a-z0-9][a-z0-9._-]{0,99}){0,3}")
_GENERATION = re.compile(r"\d{8}T\d{12}-[0-9a-f]{6}")
_HOLDER = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a generation, as the manifest records it."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation says of itself.

    Attributes:
        name: "encoders/minilm", "pipelines/job_titles/esco".
        kind: what reads it: "encoder", "terminology", "index".
        generation: its folder's name; sorts by time.
        parents: what it was built from: role → "name@generation" or a fingerprint.
        versions: of this schema, Python and the libraries whose formats are used.
        details: the kind's own facts, JSON only.
        files: every other file of the folder.
    """

    name: str
    kind: str
    generation: str
    created_at: str
    parents: Mapping[str, str]
    versions: Mapping[str, str]
    details: Mapping[str, Any]
    files: Mapping[str, FileEntry]
    schema: int = SCHEMA


@dataclass(frozen=True)
class Artifact:
    """A verified generation, leased: it is not pruned while this object is open.

    Use it as a context manager or call `close()`; a memory-mapped file keeps working after that on POSIX.
    """

    folder: Path
    manifest: Manifest
    _lease: int = field(repr=False, default=-1)

    @property
    def generation(self) -> str:
        """The generation's id."""
        return self.manifest.generation

    @cached_property
    def fingerprint(self) -> str:
        """Hex sha256 over every file's hash: equal fingerprints mean equal bytes."""
        digest = hashlib.sha256()
        for path in sorted(self.manifest.files):
            digest.update(f"{path} {self.manifest.files[path].sha256}\n".encode())
        return digest.hexdigest()

    def path(self, file: str) -> Path:
        """The path of one of its files. Raises ArtifactInvalid if the manifest has no such file."""
        if file not in self.manifest.files:
            raise ArtifactInvalid(f"artifact {self.manifest.name} has no file {file!r}")
        return self.folder / file

    def read_bytes(self, file: str) -> bytes:
        """A file's content."""
        return self.path(file).read_bytes()

    def read_json(self, file: str) -> Any:  # noqa: ANN401 - JSON is what it is
        """A JSON file's content."""
        return json.loads(self.read_bytes(file))

    def read_tensors(self, file: str) -> dict[str, NDArray[Any]]:
        """A safetensors file's arrays, by name."""
        tensors: dict[str, NDArray[Any]] = load_file(self.path(file))
        return tensors

    def close(self) -> None:
        """Give up the lease."""
        if self._lease >= 0:
            os.close(self._lease)
            object.__setattr__(self, "_lease", -1)

    def __enter__(self) -> "Artifact":
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give up the lease."""
        self.close()


class ArtifactWriter:
    """A generation being written. `folder` may be written to by libraries; `add_*` are for the usual kinds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.details: dict[str, Any] = {}

    def add_bytes(self, file: str, content: bytes | memoryview) -> None:
        """Write a file and fsync it."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())

    def add_json(self, file: str, content: Any) -> None:  # noqa: ANN401 - JSON is what it is
        """Write a JSON file."""
        self.add_bytes(file, json.dumps(content, ensure_ascii=False, indent=1).encode())

    def add_tensors(self, file: str, tensors: Mapping[str, NDArray[Any]]) -> None:
        """Write arrays as safetensors."""
        self.add_bytes(file, save({name: np.ascontiguousarray(a) for name, a in tensors.items()}))

    def add_lines(self, file: str, lines: Iterator[bytes]) -> None:
        """Write lines, newline-terminated, without holding them all."""
        path = self.folder / file
        with path.open("wb") as stream:
            for line in lines:
                stream.write(line)
                stream.write(b"\n")
            stream.flush()
            os.fsync(stream.fileno())


class ArtifactStore:
    """The artifacts below one root."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # -- writing ---------------------------------------------------------------------------------

    @contextmanager
    def write(
        self,
        name: str,
        *,
        kind: str,
        parents: Mapping[str, str] | None = None,
        check: Callable[[Path], None] | None = None,
        keep: int = KEPT,
    ) -> Iterator[ArtifactWriter]:
        """Write a new generation of `name` and make it current when the block ends well.

        Args:
            name: "encoders/minilm": lower case, digits, . _ -, at most four levels.
            kind: what will read it.
            parents: what it is built from.
            check: runs on the folder before it becomes visible (reopen the index, try canary queries) and raises
                if something is wrong.
            keep: generations kept afterwards, the new one included; those leased by readers stay anyway.

        Raises: ArtifactWriteFailed if the disk refuses; the last good generation is untouched then, as it is
            when the block or the check raises.
        """
        home = self._home(name)
        try:
            home.mkdir(parents=True, exist_ok=True)
            with FileLock(home / ".lock"):
                generation = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
                folder = home / f".tmp-{generation}"
                folder.mkdir()
                try:
                    writer = ArtifactWriter(folder)
                    yield writer
                    if check is not None:
                        check(folder)
                    self._seal(name, kind=kind, generation=generation, parents=parents or {}, writer=writer)
                    folder.rename(home / generation)
                    _fsync_folder(home)
                    self._point(home, generation)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
                self._prune(home, keep=max(keep, 1))
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG}:
                raise ArtifactWriteFailed(
                    f"cannot write artifact {name}: {os.strerror(error.errno)}; the last good generation is untouched"
                ) from error
            raise

    def rollback(self, name: str, *, generation: str | None = None) -> str:
        """Make an earlier generation current (the newest before the current one by default) and give its id back.

        Raises: ArtifactMissing if there is none; ArtifactCorrupt if it fails its checksums.
        """
        home = self._home(name)
        if not home.is_dir():
            raise ArtifactMissing(f"no artifact {name}")
        with FileLock(home / ".lock"):
            current = self.current(name)
            if generation is None:
                earlier = [g for g in self.generations(name) if g < current]
                if not earlier:
                    raise ArtifactMissing(f"artifact {name} has no generation before {current}")
                generation = earlier[-1]
            elif generation not in self.generations(name):
                raise ArtifactMissing(f"artifact {name} has no generation {generation}")
            self._verified(name, home / generation).close()
            self._point(home, generation)
        return generation

    def pin(self, name: str, generation: str, *, holder: str) -> None:
        """Keep a generation until `unpin`, whatever is written meanwhile; unlike a lease it outlives this process.

        Args:
            holder: who needs it: letters, digits, '-' and '_'.

        Raises: ArtifactMissing if there is no such generation.
        """
        home = self._home(name)
        if generation not in self.generations(name):
            raise ArtifactMissing(f"artifact {name} has no generation {generation}")
        with FileLock(home / ".lock"):
            if generation not in self.generations(name):
                raise ArtifactMissing(f"artifact {name} has no generation {generation}")
            pins = home / PINS
            pins.mkdir(exist_ok=True)
            (pins / _pin(generation, holder)).touch()
            _fsync_folder(pins)

    def unpin(self, name: str, generation: str, *, holder: str) -> None:
        """Let a generation go that `pin` kept; calling it twice is harmless."""
        (self._home(name) / PINS / _pin(generation, holder)).unlink(missing_ok=True)

    def delete(self, name: str) -> None:
        """Remove an artifact and all its generations; open readers keep their memory-mapped files."""
        home = self._home(name)
        if not home.is_dir():
            raise ArtifactMissing(f"no artifact {name}")
        shutil.rmtree(home)

    # -- reading ---------------------------------------------------------------------------------

    def names(self, prefix: str = "") -> list[str]:
        """Every artifact below `prefix` that has a generation, sorted."""
        return sorted(
            str(pointer.parent.relative_to(self.root))
            for pointer in (self.root / prefix).rglob(CURRENT)
            if not any(part.startswith(".") for part in pointer.relative_to(self.root).parts)
        )

    def generations(self, name: str) -> list[str]:
        """The whole generations of an artifact, oldest first."""
        home = self._home(name)
        if not home.is_dir():
            return []
        return sorted(p.name for p in home.iterdir() if _GENERATION.fullmatch(p.name) and (p / MANIFEST).is_file())

    def current(self, name: str) -> str:
        """The generation CURRENT names, or the newest one if CURRENT is missing or names none.

        Raises: ArtifactMissing if there is no generation at all.
        """
        generations = self.generations(name)
        if not generations:
            raise ArtifactMissing(f"no artifact {name}")
        try:
            named = (self._home(name) / CURRENT).read_text().strip()
        except FileNotFoundError:
            named = ""
        if named in generations:
            return named
        log.warning("artifact %s: CURRENT names no whole generation; taking the newest, %s", name, generations[-1])
        return generations[-1]

    def exists(self, name: str) -> bool:
        """Whether the artifact has a whole generation."""
        return bool(self.generations(name))

    def open(self, name: str, *, kind: str | None = None, generation: str | None = None) -> Artifact:
        """Open the current generation (or the one named), verified byte by byte.

        If the current one fails its checksums, the newest earlier one that passes answers instead, and a warning
        says so. A generation asked for by id has no fall-back.

        Raises: ArtifactMissing; ArtifactCorrupt if no generation passes; ArtifactInvalid if it is of another kind.
        """
        home = self._home(name)
        if generation is not None:
            if generation not in self.generations(name):
                raise ArtifactMissing(f"artifact {name} has no generation {generation}")
            return self._of_kind(self._verified(name, home / generation), kind)
        current = self.current(name)
        tried = [current, *[g for g in reversed(self.generations(name)) if g != current]]
        for candidate in tried:
            try:
                artifact = self._verified(name, home / candidate)
            except (ArtifactCorrupt, ArtifactMissing) as error:
                log.warning("artifact %s: generation %s is unusable, falling back: %s", name, candidate, error)
                continue
            return self._of_kind(artifact, kind)
        raise ArtifactCorrupt(f"artifact {name}: none of its {len(tried)} generations passes its checksums")

    def manifest(self, name: str, *, generation: str | None = None) -> Manifest:
        """A generation's manifest, without verifying its files."""
        return _read_manifest(self._home(name) / (generation or self.current(name)))

    # -- inside ----------------------------------------------------------------------------------

    def _home(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ArtifactInvalid(
                "an artifact's name is lower-case letters, digits, '.', '_', '-' in at most four '/' levels"
            )
        return self.root / name

    def _seal(
        self, name: str, *, kind: str, generation: str, parents: Mapping[str, str], writer: ArtifactWriter
    ) -> None:
        folder = writer.folder
        entries: dict[str, FileEntry] = {}
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            _fsync_file(path)
            entries[path.relative_to(folder).as_posix()] = FileEntry(path.stat().st_size, _sha256(path))
        manifest = Manifest(
            name=name,
            kind=kind,
            generation=generation,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
            parents=dict(parents),
            versions=_versions(),
            details=writer.details,
            files=entries,
        )
        writer.add_bytes(LEASE, b"")
        content = asdict(manifest)
        writer.add_json(MANIFEST, {**content, "sha256": _json_sha256(content)})
        for sub in [p for p in folder.rglob("*") if p.is_dir()]:
            _fsync_folder(sub)
        _fsync_folder(folder)

    def _point(self, home: Path, generation: str) -> None:
        pointer = home / f"{CURRENT}.tmp"
        with pointer.open("w") as stream:
            stream.write(generation + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        pointer.replace(home / CURRENT)
        _fsync_folder(home)

    def _prune(self, home: Path, *, keep: int) -> None:
        """Remove what crashes left and all but the `keep` newest generations, the current, leased and pinned ones."""
        for leftover in home.glob(".tmp-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        name = str(home.relative_to(self.root))
        current = self.current(name)
        pinned = {pin.name.partition("@")[0] for pin in (home / PINS).glob("*@*")}
        for generation in self.generations(name)[:-keep]:
            if generation == current or generation in pinned:
                continue
            folder = home / generation
            lease = os.open(folder / LEASE, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Renamed first: a reader must not find a folder that is half removed.
                grave = home / f".tmp-{generation}"
                folder.rename(grave)
                shutil.rmtree(grave, ignore_errors=True)
            except BlockingIOError:
                log.info("artifact %s: generation %s is in use and stays", name, generation)
            finally:
                os.close(lease)

    def _verified(self, name: str, folder: Path) -> Artifact:
        lease = -1
        try:
            lease = _take_lease(folder)
            manifest = _read_manifest(folder)
            if manifest.schema != SCHEMA:
                raise ArtifactCorrupt(f"artifact {name}: schema {manifest.schema}; this version reads {SCHEMA}")
            for file, entry in manifest.files.items():
                path = folder / file
                if not path.is_file():
                    raise ArtifactCorrupt(f"artifact {name}: file {file} is missing")
                if path.stat().st_size != entry.size or _sha256(path) != entry.sha256:
                    raise ArtifactCorrupt(f"artifact {name}: file {file} differs from its manifest")
        except BaseException:
            if lease >= 0:
                os.close(lease)
            raise
        return Artifact(folder, manifest, lease)

    def _of_kind(self, artifact: Artifact, kind: str | None) -> Artifact:
        if kind is not None and artifact.manifest.kind != kind:
            artifact.close()
            raise ArtifactInvalid(
                f"artifact {artifact.manifest.name} is of kind {artifact.manifest.kind!r}; expected {kind!r}"
            )
        return artifact


def _pin(generation: str, holder: str) -> str:
    if not (_GENERATION.fullmatch(generation) and _HOLDER.fullmatch(holder)):
        raise ArtifactInvalid("a pin is for a generation and a holder of letters, digits, '-' and '_'")
    return f"{generation}@{holder}"


def _take_lease(folder: Path) -> int:
    """A shared lock on the generation; −1 on a read-only disk, where nobody can prune either."""
    try:
        lease = os.open(folder / LEASE, os.O_RDONLY)
    except FileNotFoundError:
        return -1
    fcntl.flock(lease, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return lease


def _read_manifest(folder: Path) -> Manifest:
    try:
        content = json.loads((folder / MANIFEST).read_bytes())
        if content.pop("sha256", None) != _json_sha256(content):
            raise ArtifactCorrupt(f"generation {folder.name}: {MANIFEST} differs from its own sha256")
        files = {file: FileEntry(**entry) for file, entry in content.pop("files").items()}
        return Manifest(files=files, **content)
    except FileNotFoundError:
        raise ArtifactMissing(f"generation {folder.name} has no {MANIFEST}") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ArtifactCorrupt(f"generation {folder.name}: {MANIFEST} is not readable: {error}") from error


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    import unicodedata2

    libraries = {name: version(name) for name in ("numpy", "faiss-cpu", "onnxruntime", "safetensors")}
    return {"python": platform.python_version(), "unicode": unicodedata2.unidata_version, **libraries}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json_sha256(content: Any) -> str:  # noqa: ANN401 - JSON is what it is
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _fsync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fsync_folder(path: Path) -> None:
    _fsync_file(path)
