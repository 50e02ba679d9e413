"""Train the re-ranker that weighs evidence: seconds for thousands of mentions."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.rerankers.listwise import Listed, ListwiseRanker

_NIL_START = 0.3
"""A score this high is as likely a name as none before anything is learned. A guess."""


@dataclass(frozen=True, slots=True)
class ListwiseOptions:
    """How to train. Chosen on the development sets of benchmarks/quality/medical.py, where a range did equally well.

    Attributes:
        hidden: width of the inner layer.
        temperature: T; logits start as T · score.
        nil_share: of the mentions whose right candidates are hidden in each epoch, so that NIL is right.
        dropout: of the inner layer while training.
    """

    epochs: int = 12
    batch_size: int = 64
    learning_rate: float = 5e-3
    weight_decay: float = 1e-2
    hidden: int = 32
    temperature: float = 20.0
    nil_share: float = 0.15
    dropout: float = 0.1
    seed: int = 0


def fit_listwise(
    listed: Listed,
    right: NDArray[np.bool_],
    *,
    words: int,
    options: ListwiseOptions,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> ListwiseRanker:
    """Learn to weigh evidence, by softmax cross-entropy over the candidates and NIL.

    Args:
        listed: n mentions with their candidates.
        right: (n, k) which candidates are right; NIL is right where none is.
        words: how many telling words there are.

    Raises: TrainingError without a right candidate.
    """
    if not len(listed) or not right.any():
        raise TrainingError("no mention has its concept among its candidates: there is nothing to learn from")
    torch.manual_seed(options.seed)
    network = _Network(listed, words, options)
    arrays = (listed.evidence, listed.words, listed.filled, listed.summary, right)
    evidence, words_told, filled, summary, answers = (torch.from_numpy(array) for array in arrays)
    starts = range(0, len(listed), options.batch_size)
    total = options.epochs * len(starts)
    optimizer = torch.optim.AdamW(network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, options.learning_rate, total_steps=total)
    network.train()
    for epoch in range(options.epochs):
        rng = np.random.default_rng((options.seed, epoch))
        order = rng.permutation(len(listed))
        hidden = torch.from_numpy(rng.random(len(listed)) < options.nil_share)
        for number, start in enumerate(starts):
            some = torch.from_numpy(order[start : start + options.batch_size])
            loss = network.loss(
                evidence[some], words_told[some], filled[some], summary[some], answers[some], hidden[some]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            on_progress(epoch * len(starts) + number + 1, total)
    return network.learned()


class _Network(nn.Module):  # type: ignore[misc] # torch is untyped here
    """`ListwiseRanker` as torch sees it; `learned` gives that back."""

    def __init__(self, listed: Listed, words: int, options: ListwiseOptions) -> None:
        super().__init__()
        known = listed.evidence[listed.filled]
        self.mean = torch.from_numpy(known.mean(axis=0))
        self.scale = torch.from_numpy(np.maximum(known.std(axis=0), 1e-3))
        width = known.shape[1]
        self.temperature = options.temperature
        self.linear = nn.Parameter(torch.zeros(width))
        self.inner = nn.Linear(width, options.hidden)
        self.outer = nn.Parameter(torch.zeros(options.hidden))
        self.drop = nn.Dropout(options.dropout)
        self.words = nn.EmbeddingBag(words + 1, 1, mode="sum", padding_idx=0)
        nn.init.zeros_(self.words.weight)
        self.nil = nn.Linear(listed.summary.shape[1], 1)
        nn.init.zeros_(self.nil.weight)
        nn.init.constant_(self.nil.bias, options.temperature * _NIL_START)

    def loss(
        self, evidence: Tensor, words: Tensor, filled: Tensor, summary: Tensor, right: Tensor, hidden: Tensor
    ) -> Tensor:
        """Mean over a batch; where `hidden`, the right candidates are taken away first."""
        filled = filled & ~(right & hidden[:, None])
        right = right & filled
        z = (evidence - self.mean) / self.scale
        own = z @ self.linear + self.drop(torch.tanh(self.inner(z))) @ self.outer
        told = self.words((words + 1).flatten(0, 1)).reshape(own.shape)
        logits = (self.temperature * evidence[:, :, 0] + own + told).masked_fill(~filled, -torch.inf)
        everything = torch.cat([logits, self.nil(summary)], dim=1)
        answers = torch.cat([right, ~right.any(dim=1, keepdim=True)], dim=1)
        chosen = torch.logsumexp(everything.masked_fill(~answers, -torch.inf), dim=1)
        return (torch.logsumexp(everything, dim=1) - chosen).mean()

    def learned(self) -> ListwiseRanker:
        """The weights as numpy has them."""
        return ListwiseRanker(
            mean=_array(self.mean),
            scale=_array(self.scale),
            linear=_array(self.linear),
            inner=_array(self.inner.weight.T),
            inner_bias=_array(self.inner.bias),
            outer=_array(self.outer),
            words=_array(self.words.weight[1:, 0]),
            nil=_array(self.nil.weight[0]),
            nil_bias=_array(self.nil.bias),
            temperature=np.array([self.temperature], np.float32),
        )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)
