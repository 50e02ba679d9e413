"""The terminologies that were imported, as artifacts: `terminologies/NAME`."""

import hashlib
from typing import Final

from models.artifacts import ArtifactStore
from pipelines.errors import TerminologyUnknown
from pipelines.terminology import Terminology

KIND: Final = "terminology"
_LINES: Final = "concepts.jsonl"


def artifact_name(terminology: str) -> str:
    """Where an imported terminology rests."""
    return f"terminologies/{terminology}"


def terminologies(store: ArtifactStore) -> list[str]:
    """The names of every imported terminology, sorted."""
    return [name.removeprefix("terminologies/") for name in store.names("terminologies")]


def import_terminology(terminology: Terminology, *, store: ArtifactStore) -> str:
    """Store a terminology as a new generation, unless the current one holds the same, and give its generation back."""
    name = artifact_name(terminology.name)
    lines = list(terminology.to_lines())
    content = hashlib.sha256(b"\n".join([terminology.version.encode(), *lines])).hexdigest()
    if store.exists(name) and store.manifest(name).details.get("content") == content:
        return store.current(name)
    with store.write(name, kind=KIND) as writer:
        writer.add_lines(_LINES, iter(lines))
        writer.details.update(
            name=terminology.name,
            version=terminology.version,
            title=terminology.title,
            content=content,
            concepts=len(terminology),
            terms=terminology.rows,
            languages=terminology.languages,
        )
    return store.current(name)


def open_terminology(name: str, *, store: ArtifactStore) -> Terminology:
    """An imported terminology. Raises: TerminologyUnknown."""
    if not store.exists(artifact_name(name)):
        known = ", ".join(terminologies(store)) or "none"
        raise TerminologyUnknown(f"no such terminology is imported; there are: {known}")
    with store.open(artifact_name(name), kind=KIND) as artifact:
        details = artifact.manifest.details
        return Terminology.from_lines(
            name,
            version=details["version"],
            title=details["title"],
            lines=artifact.read_bytes(_LINES).splitlines(),
        )
