"""A sentence-transformers model as one module from ids to unit vectors, in a shape that exports well."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class PooledTransformer(nn.Module):  # type: ignore[misc] # torch is untyped here
    """Token ids and mask, (n, length) int64, to unit vectors (n, d)."""

    def __init__(self, model: Any) -> None:  # noqa: ANN401 - sentence_transformers is untyped
        """Take apart a `SentenceTransformer`: the transformer first, pooling and what follows it behind."""
        super().__init__()
        first, *rest = model
        # Renamed in sentence-transformers 6; 5 has the old name.
        self.transformer = getattr(first, "model", None) or first.auto_model
        self.rest = nn.ModuleList(rest)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors, (n, d) float32."""
        # An additive mask spelled out here exports as three plain nodes; left to transformers, the mask is made
        # by code that the exporter freezes to the example's length.
        blocked = (1 - attention_mask[:, None, None, :].to(torch.float32)) * torch.finfo(torch.float32).min
        states = self.transformer(input_ids=input_ids, attention_mask=blocked, return_dict=True).last_hidden_state
        features = {"token_embeddings": states, "attention_mask": attention_mask}
        for module in self.rest:
            features = module(features)
        return functional.normalize(features["sentence_embedding"], dim=-1)
