"""Teach a fast encoder to see texts as a slow one does.

The student need not be as wide as the teacher: it learns which texts of a batch are near each other, not where they
lie.
"""

from collections.abc import Iterable
from typing import Any, Final

import torch
from sentence_transformers.util import cos_sim
from torch import Tensor, nn
from torch.nn import functional

from models.arrays import Vectors

SCALE: Final = 20.0


class SimilarityDistillation(nn.Module):  # type: ignore[misc] # torch is untyped here
    """KL divergence from the teacher's softmax over a batch's texts to the student's; a loss for the trainer.

    Labels are the teacher's vectors, (n, d_teacher); the one column of texts is the student's input.

    Source: Fang et al. 2021, *SEED* (arXiv 2101.04731), Eq. 2, with the batch for a queue.
    """

    def __init__(self, model: Any, *, scale: float = SCALE) -> None:  # noqa: ANN401 - sentence_transformers is untyped
        super().__init__()
        self.model, self.scale = model, scale

    def forward(self, sentence_features: Iterable[dict[str, Tensor]], labels: Tensor) -> Tensor:
        """The mean over the batch's texts."""
        (features,) = sentence_features
        return similarity_divergence(self.model(features)["sentence_embedding"], labels, scale=self.scale)


def similarity_divergence(student: Tensor, teacher: Tensor, *, scale: float) -> Tensor:
    """KL(teacher ‖ student) of who is near whom; a text itself is left out of its neighbours."""
    itself = torch.eye(len(student), dtype=torch.bool, device=student.device)
    # Not −inf: KL would multiply a probability of zero by it.
    low = torch.finfo(student.dtype).min / 2
    ours = (scale * cos_sim(student, student)).masked_fill(itself, low)
    theirs = (scale * cos_sim(teacher, teacher)).to(ours.dtype).masked_fill(itself, low)
    return functional.kl_div(
        functional.log_softmax(ours, dim=1), functional.softmax(theirs, dim=1), reduction="batchmean"
    )


def as_labels(vectors: Vectors) -> list[list[float]]:
    """The teacher's vectors as a column of a data set."""
    return [row.tolist() for row in vectors]
