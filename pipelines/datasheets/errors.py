"""What can go wrong with a datasheet.

PipelineError
├── DocumentUnreadable     not a PDF, encrypted, hostile, or too much of one; carries a reason and a JSON pointer
│   └── OcrUnavailable     a scan was to be read and the extra `ocr` is not installed
├── PartAmbiguous          the document is about several parts and none was chosen; carries them
├── PartUnknown            the part asked for is not in the document; carries those that are
├── ModelImpossible        the parameters are not enough for a SPICE model; says which are missing
└── SimulatorFailed        ngspice could not run the card
"""

from collections.abc import Sequence
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


class PartAmbiguous(PipelineError):
    """The document is about several parts and none was chosen.

    Attributes:
        candidates: the parts, most attention first.
    """

    def __init__(self, candidates: Sequence[str]) -> None:
        super().__init__("the document is about several parts; say which one is meant")
        self.candidates = tuple(candidates)


class PartUnknown(PipelineError):
    """The part asked for is not in the document.

    Attributes:
        candidates: the parts that are.
    """

    pointer = "/part"

    def __init__(self, candidates: Sequence[str]) -> None:
        super().__init__("the document does not name the part that was asked for")
        self.candidates = tuple(candidates)


class ModelImpossible(PipelineError):
    """The parameters are not enough for a SPICE model of such a device."""

    def __init__(self, message: str, *, pointer: str = "/parameters") -> None:
        super().__init__(message)
        self.pointer = pointer


class SimulatorFailed(PipelineError):
    """The simulator could not run the card: a bug of ours, or a part beyond it."""
