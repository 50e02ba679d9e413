"""What can go wrong with numbers.

ModelError
├── ShapeMismatch        an array of another shape, dtype or length than a part expects
├── ArtifactError
│   ├── ArtifactMissing  no such artifact, or no generation of it
│   ├── ArtifactCorrupt  a file's size or sha256 differs from the manifest
│   ├── ArtifactInvalid  readable, yet of another kind or schema than asked for
│   └── ArtifactWriteFailed  the disk refused; the last good generation is untouched
├── EncoderError
│   ├── EncoderUnknown   no folder, package or hub repository of that name
│   ├── WeightsMismatch  weights whose sha256 is not the pinned one
│   └── MissingExtra     a library of an optional extra is not installed
├── TrainingError       data or options that nothing can be learned from
├── BankMismatch         a hubness bank fitted for another encoder or index
├── EngineUnavailable    a database that holds vectors and does not answer, or refuses
└── DeviceUnavailable    an accelerator that this machine does not have
"""


class ModelError(Exception):
    """Anything the numbers floor raises on purpose."""


class ShapeMismatch(ModelError):
    """An array of another shape, dtype or length than a part expects."""


class ArtifactError(ModelError):
    """Anything about an artifact on disk."""


class ArtifactMissing(ArtifactError):
    """No such artifact, or no generation of it."""


class ArtifactCorrupt(ArtifactError):
    """A file's size or sha256 differs from the manifest."""


class ArtifactInvalid(ArtifactError):
    """Readable, yet of another kind or schema than asked for."""


class ArtifactWriteFailed(ArtifactError):
    """The disk refused a write; the last good generation is untouched."""


class EncoderError(ModelError):
    """Anything about finding, converting or running an encoder."""


class EncoderUnknown(EncoderError):
    """No folder, installed package or hub repository goes by that name."""


class WeightsMismatch(EncoderError):
    """Weights whose sha256 is not the pinned one."""


class MissingExtra(EncoderError):
    """A library of an optional extra is not installed; the message names the extra."""


class BankMismatch(ModelError):
    """A hubness bank fitted for another encoder or index."""


class EngineUnavailable(ModelError):
    """A database that holds vectors does not answer, or refuses; the message never holds its address."""


class DeviceUnavailable(ModelError):
    """An accelerator was asked for that this machine does not have."""


class TrainingError(ModelError):
    """Data or options that nothing can be learned from."""
