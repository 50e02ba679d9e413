"""The card that every training run leaves: what it is from, what it may be used for, and how it did."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from models.encoders.adapter import CARD, READABLE, TENSORS


@dataclass(frozen=True, slots=True)
class DataUsed:
    """Data that was trained on.

    Attributes:
        share: of the batches that came from it.
        sha256: of the files read, or "" where there is no file.
    """

    name: str
    licence: str
    share: float
    rows: int
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """What is known about an adapter.

    Attributes:
        name: what an encoder with it folded in is called.
        base: the encoder it changes.
        base_licence: that encoder's.
        base_sha256: of that encoder's weights.
        command: what made it, word for word.
        data: what it was trained on, and how it was held apart.
        options: everything that decided the run, seed included.
        figures: development measures before and after; benchmarks/results/training.json has the rest.
        limits: what it must not be taken for.
    """

    name: str
    base: str
    base_licence: str
    base_sha256: str
    command: str
    data: Sequence[DataUsed]
    options: Mapping[str, Any]
    figures: Mapping[str, Any]
    limits: str


def write_adapter(folder: Path, changes: Mapping[str, NDArray[np.generic]], card: Card) -> str:
    """Write adapter.safetensors, card.json and card.md; gives back the sha256 of the first."""
    folder.mkdir(parents=True, exist_ok=True)
    content = save({k: np.ascontiguousarray(v) for k, v in sorted(changes.items())}, metadata={"base": card.base})
    digest = hashlib.sha256(content).hexdigest()
    (folder / TENSORS).write_bytes(content)
    about = asdict(card) | {
        "sha256": digest,
        "bytes": len(content),
        "numbers": int(sum(v.size for v in changes.values())),
        "made": datetime.now(UTC).date().isoformat(),
    }
    (folder / CARD).write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / READABLE).write_text(_readable(card, about), encoding="utf-8")
    return digest


def _readable(card: Card, about: Mapping[str, Any]) -> str:
    lines = [
        f"# {card.name}",
        "",
        f"An adapter for `{card.base}` ({card.base_licence}): {about['numbers']:,} numbers, "
        f"{about['bytes'] / 1e6:.1f} MB, sha256 `{about['sha256']}`. Made {about['made']} by",
        "",
        f"    {card.command}",
        "",
        "| trained on | licence | share of the batches | rows | sha256 |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {d.name} | {d.licence} | {d.share:.2f} | {d.rows:,} | {d.sha256[:12]} |" for d in card.data),
        "",
        "## Options",
        "",
        *(f"- {name}: {value}" for name, value in card.options.items()),
        "",
        "## Development figures",
        "",
        *(f"- {name}: {value}" for name, value in card.figures.items()),
        "",
        "## Limits",
        "",
        card.limits,
    ]
    return "\n".join(lines) + "\n"
