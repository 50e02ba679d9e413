"""The network of multilingual USE v3 in torch: to be exported, or fine-tuned as a small student."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

BLOCKS = 17
EMBEDDING = 512
CONVOLUTION = 256
# (words seen at once, of which to the left) of the three n-gram branches.
BRANCHES = ((2, 0), (3, 1), (5, 2))
JOINED = CONVOLUTION * len(BRANCHES)


class UniversalSentenceEncoder(nn.Module):  # type: ignore[misc] # torch is untyped here
    """Token ids and mask, (n, length) int64, to unit vectors (n, 512).

    Embeddings; three residual n-gram convolutions beside them; layer norm; the sum over tokens divided by the
    root of their number; two residual layers; tanh; unit length.
    """

    def __init__(self, weights: Mapping[str, NDArray[np.generic]]) -> None:
        super().__init__()
        # Kept in 8 bits (65 MB instead of 262 MB); rows become floats as they are looked up.
        self.register_buffer("table", torch.from_numpy(np.ascontiguousarray(weights["table"])))
        self.epsilon = float(weights["eps"])
        for name, array in weights.items():
            if name not in {"table", "eps", "bits"}:
                self.register_parameter(name, nn.Parameter(torch.from_numpy(np.array(array, np.float32))))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors, (n, 512) float32."""
        mask = attention_mask.to(torch.float32).unsqueeze(-1)
        block = input_ids % BLOCKS
        words = self.table[input_ids].to(torch.float32) * self.scale[block].unsqueeze(-1)
        words = words + self.lo[block].unsqueeze(-1)
        features = torch.cat([words, *self._branches(words, mask)], dim=-1)
        features = functional.layer_norm(features, (EMBEDDING + JOINED,), self.ln_g, self.ln_b, self.epsilon)
        count = mask.sum(dim=1)
        total = (features * mask).sum(dim=1) @ self.cnn_W + count * self.cnn_b
        return self._head(total / count.sqrt())

    def _branches(self, words: Tensor, mask: Tensor) -> list[Tensor]:
        names = [words_seen for words_seen, _ in BRANCHES]
        projected = words @ self._joined("proj", names, 1) + self._joined("proj_b", names, 0)
        gain, shift = self._joined("ln_g", names, 0), self._joined("ln_b", names, 0)
        projected = functional.layer_norm(projected, (JOINED,), gain, shift, self.epsilon)
        outputs = []
        for i, (seen, left) in enumerate(BRANCHES):
            inner = projected[..., i * CONVOLUTION : (i + 1) * CONVOLUTION]
            for layer in ("1", "2"):
                weight, bias = getattr(self, f"w{layer}_{seen}"), getattr(self, f"b{layer}_{seen}")
                inner = functional.relu(_windows(inner * mask, seen, left) @ weight + bias) + inner
            outputs.append(inner)
        return outputs

    def _joined(self, name: str, branches: list[int], dim: int) -> Tensor:
        return torch.cat([getattr(self, f"{name}{branch}") for branch in branches], dim=dim)

    def _head(self, pooled: Tensor) -> Tensor:
        first = functional.relu(pooled @ self.d0)
        first = functional.relu(pooled @ self.p1 + first @ self.d1)
        second = functional.relu(first @ self.d2)
        return functional.normalize(torch.tanh(first @ self.p3 + second @ self.d3), dim=-1)


class HeadedEncoder(nn.Module):  # type: ignore[misc]
    """A network's unit vectors through a linear head, unit length again."""

    def __init__(self, network: nn.Module, mean: NDArray[np.float32], matrix: NDArray[np.float32]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("matrix", torch.from_numpy(matrix))

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Unit vectors, (n, d) float32."""
        return functional.normalize((self.network(input_ids, attention_mask) - self.mean) @ self.matrix, dim=-1)


def encode(network: nn.Module, tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors of texts one by one: slow, and without padding to be wrong about."""
    rows = []
    with torch.no_grad():
        for text in texts:
            ids = torch.tensor([tokenizer.encode(text).ids])
            rows.append(network.eval()(ids, torch.ones_like(ids)).numpy())
    vectors: NDArray[np.float32] = np.concatenate(rows)
    return vectors


def _windows(rows: Tensor, seen: int, left: int) -> Tensor:
    """Each row beside its neighbours, (n, length, seen × width); zeros beyond the ends."""
    padded = functional.pad(rows, (0, 0, left, seen - 1 - left))
    length = rows.shape[1]
    return torch.cat([padded[:, shift : shift + length] for shift in range(seen)], dim=-1)
