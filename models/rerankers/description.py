"""What a re-ranker's folder says about itself: `reranker.json`."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from models.errors import ArtifactInvalid, ArtifactMissing

FILE = "reranker.json"
GRAPH, TOKENIZER = "model.onnx", "tokenizer.json"


@dataclass(frozen=True, slots=True)
class RerankerDescription:
    """Everything that decides a score, and where the weights came from.

    Attributes:
        name: as it is asked for.
        max_tokens: a pair is cut here, its longer side first, special tokens included.
        pad_id: the token id that fills a batch up.
        segments: whether the graph takes token_type_ids.
        source: where the weights are from: {origin, …}.
        files: sha256 of each file that decides a score.
        largest_difference: of a score to the source's own, over the probe pairs.
    """

    name: str
    max_tokens: int
    pad_id: int
    segments: bool
    source: Mapping[str, str]
    files: Mapping[str, str]
    largest_difference: float

    @property
    def fingerprint(self) -> str:
        """Hex sha256 over files and settings; equal fingerprints mean equal scores."""
        decisive = {"files": dict(sorted(self.files.items())), "max_tokens": self.max_tokens}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()

    def write(self, folder: Path) -> None:
        """Put `reranker.json` into the folder."""
        content = json.dumps({**asdict(self), "fingerprint": self.fingerprint}, indent=2, ensure_ascii=False)
        (folder / FILE).write_text(content + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "RerankerDescription":
        """The description of a prepared folder.

        Raises: ArtifactMissing without a `reranker.json`; ArtifactInvalid if it does not describe a re-ranker.
        """
        try:
            read = json.loads((folder / FILE).read_text(encoding="utf-8"))
            return cls(**{f.name: read[f.name] for f in fields(cls)})
        except FileNotFoundError as missing:
            raise ArtifactMissing(f"no {FILE} in {folder.name}") from missing
        except (ValueError, KeyError, TypeError) as wrong:
            raise ArtifactInvalid(f"{FILE} in {folder.name} does not describe a re-ranker: {wrong!r}") from wrong


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
