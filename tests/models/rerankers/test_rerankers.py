import numpy as np
import pytest

from models.artifacts import ArtifactStore
from models.encoders.hashing import HashingEncoder
from models.errors import ArtifactInvalid, ArtifactMissing, EncoderError, EncoderUnknown
from models.rerankers.base import Reranker
from models.rerankers.bi_encoder import BiEncoderReranker
from models.rerankers.cross_encoder import CrossEncoder
from models.rerankers.description import RerankerDescription
from models.rerankers.library import KIND, RerankerLibrary, artifact_name

QUERIES = ["lamp bread", "a", "bread", ""]
DOCUMENTS = [["bread", "lamp " * 200, "zebra"], [], ["x"], ["", "b"]]


@pytest.fixture(params=["cross_encoder", "bi_encoder"])
def reranker(request):
    if request.param == "bi_encoder":
        return BiEncoderReranker(HashingEncoder())
    return CrossEncoder(request.getfixturevalue("prepared_reranker"))


def test_one_score_per_document_in_order_alone_as_together(reranker):
    assert isinstance(reranker, Reranker)
    together = reranker.score(QUERIES, DOCUMENTS)
    assert [len(scores) for scores in together] == [3, 0, 1, 2]
    for query, texts, scores in zip(QUERIES, DOCUMENTS, together, strict=True):
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()
        for text, score in zip(texts, scores, strict=True):
            assert reranker.score([query], [[text]])[0][0] == pytest.approx(score, abs=1e-5)


def test_nothing_gives_nothing(reranker):
    assert reranker.score([], []) == []
    assert [len(scores) for scores in reranker.score(["a"], [[]])] == [0]
    assert reranker.count_tokens([]) == []


def test_any_text_is_scored(reranker):
    texts = ["\ud800", "\x00", "🙂" * 1000, "x" * 100_000]
    (scores,) = reranker.score(["\udfff"], [texts])
    assert np.isfinite(scores).all()
    assert len(reranker.count_tokens([("a", text) for text in texts])) == len(texts)


def test_scores_are_the_models_own(trained_reranker, prepared_reranker):
    torch = pytest.importorskip("torch")
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, tokenizer = (
        AutoModelForSequenceClassification.from_pretrained(trained_reranker),
        AutoTokenizer.from_pretrained(trained_reranker),
    )
    found = CrossEncoder(prepared_reranker).score(["lamp and bread"], [["bread", "a lamp " * 100, "z y x"]])[0]
    assert found.max() - found.min() > 0.01
    for text, score in zip(["bread", "a lamp " * 100, "z y x"], found, strict=True):
        inputs = tokenizer("lamp and bread", text, truncation="longest_first", max_length=64, return_tensors="pt")
        with torch.no_grad():
            assert float(torch.sigmoid(model.eval()(**inputs).logits)) == pytest.approx(float(score), abs=1e-5)


def test_a_pair_is_cut_on_its_longer_side(prepared_reranker):
    reranker = CrossEncoder(prepared_reranker)
    assert reranker.count_tokens([("lamp", "bread " * 500)]) == [64]
    assert reranker.score(["lamp"], [["bread " * 500]])[0] == reranker.score(["lamp"], [["bread " * 600]])[0]


def test_an_encoder_as_a_reranker_scores_cosines(encoder):
    (scores,) = BiEncoderReranker(encoder).score(["red car"], [["red car", "old boat"]])
    expected = encoder.encode_passage(["red car", "old boat"]) @ encoder.encode_query(["red car"])[0]
    np.testing.assert_allclose(scores, np.clip(expected, -1, 1), atol=1e-6)
    assert scores.max() <= 1


def test_a_library_opens_what_was_prepared_once(prepared_reranker, store):
    assert RerankerLibrary(store).names() == []
    with store.write(artifact_name("tiny"), kind=KIND) as writer:
        for file in ("model.onnx", "tokenizer.json", "reranker.json"):
            writer.add_bytes(file, (prepared_reranker / file).read_bytes())
    library = RerankerLibrary(store, device="cpu")
    assert library.names() == ["tiny"]
    assert library.get("tiny") is library.get("tiny")
    with pytest.raises(ArtifactMissing):
        library.get("huge")


def test_what_cannot_be_prepared_is_said_to(trained_reranker, tmp_path):
    from models.rerankers.export import prepare

    with pytest.raises(EncoderUnknown):
        prepare(str(tmp_path / "nowhere"), tmp_path / "out", called="x")
    transformers = pytest.importorskip("transformers")
    two = transformers.AutoModelForSequenceClassification.from_pretrained(
        trained_reranker, num_labels=2, ignore_mismatched_sizes=True
    )
    two.save_pretrained(tmp_path / "two")
    transformers.AutoTokenizer.from_pretrained(trained_reranker).save_pretrained(tmp_path / "two")
    with pytest.raises(EncoderError, match="2 outputs"):
        prepare(str(tmp_path / "two"), tmp_path / "out", called="x")


def test_a_folder_that_is_none_is_said_to_be(tmp_path, prepared_reranker):
    with pytest.raises(ArtifactMissing):
        CrossEncoder(tmp_path)
    (tmp_path / "reranker.json").write_text("{}")
    with pytest.raises(ArtifactInvalid):
        CrossEncoder(tmp_path)
    (tmp_path / "reranker.json").write_bytes((prepared_reranker / "reranker.json").read_bytes())
    with pytest.raises(ArtifactMissing):
        CrossEncoder(tmp_path).load()
    assert RerankerDescription.read(prepared_reranker).fingerprint == CrossEncoder(prepared_reranker).fingerprint
    assert ArtifactStore(tmp_path).names() == []
