"""A job's progress on a terminal, in one line."""

import sys
from collections.abc import Callable
from typing import Final, TextIO

from cognomen_client.answers import Job

Show = Callable[[Job], None]
_WIDTH: Final = 30


class ProgressLine:
    """Draws a job's progress over itself; into a pipe it writes nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._drawn = 0

    def __call__(self, job: Job) -> None:
        """Draw a state."""
        if not self._stream.isatty():
            return
        line = progress_text(job)
        self._stream.write("\r" + line + " " * max(0, self._drawn - len(line)))
        self._drawn = len(line)
        if job["status"] in {"succeeded", "failed", "cancelled"}:
            self._stream.write("\n")
        self._stream.flush()


def progress_text(job: Job) -> str:
    """A job's state in a line: bar, counts, speed, what is left."""
    progress = job["progress"]
    done, total = progress["done"], progress["total"]
    share = done / total if total else 0.0
    bar = "█" * round(share * _WIDTH) + "·" * (_WIDTH - round(share * _WIDTH))
    said = [job["status"], bar, f"{done:,}/{total:,}" if total else f"{done:,}", progress["unit"] or ""]
    if progress["per_second"]:
        said.append(f"{progress['per_second']:,.0f}/s")
    if progress["eta_s"]:
        said.append(f"{progress['eta_s']:,.0f} s left")
    return " ".join(part for part in said if part)


def shower(progress: bool | Show) -> Show:
    """What shows progress: the caller's own, a line on the terminal, or nothing."""
    if progress is True:
        return ProgressLine()
    return progress or (lambda _job: None)
