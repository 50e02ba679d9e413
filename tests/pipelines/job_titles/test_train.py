"""The recipe end to end on a tiny encoder: config, material, card, command line, folding in."""

import json

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")
pytest.importorskip("datasets")
pytest.importorskip("onnx")

from typer.testing import CliRunner

from models.artifacts import ArtifactStore
from models.encoders.adapter import KIND, read_adapter
from models.encoders.hashing import HashingEncoder
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build
from pipelines.config import read_config
from pipelines.errors import ConfigInvalid
from pipelines.job_titles.material import vacancies
from pipelines.job_titles.pipeline import row_text
from pipelines.job_titles.train import TrainConfig, run, train
from pipelines.term_pairs import Shares, Terms, held_out
from pipelines.terminology import Concept, Term, Terminology
from service.cli import app
from tests.models.training.conftest import WORDS, write_tiny

CONFIG = """
name = "tiny-titles"
base = "{base}"
keep_out = 0.3
[adapter]
weights = "(query|key|value|dense)\\\\.weight$"
rank = 2
steps = 6
batch_size = 8
learning_rate = 0.01
evaluate_every = 3
[head]
steps = 5
batch_size = 8
[[data]]
path = "{data}"
format = "jsonl"
name = "Tiny occupations"
licence = "CC0"
definitions = 0.2
skills = 0.2
[[data]]
path = "{adverts}"
format = "vacancies"
name = "Adverts"
licence = "own"
weight = 0.3
"""


def occupations():
    return [
        Concept(
            f"x:{i}",
            f"{word} {other}",
            [
                Term(f"{word} {other}", "en", "preferred"),
                Term(f"{other} {word}", "en"),
                Term(f"{word} of {other}", "de"),
                Term(f"{other} of {word}", "de"),
            ],
            definition=f"{word} of {other} ward",
            skills=[other, f"{other} of ward"],
        )
        for i, (word, other) in enumerate((a, b) for a in WORDS[:8] for b in WORDS[:8] if a != b)
    ]


TINY = Terminology("tiny", version="1", concepts=occupations())


@pytest.fixture
def folder(tmp_path):
    base = write_tiny(tmp_path / "tiny")
    terminology = Terminology("tiny", version="1", concepts=occupations())
    (tmp_path / "tiny.jsonl").write_bytes(b"\n".join(terminology.to_lines()))
    adverts = [
        {"title": f"Senior {w} (m/w/d)", "skills": [w, "ward"], "description": f"{w} of ward"} for w in WORDS[:8]
    ]
    (tmp_path / "adverts.jsonl").write_text("\n".join(json.dumps(a) for a in adverts))
    config = CONFIG.format(base=base, data=tmp_path / "tiny.jsonl", adverts=tmp_path / "adverts.jsonl")
    (tmp_path / "train.toml").write_text(config)
    return tmp_path


def test_a_run_leaves_an_adapter_and_a_card_that_says_everything(folder):
    card = run(
        read_config(folder / "train.toml", TrainConfig),
        folder / "out",
        work=folder / "work",
        command="cognomen train …",
    )
    adapter = read_adapter(folder / "out")
    assert adapter.name == "tiny-titles"
    assert adapter.head is not None
    assert [d.name for d in card.data] == ["Tiny occupations", "Adverts"]
    assert all(len(d.sha256) == 64 for d in card.data)
    assert sum(d.share for d in card.data) == pytest.approx(1)
    assert {"before", "with adapter", "with head", "best step", "looks"} <= set(card.figures)
    readable = (folder / "out" / "card.md").read_text()
    assert "CC0" in readable
    assert adapter.sha256 in readable
    assert "tiny.jsonl" not in (folder / "out" / "card.json").read_text()


def test_train_then_prepare_gives_an_encoder_that_serves(folder):
    arguments = ["--artifacts", str(folder / "artifacts")]
    trained = CliRunner().invoke(app, ["train", "job-titles", "--config", str(folder / "train.toml"), *arguments])
    assert trained.exit_code == 0, trained.output
    assert "models prepare tiny-titles" in trained.output
    prepared = CliRunner().invoke(app, ["models", "prepare", "tiny-titles", *arguments])
    assert prepared.exit_code == 0, prepared.output
    again = CliRunner().invoke(app, ["models", "prepare", "tiny-titles", *arguments])
    assert "prepared already" in again.output
    encoder = EncoderLibrary(ArtifactStore(folder / "artifacts"), device="cpu").get("tiny-titles")
    vectors = encoder.encode_query(["nurse", "baker of ward"])
    assert vectors.shape == (2, 16)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_occupations_kept_out_are_in_no_pair_and_in_every_development_set():
    titles = Terms(TINY, row_text=row_text, keep_out=0.3)
    shares = Shares({}, cross_lingual=0.5, definitions=0.2, skills=0.2)
    kept_out = {c.id for c in titles.held}
    assert kept_out
    assert kept_out == {c.id for c in occupations() if held_out(c.id, 0.3)}
    rng = np.random.default_rng(0)
    drawn = [pair for source in titles.sources(1.0, shares) for pair in source.draw(rng, 100)]
    assert drawn
    assert kept_out.isdisjoint(pair.concept for pair in drawn)
    names = {d.name for d in titles.development(shares, seed=0)}
    assert names == {"tiny-en", "tiny-de"}
    for data in titles.development(shares, seed=0):
        assert all(data.relevant)
        assert all(q not in {data.corpus[i] for i in r} for q, r in zip(data.queries, data.relevant, strict=True))


