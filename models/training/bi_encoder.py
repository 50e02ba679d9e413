"""Train an encoder to bring texts of one concept together: sentence-transformers' trainer around our batches.

What is written while it runs is small: a checkpoint is what the adapter learned and the optimizer's state, so that a
run that was stopped goes on where it was.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from datasets import Dataset
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import DefaultBatchSampler
from sentence_transformers.sentence_transformer.evaluation import InformationRetrievalEvaluator, SequentialEvaluator
from torch import nn
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback
from transformers.trainer_utils import get_last_checkpoint

from models.device import choose_device, supports_bf16
from models.encoders.adapter import TENSORS
from models.errors import TrainingError
from models.training.adapters import AdapterShape, attach, changes, restore, trainable
from models.training.bases import query_prompt
from models.training.losses import MaskedRankingLoss
from models.training.pairs import Batches

_LOG: Final = logging.getLogger(__name__)
_METRIC: Final = "eval_sequential_score"


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """How to train. The defaults are those of the adapters that ship (docs/training.md).

    Attributes:
        learning_rate: peak, after the warm-up and before the linear decline.
        warm_up: share of the steps.
        scale: the softmax's inverse temperature.
        mini_batch: texts at a time through the network; bounds memory, changes nothing else.
        cached: embed twice for the sake of memory (losses.py).
        evaluate_every: steps between two looks at the development sets; a checkpoint each.
        patience: looks without a better one after which it stops; 0 never stops early.
        device: "auto", "cpu", "cuda[:n]" or "mps".
        exact: compute in float32; without it, in bfloat16 where the chip has it (GPUs, CPUs with AMX).
    """

    learning_rate: float = 2e-4
    warm_up: float = 0.1
    scale: float = 20.0
    mini_batch: int = 64
    cached: bool = True
    evaluate_every: int = 100
    patience: int = 3
    seed: int = 0
    device: str = "auto"
    exact: bool = False


@dataclass(frozen=True, slots=True)
class DevelopmentSet:
    """Queries with their right answers, to stop by. Never what is reported on.

    Attributes:
        relevant: per query the numbers of the texts of `corpus` that are right.
    """

    name: str
    queries: Sequence[str]
    corpus: Sequence[str]
    relevant: Sequence[set[int]]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run gave.

    Attributes:
        changes: what was learned at the best look, as models/encoders/adapter.py keeps it.
        history: one entry per look: step, loss and development measures.
        steps: how many were run.
        best_step: which of them the changes are from.
        trainable: how many numbers could change.
    """

    changes: Mapping[str, NDArray[np.generic]]
    history: Sequence[Mapping[str, float]]
    steps: int
    best_step: int
    trainable: int


class _AsDrawn(DefaultBatchSampler):  # type: ignore[misc] # untyped here
    """Batches as they were drawn, in that order."""

    spans: Sequence[range] = ()

    def __iter__(self) -> Iterator[list[int]]:
        return (list(span) for span in self.spans)

    def __len__(self) -> int:
        return len(self.spans)


