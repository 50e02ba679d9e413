"""The ranking loss that does not push apart what means the same."""

from collections.abc import Iterable
from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from torch import Tensor
from torch.nn import functional

from models.training.pairs import false_negatives


class MaskedRankingLoss(CachedMultipleNegativesRankingLoss):  # type: ignore[misc] # untyped here
    """InfoNCE over a batch, both ways, with pairs of an anchor's own concept left out of its negatives.

    Labels are (n, 2): concept of the pair, concept of its mined negative (−1 for none). Mini-batches hold texts of
    about one length, without the padding of the rest of the batch: titles are short, a definition among them is not.

    Args:
        cached: embed twice and keep the gradients of the vectors alone in between; needs less memory and a third more
            time. False keeps a batch's whole graph.

    Source: Gao et al. 2021, *Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup*
    (arXiv 2101.06983) for the gradient cache, as sentence-transformers has it; supervised masking as in Khosla et al.
    2020 (arXiv 2004.11362), where same-class items are positives: here they are left out, since a batch rarely has two.
    """

    def __init__(self, model: Any, *, scale: float, mini_batch_size: int, cached: bool = True) -> None:  # noqa: ANN401
        super().__init__(model, scale=scale, mini_batch_size=mini_batch_size)
        self.uses_gradient_cache = cached
        self._places: list[Tensor] = []

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """The loss of a batch: anchors, positives and, if there are any, mined negatives."""
        sorted_features = [_by_length(features) for features in sentence_features]
        self._places = [place for _, place in sorted_features]
        columns = [features for features, _ in sorted_features]
        if self.uses_gradient_cache:
            loss: Tensor = self.forward_cached(columns, labels)
            return loss
        starts = range(0, len(labels), self.mini_batch_size)
        grad = torch.is_grad_enabled()
        reps = [
            [self.embed_minibatch(c, s, s + self.mini_batch_size, grad, copy_random_state=False)[0] for s in starts]
            for c in columns
        ]
        return self.calculate_loss(reps, labels)

    def embed_minibatch(
        self,
        sentence_feature: dict[str, Tensor],
        begin: int,
        end: int,
        with_grad: bool,
        copy_random_state: bool,
        random_state: Any = None,  # noqa: ANN401 - untyped here
    ) -> Any:  # noqa: ANN401
        """A mini-batch's vectors; what all of its texts are padded with is cut off first."""
        longest = int(sentence_feature["attention_mask"][begin:end].sum(dim=1).max())
        cut = {
            name: value[begin:end, :longest] if isinstance(value, Tensor) and value.ndim == 2 else value
            for name, value in sentence_feature.items()
        }
        return super().embed_minibatch(cut, 0, end - begin, with_grad, copy_random_state, random_state)

    def calculate_loss(self, reps: Any, labels: Tensor | None = None, *, with_backward: bool = False) -> Tensor:  # noqa: ANN401
        """The mean of the loss anchor → positive and positive → anchor."""
        if labels is None:
            raise ValueError("the loss needs labels: the concepts that pairs are of")
        anchors, *others = [torch.cat(list(parts))[place] for parts, place in zip(reps, self._places, strict=True)]
        mined = len(others) > 1
        left_out = torch.from_numpy(false_negatives(labels.cpu().numpy(), negatives=mined)).to(anchors.device)
        own = torch.arange(len(anchors), device=anchors.device)
        scores = self.scale * self.similarity_fct(anchors, torch.cat(others))
        scores = scores.masked_fill(left_out, -torch.inf)
        back = scores[:, : len(anchors)].T
        loss = (functional.cross_entropy(scores, own) + functional.cross_entropy(back, own)) / 2
        if with_backward:
            loss.backward()
            loss = loss.detach()
        return loss


def _by_length(features: dict[str, Tensor]) -> tuple[dict[str, Tensor], Tensor]:
    """The texts by rising length, and where each of them is now."""
    order = features["attention_mask"].sum(dim=1).argsort(stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order), device=order.device)
    moved = {n: v[order] if isinstance(v, Tensor) and v.ndim == 2 else v for n, v in features.items()}
    return moved, place
