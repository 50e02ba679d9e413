"""What can go wrong with a datasheet.

PipelineError
└── DocumentUnreadable     not a PDF, encrypted, hostile, or too much of one; carries a reason and a JSON pointer
    └── OcrUnavailable     a scan was to be read and the extra `ocr` is not installed
"""

from typing import Final, Literal

from pipelines.errors import PipelineError

Reason = Literal["not_pdf", "encrypted", "damaged", "too_large", "timeout", "memory", "crash", "ocr"]
_POINTER: Final = "/file"


class DocumentUnreadable(PipelineError):
    """A document that cannot be read, and need not be tried again.

    Attributes:
        reason: which kind of unreadable, for a machine.
        pointer: JSON pointer into the request.
    """

    def __init__(self, message: str, *, reason: Reason, pointer: str = _POINTER) -> None:
        super().__init__(message)
        self.reason = reason
        self.pointer = pointer


class OcrUnavailable(DocumentUnreadable):
    """A scan was to be read, and the extra `ocr` is not installed."""
