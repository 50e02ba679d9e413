import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from models.encoders.adapter import DELTA, fold, merged, read_adapter
from models.encoders.sentence_transformer import SentenceTransformerEncoder
from models.errors import ArtifactCorrupt, EncoderError, TrainingError, WeightsMismatch
from models.training.adapters import AdapterShape, attach, changes, merge, restore
from models.training.card import Card, DataUsed, write_adapter


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.Linear(8, 4))


def shaken(net):
    """What is learned, made up."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            if p.requires_grad:
                p.add_(torch.randn_like(p))
    return net


def card(**more):
    about = {"name": "n", "base": "b", "base_licence": "MIT", "base_sha256": "00", "command": "cognomen train"}
    rest = {"data": [DataUsed("d", "CC BY 4.0", 1.0, 3)], "options": {"seed": 0}, "figures": {"before": 0.5}}
    return Card(**(about | rest | {"limits": "few"} | more))


@pytest.mark.parametrize("rank", [0, 2])
def test_an_adapter_changes_nothing_before_it_learns_and_only_it_learns(rank):
    net = network()
    x = torch.randn(3, 6)
    before = net(x)
    assert attach(net, AdapterShape(rank, 4.0, r"weight$")) == ["0.weight", "1.weight"]
    assert torch.equal(net(x), before)
    assert all("parametrizations" in n for n, p in net.named_parameters() if p.requires_grad)


@pytest.mark.parametrize("rank", [0, 2])
def test_merged_is_as_applied(rank):
    net = network()
    weights = {n: p.detach().numpy().copy() for n, p in net.named_parameters()}
    names = attach(net, AdapterShape(rank, 4.0, r"weight$"))
    shaken(net)
    x = torch.randn(3, 6)
    applied = net(x).detach()
    learned = changes(net, dtype=np.float32)
    merge(net, names)
    assert torch.allclose(net(x), applied, atol=1e-5)
    assert set(dict(net.named_parameters())) == set(weights)
    for name, weight in merged(weights, learned).items():
        assert np.allclose(weight, net.state_dict()[name].numpy(), atol=1e-5)


@pytest.mark.parametrize("rank", [0, 2])
def test_what_was_saved_comes_back(rank):
    shape = AdapterShape(rank, 4.0, r"weight$")
    first, second = network(), network()
    attach(first, shape)
    attach(second, shape)
    restore(second, changes(shaken(first), dtype=np.float32))
    x = torch.randn(3, 6)
    assert torch.allclose(first(x), second(x), atol=1e-6)
    other = network()
    attach(other, AdapterShape(rank, 4.0, r"^0\.weight$"))
    with pytest.raises(TrainingError, match="others attached"):
        restore(other, changes(first))


def test_a_pattern_that_finds_nothing_is_refused():
    with pytest.raises(TrainingError, match="no weight"):
        attach(network(), AdapterShape(2, 4.0, "attention"))


def test_changes_to_weights_that_are_not_there_are_refused():
    with pytest.raises(EncoderError, match="no such weight"):
        merged({}, {"w" + DELTA: np.zeros((2, 2))})
    with pytest.raises(EncoderError, match="expected a name ending"):
        merged({}, {"w": np.zeros((2, 2))})
    with pytest.raises(EncoderError, match=r"no w\.down"):
        merged({}, {"w.up": np.zeros((2, 2))})


def test_the_card_says_what_is_in_the_file_and_a_changed_file_is_refused(tmp_path):
    digest = write_adapter(tmp_path, {"w" + DELTA: np.ones((2, 2), np.float16)}, card())
    assert digest == hashlib.sha256((tmp_path / "adapter.safetensors").read_bytes()).hexdigest()
    adapter = read_adapter(tmp_path)
    assert (adapter.base, adapter.sha256, adapter.card["numbers"]) == ("b", digest, 4)
    assert "CC BY 4.0" in (tmp_path / "card.md").read_text()
    adapter.check_base("00")
    with pytest.raises(WeightsMismatch, match="trained on b"):
        adapter.check_base("11")
    (tmp_path / "adapter.safetensors").write_bytes(b"x")
    with pytest.raises(ArtifactCorrupt, match="as its card says"):
        read_adapter(tmp_path)


def test_folding_into_a_folder_is_as_the_network_with_its_head(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("models.training.bases.supports_bf16", lambda device: False)
    import shutil

    from models.training.bases import open_base
    from models.training.heads import LinearHead

    base = open_base(str(tiny), scratch=tmp_path, max_tokens=16)
    attach(base.network, AdapterShape(2, 4.0, r"(query|dense)\.weight$"))
    shaken(base.network)
    rng = np.random.default_rng(0)
    head = LinearHead(0.1 * rng.normal(size=16).astype(np.float32), rng.normal(size=(16, 16)).astype(np.float32))
    texts = ["nurse", "ward nurse", "pilot of ward"]
    expected = head.apply(base.encode(texts))
    learned = changes(base.network, dtype=np.float32) | {"head.mean": head.mean, "head.matrix": head.matrix}
    write_adapter(tmp_path / "adapter", learned, card(base_sha256=base.weights.sha256))
    folded = tmp_path / "folded"
    shutil.copytree(tiny, folded)
    fold(folded, read_adapter(tmp_path / "adapter"))
    assert np.allclose(SentenceTransformerEncoder(folded, device="cpu").encode_query(texts), expected, atol=1e-5)
