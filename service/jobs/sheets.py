"""Datasheets of a `run` job: a PDF a line, its parameters as the answer, whatever is wrong with one said in its place.

PDFs come as lines that name uploaded files (`{"file_id": …}`), as one zip, or as one PDF; at the command line as files
and folders. Each is read in a process that can be killed, one at a time: memory does not grow with their number.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson
from pydantic import ValidationError

from pipelines.datasheets.assistance import Assistant
from pipelines.datasheets.document import Limits, read_document, unreadable
from pipelines.datasheets.extraction import extract
from pipelines.errors import InputInvalid, SourceError
from pipelines.flow import Pipeline
from pipelines.lines import Answered, Line
from pipelines.results import Options, Request, Result
from service.files import FileStore, write_atomically
from service.jobs.wire_lines import faults_of, is_id, line_problem, without_id
from service.problems import INTERNAL, TABLE, Fault, Invalid, Refusal, described, pointer_of
from service.schemas.datasheets import ExtractForm, FiledSheet, NamedSheet, extraction_to_wire
from service.telemetry import log_failure

SLUG: Final = "datasheets"
CHUNK: Final = 1
"""Lines of a part: a PDF is seconds of work, and what is done is not done again."""
_MEMBERS: Final = 100_000
_BOUNDED: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ZIP: Final = b"PK\x03\x04"
_PDF: Final = b"%PDF"
_OCR_TIMES: Final = 30
"""Reading scans may take this many times as long as reading text: a job has no caller who waits."""


class Sheets(Protocol):
    """Where the PDFs of a file of lines come from.

    Attributes:
        line: what a line says.
        told: fields of a line that its answer repeats.
    """

    line: type[ExtractForm]
    told: tuple[str, ...]

    def read(self, said: ExtractForm, *, most: int) -> bytes:
        """A line's PDF, at most so many bytes. Raises: Refusal, DocumentUnreadable, InputInvalid."""
        ...


class Uploaded:
    """PDFs that were uploaded, each a file of its own."""

    line: type[ExtractForm] = FiledSheet
    told: tuple[str, ...] = ("id", "file_id")

    def __init__(self, files: FileStore) -> None:
        self._files = files

    def read(self, said: ExtractForm, *, most: int) -> bytes:
        """As `Sheets` says."""
        assert isinstance(said, FiledSheet)
        with self._files.open(said.file_id) as stream:
            return _bounded(stream, most)


class Zipped:
    """PDFs in an archive."""

    line: type[ExtractForm] = NamedSheet
    told: tuple[str, ...] = ("id", "file")

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _archive(self) -> zipfile.ZipFile:
        """Open for as long as this lives: its directory may be long, and is read once."""
        return zipfile.ZipFile(self._path)

    def read(self, said: ExtractForm, *, most: int) -> bytes:
        """As `Sheets` says; of an archive bomb no more is unpacked than a PDF may have."""
        assert isinstance(said, NamedSheet)
        try:
            # Of bz2 and LZMA zipfile unpacks whatever it has read, however much comes of it.
            if self._archive.getinfo(said.file).compress_type not in _BOUNDED:
                raise unreadable("damaged")
            with self._archive.open(said.file) as stream:
                return _bounded(stream, most)
        except RuntimeError:  # zipfile's word for a password
            raise unreadable("encrypted") from None
        except (OSError, EOFError, ValueError, KeyError, NotImplementedError, zipfile.BadZipFile, zlib.error):
            raise unreadable("damaged") from None


class Local:
    """PDFs on this machine's disk: at the command line only."""

    line: type[ExtractForm] = NamedSheet

    def __init__(self, root: Path, *, told: tuple[str, ...] = ("id", "file")) -> None:
        self._root = root
        self.told: tuple[str, ...] = told

    def read(self, said: ExtractForm, *, most: int) -> bytes:
        """As `Sheets` says."""
        assert isinstance(said, NamedSheet)
        try:
            with (self._root / said.file).open("rb") as stream:
                return _bounded(stream, most)
        except (OSError, ValueError):
            raise InputInvalid("there is no such file, or it cannot be read", pointer="/file") from None


def sheets_in(source: Path, *, files: FileStore | None, root: Path, folder: Path) -> tuple[Sheets, Path]:
    """Where the PDFs are that an input names, and the file of lines that names them.

    Args:
        source: lines, a zip of PDFs or one PDF.
        files: what lines may name by `file_id`; None where they name files of this machine.
        root: what those are relative to.
        folder: where the lines of a zip are written, once.

    Raises: SourceError if it is a broken zip or one without PDFs.
    """
    head = _head(source)
    if head.startswith(_ZIP):
        return Zipped(source), lines_naming(folder, _members(source))
    if _PDF in head and not head.startswith(b"{"):
        told = ("file",) if files is None else ()  # an upload's name here is not what its owner calls it
        return Local(source.parent, told=told), lines_naming(folder, [source.name])
    return (Uploaded(files) if files is not None else Local(root)), source


def pdfs_below(paths: Sequence[Path]) -> list[Path]:
    """The files given, and the PDFs below the folders given, in order, each once."""
    found = (
        inner
        for path in paths
        for inner in (sorted(p for p in path.rglob("*") if p.suffix.lower() == ".pdf") if path.is_dir() else [path])
    )
    return list(dict.fromkeys(found))


