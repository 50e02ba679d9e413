import json

import numpy as np
import pytest
from typer.testing import CliRunner

from models.errors import ShapeMismatch
from pipelines import registry
from pipelines.build import build, open_build
from pipelines.correcting import SERVED, HubnessReport, without_self
from pipelines.errors import CorrectionUnavailable, SourceError
from pipelines.hubs import read_bank
from pipelines.results import Options, Request
from pipelines.spec import CalibrationSet
from service.cli import app

TEXTS = ["software developer", "nurse on nights", "Klempner", "lorry driver", "kitchen help"]


@pytest.fixture(params=["job_titles", "retrieval"])
def spec(request):
    return registry.spec(request.param)


@pytest.fixture
def make(spec, store, encoder, terminology):
    def build_it(*, queries=(), labelled=None, **hubness):
        config = spec.config(encoder="hashing", hubness=hubness)
        return build(spec, terminology, encoder=encoder, store=store, config=config, queries=queries, labelled=labelled)

    return build_it


def asked(texts, **options):
    return [Request(text, language="en", options=Options(**options)) for text in texts]


def test_a_build_draws_its_banks_from_the_terms_and_leaves_auto_off(make):
    built = make()
    report = built.hubness_report
    assert built.pipeline.hubness_methods == sorted({"auto", "none", *SERVED})
    assert (report.method, built.hubness) == ("none", "none")
    assert report.query_bank == report.gallery_bank == built.terminology.rows
    assert "no development queries" in report.reason
    assert built.pipeline.run(asked(TEXTS)) == built.pipeline.run(asked(TEXTS), hubness="none")


@pytest.mark.parametrize("method", SERVED)
def test_every_method_answers_and_says_what_it_moved(make, method):
    built = make()
    results = built.pipeline.run(asked(TEXTS, top_k=12), hubness=method)
    assert len(results) == len(TEXTS)
    scores = [c.scores for r in results for c in r.mentions[0].decision.candidates]
    assert all({"dense", "lexical", "raw", "corrected"} <= set(s) for s in scores)
    assert any(abs(s["raw"] - s["corrected"]) > 1e-3 for s in scores)


def test_a_correction_is_the_equations_on_every_row(make, terminology, encoder):
    """All rows are retrieved here, so that re-scored neighbours are the exact corrected ranking."""
    built = make(methods=["is"])
    (queries,) = [built.pipeline.encoded(asked(TEXTS))]
    found = built.parts.index.search(queries, k=terminology.rows)
    correction = built.parts.corrections["is"]
    corrected = correction.correct(queries, found)
    penalties = correction.penalties[:, 0]
    share = found.scores - found.parts["lexical"]
    apart = found.parts["dense"] - found.parts["lexical"]
    weight = np.where(np.abs(apart) > 1e-3, share / np.where(apart == 0, 1, apart), np.nan)
    wanted = found.scores - np.nanmedian(weight, axis=1, keepdims=True) * penalties[found.ids]
    np.testing.assert_allclose(corrected.scores, -np.sort(-wanted, axis=1), atol=2e-5)


def test_an_opened_build_corrects_as_the_one_built(make, spec, store, encoder):
    built = make()
    opened = open_build(spec, "twelve", store=store, encoder_of=lambda name: encoder)
    for method in SERVED:
        assert opened.pipeline.run(asked(TEXTS), hubness=method) == built.pipeline.run(asked(TEXTS), hubness=method)
    assert opened.hubness_report == built.hubness_report


def test_a_batch_answers_as_one_by_one_under_every_correction(make):
    built = make()
    for method in SERVED:
        together = built.pipeline.run(asked(TEXTS), hubness=method)
        for text, result in zip(TEXTS, together, strict=True):
            (alone,) = built.pipeline.run(asked([text]), hubness=method)
            assert [c.concept_id for c in alone.mentions[0].decision.candidates] == [
                c.concept_id for c in result.mentions[0].decision.candidates
            ]


def test_given_texts_are_the_bank(make):
    built = make(queries=asked(["a nurse is wanted", "driver wanted"]))
    assert built.hubness_report.query_bank == 2
    assert built.hubness_report.gallery_bank == built.terminology.rows


