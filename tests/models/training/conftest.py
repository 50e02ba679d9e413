"""A BERT of a few thousand numbers, made on the spot, and words it can learn."""

import json

import numpy as np
import pytest

pytest.importorskip("sentence_transformers")
pytest.importorskip("datasets")

WORDS = ["nurse", "carer", "welder", "joiner", "baker", "cook", "driver", "pilot", "teacher", "tutor", "of", "ward"]


def write_tiny(folder, *, seed=0):
    """A sentence-transformers folder: one layer, 16 wide, mean pooling."""
    import torch
    from safetensors.torch import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel

    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        hidden_dropout_prob=0.1,
    )
    model = BertModel(config)
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors", {"format": "pt"}
    )
    module = "sentence_transformers.models."
    files = {
        "config.json": config.to_dict() | {"architectures": ["BertModel"]},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": 32,
            "pad_token": "[PAD]",
            "unk_token": "[UNK]",
            "cls_token": "[CLS]",
            "sep_token": "[SEP]",
        },
        "sentence_bert_config.json": {"max_seq_length": 32, "do_lower_case": False},
        "config_sentence_transformers.json": {"prompts": {}, "similarity_fn_name": "cosine"},
        "1_Pooling/config.json": {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True},
        "modules.json": [
            {"idx": 0, "name": "0", "path": "", "type": module + "Transformer"},
            {"idx": 1, "name": "1", "path": "1_Pooling", "type": module + "Pooling"},
            {"idx": 2, "name": "2", "path": "2_Normalize", "type": module + "Normalize"},
        ],
    }
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    return write_tiny(tmp_path_factory.mktemp("tiny") / "tiny")


@pytest.fixture
def occupations():
    """Two titles of each of five occupations."""
    return [(WORDS[i], WORDS[i + 1], f"x:{i}") for i in range(0, 10, 2)]


@pytest.fixture
def batches(occupations):
    from models.training.pairs import Pair, PairSource, draw_batches

    def draw(rng, n):
        rows = rng.permutation(len(occupations))[:n]
        return [Pair(*occupations[i]) for i in rows]

    return draw_batches([PairSource("tiny", 1, draw)], steps=8, batch_size=4, seed=0)


def cosines(vectors):
    return np.asarray(vectors) @ np.asarray(vectors).T
