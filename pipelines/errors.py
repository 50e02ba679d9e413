"""What can go wrong with meaning.

PipelineError
├── SourceError            a terminology file that cannot be read; says the file's line where there is one
├── TerminologyError
│   ├── TerminologyUnknown no terminology of that name was imported or built
│   └── ConceptUnknown     no concept of that id in the terminology
├── CollectionUnknown      no retrieval collection of that name was built
├── PipelineUnknown        no folder of that name in pipelines/
├── ConfigInvalid          an option that a pipeline's config does not take
├── ClusterUnavailable     no cluster of machines answers where one was asked for
├── CorrectionUnavailable  a hubness method whose bank this build has not
└── InputInvalid           an item that no pipeline can read; carries a JSON pointer into the request
"""


class PipelineError(Exception):
    """Anything the meaning floor raises on purpose."""


class SourceError(PipelineError):
    """A terminology file that cannot be read.

    Attributes:
        line: 1-based line number, or None where the fault is not in one line.
    """

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line is not None else message)
        self.line = line


class TerminologyError(PipelineError):
    """Anything about a terminology."""


class TerminologyUnknown(TerminologyError):
    """No terminology of that name was imported or built."""


class ConceptUnknown(TerminologyError):
    """No concept of that id in the terminology."""


class CollectionUnknown(PipelineError):
    """No retrieval collection of that name was built."""


class PipelineUnknown(PipelineError):
    """No folder of that name in `pipelines/`."""


class ConfigInvalid(PipelineError):
    """An option that a pipeline's config does not take."""


class ClusterUnavailable(PipelineError):
    """No cluster of machines answers where one was asked for."""


class CorrectionUnavailable(PipelineError):
    """A hubness method was asked for whose bank this build has not."""


class InputInvalid(PipelineError):
    """An item that the pipeline cannot read.

    Attributes:
        pointer: JSON pointer into the request, such as "/items/3/mentions/0/end".
    """

    def __init__(self, message: str, *, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer
