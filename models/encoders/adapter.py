"""What training changed in an encoder's weights, kept small: a folder with `adapter.safetensors` and `card.json`.

A change belongs to one weight matrix and is either two thin factors or the difference itself:

    WEIGHT.up (rows, r) and WEIGHT.down (r, columns)     WEIGHT += up @ down
    WEIGHT.delta (rows, columns)                         WEIGHT += delta

Beside them there may be a linear head over the vectors, `head.mean` (d,) and `head.matrix` (d, d):

    z = unit(unit(v − mean) @ matrix)

Names are those of the encoder's own weight file. Folding an adapter in is this addition (a head becomes the last
layer), done once when the encoder is prepared; what is served is as fast as before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from models.encoders.description import sha256_of
from models.errors import ArtifactCorrupt, ArtifactMissing, EncoderError, WeightsMismatch

KIND: Final = "adapter"
TENSORS, CARD, READABLE = "adapter.safetensors", "card.json", "card.md"
UP, DOWN, DELTA = ".up", ".down", ".delta"
HEAD_MEAN, HEAD_MATRIX = "head.mean", "head.matrix"

Weights = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter as it was read.

    Attributes:
        name: what an encoder with it folded in is called.
        base: the encoder it was trained on: a known name, a folder or a hub id.
        base_sha256: of that encoder's weights.
        sha256: of `adapter.safetensors`.
        card: everything that is written about it.
        changes: tensors, as named above.
    """

    name: str
    base: str
    base_sha256: str
    sha256: str
    card: Mapping[str, Any]
    changes: Weights

    @property
    def prompt(self) -> str | None:
        """What it was trained to have before every text; None: what its base has."""
        prompt: str | None = self.card.get("options", {}).get("prompt")
        return prompt

    @property
    def head(self) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
        """Mean and matrix, or None without a head."""
        if HEAD_MATRIX not in self.changes:
            return None
        return self.changes[HEAD_MEAN].astype(np.float32), self.changes[HEAD_MATRIX].astype(np.float32)

    def check_base(self, sha256: str) -> None:
        """Raise WeightsMismatch unless these are the weights it was trained on."""
        if sha256 != self.base_sha256:
            raise WeightsMismatch(
                f"adapter {self.name} was trained on {self.base} with weights {self.base_sha256[:12]}, "
                f"and these are {sha256[:12]}; train it again on these"
            )


def artifact_name(name: str) -> str:
    """Where a trained adapter rests in a store."""
    return f"adapters/{name}"


def read_adapter(folder: Path) -> Adapter:
    """The adapter in a folder.

    Raises: ArtifactMissing without its files; ArtifactCorrupt if the tensors are not the ones the card was written for.
    """
    for file in (CARD, TENSORS):
        if not (folder / file).is_file():
            raise ArtifactMissing(f"no {file} in {folder}; expected an adapter as `cognomen train` writes it")
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    found = sha256_of(folder / TENSORS)
    if found != card["sha256"]:
        raise ArtifactCorrupt(f"{TENSORS} in {folder}: sha256 {found}, expected {card['sha256']} as its card says")
    return Adapter(card["name"], card["base"], card["base_sha256"], found, card, dict(load_file(str(folder / TENSORS))))


def merged(weights: Weights, changes: Weights) -> dict[str, NDArray[np.generic]]:
    """The weights with every change added; those without one as they are.

    Raises: EncoderError if a change belongs to no weight, or has another shape.
    """
    together = dict(weights)
    for name, change in differences(changes).items():
        if name not in weights or weights[name].shape != change.shape:
            found = weights[name].shape if name in weights else "no such weight"
            raise EncoderError(f"adapter changes {name} {change.shape}; the encoder has {found}")
        together[name] = (weights[name].astype(np.float32) + change).astype(weights[name].dtype)
    return together


def differences(changes: Weights) -> dict[str, NDArray[np.float32]]:
    """Weight name → what is added to it, float32."""
    full: dict[str, NDArray[np.float32]] = {}
    for key, tensor in changes.items():
        if key in (HEAD_MEAN, HEAD_MATRIX):
            continue
        if key.endswith(DELTA):
            full[key.removesuffix(DELTA)] = tensor.astype(np.float32)
        elif key.endswith(UP):
            name = key.removesuffix(UP)
            if name + DOWN not in changes:
                raise EncoderError(f"adapter has {key} and no {name + DOWN}")
            full[name] = tensor.astype(np.float32) @ changes[name + DOWN].astype(np.float32)
        elif not key.endswith(DOWN):
            raise EncoderError(f"adapter tensor {key}: expected a name ending in {UP}, {DOWN} or {DELTA}")
    return full


def fold(folder: Path, adapter: Adapter) -> None:
    """Change a sentence-transformers folder in place: weights merged, prompts set, a head appended as a dense layer.

    unit(unit(v − mean) @ matrix) is unit(v @ matrix − mean @ matrix): a dense layer with a bias, and unit length.
    Raises: EncoderError if the folder's weights are not those the adapter changes.
    """
    path = folder / "model.safetensors"
    if not path.is_file():
        raise EncoderError(f"{folder} has no model.safetensors to fold adapter {adapter.name} into")
    save_file(merged(load_file(str(path)), adapter.changes), str(path), metadata={"format": "pt"})
    if adapter.prompt is not None:
        settings_path = folder / "config_sentence_transformers.json"
        known = json.loads(settings_path.read_text(encoding="utf-8")) if settings_path.is_file() else {}
        prompts = {"query": adapter.prompt, "document": adapter.prompt, "passage": adapter.prompt}
        settings_path.write_text(json.dumps(known | {"prompts": prompts}), encoding="utf-8")
    if adapter.head is None:
        return
    mean, matrix = adapter.head
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    number = len(modules)
    dense, package = folder / f"{number}_Dense", "sentence_transformers.models."
    dense.mkdir()
    layer = {"linear.weight": np.ascontiguousarray(matrix.T), "linear.bias": -mean @ matrix}
    save_file(layer, str(dense / "model.safetensors"), metadata={"format": "pt"})
    settings = {"in_features": matrix.shape[0], "out_features": matrix.shape[1], "bias": True}
    (dense / "config.json").write_text(
        json.dumps(settings | {"activation_function": "torch.nn.modules.linear.Identity"}), encoding="utf-8"
    )
    modules += [
        {"idx": number, "name": str(number), "path": dense.name, "type": package + "Dense"},
        {"idx": number + 1, "name": str(number + 1), "path": f"{number + 1}_Normalize", "type": package + "Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2) + "\n", encoding="utf-8")