def test_without_a_bank_nothing_can_be_asked_for(make):
    built = make(bank=0)
    assert built.pipeline.hubness_methods == ["auto", "none"]
    with pytest.raises(CorrectionUnavailable, match="none"):
        built.pipeline.run(asked(TEXTS), hubness="is")
    with pytest.raises(CorrectionUnavailable, match="query bank"):
        make(bank=0, method="is")
    with pytest.raises(ShapeMismatch, match="sinkhorn"):
        make(methods=["sinkhorn"])


def test_given_texts_without_a_gallery_offer_no_dual_method(make):
    built = make(bank=0, queries=asked(TEXTS))
    assert built.pipeline.hubness_methods == sorted({"auto", "none", *SERVED} - {"dual_is", "dual_dis"})


def test_an_operator_may_set_what_auto_is(make):
    built = make(method="csls")
    assert built.hubness == "csls"
    assert built.pipeline.run(asked(TEXTS)) == built.pipeline.run(asked(TEXTS), hubness="csls")


def test_labelled_texts_decide_what_auto_is(make, terminology):
    texts = [t.text for t in terminology.row_terms]
    concepts = [terminology.concepts[c].id for c in terminology.row_concepts]
    labelled = CalibrationSet(
        [*texts, "no such job"], [None] * (len(texts) + 1), [*concepts, None], [-1] * (len(texts) + 1)
    )
    report = make(labelled=labelled).hubness_report
    assert report.method == "none"
    assert "no correction is surely better" in report.reason
    assert [c["method"] for c in report.comparisons] == list(SERVED)


def test_a_build_without_corrections_still_opens(make, spec, store, encoder):
    """Builds of before they were fitted say "none" and hold no bank."""
    make()
    name = f"pipelines/{spec.name}/twelve"
    with store.open(name) as artifact:
        files = {f: artifact.read_bytes(f) for f in artifact.manifest.files if not f.startswith("hubness")}
        manifest = artifact.manifest
    config = json.loads(files["config.json"])
    del config["hubness"]
    with store.write(name, kind=manifest.kind, parents=manifest.parents) as writer:
        for file, content in files.items():
            writer.add_bytes(file, content)
        writer.add_json("config.json", config)
        writer.details.update({k: v for k, v in manifest.details.items() if k != "hubness_report"})
    opened = open_build(spec, "twelve", store=store, encoder_of=lambda name: encoder)
    assert opened.hubness == "none"
    assert opened.pipeline.hubness_methods == ["auto", "none"]


def test_read_bank_takes_texts_or_titles_with_languages(tmp_path):
    path = tmp_path / "bank.csv"
    path.write_text("title,language\nKoch,de\nnurse,\n", encoding="utf-8")
    assert [(r.text, r.language) for r in read_bank(path)] == [("Koch", "de"), ("nurse", None)]
    path.write_text("name\nKoch\n")
    with pytest.raises(SourceError, match="text"):
        read_bank(path)
    path.write_text("text\n \n")
    with pytest.raises(SourceError, match="line 2"):
        read_bank(path)


def test_the_command_line_takes_a_bank(tmp_path, terminology):
    terms, bank = tmp_path / "twelve.jsonl", tmp_path / "bank.jsonl"
    terms.write_bytes(b"\n".join(terminology.to_lines()))
    bank.write_text('{"text": "nurse wanted"}\n{"text": "driver wanted"}\n')

    def cli(*arguments):
        done = CliRunner().invoke(
            app, [*map(str, arguments), "--artifacts", str(tmp_path / "a")], catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.stdout

    cli("import", "jsonl", terms, "--name", "twelve")
    said = cli("build", "retrieval", "-t", "twelve", "--encoder", "hashing", "--queries", bank)
    assert "hubness: none" in said
    assert '"query_bank": 2' in cli("describe", "retrieval", "--json")


def test_without_self_drops_the_query_or_the_last():
    ids = np.array([[3, 1, 2], [5, 6, 7]])
    assert without_self(ids, np.array([1, 9])).tolist() == [[3, 2], [5, 6]]
    assert HubnessReport.from_json(HubnessReport().to_json()) == HubnessReport()
