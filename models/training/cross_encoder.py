"""Train a re-ranker that reads a mention and each of its candidates together, on top of scores that are there already.

One question is one mention with its k candidates and a row for NIL, which has logits of its own:

    logits = prior + residual(pair)      prior: what retrieval, or an earlier re-ranker, says; residual: 0 at first
    loss   = −ln Σ_right softmax(logits) + λ ‖logits − prior‖₂

so that nothing is worse than the prior before there is something to learn, and what is learned has to pay.

Source: Borchert et al. 2023, *xMEN: A Modular Toolkit for Cross-Lingual Medical Entity Normalization*
(arXiv 2310.11275): one batch is one mention, softmax cross-entropy with NIL, rank regularization. Differs: the network
learns a residual where xMEN's learns scores anew, so that λ holds it near retrieval from the first step on; several
right candidates share the probability; the first layers of an encoder with a linear layer over their mean, not all of
a BERT with a classifier over its first token.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.device import choose_device, supports_bf16
from models.errors import TrainingError
from models.training.adapters import AdapterShape, attach

_STATE: Final = "state.safetensors"
_PROGRESS: Final = "progress.json"
_CLIP: Final = 1.0


@dataclass(frozen=True, slots=True)
class Question:
    """A mention and what it may be.

    Attributes:
        query: the mention in its context, as one text.
        documents: the candidates' texts; NIL's is "" and stands last.
        prior: (k + 1,) logits that are there already, NIL's last.
        right: (k + 1,) which are right; NIL where the right candidate is not among them.
    """

    query: str
    documents: Sequence[str]
    prior: NDArray[np.float32]
    right: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CrossEncoderOptions:
    """How to train.

    Attributes:
        layers: of the encoder that are kept, from below.
        max_tokens: a pair is cut here, the longer side first.
        rank_regularization: λ.
        accumulate: questions per step of the optimizer.
        together: questions per pass through the network; bounds memory.
        evaluate_every: steps between two looks at the questions held out; a checkpoint each.
        patience: looks without a better one after which it stops.
        device: "auto", "cpu", "cuda[:n]" or "mps".
    """

    layers: int = 4
    max_tokens: int = 64
    epochs: int = 2
    learning_rate: float = 3e-4
    head_learning_rate: float = 3e-3
    warm_up: float = 0.1
    rank_regularization: float = 1.0
    accumulate: int = 16
    together: int = 4
    evaluate_every: int = 20
    patience: int = 4
    seed: int = 0
    device: str = "auto"


@dataclass
class Trained:
    """What came of a run.

    Attributes:
        scorer: the network as it was at its best look.
        history: one entry per look: step, loss and share of questions whose best row is right, on those held out.
        best_step: of that look; 0 is the prior itself.
    """

    scorer: "PairScorer"
    history: list[dict[str, float]] = field(default_factory=list)
    best_step: int = 0
    steps: int = 0


class PairScorer(nn.Module):  # type: ignore[misc] # torch is untyped here
    """The first layers of a transformer, the mean of their states, and a linear layer that starts at zero."""

    def __init__(self, network: Any, *, layers: int) -> None:  # noqa: ANN401 - transformers is untyped
        super().__init__()
        stack = network.encoder.layer
        if not 1 <= layers <= len(stack):
            raise TrainingError(f"{layers} layers asked for; the encoder has {len(stack)}")
        network.encoder.layer = stack[:layers]
        network.config.num_hidden_layers = layers
        self.transformer = network
        self.norm = nn.LayerNorm(network.config.hidden_size)
        self.score = nn.Linear(network.config.hidden_size, 1)
        nn.init.zeros_(self.score.weight)
        nn.init.zeros_(self.score.bias)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Token ids and mask, (n, length) int64, to residuals (n,)."""
        mask = attention_mask.to(torch.float32)
        # Spelled out for the exporter, as in models/encoders/pooled.py.
        blocked = (1 - mask[:, None, None, :]) * torch.finfo(torch.float32).min
        states = self.transformer(input_ids=input_ids, attention_mask=blocked, return_dict=True).last_hidden_state
        mean = (states * mask[:, :, None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)
        return self.score(self.norm(mean))[:, 0]


def rank_loss(residual: Tensor, prior: Tensor, right: Tensor, *, rank_regularization: float) -> Tensor:
    """The loss of one question; all (k + 1,)."""
    logits = prior + residual
    away = torch.sqrt(residual.square().sum() + 1e-12)
    chosen = torch.logsumexp(logits.masked_fill(~right, -torch.inf), dim=0)
    return torch.logsumexp(logits, dim=0) - chosen + rank_regularization * away


def train(
    network: Any,  # noqa: ANN401 - transformers is untyped
    tokenizer: Any,  # noqa: ANN401 - of `tokenizers`
    questions: Sequence[Question],
    held_out: Sequence[Question],
    *,
    shape: AdapterShape,
    options: CrossEncoderOptions,
    folder: Path,
    resume: bool = False,
    on_progress: Callable[[str, int, int], None] = lambda stage, done, total: None,
) -> Trained:
    """Learn the residual.

    Args:
        network: a BERT as transformers has it; its layers above `options.layers` are cut off.
        questions: every one must have a right row.
        held_out: from other documents; the look at which their loss is lowest is kept.
        shape: which weights of the network may change; the linear layer above it always does.
        folder: checkpoints go here, one at a time.
        resume: go on from the folder's checkpoint, if there is one; the outcome is the same bit for bit.

    Raises: TrainingError without questions, or for one without a right row.
    """
    if not questions or not held_out:
        raise TrainingError("a re-ranker needs questions to learn from and others to stop by")
    if not all(q.right.any() for q in (*questions, *held_out)):
        raise TrainingError("a question has no right row; NIL is right where no candidate is")
    torch.manual_seed(options.seed)
    device = torch.device(choose_device(options.device))
    scorer = PairScorer(network, layers=options.layers)
    attach(scorer.transformer, shape)
    scorer.to(device).eval()  # eval: no dropout, so that a run that was stopped goes on as it would have
    run = _Run(scorer, tokenizer, options, device, total=_steps(len(questions), options))
    if not (resume and run.restore(folder)):
        run.look(held_out, folder)
    for batch in run.batches(questions):
        run.step(batch)
        on_progress("train", run.done, run.total)
        if (run.done % options.evaluate_every == 0 or run.done == run.total) and run.look(held_out, folder):
            break
    run.take_best()
    return Trained(scorer, run.history, run.best_step, run.done)


class _Run:
    """A run under way: network, optimizer, how far it is, and what was best."""

    def __init__(
        self,
        scorer: PairScorer,
        tokenizer: Any,  # noqa: ANN401
        options: CrossEncoderOptions,
        device: torch.device,
        *,
        total: int,
    ) -> None:
        self.scorer, self.options, self.device, self.total = scorer, options, device, total
        self.done = 0
        self.best_step = 0
        self.history: list[dict[str, float]] = []
        self._pad = pad_id(tokenizer)
        self._tokenizer = tokenizer
        tokenizer.no_padding()
        tokenizer.enable_truncation(options.max_tokens, strategy="longest_first")
        own = {n: p for n, p in scorer.named_parameters() if not n.startswith("transformer.")}
        self._weights = {n: p for n, p in scorer.named_parameters() if p.requires_grad}
        inside = [p for n, p in self._weights.items() if n not in own]
        groups = [{"params": inside, "peak": options.learning_rate}] if inside else []
        groups.append({"params": list(own.values()), "peak": options.head_learning_rate})
        self._optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, weight_decay=0.0)
        self._best = self._copy()

    def batches(self, questions: Sequence[Question]) -> Iterator[list[Question]]:
        """The batches that are still to come; their order hangs on the seed alone."""
        size, number = self.options.accumulate, 0
        for epoch in range(self.options.epochs):
            order = np.random.default_rng((self.options.seed, epoch)).permutation(len(questions))
            for start in range(0, len(order), size):
                if number >= self.done:
                    yield [questions[i] for i in order[start : start + size]]
                number += 1

    def step(self, batch: Sequence[Question]) -> None:
        """One step of the optimizer."""
        warm = max(round(self.total * self.options.warm_up), 1)
        share = min((self.done + 1) / warm, (self.total - self.done) / max(self.total - warm, 1))
        for group in self._optimizer.param_groups:
            group["lr"] = group["peak"] * share
        self._optimizer.zero_grad()
        for some in self._chunks(batch):
            losses = [
                rank_loss(r, *self._known(q), rank_regularization=self.options.rank_regularization)
                for q, r in zip(some, self._residuals(some), strict=True)
            ]
            (torch.stack(losses).sum() / len(batch)).backward()
        nn.utils.clip_grad_norm_(list(self._weights.values()), _CLIP)
        self._optimizer.step()
        self.done += 1

    def look(self, held_out: Sequence[Question], folder: Path) -> bool:
        """Measure, keep what is best, write a checkpoint; whether it is time to stop."""
        loss, hits = 0.0, 0
        with torch.no_grad():
            for some in self._chunks(held_out):
                for q, residual in zip(some, self._residuals(some), strict=True):
                    prior, right = self._known(q)
                    loss += float(rank_loss(residual, prior, right, rank_regularization=0.0))
                    hits += bool(right[int((prior + residual).argmax())])
        entry = {"step": float(self.done), "loss": loss / len(held_out), "right": hits / len(held_out)}
        if all(entry["loss"] < seen["loss"] for seen in self.history):
            self._best, self.best_step = self._copy(), self.done
        self.history.append(entry)
        self._save(folder)
        since = sum(seen["step"] > self.best_step for seen in self.history)
        return bool(self.options.patience) and since >= self.options.patience

    def take_best(self) -> None:
        """Put the weights of the best look back."""
        with torch.no_grad():
            for name, parameter in self._weights.items():
                parameter.copy_(self._best[name])

    def restore(self, folder: Path) -> bool:
        """Go on from a checkpoint; False if there is none."""
        if not (folder / _PROGRESS).is_file():
            return False
        progress = orjson.loads((folder / _PROGRESS).read_bytes())
        self.done, self.best_step, self.history = progress["done"], progress["best_step"], progress["history"]
        state = load_file(folder / f"{self.done}.{_STATE}", device=str(self.device))
        self._best = {n: state[f"best/{n}"] for n in self._weights}
        with torch.no_grad():
            for name, parameter in self._weights.items():
                parameter.copy_(state[f"now/{name}"])
                moments = {k: state[f"{k}/{name}"] for k in ("exp_avg", "exp_avg_sq", "step") if f"{k}/{name}" in state}
                if moments:
                    moments["step"] = moments["step"].cpu()
                    self._optimizer.state[parameter] = moments
        return True

    def _save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        state = {f"best/{n}": t for n, t in self._best.items()}
        for name, parameter in self._weights.items():
            state[f"now/{name}"] = parameter.detach()
            state |= {f"{k}/{name}": t for k, t in self._optimizer.state.get(parameter, {}).items()}
        save_file({n: t.contiguous().clone() for n, t in state.items()}, folder / f"{self.done}.{_STATE}")
        progress = {"done": self.done, "best_step": self.best_step, "history": self.history}
        # The pointer moves only once what it points at is whole.
        written = folder / f"{_PROGRESS}.new"
        written.write_bytes(orjson.dumps(progress))
        written.replace(folder / _PROGRESS)
        for old in folder.glob(f"*.{_STATE}"):
            if old.name != f"{self.done}.{_STATE}":
                old.unlink()

    def _copy(self) -> dict[str, Tensor]:
        return {n: p.detach().clone() for n, p in self._weights.items()}

    def _chunks(self, questions: Sequence[Question]) -> Iterator[Sequence[Question]]:
        for start in range(0, len(questions), self.options.together):
            yield questions[start : start + self.options.together]

    def _known(self, question: Question) -> tuple[Tensor, Tensor]:
        prior, right = torch.from_numpy(question.prior), torch.from_numpy(question.right)
        return prior.to(self.device), right.to(self.device)

    def _residuals(self, questions: Sequence[Question]) -> list[Tensor]:
        """One (k + 1,) per question; all their pairs in one pass."""
        pairs = [(q.query, text) for q in questions for text in (*q.documents, "")]
        encoded = [self._tokenizer.encode(query, text).ids for query, text in pairs]
        ids = torch.full((len(encoded), max(map(len, encoded))), self._pad, dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, one in enumerate(encoded):
            ids[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        with torch.autocast(self.device.type, torch.bfloat16, enabled=supports_bf16(str(self.device))):
            found = self.scorer(ids.to(self.device), mask.to(self.device)).float()
        return list(found.split([len(q.documents) + 1 for q in questions]))


def pad_id(tokenizer: Any) -> int:  # noqa: ANN401 - of `tokenizers`
    """The id that fills a batch up: RoBERTa's or BERT's name for it."""
    return int(tokenizer.token_to_id("<pad>") or tokenizer.token_to_id("[PAD]") or 0)


def _steps(questions: int, options: CrossEncoderOptions) -> int:
    return options.epochs * -(-questions // options.accumulate)