class _AdapterTrainer(SentenceTransformerTrainer):  # type: ignore[misc]
    """Checkpoints hold what the adapter learned and no weights."""

    network: nn.Module

    def add_model_card_callback(self, default_args_dict: dict[str, Any]) -> None:
        """Nothing: the card is ours (models/training/card.py)."""

    def _save(self, output_dir: str | None = None, state_dict: object = None) -> None:
        folder = Path(output_dir or self.args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        # Whole floats: a run that goes on must go on from the same numbers.
        save_file(changes(self.network, dtype=np.float32), folder / TENSORS)

    def _load_from_checkpoint(self, checkpoint_path: str, model: object = None) -> None:
        restore(self.network, load_file(str(Path(checkpoint_path) / TENSORS)))


class _Watch(TrainerCallback):  # type: ignore[misc]
    """Tells progress."""

    def __init__(self, on_progress: Callable[[str, int, int], None]) -> None:
        self._on_progress = on_progress

    def on_step_end(self, args: object, state: Any, control: object, **kwargs: object) -> None:  # noqa: ANN401
        self._on_progress("train", state.global_step, state.max_steps)


def train(
    model: Any,  # noqa: ANN401 - sentence_transformers is untyped here
    network: nn.Module,
    batches: Batches,
    *,
    shape: AdapterShape,
    development: Sequence[DevelopmentSet],
    options: TrainingOptions,
    folder: Path,
    resume: bool = False,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Trained:
    """Learn an adapter.

    Args:
        model: a `SentenceTransformer`.
        network: the part of it whose weights may change, under the names of its weight file.
        batches: what to learn from, in this order, once.
        folder: checkpoints go here.
        resume: go on from the folder's last checkpoint, if there is one.

    Returns: what was learned at the look with the best mean development MAP; at the end, without development sets.
    Raises: TrainingError without batches.
    """
    if not len(batches):
        raise TrainingError("no batches to train on")
    torch.manual_seed(options.seed)
    attach(network, shape)
    count = trainable(network)
    trainer = _trainer(model, network, batches, development, options, folder, on_progress)
    last = get_last_checkpoint(str(folder)) if resume and folder.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    state = trainer.state
    best = (
        int(str(state.best_model_checkpoint).rpartition("-")[2]) if state.best_model_checkpoint else state.global_step
    )
    return Trained(changes(network), _history(state.log_history), state.global_step, best, count)


def _trainer(
    model: Any,  # noqa: ANN401
    network: nn.Module,
    batches: Batches,
    development: Sequence[DevelopmentSet],
    options: TrainingOptions,
    folder: Path,
    on_progress: Callable[[str, int, int], None],
) -> _AdapterTrainer:
    device = choose_device(options.device)
    model.to(device)
    if device != "cpu" and hasattr(network, "set_attn_implementation"):
        network.set_attn_implementation("sdpa")
    callbacks: list[TrainerCallback] = [_Watch(on_progress)]
    if development and options.patience:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=options.patience))
    sampler = type("Drawn", (_AsDrawn,), {"spans": batches.spans})
    looks: dict[str, Any] = (
        {"eval_strategy": "steps", "eval_steps": options.evaluate_every, "load_best_model_at_end": True}
        | {"metric_for_best_model": _METRIC, "greater_is_better": True}
        if development
        else {}
    )
    arguments = SentenceTransformerTrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1,
        max_steps=len(batches),
        per_device_train_batch_size=max(batches.sizes),
        learning_rate=options.learning_rate,
        weight_decay=0.0,
        lr_scheduler_type="linear",
        warmup_steps=round(len(batches) * options.warm_up),
        max_grad_norm=1.0,
        seed=options.seed,
        data_seed=options.seed,
        use_cpu=device == "cpu",
        bf16=not options.exact and supports_bf16(device),
        batch_sampler=sampler,
        save_strategy="steps",
        save_steps=options.evaluate_every,
        save_total_limit=2,
        logging_steps=max(min(options.evaluate_every, len(batches)), 1),
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        prompts=query_prompt(model),
        **looks,
    )
    trainer = _AdapterTrainer(
        model=model,
        args=arguments,
        train_dataset=_dataset(batches),
        loss=MaskedRankingLoss(model, scale=options.scale, mini_batch_size=options.mini_batch, cached=options.cached),
        evaluator=_evaluator(development, model) if development else None,
        callbacks=callbacks,
    )
    trainer.network = network
    trainer.remove_callback(PrinterCallback)
    return trainer


def _dataset(batches: Batches) -> Dataset:
    columns: dict[str, list[Any]] = {
        "anchor": [p.anchor for p in batches.pairs],
        "positive": [p.positive for p in batches.pairs],
    }
    if any(p.negative for p in batches.pairs):
        columns["negative"] = [p.negative or p.positive for p in batches.pairs]  # masked where there is none
    return Dataset.from_dict({**columns, "label": batches.labels.tolist()})


def _evaluator(development: Sequence[DevelopmentSet], model: Any) -> SequentialEvaluator:  # noqa: ANN401
    prompt = query_prompt(model)
    parts = [
        InformationRetrievalEvaluator(
            queries={f"q{i}": q for i, q in enumerate(d.queries)},
            corpus={f"c{i}": c for i, c in enumerate(d.corpus)},
            relevant_docs={f"q{i}": {f"c{j}" for j in right} for i, right in enumerate(d.relevant)},
            name=d.name,
            map_at_k=[100],
            mrr_at_k=[10],
            ndcg_at_k=[10],
            accuracy_at_k=[1, 5, 10],
            precision_recall_at_k=[10],
            score_functions={"cosine": model.similarity},
            main_score_function="cosine",
            query_prompt=prompt,
            corpus_prompt=prompt,
            write_csv=False,
        )
        for d in development
    ]
    for part in parts:
        part.primary_metric = f"{part.name}_cosine_map@100"
    return SequentialEvaluator(parts, main_score_function=_mean)


def _mean(scores: Sequence[float]) -> float:
    return float(np.mean(scores))


def _history(log: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """One entry per step that said something, its numbers together."""
    steps: dict[int, dict[str, float]] = {}
    for entry in log:
        kept = {k.removeprefix("eval_"): v for k, v in entry.items() if k == "loss" or "map@100" in k or k == _METRIC}
        if kept:
            steps.setdefault(int(entry["step"]), {"step": entry["step"]}).update(kept)
    return list(steps.values())


def as_json(options: TrainingOptions) -> dict[str, Any]:
    """The options, for the card."""
    return asdict(options)
