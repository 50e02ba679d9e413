"""Preparing a model: on a BERT of two layers with random weights, made here."""

import json

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("sentence_transformers")

from models.encoders import export
from models.encoders.description import EncoderDescription
from models.encoders.export import prepare
from models.encoders.onnx import OnnxEncoder
from models.encoders.probe import PROBE, measure_agreement
from models.encoders.registry import open_encoder
from models.errors import EncoderError, MissingExtra


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A sentence-transformers folder as any training would leave it, 16 dimensions, with prompts."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny")
    letters = sorted(set("".join(PROBE).lower()))
    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters])}
    vocabulary |= {f"##{letter}": len(vocabulary) + i for i, letter in enumerate(letters)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=40, initializer_range=0.5,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder, safe_serialization=True)
    settings = {
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast", "pad_token": "[PAD]", "unk_token": "[UNK]",
            "cls_token": "[CLS]", "sep_token": "[SEP]", "model_max_length": 40,
        },
        "sentence_bert_config.json": {"max_seq_length": 32, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {"query": "find: ", "document": "keep: "}},
        "1_Pooling/config.json": {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True},
        "modules.json": [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling")])
        ],
    }  # fmt: skip
    for name, content in settings.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def prepared(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    prepare(str(tiny), folder, called="tiny", keep_torch=True)
    return folder


def test_the_description_says_what_was_prepared(prepared):
    description = EncoderDescription.read(prepared)
    assert description.label == "tiny"
    assert (description.dimension, description.max_tokens, description.pooling) == (16, 32, "mean")
    assert (description.query_prompt, description.passage_prompt) == ("find: ", "keep: ")
    assert description.agreements[0].min_cosine > 0.99999
    assert set(description.files) == {"model.onnx", "tokenizer.json"}


def test_onnx_and_torch_agree_on_both_prompts_and_beyond_the_limit(prepared):
    onnx, torch = open_encoder(prepared), open_encoder(prepared / "torch", device="cpu")
    texts = [*PROBE[:20], "cook " * 100, "", "\ud83d"]
    for role in ("encode_query", "encode_passage"):
        np.testing.assert_allclose(getattr(onnx, role)(texts), getattr(torch, role)(texts), atol=1e-5)
    assert onnx.count_tokens(texts) == torch.count_tokens(texts)
    assert (onnx.dimension, onnx.name) == (torch.dimension, "tiny")


@pytest.mark.parametrize(("variant", "floor"), [("bf16", 0.999), ("int8", 0.97)])
def test_a_variant_writes_down_how_far_it_strays(tiny, tmp_path, variant, floor):
    description = prepare(str(tiny), tmp_path, called="tiny", variant=variant)
    assert description.label == f"tiny-{variant}"
    assert description == EncoderDescription.read(tmp_path)
    (agreement,) = description.agreements
    assert agreement.reference == "fp32"
    assert floor < agreement.min_cosine < 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder.json", "model.onnx", "tokenizer.json"]


def test_an_export_that_strays_is_refused(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_EXPORT_MIN_COSINE", 1.1)
    with pytest.raises(EncoderError, match="does not agree"):
        prepare(str(tiny), tmp_path)


def test_an_unknown_variant_is_refused(tmp_path):
    with pytest.raises(EncoderError, match="fp32, bf16, int8"):
        prepare("minilm", tmp_path, variant="int3")


def test_without_torch_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "find_spec", lambda _: None)
    with pytest.raises(MissingExtra, match="'encoders' extra"):
        prepare("minilm", tmp_path)


def test_agreement_of_equals_is_whole_and_of_strangers_is_not(prepared):
    encoder = OnnxEncoder(prepared)
    same = measure_agreement(encoder.encode_query, encoder.encode_query, name="itself")
    assert (round(same.mean_cosine, 5), same.top1) == (1, 1)
    other = measure_agreement(encoder.encode_query, lambda t: encoder.encode_query(t)[::-1], name="shuffled")
    assert other.top1 < 0.5
