"""Prepare a re-ranker: a trained or hub cross-encoder, exported to ONNX, measured against its source, written down."""

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from models.errors import EncoderError, EncoderUnknown, MissingExtra
from models.rerankers.cross_encoder import CrossEncoder
from models.rerankers.description import GRAPH, TOKENIZER, RerankerDescription, sha256_of

PROBE: Final = (
    ("lighthouse keeper", "someone who minds a lamp on the coast"),
    ("lighthouse keeper", "pastry"),
    ("Was kostet ein Brot?", "Ein Laib kostet drei Euro und vierzig Cent, im Dutzend weniger."),
    ("fever", "The patient had a temperature of 39.5 °C for three days, without other complaints. " * 8),
    ("", "an empty query"),
    ("日本語", "🙂 emoji and 漢字"),
)
"""Pairs on which the graph must agree with its source."""

_TOLERANCE: Final = 1e-4
_MAX_TOKENS: Final = 512


def prepare(source: str, folder: Path, *, called: str) -> RerankerDescription:
    """Write a servable re-ranker into `folder`: `model.onnx`, `tokenizer.json`, `reranker.json`.

    Args:
        source: a folder as sentence-transformers' `CrossEncoder` or transformers save it, or a hub id. One output.
        folder: created if need be; publish it as an artifact of kind "reranker" afterwards.
        called: its name from now on.

    Returns: what was written.
    Raises: EncoderUnknown, MissingExtra; EncoderError if the model has not one output, or the graph does not agree.
    """
    missing = [library for library in ("torch", "transformers", "onnx") if find_spec(library) is None]
    if missing:
        raise MissingExtra(f"preparing a re-ranker needs {' and '.join(missing)}; install the 'encoders' extra")
    model, tokenizer = _open(source)
    if model.config.num_labels != 1:
        raise EncoderError(f"the model has {model.config.num_labels} outputs; expected one, as a cross-encoder has")
    folder.mkdir(parents=True, exist_ok=True)
    segments = "token_type_ids" in tokenizer.model_input_names
    _write_graph(model, folder / GRAPH, segments=segments)
    _write_tokenizer(tokenizer, folder / TOKENIZER)
    description = RerankerDescription(
        name=called,
        max_tokens=_max_tokens(model, tokenizer),
        pad_id=int(tokenizer.pad_token_id or 0),
        segments=segments,
        source={"origin": Path(source).name if Path(source).is_dir() else source},
        files={name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)},
        largest_difference=0.0,
    )
    description.write(folder)
    return _measured(folder, description, _source_scores(model, tokenizer, description.max_tokens))


def _open(source: str) -> tuple[Any, Any]:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    try:
        model = AutoModelForSequenceClassification.from_pretrained(source, attn_implementation="eager")
        tokenizer = AutoTokenizer.from_pretrained(source)
    except (OSError, ValueError) as error:
        raise EncoderUnknown("no folder or hub repository of that name holds a cross-encoder") from error
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise EncoderError("the model has no fast tokenizer, and serving runs on `tokenizers` alone")
    return model.eval(), tokenizer


def _write_graph(model: Any, path: Path, *, segments: bool) -> None:  # noqa: ANN401 - transformers is untyped
    import torch

    names = ["input_ids", "attention_mask", *(["token_type_ids"] if segments else [])]

    class Logits(torch.nn.Module):  # type: ignore[misc]  # torch is untyped here
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *inputs: Any) -> Any:  # noqa: ANN401
            return self.model(**dict(zip(names, inputs, strict=True))).logits

    ids = torch.tensor([[1, 5, 6, 2], [1, 7, 2, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    axes = {0: "pairs", 1: "tokens"}
    with warnings.catch_warnings(), torch.no_grad():
        # As models/encoders/graph.py: the tracing exporter's graph is the one that matched when measured.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Logits().eval(),
            (ids, mask, *([torch.zeros_like(ids)] if segments else [])),
            str(path),
            dynamo=False,
            opset_version=17,
            input_names=names,
            output_names=["logits"],
            dynamic_axes={**dict.fromkeys(names, axes), "logits": {0: "pairs"}},
        )


def _write_tokenizer(tokenizer: Any, path: Path) -> None:  # noqa: ANN401 - transformers is untyped
    fast = tokenizer.backend_tokenizer
    fast.no_padding()
    fast.no_truncation()
    fast.save(str(path), pretty=False)


def _max_tokens(model: Any, tokenizer: Any) -> int:  # noqa: ANN401 - transformers is untyped
    # RoBERTa's position table has two rows more than it can read; its tokenizer knows.
    positions = getattr(model.config, "max_position_embeddings", _MAX_TOKENS)
    return int(min(tokenizer.model_max_length, positions, _MAX_TOKENS))


def _source_scores(model: Any, tokenizer: Any, max_tokens: int) -> Sequence[float]:  # noqa: ANN401
    import torch

    scores = []
    with torch.no_grad():
        for query, text in PROBE:
            inputs = tokenizer(query, text, truncation="longest_first", max_length=max_tokens, return_tensors="pt")
            scores.append(float(torch.sigmoid(model(**inputs).logits.reshape(()))))
    return scores


def _measured(folder: Path, description: RerankerDescription, expected: Sequence[float]) -> RerankerDescription:
    found = CrossEncoder(folder).score([query for query, _ in PROBE], [[text] for _, text in PROBE])
    difference = float(np.abs(np.concatenate(found) - np.array(expected, np.float32)).max())
    if difference > _TOLERANCE:
        shutil.rmtree(folder, ignore_errors=True)
        raise EncoderError(f"the exported graph differs from its source by {difference:.6f} on a probe pair")
    described = replace(description, largest_difference=round(difference, 8))
    described.write(folder)
    return described