def test_batches_are_balanced_between_languages():
    titles = Terms(TINY, row_text=row_text, keep_out=0.3)
    sources = titles.sources(2.0, Shares({"en": 3, "de": 1}, cross_lingual=0.0, definitions=0, skills=0))
    assert {s.name: s.weight for s in sources} == {"tiny en-en": 1.5, "tiny de-de": 0.5}
    crossed = titles.sources(1.0, Shares({"en": 1, "de": 1}, cross_lingual=1.0, definitions=0, skills=0))
    assert sum(s.weight for s in crossed if s.name in {"tiny en-de", "tiny de-en"}) == pytest.approx(0.5)


def test_vacancies_pair_a_cleaned_title_with_what_is_there(folder):
    sources, rows = vacancies(folder / "adverts.jsonl", weight=1.0, name="Adverts")
    assert rows == 8
    pairs = [pair for source in sources for pair in source.draw(np.random.default_rng(0), 8)]
    assert {pair.anchor for pair in pairs} == set(WORDS[:8])
    (folder / "bare.jsonl").write_text('{"title": "nurse"}')
    with pytest.raises(ConfigInvalid, match="skills or a description"):
        vacancies(folder / "bare.jsonl", weight=1.0, name="Bare")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ('name = "tiny-titles"', "name"),
        ("keep_out = 0.3", "keep_out"),
        ('format = "vacancies"', "format"),
    ],
)
def test_a_config_that_is_wrong_names_the_option(folder, change, said):
    path = folder / "train.toml"
    path.write_text(path.read_text().replace(change, change.partition("=")[0] + "= -1"))
    with pytest.raises(ConfigInvalid, match=said):
        read_config(path, TrainConfig)


def test_a_config_with_nothing_to_train_is_refused(folder):
    path = folder / "train.toml"
    text = path.read_text()
    path.write_text(text[: text.index("[adapter]")] + text[text.index("[[data]]") :])
    with pytest.raises(ConfigInvalid, match="nothing to train"):
        run(read_config(path, TrainConfig), folder / "out", work=folder / "work", command="")


def test_only_job_titles_has_a_recipe(folder):
    arguments = ["train", "datasheets", "--config", str(folder / "train.toml"), "--artifacts", str(folder)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1


def test_a_job_trains_on_its_file_and_the_terms_of_a_build(folder, monkeypatch):
    base = str(folder / "tiny")
    monkeypatch.setattr("pipelines.job_titles.train.KNOWN", {base: None})
    store, spec = ArtifactStore(folder / "artifacts"), registry.spec("job_titles")
    terminology = Terminology("tiny", version="1", concepts=occupations())
    build(spec, terminology, encoder=HashingEncoder(), store=store, config=spec.config(encoder="hashing"))
    options = {"base": base, "name": "ours", "keep_out": 0.3, "head": {"steps": 3, "batch_size": 8}}

    def job(**more):
        return train(
            folder / "adverts.jsonl",
            terminology="tiny",
            store=store,
            encoder_of=lambda name: HashingEncoder(),
            options={**options, **more},
        )

    made = job()
    with store.open(made["artifact"], kind=KIND) as artifact:
        adapter = read_adapter(artifact.folder)
        card = json.loads((artifact.folder / "card.json").read_text())
    assert adapter.name == "ours"
    assert [d["name"] for d in card["data"]] == ["tiny@1", "the job's file"]
    assert all(d["share"] > 0 for d in card["data"])
    assert job()["generation"] != made["generation"]
    for wrong in ({"base": "/etc"}, {"base": "owner/model"}, {"seed": "x"}, {"format": "exe"}, {"data": []}):
        with pytest.raises(ConfigInvalid) as refused:
            job(**wrong)
        assert "/etc" not in str(refused.value)
