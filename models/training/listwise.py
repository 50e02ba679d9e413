"""Train the re-ranker that weighs evidence: seconds for thousands of mentions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.errors import TrainingError
from models.rerankers.listwise import Listed, ListwiseRanker

_NIL_START: Final = 0.3
"""A score this high is as likely a name as none before anything is learned. A guess."""
_NIL_SPEED: Final = 10.0
"""NIL's few weights move this much faster: its logit starts far from where it belongs. A guess."""


@dataclass(frozen=True, slots=True)
class ListwiseOptions:
    """How to train. Chosen on the development sets of benchmarks/quality/medical.py, where a range did equally well.

    Attributes:
        steps: batches; by steps and not by rounds, since few mentions need as many.
        hidden: width of the inner layer.
        temperature: T; logits start as T · score.
        nil_share: of the mentions whose right candidates are hidden in each round, so that NIL is right.
        dropout: of the inner layer while training.
    """

    steps: int = 800
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
    evidence, told, filled, summary, answers = (torch.from_numpy(array) for array in arrays)
    optimizer = torch.optim.AdamW(network.groups(options.learning_rate), weight_decay=options.weight_decay)
    peaks = [group["lr"] for group in optimizer.param_groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peaks, total_steps=options.steps)
    network.train()
    for step, (rows, unnamed) in enumerate(_drawn(len(listed), options), 1):
        some, hidden = torch.from_numpy(rows), torch.from_numpy(unnamed)
        loss = network.loss(evidence[some], told[some], filled[some], summary[some], answers[some], hidden)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        on_progress(step, options.steps)
    return network.learned()


def _drawn(mentions: int, options: ListwiseOptions) -> Iterator[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Numbers of the mentions of each batch, and whose right candidates are hidden in it; rounds without end."""
    done = 0
    for number in count():
        rng = np.random.default_rng((options.seed, number))
        order = rng.permutation(mentions)
        hidden = rng.random(mentions) < options.nil_share
        for start in range(0, mentions, options.batch_size):
            if done == options.steps:
                return
            done += 1
            some = order[start : start + options.batch_size]
            yield some, hidden[some]


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
        self.words = nn.Parameter(torch.zeros(words))
        self.about = torch.from_numpy(listed.summary.mean(axis=0))
        self.spread = torch.from_numpy(np.maximum(listed.summary.std(axis=0), 1e-3))
        self.nil = nn.Linear(listed.summary.shape[1], 1)
        nn.init.zeros_(self.nil.weight)
        nn.init.constant_(self.nil.bias, options.temperature * _NIL_START)

    def groups(self, learning_rate: float) -> Sequence[Mapping[str, Any]]:
        """The weights and how fast they move."""
        nil = list(self.nil.parameters())
        own = [p for name, p in self.named_parameters() if not name.startswith("nil.")]
        return [{"params": own, "lr": learning_rate}, {"params": nil, "lr": _NIL_SPEED * learning_rate}]

    def loss(
        self, evidence: Tensor, words: Tensor, filled: Tensor, summary: Tensor, right: Tensor, hidden: Tensor
    ) -> Tensor:
        """Mean over a batch; where `hidden`, the right candidates are taken away first."""
        filled = filled & ~(right & hidden[:, None])
        right = right & filled
        z = (evidence - self.mean) / self.scale
        own = z @ self.linear + self.drop(torch.tanh(self.inner(z))) @ self.outer
        where = (words >= 0).nonzero()  # a fifth of the places, or fewer
        places = where[:, 0] * words.shape[1] + where[:, 1]
        told = torch.zeros(own.numel()).index_add(0, places, self.words[words[words >= 0]]).reshape(own.shape)
        logits = (self.temperature * evidence[:, :, 0] + own + told).masked_fill(~filled, -torch.inf)
        everything = torch.cat([logits, self.nil((summary - self.about) / self.spread)], dim=1)
        answers = torch.cat([right, ~right.any(dim=1, keepdim=True)], dim=1)
        chosen = torch.logsumexp(everything.masked_fill(~answers, -torch.inf), dim=1)
        return (torch.logsumexp(everything, dim=1) - chosen).mean()

    def learned(self) -> ListwiseRanker:
        """The weights as numpy has them; the scaling of the summary goes into NIL's."""
        nil = self.nil.weight[0] / self.spread
        return ListwiseRanker(
            mean=_array(self.mean),
            scale=_array(self.scale),
            linear=_array(self.linear),
            inner=_array(self.inner.weight.T),
            inner_bias=_array(self.inner.bias),
            outer=_array(self.outer),
            words=_array(self.words),
            nil=_array(nil),
            nil_bias=_array(self.nil.bias - nil @ self.about),
            temperature=np.array([self.temperature], np.float32),
        )


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(tensor.detach().numpy(), dtype=np.float32)