def checked_sheet_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run over datasheets: the fields of the form. Raises: Invalid."""
    try:
        ExtractForm.model_validate(dict(options))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [Fault(pointer_of(("body", "options", *f["loc"])), str(f["msg"])) for f in found]
        raise Invalid("The options cannot be used; `errors` says why.", faults=faults) from None
    return dict(options)


class SheetLines:
    """Answers lines that name PDFs, one after the other.

    Args:
        pipeline: names rows.
        sheets: where the PDFs are.
        known: the parameters there are.
        options: of every line; what a line says itself counts more.
        limits: what a PDF may cost.
        assistant: makes the language model that one document is read with; None where none is set up.
        check: called before each PDF; raises to stop.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sheets: Sheets,
        *,
        known: Container[str],
        options: Mapping[str, Any],
        limits: Limits,
        assistant: Callable[[], Assistant | None] = lambda: None,
        check: Callable[[], None] = lambda: None,
    ) -> None:
        self._pipeline = pipeline
        self._sheets = sheets
        self._known = known
        self._options = dict(options)
        self._limits = limits
        self._assistant = assistant
        self._check = check

    def __call__(self, lines: Sequence[Line]) -> list[Answered]:
        """One answer each, in order."""
        return [self._answered(line) for line in lines]

    def _answered(self, line: Line) -> Answered:
        self._check()
        about: dict[str, Any] = {}
        if isinstance(line.value, dict):
            about = {k: v for k in self._sheets.told if is_id(v := line.value.get(k))}
        try:
            answer = self._extracted(self._said(line))
        except _LineUnreadable as error:
            return _refused(about, line, error.problem)
        except tuple(TABLE) as error:
            return _refused(about, line, described(error))
        except Refusal as error:
            return _refused(about, line, described(error))
        except Exception as error:  # noqa: BLE001 - said in its line, and in the log
            log_failure(error, reason="datasheet")
            return _refused(about, line, described(INTERNAL))
        return Answered(orjson.dumps({**about, **answer}))

    def _said(self, line: Line) -> ExtractForm:
        if line.fault is not None:
            raise _LineUnreadable(line_problem(f"The line cannot be read: {line.fault}.", []))
        value, faults = without_id(line.value)
        if isinstance(value, dict) and "terminology" in value:
            faults = [*faults, Fault("/terminology", "One for all lines; the job names it.")]
        if faults:
            raise _LineUnreadable(line_problem("The line is not what the pipeline takes.", faults))
        try:
            return self._sheets.line.model_validate({**self._options, **value} if isinstance(value, dict) else value)
        except ValidationError as error:
            problem = line_problem("The line is not what the pipeline takes.", faults_of(error, within=0))
            raise _LineUnreadable(problem) from None

    def _require_known(self, names: Sequence[str]) -> None:
        unknown = [i for i, name in enumerate(names) if name not in self._known]
        if unknown:
            faults = [Fault(f"/parameters/{i}", "No such parameter in the terminology.") for i in unknown]
            raise _LineUnreadable(line_problem("The line is not what the pipeline takes.", faults))

    def _extracted(self, said: ExtractForm) -> dict[str, Any]:
        self._require_known(said.parameters)
        limits = self._limits
        if said.ocr:
            limits = replace(limits, wall_s=limits.wall_s * _OCR_TIMES, cpu_s=limits.cpu_s * _OCR_TIMES)
        document = read_document(self._sheets.read(said, most=limits.size_bytes), limits=limits, ocr=said.ocr)
        options = Options(top_k=said.top_k or 5, min_confidence=said.min_confidence)

        def name(rows: Sequence[Request]) -> list[Result]:
            asked = [Request(r.text, r.language, options=options) for r in rows]
            return self._pipeline.run(asked, hubness=said.hubness)

        extraction = extract(
            document,
            name,
            part=said.part,
            device_type=said.device_type,
            parameters=said.parameters,
            all_parts=said.variants == "all",
            assistant=self._assistant() if said.assist else None,
        )
        return extraction_to_wire(extraction, top_k=said.top_k)


class _LineUnreadable(Exception):
    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__()
        self.problem = problem


def _refused(about: Mapping[str, Any], line: Line, problem: Mapping[str, Any]) -> Answered:
    return Answered(orjson.dumps({**about, "line": line.number, "error": problem}), ok=False)


def _bounded(stream: IO[bytes], most: int) -> bytes:
    data = stream.read(most + 1)
    if len(data) > most:
        raise unreadable("too_large")
    return data


def _head(source: Path) -> bytes:
    with source.open("rb") as stream:
        return stream.read(1024)


def lines_naming(folder: Path, names: Sequence[str]) -> Path:
    """A file of lines with these names; the same in every attempt."""
    path = folder / "sheets.jsonl"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(path, [json.dumps({"file": name}).encode() + b"\n" for name in names])
    return path


def _members(source: Path) -> list[str]:
    """The PDFs of an archive by name, in its order. Raises: SourceError."""
    with _broken_zip(source), zipfile.ZipFile(source) as archive:
        members = archive.infolist()
    if len(members) > _MEMBERS:
        raise SourceError(f"{source.name} holds {len(members)} files; at most {_MEMBERS} are read")
    names = [m.filename for m in members if not m.is_dir() and _is_pdf(m.filename)]
    if not names:
        raise SourceError(f"{source.name} holds no .pdf")
    return list(dict.fromkeys(names))


def _is_pdf(name: str) -> bool:
    return name.lower().endswith(".pdf") and not name.startswith("__MACOSX/")


@contextmanager
def _broken_zip(source: Path) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise SourceError(f"{source.name} is a damaged zip archive") from error
