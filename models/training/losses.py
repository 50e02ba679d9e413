"""The ranking loss that does not push apart what means the same."""

from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from torch import Tensor
from torch.nn import functional

from models.training.pairs import false_negatives


class MaskedRankingLoss(CachedMultipleNegativesRankingLoss):  # type: ignore[misc] # untyped here
    """InfoNCE over a batch, both ways, with pairs of an anchor's own concept left out of its negatives.

    Labels are (n, 2): concept of the pair, concept of its mined negative (−1 for none).

    Source: Gao et al. 2021, *Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup*
    (arXiv 2101.06983) for the gradient cache, as sentence-transformers has it; supervised masking as in Khosla et al.
    2020 (arXiv 2004.11362), where same-class items are positives: here they are left out, since a batch rarely has two.
    """

    def calculate_loss(self, reps: Any, labels: Tensor | None = None, *, with_backward: bool = False) -> Tensor:  # noqa: ANN401
        """The mean of the loss anchor → positive and positive → anchor."""
        if labels is None:
            raise ValueError("the loss needs labels: the concepts that pairs are of")
        anchors, *others = [torch.cat(list(parts)) for parts in reps]
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
