"""The recipe that teaches an encoder names: from terminologies, imported or in files, to a build with it."""

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")
pytest.importorskip("datasets")
pytest.importorskip("onnx")

from typer.testing import CliRunner

from models.artifacts import ArtifactStore
from models.encoders.adapter import read_adapter
from models.encoders.export import prepare
from pipelines.config import read_config
from pipelines.errors import ConfigInvalid, TerminologyUnknown
from pipelines.library import import_terminology
from pipelines.medical.encoder import EncoderTrainConfig, run
from pipelines.medical.pipeline import row_text
from pipelines.term_pairs import Shares, Terms, neighbourhoods
from pipelines.terminology import Concept, Term, Terminology
from service.cli import app
from tests.models.training.conftest import WORDS, write_tiny

CONFIG = """
name = "tiny-medical"
base = "{base}"
keep_out = 0.3
[adapter]
weights = "(query|key|value|dense)\\\\.weight$"
rank = 2
steps = 12
batch_size = 8
learning_rate = 0.01
evaluate_every = 6
[[data]]
terminology = "imported"
name = "Imported findings"
licence = "CC0"
[[data]]
path = "{path}"
format = "jsonl"
name = "Findings in a file"
licence = "own"
weight = 0.5
"""


def findings(name):
    concepts = [
        Concept(
            f"{name}:{i}",
            f"{word} {other}",
            [
                Term(f"{word.title()} {other}", "en", "preferred"),
                Term(f"{other} {word}", "en"),
                Term(f"{word} of {other}", "de"),
            ],
        )
        for i, (word, other) in enumerate((a, b) for a in WORDS[:8] for b in WORDS[:8] if a != b)
    ]
    return Terminology(name, version="1", concepts=concepts)


@pytest.fixture
def folder(tmp_path):
    base = write_tiny(tmp_path / "tiny")
    (tmp_path / "file.jsonl").write_bytes(b"\n".join(findings("file").to_lines()))
    import_terminology(findings("imported"), store=ArtifactStore(tmp_path / "artifacts"))
    (tmp_path / "train.toml").write_text(CONFIG.format(base=base, path=tmp_path / "file.jsonl"))
    return tmp_path


def test_train_prepare_build_with_what_was_trained(folder):
    def command(*arguments):
        return CliRunner().invoke(app, [*arguments, "--artifacts", str(folder / "artifacts")])

    trained = command("train", "medical", "--config", str(folder / "train.toml"))
    assert trained.exit_code == 0, trained.output
    assert "models prepare tiny-medical" in trained.output
    assert command("models", "prepare", "tiny-medical").exit_code == 0
    built = command("build", "medical", "-t", "imported", "--encoder", "tiny-medical")
    assert built.exit_code == 0, built.output
    with ArtifactStore(folder / "artifacts").open("pipelines/medical/imported") as artifact:
        assert artifact.manifest.details["encoder"]["name"] == "tiny-medical"
        assert artifact.read_json("config.json")["centred"] == ["tiny-medical"]


def test_the_card_says_what_it_learned_from(folder):
    store = ArtifactStore(folder / "artifacts")
    config = read_config(folder / "train.toml", EncoderTrainConfig)
    card = run(config, folder / "out", store=store, work=folder / "work", command="cognomen train …")
    assert [d.name for d in card.data] == ["Imported findings", "Findings in a file"]
    assert all(d.share > 0 and len(d.sha256) == 64 for d in card.data)
    assert {"imported-en", "findings-in-a-file-en"} <= set(card.figures["before"])
    adapter = read_adapter(folder / "out")
    assert all(name.endswith((".up", ".down")) for name in adapter.changes)
    assert str(folder) not in (folder / "out" / "card.json").read_text().replace(card.base, "")


def test_a_prompt_of_its_own_is_learned_with_and_served_with(folder):
    path = folder / "train.toml"
    path.write_text(path.read_text().replace("keep_out", 'prompt = "name: "\nkeep_out', 1))
    store = ArtifactStore(folder / "artifacts")
    config = read_config(path, EncoderTrainConfig)
    run(config, folder / "out", store=store, work=folder / "work", command="")
    described = prepare(config.base, folder / "prepared", adapter=read_adapter(folder / "out"))
    assert (described.query_prompt, described.passage_prompt) == ("name: ", "name: ")
    plain = prepare(config.base, folder / "plain")
    assert plain.query_prompt != "name: "


def test_names_are_learned_from_as_they_are_searched_for(folder, monkeypatch):
    store = ArtifactStore(folder / "artifacts")
    config = read_config(folder / "train.toml", EncoderTrainConfig)
    seen = []
    monkeypatch.setattr(
        "pipelines.encoder_training.run", lambda config, material_of, *args, **kwargs: seen.extend(material_of(None))
    )
    run(config, folder / "out", store=store, work=folder / "work", command="")
    texts = [text for material in seen for development in material.development for text in development.corpus]
    assert texts
    assert all(text == text.lower() for text in texts)


def test_near_concepts_meet_in_a_batch():
    """Two far groups of vectors: a batch among neighbours is of one of them first."""
    concepts = findings("x").concepts
    names = Terms(Terminology("x", version="1", concepts=concepts), row_text=row_text, keep_out=0.01)
    first = {c.id for c in names.known[: len(names.known) // 2]}

    def encode(texts):
        sides = np.array([[1.0, 0.0] if c.id in first else [0.0, 1.0] for c in names.known], np.float32)
        return sides + 0.01 * np.random.default_rng(0).normal(size=sides.shape).astype(np.float32)

    groups = neighbourhoods(np.repeat(encode([]), 4, axis=0))
    assert sum(map(len, groups)) == 4 * len(names.known)
    shares = Shares({"en": 1}, cross_lingual=0, neighbours=1.0)
    [source] = names.sources(1.0, shares, encode)
    drawn = source.draw(np.random.default_rng(0), 10)
    assert len({pair.concept for pair in drawn}) > 4


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('terminology = "imported"', "", "either terminology or path"),
        ('format = "jsonl"', 'format = "exe"', "one of babelon"),
        ('format = "jsonl"', "", "one of babelon"),
        ("rank = 2", "rank = -2", "adapter.rank"),
    ],
)
def test_a_config_that_is_wrong_says_why(folder, old, new, said):
    path = folder / "train.toml"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(ConfigInvalid, match=said):
        read_config(path, EncoderTrainConfig)


def test_what_was_not_imported_is_refused(folder):
    path = folder / "train.toml"
    path.write_text(path.read_text().replace('"imported"', '"another"', 1))
    config = read_config(path, EncoderTrainConfig)
    store = ArtifactStore(folder / "artifacts")
    with pytest.raises(TerminologyUnknown):
        run(config, folder / "out", store=store, work=folder / "work", command="")
