"""The serving encoder on a tiny graph made here: the mean of two-dimensional token vectors."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.encoders.description import Agreement, EncoderDescription
from models.encoders.onnx import BATCH_TOKENS, OnnxEncoder, _batches
from models.encoders.openvino import OpenVinoSession
from models.encoders.registry import open_encoder
from models.errors import ArtifactInvalid, ArtifactMissing, DeviceUnavailable, EncoderError

ROOT = Path(__file__).resolve().parents[3]
WORDS = {"[PAD]": 0, "[UNK]": 1, "[S]": 2, "query": 3, "passage": 4, ":": 5, "cook": 6, "nurse": 7}
DESCRIPTION = EncoderDescription(
    kind="onnx", name="tiny", variant="fp32", dimension=2, max_tokens=6, pad_id=0, query_prompt="query: ",
    passage_prompt="passage: ", normalize=True, pooling="mean", source={"origin": "test"}, weights_sha256="",
    files={"model.onnx": "a", "tokenizer.json": "b"}, agreements=(Agreement("itself", 1, 1.0, 1.0, 1.0),),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[S] $A", special_tokens=[("[S]", 2)])
    # As some models ship it: padded to a fixed length, which must not reach the graph.
    tokenizer.enable_padding(length=6)
    tokenizer.save(str(folder / "tokenizer.json"))
    table = np.array([[99, -99], [0, 1], [1, 0], [2, 0], [0, 2], [1, 1], [3, 1], [1, 3]], np.float32)
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["vectors"], keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "l"]) for n in ("input_ids", "attention_mask")],
        [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 2])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    DESCRIPTION.write(folder)
    return folder


@pytest.fixture(params=["onnxruntime", "openvino"])
def engine(request):
    if request.param == "openvino":
        pytest.importorskip("openvino")
    return request.param


def test_query_and_passage_prompts_are_put_first(folder, engine):
    encoder = OnnxEncoder(folder, engine=engine)
    assert encoder.engine == engine
    # [S] + query/passage + ":" + cook
    np.testing.assert_allclose(encoder.encode_query(["cook"])[0], np.array([7, 2]) / np.hypot(7, 2), rtol=1e-6)
    np.testing.assert_allclose(encoder.encode_passage(["cook"])[0], np.array([5, 4]) / np.hypot(5, 4), rtol=1e-6)


@pytest.mark.parametrize("budget", [1, 8, 1000])
def test_batches_of_any_size_give_the_same_vectors_in_order(folder, budget, engine):
    texts = ["cook nurse cook", "", "nurse", "cook cook", "other"]
    whole = OnnxEncoder(folder).encode_query(texts)
    cut = OnnxEncoder(folder, batch_tokens=budget, engine=engine)
    np.testing.assert_allclose(cut.encode_query(texts), whole, rtol=1e-6)


def test_threads_do_not_disturb_each_other(folder, engine):
    encoder = OnnxEncoder(folder, engine=engine)
    texts = [" ".join(["cook", "nurse"][k % 2] for k in range(n, n + n % 4)) for n in range(40)]
    alone = OnnxEncoder(folder).encode_query(texts)
    with ThreadPoolExecutor(8) as pool:
        for vectors in pool.map(lambda _: encoder.encode_query(texts), range(24)):
            np.testing.assert_allclose(vectors, alone, rtol=1e-6)


def test_engines_share_name_and_fingerprint(folder, engine):
    one, other = OnnxEncoder(folder), OnnxEncoder(folder, engine=engine)
    assert (one.name, one.fingerprint, one.dimension) == (other.name, other.fingerprint, other.dimension)


@pytest.mark.parametrize("change", [{"variant": "int8"}, {"variant": "bf16"}, {"pooling": "dan"}])
def test_what_openvino_computes_worse_stays_with_onnxruntime(tmp_path, change):
    pytest.importorskip("openvino")
    replace(DESCRIPTION, **change).write(tmp_path)
    assert OnnxEncoder(tmp_path, engine="openvino").engine == "onnxruntime"


def test_what_openvino_cannot_read_is_read_by_onnxruntime_unless_it_was_asked_for(folder, tmp_path, monkeypatch):
    pytest.importorskip("openvino")

    def unreadable(*_: object, **__: object) -> None:
        raise EncoderError("cannot read it")

    monkeypatch.setattr("models.encoders.openvino.OpenVinoSession", unreadable)
    monkeypatch.setattr("models.device.openvino_precision", lambda: "bf16")
    encoder = OnnxEncoder(folder, engine="auto")
    encoder.load()
    assert (encoder.engine, encoder.batch_tokens) == ("onnxruntime", BATCH_TOKENS)
    with pytest.raises(EncoderError):
        OnnxEncoder(folder, engine="openvino").load()


def test_a_graph_that_is_none_is_said_to_be_unreadable(tmp_path):
    pytest.importorskip("openvino")
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    with pytest.raises(EncoderError, match="COGNOMEN_ENCODER_ENGINE"):
        OpenVinoSession(tmp_path / "model.onnx", threads=1)


def test_count_tokens_stops_at_what_is_read(folder):
    assert OnnxEncoder(folder).count_tokens(["cook", "", "cook " * 50]) == [4, 3, 6]


def test_a_cheap_start_touches_no_weights(tmp_path):
    DESCRIPTION.write(tmp_path)
    encoder = OnnxEncoder(tmp_path)
    assert (encoder.name, encoder.dimension, encoder.device) == ("tiny", 2, "cpu")
    with pytest.raises(ArtifactMissing, match=r"tokenizer\.json"):
        encoder.load()


def test_a_gpu_that_is_not_there_is_refused(folder):
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime knows CUDA")
    with pytest.raises(DeviceUnavailable):
        OnnxEncoder(folder, device="cuda")


def test_batches_are_length_sorted_and_within_budget():
    lengths = [5, 1, 9, 2, 2, 30, 1]
    batches = list(_batches(lengths, budget=10))
    assert sorted(row for rows in batches for row in rows) == list(range(len(lengths)))
    assert all(len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= 10 for rows in batches)
    assert batches[-1] == [5]
    assert list(_batches([], budget=10)) == []


def test_serving_imports_neither_torch_nor_what_prepares(folder):
    script = (
        "import sys; from pathlib import Path; from models.encoders.registry import open_encoder\n"
        "open_encoder(Path(sys.argv[1])).encode_query(['cook'])\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'onnx', 'sentencepiece', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_description_survives_writing_and_reading(tmp_path):
    DESCRIPTION.write(tmp_path)
    assert EncoderDescription.read(tmp_path) == DESCRIPTION


def test_label_names_the_variant_unless_fp32():
    assert (DESCRIPTION.label, replace(DESCRIPTION, variant="int8").label) == ("tiny", "tiny-int8")


def test_fingerprint_follows_what_decides_a_vector():
    same = replace(DESCRIPTION, source={"origin": "elsewhere"}, agreements=())
    assert same.fingerprint == DESCRIPTION.fingerprint
    for change in ({"query_prompt": ""}, {"max_tokens": 7}, {"files": {"model.onnx": "c"}}):
        assert replace(DESCRIPTION, **change).fingerprint != DESCRIPTION.fingerprint


def test_no_description_says_what_to_run(tmp_path):
    with pytest.raises(ArtifactMissing, match="models prepare"):
        open_encoder(tmp_path)


@pytest.mark.parametrize("text", ["not json", "{}", "[]"])
def test_a_broken_description_is_refused(tmp_path, text):
    (tmp_path / "encoder.json").write_text(text)
    with pytest.raises(ArtifactInvalid):
        open_encoder(tmp_path)


def test_an_unknown_kind_is_refused(tmp_path):
    replace(DESCRIPTION, kind="crystal_ball").write(tmp_path)
    with pytest.raises(ArtifactInvalid, match="crystal_ball"):
        open_encoder(tmp_path)


def test_a_newer_field_does_not_break_reading(tmp_path):
    DESCRIPTION.write(tmp_path)
    path = tmp_path / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "added_later": 1}))
    assert EncoderDescription.read(tmp_path) == DESCRIPTION
