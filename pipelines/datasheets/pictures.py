"""A page of a PDF as a picture, drawn in a process that can be killed, so that a person can look where a row stands."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pipelines.datasheets.document import Limits, kill, unreadable
from pipelines.errors import InputInvalid

_WORKER: Final = Path(__file__).with_name("picture_worker.py")
_HEAD: Final = 1024


class PageUnknown(InputInvalid):
    """The document has no page of that number."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A page drawn.

    Attributes:
        png: the picture.
        width: of the page in points, as boxes of rows count.
        height: likewise.
    """

    png: bytes
    width: float
    height: float


def draw_page(data: bytes, page: int, *, width_px: int, limits: Limits) -> Picture:
    """One page of a PDF.

    Args:
        page: from 1.
        width_px: of the picture; less where the page is so tall that it would have more than 12 million pixels.
        limits: what it may cost.

    Raises: DocumentUnreadable; PageUnknown.
    """
    if len(data) > limits.size_bytes:
        raise unreadable("too_large")
    if b"%PDF" not in data[:_HEAD]:
        raise unreadable("not_pdf")
    head, _, png = _output(data, page, width_px, limits).partition(b"\n")
    said = _parsed(head)
    if said.get("error") == "no_page":
        raise PageUnknown(f"the document has {said['pages']} pages", pointer="/page")
    if "error" in said:
        raise unreadable(said["error"])
    if not said or not png:
        raise unreadable("damaged")
    return Picture(png, said["width"], said["height"])


def _output(data: bytes, page: int, width_px: int, limits: Limits) -> bytes:
    options = {"page": page, "width_px": width_px, "cpu_s": limits.cpu_s, "memory_bytes": limits.memory_bytes}
    process = subprocess.Popen(
        [sys.executable, "-I", str(_WORKER), json.dumps(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        close_fds=True,
    )
    try:
        output, _ = process.communicate(data, timeout=limits.wall_s)
    except subprocess.TimeoutExpired:
        kill(process)
        process.communicate()
        raise unreadable("timeout") from None
    if process.returncode:
        raise unreadable("timeout" if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL) else "crash")
    return output


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
