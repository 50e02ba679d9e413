"""A PDF's bytes → the page model, read in a process that can be killed.

Of 195 hostile PDFs some kept pdfplumber busy for ever and some made PDFium abort: neither may happen to the service.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.datasheets.errors import DocumentUnreadable, OcrUnavailable, Reason
from pipelines.datasheets.page import Document
from pipelines.datasheets.words import fonts_like_symbol, page_of

_WORKER: Final = Path(__file__).with_name("worker.py")
_HEAD: Final = 1024
"""Bytes in which %PDF must stand. Source: PDF 1.7 reference, implementation note 13."""
_OUTPUT_BYTES: Final = 128 * 2**20
_MESSAGES: Final[Mapping[Reason, str]] = {
    "not_pdf": "the file is not a PDF",
    "encrypted": "the PDF asks for a password; remove it and send the file again",
    "damaged": "the PDF is damaged: no page of it can be read",
    "too_large": "the PDF is larger than this service reads",
    "timeout": "the PDF takes too long to read",
    "memory": "the PDF takes too much memory to read",
    "crash": "the PDF cannot be read: it breaks the reader",
    "ocr": "the document is a scan and reading scans is not installed; install the extra `ocr`",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one document may cost. The defaults are guesses: five times what the largest of 40 real sheets took.

    Attributes:
        size_bytes: of the file.
        pages: read from the front; the rest is noted and left.
        scans: pages that are pictures and are read as such, from the front; about a minute each.
        wall_s: by the clock, both attempts together.
        cpu_s: of the process.
        memory_bytes: address space of the process.
    """

    size_bytes: int = 50 * 2**20
    pages: int = 60
    scans: int = 30
    wall_s: float = 60.0
    cpu_s: int = 60
    memory_bytes: int = 2 * 2**30


def read_document(data: bytes, *, limits: Limits | None = None, ocr: bool = False) -> Document:
    """The page model of a PDF.

    What breaks pdfminer is tried again with PDFium alone; `Document.notes` says so.

    Args:
        data: the file.
        limits: what it may cost.
        ocr: read scanned pages with RapidOCR (extra `ocr`): about a minute a page. What the limits leave no time for
            stays unread, and a note says which pages.

    Raises: DocumentUnreadable, whose `reason` says why; OcrUnavailable.
    """
    limits = limits or Limits()
    if len(data) > limits.size_bytes:
        raise unreadable("too_large")
    if b"%PDF" not in data[:_HEAD]:
        raise unreadable("not_pdf")
    lines, failure = _attempt(data, limits, share=1.0 if ocr else 0.6, ocr=ocr, pdfium_only=False)
    notes: list[str] = []
    if failure in ("timeout", "crash", "memory") and not ocr and len(lines) <= _pages_expected(lines, limits):
        again, second = _attempt(data, limits, share=0.4, ocr=False, pdfium_only=True)
        if second is None and len(again) >= len(lines):
            notes.append(f"read by PDFium alone: the first reader ended with {failure}")
            lines, failure = again, None
    if failure and len(lines) < 2:
        raise unreadable(failure)
    if failure and not (ocr and len(lines) > _pages_expected(lines, limits)):
        notes.append(f"reading stopped after page {len(lines) - 1}: {failure}")
    return _document(data, lines, notes, ocr=ocr)


def _pages_expected(lines: list[dict[str, Any]], limits: Limits) -> int:
    return min(lines[0]["pages_total"], limits.pages) if lines else 1


def unreadable(reason: Reason) -> DocumentUnreadable:
    """The error for a reason, in words for whoever sent the file."""
    kind = OcrUnavailable if reason == "ocr" else DocumentUnreadable
    return kind(_MESSAGES[reason], reason=reason)


def _attempt(
    data: bytes, limits: Limits, *, share: float, ocr: bool, pdfium_only: bool
) -> tuple[list[dict[str, Any]], Reason | None]:
    """What the worker wrote, and why it stopped early if it did."""
    wall = limits.wall_s * share
    options = {
        "pages": limits.pages,
        "scans": limits.scans,
        "cpu_s": max(1, round(limits.cpu_s * share)),
        "memory_bytes": limits.memory_bytes,
        "budget_s": wall * 0.8,
        "ocr": ocr,
        "pdfium_only": pdfium_only,
    }
    # Isolated: no environment, no user site; in a session of its own, so that all of it can be killed.
    command = [sys.executable, "-I", str(_WORKER), json.dumps(options)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        close_fds=True,
    )
    failure: Reason | None = None
    try:
        output, _ = process.communicate(data, timeout=wall)
    except subprocess.TimeoutExpired:
        kill(process)
        output, _ = process.communicate()
        failure = "timeout"
    lines = _latest(_parsed(output[:_OUTPUT_BYTES]))
    if lines and "error" in lines[-1]:
        failure = lines.pop()["error"]
    elif failure is None and process.returncode:
        failure = "timeout" if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else "crash"
    if failure is None and not lines:
        failure = "damaged"
    return lines, failure


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process that leads a session, and all it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        process.kill()


def _parsed(output: bytes) -> list[dict[str, Any]]:
    """The complete lines: a killed worker may leave half a one."""
    found = []
    for line in output.split(b"\n"):
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return [line for line in found if isinstance(line, dict)]


def _latest(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The lines, of a page that was written twice the later one."""
    pages = {line["number"]: line for line in lines if "number" in line}
    return [line for line in lines if "number" not in line or pages[line["number"]] is line]


def _document(data: bytes, lines: list[dict[str, Any]], notes: list[str], *, ocr: bool = False) -> Document:
    head, pages = lines[0], sorted(lines[1:], key=lambda line: line["number"])
    symbols = fonts_like_symbol(pages)
    total = head["pages_total"]
    notes += head["notes"] + [note for page in pages for note in page["notes"]]
    if total > len(pages):
        notes.append(f"{len(pages)} of {total} pages were read")
    scans = [str(page["number"]) for page in pages if page["needs_ocr"]]
    if scans:
        said = "there was no time left to read it; a job (kind run) has more" if ocr else "ask for ocr"
        notes.append(f"page {', '.join(scans)}: a scan without text; {said}")
    return Document(
        hashlib.sha256(data).hexdigest(),
        tuple(page_of(page, symbols) for page in pages),
        total,
        metadata=head["metadata"],
        notes=tuple(notes),
    )
